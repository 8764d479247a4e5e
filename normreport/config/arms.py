"""Arms that the configuration defines beside the built-in normalizations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from normreport.config.base import COLOR, UNION_TAG, Count, Name, Settings, one_or_list_tag
from normreport.config.data import PathText
from normreport.config.training import (
    Fraction,
    Rate,
)
from normreport.errors import nearest
from normreport.normalizations import NORMALIZATIONS, Normalization, OwnFile, Scaling

Number = Annotated[float, Field(gt=-1e9, lt=1e9)]
# Far from the smallest float32, so that inputs stay finite.
Divisor = Annotated[float, Field(ge=1e-9, lt=1e9)]

# The tags keep the form out of the key in error messages.
Numbers = Annotated[
    Annotated[Number, Tag(f"{UNION_TAG}one")]
    | Annotated[tuple[Number, Number, Number], Tag(f"{UNION_TAG}list")],
    Discriminator(one_or_list_tag),
]
Divisors = Annotated[
    Annotated[Divisor, Tag(f"{UNION_TAG}one")]
    | Annotated[tuple[Divisor, Divisor, Divisor], Tag(f"{UNION_TAG}list")],
    Discriminator(one_or_list_tag),
]


class OptimizerChanges(Settings):
    """Keys of the optimizer that an arm replaces; null keeps the value of the model."""

    name: Literal["adam", "adamw", "sgd", "rmsprop"] | None = None
    """The optimizer."""
    weight_decay: Annotated[float, Field(ge=0, le=10)] | None = None
    """L2 penalty (decoupled in adamw)."""
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    """For sgd and rmsprop only."""


class SchedulerChanges(Settings):
    """Keys of the learning rate's schedule that an arm replaces; null keeps the value."""

    name: Literal["plateau", "constant", "step", "exponential", "cosine"] | None = None
    """The schedule."""
    factor: Fraction | None = None
    """plateau, step, exponential: factor of each drop of the rate."""
    patience_epochs: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """plateau: epochs without improvement before the rate drops."""
    step_epochs: Count | None = None
    """step: epochs between two drops."""


class TrainingChanges(Settings):
    """How the runs of an arm are trained differently; null keeps the value of the model."""

    optimizer: OptimizerChanges = OptimizerChanges()
    """The optimizer."""
    scheduler: SchedulerChanges = SchedulerChanges()
    """The schedule of the learning rate."""
    learning_rate: Rate | None = None
    """Initial learning rate, for models whose rate is fixed."""
    train_images: Annotated[int, Field(ge=2, le=100_000_000)] | None = None
    """How many training images are used, from the first."""
    batch_size: Annotated[int, Field(ge=2, le=65_536)] | None = None
    """Images per step."""
    precision: Literal["fp32", "bf16"] | None = None
    """Precision of the forward pass in training."""

    def changed(self) -> dict[str, Any]:
        """Return what the arm replaces, such as ``{"optimizer.weight_decay": 0.05}``."""
        changes: dict[str, Any] = {}
        for key, value in self.model_dump(exclude_none=True).items():
            group = value if isinstance(value, Mapping) else None
            own = {key: value} if group is None else {f"{key}.{k}": v for k, v in group.items()}
            changes |= own
        return changes

    def apply(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Replace values of a model's settings, which have the same keys."""
        changes = self.model_dump(exclude_none=True)
        return {
            key: {**value, **changes[key]} if isinstance(value, Mapping) else changes[key]
            for key, value in settings.items()
            if key in changes
        }


class ArmSettings(Settings):
    """An arm: how pixel values become inputs and, if it is a treatment, how its runs are trained.

    The inputs are given by `divide`, `mean` and `std`, by a `file`, or by a `normalization`.
    """

    divide: Divisor | None = None
    """Divide the pixel values, which are 0 to 255, by this number."""
    mean: Numbers | None = None
    """Then subtract this number, or one per colour channel."""
    std: Divisors | None = None
    """Then divide by this number, or by one per colour channel."""
    file: PathText | None = None
    """Path of a Python file with a function `transform(images, train_images)`: uint8 arrays of
    shape (N, H, W, 3) to float32 of the same shape."""
    normalization: Name | None = None
    """The inputs of a built-in normalization or of another arm."""
    training: TrainingChanges = TrainingChanges()
    """What is different in the training of this arm, such as
    `{optimizer: {weight_decay: 0.05}}`."""
    label: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Its name in figures; the key if null."""
    color: Annotated[str, Field(pattern=COLOR)] | None = None
    """Its colour in figures, such as "#0b5cad"; one of a palette if null."""
    text: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """What it does, in a few words of the article, such as "with weight decay"; the key if null."""

    @model_validator(mode="after")
    def _check_inputs(self) -> Self:
        scales = [key for key in ("divide", "mean", "std") if getattr(self, key) is not None]
        ways = [
            *(["/".join(scales)] if scales else []),
            *(key for key in ("file", "normalization") if getattr(self, key) is not None),
        ]
        if len(ways) != 1:
            found = " and ".join(ways) or "none"
            raise ValueError(
                "expected one of divide/mean/std, file and normalization, which give the inputs; "
                f"found {found}"
            )
        return self

    def own_normalization(self) -> Normalization | None:
        """Return the normalization that this arm defines; None if it names another one."""
        if self.normalization is not None:
            return None
        if self.file is not None:
            return OwnFile(self.file)
        return Scaling(
            divide=1.0 if self.divide is None else self.divide,
            mean=_per_channel(0.0 if self.mean is None else self.mean),
            std=_per_channel(1.0 if self.std is None else self.std),
        )


def _per_channel(value: float | tuple[float, float, float]) -> tuple[float, float, float]:
    return value if isinstance(value, tuple) else (value, value, value)


def find_problems(arms: Mapping[str, ArmSettings]) -> Iterator[str]:
    """Describe each arm that has the name of a normalization, or the inputs of an unknown one."""
    for name, arm in arms.items():
        if name in NORMALIZATIONS:
            yield f"arms.{name}: {name!r} is built in; choose another name"
            continue
        named = arm.normalization
        if named is None:
            continue
        if named not in known_arms(arms):
            hint = nearest(named, known_arms(arms))
            yield f"arms.{name}.normalization: unknown normalization {named!r}. {hint}"
        elif named in arms and name in (named, arms[named].normalization):
            yield (
                f"arms.{name}.normalization: circular reference to {name!r}; use a built-in "
                "normalization or an arm that has divide/mean/std or a file"
            )
        elif named in arms and arms[named].normalization is not None:
            yield (
                f"arms.{name}.normalization: {named!r} itself takes its inputs from "
                f"{arms[named].normalization!r}; name {arms[named].normalization!r} directly"
            )


def known_arms(arms: Collection[str]) -> list[str]:
    """List the built-in normalizations and the arms of the configuration."""
    return [*NORMALIZATIONS, *(name for name in arms if name not in NORMALIZATIONS)]


def find_normalization(arms: Mapping[str, ArmSettings], name: str) -> Normalization:
    """Return the normalization of an arm."""
    if name not in arms:
        return name
    arm = arms[name]
    own = arm.own_normalization()
    if own is not None:
        return own
    return find_normalization(arms, str(arm.normalization))
