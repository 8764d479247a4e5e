"""The measurements of an experiment, as indexed tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from operator import itemgetter
from typing import Any, TypedDict, Unpack, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normreport.config.contrast import article_contrast
from normreport.config.judging import JudgeSettings
from normreport.config.runs import Run
from normreport.config.training import FitSettings
from normreport.statistics.quantile_products import product_block
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
        self._indices: dict[tuple[str, ...], dict[Hashable, NDArray[np.intp]]] = {}

    @cached_property
    def _coded(self) -> pd.DataFrame:
        """The rows with names as categories, which are selected many times faster than texts."""
        return self.rows.astype(dict.fromkeys(self.rows.select_dtypes("str"), "category"))

    def at(self, **key: Unpack[RowKey]) -> pd.DataFrame:
        """Return the rows that have the given value in every named column, in their order."""
        columns = tuple(key)
        if columns not in self._indices:
            indices = self._coded.groupby(list(columns)).indices
            # The stubs also allow the lists and indices that other groupings have.
            self._indices[columns] = cast(dict[Hashable, NDArray[np.intp]], indices)
        nowhere = np.empty(0, dtype=np.intp)
        # pandas has plain values instead of tuples for a single column.
        place = tuple(key.values()) if len(key) > 1 else next(iter(key.values()))
        return self._coded.take(self._indices[columns].get(place, nowhere))


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
    products
        One row per model, start, kept layer, epoch and pair of runs: products of their quantile
        functions in sigma_0^2.
    histories
        One row per run and epoch: losses and accuracies.
    images : array of uint8, shape (N, H, W, 3)
        The training images.
    classes
        The number of classes.
    fits
        How each model is trained; empty for a model without a finished run.
    """

    settings: JudgeSettings
    runs: IndexedTable
    layers: IndexedTable
    measures: IndexedTable
    products: IndexedTable
    histories: IndexedTable
    images: NDArray[np.uint8]
    classes: int
    fits: Mapping[str, FitSettings] = field(default_factory=dict)

    def seeds(self, *, model: str, starts: Iterable[str], arms: Iterable[str]) -> tuple[int, ...]:
        """Return the seeds that have a planned run for every start and arm, in their order."""
        arms = list(arms)
        common = set(self.settings.seeds)
        for start in starts:
            for arm in arms:
                common &= self._planned.get((model, start, arm), set())
        return tuple(seed for seed in self.settings.seeds if seed in common)

    def arms(self, *, model: str, starts: Iterable[str]) -> tuple[str, ...]:
        """Return the arms, the placebo included, that have planned runs for every start."""
        starts = list(starts)
        return tuple(
            arm
            for arm in self.settings.normalizations
            if all((model, start, arm) in self._planned for start in starts)
        )

    @cached_property
    def _planned(self) -> dict[tuple[str, str, str], set[int]]:
        """The seeds of each planned model, start and arm."""
        return {
            (arm.model, arm.start, arm.normalization): set(arm.seeds)
            for arm in self.settings.planned
        }

    @cached_property  # every claim asks
    def standard(self) -> Study:
        """The same measurements of the models that are trained by the shared settings.

        That is without tuned models, and without other optimizers than the shared one if the
        architecture has a model with it, too.
        """
        others = {*self.settings.candidates, *self.settings.optimizer_variants}
        return self.of_models([model for model in self.settings.models if model not in others])

    @cached_property
    def untuned(self) -> Study:
        """The same measurements, without the models whose learning rates were tuned per arm."""
        tuned = self.settings.candidates
        return self.of_models([model for model in self.settings.models if model not in tuned])

    @cached_property
    def tuned(self) -> Study:
        """The same measurements of the models whose learning rates were tuned per arm."""
        tuned = self.settings.candidates
        return self.of_models([model for model in self.settings.models if model in tuned])

    def of_models(self, names: Iterable[str]) -> Study:
        """Leave out other models, and the conditions that only they have."""
        whole = self.settings
        models = [model for model in whole.models if model in {*names}]
        if len(models) == len(whole.models):
            return self
        planned = tuple(arm for arm in whole.planned if arm.model in models)
        starts = {arm.start for arm in planned}
        normalizations = {arm.normalization for arm in planned}
        seeds = {seed for arm in planned for seed in arm.seeds}
        changes = {
            "models": tuple(models),
            "architectures": {
                name: model for name, model in whole.architectures.items() if model in models
            },
            "starts": tuple(start for start in whole.starts if start in starts),
            "normalizations": tuple(arm for arm in whole.normalizations if arm in normalizations),
            "seeds": tuple(seed for seed in whole.seeds if seed in seeds),
            "planned": planned,
        }
        return replace(self, settings=whole.model_copy(update=changes))

    @property
    def contrast(self) -> tuple[str, str]:
        """The two arms whose difference the report is about."""
        return self.settings.contrast or article_contrast(self.settings.normalizations)

    def kept_layers(
        self, starts: Iterable[str], arms: Sequence[str] = ()
    ) -> Iterator[tuple[str, str, str]]:
        """Yield model, start and layer of all kept weights.

        Starts without planned runs are skipped; with arms, those without a seed that all of these
        arms have.
        """
        for model in self.settings.models:
            for start in starts:
                planned = self.arms(model=model, starts=(start,))
                if planned and self.seeds(model=model, starts=(start,), arms=arms or planned[:1]):
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
        run: Any  # its attributes are columns, whose types only the table knows
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

    def product_block(
        self,
        *,
        model: str,
        start: str,
        layer: str,
        epoch: int,
        arms: Sequence[str],
        seeds: Sequence[int],
    ) -> NDArray[np.float64] | None:
        """Return the products of some runs, shape (arms, seeds, arms, seeds), in sigma_0^2.

        This is what the functions of `normreport.statistics.effects` take. None if a run is
        missing or ended before the epoch, or if the layer was constant at epoch 0.
        """
        rows = self.products.at(model=model, start=start, layer=layer, epoch=epoch)
        return product_block(
            list(zip(rows["normalization_a"], rows["seed_a"], strict=True)),
            list(zip(rows["normalization_b"], rows["seed_b"], strict=True)),
            rows["product"].to_list(),
            arms=arms,
            seeds=seeds,
        )

    def select_last_epoch(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the last epoch."""
        return rows[rows["epoch"] == self.settings.epochs]


def select_rows(rows: pd.DataFrame, **condition: object) -> pd.DataFrame:
    """Return the rows that have the given value, or one of a list of values, in each column."""
    keep = np.ones(len(rows), dtype=bool)
    for column, value in condition.items():
        values = rows[column]
        is_match = values.isin(value) if isinstance(value, list | tuple) else values == value
        keep &= is_match.to_numpy()
    return rows[keep]
