"""Names of models, starts, sources and verdicts in the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from normreport.text.language import N_, gettext

MODELS = {
    "alexnet": "AlexNet",
    "densenet121": "DenseNet-121",
    "efficientnet_b0": "EfficientNet-B0",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_large": "MobileNetV3-Large",
    "mobilenet_v3_small": "MobileNetV3-Small",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "resnet50": "ResNet-50",
    "resnet101": "ResNet-101",
    "squeezenet1_1": "SqueezeNet 1.1",
    "swin_t": "Swin-T",
    "vgg11": "VGG11",
    "vgg16": "VGG16",
    "vgg16_bn": "VGG16-BN",
    "vgg19": "VGG19",
    "vit_b_16": "ViT-B/16",
    "vit_b_32": "ViT-B/32",
}
STARTS = {
    "scratch": N_("from scratch"),
    "scratch_uniform": N_("from scratch, uniform"),
    "scratch_laplace": N_("from scratch, Laplace"),
    "scratch_head": N_("from scratch, last layer only"),
    "pretrained": N_("pretrained"),
    "pretrained_head": N_("pretrained, last layer only"),
}
ARMS = {
    "raw": N_("the pixel values 0 to 255"),
    "unit": N_("pixel values divided by 255"),
    "placebo": N_("pixel values times 1/255"),
    "double": N_("pixel values divided by 255 twice"),
    "minmax": N_("each image scaled to its own extremes"),
    "standardize": N_("each image less its own mean, then divided by its standard deviation"),
    "dataset": N_("less the data set’s mean, then divided by its standard deviation"),
    "imagenet": N_("divided by 255, less ImageNet’s mean, then divided by its standard deviation"),
    "std_only": N_("divided by 255, then by ImageNet’s standard deviation"),
    "mean_only": N_("divided by 255, then ImageNet’s mean removed"),
    "published_none": N_("the article’s pipeline “none”"),
    "published_minmax": N_("the article’s pipeline “min/max”"),
    "published_meanstd": N_("the article’s pipeline “mean/std”"),
}
FIGURES = {
    "density": N_("density at one epoch"),
    "ribbon": N_("percentiles"),
    "violin": N_("violins"),
    "spread": N_("standard deviation"),
    "curves": N_("loss and accuracy"),
    "displacement": N_("displacement of every layer"),
    "separation": N_("distances between runs"),
    "seeds": N_("the published plot, from seeds"),
    "inits": N_("random initial weights"),
    "histogram": N_("histogram"),
    "quantiles": N_("quantiles beside a Gaussian’s"),
    "centre": N_("width of the centre"),
    "kurtosis": N_("excess kurtosis of every layer"),
    "switch_or_seed": N_("arm or seed, by epoch"),
    "answer": N_("arm or seed, at the end"),
    "pretraining_gain": N_("gain by pretraining"),
    "examples": N_("example images"),
    "inputs": N_("input values"),
    "levels": N_("pixel levels"),
    "resize": N_("resizing"),
}
SOURCES = {
    "digits": N_("scikit-learn's handwritten digits"),
    "printed_digits": N_("digits printed in many computer fonts"),
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
    "MIXED": N_("mixed"),
    "INCONCLUSIVE": N_("inconclusive"),
    "NOT EVALUABLE": N_("not evaluable"),
}

KINDS = {
    "premise": N_("premise"),
    "hypothesis": N_("hypothesis"),
    "finding": N_("finding"),
    "prediction": N_("prediction"),
    "own": N_("claim of this study"),
}


def model_label(model: str) -> str:
    """Name a model as its paper does."""
    return MODELS.get(model, model)


def network_label(model: str, layer: str | None) -> str:
    """Return a model, and the layer of a figure of one layer: "VGG16, features.0"."""
    return f"{model_label(model)}, {layer}" if layer else model_label(model)


def arm_description(arm: str) -> str:
    """Say in words what a normalization does; its name if it has no description."""
    return gettext(ARMS[arm]) if arm in ARMS else arm


def describe_inputs(normalization: str | Mapping[str, Any]) -> str:
    """Say in words what an arm that the configuration defines does with the pixel values."""
    if isinstance(normalization, str):
        return arm_description(normalization)
    if "file" in normalization:
        name = PurePath(normalization["file"]).name
        return gettext("the function “transform” of the file “%(name)s”", name=name)
    mean, std = (
        ", ".join(f"{number:g}" for number in dict.fromkeys(normalization[key]))
        for key in ("mean", "std")
    )
    return gettext(
        "pixel values divided by %(divide)s, then minus %(mean)s, then divided by %(std)s",
        divide=f"{normalization['divide']:g}",
        mean=mean,
        std=std,
    )


def figure_label(kind: str) -> str:
    """Name a kind of figure in words: "standard deviation"."""
    return gettext(FIGURES[kind]) if kind in FIGURES else kind


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
