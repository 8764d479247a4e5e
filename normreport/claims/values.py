"""Take from a study one number per seed and arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from normreport.claims.study import IndexedTable, RowKey, Study

Arms = Callable[[Study], Sequence[str]]
Pair = Callable[[Study], tuple[str, str]]


def article_arms(study: Study) -> tuple[str, str]:
    """Return the article's contrast: inputs / 255, and mean and standard deviation removed."""
    return study.contrast


def raw_arm(study: Study) -> tuple[str]:
    """Return the arm of raw inputs, which the published design does not have."""
    return ("raw",)


def raw_and_unit(study: Study) -> tuple[str, str]:
    """Return the contrast that the published design does not have."""
    return "raw", "unit"


def planned_arms(study: Study, arms: Arms, *, model: str, starts: Sequence[str]) -> list[str]:
    """Return those of the arms that have planned runs for all starts, with a seed in common."""
    planned = study.arms(model=model, starts=starts)
    chosen = [arm for arm in arms(study) if arm in planned]
    return chosen if study.seeds(model=model, starts=starts, arms=chosen) else []


def final_values(
    study: Study,
    table: IndexedTable,
    column: str,
    *,
    model: str,
    start: str,
    arms: Sequence[str],
    layer: str | None = None,
    epoch: int | None = None,
) -> pd.DataFrame:
    """Return a statistic at the last epoch, or another one.

    Parameters
    ----------
    study
        The study of the table.
    table, column
        One of its tables, with one row per run and epoch, and the column of the statistic.
    model, start, layer
        Select the rows.
    arms
        The columns of the result.
    epoch
        The epoch; None is the last one.

    Returns
    -------
    DataFrame of float64, shape (seeds, arms)
        One row per seed that has a planned run in every arm. NaN where the statistic is not
        defined or a run ended early.
    """
    key: RowKey = {"model": model, "start": start}
    if layer is not None:
        key["layer"] = layer
    key["epoch"] = study.settings.epochs if epoch is None else epoch
    seeds = study.seeds(model=model, starts=(start,), arms=arms)
    return arrange(table.at(**key), column, seed=seeds, normalization=arms)


def arrange(rows: pd.DataFrame, column: str, **axes: Sequence[object]) -> pd.DataFrame:
    """Arrange a column of a table by the values of two others.

    This is a pivot. Tables of a few rows are arranged thousands of times, for which the pivot of
    pandas is too slow.

    Parameters
    ----------
    rows, column
        The table, and its column of numbers.
    axes
        Two columns, each with the values that become the rows and the columns of the result.

    Returns
    -------
    DataFrame of float64
        NaN where the table has no row.
    """
    (across, index), (down, columns) = axes.items()
    positions = [{value: number for number, value in enumerate(axis)} for axis in (index, columns)]
    values = np.full((len(index), len(columns)), np.nan)
    for one, other, number in zip(rows[across], rows[down], rows[column], strict=True):
        if one in positions[0] and other in positions[1]:
            values[positions[0][one], positions[1][other]] = np.nan if number is None else number
    return pd.DataFrame(values, index=list(index), columns=list(columns))


def correlation_of_arms(study: Study, model: str, start: str, layer: str, a: str, b: str) -> float:
    """Return the smallest correlation, over seeds, between the final weights of two arms.

    It is 0 if none is known, which is the widest null.
    """
    rows = study.select_last_epoch(study.products.at(model=model, start=start, layer=layer))
    rows = rows[rows["seed_a"] == rows["seed_b"]]
    pair = rows["normalization_a"].isin([a, b]) & rows["normalization_b"].isin([a, b])
    known = rows[pair & (rows["normalization_a"] != rows["normalization_b"])]["correlation"]
    return max(0.0, float(known.min())) if known.notna().any() else 0.0
