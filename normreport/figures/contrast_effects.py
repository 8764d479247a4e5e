"""What switching between two arms and what another seed does to the kept layers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from normreport.config.report import FigureSettings
from normreport.figures.runs import last_epoch, merged_order, row_of_largest, rows_of
from normreport.statistics.effects import SquaredEffect, repeated_shift, seed_distance
from normreport.statistics.inference import t_interval
from normreport.statistics.quantile_products import product_block
from normreport.text.formatting import format_number, join_with_and
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext, ngettext

MOST_SHOWN = 6  # layers of all models in one figure
DELTA, SEED = "delta_percent", "between_seeds_percent"
DELTA_LOW, DELTA_HIGH = "delta_low_percent", "delta_high_percent"
LEVEL = 0.95

# The article's starts, which stand side by side; others only if the experiment has neither.
_STARTS = ("pretrained", "scratch")
_PLACE = ["model", "layer", "start"]


@dataclass(frozen=True)
class ContrastEffects:
    """The two effects on every kept layer.

    Attributes
    ----------
    arms : tuple of str
        The two arms.
    starts : list of str
        The starts that stand side by side.
    layers : list of tuple
        Model and layer of each row of panels: those of the models with runs of both arms, or all
        if there are none.
    last : int
        The last epoch.
    runs : pandas.DataFrame
        One row per run of the arms and epoch: `model`, `start`, `normalization`, `seed`, `epoch`.
    data : pandas.DataFrame
        Columns `model`, `layer`, `start`, `epoch`, `seeds`, `delta_percent` (the shift between the
        arms that repeats from seed to seed), `delta_low_percent` and `delta_high_percent` (its 95%
        interval; the shift itself for fewer than three seeds) and `between_seeds_percent` (the W2
        distance between seeds), in percent of sigma_0. Epochs that a run did not reach have no
        row.
    """

    arms: tuple[str, ...]
    starts: list[str]
    layers: list[tuple[str, str]]
    last: int
    runs: pd.DataFrame
    data: pd.DataFrame

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The layers that a figure shows, with their models.

        Of many layers, these are the first and the last of each model, which claims are about, and
        those with the largest shifts.
        """
        if len(self.layers) <= MOST_SHOWN:
            return self.layers
        first, last = dict(reversed(self.layers)), dict(self.layers)
        largest = self.final.groupby(["model", "layer"])[DELTA].max()
        by_shift = sorted(self.layers, key=lambda layer: -largest.get(layer, 0.0))
        ordered = dict.fromkeys([*first.items(), *last.items(), *by_shift])
        wanted = list(ordered)[: max(MOST_SHOWN, 2 * len(first))]
        return [layer for layer in self.layers if layer in wanted]

    @property
    def drawn(self) -> pd.DataFrame:
        """The rows of `data` whose layers are shown."""
        shown = set(self.shown)
        layers = zip(self.data["model"], self.data["layer"], strict=True)
        return self.data[pd.Series([layer in shown for layer in layers], self.data.index, bool)]

    @property
    def places(self) -> list[tuple[str, str, str]]:
        """Model, layer and start of each panel: where both arms have runs, or all if none has."""
        planned = _planned(self.runs, self.arms)
        every = [(*layer, start) for layer in self.shown for start in self.starts]
        return [place for place in every if (place[0], place[2]) in planned] or every

    @property
    def final(self) -> pd.DataFrame:
        """The rows of the last epoch."""
        return self.data[self.data["epoch"] == self.last]


def contrast_effects(source: pd.DataFrame, settings: FigureSettings) -> ContrastEffects:
    """Compute both effects for every layer, start and epoch.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `layer`, `epoch`, `normalization_a`, `seed_a`,
        `normalization_b`, `seed_b` and `product`; one row per unordered pair of runs, and per run
        with itself. If runs failed, `seeds` says how many seeds the first run's arm should have.
    settings : FigureSettings
        `normalizations` are the two arms.
    """
    arms = settings.normalizations
    present = merged_order(source, "start", within=["model"])
    starts = [start for start in present if start in _STARTS] or present
    rows = source[source["start"].isin(starts)]
    runs = _runs(rows, arms)
    models = {model for model, _ in _planned(runs, arms)} or {*rows["model"]}
    layers = [
        (model, layer)
        for model, layer in dict.fromkeys(zip(rows["model"], rows["layer"], strict=True))
        if model in models
    ]
    data = [
        effects
        for model, layer in layers
        for start in starts
        for effects in _effects(rows_of(rows, model=model, layer=layer, start=start), arms)
    ]
    columns = [*_PLACE, "epoch", "seeds", DELTA, DELTA_LOW, DELTA_HIGH, SEED]
    return ContrastEffects(
        arms=arms,
        starts=starts,
        layers=layers,
        last=last_epoch(source),
        runs=runs,
        data=pd.DataFrame(data, columns=columns),
    )


def _planned(runs: pd.DataFrame, arms: Sequence[str]) -> set[tuple[str, str]]:
    """Return each model and start that has runs of both arms."""
    of_both = runs.groupby(["model", "start"])["normalization"].nunique() == len(arms)
    return set(of_both.index[of_both])


