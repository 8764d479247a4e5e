"""What the workflow makes, and what each of its jobs reads and uses.

Rules ask a :class:`Plan`; Snakemake calls the methods that take wildcards once for every job.

Snakemake fills wildcards into the paths of inputs, even into those that a function returns. So no
value of the configuration is an input: a user's file is a parameter, beside its digest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from normreport.config.base import Settings
from normreport.config.experiment import Config
from normreport.config.failures import FailureSettings
from normreport.config.figure_kinds import figure_kinds
from normreport.config.json_files import read_model
from normreport.config.manifests import WeightDigests
from normreport.config.pages import ARTICLE, assign_pages
from normreport.config.record import RecordSettings
from normreport.config.report import FigureSettings
from normreport.config.runs import Run
from normreport.config.training import FetchedWeights, SweepSettings
from normreport.errors import ConfigError, StorageError
from normreport.io.files import canonical_json, file_digest
from normreport.plan import code, paths, resources
from normreport.plan.available_runs import failed_runs
from normreport.plan.figure_index import figure_index, figure_settings
from normreport.provenance.figure_code import figure_code
from normreport.provenance.record import folders_digest
from normreport.provenance.revision import revision
from normreport.provenance.stage_code import StageCode, run_code, sweep_code
from normreport.source_code import ROOT
from normreport.sources.fingerprint import file_fingerprint, files_digest
from normreport.text.language import find_catalogue
from normreport.training.weights_files import check_exists, weights_file

OF_A_RUN = (paths.RUN_SNAPSHOTS, paths.RUN_HISTORY, paths.RUN_LAYERS, paths.RUN_MANIFEST)
T = TypeVar("T")


class OfModel(Protocol):
    """Wildcards of a job for one model."""

    model: str


class OfStart(OfModel, Protocol):
    """Wildcards of a job for one model and start."""

    start: str


class OfArm(OfStart, Protocol):
    """Wildcards of a job for one model, start and normalization."""

    normalization: str


class OfRun(OfArm, Protocol):
    """Wildcards of a job for one run."""

    seed: str


class Measured(Protocol):
    """The input files of a job that measures a run."""

    digests: str


class Compared(Protocol):
    """The input files of a job that compares runs."""

    digests: Sequence[str]


class OfLayer(OfStart, Protocol):
    """Wildcards of a job for one model, start and layer."""

    layer: str


class OfData(Protocol):
    """Wildcards of a job for one data set."""

    data: str


class OfFigure(Protocol):
    """Wildcards of a job for one figure."""

    figure: str


def as_json(settings: Settings) -> str:
    """Write settings as canonical JSON: equal settings give equal text."""
    return canonical_json(settings.model_dump(mode="json"))


def verbatim(value: T) -> Callable[[object], T]:
    """Wrap a parameter that holds text of a user, which Snakemake would search for wildcards."""

    def unchanged(wildcards: object) -> T:
        return value

    return unchanged


@dataclass(frozen=True)
class Plan:
    """The runs, figures and files of one report.

    Attributes
    ----------
    config
        The whole configuration, its layers as module paths.
    runs
        The runs that the report uses, in the order of the configuration.
    failures
        The runs that a partial report does without.
    figures
        The settings of each figure that shows one of the runs, by its name.
    data_digests
        Changes with the images of a data set; None if nothing is watched.
    checkpoint_digests
        Changes with the user's own checkpoint of a model, if it has one.
    with_pdf
        Whether the system can make the PDF.
    """

    config: Config
    runs: tuple[Run, ...]
    failures: FailureSettings
    figures: Mapping[str, FigureSettings]
    data_digests: Mapping[str, str | None]
    checkpoint_digests: Mapping[str, str]
    with_pdf: bool

    @classmethod
    def make(cls, config: Config, *, is_partial: bool, with_pdf: bool) -> Self:
        """Plan a report of all runs or, if it may be partial, of those that are complete.

        Raises
        ------
        DataError
            If the images of a data set cannot be found.
        ConfigError
            If the path of our own files has braces.
        WeightsError
            If a checkpoint does not exist.
        StorageError
            If a partial report has no run to show.
        """
        _check_clone()
        check_arm_files(config)
        failed = (
            failed_runs(config.runs(), config.tuned_models, config.pretrained_as)
            if is_partial
            else {}
        )
        runs = tuple(run for run in config.runs() if run not in failed)
        if not runs:
            raise StorageError("partial=true: no run of the experiment is complete")
        shown = {(run.model, run.start) for run in runs}
        figures = {figure.id: figure_settings(config, figure) for figure in figure_index(config)}
        return cls(
            config=config,
            runs=runs,
            failures=FailureSettings(runs=tuple(failed.values())),
            figures={
                name: figure
                for name, figure in figures.items()
                if any(figure.shows(model=model, start=start) for model, start in shown)
            },
            data_digests={
                name: files_digest(data.source) for name, data in config.data_sets().items()
            },
            checkpoint_digests=_checkpoint_digests(config),
            with_pdf=with_pdf,
        )

    # Files

    def of_runs(
        self, pattern: str, model: str | None = None, start: str | None = None
    ) -> list[str]:
        """Return the path of every run, or only of those of a model or a start."""
        return [
            paths.of_run(pattern, run)
            for run in self.runs
            if model in (None, run.model) and start in (None, run.start)
        ]

    def of_comparisons(
        self, pattern: str, model: str | None = None, layer: str | None = None
    ) -> list[str]:
        """Return the path of every comparison, or only of those of a model or a layer."""
        groups = dict.fromkeys((run.model, run.start) for run in self.runs)
        return [
            pattern.format(model=name, start=start, layer=each)
            for name, start in groups
            if model in (None, name)
            for each in self.config.models[name].layers
            if layer in (None, each)
        ]

    def of_figures(self, pattern: str) -> list[str]:
        """Return the path of every figure."""
        return [pattern.format(figure=figure) for figure in self.figures]

    def of_data_sets(self, pattern: str) -> list[str]:
        """Return the path of every data set that the workflow prepares."""
        return [pattern.format(data=data) for data in self.config.data_sets()]

    def of_pretraining(self, pattern: str) -> list[str]:
        """Return the path of every pretraining; models with equal settings share one."""
        shared = self.config.pretrained_as
        models = dict.fromkeys(
            shared[run.model] for run in self.runs if run.start.startswith("pretrained")
        )
        return [pattern.format(model=model) for model in models]

    def of_sweeps(self) -> list[str]:
        """Return the paths of what every sweep writes."""
        return [
            path
            for pattern in (paths.TUNED_RATE, paths.TUNING_MANIFEST)
            for path in dict.fromkeys(
                paths.of_run(pattern, run) for run in self.runs if self.is_tuned(run.model)
            )
        ]

    def report_files(self) -> list[str]:
        """List the report and its tables, with the PDF if the system can make it."""
        pages = [paths.HTML, *self.supplement_pages()]
        data = [paths.RESULTS_JSON, paths.RECORD, paths.RO_CRATE]
        return [*pages, *data, *([paths.PDF] if self.with_pdf else []), *self.report_tables()]

    def supplement_pages(self) -> list[str]:
        """List the pages besides the article: none if the report is small."""
        others = dict.fromkeys(page for page in self._pages() if page != ARTICLE)
        return [paths.PAGE.format(page=page) for page in others]

    def _pages(self) -> list[str]:
        """Return the page of each figure."""
        return assign_pages(list(self.figures.values()), len(self.runs))

    def report_tables(self) -> list[str]:
        """List the tables beside the report."""
        return [*self.of_figures(paths.FIGURE_TABLE), paths.RUNS_TABLE, paths.CASES_TABLE]

    def intermediate_files(self) -> list[str]:
        """List the files that a report rests on, so that a deleted one is made again.

        With a failed run this includes a file that no rule makes, and the build fails.
        """
        return [
            *self.of_data_sets(paths.DATA_IMAGES),
            *self.of_data_sets(paths.DATA_MANIFEST),
            *self.of_pretraining(paths.PRETRAINED_WEIGHTS),
            *self.of_pretraining(paths.PRETRAINED_MANIFEST),
            *self.of_sweeps(),
            *(paths.of_run(pattern, run) for run in self.runs for pattern in OF_A_RUN),
            *self.of_runs(paths.WEIGHT_DIGESTS),
            *self.of_runs(paths.MEASURES),
            *self.of_runs(paths.QUANTILES),
            *self.of_comparisons(paths.DENSITIES),
            *self.of_comparisons(paths.DENSITY_AXES),
            *self.of_comparisons(paths.HISTOGRAMS),
            *self.of_comparisons(paths.PRODUCTS),
            *self.of_figures(paths.FIGURE_SVG),
            *self.of_figures(paths.FIGURE_TEXT),
            *([paths.ALL_RUNS] if self.failures.runs else []),
        ]

    # prepare_data

    def data_settings(self, wildcards: OfData) -> str:
        """Return the settings of a data set."""
        return as_json(self.config.data_sets()[wildcards.data])

    def data_digest(self, wildcards: OfData) -> str | None:
        """Return what changes with the images of a data set."""
        return self.data_digests[wildcards.data]

    # pretrain_model

    def pretraining_images(self, wildcards: OfModel) -> str | list[str]:
        """Return the images that a model is pretrained on; nothing if its weights are fetched."""
        if not self.config.is_pretrained_here:
            return []
        return paths.PRETRAINING_IMAGES

    def checkpoint_digest(self, wildcards: OfModel) -> str | None:
        """Return what changes with the user's own checkpoint of a model; None without one."""
        return self.checkpoint_digests.get(wildcards.model)

    def pretrain_settings(self, wildcards: OfModel) -> str:
        """Return the settings of a model's pretraining."""
        return as_json(self.config.pretrain_settings(wildcards.model))

    def pretrain_mb(self, wildcards: OfModel, attempt: int = 1) -> int:
        """Return the memory to request for a pretraining, in MB; each retry requests more."""
        weights = self.config.pretrain_settings(wildcards.model)
        if isinstance(weights, FetchedWeights):
            return resources.FETCHING_MB * attempt
        return resources.training_mb(weights, self.config.data.pretraining) * attempt

    def pretrain_minutes(self, wildcards: OfModel, attempt: int = 1) -> int:
        """Return the time to request for a pretraining, in minutes; each retry requests more."""
        weights = self.config.pretrain_settings(wildcards.model)
        if isinstance(weights, FetchedWeights):
            return resources.FETCHING_MINUTES * attempt
        return resources.training_minutes(weights, self.config.data.pretraining, attempt)

    def pretraining_gpus(self) -> int:
        """Return how many GPUs a pretraining asks for: none if weights are fetched."""
        gpus = resources.training_gpus(self.config.training)
        return gpus if self.config.is_pretrained_here else 0

    # tune_rate and train_run

    def pretrained_weights(self, wildcards: OfStart) -> str | list[str]:
        """Return the weights that a run begins with; nothing if it begins from scratch."""
        if not wildcards.start.startswith("pretrained"):
            return []
        source = self.config.pretrained_as[wildcards.model]
        return paths.PRETRAINED_WEIGHTS.format(model=source)

    # tune_rate

    def is_tuned(self, model: str) -> bool:
        """Return whether sweeps choose the learning rates of a model."""
        return model in self.config.tuned_models

    def tuned_rate(self, checkpoints: Any, wildcards: OfArm) -> str | list[str]:
        """Return the file with the learning rate that a sweep chose; nothing if it is fixed.

        Parameters
        ----------
        checkpoints
            Those of Snakemake. If the sweep is not done, its checkpoint raises an exception, and
            Snakemake asks again afterwards.
        wildcards
            Those of the run.
        """
        if not self.is_tuned(wildcards.model):
            return []
        sweep = checkpoints.tune_rate.get(
            model=wildcards.model, start=wildcards.start, normalization=wildcards.normalization
        )
        return str(sweep.output.rate)

    def sweep_code(self, wildcards: OfArm) -> list[str]:
        """Return the source files that choose a learning rate."""
        return code.code_paths(self._sweep_code(wildcards))

    def sweep_versions(self, wildcards: OfArm) -> str:
        """Return the versions of the packages that choose a learning rate."""
        return code.code_versions(self._sweep_code(wildcards))

    def sweep_settings(self, wildcards: OfArm) -> str:
        """Return the settings of a sweep."""
        return as_json(self._sweep_settings(wildcards))

    def sweep_mb(self, wildcards: OfArm, attempt: int = 1) -> int:
        """Return the memory to request for a sweep, in MB; each retry requests more."""
        settings = self._sweep_settings(wildcards)
        return resources.training_mb(settings, self.config.data.target) * attempt

    def sweep_minutes(self, wildcards: OfArm, attempt: int = 1) -> int:
        """Return the time to request for a sweep, in minutes; each retry requests more."""
        settings = self._sweep_settings(wildcards)
        return resources.training_minutes(settings, self.config.data.target, attempt)

    def _sweep_code(self, wildcards: OfArm) -> StageCode:
        return sweep_code(self._sweep_settings(wildcards))

    def _sweep_settings(self, wildcards: OfArm) -> SweepSettings:
        return self.config.sweep_settings(wildcards.model, wildcards.start, wildcards.normalization)

    # train_run

    def run_code(self, wildcards: OfRun) -> list[str]:
        """Return the source files that train a run."""
        return code.code_paths(self._run_code(wildcards))

    def run_versions(self, wildcards: OfRun) -> str:
        """Return the versions of the packages that train a run."""
        return code.code_versions(self._run_code(wildcards))

    def run_settings(self, wildcards: OfRun) -> str:
        """Return the settings of a run; a tuned model has its learning rate in a file."""
        return as_json(self.config.planned_run(_run(wildcards)))

    def run_mb(self, wildcards: OfRun, attempt: int = 1) -> int:
        """Return the memory to request for a run, in MB; each retry requests more."""
        plan = self.config.run_plan(_run(wildcards))
        return resources.training_mb(plan, self.config.data.target) * attempt

    def run_minutes(self, wildcards: OfRun, attempt: int = 1) -> int:
        """Return the time to request for a run, in minutes; each retry requests more."""
        plan = self.config.run_plan(_run(wildcards))
        return resources.training_minutes(plan, self.config.data.target, attempt)

    def _run_code(self, wildcards: OfRun) -> StageCode:
        return run_code(self.config.run_plan(_run(wildcards)))

    # measure_weights

    def measuring_mb(self, wildcards: OfRun, input: Measured, attempt: int = 1) -> int:
        """Return the memory to request for a measurement, in MB: an epoch of the largest layer."""
        weights = _layer_sizes(input.digests).values()
        return resources.measuring_mb(max(weights, default=0)) * attempt

    # compare_arms

    def compared_digests(self, wildcards: OfStart) -> list[str]:
        """Return the digests of the runs that are compared with each other."""
        return self.of_runs(paths.WEIGHT_DIGESTS, wildcards.model, wildcards.start)

    def compared_snapshots(self, wildcards: OfStart) -> list[str]:
        """Return the weights of the runs that are compared with each other."""
        return self.of_runs(paths.RUN_SNAPSHOTS, wildcards.model, wildcards.start)

    def comparing_mb(self, wildcards: OfLayer, input: Compared, attempt: int = 1) -> int:
        """Return the memory to request for a comparison, in MB: one epoch of all its runs."""
        weights = _layer_sizes(input.digests[0]).get(wildcards.layer, 0)
        return resources.comparing_mb(weights * len(input.digests)) * attempt

    # draw_figure

    def drawing_mb(self, wildcards: OfFigure) -> int:
        """Return the memory to request for a figure, in MB."""
        figure = self.figures[wildcards.figure]
        kind = figure_kinds()[figure.kind]
        if kind.table in (None, "runs"):
            return resources.drawing_mb(0)
        epochs = 2 if kind.epochs == "ends" else self.config.training.epochs + 1
        layers = sum(
            1 if figure.layer else len(self.config.models[run.model].layers)
            for run in self.runs
            if figure.model in (None, run.model)
        )
        return resources.drawing_mb(epochs * layers)

    def figure_inputs(self, wildcards: OfFigure) -> list[str]:
        """Return the files that a figure is drawn from, see also `figure_axes`.

        Figures that readers compare take the tables of every start, so that they share axes.
        """
        figure = self.figures[wildcards.figure]
        table = figure_kinds()[figure.kind].table
        if table is None:
            return [paths.TARGET_IMAGES, paths.TARGET_MANIFEST]
        if table in paths.TABLES_OF_RUNS:
            return self.of_runs(paths.TABLES_OF_RUNS[table], figure.model)
        pattern = paths.TABLES_OF_COMPARISONS[table]
        if figure.model is None and figure_kinds()[figure.kind].arms == "contrast":
            return self._of_standard_comparisons(pattern)
        if table == "densities":
            return [pattern.format(model=figure.model, start=figure.start, layer=figure.layer)]
        return self.of_comparisons(pattern, figure.model, figure.layer)

    def figure_axes(self, wildcards: OfFigure) -> list[str]:
        """Return the axes of every start's densities, which share them; nothing for other kinds."""
        figure = self.figures[wildcards.figure]
        if figure_kinds()[figure.kind].table != "densities":
            return []
        return self.of_comparisons(paths.DENSITY_AXES, figure.model, figure.layer)

    def _of_standard_comparisons(self, pattern: str) -> list[str]:
        """Return the paths of the comparisons that the headline is about.

        Those are of models that are trained by the shared settings: neither tuned per arm nor with
        another optimizer than a model of the same architecture. If there are none, return every
        path.
        """
        models = dict.fromkeys(run.model for run in self.runs)
        others = {*self.config.tuned_models, *self.config.judge_settings().optimizer_variants}
        standard = [model for model in models if model not in others]
        return [
            path for model in standard or models for path in self.of_comparisons(pattern, model)
        ]

    def figure_failures(self, wildcards: OfFigure) -> str | list[str]:
        """Return the list of failed runs; nothing for a figure of the images."""
        table = figure_kinds()[self.figures[wildcards.figure].kind].table
        return [] if table is None else paths.FAILURES

    def figure_code(self, wildcards: OfFigure) -> list[str]:
        """Return the source files that draw a figure."""
        return code.code_paths(figure_code(self.figures[wildcards.figure]))

    def figure_versions(self, wildcards: OfFigure) -> str:
        """Return the versions of the packages that draw a figure."""
        return code.code_versions(figure_code(self.figures[wildcards.figure]))

    def figure_settings(self, wildcards: OfFigure) -> str:
        """Return the settings of a figure."""
        return as_json(self.figures[wildcards.figure])

    # The report

    def judging_mb(self) -> int:
        """Return the memory to request for judging, in MB."""
        return resources.judging_mb(len(self.runs))

    def judged_files(self) -> dict[str, str | list[str]]:
        """Return what the claims are judged by, as named inputs."""
        return {
            "manifests": self.of_runs(paths.RUN_MANIFEST),
            "histories": self.of_runs(paths.RUN_HISTORY),
            "layers": self.of_runs(paths.RUN_LAYERS),
            "measures": self.of_runs(paths.MEASURES),
            "products": self.of_comparisons(paths.PRODUCTS),
            "images": paths.TARGET_IMAGES,
            "images_manifest": paths.TARGET_MANIFEST,
            "pretrained": self.of_pretraining(paths.PRETRAINED_MANIFEST),
            "failures": paths.FAILURES,
        }

    def recorded_files(self) -> dict[str, list[str]]:
        """Return the files that the record holds digests of, as named inputs."""
        return {
            "manifests": self.of_runs(paths.RUN_MANIFEST),
            "data": self.of_data_sets(paths.DATA_MANIFEST),
            "pretrained": self.of_pretraining(paths.PRETRAINED_MANIFEST),
            "tuned": self.of_sweeps(),
            "figures": self.of_figures(paths.FIGURE_SVG),
            "texts": self.of_figures(paths.FIGURE_TEXT),
            "tables": self.report_tables(),
        }

    def rendered_files(self) -> dict[str, str | list[str]]:
        """Return the files that the HTML and the PDF show, as named inputs."""
        return {
            "results": paths.RESULTS_JSON,
            "record": paths.RECORD,
            "figures": self.of_figures(paths.FIGURE_SVG),
            "texts": self.of_figures(paths.FIGURE_TEXT),
            "tables": self.of_figures(paths.FIGURE_TABLE),
        }

    def attached_tables(self) -> list[str]:
        """Return the data of the figures that the PDF shows: those of the article's page."""
        return [
            paths.FIGURE_TABLE.format(figure=figure)
            for figure, page in zip(self.figures, self._pages(), strict=True)
            if page == ARTICLE
        ]

    def catalogue(self) -> list[str]:
        """Return the translations of figures and verdicts; nothing if the report is English."""
        catalogue = self._catalogue()
        return [_argument(catalogue)] if catalogue else []

    def catalogue_digest(self) -> str | None:
        """Return the digest of these translations."""
        catalogue = self._catalogue()
        return file_digest(catalogue) if catalogue else None

    def _catalogue(self) -> Path | None:
        return find_catalogue(self.config.report.language, self._template_folders())

    def logo(self) -> list[str]:
        """Return the logo, if there is one."""
        return [_argument(self.config.report.logo)] if self.config.report.logo else []

    def logo_digest(self) -> str | None:
        """Return the digest of the logo."""
        return file_digest(Path(self.config.report.logo)) if self.config.report.logo else None

    def texts_digest(self) -> str | None:
        """Return the digest of the user's own texts."""
        texts = map(Path, self.config.report.texts.values())
        return " ".join(map(file_digest, texts)) or None

    def template_folders(self) -> list[str]:
        """Return the user's own folder of templates, if there is one, and ours."""
        return [_argument(folder) for folder in self._template_folders()]

    def template_files(self) -> list[str]:
        """Return every file of our templates, because the record holds a digest of all."""
        return sorted(str(path) for path in _our_templates().rglob("*") if path.is_file())

    def templates_digest(self) -> str | None:
        """Return the digest of the user's own folder of templates."""
        own = self.config.report.templates
        return folders_digest(Path(own)) if own else None

    def _template_folders(self) -> list[Path]:
        return self.config.report.template_folders(_our_templates())

    def judge_settings(self) -> str:
        """Return the settings that decide the verdicts."""
        return as_json(self.config.judge_settings())

    def planned_inputs(self) -> str:
        """Return the settings that the results must have been made with."""
        return as_json(self.config.planned_inputs())

    def record_settings(self, clone: Path) -> RecordSettings:
        """Return the whole configuration and the commit of a clone.

        Only the record takes these, so that a change of either remakes only the report.
        """
        return RecordSettings(config=self.config, revision=revision(clone), with_pdf=self.with_pdf)

    def render_settings(self) -> str:
        """Return the settings of the pages."""
        return as_json(self.config.render_settings(with_pdf=self.with_pdf))


