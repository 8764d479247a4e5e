"""Settings of pretrain_model, tune_rate and train_run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from normreport.config.base import UNION_TAG, Count, LayerName, Name, Seed, Settings
from normreport.normalizations import Normalization

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
    """`plateau` is PyTorch's ReduceLROnPlateau, on the held-out loss after every epoch."""
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
    epoch_heldout_images: Count = 24
    """Held-out images to evaluate after every epoch, from the first; all if there are fewer. Final
    results rest on all held-out images."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """PyTorch threads per run; runs train in parallel. Another number may change the last bits."""
    device: Literal["cpu", "cuda", "mps", "auto"] = "cpu"
    """The device for training: `cpu`, an NVIDIA GPU (`cuda`), an Apple GPU (`mps`) or `auto`, which
    takes an NVIDIA GPU if there is one. Another device may change the last bits."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the forward pass in training. Weights, optimizer and measurements are fp32."""


class RateSweep(Settings):
    """Candidates for the learning rate of a model.

    Each start and normalization gets the one with the lowest held-out loss.
    """

    candidates: tuple[Rate, ...]
    """Two or more learning rates."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    """Seeds of the trial runs. The experiment must not use them, because a rate must be judged by
    other runs than those that it was chosen by."""

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        for key in ("candidates", "seeds"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key} must be unique, found {', '.join(map(str, values))}")
        if len(self.candidates) < 2:
            raise ValueError(
                f"expected two or more candidates, found {len(self.candidates)}; for a fixed "
                "learning rate, replace the group by the number"
            )
        return self


def _form(value: Any) -> str:
    return f"{UNION_TAG}sweep" if isinstance(value, Mapping | RateSweep) else f"{UNION_TAG}number"


# The tags keep the form out of the key in error messages.
RateOrSweep = Annotated[
    Annotated[Rate, Tag(f"{UNION_TAG}number")] | Annotated[RateSweep, Tag(f"{UNION_TAG}sweep")],
    Discriminator(_form),
]


class NetworkSettings(TrainingSettings):
    """How a network is trained, without its learning rate."""

    model: Name
    """The model's name in the experiment."""
    architecture: Name
    """A torchvision classification architecture."""
    train_images: Annotated[int, Field(ge=2, le=100_000_000)]
    """How many training images are used, from the first."""
    batch_size: Annotated[int, Field(ge=2, le=65_536)]
    """Images per step."""


class FitSettings(NetworkSettings):
    """Settings of one training: a run, a trial run or a pretraining."""

    learning_rate: Rate
    """The learning rate at the start."""


class ArmInputs(Settings):
    """The inputs of an arm."""

    normalization: Name
    """The arm."""
    inputs: Normalization | None = None
    """The normalization of an arm that the configuration defines; null if the arm is a built-in
    one."""

    @property
    def applied(self) -> Normalization:
        """The normalization that makes the inputs."""
        return self.normalization if self.inputs is None else self.inputs


class RunPlan(NetworkSettings, ArmInputs):
    """One run of the experiment, without its learning rate."""

    start: Start
    """How the weights begin."""
    seed: Seed
    """The replicate; decides the initial weights, the order of images and dropout."""
    layers: tuple[LayerName, ...]
    """Module paths of the layers whose weights are kept after every epoch."""

    def with_rate(self, learning_rate: float) -> RunSettings:
        """Add the learning rate."""
        return RunSettings(**self.model_dump(), learning_rate=learning_rate)


class RunSettings(RunPlan, FitSettings):
    """One run of the experiment."""


class SweepSettings(NetworkSettings, ArmInputs):
    """The search for the learning rate of one model, start and normalization."""

    start: Start
    """How the weights begin."""
    candidates: tuple[Rate, ...]
    """The learning rates to try."""
    seeds: tuple[Seed, ...]
    """The seeds to try each of them with."""

    def trial(self, learning_rate: float, seed: int) -> RunSettings:
        """Return the settings of one trial run, which keeps no weights."""
        shared = self.model_dump(exclude={"candidates", "seeds"})
        return RunPlan(**shared, seed=seed, layers=()).with_rate(learning_rate)


class TrainedWeights(FitSettings, ArmInputs):
    """Pretrained weights that the workflow trains."""

    weights: Literal["train"] = "train"
    """Tells trained weights from fetched ones."""
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
