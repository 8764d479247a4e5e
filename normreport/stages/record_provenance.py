"""Record what a report is made from, and describe its folder for machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport.config.base import parse
from normreport.config.figure_words import FigureWords
from normreport.config.json_files import read_model
from normreport.config.record import RecordSettings
from normreport.io import files
from normreport.provenance.record import FLOW, folders_digest, make_record
from normreport.provenance.ro_crate import crate
from normreport.source_code import run_modules, source_digest


def run(
    *,
    settings: str,
    results: Path,
    manifests: Sequence[Path],
    data: Sequence[Path],
    pretrained: Sequence[Path],
    figures: Sequence[Path],
    tables: Sequence[Path],
    templates: Sequence[Path],
    root: Path,
    record: Path,
    metadata: Path,
) -> None:
    """Write the record, and the RO-Crate that describes the report's folder."""
    words = [path.with_suffix(".json") for path in figures]
    rests_on = [results, *manifests, *data, *pretrained, *figures, *words, *tables]
    known = {path: files.file_digest(path) for path in rests_on}
    # The large files were read when their manifests were written.
    known |= {
        path.parent / name: digest
        for path in (*manifests, *data, *pretrained)
        for name, digest in files.read_json(path)["files"].items()
    }
    chosen = parse(RecordSettings, settings, where="record_provenance --settings")
    made = make_record(
        settings=chosen,
        results=files.read_json(results),
        manifests=[files.read_json(path) for path in manifests],
        data={path.parent.name: files.read_json(path) for path in data},
        pretrained=[files.read_json(path) for path in pretrained],
        figures=[read_model(FigureWords, path) for path in words],
        files={path.relative_to(root).as_posix(): digest for path, digest in known.items()},
        code={stage: source_digest(f"normreport.stages.{stage}") for stage in FLOW},
        training={
            arm: source_digest(*run_modules(arm)) for arm in chosen.config.experiment.normalizations
        },
        templates=folders_digest(*templates),
    )
    files.write_json(record, made)
    files.write_json(metadata, crate(made))
