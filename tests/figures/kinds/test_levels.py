"""Two published pipelines on every level of a pixel."""

import numpy as np

from tests.figures import synthetic


def test_the_data_are_the_lines_and_the_points() -> None:
    drawing = synthetic.drawn_prepared(
        "levels", levels=synthetic.levels(), pixels=3072, unequal_pixels=0
    )
    by_arm = dict(list(drawing.data.groupby("normalization")))
    top, bottom = drawing.figure.axes
    for line, arm in zip(top.lines, ("published_none", "published_minmax"), strict=True):
        assert np.array_equal(line.get_xdata(), np.arange(256))
        assert np.array_equal(line.get_ydata(), by_arm[arm]["input"])
    for line, arm in zip(bottom.lines, ("published_minmax", "placebo"), strict=True):
        assert np.array_equal(line.get_ydata(), by_arm[arm]["last_places"])


def test_the_last_places_are_those_between_two_floats() -> None:
    drawing = synthetic.drawn_prepared(
        "levels", levels=synthetic.levels(), pixels=3072, unequal_pixels=0
    )
    values = drawing.data.pivot(index="level", columns="normalization", values="input")
    steps = drawing.data.pivot(index="level", columns="normalization", values="last_places")
    moved = np.nextafter(values["published_none"].to_numpy(), np.float32(2))
    up = steps["placebo"].to_numpy() == 1
    assert up.sum() == 126
    assert np.array_equal(moved[up], values["placebo"][up])


def test_the_words_count_what_differs() -> None:
    same = synthetic.drawn_prepared(
        "levels", levels=synthetic.levels(), pixels=3072, unequal_pixels=0
    )
    text = "in 0 of 256 levels and in 0 of the 3,072 values of the training images"
    assert text in same.caption
    assert text in same.alt
    assert "in 126 levels, by at most 1 last place." in same.caption
    other = synthetic.levels()
    other["published_minmax"] = np.nextafter(other["published_minmax"], np.float32(2))
    apart = synthetic.drawn_prepared("levels", levels=other, pixels=3072, unequal_pixels=3000)
    assert "in 256 of 256 levels and in 3,000 of the 3,072 values" in apart.caption
