"""Claims that the configuration declares."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from normreport.config.base import UNION_TAG, Name, Settings, one_or_list_tag
from normreport.config.report import Line
from normreport.config.training import Start
from normreport.errors import nearest
from normreport.text.language import N_

Table = Literal["measures", "runs", "products"]
Unit = Literal["number", "share", "size", "shift"]
# How effects are printed, as `ClaimResult.shown` says.
Shown = Literal["number", "percent", "points", "ratio", "size", "shift"]
Side = Literal["above", "below", "within"]


@dataclass(frozen=True)
class Statistic:
    """A number per run, or per run and layer, that a claim can be about.

    Attributes
    ----------
    words
        Its name, as a message; `%(one)s` and `%(other)s` stand for the arms.
    table
        The results that hold it: `measures` of layers, `runs`, or `products` of pairs of runs.
    column
        Its column; empty for a statistic of pairs.
    is_positive
        Whether ratios of it make sense.
    unit
        Its own unit: `share` for shares and accuracies, `size` for ln of a positive number, `shift`
        for shifts between distributions.
    figures
        The kinds of figure that show it.
    has_all_layers
        Whether it is known of all measured layers, not only of the kept ones.
    """

    words: str
    table: Table
    column: str = ""
    is_positive: bool = False
    unit: Unit = "number"
    figures: tuple[str, ...] = ()
    has_all_layers: bool = False

    @property
    def is_of_pairs(self) -> bool:
        """Whether it compares two arms by itself."""
        return self.table == "products"

    @property
    def is_of_layers(self) -> bool:
        """Whether each layer has one."""
        return self.table != "runs"


STATISTICS: Mapping[str, Statistic] = {
    "std": Statistic(
        N_("the standard deviation"), "measures", "std", True, figures=("spread",),
        has_all_layers=True,
    ),
    "iqr_ratio": Statistic(
        N_("the interquartile range relative to a Gaussian’s"), "measures", "iqr_ratio", True,
        figures=("centre",),
    ),
    "skewness": Statistic(
        N_("the skewness"), "measures", "skewness", figures=("quantiles",), has_all_layers=True
    ),
    "excess_kurtosis": Statistic(
        N_("the excess kurtosis"), "measures", "excess_kurtosis", figures=("kurtosis",),
        has_all_layers=True,
    ),
    "l_skewness": Statistic(N_("the L-skewness"), "measures", "l_skewness", figures=("quantiles",)),
    "l_kurtosis": Statistic(N_("the L-kurtosis"), "measures", "l_kurtosis", figures=("quantiles",)),
    "roughness": Statistic(
        N_("the roughness of the density"), "measures", "roughness", True, figures=("density",)
    ),
    "distance_to_normal": Statistic(
        N_("the distance W1 to a Gaussian, in standard deviations"), "measures", "w1_normal", True,
        figures=("quantiles",),
    ),
    "displacement": Statistic(
        N_("the displacement relative to the initial norm"), "measures", "displacement",
        True, "share", figures=("displacement",), has_all_layers=True,
    ),
    "cosine": Statistic(
        N_("the cosine of the angle to the initial weights"), "measures", "cosine",
        figures=("displacement",), has_all_layers=True,
    ),
    "shift": Statistic(
        N_("the repeated shift of the distribution"), "products",
        unit="shift", figures=("switch_or_seed", "separation"),
    ),
    "variance_ratio": Statistic(
        N_(
            "the variance between %(one)s and %(other)s, relative to that between seeds and by "
            "chance"
        ),
        "products", unit="size", figures=("switch_or_seed",),
    ),
    "train_loss": Statistic(N_("the train loss"), "runs", "train_loss", True, figures=("curves",)),
    "train_accuracy": Statistic(
        N_("the train accuracy"), "runs", "train_accuracy", False, "share", figures=("curves",)
    ),
    "heldout_loss": Statistic(
        N_("the held-out loss"), "runs", "heldout_loss", True, figures=("curves",)
    ),
    "heldout_accuracy": Statistic(
        N_("the held-out accuracy"), "runs", "heldout_accuracy", False, "share",
        figures=("curves",),
    ),
}  # fmt: skip
StatisticName = Literal[
    "std", "iqr_ratio", "skewness", "excess_kurtosis", "l_skewness", "l_kurtosis", "roughness",
    "distance_to_normal", "displacement", "cosine", "shift", "variance_ratio", "train_loss",
    "train_accuracy", "heldout_loss", "heldout_accuracy",
]  # fmt: skip

_SIDE = r"([A-Za-z0-9_]+)(?:@(\d{1,5}))?"
CONTRAST = re.compile(rf"{_SIDE}(?: ([/-]) {_SIDE})?")
Operator = Literal["/", "-", ""]
_OPERATORS: Mapping[str, Operator] = {"/": "/", "-": "-", "": ""}
MARGIN = re.compile(r"([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?) ?(%|sigma|points?)?")


@dataclass(frozen=True)
class ArmAtEpoch:
    """One side of a contrast: an arm, at an epoch or, if it is None, at the last one."""

    arm: str
    epoch: int | None

    @property
    def label(self) -> str:
        """The side as the configuration has it, such as ``decay@0``."""
        return self.arm if self.epoch is None else f"{self.arm}@{self.epoch}"


@dataclass(frozen=True)
class ClaimedContrast:
    """What a claim compares: ``decay / unit``, ``decay - unit``, or ``decay`` alone."""

    sides: tuple[ArmAtEpoch, ...]
    operator: Operator

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, each once."""
        return tuple(dict.fromkeys(side.arm for side in self.sides))

    @property
    def label(self) -> str:
        """The contrast as the configuration has it."""
        return f" {self.operator} ".join(side.label for side in self.sides)

    def renamed(self, names: Mapping[str, str]) -> ClaimedContrast:
        """Return the contrast with other arms in the place of some."""
        sides = (replace(side, arm=names.get(side.arm, side.arm)) for side in self.sides)
        return replace(self, sides=tuple(sides))


