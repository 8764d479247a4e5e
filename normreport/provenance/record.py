"""A report's record: digests, settings, versions and verdicts of what it was made from.

The record lies beside the report, and inside it if the report is one page. ``normreport verify``
uses it to compare a report with results, ``normreport diff`` to compare two reports. It contains no
time, no host name and no path except those of the configuration: equal results, code and
configuration give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from normreport.config.base import Settings, validate
from normreport.config.figure_words import FigureWords, number_figures
from normreport.config.manifests import (
    Digests,
    ImagesManifest,
    PretrainedDigests,
    PretrainingManifest,
    RunManifest,
    Versions,
)
from normreport.config.record import RecordSettings, Revision
from normreport.config.report import FigureSettings
from normreport.config.results import ClaimResult, Headline, PlaceResult, Results, RunResult
from normreport.errors import ConfigError, StorageError
from normreport.io.files import read_json, text_digest

SCHEMA_VERSION = 2
RESULTS = "report/results.json"
# The stages that decide the bytes of a page, in the order of the flow.
FLOW = (
    "prepare_data", "pretrain_model", "tune_rate", "train_run", "digest_weights",
    "measure_weights", "compare_arms", "judge_claims", "draw_figure", "record_provenance",
    "render_html",
)  # fmt: skip
# The packages whose version can change a page, and the first stage that uses each.
PACKAGES = {
    "numpy": "prepare_data",
    "pillow": "prepare_data",
    "pyarrow": "prepare_data",
    "safetensors": "prepare_data",
    "scikit-image": "prepare_data",
    "scikit-learn": "prepare_data",
    "torch": "prepare_data",
    "torchvision": "prepare_data",
    "pandas": "measure_weights",
    "scipy": "measure_weights",
    "babel": "judge_claims",
    "matplotlib": "draw_figure",
    "seaborn": "draw_figure",
    "jinja2": "render_html",
    "markdown-it-py": "render_html",
    "rcssmin": "render_html",
    "rjsmin": "render_html",
    "pydantic": "prepare_data",
    "snakemake": "prepare_data",
}
# A data block that no browser executes: the page stays one without foreign scripts.
OPENING = '<script type="application/json" id="record">'
EMBEDDED = re.compile(re.escape(OPENING) + "(.*?)</script>", re.S)


class RecordedCase(Settings):
    """The verdict and the effect of one case of a claim."""

    verdict: str
    """Verdict of the case."""
    mean: float | None
    """Mean effect."""
    low: float | None
    """Lower end of the interval."""
    high: float | None
    """Upper end of the interval."""


class RecordedClaim(Settings):
    """The verdict of a claim, and its cases by name."""

    verdict: str
    """Verdict of the claim."""
    cases: Mapping[str, RecordedCase]
    """The cases; `case_name` makes the keys."""


class RecordedRun(Settings):
    """A run's condition and outcome, and digests of its inputs and outputs."""

    id: str
    """Name of the run."""
    model: str
    """The model."""
    start: str
    """How the weights begin."""
    normalization: str
    """The arm."""
    seed: int
    """The replicate."""
    state: str
    """How the run ended."""
    epochs: int
    """Number of finished epochs."""
    train_loss: float | None
    """Last training loss."""
    heldout_loss: float | None
    """Held-out loss after the last epoch; null if the run diverged."""
    heldout_accuracy: float | None
    """Held-out accuracy after the last epoch; null if the run diverged."""
    code: str
    """Digest of the source files that trained the run."""
    data: str
    """One digest of all images and labels."""
    order: str
    """Digest of the order of the images."""
    initial_weights: str
    """Digest of all weights before the first step."""
    final_weights: str | None
    """Digest of all weights at the end."""
    pretrained: str | None
    """Digest of the pretrained weights; null from scratch."""
    older_code: bool
    """Whether the code has changed since the run was trained."""


class RecordedFigure(Settings):
    """What a figure was made from, and digests of its caption and alt text."""

    number: str
    """Number in the article."""
    settings: FigureSettings
    """Settings of the figure."""
    inputs: str
    """One digest of all input files."""
    code: str
    """Digest of the source files that draw the figure."""
    caption: str
    """Digest of the caption."""
    alt: str
    """Digest of the alt text."""


