"""Training curves: loss and accuracy over the epochs, run by run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import Key, arm_keys, epoch_axis, log_axis, page, panel_title
from normreport.figures.ranges import (
    ALL_ARMS,
    arms_in_color,
    describe_colors,
    describe_lines,
    draw_runs,
    range_keys,
    range_of_means,
    runs_or_ranges,
    style_of_all,
)
from normreport.figures.runs import (
    arms_in_order,
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    no_run,
    rows_of,
    run_notes,
)
from normreport.figures.style import (
    MUTED,
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
)
from normreport.statistics.learned import LEARNED_SHARE, compute_learning_threshold
from normreport.text.formatting import format_extremes, format_number, format_percent
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import N_, gettext, ngettext

KIND = Kind(
    order=(20, 1),
    table="history",
    columns=(
        "status", "classes", "heldout_images", "train_loss", "heldout_loss", "heldout_accuracy"
    ),
    per=("model",),
    highlights_contrast=True,
)  # fmt: skip

_MEASURES = {
    "train_loss": N_("loss, training"),
    "heldout_loss": N_("loss, held out"),
    "heldout_accuracy_percent": N_("accuracy, held out (%%)"),
}
_BESIDE = ("axes fraction", "data")
_MOST_COLUMNS = 3  # of starts, so that their names fit
_BODY = {False: 4.7, True: 3.9}  # inches of three measures, without and with starts below others
_GAP = {False: 0.16, True: 0.44}  # inches between rows
_LOG_FROM = 20.0  # ratio of the largest loss of a row of panels to the smallest
_REFERENCE: Marks = {"color": MUTED, "linewidth": 0.9, "linestyle": (0.0, (1.0, 1.6))}


@dataclass(frozen=True)
class Prepared:
    """The histories of one model.

    Attributes
    ----------
    model : str
        The label of the model.
    arms : list of str
        The arms of the experiment.
    classes : int
        The number of classes of the target images.
    heldout_images : int
        The number of held-out images that are evaluated after every epoch.
    last : int
        The last epoch of any run.
    shown : pandas.DataFrame
        The rows of the model whose losses and accuracy are finite.
    runs, means : mapping of str to pandas.DataFrame
        For each start, the rows of its runs, and each arm's mean over its seeds.
    colored : list of str
        The arms that are drawn in colour.
    lines : mapping of str to pandas.DataFrame
        For each start, the rows of the runs in colour, or of many seeds their ranges; of many arms
        also the range of all arms' means.
    """

    model: str
    arms: list[str]
    classes: int
    heldout_images: int
    last: int
    shown: pd.DataFrame
    runs: Mapping[str, pd.DataFrame]
    means: Mapping[str, pd.DataFrame]
    colored: list[str]
    lines: Mapping[str, pd.DataFrame]

    @property
    def title(self) -> str:
        """The title of the figure."""
        return gettext("%(model)s: training curves", model=self.model)

    @property
    def runs_in_color(self) -> pd.DataFrame:
        """The rows of the runs of all starts that are drawn in colour."""
        return self.shown[self.shown["normalization"].isin(self.colored)]

    def drawn_means(self, start: str) -> pd.DataFrame:
        """Return the means of the arms that are drawn in colour."""
        means = self.means[start]
        return means[means["normalization"].isin(self.colored)]

    @property
    def data(self) -> pd.DataFrame:
        """What is drawn.

        Columns `start`, `normalization` ("all" for the range of the arms' means), `seed` ("mean"
        for the mean over seeds; "smallest" and "largest" for a range), `epoch`, `train_loss`,
        `heldout_loss`, `heldout_accuracy_percent`.
        """
        parts = [
            rows.assign(start=start)
            for start, lines in self.lines.items()
            for rows in (lines, self.drawn_means(start).assign(seed="mean"))
        ]
        data = pd.concat(parts, ignore_index=True).astype({"seed": str})
        return data[["start", "normalization", "seed", "epoch", *_MEASURES]]


class _Reference(NamedTuple):
    """A horizontal line: its value, its label, and where the label stands."""

    value: float
    text: str
    alignment: str


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Select the histories of one model, and average them.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `status`, `classes`,
        `heldout_images`, `epoch`, `train_loss`, `heldout_loss` (cross-entropy in nats,
        evaluation mode) and `heldout_accuracy` (0 to 1). Rows without a finite loss are left out.
    settings : FigureSettings
        `model`.

    Returns
    -------
    Prepared
        The histories.
    """
    (model,) = settings.required("model")
    shown = comparable_rows(source, model=model)
    shown = shown.assign(heldout_accuracy_percent=100 * shown["heldout_accuracy"])
    shown = shown[np.isfinite(shown[list(_MEASURES)].to_numpy()).all(axis=1)]
    runs = {start: rows_of(shown, start=start) for start in in_order(source["start"])}
    means = {start: mean_over_seeds(rows, list(_MEASURES)) for start, rows in runs.items()}
    arms = arms_in_order(source)
    colored = arms_in_color(arms, settings.contrast)
    return Prepared(
        model=model_label(model),
        arms=arms,
        classes=int(shown["classes"].max()),
        heldout_images=int(shown["heldout_images"].max()),
        last=last_epoch(shown),
        shown=shown,
        runs=runs,
        means=means,
        colored=colored,
        lines=_lines(shown[shown["normalization"].isin(colored)], means, arms != colored),
    )


