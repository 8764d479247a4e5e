"""Which runs a table holds, how far each came, and means that hide no run that is missing."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from normreport.text.formatting import listing
from normreport.text.labels import start_title
from normreport.text.language import gettext, ngettext


def in_order(values: pd.Series) -> list[str]:
    """Distinct names in the order of first appearance."""
    return [str(value) for value in values.unique()]


def rows_of(table: pd.DataFrame, **keys: str) -> pd.DataFrame:
    """Rows whose columns have the given values, in the order of the epochs if there are any."""
    for column, value in keys.items():
        table = table[table[column] == value]
    return table.sort_values("epoch", kind="stable") if "epoch" in table else table


def comparable_rows(table: pd.DataFrame, **keys: str) -> pd.DataFrame:
    """Rows that share the axes of a figure, of which there must be some.

    Raises
    ------
    ValueError
        If no row has the given values.
    """
    rows = rows_of(table, **keys)
    if rows.empty:
        wanted = listing([f"{column} {value!r}" for column, value in keys.items()])
        raise ValueError(f"the table has no row with {wanted}")
    return rows


def last_epoch(table: pd.DataFrame) -> int:
    """Return the latest epoch of any run."""
    return int(table["epoch"].max())


def mean_over_seeds(
    table: pd.DataFrame, values: Sequence[str], by: Sequence[str] = ("epoch",)
) -> pd.DataFrame:
    """Average the seeds of each arm wherever *all* of them have a value.

    A mean over those that survived would show divergence as if it had not happened.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `normalization`, `seed`, `epoch`, those in `values` and those in `by`; one row per
        run and combination of `by`. `seeds`, how many each arm should have, where runs failed.
    values : sequence of str
        What to average.
    by : sequence of str
        What to keep apart within an arm.

    Returns
    -------
    pandas.DataFrame
        Columns `normalization`, `by`, `values`.
    """
    groups = table.groupby(["normalization", *by], sort=False)
    return groups[list(values)].mean()[_of_all_seeds(table, groups)].reset_index()


def sum_over_seeds(table: pd.DataFrame, values: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    """Add up the seeds of each arm wherever *all* of them have a value, as `mean_over_seeds`."""
    groups = table.groupby(["normalization", *by], sort=False)
    return groups[list(values)].sum()[_of_all_seeds(table, groups)].reset_index()


def _of_all_seeds(table: pd.DataFrame, groups: DataFrameGroupBy) -> npt.NDArray[np.bool_]:
    """Tell of each group of an arm's rows whether all of its seeds are there."""
    by_arm = table.groupby("normalization")
    seeds = by_arm["seeds"].first() if "seeds" in table else by_arm["seed"].nunique()
    there = groups["seed"].nunique()
    wanted = seeds.reindex(there.index.get_level_values("normalization"))
    return np.asarray(there.to_numpy() == wanted.to_numpy())


def seeds_phrase(table: pd.DataFrame) -> str:
    """Say how many seeds each arm of a table with rows has: "3 seeds", "1 to 3 seeds"."""
    seeds = table.groupby("normalization")["seed"].nunique()
    low, high = int(seeds.min()), int(seeds.max())
    if low == high:
        return ngettext("%(num)s seed", "%(num)s seeds", high)
    return gettext("%(low)s to %(high)s seeds", low=low, high=high)


def no_run(*place: str) -> str:
    """Say why a panel is empty: none of its runs is in the table."""
    return gettext("No run of %(place)s.", place=", ".join(place))


def no_run_reached(epoch: int, *place: str) -> str:
    """Say why a panel is empty at an epoch."""
    return gettext(
        "No run of %(place)s reached epoch %(epoch)s.", place=", ".join(place), epoch=epoch
    )


def nothing_to_draw(title: str) -> str:
    """Give the caption of a figure without runs."""
    return gettext("%(title)s: there is no run to draw.", title=title)


class Change(NamedTuple):
    """How a quantity of an arm changed from epoch 0 to its last: from what to what, relatively."""

    share: float
    first: float
    final: float
    arm: str
    epoch: int


def largest_change(arms: Mapping[str, pd.Series]) -> Change | None:
    """Find the largest relative change of a quantity, given per arm by epoch.

    None where no arm has it at epoch 0 and later.
    """
    changes = [
        Change(last / first - 1, first, last, arm, int(values.index[-1]))
        for arm, values in arms.items()
        if len(values) > 1
        for first, last in [(float(values.iloc[0]), float(values.iloc[-1]))]
    ]
    return max(changes, key=lambda change: abs(change.share), default=None)


def no_change() -> str:
    """Say why there is no largest change."""
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
        For each start the runs of one model, ordered by epoch: columns `normalization`, `seed`,
        `epoch`, and `status` where it is known; without it a run with fewer epochs has diverged.
    arms : sequence of str
        The arms of the whole experiment.
    last : int
        The last epoch of a complete run.
    means : str
        What an early end does to the figure's means; by default they end with the first run.

    Returns
    -------
    list of str
        One sentence per arm that is not whole, and `means` if a run ended early.
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
                        where=listing(where),
                    )
                )
    if any_early:
        notes.append(means or gettext("An arm's mean ends where the first of its runs does."))
    return notes
