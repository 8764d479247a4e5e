"""Check a configuration against what only torch and the data can tell, without training."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from normreport.config import Config, load_config
from normreport.configuration_files import read_values
from normreport.errors import StorageError
from normreport.own_files import check_own_files


def run(*, config: Sequence[Path]) -> None:
    """Print what would be trained; raise what would go wrong."""
    from normreport import sources, training  # take seconds to import, like the next

    checked = read_config(config)
    training.find_device(checked.training.device)
    _check_networks(checked)
    for settings in checked.data_sets().values():
        sources.find(settings)
    check_own_files(checked.report)
    _check_disk(Path("results"))
    runs = list(checked.runs())
    print(
        f"{len(runs)} runs of {checked.training.epochs} epochs: "
        f"{len(checked.experiment.models)} models x {len(checked.experiment.starts)} starts x "
        f"{len(checked.experiment.normalizations)} normalizations x "
        f"{len(checked.experiment.seeds)} seeds"
    )


def read_config(paths: Sequence[Path]) -> Config:
    """Read and validate a configuration; ``-`` is standard input.

    Of several files each is laid over those before it, as Snakemake does with ``--configfile``:
    groups are merged key by key, lists and values replaced.
    """
    values: dict[str, Any] = {}
    for path in paths:
        values = _laid_over(values, read_values(path))
    where = " + ".join(str(path) for path in paths)
    return load_config(values, where="configuration" if where == "-" else where)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _laid_over(old, value)
        else:
            merged[key] = value
    return merged


def _check_networks(config: Config) -> None:
    from normreport import networks
    from normreport.normalizations import published_meanstd

    needs_weights = any(start.startswith("pretrained") for start in config.experiment.starts)
    sizes = {"data.target.image_size_px": config.data.target.image_size_px}
    arms = set(config.experiment.normalizations)
    if config.is_pretrained_here:
        arms.add(config.pretraining.normalization)
    if "published_meanstd" in arms:
        sizes["the arm published_meanstd"] = published_meanstd.SIZE_PX
    for model in config.experiment.models:
        architecture = config.models[model].architecture or model
        own = config.models[model].architecture is None
        key = "experiment.models" if own else f"models.{model}.architecture"
        network = networks.outline(architecture, key=key)
        for decided_by, size in sizes.items():
            networks.check_inputs(network, size, model=model, key=decided_by)
        layers = config.models[model].layers
        networks.check_layers(networks.convolutions(network), layers, model=model)
        if needs_weights and not config.is_pretrained_here:
            networks.check_weights(architecture, config.pretrain_settings(model).weights)


def _check_disk(folder: Path) -> None:
    try:
        # Where results would lie; the folder above it before there are any.
        with tempfile.TemporaryFile(dir=folder if folder.exists() else folder.parent) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        raise StorageError(
            f"{folder.resolve()}: could not be written ({error.strerror}). Expected a folder that "
            "may be written, on a disk with free space. Mend the permissions or free some space."
        ) from error
