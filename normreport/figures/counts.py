"""How many runs a figure shows, and how many were planned."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import pandas as pd

from normreport.figures.runs import seed_counts
from normreport.text.formatting import join_with_and
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext

_RUN = ["model", "start", "normalization", "seed"]
# How the values of the columns that define an arm are called, in the order of a label.
_LABELS: Mapping[str, Callable[[str], str]] = {
    "model": model_label,
    "normalization": str,
    "start": start_label,
}


def shown_runs(table: pd.DataFrame, **keys: str | None) -> pd.DataFrame:
    """List the runs of a table, also of one with pairs of runs.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `model`, `start`, `normalization` and `seed`, the last two with or without the
        suffixes `_a` and `_b`. If there is a column `epoch`, all runs have rows at epoch 0.
    keys : str or None
        The values of some columns; None stands for any.

    Returns
    -------
    pandas.DataFrame
        Columns `model`, `start`, `normalization` and `seed`, one row per run.
    """
    if "epoch" in table:
        table = table[table["epoch"] == 0]
    for column, value in keys.items():
        if value is not None:
            table = table[table[column] == value]
    sides = [""] if "seed" in table else ["_a", "_b"]
    return pd.concat(
        [
            table[["model", "start", f"normalization{side}", f"seed{side}"]].set_axis(_RUN, axis=1)
            for side in sides
        ]
    ).drop_duplicates(ignore_index=True)


def with_planned_numbers(
    table: pd.DataFrame, failed: Sequence[tuple[str, str, str, int]]
) -> pd.DataFrame:
    """Add the numbers of planned runs to the rows of the runs that succeeded.

    No mean may hide that a run failed.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`; or pairs of runs, also each with itself:
        then the last two have the suffixes `_a` and `_b`, and the first run counts.
    failed : sequence of tuple
        The same values of each failed run.

    Returns
    -------
    pandas.DataFrame
        With the columns `seeds`, the number of planned seeds of the row's arm, and `runs`, that of
        planned runs of its model and start.
    """
    run = _RUN if "seed" in table else ["model", "start", "normalization_a", "seed_a"]
    planned = pd.concat([table[run], pd.DataFrame(failed, columns=run)]).drop_duplicates()
    for name, by in (("seeds", run[:3]), ("runs", run[:2])):
        table = table.join(planned.groupby(by).size().rename(name), on=by)
    return table


def seeds_sentence(table: pd.DataFrame) -> str | None:
    """Say how many seeds each arm, start or model has; None if the numbers are equal."""
    counts = seed_counts(table).rename("seeds").reset_index()
    if counts["seeds"].nunique() < 2:
        return None
    places = [name for name in counts.columns[:-1] if counts[name].nunique() > 1]
    # The fewest columns that determine the number, the arm first.
    by = next(
        list(columns)
        for size in range(1, len(places) + 1)
        for columns in combinations(reversed(places), size)
        if (counts.groupby(list(columns))["seeds"].nunique() == 1).all()
    )
    names = counts.drop_duplicates(by)
    texts = []
    for count, rows in names.groupby("seeds"):
        labels = [
            _arm_label([label(row[name]) for name, label in _LABELS.items() if name in by])
            for row in rows.to_dict("records")
        ]
        texts.append(gettext("%(seeds)s for %(names)s", seeds=count, names=join_with_and(labels)))
    return gettext("The number of seeds differs: %(numbers)s.", numbers="; ".join(texts))


def _arm_label(parts: Sequence[str]) -> str:
    """Join labels: "unit (from scratch)". A start may have a comma in it."""
    first, *others = parts
    return f"{first} ({', '.join(others)})" if others else first
