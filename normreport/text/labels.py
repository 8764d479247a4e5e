"""Names of models, starts, sources and verdicts in the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from normreport.text.language import N_, gettext

MODELS = {"vgg16": "VGG16", "vgg16_bn": "VGG16-BN", "mobilenet_v2": "MobileNetV2"}
STARTS = {
    "scratch": N_("from scratch"),
    "scratch_uniform": N_("from scratch, uniform"),
    "scratch_laplace": N_("from scratch, Laplace"),
    "scratch_head": N_("from scratch, last layer only"),
    "pretrained": N_("pretrained"),
    "pretrained_head": N_("pretrained, last layer only"),
}
SOURCES = {
    "digits": N_("scikit-learn's handwritten digits"),
    "photographs": N_("crops of the photographs that scikit-image ships, each photograph a class"),
}
OWN_SOURCES = {
    "imagefolder": N_("the images of the folder “%(path)s”"),
    "npz": N_("the images of the file “%(path)s”"),
    "parquet": N_("the images of the Parquet data “%(path)s”"),
}
VERDICTS = {
    "SUPPORTED": N_("supported"),
    "REFUTED": N_("refuted"),
    "INCONCLUSIVE": N_("inconclusive"),
    "NOT EVALUABLE": N_("not evaluable"),
}

KINDS = {
    "premise": N_("premise"),
    "hypothesis": N_("hypothesis"),
    "finding": N_("finding"),
    "prediction": N_("prediction"),
}


def model_label(model: str) -> str:
    """Name a model as its paper does."""
    return MODELS.get(model, model)


def start_label(start: str) -> str:
    """Return a start in words: "from scratch"."""
    return gettext(STARTS[start]) if start in STARTS else start


def layer_label(layer: str, start: str) -> str:
    """Return a layer and a start in words: "features.0, from scratch"."""
    return f"{layer}, {start_label(start)}"


def start_title(start: str) -> str:
    """Return a start in words, capitalized: "From scratch"."""
    name = start_label(start)
    return name[:1].upper() + name[1:]


def verdict_label(verdict: str) -> str:
    """Return a verdict in words: "not evaluable"."""
    return gettext(VERDICTS[verdict])


def kind_label(kind: str) -> str:
    """Return a kind of claim in words: "hypothesis"."""
    return gettext(KINDS[kind])


def source_label(source: str | Mapping[str, Any]) -> str:
    """Describe a source of images by its settings, without a path."""
    if isinstance(source, str):
        return gettext(SOURCES[source]) if source in SOURCES else source
    if source["kind"] == "torchvision":
        return gettext("the data set %(name)s, as torchvision has it", name=source["dataset"])
    return gettext(OWN_SOURCES[source["kind"]], path=source["path"])
