"""The configuration as one typed model, its schema, and the settings of each stage.

All defaults are in ``normreport.config``; ``config.yaml`` spells out the default experiment. This
package does not import torch: Snakemake imports it on every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from normreport.config import arms
from normreport.config.arms import ArmSettings, known_arms
from normreport.config.base import Count, LayerName, Name, Seed, Settings, validate
from normreport.config.claims import ClaimsSettings
from normreport.config.contrast import article_contrast
from normreport.config.data import DataSettings
from normreport.config.design import Design, ExperimentSettings, find_duplicates
from normreport.config.judging import ArmWords, JudgeSettings, PlannedArm
from normreport.config.planned_inputs import PlannedInputs
from normreport.config.report import RenderSettings, ReportSettings
from normreport.config.runs import Run
from normreport.config.training import (
    ArmInputs,
    FetchedWeights,
    OptimizerSettings,
    PretrainSettings,
    Rate,
    RateOrSweep,
    RateSweep,
    RunPlan,
    RunSettings,
    SchedulerSettings,
    SweepSettings,
    TrainedWeights,
    TrainingSettings,
)
from normreport.errors import nearest
from normreport.normalizations import Normalization

ImageCount = Annotated[int, Field(ge=2, le=100_000_000)]
BatchSize = Annotated[int, Field(ge=2, le=65_536)]
LAYER_WORDS = frozenset({"first", "deep", "all"})


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
    optimizer: OptimizerSettings | None = None
    """Optimizer of the pretraining; null uses that of the model's runs."""
    scheduler: SchedulerSettings | None = None
    """Schedule of the pretraining's learning rate; null uses `training.scheduler`."""


class ModelSettings(Settings):
    """Settings of one model."""

    architecture: Name | None = None
    """A torchvision classification architecture; the name of the entry if null."""
    optimizer: OptimizerSettings | None = None
    """Replaces `training.optimizer` for this model."""
    layers: Annotated[tuple[LayerName, ...], Field(min_length=1)]
    """Layers whose weights are saved after every epoch: module paths of convolutions or linear
    layers, or the words `first`, `deep` (the last measured layer) and `all`. Each layer adds four
    figures per start. With more than four layers, each layer also adds three figures of its own.
    `normreport check` counts them."""
    train_images: ImageCount
    """Number of prepared images that a run is trained on."""
    batch_size: BatchSize
    """Images per step."""
    learning_rate: RateOrSweep
    """Initial learning rate. A group of candidates and seeds instead of a number chooses one for
    each start and normalization by trial runs."""
    pretraining: ModelPretraining | None = None
    """Required if the pretrained start is trained in the workflow. Models with the same
    architecture and the same settings here share one set of weights."""

    @property
    def sweep(self) -> RateSweep | None:
        """The candidates for the learning rate; None if it is fixed."""
        return self.learning_rate if isinstance(self.learning_rate, RateSweep) else None

    @model_validator(mode="after")
    def _check_layers(self) -> Self:
        duplicates = find_duplicates(self.layers)
        if duplicates:
            raise ValueError(f"layers must be unique, found {duplicates[0]!r} twice")
        return self


class Pretraining(Settings):
    """The source of the pretrained weights."""

    weights: Annotated[str, Field(min_length=1)] = "train"
    """`train` (in the workflow, on `data.pretraining`), the name of torchvision weights such as
    `IMAGENET1K_V1` (torchvision downloads and caches them), or the path of a checkpoint of
    PyTorch or safetensors, with a dot or a slash in it. `{model}` in the path is replaced by the
    model's name."""
    normalization: Name = "imagenet"
    """Input normalization during pretraining."""
    seed: Seed = 1000
    """Seed of the pretraining. All runs of a model begin with the same pretrained weights."""


