"""Train one model's pretrained weights, or fetch them from torchvision or a file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from normreport.config.base import parse
from normreport.config.json_files import write_model
from normreport.config.manifests import (
    EpochResult,
    FetchedOrigin,
    PretrainedDigests,
    PretrainingManifest,
    TrainedOrigin,
)
from normreport.config.training import FetchedWeights, TrainedWeights
from normreport.errors import ConfigError
from normreport.io import files
from normreport.io.checkpoints import Checkpoint
from normreport.provenance.stage_code import code_of
from normreport.source_code import source_digest
from normreport.training import torchvision_weights
from normreport.training.checkpoint_files import describe_unwrapping, read_checkpoint
from normreport.training.devices import find_device, training_environment, tune_malloc
from normreport.training.images import normalize_split
from normreport.training.loop import Diverged, evaluate_all, train
from normreport.training.networks import build, shape_only_network
from normreport.training.pretrained_weights import StateDict
from normreport.training.state import TrainingState
from normreport.training.weights_files import weights_file


def run(
    *, settings: str, images: Path | None, weights: Path, manifest: Path, checkpoints: Path
) -> None:
    """Write the weights and their manifest.

    With images the weights are trained, without them they are fetched. If a training is killed,
    the next one resumes from the last checkpoint and ends in the same bytes.
    """
    tune_malloc()
    where = "pretrain_model --settings"
    if images is not None:
        trained = parse(TrainedWeights, settings, where=where)
        made = train_weights(trained, images, checkpoints, manifest)
        if made is None:
            return
    else:
        made = fetch_weights(parse(FetchedWeights, settings, where=where))
    files.write_arrays(weights, {name: value.numpy() for name, value in made.state.items()})
    digest = files.file_digest(weights)
    write_model(
        manifest,
        PretrainingManifest(
            model=made.origin.settings.model,
            origin=made.origin,
            digests=PretrainedDigests(weights=digest, code=made.code),
            files={weights.name: digest},
            versions=made.versions,
        ),
    )
    if made.checkpoint:
        made.checkpoint.remove()


@dataclass(frozen=True)
class PretrainedWeights:
    """Weights, where they come from, and what decided them."""

    state: StateDict
    origin: TrainedOrigin | FetchedOrigin
    code: str
    versions: dict[str, str]
    checkpoint: Checkpoint | None = None


def fetch_weights(settings: FetchedWeights) -> PretrainedWeights:
    """Read weights from a checkpoint, or from torchvision."""
    unwrapping = preprocessing = None
    if path := weights_file(settings.weights):
        network = shape_only_network(settings.architecture)
        state, unwrapping = read_checkpoint(path, network.module, head=network.head)
        print(describe_unwrapping(path, unwrapping), file=sys.stderr)
    else:
        published = settings.architecture, settings.weights
        state = torchvision_weights.read_weights(*published)
        path = torchvision_weights.download_weights(*published)
        preprocessing = torchvision_weights.published_preprocessing(*published)
    return PretrainedWeights(
        state=state,
        origin=FetchedOrigin(
            settings=settings,
            file=files.file_digest(path),
            preprocessing=preprocessing,
            unwrapping=unwrapping,
        ),
        code=source_digest(__name__),
        versions=training_environment(torch.device("cpu")),
    )


def train_weights(
    settings: TrainedWeights, images: Path, checkpoints: Path, manifest: Path
) -> PretrainedWeights | None:
    """Train weights on the prepared images.

    Returns
    -------
    PretrainedWeights or None
        None if another process has written them, and their manifest, in the meantime.

    Raises
    ------
    ConfigError
        If the training diverges.
    """
    arrays = files.read_arrays(images)
    digests = {name: files.array_digest(array) for name, array in arrays.items()}
    code = code_of("pretrain_model", [settings.applied]).digest()
    used = training_environment(find_device(settings.device))
    inputs = {
        "settings": settings.model_dump(mode="json"),
        "data": digests,
        "code": code,
        "versions": used,
    }
    checkpoint = Checkpoint(checkpoints, inputs)
    if checkpoint.acquire_lock() and checkpoint.is_finished(manifest):
        checkpoint.remove()
        return None
    train_set = normalize_split(arrays, "train", settings.applied, settings.train_images)
    heldout_set = normalize_split(arrays, "heldout", settings.applied)
    classes = int(max(arrays[f"{split}_labels"].max() for split in ("train", "heldout"))) + 1
    network = build(
        settings.architecture,
        classes=classes,
        image_size_px=train_set.inputs.shape[-1],
        optimizer=settings.optimizer,
        seed=settings.seed,
    )
    state = TrainingState.begin(network, settings)
    if saved := checkpoint.load():
        state.load_state_dict(saved)
    few_heldout = heldout_set.first(settings.epoch_heldout_images)
    # No result rests on the training loss, so few training images show that the weights learn.
    epochs = train(
        state,
        train_set,
        few_heldout,
        seed=settings.seed,
        evaluated_train_images=len(few_heldout.labels),
    )
    try:
        for record in epochs:
            print(record.line(settings.epochs), file=sys.stderr, flush=True)
            checkpoint.save_if_due(state.state_dict)
        evaluation = evaluate_all(state, heldout_set)
    except Diverged as divergence:
        raise ConfigError(
            f"models.{settings.model}.pretraining: the training diverged ({divergence}), found a "
            f"learning_rate of {settings.learning_rate}. Lower it."
        ) from divergence
    weights = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in network.module.state_dict().items()
    }
    origin = TrainedOrigin(
        settings=settings,
        classes=classes,
        data=digests,
        history=tuple(EpochResult.model_validate(record.row()) for record in state.records),
        evaluation=evaluation,
    )
    return PretrainedWeights(weights, origin, code, used, checkpoint)
