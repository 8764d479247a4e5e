"""Train one run and keep the weights of chosen layers after every epoch."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from normreport.config.base import parse
from normreport.config.json_files import read_model, write_model
from normreport.config.manifests import (
    DivergedStatus,
    EpochResult,
    FinishedStatus,
    FirstBatch,
    HeldoutEvaluations,
    ImageCounts,
    ImagesManifest,
    RunChecks,
    RunDigests,
    RunManifest,
    RunSeeds,
    Status,
)
from normreport.config.runs import Run
from normreport.config.training import RunPlan, RunSettings
from normreport.config.tuning import TunedRate
from normreport.io import files
from normreport.io.checkpoints import Checkpoint
from normreport.io.epoch_files import EpochFiles
from normreport.provenance.stage_code import run_code
from normreport.statistics.learned import compute_learning_threshold
from normreport.training.devices import training_environment, tune_malloc
from normreport.training.images import ImageSet
from normreport.training.layer_summaries import LayerSummary, summarize_layer
from normreport.training.loop import Diverged, evaluate_all, train
from normreport.training.networks import Network
from normreport.training.pretrained_weights import read_state_dict
from normreport.training.probe import evaluate_start
from normreport.training.seeds import derived_seed, epoch_order
from normreport.training.starts import RunImages, begin_run
from normreport.training.state import Epoch

CONDITION = tuple(field.name for field in fields(Run))
HISTORY = (
    *CONDITION,
    "status",
    "classes",
    "heldout_images",
    *(field.name for field in fields(Epoch) if field.name != "seconds"),
)
LAYERS = (*CONDITION, "epoch", "layer", *(field.name for field in fields(LayerSummary)))


def run(
    *,
    settings: str,
    images: Path,
    images_manifest: Path,
    pretrained: Path | None,
    tuned_rate: Path | None = None,
    snapshots: Path,
    history: Path,
    layers: Path,
    manifest: Path,
    checkpoints: Path,
) -> None:
    """Write snapshots, history, layer summaries and the manifest of one run.

    The learning rate is in the settings or, for a tuned model, in a file of its own. If a run is
    killed, the next one resumes from the last checkpoint and ends in the same bytes.
    """
    tune_malloc()
    chosen = parse_settings(settings, tuned_rate)
    condition = Run(chosen.model, chosen.start, chosen.normalization, chosen.seed)
    classes = len(read_model(ImagesManifest, images_manifest).classes)
    arrays = files.read_arrays(images)
    sets = RunImages.normalize(arrays, chosen)
    backbone = read_state_dict(pretrained) if pretrained else None
    state = begin_run(chosen, sets, classes=classes, pretrained=backbone)
    network = state.network
    initial = copied_weights(network, chosen.layers)
    digests = RunDigests(
        data={name: files.array_digest(array) for name, array in arrays.items()},
        initial_weights=weights_digest(network.module),
        pretrained=files.file_digest(pretrained) if pretrained else None,
        code=run_code(chosen).digest(),
        final_weights=None,
        order=order_digest(chosen, len(sets.train.labels)),
    )
    used = training_environment(state.device)
    inputs = {
        "settings": chosen.model_dump(mode="json"),
        "classes": classes,
        **digests.model_dump(mode="json", exclude={"final_weights"}),
        "versions": used,
    }
    checkpoint = Checkpoint(checkpoints, inputs)
    if checkpoint.acquire_lock() and checkpoint.is_finished(manifest):
        checkpoint.remove()
        return
    kept = EpochFiles(checkpoints)
    summaries: list[dict[str, Any]] = []

    def keep(epoch: int) -> None:
        weights = copied_weights(network, chosen.layers)
        kept.keep({layer: weights[layer] for layer in chosen.layers})
        for layer, values in weights.items():
            summary = asdict(summarize_layer(initial[layer], values))
            summaries.append({**asdict(condition), "epoch": epoch, "layer": layer, **summary})

    heldout = HeldoutEvaluations(initial=None, final=None, probe_accuracy=None)
    saved = checkpoint.load(lambda state: kept.restore(state["kept"]))
    is_resumed = saved is not None
    if is_resumed:
        state.load_state_dict(saved["training"])
        summaries = saved["summaries"]
        heldout = HeldoutEvaluations.model_validate(saved["heldout"])
        del saved  # as large as the network and its moments
    else:
        kept.restore([])
        keep(0)  # even if the first loss is not finite
    status: Status = FinishedStatus()
    try:
        if not is_resumed:
            heldout = evaluate_start(state, sets.train, sets.heldout)
        for record in train(state, sets.train, sets.few_heldout, seed=chosen.seed):
            print(record.line(chosen.epochs), file=sys.stderr, flush=True)
            if record.epoch > 0:
                keep(record.epoch)
                checkpoint.save_if_due(
                    lambda: {
                        "training": state.state_dict(),
                        "kept": kept.digests(),
                        "summaries": summaries,
                        "heldout": heldout.model_dump(mode="json"),
                    }
                )
        heldout = heldout.model_copy(update={"final": evaluate_all(state, sets.heldout)})
    except Diverged as divergence:
        status = DivergedStatus(step=divergence.step, what=divergence.what)
        print(f"DIVERGED: {divergence}", file=sys.stderr, flush=True)

    epochs = state.records
    kept.assemble(snapshots, chosen.layers)
    common = {
        **asdict(condition),
        "status": status.state,
        "classes": classes,
        "heldout_images": len(sets.few_heldout.labels),
    }
    files.write_csv(history, HISTORY, [common | record.row() for record in epochs])
    files.write_csv(layers, LAYERS, summaries)
    if isinstance(status, FinishedStatus):
        digests = digests.model_copy(update={"final_weights": weights_digest(network.module)})
    write_model(
        manifest,
        RunManifest(
            run=condition,
            status=status,
            checks=check_run(epochs, summaries, classes, is_finite=status.state == "OK"),
            classes=classes,
            images=ImageCounts(
                train=len(sets.train.labels),
                heldout=len(sets.heldout.labels),
                epoch_heldout=len(sets.few_heldout.labels),
            ),
            epochs=max(0, len(epochs) - 1),
            final=EpochResult.model_validate(epochs[-1].row()) if epochs else None,
            heldout=heldout,
            parameters=sum(p.numel() for p in network.module.parameters()),
            folded=dict(network.repeats),
            first_batch=describe_first_batch(sets.train, chosen),
            settings=chosen,
            seeds=RunSeeds(
                init=derived_seed(chosen.seed, "init"), head=derived_seed(chosen.seed, "head")
            ),
            digests=digests,
            files={path.name: files.file_digest(path) for path in (snapshots, history, layers)},
            versions=used,
        ),
    )
    checkpoint.remove()


def parse_settings(settings: str, tuned_rate: Path | None) -> RunSettings:
    """Parse the settings of a run; a tuned model has its learning rate in a file."""
    where = "train_run --settings"
    if tuned_rate is None:
        return parse(RunSettings, settings, where=where)
    rate = read_model(TunedRate, tuned_rate).learning_rate
    return parse(RunPlan, settings, where=where).with_rate(rate)


def copied_weights(network: Network, kept: Sequence[str] = ()) -> dict[str, NDArray[np.float32]]:
    """Copy the weights of all measured and kept layers, (C_out, ...) in C order."""
    wanted = {*network.measured_layers(), *kept}
    return {
        name: weight.detach().cpu().clone(memory_format=torch.contiguous_format).numpy()
        for name, weight in network.layers().items()
        if name in wanted
    }


def check_run(
    epochs: Sequence[Epoch],
    summaries: Sequence[Mapping[str, Any]],
    classes: int,
    *,
    is_finite: bool,
) -> RunChecks:
    """Check what a run must pass before a claim may rest on it."""
    last = epochs[-1] if epochs else None
    moved = [row["displacement"] for row in summaries if last and row["epoch"] == last.epoch]
    threshold = compute_learning_threshold(classes)
    return RunChecks(
        finite=is_finite,
        learned=is_finite and last is not None and last.train_loss < threshold,
        moved=any(displacement is not None and displacement > 0 for displacement in moved),
    )


def describe_first_batch(images: ImageSet, settings: RunSettings) -> FirstBatch:
    """Describe the first batch that the network is trained on."""
    order = epoch_order(settings.seed, 1, len(images.labels))
    batch = images.inputs[torch.from_numpy(order[: settings.batch_size])].double()
    return FirstBatch(
        dtype=str(images.inputs.dtype).removeprefix("torch."),
        shape=tuple(batch.shape),
        min=batch.min().item(),
        max=batch.max().item(),
        mean=batch.mean().item(),
        std=batch.std().item(),
    )


def weights_digest(module: nn.Module) -> str:
    """Compute the SHA-256 of all parameters, in the network's order."""
    return files.text_digest("".join(
        files.array_digest(parameter.detach().cpu().contiguous().numpy())
        for parameter in module.parameters()
    ))  # fmt: skip


def order_digest(settings: RunSettings, count: int) -> str:
    """Compute the SHA-256 of the order of the images in every epoch."""
    return files.text_digest("".join(
        files.array_digest(epoch_order(settings.seed, epoch, count))
        for epoch in range(1, settings.epochs + 1)
    ))  # fmt: skip
