"""The claims that a report judges."""

from __future__ import annotations

from normreport.claims.claim import Claim
from normreport.claims.declared import declared_claim
from normreport.claims.registry import CLAIMS
from normreport.config.claims import ClaimsSettings
from normreport.errors import ConfigError, nearest


def chosen_claims(settings: ClaimsSettings) -> tuple[Claim, ...]:
    """Return the claims of the configuration, then those of the article that it chooses.

    Raises
    ------
    ConfigError
        If the article has no claim of a chosen id, or a claim of the configuration has the id of
        one of the article's.
    """
    known = [claim.id for claim in CLAIMS]
    words = {"all": tuple(known), "none": ()}
    wanted = words[settings.article] if isinstance(settings.article, str) else settings.article
    for id_ in wanted:
        if id_ not in known:
            raise ConfigError(f"claims.article: unknown claim {id_!r}. {nearest(id_, known)}")
    own = tuple(map(declared_claim, settings.own))
    for claim in own:
        if claim.id in known:
            raise ConfigError(
                f"claims.own: the article has a claim {claim.id}, too. Choose another id."
            )
    return (*own, *(claim for claim in CLAIMS if claim.id in wanted))
