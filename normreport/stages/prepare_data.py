"""Write the images and labels of any source to one file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from normreport import sources
from normreport.config.base import parse
from normreport.config.data import DataSettings
from normreport.config.json_files import write_model
from normreport.config.manifests import ImagesManifest, ImagesPerClass, SkippedImage
from normreport.io import files
from normreport.io.checkpoints import Checkpoint
from normreport.source_code import package_versions, source_digest
from normreport.sources.fingerprint import files_digest


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
        # Skipping one image does not change the others.
        "settings": chosen.model_dump(mode="json", exclude={"source": {"skip_unreadable"}}),
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
    write_model(
        manifest,
        ImagesManifest(
            settings=chosen.without_place().model_dump(mode="json"),
            classes=tuple(data.classes),
            images_per_class=ImagesPerClass(
                train=class_counts(data.train_labels, len(data.classes)),
                heldout=class_counts(data.heldout_labels, len(data.classes)),
            ),
            skipped=tuple(SkippedImage(**asdict(image)) for image in data.skipped),
            digests=digests,
            files={images.name: files.file_digest(images)},
        ),
    )
    checkpoint.remove()


def class_counts(labels: NDArray[np.int64], classes: int) -> tuple[int, ...]:
    """Count the images of each class."""
    return tuple(np.bincount(labels, minlength=classes).tolist())
