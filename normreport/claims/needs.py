"""What an experiment must have before a claim can be judged on it."""

from __future__ import annotations

from dataclasses import dataclass

from normreport.claims.study import Study
from normreport.text.formatting import join_with_or
from normreport.text.language import N_, gettext


@dataclass(frozen=True)
class Needs:
    """The conditions that a claim needs.

    Attributes
    ----------
    architectures, starts, normalizations
        Each of them must have runs.
    any_start
        At least one of these starts must have runs.
    two_architectures
        At least two architectures must have runs.
    two_arms
        At least two arms besides the placebo must have runs.
    three_seeds
        At least three seeds must have runs.
    """

    architectures: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    any_start: tuple[str, ...] = ()
    normalizations: tuple[str, ...] = ()
    two_architectures: bool = False
    two_arms: bool = False
    three_seeds: bool = False

    def describe_missing(self, study: Study) -> str | None:
        """Say what the experiment lacks; None if it has everything."""
        if self.three_seeds and len(study.settings.seeds) < 3:
            return gettext(
                "the experiment has fewer than three seeds, too few to compare across them"
            )
        absent = self._absent_conditions(study)
        if absent:
            return gettext("the experiment has no run with %(what)s", what=join_with_or(absent))
        if self.two_arms and len(study.compared_arms()) < 2:
            return gettext("the experiment has one arm; two are needed")
        if self.two_architectures and len(study.compared_models()) < 2:
            return gettext("the experiment has one architecture; two are needed")
        return None

    def _absent_conditions(self, study: Study) -> list[str]:
        settings = study.settings
        any_start = () if set(self.any_start) & set(settings.starts) else self.any_start
        needed = (
            (N_("the architecture %(name)s"), self.architectures, settings.architectures),
            (N_("the start %(name)s"), (*self.starts, *any_start), settings.starts),
            (N_("the arm %(name)s"), self.normalizations, settings.normalizations),
        )
        return [
            gettext(words, name=name)
            for words, names, existing in needed
            for name in names
            if name not in existing
        ]
