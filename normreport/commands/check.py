"""Validate a configuration with torch and the data, without training."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normreport.config.design import LISTS, Design
from normreport.config.experiment import Config, load_config, with_layer_paths
from normreport.config.report import ReportSettings
from normreport.config.yaml_files import read_values
from normreport.errors import StorageError
from normreport.report.user_files import TEMPLATES, check_own_files
from normreport.source_code import ROOT
from normreport.text.language import MESSAGES, find_catalogue, read_catalogue, untranslated

if TYPE_CHECKING:
    from normreport.sources.pool import SourceImages

RESIZING = "published_meanstd"  # the only normalization that resizes


def run(*, config: Sequence[Path], quick: bool = False) -> None:
    """Print the runs and their cost; raise an error for anything that would fail later."""
    from normreport import sources
    from normreport.report.chosen_claims import chosen_claims
    from normreport.training import networks
    from normreport.training.devices import find_device

    checked = with_layer_paths(
        read_config(config),
        lambda architecture, key: list(
            networks.shape_only_network(architecture, key=key).measured_layers()
        ),
    )
    find_device(checked.training.device)
    chosen_claims(checked.claims)
    _check_arms(checked)
    _check_networks(checked)
    images = {name: sources.list_images(data) for name, data in checked.data_sets().items()}
    check_own_files(checked.report)
    _print_language(checked.report)
    results = Path("results")
    _check_disk(results)
    runs = list(checked.runs())
    print(f"{len(runs)} runs of {checked.training.epochs} epochs: {_describe(checked.design)}")
    for name, source in images.items():
        _print_classes(name, source, checked)
    if not quick:
        _print_estimates(checked, results)


def _describe(design: Design) -> str:
    """Count the values of each key, and their combinations that are not run."""
    counts = {name: len(getattr(design, name)) for name in LISTS.values()}
    combinations = " x ".join(f"{count} {name}" for name, count in counts.items())
    absent = math.prod(counts.values()) - len(design.runs)
    return f"{combinations}, minus {absent} combinations" if absent else combinations


def read_config(paths: Sequence[Path]) -> Config:
    """Read and validate a configuration; ``-`` is standard input.

    Later files override earlier ones, as with Snakemake's ``--configfile``: groups are merged key
    by key, lists and values are replaced. Without files, these are the ones that the Snakefile
    reads.
    """
    values: dict[str, Any] = {}
    for path in paths or default_files():
        values = _merged(values, read_values(path))
    where = " + ".join(str(path) for path in paths or default_files())
    return load_config(values, where="configuration" if where == "-" else where)


def default_files() -> list[Path]:
    """List the default configuration and, in the folder of a study, its own."""
    default, own = ROOT / "config.yaml", Path("config.yaml")
    return [default, *([own] if own.exists() and not own.samefile(default) else [])]


def _merged(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in override.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def _check_arms(config: Config) -> None:
    """Apply the normalizations that the configuration defines to a few images of noise.

    Unused arms are included, because the workflow asks for their files, too.
    """
    import numpy as np

    from normreport.normalizations import normalize

    size = config.data.target.image_size_px
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    for normalization in config.own_inputs(config.arms).values():
        normalize(images, normalization, images)


def _check_networks(config: Config) -> None:
    from normreport.training import networks
    from normreport.training.checkpoint_files import describe_unwrapping, read_checkpoint
    from normreport.training.pretrained_weights import adapt
    from normreport.training.torchvision_weights import cached_path, find_weights
    from normreport.training.weights_files import weights_file

    for model in config.design.models:
        architecture, key = config.architecture(model)
        sizes = {_size_key(config, arm): px for arm, px in _sizes(config, [model]).items()}
        for decided_by, size in sizes.items():
            network = networks.shape_only_network(
                architecture, image_size_px=size, key=key, size_key=decided_by
            )
        networks.check_layers(network.layers(), config.models[model].layers, model=model)
        if config.has_pretrained_runs(model) and not config.pretrains_here(model):
            weights = config.pretrain_settings(model).weights
            if path := weights_file(weights):
                state, unwrapping = read_checkpoint(path, network.module, head=network.head)
                adapt(state, network.module, head=network.head, source=weights)
                if any(unwrapping.model_dump().values()):
                    print(f"{model}: {describe_unwrapping(path, unwrapping)}")
            elif not (file := cached_path(architecture, weights)).is_file():
                url = find_weights(architecture, weights).url
                print(f"{model}: the build will download {url} to {file}")


def _print_classes(name: str, source: SourceImages, config: Config) -> None:
    """Print the classes of a data set, which classes have too few images, and what is not used."""
    from normreport.sources.class_counts import (
        ADVICE,
        ClassCounts,
        chosen_labels,
        describe_counts,
        describe_unused,
        find_weak_classes,
        printable,
    )

    settings = config.data_sets()[name]
    train, heldout = chosen_labels(source, settings.train_images, settings.heldout_images)
    counts = ClassCounts.of_labels(source.classes, train, heldout)
    print(f"data.{name}: {printable(source.name)}: {describe_counts(counts)}")
    if source.unused:
        print(f"data.{name}: not used: {describe_unused(source.unused)}")
    weak = find_weak_classes(counts)
    for model in config.design.models if name == "target" else ():
        # Each model takes the first of the training images.
        used = config.models[model].train_images
        of_model = ClassCounts.of_labels(source.classes, train[:used], heldout)
        weak += [f"{model}: {line}" for line in find_weak_classes(of_model) if line not in weak]
    for line in weak:
        print(f"data.{name}: warning: {line}")
    if weak:
        print(f"data.{name}: {ADVICE}")


def _sizes(config: Config, models: Sequence[str]) -> dict[str, int]:
    """Return the height and width of the images under each normalization of some models."""
    from normreport.normalizations import published_meanstd

    arms = [arm for model, _, arm in config.design.arms if model in models]
    if any(map(config.pretrains_here, models)):
        arms.append(config.pretraining.normalization)
    size = config.data.target.image_size_px
    return {
        arm: published_meanstd.SIZE_PX if config.normalization(arm) == RESIZING else size
        for arm in arms
    }


def _size_key(config: Config, arm: str) -> str:
    resizes = config.normalization(arm) == RESIZING
    return f"the arm {arm}" if resizes else "data.target.image_size_px"


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
    for estimate in estimates(config, _sizes(config, config.design.models)):
        per_model.append(estimate)
        run = estimate.run
        each = f"{format_duration(run.seconds)} and {run.kept_bytes / 1e6:,.0f} MB each"
        pretraining = estimate.pretraining
        print(
            f"{estimate.model}: {estimate.runs} runs of about {each}"
            + (f"; pretraining about {format_duration(pretraining.seconds)}" if pretraining else "")
            + (
                f"; {estimate.sweeps} sweeps of the learning rate, about "
                f"{format_duration(estimate.sweep_seconds)} each"
                if estimate.sweeps
                else ""
            )
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
