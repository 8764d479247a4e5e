"""The distances between pairs of runs."""

import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import three


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.distances(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("separation", table, model="vgg16")


def pairings(rows: pd.DataFrame) -> pd.Series:
    """Say what the two runs of every pair share, pair by pair."""

    def pairing(row: pd.Series) -> str:
        if row["normalization_a"] == row["normalization_b"]:
            return "same arm, other seed"
        has_one_seed = row["seed_a"] == row["seed_b"]
        return "other arm, same seed" if has_one_seed else "other arm, other seed"

    return rows.apply(pairing, axis=1)


def test_every_pair_of_the_last_epoch_is_drawn_once_in_its_row(drawing: Drawing) -> None:
    panels = iter(drawing.figure.axes)
    for layer in ("features.0", "features.28"):
        for start in ("scratch", "pretrained"):
            rows = drawing.data.query(f"layer == '{layer}' and start == '{start}'")
            assert len(rows) == 36
            ax = next(panels)
            dots = [line for line in ax.lines if line.get_marker() == "o"]
            for y, (pairing, line) in enumerate(zip(rows["pair"].unique(), dots, strict=True)):
                pairs = rows[rows["pair"] == pairing]
                assert list(line.get_xdata()) == list(pairs["w1_over_sigma0"])
                assert all(abs(line.get_ydata() - y) <= 0.25)


def test_pairs_are_grouped_by_arm_and_seed(drawing: Drawing) -> None:
    assert (pairings(drawing.data) == drawing.data["pair"]).all()
    assert drawing.data["pair"].value_counts().to_dict() == {
        "other arm, other seed": 72,
        "other arm, same seed": 36,
        "same arm, other seed": 36,
    }


def test_bars_and_numbers_are_the_means(drawing: Drawing) -> None:
    ax = drawing.figure.axes[0]
    rows = drawing.data.query("layer == 'features.0' and start == 'scratch'")
    means = rows.groupby("pair", sort=False)["w1_over_sigma0"].mean()
    bars = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "None"]
    assert bars == pytest.approx(list(means))
    assert [text.get_text() for text in ax.texts[1:]] == [three(mean) for mean in means]
    assert list(rows.drop_duplicates("pair")["mean"]) == pytest.approx(list(means))


def test_the_words_give_the_means_at_the_last_epoch_and_at_epoch_0(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    rows = table.query("start == 'scratch'")
    rows = rows.assign(pair=pairings(rows))
    means = rows.groupby(["pair", "epoch"])["w1_over_sigma0"].mean()
    for pairing, words in (
        ("other arm, other seed", "arms of different seeds"),
        ("same arm, other seed", "seeds of one arm"),
    ):
        text = f"{three(means[pairing, 6])} for {words} ({three(means[pairing, 0])})"
        assert text in drawing.caption
        assert text in drawing.alt
    assert f"{three(means['other arm, same seed', 6])} for arms of one seed (0)" in drawing.alt


def test_distances_of_zero_have_a_place_on_the_axis(table: pd.DataFrame) -> None:
    is_zero = table["seed_a"] == table["seed_b"]
    with_zeros = table.assign(w1_over_sigma0=table["w1_over_sigma0"].where(~is_zero, 0.0))
    ax = synthetic.drawn("separation", with_zeros, model="vgg16").figure.axes[-1]
    assert ax.get_xscale() == "symlog"
    assert ax.get_xlim()[0] < 0
    assert ax.get_xticklabels()[0].get_text() == "0"


def test_many_pairs_are_thinned_by_rank_and_averaged_in_full() -> None:
    runs = synthetic.runs(epochs=1, seeds=12, layers={"features.0": 0.0589})
    table = synthetic.distances(runs)
    drawing = synthetic.drawn("separation", table, model="vgg16")
    pairing = "other arm, other seed"
    drawn = drawing.data.query(f"start == 'scratch' and pair == '{pairing}'")
    rows = table.query("start == 'scratch' and epoch == 1")
    rows = rows[pairings(rows) == pairing]["w1_over_sigma0"]
    assert len(drawn) == 120 < len(rows)
    assert drawn["w1_over_sigma0"].min() == rows.min()
    assert drawn["w1_over_sigma0"].max() == rows.max()
    assert drawn["mean"].iloc[0] == pytest.approx(rows.mean())
    assert "At most 120 pairs of each kind" in drawing.caption


def test_a_note_names_the_diverged_runs(diverged_runs: pd.DataFrame) -> None:
    drawing = synthetic.drawn("separation", synthetic.distances(diverged_runs), model="vgg16")
    words = " ".join(text.get_text() for text in drawing.figure.texts)
    assert "raw: 1 of 3 runs diverged (seed 1 after epoch 2)" in words
    assert "Means are over the pairs of runs that both continue." in words


def test_a_single_run_has_no_pair_to_compare(table: pd.DataFrame) -> None:
    drawing = synthetic.drawn("separation", table.iloc[:0], model="vgg16")
    assert drawing.caption == "There is no pair of runs of VGG16 to compare."
    assert list(drawing.data.columns)[:3] == ["layer", "start", "pair"]
