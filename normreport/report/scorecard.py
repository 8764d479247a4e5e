"""The scorecard: every claim with a dot per network, on an axis that counts margins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from normreport.config.results import CaseResult, ClaimResult, EffectResult
from normreport.report.axes import Axis, claimed_region, in_margins
from normreport.report.strips import CROSS, Dot, draw_axis, draw_strip, shape_of
from normreport.text.effects import format_effect, format_interval, format_margin
from normreport.text.formatting import format_number
from normreport.text.labels import model_label, verdict_label
from normreport.text.language import N_, gettext

AXIS = Axis(
    low=-3.4,
    high=3.4,
    ticks=tuple((float(tick), f"{tick}".replace("-", "\u2212")) for tick in range(-3, 4)),
    band=(-1.0, 1.0),
)
# The parts of the scorecard, in their order.
TITLES = {
    "own": N_("Claims of this study"),
    "premises": N_("Premise and hypotheses"),
    "pretrained": N_("From pretrained weights"),
    "scratch": N_("From random weights"),
    "side by side": N_("Side by side"),
    "shape": N_("The shape of the distribution"),
    "predictions": N_("Predictions of this report"),
}


@dataclass(frozen=True)
class Row:
    """One claim.

    Attributes
    ----------
    id
        The claim.
    expected
        Where the claim puts the effect, in the unit of its effects.
    strip
        The picture; None if there is no estimate with a margin.
    words
        What the picture shows, or what stands in its place.
    has_band
        Whether the claim has a margin on either side of zero.
    """

    id: str
    expected: str
    strip: Markup | None
    words: str
    has_band: bool


@dataclass(frozen=True)
class Scorecard:
    """The rows of each part, and what the table needs besides.

    Attributes
    ----------
    parts
        Title and rows of each part that has claims.
    axis
        The labels of the axis.
    shapes
        The marker of each network.
    has_differences
        Whether some claims compare two networks.
    difference
        The marker of such a claim.
    style
        CSS variables that place the band and the zero of the axis.
    """

    parts: tuple[tuple[str, tuple[Row, ...]], ...]
    axis: Markup
    shapes: dict[str, str]
    has_differences: bool
    difference: str = CROSS
    style: str = AXIS.style


def make_scorecard(claims: Sequence[ClaimResult], models: Sequence[str], medium: str) -> Scorecard:
    """Make the scorecard.

    Parameters
    ----------
    claims
        All claims. Within a part they keep their order.
    models
        The networks, in the order of their lines and markers.
    medium
        ``screen`` or ``print``. In print, the pictures carry their own alternative text.
    """
    shapes = {model: shape_of(number) for number, model in enumerate(models)}
    parts = []
    for group, title in TITLES.items():
        rows = tuple(_make_row(claim, shapes, medium) for claim in claims if claim.group == group)
        if rows:
            parts.append((gettext(title), rows))
    used = {shape for claim in claims for _, shape, _ in deciding_cases(claim, shapes)}
    words = gettext("Axis: margins, from %(low)s to %(high)s", low="\u22123", high="3")
    return Scorecard(
        parts=tuple(parts),
        axis=draw_axis(AXIS, words if medium == "print" else None),
        shapes={model: shape for model, shape in shapes.items() if shape in used},
        has_differences=CROSS in used,
    )


def deciding_cases(claim: ClaimResult, shapes: dict[str, str]) -> list[tuple[str, str, CaseResult]]:
    """List the cases that a claim's dots stand for: a label, a marker and the case.

    Each network has its least favourable case. Claims that compare two networks have the claim's.
    """
    if claim.axis_margin is None:
        return []
    cases = [
        (model_label(model), shapes[model], result.least_favourable)
        for model, result in claim.by_model.items()
    ]
    if not cases and claim.least_favourable and claim.least_favourable.place:
        models = claim.least_favourable.place.models
        cases = [(" \u2212 ".join(map(model_label, models)), CROSS, claim.least_favourable)]
    return [(label, shape, case) for label, shape, case in cases if case and case.effect]


def _make_row(claim: ClaimResult, shapes: dict[str, str], medium: str) -> Row:
    dots, words = [], []
    for label, shape, case in deciding_cases(claim, shapes):
        dots.append(_make_dot(claim, case, shape))
        words.append(f"{label}: {', '.join(_describe(claim, case))}.")
    text = " ".join(words) or _describe_without_dots(claim)
    strip = None
    if dots:
        region = claimed_region(claim.side, _place(claim, claim.margin))
        strip = draw_strip(AXIS, dots, text if medium == "print" else None, region)
    return Row(
        id=claim.id,
        expected=_expected(claim),
        strip=strip,
        words=text,
        has_band=_has_margin(claim),
    )


def _has_margin(claim: ClaimResult) -> bool:
    """Return whether a claim has a margin: F6 compares with 0, F8 with a multiple of 1."""
    return claim.axis_margin in (claim.margin, -claim.margin)


def _place(claim: ClaimResult, effect: float) -> float:
    assert claim.axis_margin is not None
    return in_margins(effect, margin=claim.axis_margin, shown=claim.shown)


def _make_dot(claim: ClaimResult, case: CaseResult, shape: str) -> Dot:
    effect = _effect(case)
    low, high = (None if end is None else _place(claim, end) for end in (effect.low, effect.high))
    return Dot(_place(claim, effect.mean), low, high, shape, case.verdict)


def _effect(case: CaseResult) -> EffectResult:
    assert case.effect is not None
    return case.effect


def _describe(claim: ClaimResult, case: CaseResult) -> Iterator[str]:
    """Yield the estimate in its own unit and in margins, and the verdict on the case."""
    effect = _effect(case)
    yield format_interval(effect.mean, effect.low, effect.high, claim.shown)
    if _has_margin(claim):
        # A hundredth of a margin is as good as nothing, and a shift is not negative.
        margins = round(_place(claim, effect.mean), 2)
        if claim.shown == "shift":
            margins = max(margins, 0.0)
        yield gettext("%(number)s margins", number=format_number(margins, 2))
    yield verdict_label(case.verdict)


def _describe_without_dots(claim: ClaimResult) -> str:
    """Say why a claim has no dot."""
    if claim.reason:
        return claim.reason
    case = claim.least_favourable
    if case is None or case.effect is None:
        return gettext("no estimate")
    if case.effect.mean == 0:
        return gettext("computed exactly: no difference")
    value = format_effect(case.effect.mean, claim.shown)
    return gettext("computed exactly: %(value)s", value=value)


def _expected(claim: ClaimResult) -> str:
    """Say where the claim puts the effect."""
    margin = format_margin(claim.margin, claim.shown)
    match claim.side:
        case "above":
            return gettext("above %(margin)s", margin=margin)
        case "below":
            return gettext("below %(margin)s", margin=margin)
    return gettext("within \u00b1%(margin)s", margin=margin)
