"""Check that a report matches its results: data, figures, numbers and sentences."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

from normreport.commands.diff import number_lines
from normreport.config.experiment import Config, load_config
from normreport.config.figure_words import SUPPLEMENT
from normreport.config.json_files import read_model
from normreport.config.pages import ARTICLE
from normreport.config.results import Results
from normreport.errors import ConfigError, RebuildError, StorageError
from normreport.io import files
from normreport.io.tables import read_tables
from normreport.plan import paths
from normreport.plan.figure_index import figure_index
from normreport.provenance.consistency import Manifests, find_mismatches
from normreport.provenance.differences import (
    Comparison,
    compare_records,
    find_changes,
    largest_difference,
)
from normreport.provenance.record import (
    RESULTS,
    Record,
    folders_digest,
    read_page,
    read_record,
    update_record,
)
from normreport.provenance.verification import PagePart, compare_pages, compare_tables
from normreport.source_code import ROOT
from normreport.stages import render_html

# What a build creates; a rebuild creates its own.
BUILD_OUTPUTS = frozenset({".git", ".snakemake", "config.yaml", "logs", "public", "results"})
# Name at most this many files: on another kind of processor nearly all files differ.
MAX_NAMED = 3


def run(
    *, report: Path, results: Path | None, rebuild: bool, tolerance: float | None = None
) -> int:
    """Print "identical" or the differences.

    Returns
    -------
    int
        1 if there are differences, unless they are within the tolerance; 0 otherwise.
    """
    if tolerance is not None and not rebuild:
        raise ConfigError(
            "--tolerance: expected with --rebuild. Without a rebuild, a report and its results "
            "must agree in every byte."
        )
    page, record = read_page(report)
    folder = report if report.is_dir() else report.parent
    beside = results or folder.resolve().parent
    with tempfile.TemporaryDirectory() if rebuild else nullcontext(beside) as root:
        at_hand = _rebuilt(record, Path(root)) if rebuild else beside
        there = _record_of(record, at_hand, rebuilt=rebuild)
        found = compare_records(record, there)
        claimed = read_model(Results, at_hand / RESULTS).claims
        lines = [
            *_settings(record, at_hand),
            *_data(record, there, beside, at_hand),
            *_record(record, there, found),
            *_pages(page, folder, record, at_hand),
        ]
    if not lines:
        print(
            f"identical: {len(record.files)} files of data, {len(record.figures)} figures, "
            f"{len(record.claims)} verdicts, every number and every sentence"
        )
        return 0
    print("different (report → results):")
    print("\n".join(lines))
    claims = len(record.claims)
    difference = largest_difference(number.relative for number in found.numbers)
    print(f"{claims - len(found.verdicts)} of {claims} verdicts agree, {_agreement(difference)}.")
    if tolerance is None:
        return 1
    apart = _largest_in_margins(record, there, {each.id: each.axis_margin for each in claimed})
    is_within = apart <= tolerance and not found.verdicts
    changed = f"{len(found.verdicts)} of {claims} verdicts differ" if found.verdicts else ""
    print(
        f"{'Accepted' if is_within else 'Not accepted'}: {changed or 'no verdict differs'}, and "
        f"effects differ by at most {apart:.2g} of their claims' margins (tolerance {tolerance:g})."
    )
    return 0 if is_within else 1


def _largest_in_margins(
    record: Record, there: Record, margins: Mapping[str, float | None]
) -> float:
    """Return the largest difference of an effect as a share of its claim's margin.

    It is infinite for an effect that only one side has, and for a different effect of an exact
    claim, which has no margin.
    """
    apart = [0.0]
    for name, claim in record.claims.items():
        others = there.claims[name].cases if name in there.claims else {}
        for place in {*claim.cases, *others}:
            sides = [cases.get(place) for cases in (claim.cases, others)]
            one, other = (side.mean if side else None for side in sides)
            if None not in sides and one == other:
                continue
            margin = margins.get(name)
            if one is None or other is None or not margin:
                return math.inf
            apart.append(abs(one - other) / margin)
    return max(apart)


def _agreement(difference: float) -> str:
    if math.isinf(difference):
        return "and some numbers have no counterpart"
    return f"numbers to {difference:.2g} relative" if difference else "every number"


def _rebuilt(record: Record, folder: Path) -> Path:
    """Rebuild the report of a record's configuration; return the folder of its results.

    Relative paths in the configuration lead to the files of the current folder.
    """
    clone, study = folder / "clone", folder / "study"
    for origin, copy in ((ROOT, clone), (Path.cwd(), study)):
        copy.mkdir()
        for entry in origin.iterdir():
            if entry.name not in BUILD_OUTPUTS:
                (copy / entry.name).symlink_to(entry)
    files.write_json(clone / "config.yaml", dict(record.config))  # JSON is YAML
    done = subprocess.run(
        ["snakemake", "--cores", "all", "--snakefile", str(clone / "Snakefile"), paths.HTML],
        cwd=study,
        # Use the programs beside this Python, and the code here.
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(clone),
        },
        stdout=sys.stderr,
        check=False,
    )
    if done.returncode:
        raise RebuildError(
            f"the report could not be rebuilt: snakemake exited with status {done.returncode}. "
            "The cause is printed above; correct it and run the same command again."
        )
    return study / paths.RESULTS


def _record_of(record: Record, root: Path, *, rebuilt: bool) -> Record:
    """Return the record of the results in a folder, updated from the current files."""
    missing = [path for path in record.files if not (root / path).is_file()]
    if missing:
        raise StorageError(
            f"{root}: {len(missing)} of the report's {len(record.files)} files are missing, the "
            f"first is {missing[0]}. Expected the folder of all results; pass it as --results, or "
            "use --rebuild."
        )
    there = update_record(
        read_record(root / "report/provenance.json"),
        results=read_model(Results, root / RESULTS),
        files={path: files.file_digest(root / path) for path in record.files},
        templates=folders_digest(*_config(record).report.template_folders(ROOT / "templates")),
    )
    if rebuilt:
        # A rebuild has neither commit nor PDF.
        there = there.model_copy(update={"revision": record.revision, "with_pdf": record.with_pdf})
    return there


def _settings(record: Record, root: Path) -> Iterator[str]:
    """Yield the results that were not made with the settings of the report's configuration."""
    manifests = Manifests.read(root, record.files)
    for line in find_mismatches(_config(record).planned_inputs(), manifests):
        yield f"settings: {line}"


