"""The forest plot of a claim: a table with a row per case and per layer, and a picture in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from normreport.config.results import CaseResult, ClaimResult, EffectResult, PartResult, PlaceResult
from normreport.report.axes import Axis, effect_axis, on_axis
from normreport.report.strips import Dot, draw_axis, draw_strip
from normreport.statistics.verdict import Verdict
from normreport.text.effects import format_effect, format_interval
from normreport.text.labels import model_label, start_label
from normreport.text.language import N_, gettext, ngettext

# Rows that have a picture. The layers of whole networks share those that the cases leave.
MOST_PICTURES = 24
# Cases that have a row.
MOST_CASES = 200
_AVERAGES = {"mean": N_("mean of the layers"), "median": N_("median layer")}
_CASE, _PART = "◆", "●"


@dataclass(frozen=True)
class Row:
    """A case, one of its layers or averages, or several layers together.

    Attributes
    ----------
    label, note
        What the row is about, and a remark on it.
    strip
        The picture; None if there is none.
    estimate
        The effect with its interval; empty if there is none.
    verdict, reason
        The verdict on a case, and why it cannot be evaluated.
    is_part
        Whether the row is a part of the case above it.
    """

    label: str
    note: str = ""
    strip: Markup | None = None
    estimate: str = ""
    verdict: Verdict | None = None
    reason: str | None = None
    is_part: bool = False


@dataclass(frozen=True)
class Forest:
    """The table of one claim.

    Attributes
    ----------
    groups
        For each network and start, its name and its rows.
    axis
        The labels of the axis.
    style
        CSS variables that place the band and the zero of the axis.
    has_band
        Whether the claim has a margin on either side of zero.
    others
        The number of cases without a row.
    """

    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    axis: Markup
    style: str
    has_band: bool
    others: int


def make_forest(claim: ClaimResult, medium: str) -> Forest | None:
    """Make the forest plot of a claim; None for a claim that is exact or has no cases.

    Parameters
    ----------
    claim
        The claim.
    medium
        ``screen`` or ``print``. In print, each picture has its estimate as alternative text.
    """
    cases = [case for case in (*claim.cases, *claim.beyond) if case.place]
    if claim.axis_margin is None or not cases:
        return None
    room = MOST_PICTURES - len(cases)
    shares = sum(bool(case.layers) for case in claim.cases)
    layers = [choose_layers(case.layers, max(1, room // max(1, shares))) for case in claim.cases]
    drawn = [case.effect for case in cases[:MOST_PICTURES] if case.effect]
    drawn += [part.effect for parts in layers for part in parts]
    drawn += [part.effect for case in claim.cases for part in case.averages]
    axis = effect_axis(
        [effect.mean for effect in drawn],
        [end for effect in drawn for end in (effect.low, effect.high) if end is not None],
        margin=claim.margin,
        side=claim.side,
        shown=claim.shown,
    )
    plot = _Plot(claim, axis, medium)
    groups: dict[str, list[Row]] = {}
    for number, case in enumerate(cases[:MOST_CASES]):
        assert case.place
        parts = layers[number] if number < len(claim.cases) and case.layers else ()
        rows = plot.rows(case, parts, is_drawn=number < MOST_PICTURES)
        groups.setdefault(_group_name(case.place), []).extend(rows)
    words = gettext("Axis of the estimates")
    return Forest(
        groups=tuple((name, tuple(rows)) for name, rows in groups.items()),
        axis=draw_axis(axis, words if medium == "print" else None),
        style=axis.style,
        has_band=axis.band is not None,
        others=len(cases[MOST_CASES:]),
    )


def choose_layers(layers: Sequence[PartResult], most: int) -> list[PartResult]:
    """Choose the layers that have a row: the largest, and those farthest from the median.

    They keep their order.
    """
    if len(layers) <= most:
        return list(layers)
    middle = median(part.effect.mean for part in layers)
    largest = max(layers, key=lambda part: part.weights or 0)
    ranked = sorted(layers, key=lambda part: (part is not largest, -abs(part.effect.mean - middle)))
    chosen = {part.label for part in ranked[:most]}
    return [part for part in layers if part.label in chosen]


def _group_name(place: PlaceResult) -> str:
    models = " \u2212 ".join(map(model_label, place.models))
    starts = " \u2212 ".join(map(start_label, place.starts))
    return ", ".join(filter(None, [models, starts]))


@dataclass(frozen=True)
class _Plot:
    """Makes the rows of one claim."""

    claim: ClaimResult
    axis: Axis
    medium: str

    def rows(
        self, case: CaseResult, layers: Sequence[PartResult], *, is_drawn: bool
    ) -> Iterator[Row]:
        """Yield the row of a case, and those of its layers and their averages."""
        is_beyond = case in self.claim.beyond
        yield Row(
            label=self._label(case, is_beyond=is_beyond),
            note=gettext("beyond the published design") if is_beyond else "",
            strip=self._draw(case.effect, _CASE, case.verdict) if is_drawn else None,
            estimate=self._write(case.effect) if case.effect else "",
            verdict=case.verdict,
            reason=case.reason,
        )
        if not layers:
            return
        for part in layers:
            yield self._part(part.label, part)
        drawn = {part.label for part in layers}
        rest = [part.effect.mean for part in case.layers if part.label not in drawn]
        if rest:
            low, high = (format_effect(end(rest), self.claim.shown) for end in (min, max))
            yield Row(
                label=ngettext("%(num)s other layer", "%(num)s other layers", len(rest)),
                estimate=gettext("%(low)s to %(high)s", low=low, high=high),
                is_part=True,
            )
        for part in case.averages:
            yield self._part(gettext(_AVERAGES[part.label]), part)

    def _label(self, case: CaseResult, *, is_beyond: bool) -> str:
        """Name what tells a case from the others of its network and start."""
        place = case.place
        assert place
        contrasts = {one.place.contrast.label for one in self.claim.cases if one.place}
        parts = [" \u2212 ".join(place.layers)]
        if is_beyond or len(contrasts) > 1:
            parts.append(place.contrast.label)
        return ", ".join(filter(None, parts)) or gettext("whole network")

    def _part(self, label: str, part: PartResult) -> Row:
        return Row(
            label=label,
            strip=self._draw(part.effect, _PART, part.verdict),
            estimate=self._write(part.effect),
            is_part=True,
        )

    def _draw(self, effect: EffectResult | None, shape: str, verdict: Verdict) -> Markup | None:
        if effect is None:
            return None
        low, high = (
            None if end is None else on_axis(end, self.claim.shown)
            for end in (effect.low, effect.high)
        )
        dot = Dot(on_axis(effect.mean, self.claim.shown), low, high, shape, verdict)
        return draw_strip(self.axis, [dot], self._write(effect) if self.medium == "print" else None)

    def _write(self, effect: EffectResult) -> str:
        return format_interval(effect.mean, effect.low, effect.high, self.claim.shown)
