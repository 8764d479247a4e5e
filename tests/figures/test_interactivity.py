"""What a page is told about a figure's axes, against matplotlib's own transforms."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from normreport.figures.interactivity import panels
from normreport.figures.page import epoch_axis, log_axis, page, panel_title


def value(axis: dict[str, Any], at: float) -> float:
    """Turn a point of the picture into a number as the page's script does."""
    (start, end), (low, high) = axis["page"], axis["units"]
    level = low + (at - start) / (end - start) * (high - low)
    if axis["scale"] == "linear":
        return float(level)
    if axis["scale"] == "log":
        return float(10**level)
    linear, stretch = axis["linear"]
    beyond = abs(level) / linear - stretch
    return float(level / stretch if beyond < 0 else np.sign(level) * linear * 10**beyond)


@pytest.fixture
def grid() -> tuple[Figure, list[Axes]]:
    sheet = page("title", [], [], body=4)
    return sheet.figure, sheet.panels(4, 2)


@pytest.mark.parametrize("scale", ["linear", "log", "symlog"])
def test_a_point_of_the_picture_has_the_value_that_matplotlib_drew_there(
    grid: tuple[Figure, list[Axes]], scale: str
) -> None:
    figure, axes = grid
    values = np.array([0.003, 0.02, 0.7, 15.0])
    ax = axes[3]
    if scale == "linear":
        ax.set_xlim(-1, 20)
        ax.set_ylim(20, -1)
    else:
        zero = [0.0] if scale == "symlog" else []
        log_axis(ax.xaxis, [*zero, *values])
        log_axis(ax.yaxis, [*zero, *values])
        values = np.array([*zero, *values])
    found = panels(figure)[3]
    assert found["x"]["scale"] == found["y"]["scale"] == scale
    height = 72 * figure.get_figheight()
    for x, y in ax.transData.transform(np.column_stack([values, values])):
        expected, _ = ax.transData.inverted().transform((x, y))
        assert value(found["x"], x) == pytest.approx(expected, rel=1e-3, abs=1e-3)
        assert value(found["y"], height - y) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_panels_that_share_an_axis_share_its_name_and_a_column_its_title(
    grid: tuple[Figure, list[Axes]],
) -> None:
    figure, axes = grid
    for ax, title in zip(axes[:2], ("left", "right"), strict=True):
        panel_title(ax, title)
    for ax in axes[2:]:
        ax.set_xlabel("epoch")
    axes[0].set_ylabel("loss")
    axes[2].set_ylabel("accuracy")
    found = panels(figure)
    assert [panel["title"] for panel in found] == ["left", "right", "left", "right"]
    assert [panel["x"]["name"] for panel in found] == ["epoch"] * 4
    assert [panel["y"]["name"] for panel in found] == ["loss", "loss", "accuracy", "accuracy"]


def test_an_axis_over_the_epochs_is_told_whatever_it_is_called(
    grid: tuple[Figure, list[Axes]],
) -> None:
    figure, axes = grid
    epoch_axis(axes[0], 35)
    found = panels(figure)
    assert [panel["x"].get("epochs") for panel in found] == [True, None, True, None]
    assert not any("epochs" in panel["y"] for panel in found)


def test_a_title_is_not_that_of_a_panel_below(grid: tuple[Figure, list[Axes]]) -> None:
    figure, axes = grid
    panel_title(axes[2], "below")
    assert [panel["title"] for panel in panels(figure)] == ["", "", "below", ""]


def test_names_stand_at_whole_numbers_and_hidden_ones_too(
    grid: tuple[Figure, list[Axes]],
) -> None:
    figure, axes = grid
    axes[0].set_yticks([0, 1], ["raw", "unit"])
    axes[0].set_xticks([1, 2, 3], ["a", "b", "c"], minor=True)
    axes[0].set_xticks([2], ["2"])
    found = panels(figure)
    assert found[0]["y"]["names"] == {"0": "raw", "1": "unit"}
    assert found[0]["x"]["names"] == {"1": "a", "2": "b", "3": "c"}
    assert "names" not in found[1]["x"]


def test_a_picture_has_no_axes_to_read(grid: tuple[Figure, list[Axes]]) -> None:
    figure, axes = grid
    axes[1].set_axis_off()
    assert len(panels(figure)) == 3
