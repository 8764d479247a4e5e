"""The configuration as one typed model, its schema, and the settings of each stage.

All defaults are in ``normreport.config``; ``config.yaml`` spells out the default experiment. This
package does not import torch: Snakemake imports it on every start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from normreport.config.base import Count, LayerName, Name, Seed, Settings, validate
from normreport.config.data import DataSettings
from normreport.config.judging import JudgeSettings
from normreport.config.report import RenderSettings, ReportSettings
from normreport.config.runs import Run
from normreport.config.training import (
    FetchedWeights,
    OptimizerSettings,
    PretrainSettings,
    Rate,
    RunSettings,
    Start,
    TrainedWeights,
    TrainingSettings,
)
from normreport.errors import nearest
from normreport.normalizations import NORMALIZATIONS

ImageCount = Annotated[int, Field(ge=2, le=100_000_000)]
BatchSize = Annotated[int, Field(ge=2, le=65_536)]
LAYER_WORDS = frozenset({"first", "deep", "all"})


class ExperimentSettings(Settings):
    """The conditions; every combination of the four lists is one run."""

    models: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Models; each needs an entry under `models`."""
    starts: Annotated[tuple[Start, ...], Field(min_length=1)]
    """Initial weights: `scratch` or `pretrained`. `scratch_uniform` and `scratch_laplace` draw
    the convolutions from these distributions, with the same variance. `scratch_head` and
    `pretrained_head` train the last layer only."""
    normalizations: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Input normalizations (the arms of the experiment)."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    """Seeds (the replicates)."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for key in ("models", "starts", "normalizations", "seeds"):
            duplicates = _duplicates(getattr(self, key))
            if duplicates:
                raise ValueError(f"{key} must be unique, found {duplicates[0]!r} twice")
        for name in self.normalizations:
            if name not in NORMALIZATIONS:
                hint = nearest(name, NORMALIZATIONS)
                raise ValueError(f"unknown normalization {name!r}. {hint}")
        return self


class DataSets(Settings):
    """The two data sets."""

    target: DataSettings
    """The images that every run is trained on."""
    pretraining: DataSettings
    """The images that the pretrained start was trained on before."""


class ModelPretraining(Settings):
    """How one model is pretrained if `pretraining.weights` is `train`."""

    train_images: ImageCount
    """Number of prepared images to use."""
    epochs: Count
    """Passes over these images."""
    batch_size: BatchSize
    """Images per step."""
    learning_rate: Rate
    """Initial learning rate."""


class ModelSettings(Settings):
    """Settings of one model."""

    architecture: Name | None = None
    """A torchvision classification architecture; the name of the entry if null."""
    optimizer: OptimizerSettings | None = None
    """Replaces `training.optimizer` for this model."""
    layers: Annotated[tuple[LayerName, ...], Field(min_length=1)]
    """Layers whose weights are saved after every epoch: module paths of convolutions or linear
    layers, or the words `first`, `deep` (the last measured layer) and `all`. Each layer adds four
    figures per start; `normreport check` counts them."""
    train_images: ImageCount
    """Number of prepared images that a run is trained on."""
    batch_size: BatchSize
    """Images per step."""
    learning_rate: Rate
    """Initial learning rate."""
    pretraining: ModelPretraining | None = None
    """Required if the pretrained start is trained in the workflow."""

    @model_validator(mode="after")
    def _check_layers(self) -> Self:
        duplicates = _duplicates(self.layers)
        if duplicates:
            raise ValueError(f"layers must be unique, found {duplicates[0]!r} twice")
        return self


