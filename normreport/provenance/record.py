"""A report's record: what it was made from, as digests, settings, versions and verdicts.

The record lies beside the report and inside it. ``normreport verify`` compares a report with
results by it, ``normreport diff`` two reports. It holds no clock, no name
of a machine and no path but those that the configuration itself gives: equal results of equal code
and configuration give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from normreport.config.base import Settings, validate
from normreport.config.figure_words import FigureWords
from normreport.config.record import RecordSettings, Revision
from normreport.errors import ConfigError, StorageError
from normreport.io.files import read_json, text_digest

SCHEMA_VERSION = 1
RESULTS = "report/results.json"
# The stages that decide a page, in the order of the flow.
FLOW = (
    "prepare_data", "pretrain_model", "train_run", "digest_weights", "measure_weights",
    "compare_arms", "judge_claims", "draw_figure", "record_provenance", "render_html",
)  # fmt: skip
# The packages whose version can change a page, and the first stage that each takes part in.
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
    "jinja2": "render_html",
    "rcssmin": "render_html",
    "rjsmin": "render_html",
    "pydantic": "prepare_data",
    "snakemake": "prepare_data",
}
# A data block: never executed, so that a page without scripts stays one.
OPENING = '<script type="application/json" id="record">'
EMBEDDED = re.compile(re.escape(OPENING) + "(.*?)</script>", re.S)
OF_A_RUN = ("id", "state", "epochs", "train_loss", "heldout_loss", "heldout_accuracy")
Digests = dict[str, str]


class Case(Settings):
    """A case of a claim: what two reports are compared by."""

    verdict: str
    mean: float | None
    low: float | None
    high: float | None


class Claim(Settings):
    """A claim with its cases, by their names."""

    verdict: str
    cases: dict[str, Case]


class RecordedRun(Settings):
    """A run's outcome, and the digests of what went into it and came out."""

    id: Annotated[str, Field(pattern=r"^[^/]+/[^/]+/[^/]+/[^/]+$")]
    state: str
    epochs: int
    train_loss: float | None
    heldout_loss: float | None
    heldout_accuracy: float | None
    code: str
    data: str
    order: str
    initial_weights: str
    final_weights: str | None
    pretrained: str | None
    older_code: bool


class RecordedFigure(Settings):
    """What a figure was made from, and digests of its words."""

    number: int
    settings: dict[str, Any]
    inputs: str
    code: str
    caption: str
    alt: str


class Record(Settings):
    """A whole record, as `make_record` makes it and pages hold it."""

    schema_version: Literal[1]
    config: dict[str, Any]
    """As resolved by the version that made the report: another may have other keys."""
    revision: Revision
    with_pdf: bool
    versions: dict[str, str]
    code: Digests
    templates: str
    files: Digests
    data: dict[str, Digests]
    pretrained: dict[str, Digests]
    figures: dict[str, RecordedFigure]
    trained_with: list[dict[str, str]]
    runs: list[RecordedRun]
    claims: dict[str, Claim]
    headline: dict[str, Any]


def make_record(
    *,
    settings: RecordSettings,
    results: Mapping[str, Any],
    manifests: Sequence[Mapping[str, Any]],
    data: Mapping[str, Mapping[str, Any]],
    pretrained: Sequence[Mapping[str, Any]],
    figures: Sequence[FigureWords],
    files: Mapping[str, str],
    code: Mapping[str, str],
    training: Mapping[str, str],
    templates: str,
) -> dict[str, Any]:
    """Put a report's record together.

    Parameters
    ----------
    settings
        Configuration and commit.
    results
        What ``judge_claims`` wrote.
    manifests
        One per run that did not fail, in the order of the results' runs.
    data
        The manifest of each data set, by its name.
    pretrained
        The manifests of the pretrained weights.
    figures
        The words of each figure, in the order of their numbers.
    files
        Digest of every file that the page rests on, by its path below the results' folder.
    code
        Digest of the source files of each stage.
    training
        Digest of the source files that train a run, by its arm.
    templates
        Digest of the templates.
    """
    numbers = summary(results)
    return {
        "schema_version": SCHEMA_VERSION,
        **settings.model_dump(mode="json"),
        "versions": versions(),
        "code": dict(code),
        "templates": templates,
        "files": dict(files),
        "data": {name: manifest["digests"] for name, manifest in data.items()},
        "pretrained": {manifest["model"]: manifest["digests"] for manifest in pretrained},
        "figures": {
            words.id: {
                **words.made_from.model_dump(mode="json"),
                "number": number,
                "caption": text_digest(words.caption),
                "alt": text_digest(words.alt),
            }
            for number, words in enumerate(figures, start=1)
        },
        "trained_with": _distinct(manifest["versions"] for manifest in manifests),
        **numbers,
        "runs": [
            row
            | _digests(manifest)
            | {"older_code": manifest["digests"]["code"] != training[row["id"].split("/")[2]]}
            for row, manifest in zip(numbers["runs"], manifests, strict=True)
        ],
    }


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a record keeps of the results: runs, verdicts, effects, headline tables."""
    return {
        "runs": [
            {key: row[key] for key in OF_A_RUN}
            for row in results["runs"]
            if row["state"] != "FAILED"  # it has nothing to be made from
        ],
        "claims": {claim["id"]: _judged(claim) for claim in results["claims"]},
        "headline": results["headline"],
    }


def _digests(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Digests of what went into a run and came out; one digest for the four arrays of images."""
    found = dict(manifest["digests"])
    return {
        **found,
        "data": text_digest(" ".join(found["data"][key] for key in sorted(found["data"]))),
    }


