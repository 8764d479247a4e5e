"""The runs in a table: selection, means that hide no missing run, and notes about them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from normreport.text.formatting import join_with_and
from normreport.text.labels import start_title
from normreport.text.language import gettext, ngettext


def in_order(values: pd.Series) -> list[str]:
    """Return the distinct names in the order of first appearance."""
    return [str(value) for value in values.unique()]


def arms_in_order(table: pd.DataFrame) -> list[str]:
    """Return the arms of a table in the order of the experiment, see `merged_order`."""
    return merged_order(table, "normalization", within=("model", "start"))


def merged_order(table: pd.DataFrame, column: str, *, within: Sequence[str]) -> list[str]:
    """Return the distinct names of a column in an order that agrees with that of every group.

    A design may have holes: if the first group lacks a name, the order of first appearance would
    put this name last.

    Parameters
    ----------
    table : pandas.DataFrame
        The rows of each group are in the order of the experiment.
    column : str
        The column of the names.
    within : sequence of str
        The columns that define the groups, as far as the table has them.
    """
    groups = [name for name in within if name in table]
    if not groups:
        return in_order(table[column])
    rest = [in_order(names) for _, names in table.groupby(groups, sort=False)[column]]
    merged = []
    while rest:
        later = {name for names in rest for name in names[1:]}
        # Without any such name the groups disagree, and the first one decides.
        first = next((names[0] for names in rest if names[0] not in later), rest[0][0])
        merged.append(first)
        rest = [others for names in rest if (others := [n for n in names if n != first])]
    return merged


def arms_of(runs: pd.DataFrame, arms: Sequence[str]) -> list[str]:
    """Return those of `arms` that have runs; all of them if there is no run."""
    present = set(runs["normalization"])
    return [arm for arm in arms if arm in present] or list(arms)


def rows_of(table: pd.DataFrame, **keys: str) -> pd.DataFrame:
    """Select the rows whose columns have the given values, sorted by epoch if possible."""
    for column, value in keys.items():
        table = table[table[column] == value]
    return table.sort_values("epoch", kind="stable") if "epoch" in table else table


class NoRowsError(ValueError):
    """A table lacks what a figure shows; the message says why, for its readers."""


def comparable_rows(
    table: pd.DataFrame, *, model: str, layer: str | None = None, reason: str | None = None
) -> pd.DataFrame:
    """Select the rows that share the axes of a figure.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `model` and `layer`.
    model, layer : str
        The rows to select; all layers by default.
    reason : str
        Why there may be no such row: a sentence. By default, the weights do not vary.

    Raises
    ------
    NoRowsError
        If there is none.
    """
    keys = {"model": model} if layer is None else {"model": model, "layer": layer}
    rows = rows_of(table, **keys)
    if rows.empty:
        raise NoRowsError(reason or no_variation())
    return rows


def last_epoch(table: pd.DataFrame) -> int:
    """Return the latest epoch of any run."""
    return int(table["epoch"].max())


def mean_over_seeds(
    table: pd.DataFrame, values: Sequence[str], by: Sequence[str] = ("epoch",)
) -> pd.DataFrame:
    """Average the seeds of each arm where *all* of them have a value.

    A mean over the surviving runs would hide that others diverged.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `normalization`, `seed`, `epoch`, those in `values` and those in `by`; one row per
        run and combination of `by`. If runs failed, `seeds` says how many seeds each arm should
        have.
    values : sequence of str
        The columns to average.
    by : sequence of str
        The columns that define the groups within an arm.

    Returns
    -------
    pandas.DataFrame
        Columns `normalization`, `by`, `values`.
    """
    groups = table.groupby(["normalization", *by], sort=False)
    is_complete = _of_all_seeds(table, groups["seed"].nunique())
    return groups[list(values)].mean()[is_complete].reset_index()


def sum_over_seeds(table: pd.DataFrame, values: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    """Add up the seeds of each arm where *all* of them have a value, see `mean_over_seeds`."""
    groups = table.groupby(["normalization", *by], sort=False)
    is_complete = _of_all_seeds(table, groups["seed"].nunique())
    return groups[list(values)].sum()[is_complete].reset_index()


def _of_all_seeds(table: pd.DataFrame, there: pd.Series) -> npt.NDArray[np.bool_]:
    """Return for each group whether it has all seeds of its arm, given how many it has."""
    by_arm = table.groupby("normalization")
    seeds = by_arm["seeds"].first() if "seeds" in table else by_arm["seed"].nunique()
    wanted = seeds.reindex(there.index.get_level_values("normalization"))
    return np.asarray(there.to_numpy() == wanted.to_numpy())


def row_of_largest(table: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Return the row of a table with the largest of some values, one per row. NaN is skipped."""
    return table.iloc[int(values.argmax())]


