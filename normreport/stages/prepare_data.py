"""Any source of images to one file of uint8 images and labels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from normreport import sources
from normreport.config.base import parse
from normreport.config.data import DataSettings
from normreport.io import files
from normreport.io.checkpoints import Checkpoint
from normreport.source_code import package_versions, source_digest
from normreport.sources.fingerprint import files_digest


def run(
    *, settings: str, images: Path, manifest: Path, checkpoints: Path, threads: int = 1
) -> None:
    """Write the images and what is known of them.

    A decoding that was killed, or that an image ended which could not be read, goes on and ends in
    the same bytes: of the images that its last checkpoint tells of, those that lie in the
    unfinished file as they were put there are not read again. Of other settings, files, code or
    versions none is used, so that it begins anew where an image was mended; it goes on where
    `skip_unreadable` was set instead.
    """
    chosen = parse(DataSettings, settings, where="prepare_data --settings")
    splits = sources.find(chosen)
    inputs = {
        # Each image is what it is, whether others are skipped or not.
        "settings": chosen.model_dump(mode="json", exclude={"source": {"skip_unreadable"}}),
        "data": files_digest(chosen.source, is_fetched=True),
        "code": source_digest(__name__),
        "versions": package_versions(__name__),
    }
    checkpoint = Checkpoint(checkpoints, inputs)
    checksums = checkpoint.load() or {}
    shapes = sources.shapes(chosen)
    with files.arrays_in_place(images, shapes, progress=checkpoint.path) as arrays:
        data = sources.load(
            splits,
            arrays,
            skip=getattr(chosen.source, "skip_unreadable", False),
            threads=threads,
            checksums=checksums,
            after_batch=lambda: checkpoint.save_if_due(lambda: checksums),
        )
        digests = {name: files.array_digest(array) for name, array in arrays.items()}
    counts = {
        split: np.bincount(labels, minlength=len(data.classes)).tolist()
        for split, labels in (("train", data.train_labels), ("heldout", data.heldout_labels))
    }
    files.write_json(
        manifest,
        {
            "settings": chosen.without_place().model_dump(mode="json"),
            "classes": data.classes,
            "images_per_class": counts,
            "skipped": [asdict(image) for image in data.skipped],
            "digests": digests,
            "files": {images.name: files.file_digest(images)},
        },
    )
    checkpoint.remove()