def _distinct(found: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    distinct: list[dict[str, str]] = []
    for item in found:
        if item not in distinct:
            distinct.append(item)
    return distinct


def _judged(claim: Mapping[str, Any]) -> dict[str, Any]:
    """Give verdict and effects of a claim: what two reports are compared by."""
    return {
        "verdict": claim["verdict"],
        "cases": {
            case_name(case["place"]): {
                "verdict": case["verdict"],
                **{key: (case["effect"] or {}).get(key) for key in ("mean", "low", "high")},
            }
            for case in claim["cases"]
        },
    }


def case_name(place: Mapping[str, Any] | None) -> str:
    """Name a case by its place: ``vgg16, scratch, features.0, raw - unit``."""
    if place is None:
        return ""
    names = [" - ".join(place[key]) for key in ("models", "starts", "layers")]
    return ", ".join(filter(None, [*names, place["contrast"]["label"]]))


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change a page."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in PACKAGES
    }


def folders_digest(*folders: Path) -> str:
    """SHA-256 over names and bytes of all files below folders, one folder after the other."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_page(report: Path) -> tuple[str, dict[str, Any]]:
    """Read a report, an HTML file or its folder: the page, and the record within it.

    Raises
    ------
    StorageError
        If there is no such file, or no record in it that this version knows.
    """
    path = report / "index.html" if report.is_dir() else report
    try:
        page = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{path}: could not be read ({error}). Expected a report's index.html, or its folder; "
            "give that one."
        ) from error
    return page, embedded_record(page, where=str(path))


def embedded_record(page: str, *, where: str) -> dict[str, Any]:
    """Read the record out of a page.

    Raises
    ------
    StorageError
        If the page has none, or one that this version does not know.
    """
    block = EMBEDDED.search(page)
    try:
        record: Any = json.loads(block[1]) if block else None
    except ValueError as error:
        raise StorageError(
            f"{where}: its record is damaged ({error}). Expected JSON as normreport embeds it; "
            "take the report from where it was made."
        ) from error
    return checked_record(record, where=where)


def read_record(path: Path) -> dict[str, Any]:
    """Read the record that lies beside a page.

    Raises
    ------
    StorageError
        If there is none, or one that this version does not know.
    """
    return checked_record(read_json(path), where=str(path))


def checked_record(record: Any, *, where: str) -> dict[str, Any]:
    """Check that a value is a record of this version.

    Raises
    ------
    StorageError
        If it is not.
    """
    if not isinstance(record, dict) or "schema_version" not in record:
        raise StorageError(
            f"{where}: holds no record of what it was made from. Expected a report's index.html, "
            "or its folder; give that one."
        )
    if record["schema_version"] != SCHEMA_VERSION:
        raise StorageError(
            f"{where}: its record is of version {record['schema_version']}, expected "
            f"{SCHEMA_VERSION}. Use the normreport that it was made with."
        )
    try:
        validate(Record, record, where=where)
    except ConfigError as error:
        raise StorageError(
            f"{where}: its record is damaged; take the report from where it was made.\n"
            + str(error).partition("\n")[2]
        ) from error
    return record
