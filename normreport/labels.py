"""How the report calls models, starts and runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODELS = {"vgg16": "VGG16", "vgg16_bn": "VGG16-BN", "mobilenet_v2": "MobileNetV2"}
STARTS = {
    "scratch": "from scratch",
    "scratch_uniform": "from scratch, uniform",
    "scratch_laplace": "from scratch, Laplace",
    "scratch_head": "from scratch, last layer only",
    "pretrained": "pretrained",
    "pretrained_head": "pretrained, last layer only",
}
SOURCES = {
    "digits": "scikit-learn's handwritten digits",
    "photographs": "crops of the photographs that scikit-image ships, each photograph a class",
}


def model_label(model: str) -> str:
    """Name a model as its paper does; each of them, where two are compared."""
    return " - ".join(MODELS.get(name, name) for name in model.split(" - "))


def start_label(start: str) -> str:
    """Name a start in words: "from scratch"."""
    return STARTS.get(start, start)


def run_id(run: Mapping[str, Any]) -> str:
    """Name a run so that it reads, and is a path: ``vgg16/scratch/unit/seed0``."""
    return f"{run['model']}/{run['start']}/{run['normalization']}/seed{run['seed']}"


def source_label(source: str | Mapping[str, Any]) -> str:
    """Say where images come from: the source's settings, without a place."""
    if isinstance(source, str):
        return SOURCES.get(source, source)
    if source["kind"] == "torchvision":
        return f"the data set {source['dataset']}, as torchvision has it"
    what = {"imagefolder": "folder", "npz": "file", "parquet": "Parquet data"}[source["kind"]]
    return f"the images of the {what} “{source['path']}”"