def _data(record: Record, there: Record, beside: Path, root: Path) -> Iterator[str]:
    """Yield the files that differ, with the differences per column for tables of the report."""
    others = []
    for path, digest in record.files.items():
        if there.files[path] == digest:
            continue
        original = beside / path
        known = original.is_file() and files.file_digest(original) == digest
        if path.endswith(".csv") and known:
            columns = compare_tables(read_tables([original]), read_tables([root / path]))
            yield f"data: {path} differs"
            yield from (f"  {column}: {amount}" for column, amount in columns.items())
        else:
            others.append(path)
    if others:
        more = f" and {len(others) - MAX_NAMED} more" if len(others) > MAX_NAMED else ""
        yield f"data: changed since the report was built: {', '.join(others[:MAX_NAMED])}{more}"


def _record(record: Record, there: Record, found: Comparison) -> Iterator[str]:
    """Yield the verdicts, numbers and other entries of the record that differ."""
    yield from (f"verdict: {effect.name}: {effect.what}" for effect in found.verdicts)
    yield from (f"numbers: {line}" for line in number_lines(found.numbers))
    listed = {change.name for change in found.numbers}
    values, values_there = (side.model_dump(mode="json") for side in (record, there))
    for key in sorted(values.keys() - {"files"}):
        rest = [
            change for change in find_changes(values[key], values_there[key], key)
            if change.name not in listed and not change.name.endswith(".verdict")
        ]  # fmt: skip
        if rest:
            more = f" and {len(rest) - 1} more" if len(rest) > 1 else ""
            yield f"record: {rest[0].name}: {rest[0].old} in the report, {rest[0].new} here{more}"


def _pages(article: str, folder: Path, record: Record, root: Path) -> Iterator[str]:
    """Yield each part of the pages that differs from the pages rendered from the results."""
    config = _config(record)
    planned = [figure.id for figure in figure_index(config)]
    in_order = sorted(record.figures, key=lambda name: _position(name, planned, record))
    expected = render_html.render_pages(
        config.render_settings(with_pdf=record.with_pdf),
        root / RESULTS,
        record,
        [root / f"figures/{name}.svg" for name in in_order],
        config.report.template_folders(ROOT / "templates"),
        Path(config.report.logo) if config.report.logo else None,
        medium="screen",
    )
    shown = {ARTICLE: article} | {
        path: (folder / path).read_text(encoding="utf-8", errors="replace")
        for path in expected
        if path != ARTICLE and (folder / path).is_file()
    }
    for path, page in expected.items():
        if path not in shown:
            yield f"page: {path} is missing"
            continue
        where = "" if path == ARTICLE else f"{path}, "
        for part, difference in compare_pages(shown[path], page).items():
            yield f"{part.kind}: {where}{_place(part, record)}: {difference}"


def _position(name: str, planned: list[str], record: Record) -> tuple[int, str, int]:
    """Return where a figure comes: as planned; other figures follow by their numbers."""
    number = record.figures[name].number
    digits = number.lstrip(SUPPLEMENT)
    place = planned.index(name) if name in planned else len(planned)
    return place, number.removesuffix(digits), int(digits)


def _config(record: Record) -> Config:
    return load_config(record.config, where="the report's configuration")


def _place(part: PagePart, record: Record) -> str:
    figure = record.figures.get(part.place)
    return f"Figure {figure.number} ({part.place})" if figure else f"#{part.place}"
