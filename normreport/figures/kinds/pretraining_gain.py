"""Held-out accuracy from pretrained and from random weights, and what pretraining gains."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import Key, page, panel_title
from normreport.figures.ranges import HIGH, LOW, has_many_seeds, range_label
from normreport.figures.runs import arms_in_order, in_order, rows_of
from normreport.figures.style import (
    BOLD,
    GRID,
    INK,
    MUTED,
    PAPER,
    RULE,
    THIN,
    ArmStyle,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    label,
    mark,
    row_labels,
    shared_limits,
    text_width,
)
from normreport.statistics.pretraining_gain import Gain, measure_gain
from normreport.text.effects import format_interval
from normreport.text.formatting import format_number, format_percent, join_with_and
from normreport.text.labels import model_label, start_label
from normreport.text.language import N_, gettext, ngettext

KIND = Kind(
    order=(15, 1),
    table="runs",
    compared_starts=("pretrained", "scratch"),
    averages_contrast=True,
    in_article=True,
)

_PRETRAINED, _SCRATCH = KIND.compared_starts
# The two accuracies that are compared, from the top row down.
_ROWS = {"heldout_accuracy": N_("after training"), "probe_accuracy": N_("linear probe")}
_COLUMNS = ["model", "accuracy", "start", "normalization", "seed", "percent"]
_DIFFERENCE, _MEAN, _LOW, _HIGH = "pretrained - scratch", "mean", "95% low", "95% high"
_POINT: Marks = {"linestyle": "none", "markersize": 4.2, "markeredgewidth": 0.9}
_SEED: Marks = {**_POINT, "marker": "o", "markersize": 3.4, "color": MUTED, "markeredgewidth": 0}
_RANGE: Marks = {"color": MUTED, "linewidth": 1.1}
_ALL: Marks = {"marker": "D", "markersize": 5, "color": INK, "linestyle": "none"}
_REACH: Marks = {"color": INK, "linewidth": BOLD}
_NAMES = 1.6  # inches, for the longest name of an arm
_SPREAD = 0.66  # the share of a row that its seeds take
_LIFT = 0.18  # how far a range stands from the middle of its row
_NUMBER = 8.0  # size of the numbers at the right


@dataclass(frozen=True)
class Check:
    """What pretraining gains one network.

    Attributes
    ----------
    model : str
        The network.
    arms : list of str
        Every arm that has runs from both starts.
    averaged : list of str
        Those of the article's arms that the gain is averaged over; empty if their runs have no
        seed in common.
    seeds : list of int
        The seeds that all runs of these arms have.
    gains : mapping of str to Gain or None
        By the accuracy that is compared; None if a run diverged or failed.
    """

    model: str
    arms: list[str]
    averaged: list[str]
    seeds: list[int]
    gains: dict[str, Gain | None]

    @property
    def gain(self) -> Gain | None:
        """What the networks gain after training."""
        return self.gains["heldout_accuracy"]


@dataclass(frozen=True)
class Prepared:
    """The accuracies of every network that has runs from both starts.

    Attributes
    ----------
    checks : list of Check
        One per network.
    data : pandas.DataFrame
        The marks: columns `model`, `accuracy` ("heldout_accuracy" or "probe_accuracy"), `start`,
        `normalization`, `seed` and `percent`. Differences have the start "pretrained - scratch",
        the arms that they are averaged over, and as seed also "mean", "95% low" and "95% high".
        If there are many seeds, they have "smallest", "largest" and "mean" instead.
    has_ranges : bool
        Whether there are many seeds.
    """

    checks: list[Check]
    has_ranges: bool
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title."""
        return gettext("Is the pretrained start better than a random one?")


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Pair the accuracies by arm and seed, and measure the gain of every network.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `heldout_accuracy` and
        `probe_accuracy`; one row per planned run. An accuracy is NaN if the run has none.
    settings : FigureSettings
        `contrast`.
    """
    contrast = settings.contrast or ()
    checks = [
        _check(runs, str(model), contrast)
        for model, runs in source.groupby("model", sort=False)
        if {*KIND.compared_starts} <= {*runs["start"]}
    ]
    has_ranges = has_many_seeds(source)
    rows = [
        row
        for check in checks
        for row in _rows(rows_of(source, model=check.model), check, has_ranges)
    ]
    return Prepared(checks, has_ranges, pd.DataFrame(rows, columns=_COLUMNS))


def _check(runs: pd.DataFrame, model: str, contrast: Sequence[str]) -> Check:
    seeds_of = {place: set(own["seed"]) for place, own in runs.groupby(["normalization", "start"])}
    arms = [
        arm
        for arm in arms_in_order(runs)
        if all((arm, start) in seeds_of for start in KIND.compared_starts)
    ]
    averaged = [arm for arm in contrast if arm in arms]
    needed = [seeds_of[arm, start] for arm in averaged for start in KIND.compared_starts]
    seeds = [seed for seed in runs["seed"].unique() if all(seed in own for own in needed)]
    gains = {
        column: measure_gain(
            *(
                rows_of(runs, start=start)
                .pivot(index="seed", columns="normalization", values=column)
                .reindex(index=seeds, columns=averaged)
                for start in KIND.compared_starts
            )
        )
        for column in _ROWS
    }
    return Check(model, arms, averaged if seeds else [], seeds, gains)


def _rows(runs: pd.DataFrame, check: Check, has_ranges: bool) -> Iterator[tuple[object, ...]]:
    """Yield the rows of `Prepared.data` of one network."""
    column = "heldout_accuracy"
    for arm in check.arms:
        for start in (_SCRATCH, _PRETRAINED):
            own = rows_of(runs, normalization=arm, start=start).dropna(subset=[column])
            shares = dict(zip(map(str, own["seed"]), own[column], strict=True))
            if has_ranges and shares:
                shares = _range(shares) | {_MEAN: own[column].mean()}
            for seed, share in shares.items():
                yield check.model, column, start, arm, seed, 100 * share
    for accuracy, gain in check.gains.items():
        if gain is None:
            continue
        interval = gain.interval
        ends = {_MEAN: interval.mean, _LOW: interval.low, _HIGH: interval.high}
        values = dict(zip(map(str, check.seeds), gain.values, strict=True))
        for name, share in ((_range(values) if has_ranges else values) | ends).items():
            if share is not None:
                arms = ", ".join(check.averaged)
                yield check.model, accuracy, _DIFFERENCE, arms, name, 100 * share


def _range(values: Mapping[str, float]) -> dict[str, float]:
    """Return the smallest and the largest value."""
    return {LOW: min(values.values()), HIGH: max(values.values())}


def draw(prepared: Prepared) -> Canvas:
    """Draw two panels per network: the accuracies of every arm, and the differences."""
    if not prepared.checks:
        return _empty_canvas(prepared)
    checks, data = prepared.checks, prepared.data
    styles = arm_styles(list(dict.fromkeys(arm for check in checks for arm in check.arms)))
    is_difference = data["start"] == _DIFFERENCE
    heights = [max(len(check.arms), len(_ROWS)) for check in checks]
    with house_style():
        sheet = page(
            prepared.title,
            _keys(prepared.has_ranges),
            [],
            body=0.72 * len(checks) + 0.3 * sum(heights),
        )
        names = row_labels([style.label for style in styles.values()], 8, _NAMES)
        panels = sheet.panels(
            2 * len(checks), 2, head=0.26, foot=0.42, gap=(0.98, 0.5),
            left=max((text_width(name, 8) for name in names), default=0.4) + 0.2, right=1.0,
            shares=[height / sum(heights) for height in heights], column_shares=(0.6, 0.4),
        )  # fmt: skip
        for i, check in enumerate(checks):
            runs, gains = panels[2 * i : 2 * i + 2]
            panel_title(runs, model_label(check.model))
            panel_title(gains, _outcome(check))
            runs.set_xlim(shared_limits(data.loc[~is_difference, "percent"], margin=0.06))
            gains.set_xlim(shared_limits(data.loc[is_difference, "percent"], [0.0], margin=0.06))
            _draw_runs(runs, rows_of(data, model=check.model), check)
            _draw_gains(gains, rows_of(data, model=check.model, start=_DIFFERENCE), check)
            if check is checks[-1]:
                runs.set_xlabel(gettext("held-out accuracy (%%)"))
                gains.set_xlabel(gettext("pretrained minus scratch (points)"))
    return Canvas(figure=sheet.figure)


def _keys(has_ranges: bool) -> list[Key]:
    open_point = {**_POINT, "marker": "o", "color": MUTED, "markerfacecolor": PAPER}
    of_seed = Key(gettext("one seed"), _SEED)
    of_range = Key(gettext("range of the seeds"), _RANGE)
    return [
        Key(gettext("from scratch"), open_point),
        Key(gettext("pretrained"), {**_POINT, "marker": "o", "color": MUTED}),
        of_range if has_ranges else of_seed,
        Key(gettext("mean and 95%% interval"), {**_ALL, **_REACH, "linestyle": "-"}),
    ]


def _outcome(check: Check) -> str:
    """Say in a few words whether pretraining helped."""
    if check.gain is None or check.gain.outcome is None:
        return gettext("Cannot be checked")
    return {
        "helped": gettext("Pretraining helped"),
        "harmed": gettext("Pretraining harmed"),
        "not shown": gettext("Not shown to have helped"),
    }[check.gain.outcome]


def _why_not(check: Check) -> str:
    """Say why there is no outcome."""
    if not check.averaged:
        return gettext("no arm of the article has runs from both starts with the same seed")
    if check.gain is None:
        return gettext("a run diverged or failed")
    return gettext("it needs three seeds or more")


def _draw_rows(ax: Axes, names: list[str]) -> None:
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_yticks(range(len(names)), names)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.tick_params(labelleft=True, labelbottom=True)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color=GRID)
    ax.spines["left"].set_visible(False)


def _draw_runs(ax: Axes, data: pd.DataFrame, check: Check) -> None:
    """Draw a row per arm, with a thin line between the two runs of a seed."""
    styles = arm_styles(check.arms)
    _draw_rows(ax, row_labels([style.label for style in styles.values()], 8, _NAMES))
    drawn = data[data["start"] != _DIFFERENCE]
    if drawn.empty:
        empty_panel(ax, gettext("No run has a final accuracy from both starts."))
        return
    seeds = in_order(drawn["seed"])
    for row, (arm, style) in enumerate(styles.items()):
        if LOW in seeds:
            _draw_ranges(ax, rows_of(drawn, normalization=arm), row, style)
            continue
        for place, seed in enumerate(seeds):
            of_run = rows_of(drawn, normalization=arm, seed=seed)
            y = row + _SPREAD * ((place + 0.5) / len(seeds) - 0.5)
            attributes = mark(arm=arm, seed=seed)
            if len(of_run) == len(KIND.compared_starts):
                line: Marks = {"color": style.color, "linewidth": THIN}
                ax.plot(of_run["percent"], [y, y], **line, **attributes)
            for start, percent in zip(of_run["start"], of_run["percent"], strict=True):
                ax.plot(percent, y, **_point(style, start), **attributes)


def _point(style: ArmStyle, start: str) -> Marks:
    """Return the look of a point: hollow from scratch, filled if pretrained."""
    face = style.color if start == _PRETRAINED else PAPER
    return {
        **_POINT, "marker": style.marker, "color": style.color, "markerfacecolor": face
    }  # fmt: skip


def _draw_ranges(ax: Axes, marks: pd.DataFrame, row: int, style: ArmStyle) -> None:
    """Draw the range and the mean of an arm's runs, one start above the other."""
    for lift, start in ((-_LIFT, _SCRATCH), (_LIFT, _PRETRAINED)):
        own = rows_of(marks, start=start).set_index("seed")["percent"]
        if own.empty:
            continue
        arm, y = str(marks["normalization"].iloc[0]), row + lift
        line: Marks = {"color": style.color, "linewidth": 1.1}
        ax.plot(own[[LOW, HIGH]], [y, y], **line, **mark(arm=arm, line=range_label(arm)))
        ax.plot(own[_MEAN], y, **_point(style, start), **mark(arm=arm, seed="mean"))


