"""Names of an architecture's layers, cached to avoid importing torch, which takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport.io import files
from normreport.source_code import package_versions, source_digest

NETWORKS = "normreport.training.networks"


def measured_layers(architecture: str, key: str, *, folder: Path) -> Sequence[str]:
    """Return the paths of the layers that are measured, in the network's order.

    Parameters
    ----------
    architecture
        One of torchvision's classification models.
    key
        The configuration key that names it, for error messages.
    folder
        The cache. Entries from other code or package versions are ignored.

    Raises
    ------
    ConfigError
        If torchvision has no such architecture.
    """
    digest = files.text_digest(source_digest(NETWORKS) + package_versions(NETWORKS))
    path = folder / f"{architecture}-{digest[:16]}.json"
    if not path.exists():
        from normreport.training.networks import shape_only_network

        files.write_json(path, list(shape_only_network(architecture, key=key).measured_layers()))
    names: list[str] = files.read_json(path)
    return names
