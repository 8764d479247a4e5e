"""Names of an architecture's layers for those who cannot wait for torch.

Torchvision is asked once, which takes seconds; its answer is read from a file from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport.io import files
from normreport.source_code import package_versions, source_digest

NETWORKS = "normreport.training.networks"


def measured_layers(architecture: str, key: str, *, folder: Path) -> Sequence[str]:
    """Give the module paths of the layers that are measured, in the network's order.

    Parameters
    ----------
    architecture, key
        A name of torchvision's, and the key of the configuration that it stands under.
    folder
        Holds the answers; those of other code or versions are not used.

    Raises
    ------
    ConfigError
        If torchvision has no such architecture.
    """
    digest = files.text_digest(source_digest(NETWORKS) + package_versions(NETWORKS))
    path = folder / f"{architecture}-{digest[:16]}.json"
    if not path.exists():
        from normreport.training import networks

        files.write_json(path, list(networks.shape_only_network(architecture, key=key).measured()))
    names: list[str] = files.read_json(path)
    return names