def seeds_phrase(table: pd.DataFrame) -> str:
    """Say how many seeds each arm of a non-empty table has: "3 seeds", "1 to 3 seeds"."""
    seeds = seed_counts(table)
    low, high = int(seeds.min()), int(seeds.max())
    if low == high:
        return ngettext("%(num)s seed", "%(num)s seeds", high)
    return gettext("%(low)s to %(high)s seeds", low=low, high=high)


def seed_counts(table: pd.DataFrame) -> pd.Series:
    """Count the seeds of every model, start and arm, as far as the table has these columns."""
    by = [name for name in ("model", "start", "normalization") if name in table]
    return table.groupby(by, sort=False)["seed"].nunique()


def no_run(*place: str) -> str:
    """Say that a panel is empty because the table has none of its runs."""
    return gettext("No run of %(place)s.", place=", ".join(place))


def no_run_reached(epoch: int, *place: str) -> str:
    """Say that a panel is empty because none of its runs reached an epoch."""
    return gettext(
        "No run of %(place)s reached epoch %(epoch)s.", place=", ".join(place), epoch=epoch
    )


def nothing_to_draw(title: str) -> str:
    """Return the caption of a figure without runs."""
    return gettext("%(title)s: there is no run to draw.", title=title)


class Change(NamedTuple):
    """The relative change of a quantity of an arm, from its first value to its last."""

    share: float
    first: float
    final: float
    arm: str
    epoch: int


def largest_change(arms: Mapping[str, pd.Series]) -> Change | None:
    """Return the largest relative change of a quantity, given per arm as a series over epochs.

    None if no arm has more than one epoch, or if every arm begins with 0.
    """
    changes = [
        Change(last / first - 1, first, last, arm, int(values.index[-1]))
        for arm, values in arms.items()
        if len(values) > 1 and values.iloc[0]
        for first, last in [(float(values.iloc[0]), float(values.iloc[-1]))]
    ]
    return max(changes, key=lambda change: abs(change.share), default=None)


def no_variation() -> str:
    """Say that a figure is empty because the weights do not vary."""
    return gettext("The weights do not vary, so there is nothing to draw.")


def no_change(arms: Mapping[str, pd.Series]) -> str:
    """Say why there is no change to report, given a quantity of each arm as a series."""
    if any(len(values) > 1 for values in arms.values()):
        return gettext("At epoch 0 all weights are equal, so there is no relative change.")
    return gettext("No arm has all its runs beyond epoch 0, so there is no change to report.")


def axis_notes(curves: pd.DataFrame) -> list[str]:
    """Name the runs most of whose weights lie beyond the axis of weights.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns `normalization`, `seed`, `weight`, `density`: one curve per run, on a regular grid.
    """
    beyond = []
    for (arm, seed), curve in curves.groupby(["normalization", "seed"], sort=False):
        if np.trapezoid(curve["density"], curve["weight"]) < 0.5:
            beyond.append(gettext("%(arm)s, seed %(seed)s", arm=arm, seed=seed))
    if not beyond:
        return []
    runs = join_with_and(beyond)
    return [gettext("Most weights lie beyond the axis in these runs: %(runs)s.", runs=runs)]


def run_notes(
    runs: Mapping[str, pd.DataFrame],
    arms: Sequence[str],
    last: int,
    *,
    means: str | None = None,
) -> list[str]:
    """Name every run that ended early.

    Parameters
    ----------
    runs : mapping of str to pandas.DataFrame
        For each start the runs of one model, sorted by epoch: columns `normalization`, `seed`,
        `epoch` and, optionally, `status`. Without it, a run with fewer epochs has diverged.
    arms : sequence of str
        The arms of the experiment.
    last : int
        The last epoch of a complete run.
    means : str
        A sentence on what an early end does to the means of the figure; by default, that a
        mean ends with the first run that ends.

    Returns
    -------
    list of str
        One sentence per arm with such a run, and `means` if there is any.
    """
    notes = []
    any_early = False
    for start, table in runs.items():
        ends = table.groupby(["normalization", "seed"], sort=False, as_index=False).last()
        failed = ends["epoch"] < last
        if "status" in ends:
            failed |= ends["status"] == "DIVERGED"
        name = start_title(start)
        for arm in arms:
            own = ends["normalization"] == arm
            early = ends[own & failed]
            if len(early):
                any_early = True
                where = [
                    gettext("seed %(seed)s after epoch %(epoch)s", seed=seed, epoch=epoch)
                    for seed, epoch in zip(early["seed"], early["epoch"], strict=True)
                ]
                notes.append(
                    ngettext(
                        "%(start)s, %(arm)s: %(early)s of %(num)s run diverged (%(where)s).",
                        "%(start)s, %(arm)s: %(early)s of %(num)s runs diverged (%(where)s).",
                        int(own.sum()),
                        start=name,
                        arm=arm,
                        early=len(early),
                        where=join_with_and(where),
                    )
                )
    if any_early:
        notes.append(means or gettext("An arm's mean ends where the first of its runs does."))
    return notes