def _draw_gains(ax: Axes, data: pd.DataFrame, check: Check) -> None:
    """Draw the differences of every seed, and their means with intervals, around zero."""
    _draw_rows(ax, [gettext(name) for name in _ROWS.values()])
    if not check.averaged:
        empty_panel(ax, gettext("No pair of runs: %(reason)s.", reason=_why_not(check)))
        return
    ax.axvline(0, color=RULE, linewidth=1.2)
    for row, accuracy in enumerate(_ROWS):
        own = rows_of(data, accuracy=accuracy).set_index("seed")["percent"]
        if own.empty:
            text = gettext("a run diverged or failed")
            style: Marks = {"size": _NUMBER, "color": MUTED, "ha": "center", "va": "center"}
            label(ax, text, (0.5, row), inside=("axes fraction", "data"), **style)
            continue
        seeds = own.drop([_MEAN, _LOW, _HIGH, LOW, HIGH], errors="ignore")
        if LOW in own:
            y = row + _LIFT
            ax.plot(own[[LOW, HIGH]], [y, y], **_RANGE, **mark(line=gettext("range of the seeds")))
        for place, (seed, percent) in enumerate(seeds.items()):
            y = row + _SPREAD * ((place + 0.5) / len(seeds) - 0.5)
            ax.plot(percent, y, **_SEED, **mark(seed=seed))
        text = format_number(own[_MEAN], 2)
        attributes = mark(seed="mean")
        if _LOW in own:
            ax.plot(own[[_LOW, _HIGH]], [row, row], **_REACH, **attributes)
            text += f" [{format_number(own[_LOW], 2)}, {format_number(own[_HIGH], 2)}]"
        ax.plot(own[_MEAN], row, **_ALL, **attributes)
        at, inside = (1.0, row), ("axes fraction", "data")
        label(ax, text, at, inside=inside, offset=(6, 0), size=_NUMBER, va="center")


