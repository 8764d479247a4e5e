"""Training images per second, against a reader's script and against bare training steps.

    python -m tests.benchmarks.throughput

The script is what one would write first: a Dataset that transforms every image with PIL whenever
it is asked for, a DataLoader, torchvision's model as it is, Adam, all cores for one run. The
workflow trains as many runs at a time as there are cores, each with one thread. The bare steps do
nothing but forward pass, backward pass and optimizer step, with the workflow's network.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from tests.benchmarks.tables import Results, table

MODELS = ("vgg16", "mobilenet_v2")
IMAGES, BATCH, SIZE = 128, 32, 32
ROUNDS, SECONDS = 3, 8.0
GOALS = {"script": 4.0, "bare": 0.9}


def measure(
    models: Sequence[str] = MODELS, *, rounds: int = ROUNDS, seconds: float = SECONDS
) -> Results:
    """Compare the sides of every model in several rounds; report the medians."""
    cores = os.cpu_count() or 1
    rows = []
    for model in models:
        rates: list[dict[str, float]] = []
        for _ in range(rounds):
            script = _together("script", model, 1, seconds)
            rates.append(script | _together("workflow", model, cores, seconds))
        rows.append({
            "model": model,
            **{side: statistics.median(rate[side] for rate in rates) for side in rates[0]},
            "over_script": statistics.median(rate["run"] / rate["script"] for rate in rates),
            "over_bare": statistics.median(rate["steps"] / rate["bare"] for rate in rates),
        })  # fmt: skip
    return {"cores": cores, "rounds": rounds, "models": rows}


def _together(side: str, model: str, processes: int, seconds: float) -> dict[str, float]:
    """Add up the images per second of processes that run at the same time."""
    command = [sys.executable, "-m", "tests.benchmarks.throughput", side, model, str(seconds)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(processes)]
    rates = [json.loads(process.communicate()[0]) for process in running]
    return {name: sum(rate[name] for rate in rates) for name in rates[0]}


def script(model: str, seconds: float) -> dict[str, float]:
    """Train by the script."""
    import numpy as np
    import torch
    import torchvision
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    pixels = np.random.default_rng(0).integers(0, 256, (512, SIZE, SIZE, 3), dtype=np.uint8)

    class Images(Dataset[tuple[torch.Tensor, int]]):
        transform = transforms.Compose([
            transforms.ToPILImage(),
            transforms.Resize((SIZE, SIZE)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ])  # fmt: skip

        def __len__(self) -> int:
            return len(pixels)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return self.transform(pixels[index]), index % 10

    network = torchvision.models.get_model(model, weights=None, num_classes=10)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    criterion = torch.nn.CrossEntropyLoss()
    seen, started = 0, None
    while True:
        for inputs, labels in DataLoader(Images(), batch_size=BATCH, shuffle=True):
            optimizer.zero_grad()
            criterion(network(inputs), labels).backward()
            optimizer.step()
            if started is None:
                started = time.perf_counter()  # the first step warms up
                continue
            seen += len(labels)
            elapsed = time.perf_counter() - started
            if elapsed > seconds:
                return {"script": seen / elapsed}


def workflow(model: str, seconds: float) -> dict[str, float]:
    """Train epochs as a run does, epochs without its evaluations, and bare ones, in turn."""
    import numpy as np
    import torch
    from torch.nn.functional import cross_entropy

    from normreport.config.training import FitSettings
    from normreport.training.devices import tune_malloc
    from normreport.training.images import normalize_split
    from normreport.training.loop import train
    from normreport.training.networks import build
    from normreport.training.state import TrainingState

    tune_malloc()
    generator = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "train_images": generator.integers(0, 256, (IMAGES, SIZE, SIZE, 3), dtype=np.uint8),
        "train_labels": np.arange(IMAGES) % 10,
        "heldout_images": generator.integers(0, 256, (24, SIZE, SIZE, 3), dtype=np.uint8),
        "heldout_labels": np.arange(24) % 10,
    }
    images = normalize_split(arrays, "train", "imagenet")
    heldout = normalize_split(arrays, "heldout", "imagenet")
    settings = FitSettings(
        model=model,
        architecture=model,
        train_images=IMAGES,
        batch_size=BATCH,
        learning_rate=1e-4,
        epochs=10_000,
    )

    def begin() -> TrainingState:
        network = build(model, classes=10, image_size_px=SIZE, optimizer=settings.optimizer, seed=0)
        return TrainingState.begin(network, settings)

    run = train(begin(), images, heldout, seed=0)
    steps = train(begin(), images, heldout.first(2), seed=0, evaluated_train_images=2)
    bare = begin()

    def bare_epoch() -> None:
        bare.network.train_mode()
        for batch in torch.randperm(IMAGES).split(BATCH):
            bare.optimizer.zero_grad()
            outputs = bare.network.module(images.inputs[batch])
            cross_entropy(outputs, images.labels[batch]).backward()
            bare.optimizer.step()

    next(run), next(steps)  # before the first step
    epochs: dict[str, Callable[[], object]] = {
        "run": lambda: next(run),
        "steps": lambda: next(steps),
        "bare": bare_epoch,
    }
    times: dict[str, list[float]] = {side: [] for side in epochs}
    while len(times["bare"]) < 2 or sum(map(sum, times.values())) < seconds:
        for side, epoch in epochs.items():
            started = time.perf_counter()
            epoch()
            times[side].append(time.perf_counter() - started)
    # The first epoch warms up.
    return {side: IMAGES / statistics.median(of_side[1:]) for side, of_side in times.items()}


def describe(results: Results) -> str:
    """Describe the results in Markdown."""
    evaluating = ", ".join(
        f"{1 - row['run'] / row['steps']:.0%} ({row['model']})" for row in results["models"]
    )
    return (
        f"The table shows images per second on {results['cores']} cores, for images of {SIZE} x "
        f"{SIZE} px and batches of {BATCH}. Each number is the median of {results['rounds']} "
        "rounds. The script transforms each image every time and "
        "trains one run on all cores. The workflow trains one run per core and evaluates all "
        "training images after each epoch. The bare steps use the workflow's network and "
        "optimizer, and are compared with its epochs without the evaluations. PyTorch's "
        "forward and backward passes on one thread limit training. The evaluations take this share "
        f"of a run: {evaluating}.\n\n"
        + table(
            ["model", "script", "workflow", f"ratio (goal: {GOALS['script']:g})",
             "bare steps", "workflow's steps", f"ratio (goal: {GOALS['bare']:g})"],
            [
                (row["model"], f"{row['script']:.0f}", f"{row['run']:.0f}",
                 f"{row['over_script']:.1f}", f"{row['bare']:.0f}", f"{row['steps']:.0f}",
                 f"{row['over_bare']:.2f}")
                for row in results["models"]
            ],
        )
    )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:]:
        side, model, duration = sys.argv[1:]
        print(json.dumps({"script": script, "workflow": workflow}[side](model, float(duration))))
    else:
        print(describe(measure()))
