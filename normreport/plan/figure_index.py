"""Which figures an experiment's article has, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from normreport.config.experiment import Config
from normreport.config.figure_kinds import KINDS, PUBLISHED_ARMS
from normreport.config.report import FigureSettings

PER_LAYER = ("density", "ribbon", "violin", "spread")
SIDE_BY_SIDE = ("displacement", "separation")


@dataclass(frozen=True)
class Figure:
    """One figure: its kind (a module of ``normreport.figures``) and what it shows."""

    kind: str
    model: str | None = None
    start: str | None = None
    layer: str | None = None

    @property
    def id(self) -> str:
        """A name that reads, and a file's name: ``density-vgg16-scratch-features.0``."""
        parts = (self.kind, self.model, self.start, self.layer)
        return "-".join(part for part in parts if part)


def figure_index(config: Config) -> Iterator[Figure]:
    """Every figure of the article, in the order of the sections."""
    models = config.experiment.models
    starts = config.experiment.starts
    yield Figure("examples")
    yield Figure("inputs")
    for model in models:
        yield Figure("curves", model)
    for start in starts:
        for model in models:
            for layer in config.models[model].layers:
                for kind in PER_LAYER:
                    yield Figure(kind, model, start, layer)
    for kind in SIDE_BY_SIDE:
        for model in models:
            yield Figure(kind, model)
    yield Figure("levels")
    yield Figure("resize")
    if "scratch" in starts:
        if set(PUBLISHED_ARMS) <= set(config.experiment.normalizations):
            for model in models:
                yield Figure("seeds", model, "scratch", config.models[model].layers[0])
        yield Figure("inits")
    for model in models:
        yield Figure("histogram", model)
        yield Figure("quantiles", model)
    yield Figure("centre")
    for model in models:
        yield Figure("kurtosis", model)


def figure_settings(config: Config, figure: Figure) -> FigureSettings:
    """Resolve the settings of one figure, and nothing that it does not use."""
    arms = KINDS[figure.kind].arms
    return FigureSettings(
        kind=figure.kind,
        model=figure.model,
        start=figure.start,
        layer=figure.layer,
        density_epoch=config.report.density_epoch if figure.kind == "density" else None,
        normalizations=config.experiment.normalizations if arms is None else arms,
    )
