"""Describe a report's folder as an RO-Crate 1.1.

The libraries for RO-Crates add times and random identifiers, which a reproducible report must not
contain, so the few entities are written here. Specification:
https://www.researchobject.org/ro-crate/specification/1.1/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from normreport.config.report import ReportSettings
from normreport.provenance.record import Record

Entity = dict[str, object]

METADATA = "ro-crate-metadata.json"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    # RO-Crate 1.1 has no term for a digest.
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".pdf": "application/pdf",
}
ABOUT = {
    "index.html": "The report",
    "report.pdf": "The report for print",
    "provenance.json": "What the report was made from: settings, digests, versions, verdicts",
    "results.json": "Every number of the report's prose",
    "data/runs.csv": "Every run",
    "data/cases.csv": "Every case of every claim",
}
# What the other files are, by their stems.
NAMES = {".csv": "What the figure {} shows", ".html": "The supplement's figures of {}"}


def describe_report(record: Record, report: ReportSettings, pages: Sequence[str]) -> Entity:
    """Describe the folder of a report as JSON-LD.

    Parameters
    ----------
    record
        The report's record. The report's folder contains the files of `record` below ``report/``
        and those that are made after it.
    report
        Title and authors.
    pages
        The paths of the HTML pages in the folder.
    """
    revision = record.revision
    digests = {
        path.removeprefix("report/"): digest
        for path, digest in record.files.items()
        if path.startswith("report/")
    }
    later = [*pages, "provenance.json", *(["report.pdf"] if record.with_pdf else [])]
    files = [_file(path, digests.get(path)) for path in sorted([*digests, *later])]
    authors: list[Entity] = [
        {"@id": f"#author-{number}", "@type": "Person", "name": name}
        for number, name in enumerate(report.authors, start=1)
    ]
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": report.title,
        "description": "Networks trained under several input normalizations, their weights "
        "measured, and every claim about them judged.",
        "license": {"@id": "https://spdx.org/licenses/MIT"},
        "mainEntity": {"@id": "index.html"},
        "hasPart": _references(files),
        "mentions": {"@id": "#making"},
    }
    # A report contains no other date than that of its commit.
    root |= {"datePublished": revision.date} if revision.date else {}
    root |= {"author": _references(authors)} if authors else {}
    software: Entity = {
        "@id": "#normreport",
        "@type": "SoftwareApplication",
        "name": "normreport",
        "softwareRequirements": [
            f"{name} {version}" for name, version in sorted(record.versions.items())
        ],
    }
    software |= {"version": revision.commit} if revision.commit else {}
    making: Entity = {
        "@id": "#making",
        "@type": "CreateAction",
        "name": "Train the networks, measure their weights, judge the claims, write the report",
        "instrument": {"@id": software["@id"]},
        "result": _references(files),
    }
    descriptor: Entity = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    license_: Entity = {
        "@id": "https://spdx.org/licenses/MIT",
        "@type": "CreativeWork",
        "name": "MIT License",
    }
    graph = [descriptor, root, *files, *authors, making, software, license_]
    return {"@context": CONTEXT, "@graph": graph}


def _file(path: str, digest: str | None) -> Entity:
    suffix = PurePosixPath(path).suffix
    known: Entity = {
        "@id": path,
        "@type": "File",
        "name": ABOUT.get(path) or NAMES[suffix].format(PurePosixPath(path).stem),
        "encodingFormat": FORMATS[suffix],
    }
    return known | ({"sha256": digest} if digest else {})


def _references(entities: list[Entity]) -> list[Entity]:
    return [{"@id": entity["@id"]} for entity in entities]
