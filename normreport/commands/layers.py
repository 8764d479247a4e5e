"""List the layers whose weights a run of an architecture can keep."""

from __future__ import annotations

import math

SNAPSHOT_BYTES = 4  # a weight is a float32


def run(*, architecture: str) -> None:
    """Print one line per 2-d convolution: its module path, shape, and size per epoch."""
    from normreport import networks  # takes seconds to import

    layers = networks.convolutions(networks.outline(architecture, key="ARCHITECTURE"))
    if not layers:
        print(f"{architecture} has no 2-d convolution.")
        return
    width = max(len("layer"), *map(len, layers))
    print(f"{'layer':<{width}}  {'out, in / groups, height, width':<31}  weights   MB per epoch")
    for name, weight in layers.items():
        count = math.prod(weight.shape)
        shape = " x ".join(map(str, weight.shape))
        print(f"{name:<{width}}  {shape:<31}  {count:>9,}  {count * SNAPSHOT_BYTES / 1e6:>6.2f}")
