"""Write the images and labels of any source to one file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from normreport import sources
from normreport.config.base import parse
from normreport.config.data import DataSettings
from normreport.config.json_files import write_model
from normreport.config.manifests import (
    ImagesManifest,
    ImagesPerClass,
    SkippedImage,
    UnusedFiles,
)
from normreport.io import files
from normreport.io.checkpoints import Checkpoint
from normreport.source_code import package_versions, source_digest
from normreport.sources.class_counts import (
    ClassCounts,
    describe_counts,
    describe_unused,
    find_weak_classes,
)
from normreport.sources.fingerprint import files_digest
from normreport.sources.pool import Unused


def run(
    *, settings: str, images: Path, manifest: Path, checkpoints: Path, threads: int = 1
) -> None:
    """Write the images, uint8, with their labels, and their manifest.

    If the process is killed, or stops at an image that cannot be read, the next one resumes from
    the last checkpoint and ends in the same bytes. It reuses an image of the unfinished file only
    if the checksum matches. A checkpoint of other settings, files, code or versions is not used,
    but a changed `skip_unreadable` does not matter.
    """
    chosen = parse(DataSettings, settings, where="prepare_data --settings")
    splits = sources.list_images(chosen)
    inputs = {
        # Skipping or accepting one image does not change the others.
        "settings": chosen.model_dump(
            mode="json", exclude={"source": {"skip_unreadable", "max_megapixels"}}
        ),
        "data": files_digest(chosen.source, is_fetched=True),
        "code": source_digest(__name__),
        "versions": package_versions(__name__),
    }
    checkpoint = Checkpoint(checkpoints, inputs)
    checksums = checkpoint.load() or {}
    shapes = sources.array_shapes(chosen)
    with files.arrays_in_place(images, shapes, progress=checkpoint.path) as arrays:
        data = sources.load_images(
            splits,
            arrays,
            skip=getattr(chosen.source, "skip_unreadable", False),
            threads=threads,
            checksums=checksums,
            after_batch=lambda: checkpoint.save_if_due(lambda: checksums),
        )
        digests = {name: files.array_digest(array) for name, array in arrays.items()}
    counts = ClassCounts.of_labels(data.classes, data.train_labels, data.heldout_labels)
    _print_classes(counts, splits.unused)
    write_model(
        manifest,
        ImagesManifest(
            settings=chosen.without_place().model_dump(mode="json"),
            classes=counts.classes,
            images_per_class=ImagesPerClass(
                train=tuple(counts.train.tolist()), heldout=tuple(counts.heldout.tolist())
            ),
            skipped=tuple(SkippedImage(**asdict(image)) for image in data.skipped),
            unused=tuple(UnusedFiles(**asdict(each)) for each in splits.unused),
            digests=digests,
            files={images.name: files.file_digest(images)},
        ),
    )
    checkpoint.remove()


def _print_classes(counts: ClassCounts, unused: Sequence[Unused]) -> None:
    lines = [describe_counts(counts)]
    if unused:
        lines.append(f"not used: {describe_unused(unused)}")
    lines += [f"warning: {line}" for line in find_weak_classes(counts)]
    print(*lines, sep="\n", file=sys.stderr, flush=True)
