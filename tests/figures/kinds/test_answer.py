"""The first figure: bars of both effects, and what its caption promises."""

import pytest

from tests.figures import synthetic


@pytest.mark.parametrize(("seeds", "has_intervals"), [(2, False), (3, True)])
def test_the_caption_explains_intervals_only_if_there_are_some(
    seeds: int, has_intervals: bool
) -> None:
    table = synthetic.products(synthetic.runs(seeds=seeds, epochs=2))
    drawing = synthetic.drawn("answer", table, normalizations=("unit", "imagenet"))
    lines = [line for ax in drawing.figure.axes for line in ax.lines]
    assert bool(lines) == has_intervals
    assert ("Thin lines: 95% intervals of the switch." in drawing.caption) == has_intervals
