"""Compare the weight distributions of two arms: distances, the placebo and PERMANOVA."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from normreport.claims.cases import Case, Contrast, Place, case_from_seeds, failed_runs_at
from normreport.claims.needs import Needs
from normreport.claims.study import PLACEBO, PLACEBO_OF, Study, select_rows
from normreport.statistics.inference import MarginTest
from normreport.statistics.permanova import permanova
from normreport.text.language import gettext

PERMUTATIONS = 9999
NEEDS_PLACEBO = Needs(normalizations=(PLACEBO_OF, PLACEBO))

# One number per seed, from the study, a model, a start, a layer and two arms.
PairValues = Callable[[Study, str, str, str, str, str], Sequence[float | None]]


def judge_pairs(
    study: Study,
    test: MarginTest,
    *,
    layers: Iterable[tuple[str, str, str]],
    pairs: Sequence[tuple[str, str]],
    values: PairValues,
    controls: Sequence[str] = (),
) -> Iterator[Case]:
    """Judge each pair of arms in each kept layer.

    Parameters
    ----------
    study, test
        The measurements, and the test of the claim.
    layers
        Model, start and layer of each place.
    pairs
        The arms to compare.
    values
        Computes one number per seed.
    controls
        Further arms that `values` needs: a failed run of theirs fails the case.
    """
    for model, start, layer in layers:
        for a, b in pairs:
            place = Place.of(model=model, start=start, layer=layer, contrast=Contrast.of_arms(a, b))
            failed = failed_runs_at(study, place, controls)
            numbers = [] if failed else values(study, model, start, layer, a, b)
            yield case_from_seeds(place, numbers, test=test, failed=failed)


def matched_distances(
    study: Study, model: str, start: str, layer: str, a: str, b: str
) -> list[float]:
    """List W1 over sigma at initialization between two arms at the last epoch, per seed."""
    rows = study.select_last_epoch(study.distances.at(model=model, start=start, layer=layer))
    rows = rows[rows["seed_a"] == rows["seed_b"]]
    rows = select_rows(rows, normalization_a=[a, b], normalization_b=[a, b])
    return list(rows.sort_values("seed_a")["w1_over_sigma0"])


def distances_beyond_placebo(
    study: Study, model: str, start: str, layer: str, a: str, b: str
) -> list[float]:
    """List matched distances minus those of the placebo, if the experiment has the placebo."""
    distances = matched_distances(study, model, start, layer, a, b)
    if not has_placebo(study):
        return distances
    floor = matched_distances(study, model, start, layer, PLACEBO_OF, PLACEBO)
    return [distance - noise for distance, noise in zip(distances, floor, strict=True)]


def has_placebo(study: Study) -> bool:
    """Tell whether the experiment measures the noise floor: the effect of the last bit."""
    return NEEDS_PLACEBO.describe_missing(study) is None


def placebo_controls(study: Study) -> tuple[str, ...]:
    """List the arms that `distances_beyond_placebo` needs besides the two that it compares."""
    return (PLACEBO, PLACEBO_OF) if has_placebo(study) else ()


def flag_unmeasured_floor(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    """Say that the noise floor is unknown, if the experiment lacks the placebo."""
    if missing := NEEDS_PLACEBO.describe_missing(study):
        yield gettext(
            "the noise floor was not measured: %(missing)s, so part of a distance may come from "
            "rounding alone",
            missing=missing,
        )


def compare_arms_by_permanova(
    study: Study, model: str, start: str, layer: str
) -> tuple[float | None, float | None]:
    """Compare the arms by PERMANOVA on W1 at the last epoch; labels are permuted within seeds.

    Returns
    -------
    pseudo_f, p_value : float or None
        None if a run failed, a distance is not defined, or there are fewer than two arms or seeds.
    """
    arms, seeds = study.compared_arms(), study.settings.seeds
    if (
        len(arms) < 2
        or len(seeds) < 2
        or study.failed_runs(models=(model,), starts=(start,), arms=arms)
    ):
        return None, None
    rows = study.select_last_epoch(study.distances.at(model=model, start=start, layer=layer))
    rows = select_rows(rows, normalization_a=arms, normalization_b=arms)
    runs = [(arm, seed) for arm in arms for seed in seeds]
    position = {run: number for number, run in enumerate(runs)}
    matrix = np.zeros((len(runs), len(runs)))
    for row in rows.itertuples():
        a = position[row.normalization_a, row.seed_a]
        b = position[row.normalization_b, row.seed_b]
        matrix[a, b] = matrix[b, a] = row.w1
    if not np.isfinite(matrix).all():
        return None, None
    labels, strata = zip(*runs, strict=True)
    return permanova(matrix, labels, strata, PERMUTATIONS, seed=0)
