"""torchvision's published weights: their files and the preprocessing that they expect."""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path

import torch
import torchvision

from normreport.config.manifests import Preprocessing
from normreport.errors import WeightsError, first_line, nearest
from normreport.training.checkpoint_files import read_checkpoint
from normreport.training.networks import WITHOUT_AUXILIARY, shape_only_network
from normreport.training.pretrained_weights import StateDict


def find_weights(model: str, name: str) -> torchvision.models.Weights:
    """Find published weights by name, without downloading them.

    Raises
    ------
    WeightsError
        If torchvision has no such weights for this model.
    """
    known = {weights.name: weights for weights in torchvision.models.get_model_weights(model)}
    if name not in known:
        raise WeightsError(
            f"pretraining.weights: torchvision has no weights {name!r} for {model}. "
            f"{nearest(name, known)} Or give the path of a checkpoint, or 'train'."
        )
    return known[name]


def cached_path(model: str, name: str) -> Path:
    """Return where torch's cache holds published weights, or would hold them.

    Raises
    ------
    WeightsError
        If torchvision has no such weights for this model.
    """
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(find_weights(model, name).url).name


def download_weights(model: str, name: str) -> Path:
    """Return the file of published weights; download it if torch's cache lacks it.

    Raises
    ------
    WeightsError
        If there are no such weights, or the download fails.
    """
    url = find_weights(model, name).url
    cached = cached_path(model, name)
    if not cached.is_file():
        # Published file names end in the first digits of the file's SHA-256.
        digits = cached.stem.rsplit("-", 1)[-1]
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(cached), hash_prefix=digits, progress=False)
        except (OSError, RuntimeError, HTTPException) as error:
            raise WeightsError(
                f"pretraining.weights: {name} of {model} could not be downloaded "
                f"({first_line(error)}). Check the connection, or download {url} on another "
                f"machine and put the file at {cached}."
            ) from error
    return cached


def read_weights(model: str, name: str) -> StateDict:
    """Read published weights.

    Raises
    ------
    WeightsError
        As :func:`download_weights`, and if the cached file is damaged.
    """
    path = download_weights(model, name)
    network = shape_only_network(model)
    try:
        state, _ = read_checkpoint(path, network.module, head=network.head)
    except WeightsError as error:
        raise WeightsError(f"{error} Delete the file to download it again.") from error
    return state


def published_preprocessing(model: str, name: str) -> Preprocessing:
    """Return the preprocessing that torchvision documents for published weights.

    Raises
    ------
    WeightsError
        If torchvision has no such weights for this model.
    """
    transforms = find_weights(model, name).transforms()
    mean, std = transforms.mean, transforms.std
    if model in WITHOUT_AUXILIARY:
        # torchvision's transform_input converts ImageNet's statistics to those of these weights.
        # The networks here are built without that step.
        mean = std = [0.5, 0.5, 0.5]
    return Preprocessing(
        mean=tuple(mean),
        std=tuple(std),
        resize_px=transforms.resize_size[0],
        crop_px=transforms.crop_size[0],
    )
