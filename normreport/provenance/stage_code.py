"""The code that a job of a stage runs: our modules, and Python files of the user.

Stages import normalizations by name, so their import statements do not list them. Every edit of
this module trains all runs again; code that only figures use is in
:mod:`normreport.provenance.figure_code`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from normreport.config.training import ArmInputs
from normreport.normalizations import Normalization, OwnFile, module_name
from normreport.source_code import source_digest


@dataclass(frozen=True)
class StageCode:
    """The code of a job.

    Attributes
    ----------
    modules
        Dotted names of modules of this package; what they import belongs to it, too.
    own
        Paths of Python files of the user, likewise.
    """

    modules: tuple[str, ...]
    own: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return the SHA-256 of all of it."""
        return source_digest(*self.modules, own=self.own)


def code_of(stage: str, normalizations: Iterable[Normalization] = ()) -> StageCode:
    """Return the code of a stage that applies some normalizations."""
    applied = list(normalizations)
    own = (one.file for one in applied if isinstance(one, OwnFile))
    modules = (f"normreport.stages.{stage}", *map(module_name, applied))
    return StageCode(tuple(dict.fromkeys(modules)), tuple(dict.fromkeys(own)))


def run_code(settings: ArmInputs) -> StageCode:
    """Return the code that trains a run."""
    return code_of("train_run", [settings.applied])


def sweep_code(settings: ArmInputs) -> StageCode:
    """Return the code that chooses a learning rate."""
    return code_of("tune_rate", [settings.applied])
