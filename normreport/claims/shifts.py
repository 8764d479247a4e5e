"""F6, F11, P2: the shift between two arms that repeats from seed to seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from normreport.claims.cases import (
    Case,
    Contrast,
    Place,
    case_from_seeds,
    failed_runs_at,
    not_evaluable,
)
from normreport.claims.claim import PREDICTIONS, PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.claims.values import Pair, article_arms, raw_and_unit
from normreport.statistics.arrays import Float64s
from normreport.statistics.effects import SquaredEffect, repeated_shift, shift_beyond_seed
from normreport.statistics.inference import MarginTest
from normreport.statistics.verdict import Verdict
from normreport.text.language import N_, gettext

# Effects are squared shifts, so margins are squared, too. Margins are in sigma_0, the standard
# deviation of the initial weights.
SAMENESS = MarginTest(0.02**2, level=0.90, side="below")
SEPARATION = MarginTest(0.04**2, level=0.95)
BEYOND_SEED = MarginTest(0.0, level=0.95)

# torchvision's families with batch normalization after the first convolution, and the suffix of
# the architectures that have it as an option.
FAMILIES = (
    "densenet", "efficientnet", "googlenet", "inception", "maxvit", "mnasnet", "mobilenet",
    "regnet", "resnet", "resnext", "shufflenet", "wide_resnet",
)  # fmt: skip
OPTION = "_bn"

Effect = Callable[[Float64s], SquaredEffect | None]


def judge_shift(
    study: Study, test: MarginTest, *, starts: Iterable[str], pair: Pair, effect: Effect
) -> Iterator[Case]:
    """Judge a squared shift between two arms, per kept layer.

    Parameters
    ----------
    study, test
        The measurements, and the test of the claim.
    starts
        The starts to look at.
    pair
        Returns the two arms.
    effect
        Computes the squared shift from a block of products of quantile functions.
    """
    arms = pair(study)
    for model, start, layer in study.kept_layers(starts, arms=arms):
        yield _judge_layer(study, test, model, start, layer, arms, effect)


def _judge_layer(
    study: Study,
    test: MarginTest,
    model: str,
    start: str,
    layer: str,
    arms: tuple[str, str],
    effect: Effect,
) -> Case:
    place = Place.of(model=model, start=start, layer=layer, contrast=Contrast.of_arms(*arms))
    seeds = study.seeds(model=model, starts=(start,), arms=arms)
    return case_from_shifts(study, place, test, seeds=seeds, arms=arms, effect=effect)


def case_from_shifts(
    study: Study,
    place: Place,
    test: MarginTest,
    *,
    seeds: Sequence[int],
    arms: tuple[str, str],
    effect: Effect,
    unit: float = 1.0,
) -> Case:
    """Judge the squared shift at a place, or how far that of one network exceeds another's.

    Parameters
    ----------
    study, place, test
        The measurements, the place and the test of the claim. If the place has two models, the
        second one's shift is subtracted; its layer is the second one, or the only one.
    seeds
        The seeds that all models have.
    arms
        The two arms.
    effect
        Computes the squared shift from a block of products of quantile functions.
    unit
        What the statistic is divided by.
    """
    failed = failed_runs_at(study, place)
    if len(seeds) < 3 and not failed:
        reason = (
            gettext("one seed gives no interval")
            if len(seeds) == 1
            else gettext("two seeds are too few: three or more are needed")
        )
        return not_evaluable(reason, place)
    (start,) = place.starts
    measured = []
    for number, model in enumerate(place.models):
        layer = place.layers[min(number, len(place.layers) - 1)]
        products = study.product_block(
            model=model,
            start=start,
            layer=layer,
            epoch=study.settings.epochs,
            arms=arms,
            seeds=seeds,
        )
        shift = None if products is None else effect(products)
        # The jackknife's pseudo-values, one per seed.
        measured.append((shift and shift.pseudo_values) or (math.nan,) * len(seeds))
    values = [(one - sum(others)) / unit for one, *others in zip(*measured, strict=True)]
    return case_from_seeds(place, values, test=test, failed=failed)


def _flag_explained_by_seed(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    explained = sum(case.verdict is Verdict.REFUTED for case in cases)
    if explained:
        yield gettext(
            "EXPLAINED BY THE SEED in %(explained)s of %(cases)s layers: another seed shifts the "
            "distribution at least twice as far",
            explained=explained,
            cases=len(cases),
        )


# What F11 compares between networks: the claim, its start, its effect and the margin of sameness.
STORIES: tuple[tuple[str, str, Effect, float], ...] = (
    ("F1", "pretrained", repeated_shift, SAMENESS.margin),
    ("F4", "scratch", repeated_shift, SEPARATION.margin),
    ("F6", "scratch", shift_beyond_seed, SEPARATION.margin),
)


def _compare_networks(study: Study, test: MarginTest) -> Iterator[Case]:
    """Judge the difference of effects between two networks, as a share of the claim's margin.

    The first layer of one network is compared with the first of the other, and the deepest kept
    layer with the deepest.
    """
    models = study.compared_models()[:2]
    for claim, start, effect, margin in STORIES:
        arms = study.contrast
        shared = [study.seeds(model=model, starts=(start,), arms=arms) for model in models]
        seeds = [seed for seed in shared[0] if seed in shared[1]]
        if not seeds:
            continue
        ends = [
            dict.fromkeys((kept[0], kept[-1]))
            for kept in map(study.settings.layers.get, models)
            if kept
        ]
        for layers in zip(*ends, strict=False):
            place = Place(
                tuple(models), (start,), layers, Contrast(arms, f"{claim}: {' - '.join(arms)}")
            )
            yield case_from_shifts(
                study, place, test, seeds=seeds, arms=arms, effect=effect, unit=margin
            )


def forgets_scale(architecture: str) -> bool:
    """Tell whether a torchvision network computes the same if its input is multiplied by a factor.

    The two results still differ by rounding and by the epsilon of batch normalization.
    """
    return architecture.startswith(FAMILIES) or architecture.endswith(OPTION)


def _judge_first_layers(study: Study, test: MarginTest) -> Iterator[Case]:
    built_as = study.settings.built_as
    models = [model for model in study.settings.models if forgets_scale(built_as[model])]
    if not models:
        yield not_evaluable(
            gettext("the experiment has no network with batch normalization after its first layer")
        )
    for model, start, layer in study.kept_layers(ARTICLE_STARTS, arms=("raw", "unit")):
        if model in models and layer == study.settings.layers[model][0]:
            yield _judge_layer(study, test, model, start, layer, ("raw", "unit"), repeated_shift)


judge_beyond_seed = partial(judge_shift, starts=("scratch",), effect=shift_beyond_seed)

DELTA = N_(
    "squared shift between the two arms that repeats from seed to seed (delta^2), last epoch"
)
OF_SIGMA = N_("the shift, relative to the initial standard deviation")

NORMALIZATION_MATTERS = Claim(
    id="F6",
    kind="finding",
    group="scratch",
    topic=N_("Scratch: the normalization matters"),
    statement=N_("The separation of runs from scratch is an effect of their normalization."),
    statistic=N_(
        "squared shift that repeats from seed to seed minus the square of half the distance W2 "
        "between two seeds of one arm, last epoch"
    ),
    unit=N_("the shift beyond half of another seed’s, relative to the initial standard deviation"),
    shown="shift_change",
    axis_margin=SEPARATION.margin,
    rule=N_(
        "supported if the normalization shifts a layer at least half as much as another seed does: "
        "the 95%% interval of every case lies above 0; refuted, as explained by the seed, if every "
        "one lies below 0; mixed if cases decide opposite ways"
    ),
    test=BEYOND_SEED,
    needs=Needs(starts=("scratch",), contrast=True),
    judge=partial(judge_beyond_seed, pair=article_arms),
    beyond=partial(judge_beyond_seed, pair=raw_and_unit),
    flags=_flag_explained_by_seed,
    figures=("switch_or_seed", "separation"),
    family=PRIMARY_FAMILY,
)

SAME_STORY = Claim(
    id="F11",
    kind="finding",
    group="side by side",
    topic=N_("Both architectures tell the same story"),
    statement=N_("What is found holds for both architectures alike."),
    statistic=N_(
        "difference between the networks of the effects of F1, F4 and F6, first layer with first "
        "layer and deepest with deepest, as a share of the squared margin of F1, F4 and F4"
    ),
    unit=N_("the difference, in margins"),
    test=MarginTest(1.0, level=0.90, side="within"),
    needs=Needs(two_architectures=True, any_start=ARTICLE_STARTS, contrast=True),
    judge=_compare_networks,
    figures=("switch_or_seed",),
    family=PRIMARY_FAMILY,
)

SCALE_IS_FORGOTTEN = Claim(
    id="P2",
    kind="prediction",
    group="predictions",
    topic=N_("Batch normalization forgets the scale"),
    statement=N_(
        "Where batch normalization follows the first layer, raw and unit inputs end in nearly the "
        "same distribution of its weights."
    ),
    statistic=DELTA,
    unit=OF_SIGMA,
    shown="shift",
    test=SAMENESS,
    needs=Needs(any_start=ARTICLE_STARTS, normalizations=("raw", "unit")),
    judge=_judge_first_layers,
    figures=("density", "separation"),
    family=PREDICTIONS,
)
