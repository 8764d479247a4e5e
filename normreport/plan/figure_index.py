"""Which figures an experiment's article has, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from normreport.config.experiment import Config
from normreport.config.figure_kinds import MOST_ARMS, MOST_LAYERS, Kind, figure_kinds
from normreport.config.report import ArmLook, FigureSettings
from normreport.config.training import Start


@dataclass(frozen=True)
class Figure:
    """One figure: its kind (a module of ``normreport.figures.kinds``) and its subject."""

    kind: str
    model: str | None = None
    start: Start | None = None
    layer: str | None = None

    @property
    def id(self) -> str:
        """The name of the figure and its files, such as ``density-vgg16-scratch-features.0``."""
        parts = (self.kind, self.model, self.start, self.layer)
        return "-".join(part for part in parts if part)


def figure_index(config: Config) -> Iterator[Figure]:
    """List every figure of the article, in the order of its numbers."""
    kinds = figure_kinds().items()
    for _, group in groupby(kinds, key=lambda item: item[1].order[0]):
        alternating = list(group)
        for model, start, layer in _subjects(config, alternating[0][1]):
            for name, kind in alternating:
                figure = Figure(name, model, start, layer)
                if _has_figure(config, kind, figure):
                    yield figure


def figure_settings(config: Config, figure: Figure) -> FigureSettings:
    """Resolve the settings of one figure, without any that it does not use."""
    kind = figure_kinds()[figure.kind]
    return FigureSettings(
        kind=figure.kind,
        model=figure.model,
        start=figure.start,
        layer=figure.layer,
        only_start=None if figure.start else kind.only_start,
        density_epoch=config.report.density_epoch if kind.is_of_density_epoch else None,
        normalizations=_arms(config, kind),
        inputs=config.own_inputs(_arms(config, kind)) if kind.is_of_the_input else {},
        contrast=config.contrast if _needs_contrast(config, kind) else None,
        looks=_looks(config) if isinstance(kind.arms, str) or not kind.arms else {},
    )


def _needs_contrast(config: Config, kind: Kind) -> bool:
    """Return whether a kind averages over the two arms of the contrast, or highlights them."""
    has_many_arms = len(config.design.normalizations) > MOST_ARMS
    return kind.averages_contrast or (kind.highlights_contrast and has_many_arms)


def _looks(config: Config) -> dict[str, ArmLook]:
    """Return the looks of the arms that the configuration defines and the experiment has."""
    own = [name for name in config.arms if name in config.design.normalizations]
    return {
        name: ArmLook(
            label=config.arms[name].label or name, number=number, color=config.arms[name].color
        )
        for number, name in enumerate(own)
    }


def _arms(config: Config, kind: Kind) -> tuple[str, ...]:
    """Return the normalizations that a kind applies or compares."""
    if kind.arms == "contrast":
        return config.contrast
    return config.design.normalizations if kind.arms == "all" else kind.arms


def _subjects(config: Config, kind: Kind) -> Iterator[tuple[str | None, Start | None, str | None]]:
    """List the (model, start, layer) of a kind's figures; None stands for all of them together."""
    design = config.design
    for start in design.starts if "start" in kind.per else (None,):
        for model in design.models if "model" in kind.per else (None,):
            if design.has_runs(model, start):
                for layer in _layers(config, kind, model):
                    yield model, start, layer


def _layers(config: Config, kind: Kind, model: str | None) -> tuple[str | None, ...]:
    """Return the layers that have figures of their own; None stands for all of them together."""
    if model is None:
        return (None,)
    layers = tuple(config.models[model].layers)
    is_split = kind.splits_layers and len(layers) > MOST_LAYERS
    return layers if "layer" in kind.per or is_split else (None,)


def _has_figure(config: Config, kind: Kind, figure: Figure) -> bool:
    """Return whether the experiment has the runs that a figure shows."""
    start = figure.start or kind.only_start
    if kind.is_of_the_article and not config.is_article:
        return False
    if kind.only_start not in (None, start):
        return False
    if not _compares_starts(config, kind):
        return False
    arms = _arms(config, kind) if kind.table and kind.arms != "all" else ()
    if not all(config.design.has_runs(figure.model, start, arm) for arm in arms or (None,)):
        return False
    if kind.is_of_first_layer and figure.model:
        return figure.layer == config.models[figure.model].layers[0]
    return True


def _compares_starts(config: Config, kind: Kind) -> bool:
    """Return whether a model has all starts that a kind compares."""
    return any(
        all(config.design.has_runs(model, start) for start in kind.compared_starts)
        for model in config.design.models
    )
