"""Make one model's pretrained weights: train them here, or take them from torchvision or a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from normreport.config.base import parse
from normreport.config.training import PretrainSettings
from normreport.errors import ConfigError
from normreport.io import files
from normreport.io.checkpoints import Checkpoint
from normreport.normalizations import source
from normreport.source_code import source_digest
from normreport.training import networks
from normreport.training.loop import (
    Diverged,
    TrainingState,
    find_device,
    normalized,
    train,
    tune_malloc,
    versions,
)


def run(
    *, settings: str, images: Path | None, weights: Path, manifest: Path, checkpoints: Path
) -> None:
    """Write the weights and where they come from.

    A training that was killed goes on from its last checkpoint and ends in the same bytes.
    """
    tune_malloc()
    chosen = parse(PretrainSettings, settings, where="pretrain_model --settings")
    arrays = files.read_arrays(images) if images else {}
    code = [__name__, source(chosen.normalization)] if images else [__name__]
    inputs = {
        "settings": chosen.model_dump(mode="json"),
        "data": {name: files.array_digest(array) for name, array in arrays.items()},
        "code": source_digest(*code),
        "versions": versions(find_device(chosen.device)),
    }
    checkpoint = Checkpoint(checkpoints, inputs)
    found: dict[str, Any] = {"source": chosen.weights, "file": None, "preprocessing": None}
    if images is not None:
        state, trained = _trained(chosen, arrays, checkpoint)
        found |= {**trained, "data": inputs["data"]}
    elif networks.is_checkpoint(chosen.weights):
        state = networks.read_checkpoint(Path(chosen.weights))
        found["file"] = files.file_digest(Path(chosen.weights))
    else:
        published = chosen.architecture, chosen.weights
        state = networks.read_torchvision_weights(*published)
        found["file"] = files.file_digest(networks.published_file(*published))
        found["preprocessing"] = networks.published_preprocessing(*published)
    files.write_arrays(weights, {name: value.numpy() for name, value in state.items()})
    files.write_json(
        manifest,
        {
            "model": chosen.model,
            "settings": inputs["settings"],
            "digests": {"weights": files.file_digest(weights), "code": inputs["code"]},
            "files": {weights.name: files.file_digest(weights)},
            "versions": inputs["versions"],
            **found,
        },
    )
    checkpoint.remove()


def _trained(
    settings: PretrainSettings, arrays: Mapping[str, NDArray[Any]], checkpoint: Checkpoint
) -> tuple[networks.State, dict[str, Any]]:
    train_set = normalized(arrays, "train", settings.normalization, settings.train_images)
    heldout_set = normalized(arrays, "heldout", settings.normalization)
    classes = int(max(arrays[f"{split}_labels"].max() for split in ("train", "heldout"))) + 1
    network = networks.build(
        settings.architecture,
        classes=classes,
        image_size_px=train_set.inputs.shape[-1],
        optimizer=settings.optimizer,
        seed=settings.seed,
    )
    state = TrainingState.begin(network, settings)
    if saved := checkpoint.load():
        state.restore(saved)
    try:
        for record in train(state, train_set, heldout_set, seed=settings.seed):
            print(record.line(settings.epochs), file=sys.stderr, flush=True)
            checkpoint.save_if_due(state.exported)
    except Diverged as divergence:
        raise ConfigError(
            f"models.{settings.model}.pretraining: {divergence}, so that there are no weights to "
            f"start from. Expected a learning_rate that trains, found {settings.learning_rate}; "
            "lower it."
        ) from divergence
    weights = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in network.module.state_dict().items()
    }
    history = [record.row() for record in state.records]
    return weights, {"history": history, "classes": classes}