class ClaimSettings(Settings):
    """A claim of your own, judged like those of the article."""

    id: Annotated[str, Field(pattern="^[A-Z][0-9]{1,3}[a-z]?$")]
    """A letter and a number, such as `D1`."""
    statement: Line
    """The claim in one sentence."""
    topic: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    """The claim in a few words; the statement if null."""
    statistic: StatisticName
    """What is computed for each run."""
    contrast: Annotated[str, Field(max_length=160)]
    """What is compared: `decay / unit` (a ratio), `decay - unit` (a difference) or `decay` (one arm
    alone), at the last epoch. `decay@0` is the arm before the first step."""
    expect: Side
    """Where the claim puts the effect: `above` or `below` the margin, or `within` it on either side
    of zero."""
    margin: float | str
    """The smallest effect that matters, with its unit: percent for a ratio (`5%`) and for one
    accuracy or displacement alone (`90%`), `points` for a difference between accuracies or
    displacements, `sigma` or `%` of the initial standard deviation for a shift, percent for a
    variance ratio (`100%`), and a plain number for everything else."""
    starts: Annotated[tuple[Start, ...], Field(min_length=1)] = ("pretrained", "scratch")
    """The starts at which it is judged."""
    layers: Annotated[tuple[str, ...], Field(min_length=1)] = ("kept",)
    """The layers at which it is judged: `kept`, `measured` (for displacement, cosine, std, skewness
    and excess kurtosis), names, or patterns such as `features.*`."""
    models: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """The models at which it is judged; null for all whose arms share their learning rate and
    optimizer."""

    @property
    def kind(self) -> Statistic:
        """The statistic."""
        return STATISTICS[self.statistic]

    @cached_property
    def compared(self) -> ClaimedContrast:
        """The contrast, taken apart."""
        found = CONTRAST.fullmatch(self.contrast.strip())
        if found is None:
            raise ValueError(
                "contrast: expected such as 'decay / unit', 'decay - unit', 'decay' or "
                f"'decay - decay@0', found {self.contrast!r}"
            )
        one, at_one, operator, other, at_other = found.groups()
        sides = [ArmAtEpoch(one, int(at_one) if at_one else None)]
        if other:
            sides.append(ArmAtEpoch(other, int(at_other) if at_other else None))
        return ClaimedContrast(tuple(sides), _OPERATORS[operator or ""])

    @property
    def shown(self) -> Shown:
        """How effects are printed."""
        if self.kind.unit in ("shift", "size"):
            return self.kind.unit
        if self.compared.operator == "/":
            return "ratio"
        if self.kind.unit == "share":
            return "points" if self.compared.operator else "percent"
        return "number"

    @cached_property
    def margin_value(self) -> float:
        """The margin on the scale of the statistic: ln for a ratio, squared for a shift."""
        number, unit = self._margin_parts()
        expected = {
            "ratio": ("%",),
            "percent": ("%",),
            "points": ("points",),
            "shift": ("%", "sigma"),
            "size": ("%",),
            "number": ("",),
        }[self.shown]
        if unit not in expected:
            raise ValueError(
                f"margin: expected {_describe_units(expected)} for {self._describe_effect()}, "
                f"found {self.margin!r}"
            )
        if unit in ("%", "points"):
            number /= 100
        if self.shown == "ratio":
            if number <= -1:
                raise ValueError(f"margin: expected more than -100%, found {self.margin!r}")
            number = math.log1p(number)
        if self.shown in ("shift", "size"):
            if number <= 0:
                raise ValueError(
                    f"margin: expected more than 0 for the statistic {self.statistic}, "
                    f"found {self.margin!r}"
                )
            number = number**2 if self.shown == "shift" else math.log(number)
        if self.statistic == "variance_ratio" and not 0.5 <= math.exp(number) <= 20:
            raise ValueError(
                "margin: expected 50% to 2000% for the statistic variance_ratio, whose test is not "
                f"reliable beyond; found {self.margin!r}"
            )
        if self.expect == "within" and number <= 0:
            raise ValueError(
                f"margin: expected more than 0, because the claim expects the effect within it on "
                f"either side of zero; found {self.margin!r}"
            )
        return number

    def _margin_parts(self) -> tuple[float, str]:
        found = MARGIN.fullmatch(str(self.margin).strip())
        number = float(found[1]) if found else math.nan
        if found is None or not (number == 0 or 1e-9 <= abs(number) < 1e9):
            raise ValueError(
                "margin: expected a number, with a unit if needed (5%, 1 point, 0.02 sigma), that "
                f"is 0 or has an absolute value from 1e-9 to 1e9; found {self.margin!r}"
            )
        unit = found[2] or ""
        return number, "points" if unit == "point" else unit

    def _describe_effect(self) -> str:
        what = {"/": "a ratio", "-": "a difference", "": "a value"}[self.compared.operator]
        return f"{what} of the statistic {self.statistic}"

    @model_validator(mode="after")
    def _check(self) -> Self:
        operator, kind = self.compared.operator, self.kind
        if kind.is_of_pairs:
            if operator != "-" or len(self.compared.arms) < 2:
                raise ValueError(
                    f"contrast: the statistic {self.statistic} compares two arms, expected such as "
                    f"'decay - unit', found {self.contrast!r}"
                )
            if any(side.epoch is not None for side in self.compared.sides):
                raise ValueError(
                    f"contrast: the statistic {self.statistic} is that of the last epoch, found "
                    f"{self.contrast!r}"
                )
            if self.expect == "within":
                raise ValueError(
                    f"expect: the statistic {self.statistic} has no sign; expected above or below"
                )
        elif operator == "/" and not kind.is_positive:
            raise ValueError(
                f"contrast: the statistic {self.statistic} can be 0 or negative, so it has no "
                f"ratio; expected a difference such as 'decay - unit', found {self.contrast!r}"
            )
        if len(set(self.compared.sides)) < len(self.compared.sides):
            raise ValueError(f"contrast: expected two different sides, found {self.contrast!r}")
        if not kind.is_of_layers and any(side.epoch is not None for side in self.compared.sides):
            raise ValueError(
                f"contrast: the statistic {self.statistic} is that of the last epoch, found "
                f"{self.contrast!r}"
            )
        if "measured" in self.layers and not kind.has_all_layers:
            raise ValueError(
                f"layers: the statistic {self.statistic} is only known of kept layers; expected "
                "kept, names or patterns"
            )
        # Raises an error for a wrong margin.
        _ = self.margin_value
        return self

    def choose_layers(self, kept: Collection[str], measured: Collection[str]) -> list[str]:
        """Choose the layers at which the claim is judged, in the order of the network.

        Parameters
        ----------
        kept, measured
            The kept layers of a model, and all layers whose movement is measured.
        """
        if not self.kind.is_of_layers:
            return []
        known = [*kept, *(layer for layer in measured if layer not in kept)]
        if not self.kind.has_all_layers:
            known = list(kept)
        chosen = {
            layer
            for pattern in self.layers
            for layer in known
            if (pattern == "kept" and layer in kept)
            or (pattern == "measured" and layer in measured)
            or fnmatchcase(layer, pattern)
        }
        return [layer for layer in known if layer in chosen]


