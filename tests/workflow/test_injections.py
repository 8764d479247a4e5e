"""No shell runs a name or a path of a user, through Snakemake and back."""

from __future__ import annotations

import json

import numpy as np
import torch
import torchvision
from PIL import Image

from tests.injections import INJECTIONS, TOUCHED

NAMES = [text for text in INJECTIONS if "/" not in text]


def test_no_name_of_a_folder_file_or_class_is_run_by_a_shell(clone):
    images = clone.folder / f"images {' '.join(NAMES)[:200]}"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    for number, name in enumerate(NAMES):
        (images / name).mkdir(parents=True)
        for text in NAMES[:4]:
            Image.fromarray(pixels + np.uint8(number)).save(images / name / f"{text}.png")
    weights = clone.folder / f"$(touch {TOUCHED}) '; touch {TOUCHED} ' \"weights\".pth"
    torch.save(torchvision.models.mobilenet_v2().state_dict(), weights)
    overlay = {
        "report": {
            "title": INJECTIONS[0],
            "authors": INJECTIONS,
            "abstract": "\n".join(INJECTIONS),
        },
        "experiment": {"models": ["mobilenet_v2"]},
        "models": {"mobilenet_v2": {"train_images": 20, "layers": ["first", "deep"]}},
        "data": {
            "target": {
                "source": {"kind": "imagefolder", "path": str(images)},
                "train_images": 20,
                "heldout_images": 10,
            }
        },
        "pretraining": {"weights": str(weights)},
    }
    (clone.folder / "my.yaml").write_text(json.dumps(overlay))  # JSON is YAML
    clone.snakemake(
        *("--cores", "1", "--configfile", "my.yaml", "--printshellcmds"),
        *("results/figures/examples.svg", "results/pretrained/mobilenet_v2/manifest.json"),
    )
    found = json.loads((clone.folder / "results/data/target/manifest.json").read_text())
    assert found["classes"] == sorted(NAMES)
    known = json.loads((clone.folder / "results/pretrained/mobilenet_v2/manifest.json").read_text())
    assert known["origin"]["settings"]["weights"] == str(weights)
    assert list(clone.folder.rglob(f"*{TOUCHED}")) == []
