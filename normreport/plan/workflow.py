"""What the workflow makes, and what each of its jobs reads and uses.

Rules ask a :class:`Plan`; Snakemake calls the methods that take wildcards once for every job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

from normreport.config.base import Settings
from normreport.config.experiment import Config
from normreport.config.failures import FailureSettings
from normreport.config.figure_kinds import figure_kinds
from normreport.config.record import RecordSettings
from normreport.config.report import FigureSettings
from normreport.config.runs import Run
from normreport.config.training import FetchedWeights
from normreport.errors import ConfigError, StorageError
from normreport.io.files import canonical_json
from normreport.plan import code, paths, resources
from normreport.plan.available_runs import failed_runs
from normreport.plan.figure_index import figure_index, figure_settings
from normreport.provenance.revision import revision
from normreport.source_code import figure_modules, run_modules
from normreport.sources.fingerprint import files_digest
from normreport.text.language import find_catalogue

TEMPLATES = Path("templates")
OF_A_RUN = (paths.RUN_SNAPSHOTS, paths.RUN_HISTORY, paths.RUN_LAYERS, paths.RUN_MANIFEST)
T = TypeVar("T")


class OfModel(Protocol):
    """Wildcards of a job for one model."""

    model: str


class OfStart(OfModel, Protocol):
    """Wildcards of a job for one model and start."""

    start: str


class OfRun(OfStart, Protocol):
    """Wildcards of a job for one run."""

    normalization: str
    seed: str


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
    with_pdf
        Whether the system can make the PDF.
    """

    config: Config
    runs: tuple[Run, ...]
    failures: FailureSettings
    figures: Mapping[str, FigureSettings]
    data_digests: Mapping[str, str | None]
    with_pdf: bool

    @classmethod
    def make(cls, config: Config, *, is_partial: bool, with_pdf: bool) -> Self:
        """Plan a report of all runs or, if it may be partial, of those that are complete.

        Raises
        ------
        ConfigError
            If a path has braces.
        DataError
            If the images of a data set cannot be found.
        StorageError
            If a partial report has no run to show.
        """
        _check_paths(config)
        failed = failed_runs(config.runs()) if is_partial else {}
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
        """Return the path of every model that has pretrained weights."""
        models = dict.fromkeys(run.model for run in self.runs if "pretrained" in run.start)
        return [pattern.format(model=model) for model in models]

    def report_files(self) -> list[str]:
        """List the report and its tables, with the PDF if the system can make it."""
        pages = [paths.HTML, paths.RESULTS_JSON, paths.RECORD, paths.RO_CRATE]
        return [*pages, *([paths.PDF] if self.with_pdf else []), *self.report_tables()]

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
            *(paths.of_run(pattern, run) for run in self.runs for pattern in OF_A_RUN),
            *self.of_runs(paths.WEIGHT_DIGESTS),
            *self.of_runs(paths.MEASURES),
            *self.of_runs(paths.QUANTILES),
            *self.of_comparisons(paths.DENSITIES),
            *self.of_comparisons(paths.HISTOGRAMS),
            *self.of_comparisons(paths.DISTANCES),
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

    def pretraining_checkpoint(self, wildcards: OfModel) -> str | list[str]:
        """Return the user's own checkpoint of a model, if the configuration names one."""
        weights = self.config.pretrain_settings(wildcards.model).weights
        return weights if weights.endswith((".pth", ".pt", ".safetensors")) else []

    def pretrain_settings(self, wildcards: OfModel) -> str:
        """Return the settings of a model's pretraining."""
        return as_json(self.config.pretrain_settings(wildcards.model))

    def pretrain_mb(self, wildcards: OfModel) -> int:
        """Return the memory that a model's pretraining takes, in MB."""
        weights = self.config.pretrain_settings(wildcards.model)
        if isinstance(weights, FetchedWeights):
            return resources.FETCHING_MB
        return resources.training_mb(weights, self.config.data.pretraining)

    def pretraining_gpus(self) -> int:
        """Return how many GPUs a pretraining asks for: none if weights are fetched."""
        gpus = resources.training_gpus(self.config.training)
        return gpus if self.config.is_pretrained_here else 0

    # train_run

    def pretrained_weights(self, wildcards: OfStart) -> str | list[str]:
        """Return the weights that a run begins with; nothing if it begins from scratch."""
        if not wildcards.start.startswith("pretrained"):
            return []
        return paths.PRETRAINED_WEIGHTS.format(model=wildcards.model)

    def pretrained_option(self, wildcards: OfStart) -> str:
        """Return the option that precedes a run's pretrained weights."""
        return "--pretrained" if wildcards.start.startswith("pretrained") else ""

    def run_code(self, wildcards: OfRun) -> list[str]:
        """Return the source files that train a run."""
        return code.source_paths(*run_modules(wildcards.normalization))

    def run_versions(self, wildcards: OfRun) -> str:
        """Return the versions of the packages that train a run."""
        return code.package_versions(*run_modules(wildcards.normalization))

    def run_settings(self, wildcards: OfRun) -> str:
        """Return the settings of a run."""
        return as_json(self.config.run_settings(_run(wildcards)))

    def run_mb(self, wildcards: OfRun) -> int:
        """Return the memory that a run takes, in MB."""
        settings = self.config.run_settings(_run(wildcards))
        return resources.training_mb(settings, self.config.data.target)

    # compare_arms

    def compared_digests(self, wildcards: OfStart) -> list[str]:
        """Return the digests of the runs that are compared with each other."""
        return self.of_runs(paths.WEIGHT_DIGESTS, wildcards.model, wildcards.start)

    def compared_snapshots(self, wildcards: OfStart) -> list[str]:
        """Return the weights of the runs that are compared with each other."""
        return self.of_runs(paths.RUN_SNAPSHOTS, wildcards.model, wildcards.start)

    # draw_figure

    def figure_inputs(self, wildcards: OfFigure) -> list[str]:
        """Return the files that a figure is drawn from.

        Figures that readers compare take the tables of every start, so that they share axes.
        """
        figure = self.figures[wildcards.figure]
        table = figure_kinds()[figure.kind].table
        if table is None:
            return [paths.TARGET_IMAGES, paths.TARGET_MANIFEST]
        if table in paths.TABLES_OF_RUNS:
            return self.of_runs(paths.TABLES_OF_RUNS[table], figure.model)
        return self.of_comparisons(paths.TABLES_OF_COMPARISONS[table], figure.model, figure.layer)

    def figure_failures(self, wildcards: OfFigure) -> str | list[str]:
        """Return the list of failed runs; nothing for a figure of the images."""
        table = figure_kinds()[self.figures[wildcards.figure].kind].table
        return [] if table is None else paths.FAILURES

    def figure_code(self, wildcards: OfFigure) -> list[str]:
        """Return the source files that draw a figure."""
        return code.source_paths(*self._figure_modules(wildcards.figure))

    def figure_versions(self, wildcards: OfFigure) -> str:
        """Return the versions of the packages that draw a figure."""
        return code.package_versions(*self._figure_modules(wildcards.figure))

    def figure_settings(self, wildcards: OfFigure) -> str:
        """Return the settings of a figure."""
        return as_json(self.figures[wildcards.figure])

    def _figure_modules(self, name: str) -> Iterable[str]:
        figure = self.figures[name]
        return figure_modules(figure.kind, figure.normalizations)

    # The report

    def judged_tables(self) -> dict[str, list[str]]:
        """Return what the claims are judged by, as named inputs."""
        return {
            "manifests": self.of_runs(paths.RUN_MANIFEST),
            "histories": self.of_runs(paths.RUN_HISTORY),
            "layers": self.of_runs(paths.RUN_LAYERS),
            "measures": self.of_runs(paths.MEASURES),
            "distances": self.of_comparisons(paths.DISTANCES),
        }

    def recorded_files(self) -> dict[str, list[str]]:
        """Return the files that the record holds digests of, as named inputs."""
        return {
            "manifests": self.of_runs(paths.RUN_MANIFEST),
            "data": self.of_data_sets(paths.DATA_MANIFEST),
            "pretrained": self.of_pretraining(paths.PRETRAINED_MANIFEST),
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

    def catalogue(self) -> list[str]:
        """Return the translations of figures and verdicts; nothing if the report is English."""
        catalogue = find_catalogue(self.config.report.language, self._template_folders())
        return [str(catalogue)] if catalogue else []

    def logo(self) -> list[str]:
        """Return the logo, if there is one."""
        return [self.config.report.logo] if self.config.report.logo else []

    def template_folders(self) -> list[str]:
        """Return the user's own folder of templates, if there is one, and ours."""
        return [str(folder) for folder in self._template_folders()]

    def template_files(self) -> list[str]:
        """Return every file of the templates, because the record holds a digest of all."""
        files = [path for folder in self._template_folders() for path in folder.rglob("*")]
        return sorted(str(path) for path in files if path.is_file())

    def _template_folders(self) -> list[Path]:
        return self.config.report.template_folders(TEMPLATES)

    def judge_settings(self) -> str:
        """Return the settings that decide the verdicts."""
        return as_json(self.config.judge_settings())

    def record_settings(self, clone: Path) -> RecordSettings:
        """Return the whole configuration and the commit of a clone.

        Only the record takes these, so that a change of either remakes only the report.
        """
        return RecordSettings(config=self.config, revision=revision(clone), with_pdf=self.with_pdf)

    def render_settings(self) -> str:
        """Return the settings of the pages."""
        return as_json(self.config.render_settings(with_pdf=self.with_pdf))


def _check_paths(config: Config) -> None:
    """Check the paths of a configuration that become inputs, in which Snakemake fills wildcards."""
    given = {
        "report.logo": config.report.logo,
        "report.templates": config.report.templates,
        "pretraining.weights": config.pretraining.weights.replace("{model}", ""),
    }
    for key, path in given.items():
        if path and {"{", "}"} & {*path}:
            raise ConfigError(
                f"{key}: expected a path without braces, which Snakemake reads as wildcards, found "
                f"{path}. Rename the file or folder."
            )


def _run(wildcards: OfRun) -> Run:
    return Run(wildcards.model, wildcards.start, wildcards.normalization, int(wildcards.seed))
