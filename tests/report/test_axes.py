"""Effects in units of a margin and on the axis of their own claim."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from normreport.claims.registry import CLAIMS
from normreport.report.axes import Axis, claimed_region, effect_axis, in_margins, on_axis
from normreport.text.effects import format_effect


@pytest.mark.parametrize(
    ("shown", "margin", "effect", "expected"),
    [
        ("number", 0.05, 0.1, 2.0),
        ("number", 0.05, -0.025, -0.5),
        ("percent", 0.1, 0.05, 0.5),
        ("points", 0.01, -0.03, -3.0),
        # Twice the margin of 5% is 10.25%, and its inverse is as far on the other side.
        ("ratio", math.log(1.05), math.log(1.1025), 2.0),
        ("ratio", math.log(1.05), -math.log(1.1025), -2.0),
        # A displacement of 2% with a margin of 5%; a loss of all that chance gives, margin half.
        ("size", math.log(0.05), math.log(0.02), 0.4),
        ("size", math.log(0.5), math.log(1.0), 2.0),
        ("multiple", 0.0, math.log(12), 12.0),
        # A shift of 1.4% of sigma with a margin of 2%.
        ("shift", 0.02**2, 0.014**2, 0.7),
        ("shift", 0.02**2, -(0.01**2), -0.5),
        ("shift_change", 0.04**2, -(0.02**2), -0.5),
    ],
)
def test_an_effect_is_counted_in_margins(shown, margin, effect, expected):
    assert in_margins(effect, margin=margin, shown=shown) == pytest.approx(expected)


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.test.alpha],
                         ids=lambda claim: claim.id)  # fmt: skip
def test_the_margin_of_every_claim_is_at_one_and_effects_keep_their_order(claim):
    margin, shown = claim.axis_margin or claim.test.margin, claim.shown
    assert in_margins(margin, margin=margin, shown=shown) == pytest.approx(1)
    effects = np.linspace(-3, 3, 50)
    for place in (lambda e: in_margins(e, margin=margin, shown=shown), lambda e: on_axis(e, shown)):
        places = [place(float(effect)) for effect in effects]
        assert places == sorted(places)
        assert len(set(places)) == len(places)


def test_an_interval_without_end_is_still_a_number():
    assert math.isfinite(in_margins(1e6, margin=math.log(0.05), shown="size"))
    assert in_margins(-1e6, margin=math.log(0.05), shown="size") == 0


def test_the_claimed_region_is_on_the_claims_side_of_the_margin():
    assert claimed_region("above", 1) == (1, math.inf)
    assert claimed_region("below", 1) == (-math.inf, 1)
    assert claimed_region("within", 1) == (-1, 1)


def test_a_place_is_a_share_of_the_length_and_ends_at_the_ends():
    axis = Axis(-3, 3, ())
    assert [axis.share(value) for value in (-3, 0, 1.5, 3)] == [0, 0.5, 0.75, 1]
    assert (axis.share(-math.inf), axis.share(7)) == (0, 1)
    assert axis.holds(3)
    assert not axis.holds(3.1)


def test_the_style_places_band_and_zero():
    assert Axis(-2, 2, (), band=(-1, 1)).style == "--from:25%;--to:75%;--zero:50%"
    assert Axis(0, 2, (), band=(-math.inf, 1), zero=None).style == (
        "--from:0%;--to:50%;--zero:-100%"
    )


KINDS = {
    "ratio": (math.log(1.05), "above"),
    "size": (math.log(0.05), "below"),
    "multiple": (0.0, "below"),
    "shift": (0.02**2, "below"),
    "shift_change": (0.0, "above"),
    "points": (0.01, "above"),
    "percent": (0.1, "within"),
    "number": (0.05, "within"),
}


@pytest.mark.parametrize("scale", [1e-4, 0.01, 1.0])
@pytest.mark.parametrize("shown", KINDS)
def test_an_axis_has_room_for_all_means_and_the_margin_with_round_labels_at_their_places(
    shown, scale
):
    margin, side = KINDS[shown]
    generator = np.random.default_rng(0)
    for _ in range(20):
        means = generator.normal(margin if shown == "size" else 0, scale, 5)
        ends = np.concatenate([means - generator.exponential(scale), means + scale])
        axis = effect_axis(list(means), list(ends), margin=margin, side=side, shown=shown)
        assert all(axis.holds(on_axis(mean, shown)) for mean in [*means, margin])
        # The edge of the band is visible.
        assert axis.low < on_axis(margin, shown) < axis.high
        places = [place for place, _ in axis.ticks]
        labels = [label for _, label in axis.ticks]
        assert 1 <= len(places) <= 5
        assert places == sorted(places)
        assert len(set(labels)) == len(labels)
        assert all(axis.holds(place) for place in places)
        for place, label in axis.ticks:
            # Read the label: it is the effect at this place.
            effect = math.copysign(place**2, place) if shown.startswith("shift") else place
            printed = format_effect(effect, shown)
            number = float(re.sub(r"[%,+]| points", "", printed.replace("−", "-")))
            assert float(re.sub(r"[%,+]", "", label.replace("−", "-"))) == pytest.approx(number)


def test_long_intervals_do_not_take_the_room_of_the_means():
    axis = effect_axis([0.1], [-50.0, 50.0], margin=0.05, side="above", shown="number")
    assert axis.high < 0.5
    assert axis.low > -0.5


def test_a_single_effect_at_zero_has_an_axis():
    axis = effect_axis([0.0], [], margin=0.0, side="above", shown="shift_change")
    assert axis.low < 0 < axis.high
    assert axis.band is None


def test_sizes_have_no_zero_and_a_band_from_the_left():
    axis = effect_axis([math.log(0.01)], [], margin=math.log(0.05), side="below", shown="size")
    assert axis.zero is None
    assert axis.band == (-math.inf, math.log(0.05))


def test_the_band_of_a_margin_below_zero_runs_from_left_to_right() -> None:
    axis = effect_axis([-0.2], [-0.3, -0.1], margin=math.log(0.9), side="below", shown="ratio")
    assert axis.band == pytest.approx((math.log(0.9), -math.log(0.9)))
