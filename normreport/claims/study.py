"""The measurements of an experiment, as indexed tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from operator import itemgetter
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normreport.config.judging import JudgeSettings
from normreport.config.runs import Run
from normreport.text.language import gettext

# The starts that the article has. Others freeze the convolutions or draw the initial weights from
# another law, so the distribution of their weights is known without a measurement.
ARTICLE_STARTS = ("pretrained", "scratch")
# A control that no claim is about: its inputs differ from those of `unit` only in the last bit.
PLACEBO, PLACEBO_OF = "placebo", "unit"


class RowKey(TypedDict, total=False):
    """Columns that identify rows of a table."""

    model: str
    start: str
    normalization: str
    seed: int
    layer: str
    epoch: int


class IndexedTable:
    """A table whose rows are looked up by the values of some columns.

    The first lookup by a set of columns builds an index of them: a table has millions of rows, and
    each case needs a few.

    Parameters
    ----------
    rows
        One row per observation.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows
        self._indices: dict[tuple[str, ...], dict[Any, NDArray[np.intp]]] = {}

    def at(self, **key: Unpack[RowKey]) -> pd.DataFrame:
        """Return the rows that have the given value in every named column, in their order."""
        columns = tuple(key)
        if columns not in self._indices:
            self._indices[columns] = self.rows.groupby(list(columns)).indices
        nowhere = np.empty(0, dtype=np.intp)
        return self.rows.take(self._indices[columns].get(tuple(key.values()), nowhere))


@dataclass(frozen=True)
class Study:
    """Everything that an experiment measured.

    Attributes
    ----------
    settings
        The conditions of the experiment.
    runs
        One row per run: model, start, normalization, seed, state, finite, learned, moved, ...
    layers
        One row per run, epoch and measured layer: moments, displacement, cosine.
    measures
        One row per run, epoch and kept layer: all statistics.
    distances
        One row per model, start, kept layer, epoch and pair of runs: Wasserstein distances.
    histories
        One row per run and epoch: losses and accuracies.
    images : array of uint8, shape (N, H, W, 3)
        The training images.
    classes
        The number of classes.
    """

    settings: JudgeSettings
    runs: IndexedTable
    layers: IndexedTable
    measures: IndexedTable
    distances: IndexedTable
    histories: IndexedTable
    images: NDArray[np.uint8]
    classes: int

    def kept_layers(self, starts: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        """Yield model, start and layer of all kept weights; skip starts that no run has."""
        for model in self.settings.models:
            for start in starts:
                if start in self.settings.starts:
                    for layer in self.settings.layers[model]:
                        yield model, start, layer

    def measured_layers(self, model: str) -> list[str]:
        """List the measured layers of a model, in the order of the network.

        If every run failed, these are the kept layers.
        """
        measured = list(self.layers.at(model=model, epoch=0)["layer"].unique())
        return measured or list(self.settings.layers[model])

    def compared_models(self) -> list[str]:
        """List one model of each architecture, in the order of the experiment."""
        representatives = set(self.settings.architectures.values())
        return [model for model in self.settings.models if model in representatives]

    def compared_arms(self) -> list[str]:
        """List every arm except the placebo."""
        return [arm for arm in self.settings.normalizations if arm != PLACEBO]

    def failed_runs(
        self, *, models: Sequence[str], starts: Sequence[str], arms: Sequence[str]
    ) -> list[str]:
        """List the runs of some conditions that failed a check, each with the reason."""
        failures = [
            failure
            for condition in product(*map(dict.fromkeys, (models, starts, arms)))
            for failure in self._failures.get(condition, ())
        ]
        return [text for _, text in sorted(failures, key=itemgetter(0))]

    @cached_property  # every case of every claim asks
    def _failures(self) -> dict[tuple[str, ...], list[tuple[int, str]]]:
        """Failed runs by model, start and arm: the number of the run, and the reason."""
        failures: defaultdict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
        for number, run in enumerate(self.runs.rows.itertuples()):
            end = gettext("diverged")
            if run.state == "FAILED":
                end = gettext("failed: %(what)s", what=run.what)
            checks = {
                end: run.finite,
                gettext("has not learned"): run.learned or not run.finite,
                gettext("did not move"): run.moved or not run.finite,
            }
            for reason, passed in checks.items():
                if not passed:
                    condition = run.model, run.start, run.normalization
                    name = Run(*condition, run.seed).id
                    failures[condition].append((number, f"{name} ({reason})"))
        return failures

    def select_last_epoch(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the last epoch."""
        return rows[rows["epoch"] == self.settings.epochs]


def select_rows(rows: pd.DataFrame, **condition: object) -> pd.DataFrame:
    """Return the rows that have the given value, or one of a list of values, in each column."""
    keep = np.ones(len(rows), dtype=bool)
    for column, value in condition.items():
        is_choice = isinstance(value, list | tuple)
        keep &= (rows[column].isin(value) if is_choice else rows[column] == value).to_numpy()
    return rows[keep]