# The tags keep the form out of the key in error messages.
ArticleClaims = Annotated[
    Annotated[Literal["all", "none"], Tag(f"{UNION_TAG}one")]
    | Annotated[tuple[str, ...], Tag(f"{UNION_TAG}list")],
    Discriminator(one_or_list_tag),
]


class ClaimsSettings(Settings):
    """Which claims are judged."""

    article: ArticleClaims = "all"
    """The claims of the article and this report's predictions: `all`, `none`, or a list of their
    ids."""
    own: tuple[ClaimSettings, ...] = ()
    """Claims of your own."""

    def find_problems(
        self, arms: Collection[str], models: Collection[str], epochs: int
    ) -> Iterator[str]:
        """Describe each unknown name, id that two claims have, and epoch that does not exist."""
        seen: set[str] = set()
        for number, claim in enumerate(self.own):
            where = f"claims.own.{number}"
            if claim.id in seen:
                yield f"{where}.id: another claim has the id {claim.id!r}, too"
            seen.add(claim.id)
            for arm in claim.compared.arms:
                if arm not in arms:
                    yield f"{where}.contrast: unknown arm {arm!r}. {nearest(arm, arms)}"
            for model in claim.models or ():
                if model not in models:
                    yield f"{where}.models: unknown model {model!r}. {nearest(model, models)}"
            for side in claim.compared.sides:
                if side.epoch is not None and side.epoch > epochs:
                    yield (
                        f"{where}.contrast: expected an epoch of at most {epochs}, found "
                        f"{side.epoch}"
                    )
            ends = [(s.arm, epochs if s.epoch is None else s.epoch) for s in claim.compared.sides]
            if len({*ends}) < len(ends):
                yield (
                    f"{where}.contrast: expected two different sides, found {claim.contrast!r}; "
                    f"the last epoch is {epochs}"
                )


def _describe_units(units: tuple[str, ...]) -> str:
    words = {
        "%": "a percentage such as 5%",
        "points": "percentage points such as '1 point'",
        "sigma": "initial standard deviations such as '0.02 sigma'",
        "": "a number without a unit",
    }
    return " or ".join(words[unit] for unit in units)