def _lines(
    runs: pd.DataFrame, means: Mapping[str, pd.DataFrame], with_all: bool
) -> dict[str, pd.DataFrame]:
    """Return the lines and ranges of each start, see :class:`Prepared`."""
    measures = list(_MEASURES)
    lines = runs_or_ranges(runs, measures, by=["start", "epoch"])
    parts = {start: [rows_of(lines, start=start)] for start in means}
    if with_all:
        for start, rows in means.items():
            parts[start].append(range_of_means(rows, measures))
    return {start: pd.concat(tables, ignore_index=True) for start, tables in parts.items()}


def draw(prepared: Prepared) -> Canvas:
    """Draw the starts side by side, and the measures one below the other."""
    starts = list(prepared.runs)
    references = _references(prepared.classes)
    texts = [reference.text for lines in references.values() for reference in lines]
    right = max(text_width(text, 8) for text in texts) + 0.06
    blocks = math.ceil(len(starts) / _MOST_COLUMNS)
    columns = math.ceil(len(starts) / blocks)
    with house_style():
        notes = run_notes(prepared.runs, prepared.arms, prepared.last)
        sheet = page(prepared.title, _keys(prepared), notes, body=_BODY[blocks > 1] * blocks)
        grid = sheet.panels(
            3 * blocks * columns, columns, head=0.26, right=right, gap=(0.14, _GAP[blocks > 1])
        )
        for i, ax in enumerate(grid):
            row, column = divmod(i, columns)
            block, measure = row // 3, list(_MEASURES)[row % 3]
            if block * columns + column >= len(starts):
                ax.remove()
                continue
            start = starts[block * columns + column]
            if row % 3 == 0:
                panel_title(ax, start_label(start))
            if column == 0:
                ax.set_ylabel(gettext(_MEASURES[measure]))
            ax.tick_params(labelbottom=row % 3 == 2)
            if row % 3 == 2 and (block + 1) * columns + column >= len(starts):
                ax.set_xlabel(gettext("epoch"))
            is_last = column == columns - 1 or start == starts[-1]
            _draw_panel(ax, prepared, start, measure, references[measure], with_labels=is_last)
    return Canvas(figure=sheet.figure, last=prepared.last)


def _draw_panel(
    ax: Axes,
    prepared: Prepared,
    start: str,
    measure: str,
    references: Sequence[_Reference],
    *,
    with_labels: bool,
) -> None:
    """Draw a measure of a start, with its references."""
    epoch_axis(ax, prepared.last)
    lines = [reference.value for reference in references]
    _scale(ax, measure, np.concatenate([prepared.shown[measure].to_numpy(), lines]))
    has_runs = len(prepared.runs[start]) > 0
    if has_runs:
        _plot(ax, prepared, start, measure)
    else:
        empty_panel(ax, no_run(prepared.model, start_label(start)))
    _draw_references(ax, references, with_lines=has_runs, with_labels=with_labels)


def _keys(prepared: Prepared) -> list[Key]:
    """Give the key: the arms in colour, and the ranges."""
    styles = arm_styles(prepared.arms)
    ranges = range_keys(pd.concat(prepared.lines.values()))
    return arm_keys({arm: styles[arm] for arm in prepared.colored}) + ranges


