"""Any source of images to one file of uint8 images and labels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from normreport import files, sources
from normreport.settings.base import parse
from normreport.settings.data import DataSettings


def run(*, settings: str, images: Path, manifest: Path, threads: int = 1) -> None:
    """Write the images and what is known of them."""
    chosen = parse(DataSettings, settings, where="prepare_data --settings")
    with files.arrays_in_place(images, sources.shapes(chosen)) as arrays:
        data = sources.load(chosen, arrays=arrays, threads=threads)
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