class Config(Settings):
    """An experiment and its report."""

    report: ReportSettings = ReportSettings()
    """The article."""
    experiment: ExperimentSettings
    """The conditions."""
    arms: Mapping[Name, ArmSettings] = {}
    """Arms beside the built-in normalizations: own inputs, or another training."""
    claims: ClaimsSettings = ClaimsSettings()
    """The claims to judge."""
    data: DataSets
    """The images."""
    training: TrainingSettings = TrainingSettings()
    """Settings that all runs share."""
    models: Mapping[Name, ModelSettings]
    """Settings of each model; entries of models without runs are ignored."""
    pretraining: Pretraining = Pretraining()
    """The pretrained start."""

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        problems = [*self._inconsistencies()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _inconsistencies(self) -> Iterator[str]:
        known = known_arms(self.arms)
        yield from arms.find_problems(self.arms)
        yield from self.experiment.find_problems(self.models, known)
        yield from self._find_models_without_entry()
        if self.pretraining.normalization not in known:
            hint = nearest(self.pretraining.normalization, known)
            yield (
                "pretraining.normalization: unknown normalization "
                f"{self.pretraining.normalization!r}. {hint}"
            )
        yield from self._find_contradictions_of_arms()
        yield from self.claims.find_problems(known, self.models, self.training.epochs)
        if self.report.introduction and "introduction" in self.report.texts:
            yield "report: expected introduction or texts.introduction, found both"
        for name in self.design.models:
            if name not in self.models:
                continue
            model = self.models[name]
            key = f"models.{name}"
            yield from _check_image_count(key, model.train_images, self.data.target)
            yield from self._check_trial_seeds(key, model.sweep)
            if not self.pretrains_here(name):
                continue
            if model.pretraining is None:
                yield (
                    f"{key}.pretraining is missing; it is required because pretraining.weights "
                    "is 'train'"
                )
            else:
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

    def _check_trial_seeds(self, key: str, sweep: RateSweep | None) -> Iterator[str]:
        shared = [seed for seed in sweep.seeds if seed in self.design.seeds] if sweep else []
        if shared:
            yield (
                f"{key}.learning_rate.seeds: the experiment has the seed "
                f"{', '.join(map(str, shared))}, too. Choose other seeds for the trial runs."
            )

    def _find_contradictions_of_arms(self) -> Iterator[str]:
        """Describe each treatment that does not fit a model that it is applied to."""
        for model, arm in dict.fromkeys((model, arm) for model, _, arm in self.design.arms):
            if model not in self.models or arm not in self.arms:
                continue
            changes = self.arms[arm].training
            key = f"arms.{arm}.training"
            if changes.learning_rate is not None and self.models[model].sweep:
                yield f"{key}.learning_rate: trial runs choose that of models.{model}; remove one"
            if changes.train_images is not None:
                yield from _check_image_count(key, changes.train_images, self.data.target)
            optimizer = changes.apply({"optimizer": self._optimizer(model).model_dump()})
            try:
                OptimizerSettings.model_validate(optimizer.get("optimizer", {}))
            except ValidationError as error:
                problem = error.errors()[0]["ctx"]["error"]
                yield f"{key}.optimizer: with the optimizer of models.{model}: {problem}"

    def _find_models_without_entry(self) -> Iterator[str]:
        listed = [(name, "experiment.models lists") for name in self.experiment.models]
        listed += [
            (name, f"experiment.include.{number}.model names")
            for number, entry in enumerate(self.experiment.include)
            for name in entry.values("model")
            if name not in self.experiment.models
        ]
        for name, where in listed:
            if name not in self.models:
                yield (
                    f"{where} {name!r}, but models has no such entry. {nearest(name, self.models)}"
                )

    @property
    def design(self) -> Design:
        """The planned runs."""
        return self.experiment.design

    @property
    def is_article(self) -> bool:
        """Whether the report judges all claims of the article and tells its story."""
        return self.claims.article == "all"

    @property
    def contrast(self) -> tuple[str, str]:
        """The two arms whose difference the report is about."""
        return self.experiment.contrast or article_contrast(self.design.normalizations)

    def normalization(self, arm: str) -> Normalization:
        """Return the normalization that makes the inputs of an arm."""
        return arms.find_normalization(self.arms, arm)

    def arm_inputs(self, arm: str) -> ArmInputs:
        """Resolve the inputs of an arm."""
        own = self.normalization(arm) if arm in self.arms else None
        return ArmInputs(normalization=arm, inputs=own)

    def own_inputs(self, names: Iterable[str]) -> dict[str, Normalization]:
        """Return the normalizations of those arms that the configuration defines."""
        return {name: self.normalization(name) for name in names if name in self.arms}

    def pretrains_here(self, model: str) -> bool:
        """Return whether the workflow trains the pretrained start of a model itself."""
        return self.pretraining.weights == "train" and self.has_pretrained_runs(model)

    def has_pretrained_runs(self, model: str) -> bool:
        """Return whether a run of a model begins with pretrained weights."""
        return any(
            name == model and start.startswith("pretrained") for name, start, _ in self.design.arms
        )

    @property
    def is_pretrained_here(self) -> bool:
        """Whether the workflow trains the pretrained start of any model itself."""
        return any(map(self.pretrains_here, self.design.models))

    def architecture(self, model: str) -> tuple[str, str]:
        """Return a model's architecture and the configuration key that names it."""
        own = self.models[model].architecture
        if own:
            return own, f"models.{model}.architecture"
        is_listed = model in self.experiment.models
        return model, "experiment.models" if is_listed else "experiment.include"

    def data_sets(self) -> dict[str, DataSettings]:
        """Return the data sets that the runs use."""
        both = {"target": self.data.target, "pretraining": self.data.pretraining}
        return both if self.is_pretrained_here else {"target": self.data.target}

    def runs(self) -> Iterator[Run]:
        """Yield every run, by model, then start, normalization and seed."""
        yield from self.design.runs

    @property
    def tuned_models(self) -> tuple[str, ...]:
        """The models with runs whose learning rate is chosen by a sweep."""
        return tuple(name for name in self.design.models if self.models[name].sweep)

    def sweeps(self) -> Iterator[SweepSettings]:
        """Yield the settings of every sweep: one per tuned model, start and normalization."""
        for model, start, normalization in self.design.arms:
            if self.models[model].sweep:
                yield self.sweep_settings(model, start, normalization)

    def sweep_settings(self, model: str, start: str, normalization: str) -> SweepSettings:
        """Resolve the settings of one sweep.

        Raises
        ------
        ValueError
            If the learning rate of the model is fixed.
        """
        entry = self.models[model]
        if entry.sweep is None:
            raise ValueError(f"models.{model}.learning_rate is fixed")
        return SweepSettings(
            **self._of_arm(model, normalization),
            start=start,
            candidates=entry.sweep.candidates,
            seeds=entry.sweep.seeds,
        )

    def run_plan(self, run: Run) -> RunPlan:
        """Resolve the settings of one run, without its learning rate."""
        return RunPlan(
            **self._of_arm(run.model, run.normalization),
            start=run.start,
            seed=run.seed,
            layers=self.models[run.model].layers,
        )

    def run_settings(self, run: Run) -> RunSettings:
        """Resolve the settings of one run.

        For a tuned model the learning rate is the first candidate: only its sweep knows the rate.
        """
        rate = self.models[run.model].learning_rate
        own = self.arms[run.normalization].training.learning_rate if self._is_own(run) else None
        fixed = rate.candidates[0] if isinstance(rate, RateSweep) else rate
        return self.run_plan(run).with_rate(fixed if own is None else own)

    def _is_own(self, run: Run) -> bool:
        return run.normalization in self.arms

    def planned_run(self, run: Run) -> RunSettings | RunPlan:
        """Resolve the settings of one run, without its learning rate if a sweep chooses it."""
        return self.run_plan(run) if run.model in self.tuned_models else self.run_settings(run)

    def planned_inputs(self) -> PlannedInputs:
        """Resolve the settings that the results of a report must have been made with."""
        return PlannedInputs(
            data={name: data.without_place() for name, data in self.data_sets().items()},
            pretraining={
                model: self.pretrain_settings(model) for model in self.pretrained_as.values()
            },
            pretrained_as=self.pretrained_as,
            sweeps=tuple(self.sweeps()),
            runs=tuple(
                self.planned_run(Run(model, start, arm, seeds[0]))
                for (model, start, arm), seeds in self.design.arms.items()
            ),
        )

    def _shared(self, name: str) -> dict[str, Any]:
        """Resolve the settings that a model's pretraining and its runs share."""
        return {
            "model": name,
            "architecture": self.architecture(name)[0],
            "optimizer": self._optimizer(name).model_dump(),
            "scheduler": self.training.scheduler.model_dump(),
            "epoch_heldout_images": self.training.epoch_heldout_images,
            "threads": self.training.threads,
            "device": self.training.device,
            "precision": self.training.precision,
        }

    def _of_arm(self, model: str, arm: str) -> dict[str, Any]:
        """Resolve the settings that all runs of a model and an arm share."""
        own = self.arms.get(arm)
        settings = {
            **self._shared(model),
            "epochs": self.training.epochs,
            "train_images": self.models[model].train_images,
            "batch_size": self.models[model].batch_size,
        }
        changes = own.training.apply(settings) if own else {}
        return settings | changes | dict(self.arm_inputs(arm))

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
            # Without an optimizer or a schedule of its own, the pretraining uses that of the runs.
            **self._shared(model) | own.pretraining.model_dump(exclude_none=True),
            **dict(self.arm_inputs(origin.normalization)),
            seed=origin.seed,
        )

    @cached_property
    def pretrained_as(self) -> dict[str, str]:
        """The model whose pretrained weights each model with a pretrained start uses.

        Models that differ only in their name and in the settings of their runs share the weights
        of the first of them.
        """
        first: dict[str, str] = {}
        shared = {}
        for model in filter(self.has_pretrained_runs, self.design.models):
            settings = self.pretrain_settings(model).model_dump_json(exclude={"model"})
            shared[model] = first.setdefault(settings, model)
        return shared

    def judge_settings(self) -> JudgeSettings:
        """Resolve the settings of judge_claims: the runs that claims can use."""
        chosen = self.design
        return JudgeSettings(
            models=chosen.models,
            architectures=self._architectures(),
            built_as={model: self.architecture(model)[0] for model in chosen.models},
            layers={model: self.models[model].layers for model in chosen.models},
            starts=chosen.starts,
            normalizations=chosen.normalizations,
            contrast=self.experiment.contrast,
            claims=self.claims,
            inputs=self.own_inputs([*chosen.normalizations, self.pretraining.normalization]),
            arms={
                name: ArmWords(
                    label=arm.label or name,
                    text=arm.text or arm.label or name,
                    training=arm.training.changed(),
                )
                for name, arm in self.arms.items()
                if name in chosen.normalizations
            },
            seeds=chosen.seeds,
            planned=tuple(
                PlannedArm(model=model, start=start, normalization=arm, seeds=seeds)
                for (model, start, arm), seeds in chosen.arms.items()
            ),
            candidates={
                name: sweep.candidates
                for name in chosen.models
                if (sweep := self.models[name].sweep) is not None
            },
            optimizer_variants=self._optimizer_variants(),
            epochs=self.training.epochs,
            target=self.data.target.without_place(),
            pretraining=self.data.pretraining.without_place() if self.is_pretrained_here else None,
        )

    def _architectures(self) -> dict[str, str]:
        """Choose one model per architecture: the first one that is trained as most models are.

        That is with the shared optimizer and a fixed learning rate.
        """
        shared = self.training.optimizer
        chosen: dict[str, str] = {}

        def is_special(name: str) -> tuple[bool, bool]:
            return name in self.tuned_models, self._optimizer(name) != shared

        for name in sorted(self.design.models, key=is_special):
            chosen.setdefault(self.models[name].architecture or name, name)
        return chosen

    def _optimizer_variants(self) -> tuple[str, ...]:
        """List the models with another optimizer than a model of the same architecture.

        These have an optimizer of their own, and the other model has the shared one.
        """
        shared = self.training.optimizer
        fixed = [name for name in self.design.models if name not in self.tuned_models]
        standard = {self.architecture(name)[0] for name in fixed if self._optimizer(name) == shared}
        return tuple(
            name
            for name in fixed
            if self._optimizer(name) != shared and self.architecture(name)[0] in standard
        )

    def _optimizer(self, name: str) -> OptimizerSettings:
        return self.models[name].optimizer or self.training.optimizer

    def render_settings(self, *, with_pdf: bool) -> RenderSettings:
        """Resolve the settings of render_html and render_pdf."""
        own = self.report.model_dump(include=set(RenderSettings.model_fields))
        return RenderSettings(**own, is_article=self.is_article, with_pdf=with_pdf)


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
        A configuration; only models that have runs are looked up.
    measured
        Returns the names of an architecture's measured layers, in order. Called with the
        architecture and the configuration key that names it.
    """
    models = dict(config.models)
    for name in config.design.models:
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
