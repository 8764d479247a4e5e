"""The headline: what another arm changes, beside what another seed changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from normreport.claims.study import Study
from normreport.config.results import (
    AccuracyDifferenceResult,
    ContrastEffectResult,
    EffectResult,
    VarianceComponentsResult,
)
from normreport.statistics.arrays import Float64s
from normreport.statistics.effects import repeated_shift, seed_distance
from normreport.statistics.inference import accuracy_interval
from normreport.statistics.variance_components import variance_components

LEVEL = 0.95


def contrast_effects(study: Study, epochs: Sequence[int]) -> list[ContrastEffectResult]:
    """Compute the effects on every kept layer at some epochs.

    Numbers are None if a run failed or ended before the epoch, for a single seed, and for layers
    that were constant at epoch 0.
    """
    arms = study.contrast
    results = []
    for model, start, layer in study.kept_layers(study.settings.starts, arms=arms):
        seeds = study.seeds(model=model, starts=(start,), arms=arms)
        for epoch in epochs:
            products = study.product_block(
                model=model, start=start, layer=layer, epoch=epoch, arms=arms, seeds=seeds
            )
            shift = None if products is None else repeated_shift(products)
            results.append(
                ContrastEffectResult(
                    model=model,
                    start=start,
                    layer=layer,
                    epoch=epoch,
                    seeds=len(seeds),
                    delta=shift.root if shift else None,
                    between_seeds=None if products is None else seed_distance(products),
                    components=_components(products),
                )
            )
    return results


def _components(products: Float64s | None) -> VarianceComponentsResult | None:
    components = None if products is None else variance_components(products)
    return VarianceComponentsResult(**asdict(components)) if components else None


def accuracy_differences(study: Study) -> list[AccuracyDifferenceResult]:
    """Compare the held-out accuracies of the two arms after the last epoch, paired by seed."""
    arms = study.contrast
    results = []
    for model in study.settings.models:
        for start in study.settings.starts:
            seeds = study.seeds(model=model, starts=(start,), arms=arms)
            if not seeds:
                continue
            one, other = (
                study.runs.at(model=model, start=start, normalization=arm)
                .set_index("seed")["heldout_accuracy"]
                .reindex(list(seeds))
                .to_numpy(dtype=np.float64)
                for arm in arms
            )
            differences = other - one
            # A diverged or failed run has no accuracy, and a mean of the others would hide that.
            effect = (
                EffectResult(**asdict(accuracy_interval(differences.tolist(), LEVEL)))
                if np.isfinite(differences).all()
                else None
            )
            results.append(
                AccuracyDifferenceResult(
                    model=model, start=start, seeds=len(seeds), difference=effect
                )
            )
    return results
