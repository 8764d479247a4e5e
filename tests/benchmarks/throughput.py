"""Images per second in training: a reader's script against two runs side by side.

    python tests/benchmarks/throughput.py

The script is what one would write first: a Dataset that transforms every image with PIL whenever
it is asked for, a DataLoader, torchvision's model as it is, Adam, all cores for one run. The
other side is what this workflow does: as many runs as cores, each with one thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

BATCH, SIZE, SECONDS = 32, 32, 15.0
MODELS = ("vgg16", "mobilenet_v2")


def naive(model: str) -> float:
    """Images per second of the script."""
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
            if elapsed > SECONDS:
                return seen / elapsed


def ours(model: str) -> float:
    """Images per second of one run, by the workflow's own training code."""
    import numpy as np

    from normreport.config.training import FitSettings
    from normreport.training.devices import tune_malloc
    from normreport.training.images import normalize_split
    from normreport.training.loop import train
    from normreport.training.networks import build
    from normreport.training.state import TrainingState

    tune_malloc()
    generator = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "train_images": generator.integers(0, 256, (256, SIZE, SIZE, 3), dtype=np.uint8),
        "train_labels": np.arange(256) % 10,
        "heldout_images": generator.integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8),
        "heldout_labels": np.arange(2),
    }
    train_set = normalize_split(arrays, "train", "imagenet")
    # Two held-out images only; the 256 that are evaluated in eval mode count against us.
    few = normalize_split(arrays, "heldout", "imagenet")
    settings = FitSettings(
        model=model,
        architecture=model,
        train_images=256,
        batch_size=BATCH,
        learning_rate=1e-4,
        epochs=10_000,
    )
    network = build(model, classes=10, image_size_px=SIZE, optimizer=settings.optimizer, seed=0)
    seen, busy = 0, 0.0
    for record in train(TrainingState.begin(network, settings), train_set, few, seed=0):
        if record.epoch > 1:
            seen, busy = seen + 256, busy + record.seconds
        if busy > SECONDS:
            break
    return seen / busy


def measured(side: str, model: str, processes: int) -> float:
    """Sum over processes that run at the same time."""
    command = [sys.executable, __file__, side, model]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(processes)]
    return sum(float(json.loads(process.communicate()[0])) for process in running)


def main() -> None:
    """Print one line per model."""
    if len(sys.argv) == 3:
        print(json.dumps({"naive": naive, "ours": ours}[sys.argv[1]](sys.argv[2])))
        return
    cores = os.cpu_count() or 1
    print(f"images per second, {cores} cores")
    print(f"{'model':<14}{'script':>10}{'workflow':>10}{'ratio':>8}")
    for model in MODELS:
        script, workflow = measured("naive", model, 1), measured("ours", model, cores)
        print(f"{model:<14}{script:>10.0f}{workflow:>10.0f}{workflow / script:>8.1f}")


if __name__ == "__main__":
    main()
