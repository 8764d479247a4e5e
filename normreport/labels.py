"""How the report calls models, starts and arms."""

from __future__ import annotations

ARMS = {
    "raw": "raw (0 to 255)",
    "unit": "unit (/255)",
    "imagenet": "imagenet (mean/std)",
}
MODELS = {"vgg16": "VGG16", "mobilenet_v2": "MobileNetV2"}
STARTS = {"scratch": "from scratch", "pretrained": "pretrained"}


def arm_label(arm: str) -> str:
    """Name of an arm with its definition; the bare name of one that is not known here."""
    return ARMS.get(arm, arm)


def model_label(model: str) -> str:
    """Name of a model as papers write it; of each, where two are compared."""
    return " - ".join(MODELS.get(name, name) for name in model.split(" - "))


def start_label(start: str) -> str:
    """Name of a start."""
    return STARTS.get(start, start)
