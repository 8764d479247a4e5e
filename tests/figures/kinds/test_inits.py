"""The range of the standard deviation over random inits, and over the runs."""

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import x_values


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.measures(runs[runs["start"] == "scratch"])


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("inits", table)


def test_the_data_are_the_bars_and_the_points(drawing: Drawing) -> None:
    (ax,) = drawing.figure.axes
    bars = [line for line in ax.lines if len(x_values(line)) == 2]
    points = [line for line in ax.lines if len(x_values(line)) == 1]
    is_law = drawing.data["compared"] == "random inits, 95%"
    bar_ends = [x_values(line)[1] for line in bars]
    assert bar_ends == list(drawing.data["range_percent"][is_law])
    positions = [float(x_values(line)[0]) for line in points]
    assert positions == list(drawing.data["range_percent"][~is_law])


def test_a_limit_is_the_95_percent_point_of_the_range_of_three_inits(drawing: Drawing) -> None:
    chi_squared = np.random.default_rng(0).chisquare(1727, size=(100_000, 3))
    simulated = np.quantile(np.ptp(np.sqrt(chi_squared / 1727), axis=1), 0.95)
    assert np.allclose(drawing.data["limit_percent"], 100 * simulated, rtol=0.01)
    assert "95% of the ranges of 3 independent inits" in drawing.method


def test_ranges_are_over_whole_groups_of_runs(table: pd.DataFrame, drawing: Drawing) -> None:
    layer = table[table["layer"] == "features.0"]
    std = layer.pivot(index=["epoch", "normalization"], columns="seed", values="std")
    data = drawing.data[drawing.data["layer"] == "features.0"].set_index(["compared", "of"])
    sigma = synthetic.LAYERS["features.0"]
    for arm in ("raw", "unit", "imagenet"):
        for epoch, compared in ((0, "seeds, epoch 0"), (6, "seeds, last epoch")):
            expected = 100 * np.ptp(std.xs((epoch, arm))) / sigma
            assert data.loc[(compared, arm), "range_percent"] == pytest.approx(expected)
    for seed in range(3):
        expected = 100 * np.ptp(std.loc[6][seed]) / sigma
        place = ("arms of one seed, last epoch", str(seed))
        assert data.loc[place, "range_percent"] == pytest.approx(expected)
    assert np.allclose(data["standard_error_percent"], 100 / np.sqrt(2 * 1727))


def test_a_group_that_lost_a_run_has_no_range(diverged_runs: pd.DataFrame) -> None:
    table = diverged_runs[diverged_runs["start"] == "scratch"]
    drawing = synthetic.drawn("inits", synthetic.measures(table))
    compared = set(drawing.data["compared"])
    assert compared == {"random inits, 95%", "seeds, epoch 0", "arms of one seed, last epoch"}
    assert set(drawing.data.query("compared.str.startswith('arms')")["of"]) == {"2"}


def test_the_words_count_the_ranges_beyond_the_limit(table: pd.DataFrame, drawing: Drawing) -> None:
    std = table.pivot(index=["epoch", "layer", "normalization"], columns="seed", values="std")
    sigma = std.index.get_level_values("layer").map(synthetic.LAYERS)
    percent = 100 * (std.max(axis=1) - std.min(axis=1)) / sigma
    limit = drawing.data["limit_percent"].iloc[0]
    beyond = int((percent.loc[0] > limit).sum())
    assert 0 < beyond < 6
    assert f"seeds, epoch 0, {beyond} of 6 ranges" in drawing.caption
    assert "arms of one seed, last epoch, 0 of 6 ranges" in drawing.alt


def test_an_arm_with_fewer_seeds_is_counted_by_the_range_of_as_many_inits(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    sparse = table[(table["normalization"] != "raw") | (table["seed"] < 2)]
    found = synthetic.drawn("inits", sparse)
    chi_squared = np.random.default_rng(0).chisquare(1727, size=(100_000, 2))
    two = 100 * np.quantile(np.ptp(np.sqrt(chi_squared / 1727), axis=1), 0.95)
    own = found.data[found.data["of"] == "raw"]
    assert set(own["inits"]) == {2}
    assert np.allclose(own["limit_percent"], two, rtol=0.01)
    rest = found.data[found.data["of"] != "raw"]
    assert set(rest["inits"]) == {3}
    assert "An arm with fewer seeds" in found.method
    assert "An arm with fewer seeds" not in drawing.method


def test_a_layer_of_another_law_has_no_row(table: pd.DataFrame) -> None:
    is_other = table["layer"] == "features.28"
    mixed = table.assign(std=table["std"].where(~is_other, 2 * table["std"]))
    assert set(synthetic.drawn("inits", mixed).data["layer"]) == {"features.0"}


def test_without_a_known_law_panel_and_words_say_so(table: pd.DataFrame) -> None:
    drawing = synthetic.drawn("inits", table.assign(std=2 * table["std"]))
    reason = "No run starts from weights of a known law."
    (ax,) = drawing.figure.axes
    assert drawing.data.empty
    assert reason in " ".join(text.get_text() for text in ax.texts)
    assert drawing.alt.endswith(reason)
    assert "Points" not in drawing.method
