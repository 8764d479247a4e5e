"""The experiment's design: which combinations of its lists are runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product
from typing import Annotated, Any, Self, TypeVar

from pydantic import Discriminator, Field, Tag, model_validator

from normreport.config.base import UNION_TAG, Name, Seed, Settings, one_or_list_tag
from normreport.config.runs import Run
from normreport.config.training import Start
from normreport.errors import nearest

# The keys of a condition, and the list of the experiment for each.
LISTS: Mapping[str, str] = {
    "model": "models",
    "start": "starts",
    "normalization": "normalizations",
    "seed": "seeds",
}

Value = TypeVar("Value")


# The tags keep the form out of the key in error messages.
OneOrMore = Annotated[
    Annotated[Value, Tag(f"{UNION_TAG}one")]
    | Annotated[tuple[Value, ...], Field(min_length=1), Tag(f"{UNION_TAG}list")],
    Discriminator(one_or_list_tag),
]


class PartialCondition(Settings):
    """Some keys of a condition, each with one value or a list of values."""

    model: OneOrMore[Name] | None = None
    """Models."""
    start: OneOrMore[Start] | None = None
    """Starts."""
    normalization: OneOrMore[Name] | None = None
    """Normalizations."""
    seed: OneOrMore[Seed] | None = None
    """Seeds."""

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        if all(getattr(self, key) is None for key in LISTS):
            raise ValueError(f"expected at least one of {', '.join(LISTS)}, found none")
        return self

    def values(self, key: str) -> tuple[Any, ...]:
        """Return the values of a key; none if the key is missing."""
        value = getattr(self, key)
        if value is None:
            return ()
        return value if isinstance(value, tuple) else (value,)

    def matches(self, run: Run) -> bool:
        """Return whether a run has one of the values of every key."""
        return all(
            getattr(self, key) is None or getattr(run, key) in self.values(key) for key in LISTS
        )


@dataclass(frozen=True)
class Design:
    """The planned runs, and the values that they have.

    Attributes
    ----------
    runs
        Every run, by model, then start, normalization and seed. Each of these is in the order of
        the experiment's list; values that only `include` has come last, in its order.
    models, starts, normalizations, seeds
        The values that at least one run has, in the same order.
    """

    runs: tuple[Run, ...]
    models: tuple[str, ...]
    starts: tuple[Start, ...]
    normalizations: tuple[str, ...]
    seeds: tuple[int, ...]

    @cached_property
    def arms(self) -> dict[tuple[str, Start, str], tuple[int, ...]]:
        """The seeds of each model, start and normalization that has runs."""
        by_arm = groupby(self.runs, key=lambda run: (run.model, run.start, run.normalization))
        return {arm: tuple(run.seed for run in runs) for arm, runs in by_arm}

    def has_runs(
        self, model: str | None = None, start: str | None = None, normalization: str | None = None
    ) -> bool:
        """Return whether a run has the given values; None stands for any."""
        asked = (model, start, normalization)
        return any(
            all(value in (None, own) for value, own in zip(asked, arm, strict=True))
            for arm in self.arms
        )


class ExperimentSettings(Settings):
    """The conditions: every combination of four lists, less `exclude`, plus `include`."""

    models: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Models; each needs an entry under `models`."""
    starts: Annotated[tuple[Start, ...], Field(min_length=1)]
    """Initial weights: `scratch` or `pretrained`. `scratch_uniform` and `scratch_laplace` draw
    the convolutions from these distributions, with the same variance. `scratch_head` and
    `pretrained_head` train the last layer only."""
    normalizations: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The arms of the experiment: built-in input normalizations, and entries of `arms`."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    """Seeds (the replicates)."""
    contrast: tuple[Name, Name] | None = None
    """The two arms whose difference the report is about; null for those of the article, `unit` and
    `imagenet`."""
    exclude: tuple[PartialCondition, ...] = ()
    """Combinations of the four lists that are not run. An entry has some of the keys `model`,
    `start`, `normalization` and `seed`, each with one value or a list; a missing key matches every
    value."""
    include: tuple[PartialCondition, ...] = ()
    """More combinations that are run, after `exclude`. An entry has the same keys; a missing key
    takes the list of the experiment. Values may be new; a new model needs an entry under
    `models`."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for key in ("models", "starts", "normalizations", "seeds"):
            duplicates = find_duplicates(getattr(self, key))
            if duplicates:
                raise ValueError(f"{key} must be unique, found {duplicates[0]!r} twice")
        if self.contrast and self.contrast[0] == self.contrast[1]:
            raise ValueError(f"contrast must have two arms, found {self.contrast[0]!r} twice")
        return self

    @cached_property
    def design(self) -> Design:
        """The planned runs."""
        places = {
            key: {value: place for place, value in enumerate(self._mentioned(key))} for key in LISTS
        }
        planned = {*self._kept(), *(run for entry in self.include for run in self._included(entry))}
        runs = sorted(planned, key=lambda run: [places[key][getattr(run, key)] for key in LISTS])
        used = {key: {getattr(run, key) for run in runs} for key in LISTS}
        return Design(
            runs=tuple(runs),
            **{
                name: tuple(value for value in places[key] if value in used[key])
                for key, name in LISTS.items()
            },
        )

    def find_problems(self, models: Collection[str], arms: Collection[str]) -> Iterator[str]:
        """Describe each unknown name, and each entry of `include` that adds nothing.

        An exclusion may be wider than the lists, so that a preset can shorten a list.

        Parameters
        ----------
        models
            The models that have settings.
        arms
            The known arms.
        """
        named = [("normalizations", self.normalizations), ("contrast", self.contrast or ())]
        named += [
            (f"{what}.{number}.normalization", entry.values("normalization"))
            for what in ("exclude", "include")
            for number, entry in enumerate(getattr(self, what))
        ]
        for where, names in named:
            for name in dict.fromkeys(names):
                if name not in arms:
                    hint = nearest(name, arms)
                    yield f"experiment.{where}: unknown normalization {name!r}. {hint}"
        for number, entry in enumerate(self.exclude):
            for name in dict.fromkeys(entry.values("model")):
                if name not in {*models, *self.models}:
                    hint = nearest(name, sorted({*models, *self.models}))
                    yield f"experiment.exclude.{number}.model: unknown model {name!r}. {hint}"
        planned = {*self._kept()}
        for number, entry in enumerate(self.include):
            where = f"experiment.include.{number}"
            added = {*self._included(entry)} - planned
            if not added:
                yield (
                    f"{where}: adds nothing, because the experiment already has all of its "
                    "combinations. Remove the entry or change a value."
                )
            planned |= added
        if not planned:
            yield "experiment.exclude: excludes every combination, expected at least one run"

    def _list(self, key: str) -> tuple[Any, ...]:
        values: tuple[Any, ...] = getattr(self, LISTS[key])
        return values

    def _mentioned(self, key: str) -> dict[Any, None]:
        """Return the values of a list, then the ones that only `include` has."""
        included = (value for entry in self.include for value in entry.values(key))
        return dict.fromkeys([*self._list(key), *included])

    def _kept(self) -> Iterator[Run]:
        """Yield the combinations of the lists that no entry of `exclude` matches."""
        for run in _combinations({key: self._list(key) for key in LISTS}):
            if not any(entry.matches(run) for entry in self.exclude):
                yield run

    def _included(self, entry: PartialCondition) -> Iterator[Run]:
        """Yield the combinations of an entry of `include`."""
        return _combinations({key: entry.values(key) or self._list(key) for key in LISTS})


def _combinations(values: Mapping[str, Sequence[Any]]) -> Iterator[Run]:
    return (Run(*combination) for combination in product(*(values[key] for key in LISTS)))


def find_duplicates(values: Sequence[Any]) -> list[Any]:
    """Return the values that occur more than once."""
    return [value for value, count in Counter(values).items() if count > 1]
