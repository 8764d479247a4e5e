"""Validate a configuration with torch and the data, without training."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from normreport.config.experiment import Config, load_config, with_layer_paths
from normreport.config.report import ReportSettings
from normreport.config.yaml_files import read_values
from normreport.errors import StorageError
from normreport.report.user_files import TEMPLATES, check_own_files
from normreport.text.language import MESSAGES, find_catalogue, read_catalogue, untranslated

RESIZING = "published_meanstd"  # the only normalization that resizes


def run(*, config: Sequence[Path], quick: bool = False) -> None:
    """Print the runs and their cost; raise an error for anything that would fail later."""
    from normreport import sources
    from normreport.training import networks
    from normreport.training.devices import find_device

    checked = with_layer_paths(
        read_config(config),
        lambda architecture, key: list(
            networks.shape_only_network(architecture, key=key).measured_layers()
        ),
    )
    find_device(checked.training.device)
    _check_networks(checked)
    for settings in checked.data_sets().values():
        sources.list_images(settings)
    check_own_files(checked.report)
    _print_language(checked.report)
    results = Path("results")
    _check_disk(results)
    runs = list(checked.runs())
    print(
        f"{len(runs)} runs of {checked.training.epochs} epochs: "
        f"{len(checked.experiment.models)} models x {len(checked.experiment.starts)} starts x "
        f"{len(checked.experiment.normalizations)} normalizations x "
        f"{len(checked.experiment.seeds)} seeds"
    )
    if not quick:
        _print_estimates(checked, results)


def read_config(paths: Sequence[Path]) -> Config:
    """Read and validate a configuration; ``-`` is standard input.

    Later files override earlier ones, as with Snakemake's ``--configfile``: groups are merged key
    by key, lists and values are replaced.
    """
    values: dict[str, Any] = {}
    for path in paths:
        values = _merged(values, read_values(path))
    where = " + ".join(str(path) for path in paths)
    return load_config(values, where="configuration" if where == "-" else where)


def _merged(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in override.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def _check_networks(config: Config) -> None:
    from normreport.training import networks
    from normreport.training.pretrained_weights import adapt, is_weights_file, read_state_dict
    from normreport.training.torchvision_weights import find_weights

    needs_weights = any(start.startswith("pretrained") for start in config.experiment.starts)
    for model in config.experiment.models:
        architecture, key = config.architecture(model)
        for decided_by, size in {_size_key(arm): px for arm, px in _sizes(config).items()}.items():
            network = networks.shape_only_network(
                architecture, image_size_px=size, key=key, size_key=decided_by
            )
        networks.check_layers(network.layers(), config.models[model].layers, model=model)
        if needs_weights and not config.is_pretrained_here:
            weights = config.pretrain_settings(model).weights
            if is_weights_file(weights):
                state = read_state_dict(Path(weights))
                adapt(state, network.module, head=network.head, source=weights)
            else:
                find_weights(architecture, weights)


def _sizes(config: Config) -> dict[str, int]:
    """Return the height and width of the images under each normalization."""
    from normreport.normalizations import published_meanstd

    arms = [*config.experiment.normalizations]
    if config.is_pretrained_here:
        arms.append(config.pretraining.normalization)
    size = config.data.target.image_size_px
    return {arm: published_meanstd.SIZE_PX if arm == RESIZING else size for arm in arms}


def _size_key(arm: str) -> str:
    return f"the arm {arm}" if arm == RESIZING else "data.target.image_size_px"


def _print_language(report: ReportSettings) -> None:
    """Print how many messages of a report in another language would stay English."""
    path = find_catalogue(report.language, report.template_folders(TEMPLATES))
    if path:
        messages = read_catalogue(TEMPLATES / MESSAGES)
        missing = untranslated(read_catalogue(path), messages)
        print(f"{path}: {len(missing)} of {len(messages)} messages are not translated", end="")
        print(f" and stay English; the first is {missing[0]!r}" if missing else "")


def _print_estimates(config: Config, results: Path) -> None:
    from normreport.plan.estimates import estimates, format_duration, total_cost
    from normreport.plan.figure_index import figure_index
    from normreport.training.devices import find_device

    per_model = []
    for estimate in estimates(config, _sizes(config)):
        per_model.append(estimate)
        run = estimate.run
        each = f"{format_duration(run.seconds)} and {run.kept_bytes / 1e6:,.0f} MB each"
        pretraining = estimate.pretraining
        print(
            f"{estimate.model}: {estimate.runs} runs of about {each}"
            + (f"; pretraining about {format_duration(pretraining.seconds)}" if pretraining else "")
        )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    on_cpu = find_device(config.training.device).type == "cpu"
    at_a_time = max(1, (cores or 1) // config.training.threads) if on_cpu else 1
    total = total_cost(config, per_model, at_a_time=at_a_time, cores=cores or 1)
    free = shutil.disk_usage(results if results.exists() else ".").free
    print(
        f"A full build: about {format_duration(total.seconds)} on {cores} cores with {at_a_time} "
        f"trainings in parallel, {total.kept_bytes / 1e9:.1f} GB of disk "
        f"({free / 1e9:.1f} GB free), "
        f"{len(list(figure_index(config)))} figures"
    )


def _check_disk(folder: Path) -> None:
    try:
        # Before the first build, the parent folder decides.
        with tempfile.TemporaryFile(dir=folder if folder.exists() else folder.parent) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        raise StorageError(
            f"{folder.resolve()}: could not be written ({error.strerror}). Expected a writable "
            "folder on a disk with free space. Change the permissions or free some space."
        ) from error
