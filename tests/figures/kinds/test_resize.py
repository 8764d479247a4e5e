"""Images before and after the Resize."""

import numpy as np
import pytest

from normreport.figures.drawing import Drawing, draw_prepared, kind_module
from normreport.figures.kinds import resize
from normreport.normalizations import Inputs
from tests.figures import synthetic
from tests.figures.synthetic import three


def drawn(inputs: dict[str, Inputs]) -> Drawing:
    return draw_prepared(kind_module("resize"), resize.compare(inputs))


def test_the_centre_has_the_size_of_the_images_before() -> None:
    inputs = synthetic.resized()
    drawing = drawn(inputs)
    shown = [np.asarray(ax.images[0].get_array()) for ax in drawing.figure.axes[:9]]
    assert [image.shape[0] for image in shown] == [16] * 3 + [64] * 3 + [16] * 3
    for whole, centre in zip(shown[3:6], shown[6:], strict=True):
        assert np.array_equal(centre, whole[24:40, 24:40])


def test_rows_share_the_range_of_the_images_before() -> None:
    inputs = synthetic.resized()
    low, high = float(inputs["imagenet"].min()), float(inputs["imagenet"].max())
    drawing = drawn(inputs)
    after = inputs["published_meanstd"][0].astype(float)
    shown = np.asarray(drawing.figure.axes[3].images[0].get_array())
    assert np.array_equal(shown, np.round(255 * (after - low) / (high - low)))


@pytest.mark.parametrize("period", [4, 8, 16])
def test_the_variance_of_a_wave_lies_at_its_frequency(period: int) -> None:
    wave = np.cos(np.pi * (2 * np.arange(32) + 1) / period).astype(np.float32)
    image = np.broadcast_to(wave[None, :, None], (2, 32, 32, 3)).copy()
    data = drawn({"imagenet": image, "published_meanstd": image}).data
    share = data[data["normalization"] == "imagenet"].set_index("frequency")["share"]
    assert share[share.index < 1 / period - 1e-9].max() < 1e-9
    assert share[share.index > 1 / period - 1e-9].min() == pytest.approx(1)


def test_the_words_compare_contrast_and_neighbours() -> None:
    inputs = synthetic.resized()
    caption = drawn(inputs).caption
    assert "makes 4,096 pixels of 256" in caption
    std = {arm: images.std(axis=(1, 2, 3)).mean() for arm, images in inputs.items()}
    text = f"goes from {three(std['imagenet'])} to {three(std['published_meanstd'])}"
    assert text in caption
    steps = {
        arm: np.mean([np.abs(np.diff(images, axis=axis)).mean() for axis in (1, 2)])
        for arm, images in inputs.items()
    }
    assert f"from {three(steps['imagenet'])} to {three(steps['published_meanstd'])}," in caption


def test_one_image_of_equal_pixels_has_no_variance_to_share() -> None:
    flat = np.ones((1, 8, 8, 3), dtype=np.float32)
    data = drawn({"imagenet": flat, "published_meanstd": flat}).data
    assert set(data["share"]) == {0.0}
