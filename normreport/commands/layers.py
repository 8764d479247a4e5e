"""List the layers of an architecture whose weights can be saved."""

from __future__ import annotations

from normreport.config.training import TrainingSettings


def run(*, architecture: str) -> None:
    """Print path, shape and size of each layer, then what `first`, `deep` and `all` mean."""
    from normreport.training import networks

    network = networks.shape_only_network(architecture, key="ARCHITECTURE")
    layers, measured = network.layers(), list(network.measured_layers())
    epochs = TrainingSettings().epochs
    width = max(len("layer"), *map(len, layers))
    size = f"MB in {epochs} epochs"
    print(f"{'layer':<{width}}  {'out, in / groups, height, width':<31}      weights  {size}")
    for name, weight in layers.items():
        shape = " x ".join(map(str, weight.shape))
        # The initial weights are saved, too.
        megabytes = weight.nbytes * (epochs + 1) / 1e6
        print(f"{name:<{width}}  {shape:<31}  {weight.numel():>11,}  {megabytes:>{len(size)},.1f}")
    print(
        f"\nfirst: {measured[0]}\ndeep:  {measured[-1]}\n"
        f"all:   the {len(measured)} layers that are measured after every epoch"
        + (" (the convolutions)" if len(measured) < len(layers) else "")
    )
