"""Check a configuration against what only torch and the data can tell, without training."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from normreport.config import Config, load_config
from normreport.errors import ConfigError, StorageError


def run(*, config: Path) -> None:
    """Print what would be trained; raise what would go wrong."""
    from normreport import sources  # takes seconds to import, like the next

    checked = read_config(config)
    _check_networks(checked)
    sources.load(checked.data.target)
    if checked.is_pretrained_here:
        sources.load(checked.data.pretraining)
    _check_disk(Path("results"))
    runs = list(checked.runs())
    print(
        f"{len(runs)} runs of {checked.training.epochs} epochs: "
        f"{len(checked.experiment.models)} models x {len(checked.experiment.starts)} starts x "
        f"{len(checked.experiment.normalizations)} normalizations x "
        f"{len(checked.experiment.seeds)} seeds"
    )


def read_config(path: Path) -> Config:
    """Read and validate a configuration; ``-`` is standard input."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        values: Any = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: could not be read ({error}). Expected a YAML file.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not YAML ({error}). Mend the syntax.") from error
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: expected keys and values, found {type(values).__name__}.")
    return load_config(values, where="config.yaml" if str(path) == "-" else str(path))


def _check_networks(config: Config) -> None:
    import torch

    from normreport import networks

    for model in config.experiment.models:
        with torch.device("meta"):
            architecture = config.models[model].architecture or model
            convolutions = networks.convolutions(networks.stock(architecture, seed=0))
        networks.check_layers(convolutions, config.models[model].layers, model=model)


def _check_disk(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        raise StorageError(
            f"{folder.resolve()}: could not be written ({error.strerror}). Expected a folder that "
            "may be written, on a disk with free space. Mend the permissions or free some space."
        ) from error