def _no_network() -> str:
    return gettext("No run to compare: no network has runs from both starts.")


def _empty_canvas(prepared: Prepared) -> Canvas:
    with house_style():
        sheet = page(prepared.title, [], [], body=1.2)
        (ax,) = sheet.panels(1, 1, head=0.08, foot=0.04, left=0.04)
        empty_panel(ax, _no_network())
        ax.set(xticks=[], yticks=[])
    return Canvas(figure=sheet.figure)


def describe(prepared: Prepared) -> Words:
    """Say for each network whether pretraining helped, then explain the marks."""
    if not prepared.checks:
        return Words(caption=_no_network(), alt=_no_network())
    observation = " ".join(_observations(prepared.checks))
    arms = _averaged_arms(prepared.checks)
    if prepared.has_ranges:
        marks = gettext(
            "Points are the mean of an arm over its seeds, from scratch (hollow) and pretrained "
            "(filled); lines are the range of its runs. The right panel shows the difference, "
            "averaged over %(arms)s: the range of the seeds, and the mean with its 95%% interval "
            "over seeds (Student's t).",
            arms=arms,
        )
    else:
        marks = gettext(
            "A thin line joins the two runs of a seed, from scratch (hollow) and pretrained "
            "(filled). The right panel shows the difference of each seed, averaged over %(arms)s, "
            "and the mean with its 95%% interval over seeds (Student's t).",
            arms=arms,
        )
    explanation = gettext(
        "Left, the accuracy on all held-out images after the last epoch. %(marks)s The linear "
        "probe is a ridge classifier on the features of the training images before the first "
        "step, so no learning rate affects it.",
        marks=marks,
    )
    return Words(
        caption=observation,
        method=explanation,
        alt=" ".join([prepared.title, observation, *_ranges(prepared)]),
    )