class Record(Settings):
    """The record of a report."""

    schema_version: Literal[2] = 2
    """Changes if a key is renamed, removed or changes its meaning."""
    config: Mapping[str, JsonValue]
    """The configuration, as resolved by the version that made the report. Other versions may have
    other keys, so it stays JSON."""
    revision: Revision
    """The commit."""
    with_pdf: bool
    """Whether the report has a PDF."""
    versions: Versions
    """Versions of Python and of the packages that can change a page."""
    code: Digests
    """Digest of the source files of each stage."""
    templates: str
    """Digest of the templates."""
    files: Digests
    """Digest of every file that the page depends on, by its path below the results' folder."""
    data: Mapping[str, Digests]
    """Digests of the arrays of each data set."""
    pretrained: Mapping[str, PretrainedDigests]
    """Digests of each model's pretrained weights."""
    figures: Mapping[str, RecordedFigure]
    """The figures, by id."""
    trained_with: tuple[Versions, ...]
    """The distinct versions that the runs were trained with."""
    runs: tuple[RecordedRun, ...]
    """The runs that did not fail."""
    claims: Mapping[str, RecordedClaim]
    """The claims, by id."""
    headline: Headline
    """The tables of the abstract."""


@dataclass(frozen=True)
class CodeDigests:
    """Digests of the code and the templates at hand.

    Attributes
    ----------
    stages
        Digest of the source files of each stage.
    training
        Digest of the source files that train a run, by its arm.
    templates
        Digest of the templates.
    """

    stages: Digests
    training: Digests
    templates: str


def make_record(
    *,
    settings: RecordSettings,
    results: Results,
    manifests: Sequence[RunManifest],
    data: Mapping[str, ImagesManifest],
    pretrained: Sequence[PretrainingManifest],
    figures: Sequence[FigureWords],
    files: Digests,
    code: CodeDigests,
) -> Record:
    """Make a report's record.

    Parameters
    ----------
    settings
        Configuration and commit.
    results
        The results.
    manifests
        One per run that did not fail, in the order of the results' runs.
    data
        The manifest of each data set, by its name.
    pretrained
        The manifests of the pretrained weights.
    figures
        The words of each figure, in the order of their numbers.
    files
        Digest of every file that the page depends on, by its path below the results' folder.
    code
        Digests of the code and the templates.
    """
    finished = [run for run in results.runs if run.state != "FAILED"]
    return Record(
        config=settings.config.model_dump(mode="json"),
        revision=settings.revision,
        with_pdf=settings.with_pdf,
        versions=versions(),
        code=code.stages,
        templates=code.templates,
        files=files,
        data={name: manifest.digests for name, manifest in data.items()},
        pretrained={manifest.model: manifest.digests for manifest in pretrained},
        figures={
            words.id: _record_figure(words, number)
            for words, number in zip(figures, number_figures(figures), strict=True)
        },
        trained_with=_distinct(manifest.versions for manifest in manifests),
        runs=[
            _record_run(run, manifest, code.training[run.normalization])
            for run, manifest in zip(finished, manifests, strict=True)
        ],
        claims={claim.id: record_claim(claim) for claim in results.claims},
        headline=results.headline,
    )


def _record_figure(words: FigureWords, number: str) -> RecordedFigure:
    return RecordedFigure(
        number=number,
        settings=words.made_from.settings,
        inputs=words.made_from.inputs,
        code=words.made_from.code,
        caption=text_digest(f"{words.caption} {words.method}".rstrip()),
        alt=text_digest(words.alt),
    )


def _record_run(run: RunResult, manifest: RunManifest, code: str) -> RecordedRun:
    digests = manifest.digests
    return RecordedRun(
        id=run.id,
        model=run.model,
        start=run.start,
        normalization=run.normalization,
        seed=run.seed,
        state=run.state,
        epochs=run.epochs,
        train_loss=run.train_loss,
        heldout_loss=run.heldout_loss,
        heldout_accuracy=run.heldout_accuracy,
        code=digests.code,
        data=text_digest(" ".join(digests.data[name] for name in sorted(digests.data))),
        order=digests.order,
        initial_weights=digests.initial_weights,
        final_weights=digests.final_weights,
        pretrained=digests.pretrained,
        older_code=digests.code != code,
    )


