"""Pages, panels, keys and axes."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from normreport.figures.page import (
    Key,
    balanced_columns,
    epoch_axis,
    log_axis,
    page,
    panel_title,
)
from normreport.figures.style import WIDTH, house_style, text_width


def ticks(values: list[float], unit: str = "") -> tuple[list[float], list[str]]:
    """Tick positions and labels of a y axis by decades."""
    ax = Figure().add_subplot()
    log_axis(ax.yaxis, values, unit=unit)
    locations = list(ax.yaxis.get_majorticklocs())
    return locations, [label.get_text() for label in ax.yaxis.get_majorticklabels()]


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 3), (6, 3), (7, 4), (8, 4), (13, 4)]
)
def test_panels_stand_in_balanced_rows_of_at_most_four(count: int, columns: int) -> None:
    assert balanced_columns(count) == columns


def test_panels_fill_the_page_without_overlap() -> None:
    sheet = page("title", [], [], body=4.0)
    boxes = [ax.get_position() for ax in sheet.panels(5, 3)]
    for i, a in enumerate(boxes):
        assert 0 <= a.x0 < a.x1 <= 1
        assert 0 <= a.y0 < a.y1 <= 1
        for b in boxes[i + 1 :]:
            assert a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0


def test_only_outer_panels_have_tick_labels() -> None:
    axes = page("title", [], [], body=4.0).panels(5, 3)
    left = [ax.yaxis.get_tick_params()["labelleft"] for ax in axes]
    bottom = [ax.xaxis.get_tick_params()["labelbottom"] for ax in axes]
    assert left == [True, False, False, True, False]
    assert bottom == [False, False, True, True, True]


def test_keys_and_notes_make_the_page_higher_and_stay_on_it() -> None:
    key = Key("an arm with a long label", {"color": "#000000"})
    with house_style():
        low = page("title", [key], [], body=2.0)
        high = page("title", [key] * 9, ["a note. " * 60], body=2.0)
    assert low.height == high.height == 2.0
    assert high.figure.get_figheight() > low.figure.get_figheight() + 0.5
    for text in high.figure.texts:
        x, y = text.get_position()
        assert 0 <= x < WIDTH
        assert 0 <= y < high.figure.get_figheight()


def test_a_title_is_as_small_as_it_must_be_to_fit_and_known_to_the_page() -> None:
    short, long = (page("word " * words, [], [], body=2.0).figure.texts[0] for words in (5, 30))
    assert short.get_fontsize() == 10
    assert (
        text_width(long.get_text(), float(long.get_fontsize()))
        <= WIDTH
        < text_width(long.get_text(), 10)
    )
    assert short.get_gid() == '{"text": "title"}'


def test_a_panel_title_stays_over_its_panel() -> None:
    ax, _ = page("title", [], [], body=2.0).panels(2, 2)
    panel_title(ax, "word " * 30)
    (title,) = ax.texts
    room = ax.get_position().width * WIDTH
    assert title.get_text().startswith("word word")
    assert 0.95 * room < text_width(title.get_text(), float(title.get_fontsize())) <= room


def test_decades_are_labelled_with_plain_numbers() -> None:
    assert ticks([0.004, 2.3])[1] == ["0.01", "0.1", "1"]
    assert ticks([1.0, 30.0], "%")[1] == ["1%", "2%", "5%", "10%", "20%"]


def test_many_decades_are_thinned() -> None:
    assert len(ticks([1e-9, 1e9])[0]) <= 8


def test_zeros_get_a_place_at_the_foot_of_a_log_axis() -> None:
    locations, labels = ticks([0.0, 0.02, 0.5])
    assert locations[0] == 0.0
    assert labels[0] == "0"
    assert all(np.diff(locations) > 0)


@pytest.mark.parametrize("values", [[], [0.0], [1.0]])
def test_a_log_axis_needs_no_range(values: list[float]) -> None:
    assert np.isfinite(ticks(values)[0]).all()


@pytest.mark.parametrize("last", [0, 1, 3, 35, 200])
def test_epochs_are_whole_numbers_within_the_axis(last: int) -> None:
    ax = Figure().add_axes((0.1, 0.1, 0.8, 0.8))
    epoch_axis(ax, last)
    low, high = ax.get_xlim()
    locations = [t for t in ax.xaxis.get_majorticklocs() if low <= t <= high]
    assert low < 0 <= last < high
    assert locations
    assert all(float(t).is_integer() for t in locations)
