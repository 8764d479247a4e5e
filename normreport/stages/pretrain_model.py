"""Make one model's pretrained weights: train them here, or take them from torchvision or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from normreport import files, networks
from normreport.errors import ConfigError
from normreport.normalizations import source
from normreport.settings.base import parse
from normreport.settings.training import PretrainSettings
from normreport.source_code import source_digest
from normreport.training import Diverged, normalized, train, use_memory_well, versions


def run(*, settings: str, images: Path | None, weights: Path, manifest: Path) -> None:
    """Write the weights and where they come from."""
    use_memory_well()
    chosen = parse(PretrainSettings, settings, where="pretrain_model --settings")
    found: dict[str, Any] = {"source": chosen.weights}
    code = [__name__]
    if images is not None:
        code.append(source(chosen.normalization))
        state, trained = _trained(chosen, images)
        found |= trained
    elif networks.is_checkpoint(chosen.weights):
        state = networks.read_checkpoint(Path(chosen.weights))
    else:
        state = networks.read_torchvision_weights(chosen.architecture, chosen.weights)
    files.write_arrays(weights, {name: value.numpy() for name, value in state.items()})
    files.write_json(
        manifest,
        {
            "model": chosen.model,
            "settings": chosen.model_dump(mode="json"),
            "digests": {"weights": files.file_digest(weights), "code": source_digest(*code)},
            "versions": versions(),
            **found,
        },
    )


def _trained(settings: PretrainSettings, images: Path) -> tuple[networks.State, dict[str, Any]]:
    arrays = files.read_arrays(images)
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
    history = []
    try:
        for record in train(network, train_set, heldout_set, settings, seed=settings.seed):
            print(record.line(settings.epochs), file=sys.stderr, flush=True)
            history.append(record.row())
    except Diverged as divergence:
        raise ConfigError(
            f"models.{settings.model}.pretraining: {divergence}, so that there are no weights to "
            f"start from. Expected a learning_rate that trains, found {settings.learning_rate}; "
            "lower it."
        ) from divergence
    state = {
        name: value.detach().clone(memory_format=torch.contiguous_format)
        for name, value in network.module.state_dict().items()
    }
    data_digests = {name: files.array_digest(array) for name, array in arrays.items()}
    return state, {"history": history, "classes": classes, "data": data_digests}
