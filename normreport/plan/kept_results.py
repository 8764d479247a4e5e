"""Check, before a build starts, that the results that it keeps fit the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from normreport.config.experiment import Config
from normreport.errors import StorageError
from normreport.io.files import read_json
from normreport.plan import paths
from normreport.provenance.consistency import Manifests, check_manifests


def check_kept_results(config: Config, kept: Iterable[Iterable[str]]) -> None:
    """Check the manifests among the files that a build keeps.

    Snakemake can be told to keep results that no longer fit, for example with ``--touch``.

    Parameters
    ----------
    config
        The configuration.
    kept
        The outputs of each job that is not run.

    Raises
    ------
    StorageError
        If a result was made with other settings.
    """
    results = Path(paths.RESULTS)
    files = sorted(
        Path(path) for outputs in kept for path in outputs if Path(path).is_relative_to(results)
    )
    manifests = Manifests.read(
        results, [str(path.relative_to(results)) for path in files if _is_whole(path)]
    )
    check_manifests(config.planned_inputs(), manifests)


def _is_whole(path: Path) -> bool:
    """Return whether a file is there and, if it is a manifest, not truncated.

    The stage that reads a damaged manifest names it, and says which run is made again.
    """
    if path.name != "manifest.json":
        return path.is_file()
    try:
        read_json(path)
    except StorageError:
        return False
    return True
