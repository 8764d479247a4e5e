"""Any source of images to one file of uint8 images and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normreport import files, sources
from normreport.settings.base import parse
from normreport.settings.data import DataSettings


def run(*, settings: str, images: Path, manifest: Path) -> None:
    """Write the images and what is known of them."""
    chosen = parse(DataSettings, settings, where="prepare_data --settings")
    data = sources.load(chosen)
    arrays: dict[str, NDArray[Any]] = {
        "train_images": data.train_images,
        "train_labels": data.train_labels,
        "heldout_images": data.heldout_images,
        "heldout_labels": data.heldout_labels,
    }
    files.write_arrays(images, arrays)
    counts = {
        split: np.bincount(labels, minlength=len(data.classes)).tolist()
        for split, labels in (("train", data.train_labels), ("heldout", data.heldout_labels))
    }
    files.write_json(
        manifest,
        {
            "settings": chosen.model_dump(mode="json"),
            "classes": data.classes,
            "images_per_class": counts,
            "digests": {name: files.array_digest(array) for name, array in arrays.items()},
        },
    )