def _our_templates() -> Path:
    """Return our folder of templates, from the working directory: a moved clone is the same."""
    return Path(os.path.relpath(ROOT / "templates"))


def _check_clone() -> None:
    """Check that the paths of our source files, which are inputs, have nothing like a wildcard."""
    here = os.path.relpath(ROOT)
    if {"{", "}"} & {*here}:
        raise ConfigError(
            f"{here}: expected a clone in a folder without braces, which Snakemake reads as "
            "wildcards. Rename the folder, or run snakemake in it."
        )


def check_arm_files(config: Config) -> None:
    """Check that the Python file of every arm is there.

    Raises
    ------
    ConfigError
        If one is not.
    """
    for name, arm in config.arms.items():
        # os.path.isfile is false for a name that is too long, where Path.is_file raises.
        if arm.file is not None and not os.path.isfile(arm.file):
            raise ConfigError(
                f"arms.{name}.file: {arm.file}: no such file. Expected a Python file, "
                "relative to the folder where snakemake runs."
            )


def _argument(path: Path | str) -> str:
    """Return a path that a command does not take for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def _checkpoint_digests(config: Config) -> dict[str, str]:
    """Return what changes with each of the user's own checkpoints, by the model that uses it."""
    digests = {}
    for model in config.pretrained_as.values():
        settings = config.pretrain_settings(model)
        path = weights_file(settings.weights) if isinstance(settings, FetchedWeights) else None
        if path:
            check_exists(path)
            digests[model] = file_fingerprint(path)
    return digests


def _layer_sizes(digests: str) -> dict[str, int]:
    """Return the number of weights of each kept layer of a run.

    It is empty if the file of digests is damaged, which the stage that reads it will report.

    Raises
    ------
    FileNotFoundError
        If the file does not exist yet. Snakemake asks again before it starts the job.
    """
    os.stat(digests)
    try:
        layers = read_model(WeightDigests, Path(digests)).layers
    except StorageError:
        return {}
    return {name: layer.weights for name, layer in layers.items()}


def _run(wildcards: OfRun) -> Run:
    return Run(wildcards.model, wildcards.start, wildcards.normalization, int(wildcards.seed))
