"""The article's plot, from seeds alone: three runs with a seed each, beside three of one seed."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.page import Key, page, panel_title
from normreport.figures.runs import comparable_rows, last_epoch, rows_of
from normreport.figures.style import (
    INK,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    label,
    mark,
    mean_line,
    shared_limits,
    tint,
)
from normreport.text.formatting import listing, number
from normreport.text.labels import model_label, start_label
from normreport.text.language import N_, gettext

# The designs, as the table has them.
_APART = "a seed each"
_MATCHED = "one seed"
_DESIGNS = {_APART: N_("a seed each: %(seeds)s"), _MATCHED: N_("one seed: %(seeds)s")}
_SEEN = {
    _APART: N_(
        "With a seed each, the two curves of the same preprocessing differ by %(same)s of the peak "
        "and those of different ones by up to %(others)s."
    ),
    _MATCHED: N_(
        "With one seed, the two curves of the same preprocessing differ by %(same)s of the peak "
        "and those of different ones by up to %(others)s."
    ),
}
_PIPELINES = {
    "none": "published_none",
    "min/max": "published_minmax",
    "mean/std": "published_meanstd",
}
_PAIRS = (("none", "min/max"), ("none", "mean/std"), ("min/max", "mean/std"))
_COLUMNS = [
    "design",
    "pipeline",
    "normalization",
    "seed",
    "weight",
    "density",
    "other",
    "gap_percent",
]


KIND = Kind(
    order=(70, 1),
    table="densities",
    per=("start", "model", "layer"),
    only_start="scratch",
    is_of_first_layer=True,
    arms=("unit", "imagenet"),
)


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {
        "densities": source,
        "model": settings.model,
        "start": settings.start,
        "layer": settings.layer,
        "normalizations": settings.normalizations,
    }


def draw(
    densities: pd.DataFrame, *, model: str, start: str, layer: str, normalizations: Sequence[str]
) -> Drawing:
    """Draw the last epoch's density for the article's three pipelines, in two designs.

    Parameters
    ----------
    densities : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `weight`, `density`.
    model, start, layer : str
        Which rows to draw.
    normalizations : sequence of str
        The two arms that stand for the three pipelines: the first for both "none" and "min/max",
        which are the same, the second for "mean/std".

    Returns
    -------
    Drawing
        `data` has the columns `design`, `pipeline`, `normalization`, `seed`, `weight`, `density`,
        and `gap_percent`: the largest difference to the `other` pipeline's curve, in percent of
        the higher of their two peaks. Each pair of pipelines is thus named once.
    """
    both, third = normalizations
    arms = dict(zip(_PIPELINES, (both, both, third), strict=True))
    comparable = comparable_rows(densities, model=model, layer=layer)
    last = last_epoch(comparable)
    runs = rows_of(comparable, start=start)
    seeds = sorted(runs["seed"].unique())
    designs = {
        _APART: {name: seeds[i % len(seeds)] for i, name in enumerate(arms)} if seeds else {},
        _MATCHED: dict.fromkeys(arms, seeds[0]) if seeds else {},
    }
    final = runs[runs["epoch"] == last]
    parts = [_design(final, arms, chosen).assign(design=name) for name, chosen in designs.items()]
    data = pd.concat(parts, ignore_index=True)[_COLUMNS]

    name = f"{model_label(model)}, {start_label(start)}, {layer}"
    title = gettext("%(name)s: the article\u2019s plot from seeds alone", name=name)
    styles = arm_styles(list(_PIPELINES.values()))
    looks = {pipeline: mean_line(styles[arm]) for pipeline, arm in _PIPELINES.items()}
    # Where two curves are one, the wide pale line shows beside the narrow one upon it.
    looks["none"] |= {"color": tint(looks["none"]["color"], 0.45), "linewidth": 4.5}
    peak = data["density"].max()
    with house_style():
        keys = [
            Key(gettext("\u201c%(pipeline)s\u201d", pipeline=pipeline), look)
            for pipeline, look in looks.items()
        ]
        sheet = page(title, keys, [], body=4.3)
        panels = sheet.panels(
            4, 2, left=1.22, head=0.26, gap=(0.3, 0.55), shares=(0.72, 0.28), foot=0.42
        )
        for column, (design, chosen) in enumerate(designs.items()):
            curves, gaps = panels[column], panels[2 + column]
            drawn = data[data["design"] == design]
            which = listing(dict.fromkeys(chosen.values())) or gettext("none")
            panel_title(curves, gettext(_DESIGNS[design], seeds=which))
            curves.set_xlim(shared_limits(data["weight"][data["density"] > 0.005 * peak]))
            curves.set_ylim(shared_limits(data["density"], floor=0.0))
            curves.tick_params(labelbottom=True)
            gaps.set_xlim(shared_limits(data["gap_percent"], floor=0.0, margin=0.22))
            gaps.set_xlabel(gettext("largest difference, %% of the peak"))
            gaps.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            curves.set_xlabel(gettext("weight"))
            if drawn.empty:
                reason = gettext("No run that this needs reached epoch %(epoch)s.", epoch=last)
                for ax in (curves, gaps):
                    empty_panel(ax, reason)
                continue
            for pipeline, curve in drawn.groupby("pipeline", sort=False):
                curves.plot(
                    curve["weight"], curve["density"], **looks[pipeline], **mark(line=pipeline)
                )
            _bars(gaps, drawn)
        panels[0].set_ylabel(gettext("density"))
        _name_pairs(panels[2:])

    seen = _observation(data)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=gettext(
            "Densities of the weights of %(layer)s (%(model)s, %(start)s) at epoch %(epoch)s, as "
            "the article compared them. Its \u201cnone\u201d and \u201cmin/max\u201d share their "
            "preprocessing (here the arm %(both)s), its \u201cmean/std\u201d is %(third)s. Left "
            "every curve has a seed of its own, as far as there are enough; right all have the "
            "same one. Below, how far the curves of each pair lie apart.",
            layer=layer,
            model=model_label(model),
            start=start_label(start),
            epoch=last,
            both=both,
            third=third,
        )
        + f" {seen}",
        alt=gettext("%(title)s, each with a seed of its own and all with one seed.", title=title)
        + f" {seen}",
    )


def _design(final: pd.DataFrame, arms: dict[str, str], chosen: dict[str, int]) -> pd.DataFrame:
    """Take the three runs of a design, all or none, and measure each pair of curves."""
    curves = {
        pipeline: final[(final["normalization"] == arms[pipeline]) & (final["seed"] == seed)]
        for pipeline, seed in chosen.items()
    }
    if not curves or any(curve.empty for curve in curves.values()):
        return pd.DataFrame(columns=_COLUMNS).astype({"density": float, "gap_percent": float})
    parts = []
    for pipeline, other in (_PAIRS[0], _PAIRS[2], _PAIRS[1][::-1]):
        one, two = (curves[p]["density"].to_numpy() for p in (pipeline, other))
        gap = 100 * abs(one - two).max() / max(one.max(), two.max())
        parts.append(curves[pipeline].assign(pipeline=pipeline, other=other, gap_percent=gap))
    return pd.concat(parts)


def _gaps(drawn: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the gap of each pair, in the order of `_PAIRS`."""
    found = {
        frozenset((row.pipeline, row.other)): row.gap_percent
        for row in drawn.drop_duplicates("pipeline").itertuples()
    }
    return {pair: float(found[frozenset(pair)]) for pair in _PAIRS}