def record_claim(claim: ClaimResult) -> RecordedClaim:
    """Keep the verdict and the effects of a claim, by which reports are compared."""
    return RecordedClaim(
        verdict=claim.verdict.value,
        cases={
            case_name(case.place): RecordedCase(
                verdict=case.verdict.value,
                mean=case.effect.mean if case.effect else None,
                low=case.effect.low if case.effect else None,
                high=case.effect.high if case.effect else None,
            )
            for case in claim.cases
        },
    )


def update_record(record: Record, results: Results, files: Digests, templates: str) -> Record:
    """Replace what a record says of results, files and templates by what is there now.

    A run that the record does not know is left out.
    """
    outcomes = {run.id: run for run in results.runs}
    numbers = ("state", "epochs", "train_loss", "heldout_loss", "heldout_accuracy")
    runs = tuple(
        run.model_copy(update={name: getattr(outcomes[run.id], name) for name in numbers})
        for run in record.runs
        if run.id in outcomes
    )
    return record.model_copy(
        update={
            "runs": runs,
            "claims": {claim.id: record_claim(claim) for claim in results.claims},
            "headline": results.headline,
            "files": files,
            "templates": templates,
        }
    )


def _distinct(versions: Iterable[Versions]) -> list[Versions]:
    distinct: list[Versions] = []
    for item in versions:
        if item not in distinct:
            distinct.append(item)
    return distinct


def case_name(place: PlaceResult | None) -> str:
    """Name a case by its place: ``vgg16, scratch, features.0, raw - unit``."""
    return ", ".join(filter(None, place.columns().values())) if place else ""


def versions() -> dict[str, str]:
    """Look up the versions of Python and of the packages that can change a page."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in PACKAGES
    }


def folders_digest(*folders: Path) -> str:
    """Compute the SHA-256 of names and bytes of all files below folders, in their order."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_page(report: Path) -> tuple[str, Record]:
    """Read a report's page and its record.

    The record is within the page or, if the report has several pages, beside it.

    Parameters
    ----------
    report
        The HTML file, or its folder.

    Raises
    ------
    StorageError
        If the file is missing, or there is no record of this version.
    """
    path = report / "index.html" if report.is_dir() else report
    try:
        page = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{path}: could not be read ({error}). Expected a report's index.html, or its folder."
        ) from error
    beside = path.parent / "provenance.json"
    if not EMBEDDED.search(page) and beside.is_file():
        return page, read_record(beside)
    return page, read_embedded_record(page, where=str(path))


def read_embedded_record(page: str, *, where: str) -> Record:
    """Read the record within a page.

    Raises
    ------
    StorageError
        If the page contains no record of this version.
    """
    block = EMBEDDED.search(page)
    try:
        record: Any = json.loads(block[1]) if block else None
    except ValueError as error:
        raise StorageError(
            f"{where}: its record is damaged ({error}). Expected JSON as normreport embeds it. "
            "Copy the report again from its source."
        ) from error
    return _validate_record(record, where=where)


def read_record(path: Path) -> Record:
    """Read the record that lies beside a page.

    Raises
    ------
    StorageError
        If the file is missing or is not a record of this version.
    """
    return _validate_record(read_json(path), where=str(path))


def _validate_record(record: Any, *, where: str) -> Record:
    if not isinstance(record, dict) or "schema_version" not in record:
        raise StorageError(
            f"{where}: contains no record of a report. Expected a report's index.html, or its "
            "folder."
        )
    if record["schema_version"] != SCHEMA_VERSION:
        raise StorageError(
            f"{where}: its record is of version {record['schema_version']}, expected "
            f"{SCHEMA_VERSION}. Use the version of normreport that made the report."
        )
    try:
        return validate(Record, record, where=where)
    except ConfigError as error:
        raise StorageError(
            f"{where}: its record is damaged. Copy the report again from its source.\n"
            + str(error).partition("\n")[2]
        ) from error