def _averaged_arms(checks: list[Check]) -> str:
    different = {tuple(check.averaged) for check in checks if check.averaged}
    if len(different) != 1:
        return gettext("the article's arms")
    return join_with_and(different.pop())


def _observations(checks: list[Check]) -> Iterator[str]:
    """Yield a sentence per outcome, one per network without an outcome, and one on the probes."""
    sentences = {
        "harmed": N_("In held-out accuracy, pretraining harmed %(networks)s."),
        "not shown": N_(
            "In held-out accuracy, pretraining is not shown to have helped %(networks)s."
        ),
        "helped": N_("In held-out accuracy, pretraining helped %(networks)s."),
    }
    for outcome, sentence in sentences.items():
        networks = [
            _with_difference(check.model, check.gain)
            for check in checks
            if check.gain and check.gain.outcome == outcome
        ]
        if networks:
            yield gettext(sentence, networks=join_with_and(networks))
    for check in checks:
        if not (check.gain and check.gain.outcome):
            yield gettext(
                "Whether pretraining helped %(network)s cannot be checked: %(reason)s.",
                network=model_label(check.model),
                reason=_why_not(check),
            )
    probes = [
        gettext(
            "%(difference)s for %(network)s",
            difference=_points(gain),
            network=model_label(check.model),
        )
        for check in checks
        if (gain := check.gains["probe_accuracy"])
    ]
    if probes:
        yield gettext(
            "A linear probe before the first step differs by %(differences)s.",
            differences=join_with_and(probes),
        )


def _with_difference(model: str, gain: Gain) -> str:
    """Write a network with its difference: "VGG16 (14 points [10, 18], 6 seeds)"."""
    return ngettext(
        "%(network)s (%(difference)s, %(num)s seed)",
        "%(network)s (%(difference)s, %(num)s seeds)",
        len(gain.values),
        network=model_label(model),
        difference=_points(gain),
    )


def _points(gain: Gain) -> str:
    interval = gain.interval
    return format_interval(interval.mean, interval.low, interval.high, "points")


def _ranges(prepared: Prepared) -> Iterator[str]:
    """Yield the range of the accuracies of every network and start."""
    for check in prepared.checks:
        for start in KIND.compared_starts:
            own = rows_of(prepared.data, model=check.model, start=start)["percent"]
            if not own.empty:
                yield gettext(
                    "%(network)s, %(start)s: accuracies from %(low)s to %(high)s.",
                    network=model_label(check.model),
                    start=start_label(start),
                    low=format_percent(own.min() / 100),
                    high=format_percent(own.max() / 100),
                )