def _bars(ax: Axes, drawn: pd.DataFrame) -> None:
    """One bar per pair, with its number."""
    bar: Marks = {"color": tint(INK, 0.45), "linewidth": 9}
    for y, gap in enumerate(_gaps(drawn).values()):
        ax.plot([0, gap], [y, y], **bar)
        label(ax, f"{number(gap, 2)}%", (gap, y), inside=("data", "data"), offset=(5, 0),
              va="center", size=8)  # fmt: skip


def _name_pairs(panels: Sequence[Axes]) -> None:
    for ax in panels:
        ax.set_ylim(len(_PAIRS) - 0.4, -0.6)
        ax.set_yticks(range(len(_PAIRS)), [" \u2013 ".join(pair) for pair in _PAIRS])
        ax.grid(visible=False)
        ax.spines["left"].set_visible(False)


def _observation(data: pd.DataFrame) -> str:
    """Compare the pair that shares its preprocessing with those that do not."""
    sentences = []
    for design, words in _SEEN.items():
        drawn = data[data["design"] == design]
        if len(drawn):
            same, *others = _gaps(drawn).values()
            shares = {"same": f"{number(same, 2)}%", "others": f"{number(max(others), 2)}%"}
            sentences.append(gettext(words, **shares))
    return " ".join(sentences) or gettext("There is no run to compare.")
