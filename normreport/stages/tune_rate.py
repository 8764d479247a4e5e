"""Choose the learning rate of one model, start and normalization by trial runs."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from normreport.config.base import parse
from normreport.config.json_files import read_model, write_model
from normreport.config.manifests import ImagesManifest
from normreport.config.training import RunSettings, SweepSettings
from normreport.config.tuning import Trial, TunedRate, TuningDigests, TuningManifest
from normreport.io import files
from normreport.io.checkpoints import Checkpoint
from normreport.provenance.stage_code import sweep_code
from normreport.training.devices import find_device, training_environment, tune_malloc
from normreport.training.loop import Diverged, evaluate_all, train
from normreport.training.pretrained_weights import StateDict, read_state_dict
from normreport.training.starts import RunImages, begin_run


def run(
    *,
    settings: str,
    images: Path,
    images_manifest: Path,
    pretrained: Path | None,
    rate: Path,
    manifest: Path,
    checkpoints: Path,
) -> None:
    """Write the chosen learning rate, and the manifest with the losses of all candidates.

    If a sweep is killed, the next one resumes from the last checkpoint and ends in the same bytes.
    """
    tune_malloc()
    chosen = parse(SweepSettings, settings, where="tune_rate --settings")
    classes = len(read_model(ImagesManifest, images_manifest).classes)
    arrays = files.read_arrays(images)
    sets = RunImages.normalize(arrays, chosen)
    backbone = read_state_dict(pretrained) if pretrained else None
    digests = TuningDigests(
        data={name: files.array_digest(array) for name, array in arrays.items()},
        pretrained=files.file_digest(pretrained) if pretrained else None,
        code=sweep_code(chosen).digest(),
    )
    used = training_environment(find_device(chosen.device))
    inputs = {
        "settings": chosen.model_dump(mode="json"),
        "classes": classes,
        **digests.model_dump(mode="json"),
        "versions": used,
    }
    checkpoint = Checkpoint(checkpoints, inputs)
    if checkpoint.acquire_lock() and checkpoint.is_finished(manifest):
        checkpoint.remove()
        return
    losses = run_trials(chosen, sets, classes=classes, pretrained=backbone, checkpoint=checkpoint)
    trials = collect_trials(chosen, losses)
    best = choose_rate(trials)
    print(f"learning rate {best:.2e} chosen", file=sys.stderr, flush=True)
    write_model(rate, TunedRate(learning_rate=best))
    write_model(
        manifest,
        TuningManifest(
            settings=chosen,
            classes=classes,
            heldout_images=len(sets.heldout.labels),
            trials=trials,
            learning_rate=best,
            digests=digests,
            files={rate.name: files.file_digest(rate)},
            versions=used,
        ),
    )
    checkpoint.remove()


def run_trials(
    settings: SweepSettings,
    images: RunImages,
    *,
    classes: int,
    pretrained: StateDict | None,
    checkpoint: Checkpoint,
) -> list[float | None]:
    """Train every candidate with every seed, and return the final held-out losses.

    Returns
    -------
    list of float or None
        In the order of candidates, then seeds; None for a trial run that diverged.
    """
    saved = checkpoint.load() or {"losses": [], "training": None}
    losses: list[float | None] = saved["losses"]
    unfinished = saved["training"]
    for rate, seed in list(product(settings.candidates, settings.seeds))[len(losses) :]:
        print(f"learning rate {rate:.2e}, seed {seed}", file=sys.stderr, flush=True)
        loss = run_trial(
            settings.trial(rate, seed),
            images,
            classes=classes,
            pretrained=pretrained,
            unfinished=unfinished,
            checkpoint=checkpoint,
            losses=losses,
        )
        losses.append(loss)
        unfinished = None
        checkpoint.save_if_due(lambda: {"losses": losses, "training": None})
    return losses


def run_trial(
    settings: RunSettings,
    images: RunImages,
    *,
    classes: int,
    pretrained: StateDict | None,
    unfinished: Any,
    checkpoint: Checkpoint,
    losses: Sequence[float | None],
) -> float | None:
    """Train one candidate with one seed.

    Parameters
    ----------
    settings, images, classes, pretrained
        As :func:`normreport.training.starts.begin_run` takes them.
    unfinished
        The state from which to resume; None to begin.
    checkpoint, losses
        The checkpoint of the sweep, and the losses of its earlier trial runs, which it saves, too.

    Returns
    -------
    float or None
        The loss on all held-out images after the last epoch, nats per image; None if the run
        diverged.
    """
    state = begin_run(settings, images, classes=classes, pretrained=pretrained)
    if unfinished:
        state.load_state_dict(unfinished)
    try:
        for record in train(state, images.train, images.few_heldout, seed=settings.seed):
            print(record.line(settings.epochs), file=sys.stderr, flush=True)
            checkpoint.save_if_due(lambda: {"losses": losses, "training": state.state_dict()})
        return evaluate_all(state, images.heldout).loss
    except Diverged as divergence:
        print(f"DIVERGED: {divergence}", file=sys.stderr, flush=True)
        return None


def collect_trials(settings: SweepSettings, losses: Sequence[float | None]) -> tuple[Trial, ...]:
    """Group the losses by candidate.

    Parameters
    ----------
    losses
        In the order of candidates, then seeds; None for a trial run that diverged.
    """
    count = len(settings.seeds)
    trials = []
    for number, rate in enumerate(settings.candidates):
        own = tuple(losses[number * count : (number + 1) * count])
        finite = [loss for loss in own if loss is not None]
        mean = math.fsum(finite) / count if len(finite) == count else None
        trials.append(Trial(learning_rate=rate, heldout_losses=own, mean_heldout_loss=mean))
    return tuple(trials)


def choose_rate(trials: Sequence[Trial]) -> float:
    """Return the candidate with the lowest mean loss, and the lower one of two equals.

    A candidate with a trial run that diverged is worse than any without.
    """

    def badness(trial: Trial) -> tuple[float, float]:
        loss = math.inf if trial.mean_heldout_loss is None else trial.mean_heldout_loss
        return loss, trial.learning_rate

    return min(trials, key=badness).learning_rate
