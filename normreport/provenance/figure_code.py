"""The code that draws a figure: the stage, its kind, and the normalizations that it applies."""

from __future__ import annotations

from normreport.config.figure_kinds import figure_kinds
from normreport.config.report import FigureSettings
from normreport.provenance.stage_code import StageCode, code_of


def figure_code(settings: FigureSettings) -> StageCode:
    """Return the code that draws a figure."""
    is_of_the_input = figure_kinds()[settings.kind].is_of_the_input
    arms = settings.normalizations if is_of_the_input else ()
    code = code_of("draw_figure", map(settings.applied, arms))
    return StageCode((*code.modules, f"normreport.figures.kinds.{settings.kind}"), code.own)