def _runs(rows: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """List the runs of both arms at every epoch that they reached."""
    names = {"normalization_a": "normalization", "seed_a": "seed"}
    runs = rows.rename(columns=names)[["model", "start", "normalization", "seed", "epoch"]]
    return runs[runs["normalization"].isin(arms)].drop_duplicates(ignore_index=True)


def _effects(rows: pd.DataFrame, arms: Sequence[str]) -> Iterator[dict[str, object]]:
    """Yield the effects at every epoch that all runs of both arms reached."""
    runs = [rows[rows["normalization_a"] == arm] for arm in arms]
    if any("seeds" in own and (own["seeds"] > own["seed_a"].nunique()).any() for own in runs):
        return
    one, other = (set(own["seed_a"]) for own in runs)
    seeds = sorted(one & other)
    for (model, layer, start, epoch), pairs in rows.groupby([*_PLACE, "epoch"]):
        products = product_block(
            list(zip(pairs["normalization_a"], pairs["seed_a"], strict=True)),
            list(zip(pairs["normalization_b"], pairs["seed_b"], strict=True)),
            pairs["product"].to_list(),
            arms=arms,
            seeds=seeds,
        )
        shift = None if products is None else repeated_shift(products)
        between_seeds = None if products is None else seed_distance(products)
        if shift is not None and between_seeds is not None:
            low, high = _interval(shift)
            yield {
                "model": model, "layer": layer, "start": start, "epoch": epoch,
                "seeds": len(seeds), DELTA: 100 * shift.root, DELTA_LOW: 100 * low,
                DELTA_HIGH: 100 * high, SEED: 100 * between_seeds,
            }  # fmt: skip


def _interval(shift: SquaredEffect) -> tuple[float, float]:
    """Return the 95% interval of a shift, as roots of that of its square."""
    if shift.pseudo_values is None:
        return shift.root, shift.root
    interval = t_interval(shift.pseudo_values, LEVEL)
    assert interval.low is not None
    assert interval.high is not None
    return math.sqrt(max(interval.low, 0.0)), math.sqrt(max(interval.high, 0.0))


def count_cases(prepared: ContrastEffects) -> str:
    """Say in how many cases the seed does more."""
    final = prepared.final
    more = int((final[SEED] > final[DELTA]).sum())
    return ngettext(
        "At the end of training (epoch %(epoch)s), another seed changes the distribution of the "
        "weights more than switching from %(one)s to %(other)s in %(more)s of %(num)s case: a "
        "layer and a start, with %(seeds)s.",
        "At the end of training (epoch %(epoch)s), another seed changes the distribution of the "
        "weights more than switching from %(one)s to %(other)s in %(more)s of %(num)s cases. A "
        "case is a layer and a start, with %(seeds)s.",
        len(final),
        one=prepared.arms[0],
        other=prepared.arms[1],
        epoch=prepared.last,
        more=more,
        seeds=_seeds(final),
    )


def count_shown(prepared: ContrastEffects) -> list[str]:
    """Say which layers a figure shows if there are many."""
    if len(prepared.shown) == len(prepared.layers):
        return []
    return [
        gettext(
            "The figure shows %(shown)s of %(num)s layers: the first and the last of each network, "
            "and those with the largest shifts. Its data contain all layers.",
            num=len(prepared.layers),
            shown=len(prepared.shown),
        )
    ]


def name_largest(prepared: ContrastEffects) -> str:
    """Name the largest shift, and what another seed does there."""
    final = prepared.final
    largest = row_of_largest(final, final[DELTA])
    if largest[DELTA] == 0:
        return gettext("No shift by the switch repeats from seed to seed.")
    return gettext(
        "The largest shift by the switch is %(delta)s (%(place)s); there, another seed shifts by "
        "%(seed)s.",
        delta=f"{format_number(largest[DELTA], 2)}%",
        seed=f"{format_number(largest[SEED], 2)}%",
        place=place_of(largest),
    )


def _seeds(final: pd.DataFrame) -> str:
    low, high = int(final["seeds"].min()), int(final["seeds"].max())
    if low == high:
        return ngettext("%(num)s seed", "%(num)s seeds", high)
    return gettext("%(low)s to %(high)s seeds", low=low, high=high)


def numbers_of(prepared: ContrastEffects) -> Iterator[str]:
    """Give both numbers of every panel."""
    drawn = prepared.drawn
    for _, row in drawn[drawn["epoch"] == prepared.last].iterrows():
        yield gettext(
            "%(place)s: switch %(delta)s, seed %(seed)s.",
            place=place_of(row),
            delta=f"{format_number(row[DELTA], 2)}%",
            seed=f"{format_number(row[SEED], 2)}%",
        )


def place_of(row: pd.Series) -> str:
    """Name the model, layer and start of a row."""
    return ", ".join([model_label(row["model"]), row["layer"], start_label(row["start"])])


def absence(arms: Sequence[str]) -> str:
    """Say why there is no effect."""
    return gettext("No run of two seeds in both arms (%(arms)s).", arms=join_with_and(arms))
