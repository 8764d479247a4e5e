"""Record what a report is made from, and describe its folder as an RO-Crate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from normreport.config.base import parse
from normreport.config.figure_words import FigureWords
from normreport.config.json_files import read_model, write_model
from normreport.config.manifests import ImagesManifest, PretrainingManifest, RunManifest
from normreport.config.pages import ARTICLE, assign_pages
from normreport.config.record import RecordSettings
from normreport.config.results import Results
from normreport.config.tuning import TuningManifest
from normreport.io import files
from normreport.provenance.consistency import Manifests, check_manifests
from normreport.provenance.record import FLOW, CodeDigests, folders_digest, make_record
from normreport.provenance.ro_crate import describe_report
from normreport.provenance.stage_code import run_code
from normreport.source_code import source_digest


def run(
    *,
    settings: str,
    results: Path,
    manifests: Sequence[Path],
    data: Sequence[Path],
    pretrained: Sequence[Path],
    tuned: Sequence[Path] = (),
    figures: Sequence[Path],
    tables: Sequence[Path],
    templates: Sequence[Path],
    root: Path,
    record: Path,
    metadata: Path,
) -> None:
    """Write the record and the RO-Crate."""
    chosen = parse(RecordSettings, settings, where="record_provenance --settings")
    texts = [path.with_suffix(".json") for path in figures]
    words = [read_model(FigureWords, path) for path in texts]
    digests = digest_files(
        [results, *manifests, *data, *pretrained, *tuned, *figures, *texts, *tables]
    )
    trained = {path: read_model(RunManifest, path) for path in manifests}
    prepared = {path: read_model(ImagesManifest, path) for path in data}
    started = {path: read_model(PretrainingManifest, path) for path in pretrained}
    sweeps = [read_model(TuningManifest, path) for path in tuned if path.name == "manifest.json"]
    check_manifests(
        chosen.config.planned_inputs(),
        Manifests(
            data={path.parent.name: manifest for path, manifest in prepared.items()},
            pretrained=list(started.values()),
            sweeps=sweeps,
            runs=list(trained.values()),
        ),
    )
    # Other stages have digested the large files.
    large = [
        *((path.parent, manifest.files) for path, manifest in trained.items()),
        *((path.parent, manifest.files) for path, manifest in prepared.items()),
        *((path.parent, manifest.files) for path, manifest in started.items()),
    ]
    for folder, known in large:
        digests |= {folder / name: digest for name, digest in known.items()}
    arms = chosen.config.design.normalizations
    made = make_record(
        settings=chosen,
        results=read_model(Results, results),
        manifests=list(trained.values()),
        data={path.parent.name: manifest for path, manifest in prepared.items()},
        pretrained=list(started.values()),
        figures=words,
        files={path.relative_to(root).as_posix(): digest for path, digest in digests.items()},
        code=CodeDigests(
            stages={stage: source_digest(f"normreport.stages.{stage}") for stage in FLOW},
            training={arm: run_code(chosen.config.arm_inputs(arm)).digest() for arm in arms},
            templates=folders_digest(*templates),
        ),
    )
    write_model(record, made)
    pages = dict.fromkeys([ARTICLE, *assign_pages(words, len(made.runs))])
    files.write_json(metadata, describe_report(made, chosen.config.report, list(pages)))


def digest_files(paths: Iterable[Path]) -> dict[Path, str]:
    """Compute the digest of each file."""
    return {path: files.file_digest(path) for path in paths}
