"""The registry: every claim that a module of this package declares."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from normreport.claims.claim import Claim
from normreport.source_code import import_submodules


def find_claims(modules: Iterable[ModuleType]) -> tuple[Claim, ...]:
    """Collect the claims that modules declare as module-level names, in the scorecard's order.

    Raises
    ------
    ValueError
        If two claims have the same id.
    """
    by_id: dict[str, Claim] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Claim) and by_id.setdefault(value.id, value) is not value:
                raise ValueError(f"{module.__name__}: another claim has the id {value.id}")
    return tuple(sorted(by_id.values(), key=lambda claim: claim.sort_key))


CLAIMS = find_claims(import_submodules("normreport.claims"))