class Pretraining(Settings):
    """The source of the pretrained weights."""

    weights: Annotated[str, Field(min_length=1)] = "train"
    """`train` (in the workflow, on `data.pretraining`), the name of torchvision weights such as
    `IMAGENET1K_V1` (torchvision downloads and caches them), or the path of a checkpoint (.pth, .pt
    or .safetensors; `{model}` in the path is replaced by the model's name)."""
    normalization: Name = "imagenet"
    """Input normalization during pretraining."""
    seed: Seed = 1000
    """Seed of the pretraining; each model has one set of pretrained weights."""

    @model_validator(mode="after")
    def _check_normalization(self) -> Self:
        if self.normalization not in NORMALIZATIONS:
            hint = nearest(self.normalization, NORMALIZATIONS)
            raise ValueError(f"unknown normalization {self.normalization!r}. {hint}")
        return self


class Config(Settings):
    """An experiment and its report."""

    report: ReportSettings = ReportSettings()
    """The article."""
    experiment: ExperimentSettings
    """The conditions."""
    data: DataSets
    """The images."""
    training: TrainingSettings = TrainingSettings()
    """Settings that all runs share."""
    models: Mapping[Name, ModelSettings]
    """Settings of each model; entries that `experiment.models` does not list are ignored."""
    pretraining: Pretraining = Pretraining()
    """The pretrained start."""

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        problems = [*self._inconsistencies()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _inconsistencies(self) -> Iterator[str]:
        for name in self.experiment.models:
            if name not in self.models:
                yield (
                    f"experiment.models lists {name!r}, but models has no such entry. "
                    f"{nearest(name, self.models)}"
                )
                continue
            model = self.models[name]
            key = f"models.{name}"
            yield from _check_image_count(key, model.train_images, self.data.target)
            if self.is_pretrained_here and model.pretraining is None:
                yield (
                    f"{key}.pretraining is missing; it is required because pretraining.weights "
                    "is 'train'"
                )
            elif self.is_pretrained_here and model.pretraining:
                images = model.pretraining.train_images
                yield from _check_image_count(f"{key}.pretraining", images, self.data.pretraining)
        sizes = self.data.target.image_size_px, self.data.pretraining.image_size_px
        if self.is_pretrained_here and sizes[0] != sizes[1]:
            yield (
                "data.target.image_size_px and data.pretraining.image_size_px must be equal, "
                f"found {sizes[0]} and {sizes[1]}"
            )
        epoch = self.report.density_epoch
        if epoch is not None and epoch > self.training.epochs:
            yield (
                f"report.density_epoch must be at most training.epochs ({self.training.epochs}), "
                f"found {epoch}"
            )

    @property
    def is_pretrained_here(self) -> bool:
        """Whether the workflow trains the pretrained start itself."""
        starts = self.experiment.starts
        is_needed = any(start.startswith("pretrained") for start in starts)
        return is_needed and self.pretraining.weights == "train"

    def architecture(self, model: str) -> tuple[str, str]:
        """Return a model's architecture and the configuration key that names it."""
        own = self.models[model].architecture
        return (own, f"models.{model}.architecture") if own else (model, "experiment.models")

    def data_sets(self) -> dict[str, DataSettings]:
        """Return the data sets that the runs use."""
        both = {"target": self.data.target, "pretraining": self.data.pretraining}
        return both if self.is_pretrained_here else {"target": self.data.target}

    def runs(self) -> Iterator[Run]:
        """Yield every run, in the order of the configuration."""
        chosen = self.experiment
        for model in chosen.models:
            for start in chosen.starts:
                for normalization in chosen.normalizations:
                    for seed in chosen.seeds:
                        yield Run(model, start, normalization, seed)

    def run_settings(self, run: Run) -> RunSettings:
        """Resolve the settings of one run."""
        model = self.models[run.model]
        return RunSettings(
            **self._shared(run.model),
            epochs=self.training.epochs,
            start=run.start,
            normalization=run.normalization,
            seed=run.seed,
            layers=model.layers,
            train_images=model.train_images,
            batch_size=model.batch_size,
            learning_rate=model.learning_rate,
        )

    def _shared(self, name: str) -> dict[str, Any]:
        """Resolve the settings that a model's pretraining and its runs share."""
        return {
            "model": name,
            "architecture": self.architecture(name)[0],
            "optimizer": self._optimizer(name).model_dump(),
            "scheduler": self.training.scheduler.model_dump(),
            "threads": self.training.threads,
            "device": self.training.device,
            "precision": self.training.precision,
        }

    def pretrain_settings(self, model: str) -> PretrainSettings:
        """Resolve where one model's pretrained weights come from.

        Raises
        ------
        ValueError
            If the weights are to be trained but the model has no settings for it; a valid
            configuration with a pretrained start always has them.
        """
        origin, own = self.pretraining, self.models[model]
        if origin.weights != "train":
            return FetchedWeights(
                model=model,
                architecture=self.architecture(model)[0],
                weights=origin.weights.replace("{model}", model),
            )
        if own.pretraining is None:
            raise ValueError(f"models.{model}.pretraining is missing")
        return TrainedWeights(
            **self._shared(model),
            **own.pretraining.model_dump(),
            normalization=origin.normalization,
            seed=origin.seed,
        )

    def judge_settings(self) -> JudgeSettings:
        """Resolve the settings of judge_claims: the runs that claims can use."""
        chosen = self.experiment
        return JudgeSettings(
            models=chosen.models,
            architectures=self._architectures(),
            built_as={model: self.architecture(model)[0] for model in chosen.models},
            layers={model: self.models[model].layers for model in chosen.models},
            starts=chosen.starts,
            normalizations=chosen.normalizations,
            seeds=chosen.seeds,
            epochs=self.training.epochs,
            target=self.data.target.without_place(),
            pretraining=self.data.pretraining.without_place() if self.is_pretrained_here else None,
        )

    def _architectures(self) -> dict[str, str]:
        """Choose one model per architecture: the first one with the shared optimizer, if any."""
        shared = self.training.optimizer
        chosen: dict[str, str] = {}
        for name in sorted(
            self.experiment.models, key=lambda name: self._optimizer(name) != shared
        ):
            chosen.setdefault(self.models[name].architecture or name, name)
        return chosen

    def _optimizer(self, name: str) -> OptimizerSettings:
        return self.models[name].optimizer or self.training.optimizer

    def render_settings(self, *, with_pdf: bool) -> RenderSettings:
        """Resolve the settings of render_html and render_pdf."""
        own = self.report.model_dump(include=set(RenderSettings.model_fields))
        return RenderSettings(**own, with_pdf=with_pdf)


def _duplicates(values: Sequence[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


def _check_image_count(key: str, asked: int, data: DataSettings) -> Iterator[str]:
    if asked > data.train_images:
        yield (
            f"{key}.train_images must be at most the train_images of its data "
            f"({data.train_images}), found {asked}"
        )


def load_config(values: Mapping[str, Any], *, where: str = "config") -> Config:
    """Validate a configuration as read from YAML.

    Parameters
    ----------
    values
        Nested mappings and lists.
    where
        Name of their source in error messages.

    Raises
    ------
    ConfigError
        With one line per wrong key: the key, the expected value and the value found.
    """
    return validate(Config, values, where=where)


def with_layer_paths(config: Config, measured: Callable[[str, str], Sequence[str]]) -> Config:
    """Replace `first`, `deep` and `all` by module paths.

    Parameters
    ----------
    config
        A configuration; only models of its experiment are looked up.
    measured
        Returns the names of an architecture's measured layers, in order. Called with the
        architecture and the configuration key that names it.
    """
    models = dict(config.models)
    for name in config.experiment.models:
        model = models[name]
        if LAYER_WORDS.isdisjoint(model.layers):
            continue
        every = measured(*config.architecture(name))
        paths = {"first": every[:1], "deep": every[-1:], "all": every}
        layers = [path for layer in model.layers for path in paths.get(layer, (layer,))]
        models[name] = model.model_copy(update={"layers": tuple(dict.fromkeys(layers))})
    return config.model_copy(update={"models": models})


def schema() -> dict[str, Any]:
    """Return the JSON schema of the configuration."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(),
        "title": "normreport configuration",
    }
