"""The mean of a layer's weights over the epochs, one line per run."""

from dataclasses import dataclass

import pandas as pd

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import arm_keys, page
from normreport.figures.runs import in_order, last_epoch, rows_of, run_notes
from normreport.figures.style import arm_styles, house_style, mark
from normreport.text.formatting import format_number
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext

# After the figures of the starts, one per start, model and layer, from the table of statistics.
KIND = Kind(order=(35, 1), table="measures", per=("start", "model", "layer"))


@dataclass(frozen=True)
class Prepared:
    """The means of one layer.

    Attributes
    ----------
    title : str
        The title of the figure.
    start : str
        The start, as in the configuration.
    data : pandas.DataFrame
        Columns `normalization`, `seed`, `epoch` and `mean`: exactly what is drawn.
    """

    title: str
    start: str
    data: pd.DataFrame


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Select the runs of one layer and start."""
    model, start, layer = settings.required("model", "start", "layer")
    rows = rows_of(source, model=model, start=start, layer=layer)
    title = gettext(
        "%(model)s, %(start)s, %(layer)s: mean of the weights",
        model=model_label(model),
        start=start_label(start),
        layer=layer,
    )
    return Prepared(title, start, rows[["normalization", "seed", "epoch", "mean"]])


def draw(prepared: Prepared) -> Canvas:
    """Draw one line per run, in the colour of its normalization."""
    rows = prepared.data
    arms = in_order(rows["normalization"])
    styles = arm_styles(arms)
    with house_style():
        notes = run_notes({prepared.start: rows}, arms, last_epoch(rows))
        sheet = page(prepared.title, arm_keys(styles), notes, body=2.4)
        (panel,) = sheet.panels(1, 1)
        panel.set_xlabel(gettext("epoch"))
        panel.set_ylabel(gettext("mean"))
        for (arm, seed), run in rows.groupby(["normalization", "seed"], sort=False):
            color = styles[str(arm)].color
            panel.plot(run["epoch"], run["mean"], color=color, **mark(arm=arm, seed=seed))
    return Canvas(figure=sheet.figure)


def describe(prepared: Prepared) -> Words:
    """Say what is drawn, and how far the mean gets from zero."""
    farthest = format_number(float(prepared.data["mean"].abs().max()))
    observation = gettext("No mean is farther from 0 than %(value)s.", value=farthest)
    text = gettext("%(title)s. One line per run.", title=prepared.title)
    return Words(caption=f"{text} {observation}", alt=f"{text} {observation}")
