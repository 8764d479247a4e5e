"""Settings of pretrain_model and train_run."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from normreport.config.base import Count, LayerName, Name, Seed, Settings

Start = Literal[
    "scratch", "scratch_uniform", "scratch_laplace", "scratch_head", "pretrained", "pretrained_head"
]
Rate = Annotated[float, Field(gt=0, le=100)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class OptimizerSettings(Settings):
    """One of PyTorch's optimizers; each key means what it means there."""

    name: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    """The optimizer."""
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 0.0
    """L2 penalty (decoupled in adamw)."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """For sgd and rmsprop only."""

    @model_validator(mode="after")
    def _momentum_is_used(self) -> Self:
        if self.momentum and self.name not in {"sgd", "rmsprop"}:
            raise ValueError(
                f"momentum belongs to sgd and rmsprop, found {self.momentum} with {self.name}; "
                "set it to 0"
            )
        return self


class SchedulerSettings(Settings):
    """How the learning rate changes from epoch to epoch."""

    name: Literal["plateau", "constant", "step", "exponential", "cosine"] = "plateau"
    """`plateau` is PyTorch's ReduceLROnPlateau, on the held-out loss."""
    factor: Fraction = 0.1
    """plateau, step, exponential: factor of each drop of the rate."""
    patience_epochs: Annotated[int, Field(ge=0, le=10_000)] = 10
    """plateau: epochs without improvement before the rate drops."""
    step_epochs: Count = 10
    """step: epochs between two drops."""


class TrainingSettings(Settings):
    """Settings that all runs share."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 35
    """Passes over the training images."""
    optimizer: OptimizerSettings = OptimizerSettings()
    """The optimizer."""
    scheduler: SchedulerSettings = SchedulerSettings()
    """The schedule of the learning rate."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """PyTorch threads per run; runs train in parallel. Another number may change the last bits."""
    device: Literal["cpu", "cuda", "mps", "auto"] = "cpu"
    """The device for training: `cpu`, an NVIDIA GPU (`cuda`), an Apple GPU (`mps`) or `auto`, which
    takes an NVIDIA GPU if there is one. Another device may change the last bits."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the forward pass in training. Weights, optimizer and measurements are fp32."""


class FitSettings(TrainingSettings):
    """Settings of one training: a run or a pretraining."""

    model: Name
    """The model's name in the experiment."""
    architecture: Name
    """A torchvision classification architecture."""
    train_images: Annotated[int, Field(ge=2, le=100_000_000)]
    """How many training images are used, from the first."""
    batch_size: Annotated[int, Field(ge=2, le=65_536)]
    """Images per step."""
    learning_rate: Rate
    """The learning rate at the start."""


class RunSettings(FitSettings):
    """One run of the experiment."""

    start: Start
    """How the weights begin."""
    normalization: Name
    """The arm."""
    seed: Seed
    """The replicate; decides the initial weights, the order of images and dropout."""
    layers: tuple[LayerName, ...]
    """Module paths of the layers whose weights are kept after every epoch."""


class TrainedWeights(FitSettings):
    """Pretrained weights that the workflow trains."""

    weights: Literal["train"] = "train"
    """Tells trained weights from fetched ones."""
    normalization: Name
    """The arm of the pretraining."""
    seed: Seed
    """The replicate, as in a run."""


class FetchedWeights(Settings):
    """Pretrained weights that the workflow fetches from torchvision or from a file."""

    model: Name
    """The model's name in the experiment."""
    architecture: Name
    """A torchvision classification architecture."""
    weights: str
    """The name of torchvision weights, or the path of a checkpoint."""


PretrainSettings = TrainedWeights | FetchedWeights
