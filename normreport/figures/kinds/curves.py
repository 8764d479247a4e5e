"""Training curves: loss and accuracy over the epochs, run by run."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.page import arm_keys, epoch_axis, log_axis, page, panel_title
from normreport.figures.runs import (
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    no_run,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    MUTED,
    THIN,
    ArmStyle,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    label,
    mark,
    mean_line,
    shared_limits,
    text_width,
    tint,
)
from normreport.statistics.learned import LEARNED_SHARE, compute_learning_threshold
from normreport.text.formatting import extremes, number, percent
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import N_, gettext, ngettext

_MEASURES = {
    "train_loss": N_("loss, training"),
    "heldout_loss": N_("loss, held out"),
    "heldout_accuracy_percent": N_("accuracy, held out (%%)"),
}
_BESIDE = ("axes fraction", "data")
_LOG_FROM = 20.0  # ratio of a row's largest loss to its smallest
_REFERENCE: Marks = {"color": MUTED, "linewidth": 0.9, "linestyle": (0.0, (1.0, 1.6))}


KIND = Kind(order=(20, 1), table="history", per=("model",))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"histories": source, "model": settings.model}


def draw(histories: pd.DataFrame, *, model: str) -> Drawing:
    """Draw the training curves of one model: starts side by side, measures one below the other.

    Parameters
    ----------
    histories : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `status`, `classes`, `epoch`,
        `train_loss`, `heldout_loss` (cross-entropy in nats, evaluation mode) and
        `heldout_accuracy` (0 to 1). Rows without a finite loss are left out.
    model : str
        Which rows to draw.

    Returns
    -------
    Drawing
        `data` has the columns `start`, `normalization`, `seed` ("mean" for the mean over seeds),
        `epoch`, `train_loss`, `heldout_loss`, `heldout_accuracy_percent`.
    """
    arms = in_order(histories["normalization"])
    starts = in_order(histories["start"])
    styles = arm_styles(arms)
    shown = comparable_rows(histories, model=model)
    shown = shown.assign(heldout_accuracy_percent=100 * shown["heldout_accuracy"])
    shown = shown[np.isfinite(shown[list(_MEASURES)]).all(axis=1)]
    last = last_epoch(shown)
    classes = int(shown["classes"].max())
    runs = {start: rows_of(shown, start=start) for start in starts}
    means = {start: mean_over_seeds(runs[start], list(_MEASURES)) for start in starts}

    title = gettext("%(model)s: training curves", model=model_label(model))
    chance = gettext("chance: ln %(classes)s", classes=classes)
    learned = gettext("learned: %(share)s ln %(classes)s", share=LEARNED_SHARE, classes=classes)
    one_in = gettext("chance: 1 in %(classes)s", classes=classes)
    references = {
        "train_loss": [
            (np.log(classes), chance, "bottom"),
            (compute_learning_threshold(classes), learned, "top"),
        ],
        "heldout_loss": [(np.log(classes), chance, "center")],
        "heldout_accuracy_percent": [(100 / classes, one_in, "center")],
    }
    right = max(text_width(text, 8) for text in (chance, learned, one_in)) + 0.06
    with house_style():
        sheet = page(title, arm_keys(styles), run_notes(runs, arms, last), body=4.7)
        panels = sheet.panels(
            3 * len(starts), len(starts), head=0.26, right=right, gap=(0.14, 0.16)
        )
        for i, ax in enumerate(panels):
            measure = list(_MEASURES)[i // len(starts)]
            start = starts[i % len(starts)]
            if i < len(starts):
                panel_title(ax, start_label(start))
            if start == starts[0]:
                ax.set_ylabel(gettext(_MEASURES[measure]))
            if i + len(starts) >= len(panels):
                ax.set_xlabel(gettext("epoch"))
            epoch_axis(ax, last)
            lines = [value for value, _, _ in references[measure]]
            _scale(ax, measure, np.concatenate([shown[measure].to_numpy(), lines]))
            if runs[start].empty:
                empty_panel(ax, no_run(model_label(model), start_label(start)))
            else:
                _plot(ax, runs[start], means[start], measure, styles, last)
            for value, text, alignment in references[measure]:
                if len(runs[start]):
                    ax.axhline(value, zorder=1, **_REFERENCE)
                if start == starts[-1]:
                    nudge = {"bottom": 1, "top": -1}.get(alignment, 0)
                    style = {"va": alignment, "size": 8, "color": MUTED}
                    label(ax, text, (1, value), inside=_BESIDE, offset=(4, nudge), **style)

    parts = [
        part.assign(start=start)
        for start in starts
        for part in (runs[start], means[start].assign(seed="mean"))
    ]
    data = pd.concat(parts, ignore_index=True).astype({"seed": str})
    data = data[["start", "normalization", "seed", "epoch", *_MEASURES]]
    seen = _observation(shown, means, starts, last, compute_learning_threshold(classes))
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=gettext(
            "Training of %(model)s: cross-entropy in evaluation mode on the training and the "
            "held-out images, and held-out accuracy. Thin lines are single runs, bold lines an "
            "arm's mean over %(seeds)s. The dotted lines are chance for %(classes)s classes "
            "(ln %(classes)s = %(chance)s) and, for the training loss, the gate below which a run "
            "that did not diverge has learned (%(gate)s).",
            model=model_label(model),
            seeds=seeds_phrase(shown),
            classes=classes,
            chance=number(np.log(classes)),
            gate=number(compute_learning_threshold(classes)),
        )
        + f" {seen}",
        alt=gettext("%(title)s, loss and accuracy per epoch.", title=title) + f" {seen}",
        last=last,
    )


def _scale(ax: Axes, measure: str, values: np.ndarray) -> None:
    """Give a row its shared y axis: percent, or the loss, by decades if it spans many."""
    if measure.endswith("percent"):
        ax.set_ylim(-3, 103)
    elif values.max() > _LOG_FROM * values.min():
        log_axis(ax.yaxis, values)
    else:
        ax.set_ylim(shared_limits(values, floor=0.0))


def _plot(
    ax: Axes,
    runs: pd.DataFrame,
    means: pd.DataFrame,
    measure: str,
    styles: dict[str, ArmStyle],
    last: int,
) -> None:
    for (arm, seed), run in runs.groupby(["normalization", "seed"], sort=False):
        style = styles[arm]
        of = mark(arm=arm, seed=seed)
        ax.plot(run["epoch"], run[measure], color=tint(style.color, 0.45), linewidth=THIN, **of)
        if run["epoch"].iloc[-1] < last:
            ax.plot(
                run["epoch"].iloc[-1],
                run[measure].iloc[-1],
                marker="x",
                markersize=5,
                markeredgewidth=1.2,
                color=style.color,
                **of,
            )
    for arm, mean in means.groupby("normalization", sort=False):
        of = mark(arm=arm, seed="mean")
        ax.plot(mean["epoch"], mean[measure], **mean_line(styles[arm]), **of)


def _observation(
    shown: pd.DataFrame,
    means: dict[str, pd.DataFrame],
    starts: list[str],
    last: int,
    gate: float,
) -> str:
    """Give each start's final accuracies, and how many of its runs have learned."""
    sentences = []
    for start in starts:
        ends = rows_of(shown, start=start).groupby(["normalization", "seed"]).last()
        if ends.empty:
            continue
        learned = int(((ends["train_loss"] < gate) & (ends["status"] == "OK")).sum())
        sentences.append(
            ngettext(
                "%(start)s, %(learned)s of %(num)s run learned.",
                "%(start)s, %(learned)s of %(num)s runs learned.",
                len(ends),
                start=start_title(start),
                learned=learned,
            )
        )
        final = means[start][means[start]["epoch"] == last]
        if len(final):
            column = "heldout_accuracy_percent"
            values = dict(zip(final["normalization"], final[column] / 100, strict=True))
            span = extremes(values, partial(percent, digits=3))
            sentences.append(
                gettext(
                    "At epoch %(epoch)s the arms' mean accuracies are %(span)s.",
                    epoch=last,
                    span=span,
                )
            )
    return " ".join(sentences)