def _references(classes: int) -> dict[str, list[_Reference]]:
    """Give the lines of chance and of the gate, by measure."""
    chance = gettext("chance: ln %(classes)s", classes=classes)
    learned = gettext("learned: %(share)s ln %(classes)s", share=LEARNED_SHARE, classes=classes)
    one_in = gettext("chance: 1 in %(classes)s", classes=classes)
    return {
        "train_loss": [
            _Reference(np.log(classes), chance, "bottom"),
            _Reference(compute_learning_threshold(classes), learned, "top"),
        ],
        "heldout_loss": [_Reference(np.log(classes), chance, "center")],
        "heldout_accuracy_percent": [_Reference(100 / classes, one_in, "center")],
    }


def _draw_references(
    ax: Axes, references: Sequence[_Reference], *, with_lines: bool, with_labels: bool
) -> None:
    """Draw lines across a panel, and label them to its right."""
    for value, text, alignment in references:
        if with_lines:
            ax.axhline(value, zorder=1, **_REFERENCE)
        if with_labels:
            nudge = {"bottom": 1, "top": -1}.get(alignment, 0)
            style = {"va": alignment, "size": 8, "color": MUTED}
            label(ax, text, (1, value), inside=_BESIDE, offset=(4, nudge), **style)


def _scale(ax: Axes, measure: str, values: np.ndarray) -> None:
    """Give a row its shared y axis: percent, or the loss, by decades if it spans many."""
    if measure.endswith("percent"):
        ax.set_ylim(-3, 103)
    elif values.max() > _LOG_FROM * values.min():
        log_axis(ax.yaxis, values)
    else:
        ax.set_ylim(shared_limits(values, floor=0.0))


def _plot(ax: Axes, prepared: Prepared, start: str, measure: str) -> None:
    """Draw a measure of every run and arm of a start; a cross ends a run that diverged."""
    styles = arm_styles(prepared.arms) | {ALL_ARMS: style_of_all()}
    end = partial(_mark_end, ax, measure, prepared.last)
    draw_runs(ax, prepared.lines[start], styles, x="epoch", y=measure, mark_end=end)
    for arm, mean in prepared.drawn_means(start).groupby("normalization", sort=False):
        of = mark(arm=arm, seed="mean")
        ax.plot(mean["epoch"], mean[measure], **mean_line(styles[str(arm)]), **of)


def _mark_end(ax: Axes, measure: str, last: int, run: pd.DataFrame, style: ArmStyle) -> None:
    """Draw a cross where a run diverged."""
    if run["epoch"].iloc[-1] < last:
        ax.plot(
            run["epoch"].iloc[-1],
            run[measure].iloc[-1],
            marker="x",
            markersize=5,
            markeredgewidth=1.2,
            color=style.color,
            **mark(arm=run["normalization"].iloc[-1], seed=run["seed"].iloc[-1]),
        )


def describe(prepared: Prepared) -> Words:
    """Say what the lines are, and how many runs have learned."""
    method = gettext(
        "Training of %(model)s: cross-entropy in evaluation mode on the training images and on "
        "%(images)s held-out images, and the accuracy on the latter. The accuracies in the table "
        "of runs rest on all held-out images. %(lines)s. The dotted lines are chance for "
        "%(classes)s classes (ln %(classes)s = %(chance)s) and, for the training loss, the gate "
        "below which a run that did not diverge has learned (%(gate)s).",
        model=prepared.model,
        images=prepared.heldout_images,
        lines=describe_lines(prepared.runs_in_color),
        classes=prepared.classes,
        chance=format_number(np.log(prepared.classes)),
        gate=format_number(compute_learning_threshold(prepared.classes)),
    )
    method = " ".join([method, *describe_colors(prepared.arms, prepared.colored)])
    alt = gettext("%(title)s, loss and accuracy per epoch.", title=prepared.title)
    observation = _observation(prepared)
    return Words(caption=observation, method=method, alt=f"{alt} {observation}")


def _observation(prepared: Prepared) -> str:
    """Give each start's final accuracies, and how many of its runs have learned."""
    gate, last = compute_learning_threshold(prepared.classes), prepared.last
    sentences = []
    for start, runs in prepared.runs.items():
        ends = runs.groupby(["normalization", "seed"]).last()
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
        means = prepared.means[start]
        final = means[means["epoch"] == last]
        if len(final):
            column = "heldout_accuracy_percent"
            values = dict(zip(final["normalization"], final[column] / 100, strict=True))
            span = format_extremes(values, partial(format_percent, digits=3))
            sentences.append(
                gettext(
                    "At epoch %(epoch)s the arms' mean accuracies on the %(images)s held-out "
                    "images are %(span)s.",
                    epoch=last,
                    images=prepared.heldout_images,
                    span=span,
                )
            )
    return " ".join(sentences)
