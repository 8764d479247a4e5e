"""What random inits give, and what the runs do."""

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from normreport.figures.kinds import inits
from tests.figures import synthetic


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.measures(runs[runs["start"] == "scratch"])


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return inits.draw(table, limits=synthetic.limits(table))


def test_the_data_are_the_bars_and_the_points(drawing: Drawing) -> None:
    (ax,) = drawing.figure.axes
    bars = [line for line in ax.lines if len(line.get_xdata()) == 2]
    points = [line for line in ax.lines if len(line.get_xdata()) == 1]
    law = drawing.data["compared"] == "random inits, 95%"
    ends = [line.get_xdata()[1] for line in bars]
    assert ends == list(drawing.data["range_percent"][law])
    found = [float(line.get_xdata()[0]) for line in points]
    assert found == list(drawing.data["range_percent"][~law])


def test_ranges_are_over_whole_groups_of_runs(table: pd.DataFrame, drawing: Drawing) -> None:
    layer = table[table["layer"] == "features.0"]
    std = layer.pivot(index=["epoch", "normalization"], columns="seed", values="std")
    data = drawing.data[drawing.data["layer"] == "features.0"].set_index(["compared", "of"])
    sigma = synthetic.LAYERS["features.0"]
    for arm in ("raw", "unit", "imagenet"):
        for epoch, compared in ((0, "seeds, epoch 0"), (6, "seeds, last epoch")):
            expected = 100 * np.ptp(std.loc[epoch, arm]) / sigma
            assert data.loc[(compared, arm), "range_percent"] == pytest.approx(expected)
    for seed in range(3):
        expected = 100 * np.ptp(std.loc[6][seed]) / sigma
        found = data.loc[("arms of one seed, last epoch", str(seed)), "range_percent"]
        assert found == pytest.approx(expected)
    assert np.allclose(data["standard_error_percent"], 100 / np.sqrt(2 * 1727))


def test_a_group_that_lost_a_run_has_no_range(diverged_runs: pd.DataFrame) -> None:
    table = diverged_runs[diverged_runs["start"] == "scratch"]
    drawing = inits.draw(synthetic.measures(table), limits=synthetic.limits(table))
    compared = set(drawing.data["compared"])
    assert compared == {"random inits, 95%", "seeds, epoch 0", "arms of one seed, last epoch"}
    assert set(drawing.data.query("compared.str.startswith('arms')")["of"]) == {"2"}


def test_the_words_count_what_lies_beyond(table: pd.DataFrame) -> None:
    limits = synthetic.limits(table).assign(limit_percent=1e-9)
    caption = inits.draw(table, limits=limits).caption
    assert "seeds, epoch 0, 6 of 6 ranges" in caption
    assert "arms of one seed, last epoch, 6 of 6 ranges" in caption
    assert "95% of 3 independent inits" in caption
