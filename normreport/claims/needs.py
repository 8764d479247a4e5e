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
    contrast
        Both arms of the article's contrast must have runs: `Study.contrast`.
    any_contrast
        At least one of them must have runs.
    two_architectures
        At least two architectures must have runs.
    tuned
        Every arm must have a learning rate of its own, chosen by a sweep. Only models with such
        runs count. All other claims leave these models out, because two arms with different
        learning rates differ in more than the normalization.
    models
        The claim is about these models, whatever their learning rates and optimizers.
    optimizers
        The claim compares optimizers. All other claims leave out a model with an optimizer of its
        own if its architecture also has a model with the shared one.
    """

    architectures: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    any_start: tuple[str, ...] = ()
    normalizations: tuple[str, ...] = ()
    contrast: bool = False
    any_contrast: bool = False
    two_architectures: bool = False
    tuned: bool = False
    models: tuple[str, ...] = ()
    optimizers: bool = False

    def select_models(self, study: Study) -> Study:
        """Leave out the models that the claim is not about."""
        if self.models:
            return study.of_models(self.models)
        if self.tuned:
            return study.tuned
        return study.untuned if self.optimizers else study.standard

    def describe_missing(self, study: Study) -> str | None:
        """Say what the experiment lacks; None if it has everything."""
        if self.tuned and not study.settings.models:
            return gettext("the learning rate was not tuned per arm, so no arm had its best chance")
        if self.models and not study.settings.models:
            models = [gettext("the model %(name)s", name=name) for name in self.models]
            return gettext("the experiment has no run with %(what)s", what=join_with_or(models))
        if self != Needs() and not study.settings.models:
            return gettext(
                "every network has learning rates that were tuned per arm, so its arms differ in "
                "more than the normalization"
            )
        absent = self._absent_conditions(study)
        if absent:
            return gettext("the experiment has no run with %(what)s", what=join_with_or(absent))
        if self.two_architectures and len(study.compared_models()) < 2:
            return gettext("the experiment has one architecture; two are needed")
        return None

    def _absent_conditions(self, study: Study) -> list[str]:
        settings = study.settings
        any_start = () if set(self.any_start) & set(settings.starts) else self.any_start
        arms = list(self.normalizations)
        if self.contrast or (
            self.any_contrast and not set(study.contrast) & set(settings.normalizations)
        ):
            arms += study.contrast
        needed = (
            (N_("the architecture %(name)s"), self.architectures, settings.architectures),
            (N_("the start %(name)s"), (*self.starts, *any_start), settings.starts),
            (N_("the arm %(name)s"), arms, settings.normalizations),
        )
        return [
            gettext(words, name=name)
            for words, names, existing in needed
            for name in names
            if name not in existing
        ]
