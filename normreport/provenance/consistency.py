"""Compare the manifests of results with the settings of a configuration, and with each other.

Snakemake remakes what no longer fits the configuration, unless it is told otherwise, for example
with ``--rerun-triggers mtime`` or ``--touch``. A report must not mix results of two configurations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from normreport.config.base import Settings
from normreport.config.json_files import read_model
from normreport.config.manifests import ImagesManifest, PretrainingManifest, RunManifest
from normreport.config.planned_inputs import PlannedInputs
from normreport.config.tuning import TuningManifest
from normreport.errors import StorageError
from normreport.provenance.differences import find_changes

# Name at most this many results: after an edit of the configuration nearly all may differ.
MAX_NAMED = 3


@dataclass(frozen=True)
class Manifests:
    """Manifests of results.

    Attributes
    ----------
    data
        That of each data set, by its name.
    pretrained, sweeps, runs
        The others.
    """

    data: Mapping[str, ImagesManifest] = field(default_factory=dict)
    pretrained: Sequence[PretrainingManifest] = ()
    sweeps: Sequence[TuningManifest] = ()
    runs: Sequence[RunManifest] = ()

    @classmethod
    def read(cls, results: Path, paths: Iterable[str]) -> Manifests:
        """Read those files below the folder of all results that are manifests."""
        places: dict[str, list[Path]] = {}
        for path in map(Path, paths):
            if path.name == "manifest.json":
                places.setdefault(path.parts[0], []).append(results / path)
        return cls(
            data={
                path.parent.name: read_model(ImagesManifest, path)
                for path in places.get("data", [])
            },
            pretrained=[
                read_model(PretrainingManifest, path) for path in places.get("pretrained", [])
            ],
            sweeps=[read_model(TuningManifest, path) for path in places.get("tuning", [])],
            runs=[read_model(RunManifest, path) for path in places.get("runs", [])],
        )


def check_manifests(planned: PlannedInputs, manifests: Manifests) -> None:
    """Check that results were made with the settings of a configuration.

    Raises
    ------
    StorageError
        If one was not.
    """
    lines = [*find_mismatches(planned, manifests)]
    if not lines:
        return
    more = f"\n  and {len(lines) - MAX_NAMED} more" if len(lines) > MAX_NAMED else ""
    raise StorageError(
        "results: expected those of this configuration, found others:"
        + "".join(f"\n  {line}" for line in lines[:MAX_NAMED])
        + f"{more}\nA report would mix two configurations. Snakemake keeps such results only if it "
        "is told to, for example with --rerun-triggers or --touch. Run it without these options. "
        "If this message comes again, delete the named folders in results."
    )


def find_mismatches(planned: PlannedInputs, manifests: Manifests) -> Iterator[str]:
    """Yield a line per result that does not fit: its folder, what was expected, what was found.

    A run's images, pretrained weights and learning rate are compared with those of the other
    manifests at hand.
    """
    for name, images in manifests.data.items():
        yield from _compare(f"data/{name}", planned.data.get(name), dict(images.settings))
    for pretrained in manifests.pretrained:
        expected = planned.pretraining.get(pretrained.model)
        yield from _compare(
            f"pretrained/{pretrained.model}", expected, _values(pretrained.origin.settings)
        )
    sweeps = {_arm(settings): settings for settings in planned.sweeps}
    for sweep in manifests.sweeps:
        arm = _arm(sweep.settings)
        yield from _compare(f"tuning/{'/'.join(arm)}", sweeps.get(arm), _values(sweep.settings))
    arms = {_arm(settings): settings for settings in planned.runs}
    rates = {_arm(sweep.settings): sweep.learning_rate for sweep in manifests.sweeps}
    weights = {one.model: one.digests.weights for one in manifests.pretrained}
    for run in manifests.runs:
        arm = _arm(run.settings)
        found = _values(run.settings)
        known = None
        if arm in arms:
            # The arm stands for all seeds, and only a sweep knows the learning rate of its runs.
            rate = rates.get(arm, run.settings.learning_rate)
            known = {"learning_rate": rate} | _values(arms[arm]) | {"seed": run.run.seed}
            source = planned.pretrained_as.get(run.run.model)
            if run.digests.pretrained and source in weights:
                known["pretrained_weights"] = weights[source]
                found["pretrained_weights"] = run.digests.pretrained
            if "target" in manifests.data:
                known["images"] = dict(manifests.data["target"].digests)
                found["images"] = dict(run.digests.data)
        yield from _compare(f"runs/{run.run.id}", known, found)


def _arm(settings: Any) -> tuple[str, str, str]:
    """Return what tells the settings of sweeps apart, and those of runs but for the seed."""
    return settings.model, settings.start, settings.normalization


def _values(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json")


def _compare(
    name: str, expected: Settings | Mapping[str, Any] | None, found: Mapping[str, Any]
) -> Iterator[str]:
    if expected is None:
        yield f"{name}: the configuration has no such result"
        return
    values = _values(expected) if isinstance(expected, Settings) else expected
    changes = [*find_changes(values, found)]
    if changes:
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        first = changes[0]
        yield f"{name}: {first.name}: expected {first.old}, found {first.new}{more}"
