"""Example images under every arm."""

import numpy as np
import pytest

from normreport.figures.svg import to_svg
from tests.figures import synthetic

LABELS = [f"digit {i}" for i in range(8)]


def test_a_row_shows_its_arm_mapped_from_its_own_range() -> None:
    images = synthetic.examples()
    drawing = synthetic.drawn_prepared("examples", examples=images, labels=LABELS)
    shown = [np.asarray(ax.images[0].get_array()) for ax in drawing.figure.axes]
    assert len(shown) == 24
    for row, values in enumerate(images.values()):
        low, high = float(values.min()), float(values.max())
        for i in range(8):
            expected = np.round(255 * (values[i].astype(float) - low) / (high - low))
            assert np.array_equal(shown[8 * row + i], expected)


def test_the_row_label_prints_the_arm_and_its_range() -> None:
    drawing = synthetic.drawn_prepared("examples", examples=synthetic.examples(), labels=LABELS)
    labels = [text.get_text() for text in drawing.figure.axes[16].texts]
    assert labels == ["imagenet (mean/std)", "\u22122.12 to 2.64"]
    assert "0 to 1 in unit" in drawing.caption
    assert "\u22122.12 to 2.64 in imagenet" in drawing.alt


def test_columns_carry_the_labels_of_the_images() -> None:
    drawing = synthetic.drawn_prepared("examples", examples=synthetic.examples(), labels=LABELS)
    heads = [ax.texts[-1].get_text() for ax in drawing.figure.axes[:8]]
    assert heads == LABELS


def test_the_data_describe_every_channel() -> None:
    images = synthetic.examples()
    data = synthetic.drawn_prepared("examples", examples=images, labels=LABELS).data
    assert list(data["normalization"].unique()) == ["raw", "unit", "imagenet"]
    row = data.query("normalization == 'imagenet' and channel == 'b'").iloc[0]
    blue = images["imagenet"][..., 2].astype(float)
    for name, value in (
        ("min", blue.min()),
        ("max", blue.max()),
        ("mean", blue.mean()),
        ("std", blue.std()),
    ):
        assert row[name] == pytest.approx(value, rel=1e-12)


def test_large_images_are_averaged_down_to_80_pixels() -> None:
    images = synthetic.examples(k=2, side=224)
    drawing = synthetic.drawn_prepared("examples", examples=images, labels=["a", "b"])
    shown = drawing.figure.axes[0].images[0].get_array()
    block = images["raw"][0, :3, :3, 0].mean()
    assert shown.shape == (74, 74, 3)
    assert shown[0, 0, 0] == pytest.approx(block, abs=1)
    assert len(to_svg(drawing, "fig")) < 100_000


def test_a_constant_row_is_black() -> None:
    flat = {"raw": np.full((1, 4, 6, 3), 7.0, dtype=np.float32)}
    drawing = synthetic.drawn_prepared("examples", examples=flat, labels=["grey"])
    assert not drawing.figure.axes[0].images[0].get_array().any()
    assert "7 to 7" in drawing.caption


def test_long_and_undecodable_labels_stay_within_their_image() -> None:
    images = {"raw": np.zeros((8, 4, 4, 3), dtype=np.float32)}
    drawing = synthetic.drawn_prepared(
        "examples", examples=images, labels=["a label that is far too long", *"\udcff234567"]
    )
    heads = [ax.texts[-1].get_text() for ax in drawing.figure.axes]
    assert heads[0].endswith("\u2026")
    assert len(heads[0]) < 14
    assert heads[1] == "?"
