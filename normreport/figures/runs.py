"""The runs in a table: selection, means that hide no missing run, and notes about them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from normreport.text.formatting import join_with_and
from normreport.text.labels import start_title
from normreport.text.language import gettext, ngettext


def in_order(values: pd.Series) -> list[str]:
    """Return the distinct names in the order of first appearance."""
    return [str(value) for value in values.unique()]


def rows_of(table: pd.DataFrame, **keys: str) -> pd.DataFrame:
    """Select the rows whose columns have the given values, sorted by epoch if possible."""
    for column, value in keys.items():
        table = table[table[column] == value]
    return table.sort_values("epoch", kind="stable") if "epoch" in table else table


def comparable_rows(table: pd.DataFrame, **keys: str) -> pd.DataFrame:
    """Select the rows that share the axes of a figure.

    Raises
    ------
    ValueError
        If there is none.
    """
    rows = rows_of(table, **keys)
    if rows.empty:
        wanted = join_with_and([f"{column} {value!r}" for column, value in keys.items()])
        raise ValueError(f"the table has no row with {wanted}")
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
        run and combination of `by`. If runs failed, `seeds` says how many each arm should have.
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
    return groups[list(values)].mean()[_of_all_seeds(table, groups)].reset_index()


def sum_over_seeds(table: pd.DataFrame, values: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    """Add up the seeds of each arm where *all* of them have a value, see `mean_over_seeds`."""
    groups = table.groupby(["normalization", *by], sort=False)
    return groups[list(values)].sum()[_of_all_seeds(table, groups)].reset_index()


def _of_all_seeds(table: pd.DataFrame, groups: DataFrameGroupBy) -> npt.NDArray[np.bool_]:
    """Return for each group whether it has all seeds of its arm."""
    by_arm = table.groupby("normalization")
    seeds = by_arm["seeds"].first() if "seeds" in table else by_arm["seed"].nunique()
    there = groups["seed"].nunique()
    wanted = seeds.reindex(there.index.get_level_values("normalization"))
    return np.asarray(there.to_numpy() == wanted.to_numpy())


def seeds_phrase(table: pd.DataFrame) -> str:
    """Say how many seeds each arm of a non-empty table has: "3 seeds", "1 to 3 seeds"."""
    seeds = table.groupby("normalization")["seed"].nunique()
    low, high = int(seeds.min()), int(seeds.max())
    if low == high:
        return ngettext("%(num)s seed", "%(num)s seeds", high)
    return gettext("%(low)s to %(high)s seeds", low=low, high=high)


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

    None if no arm has more than one epoch.
    """
    changes = [
        Change(last / first - 1, first, last, arm, int(values.index[-1]))
        for arm, values in arms.items()
        if len(values) > 1
        for first, last in [(float(values.iloc[0]), float(values.iloc[-1]))]
    ]
    return max(changes, key=lambda change: abs(change.share), default=None)


def no_change() -> str:
    """Say why there is no change to report."""
    return gettext("No arm has all its runs beyond epoch 0, so there is no change to report.")


def run_notes(
    runs: Mapping[str, pd.DataFrame],
    arms: Sequence[str],
    last: int,
    *,
    means: str | None = None,
) -> list[str]:
    """Name every arm without data and every run that ended early.

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
        One sentence per incomplete arm, and `means` if a run ended early.
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
            if not own.any():
                notes.append(gettext("%(start)s, %(arm)s: no run.", start=name, arm=arm))
            elif len(early):
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
