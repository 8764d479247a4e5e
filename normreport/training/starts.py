"""The start of a run: its images and the state before its first step.

The trial runs of a sweep start here, too, so that they differ from other runs only in their seeds
and learning rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from normreport.config.training import RunSettings, SweepSettings
from normreport.training.images import ImageSet, normalize_split
from normreport.training.initial_laws import InitLaw
from normreport.training.networks import build, check_layers
from normreport.training.pretrained_weights import StateDict
from normreport.training.state import TrainingState

INIT_LAWS: Mapping[str, InitLaw] = {"scratch_uniform": "uniform", "scratch_laplace": "laplace"}


@dataclass(frozen=True)
class RunImages:
    """The images of a run, normalized.

    Attributes
    ----------
    train
        The images to train on.
    heldout
        All held-out images, for the first and the last evaluation.
    few_heldout
        The first of them, for the evaluation after every epoch.
    """

    train: ImageSet
    heldout: ImageSet
    few_heldout: ImageSet

    @classmethod
    def normalize(
        cls, arrays: Mapping[str, NDArray[Any]], settings: RunSettings | SweepSettings
    ) -> Self:
        """Normalize the prepared images, which :func:`normalize_split` takes."""
        arm = settings.applied
        heldout = normalize_split(arrays, "heldout", arm)
        return cls(
            train=normalize_split(arrays, "train", arm, settings.train_images),
            heldout=heldout,
            few_heldout=heldout.first(settings.epoch_heldout_images),
        )


def begin_run(
    settings: RunSettings, images: RunImages, *, classes: int, pretrained: StateDict | None
) -> TrainingState:
    """Build the network of a run and create the state before its first step.

    Parameters
    ----------
    settings
        The run.
    images
        Its images.
    classes
        The number of classes.
    pretrained
        The weights of a pretrained start; None from scratch.

    Raises
    ------
    ConfigError
        If torchvision has no such model, or the device does not exist or lacks memory.
    WeightsError
        If `pretrained` does not fit the network, or the network lacks a layer to keep.
    """
    network = build(
        settings.architecture,
        classes=classes,
        image_size_px=images.train.inputs.shape[-1],
        optimizer=settings.optimizer,
        seed=settings.seed,
        pretrained=pretrained,
        init_law=INIT_LAWS.get(settings.start, "gaussian"),
        head_only=settings.start.endswith("_head"),
        kept=settings.layers,
    )
    check_layers(network.layers(), settings.layers, model=settings.model)
    return TrainingState.begin(network, settings)
