"""The article's plot from seeds alone: three runs with a seed each, beside three of one seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Densities, Words
from normreport.figures.page import Key, page, panel_title
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
from normreport.text.formatting import format_number, join_with_and
from normreport.text.labels import model_label, start_label
from normreport.text.language import N_, gettext

KIND = Kind(
    order=(70, 1),
    table="densities",
    columns=("weight", "density"),
    epochs="ends",
    per=("start", "model", "layer"),
    only_start="scratch",
    is_of_first_layer=True,
    arms=("unit", "imagenet"),
    is_of_the_article=True,
    in_article=True,
)

# The names of the designs in the table.
_INDEPENDENT = "a seed each"
_MATCHED = "one seed"
_TITLES = {_INDEPENDENT: N_("a seed each: %(seeds)s"), _MATCHED: N_("one seed: %(seeds)s")}
_OBSERVATIONS = {
    _INDEPENDENT: N_(
        "With a seed each, the two curves of the same preprocessing differ by %(same)s of the peak "
        "and those of different ones by up to %(others)s."
    ),
    _MATCHED: N_(
        "With one seed, the two curves of the same preprocessing differ by %(same)s of the peak "
        "and those of different ones by up to %(others)s."
    ),
}
# The arm whose colour each pipeline of the article has.
_PIPELINES = {
    "none": "published_none",
    "min/max": "published_minmax",
    "mean/std": "published_meanstd",
}
# The first pair shares its preprocessing.
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


@dataclass(frozen=True)
class Prepared:
    """The densities of the article's three pipelines in two designs.

    Attributes
    ----------
    model, start, layer : str
        The networks and the layer that the figure shows.
    arms : dict of str to str
        The arm that stands for each pipeline.
    seeds : dict of str to dict of str to int
        For each design the seed of each pipeline; empty without runs.
    last_epoch : int
        The last epoch of any start, which the figure shows.
    data : pandas.DataFrame
        Columns `design`, `pipeline`, `normalization`, `seed`, `weight`, `density`, and
        `gap_percent`: the largest difference to the curve of the `other` pipeline, in percent of
        the higher of their two peaks. Each pair of pipelines occurs once.
    """

    model: str
    start: str
    layer: str
    arms: dict[str, str]
    seeds: dict[str, dict[str, int]]
    last_epoch: int
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title."""
        name = f"{model_label(self.model)}, {start_label(self.start)}, {self.layer}"
        return gettext("%(name)s: the article\u2019s plot from seeds alone", name=name)


def prepare(source: Densities, settings: FigureSettings) -> Prepared:
    """Choose three runs for each design, and compare their densities at the last epoch.

    Parameters
    ----------
    source : Densities
        The densities of the layer and start.
    settings : FigureSettings
        `model`, `start` and `layer` select the rows. `normalizations` are the two arms that stand
        for the three pipelines: the first for both "none" and "min/max", which are the same, the
        second for "mean/std".

    Raises
    ------
    NoRowsError
        If the weights do not vary.
    """
    model, start, layer = settings.required("model", "start", "layer")
    same, other = settings.normalizations
    arms = dict(zip(_PIPELINES, (same, same, other), strict=True))
    runs = source.rows(model=model, layer=layer, start=start)
    last = source.last_epoch
    seeds = _choose_seeds(runs, arms)
    final = runs[runs["epoch"] == last]
    designs = [_compare(final, arms, seeds[design]).assign(design=design) for design in seeds]
    return Prepared(
        model=model,
        start=start,
        layer=layer,
        arms=arms,
        seeds=seeds,
        last_epoch=last,
        data=pd.concat(designs, ignore_index=True)[_COLUMNS],
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw a column of panels per design: the densities, and below them the gaps of each pair."""
    looks = _line_styles()
    with house_style():
        keys = [
            Key(gettext("\u201c%(pipeline)s\u201d", pipeline=pipeline), look)
            for pipeline, look in looks.items()
        ]
        sheet = page(prepared.title, keys, [], body=4.3)
        panels = sheet.panels(
            4, 2, left=1.22, head=0.26, gap=(0.3, 0.55), shares=(0.72, 0.28), foot=0.42
        )
        for column, design in enumerate(prepared.seeds):
            curves, gaps = panels[column], panels[2 + column]
            _prepare_axes(curves, gaps, prepared, design)
            rows = prepared.data[prepared.data["design"] == design]
            if rows.empty:
                reason = _reason(prepared, design)
                for ax in (curves, gaps):
                    empty_panel(ax, reason)
                continue
            for pipeline, curve in rows.groupby("pipeline", sort=False):
                attributes = mark(line=pipeline)
                curves.plot(curve["weight"], curve["density"], **looks[str(pipeline)], **attributes)
            _draw_bars(gaps, rows)
        panels[0].set_ylabel(gettext("density"))
        for ax in panels[2:]:
            _name_pairs(ax)
    return Canvas(figure=sheet.figure)


def describe(prepared: Prepared) -> Words:
    """Explain the two designs, and compare the pairs of pipelines."""
    title = prepared.title
    observation = _observation(prepared.data)
    explanation = gettext(
        "Densities of the weights of %(layer)s (%(model)s, %(start)s) at epoch %(epoch)s, as "
        "the article compared them. Its \u201cnone\u201d and \u201cmin/max\u201d share their "
        "preprocessing (here the arm %(both)s); its \u201cmean/std\u201d is %(third)s. At the "
        "left, every curve has its own seed, if there are enough; at the right, all curves have "
        "the same seed. The bars show how far the curves of each pair lie apart.",
        layer=prepared.layer,
        model=model_label(prepared.model),
        start=start_label(prepared.start),
        epoch=prepared.last_epoch,
        both=prepared.arms["none"],
        third=prepared.arms["mean/std"],
    )
    alt = gettext("%(title)s, each with a seed of its own and all with one seed.", title=title)
    return Words(caption=observation, method=explanation, alt=f"{alt} {observation}")


def _choose_seeds(runs: pd.DataFrame, arms: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Choose a seed per pipeline and design, the smallest ones that have runs."""
    available = [
        sorted(runs.loc[runs["normalization"] == arm, "seed"].unique()) for arm in arms.values()
    ]
    choices = list(product(*available))
    # Of too few seeds, some serve twice, but not for the pair that shares its preprocessing.
    independent = max(
        choices, key=lambda chosen: (len({*chosen}), chosen[0] != chosen[1]), default=()
    )
    matched = next((chosen for chosen in choices if len({*chosen}) == 1), ())
    return {
        _INDEPENDENT: dict(zip(arms, independent, strict=False)),
        _MATCHED: dict(zip(arms, matched, strict=False)),
    }


def _compare(
    final: pd.DataFrame, arms: Mapping[str, str], seeds: Mapping[str, int]
) -> pd.DataFrame:
    """Return the three curves of a design with the gap of each pair; no row if a run is missing."""
    curves = {
        pipeline: final[(final["normalization"] == arms[pipeline]) & (final["seed"] == seed)]
        for pipeline, seed in seeds.items()
    }
    if not curves or any(curve.empty for curve in curves.values()):
        return pd.DataFrame(columns=_COLUMNS).astype({"density": float, "gap_percent": float})
    compared = []
    # Each pipeline comes first in one pair, so that its rows carry that pair's gap.
    for pipeline, other in (_PAIRS[0], _PAIRS[2], _PAIRS[1][::-1]):
        one, two = (curves[name]["density"].to_numpy() for name in (pipeline, other))
        gap = 100 * abs(one - two).max() / max(one.max(), two.max())
        compared.append(curves[pipeline].assign(pipeline=pipeline, other=other, gap_percent=gap))
    return pd.concat(compared)


def _gaps(design: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the gap of each pair in percent of the peak, in the order of `_PAIRS`."""
    rows = design.drop_duplicates("pipeline")
    gaps = {
        frozenset((pipeline, other)): float(gap)
        for pipeline, other, gap in zip(
            rows["pipeline"], rows["other"], rows["gap_percent"], strict=True
        )
    }
    return {pair: gaps[frozenset(pair)] for pair in _PAIRS}


def _line_styles() -> dict[str, Marks]:
    """Return the style of each pipeline's curve."""
    styles = arm_styles(list(_PIPELINES.values()))
    lines = {pipeline: mean_line(styles[arm]) for pipeline, arm in _PIPELINES.items()}
    # If two curves are equal, the wide pale line shows on both sides of the narrow one.
    lines["none"] |= {"color": tint(lines["none"]["color"], 0.45), "linewidth": 4.5}
    return lines


def _prepare_axes(curves: Axes, gaps: Axes, prepared: Prepared, design: str) -> None:
    """Set limits, ticks and names of a design's two panels, which both designs share."""
    data = prepared.data
    seeds = join_with_and(dict.fromkeys(prepared.seeds[design].values())) or gettext("none")
    panel_title(curves, gettext(_TITLES[design], seeds=seeds))
    visible = data["density"] > 0.005 * data["density"].max()
    curves.set_xlim(shared_limits(data["weight"][visible]))
    curves.set_ylim(shared_limits(data["density"], floor=0.0))
    curves.tick_params(labelbottom=True)
    curves.set_xlabel(gettext("weight"))
    gaps.set_xlim(shared_limits(data["gap_percent"], floor=0.0, margin=0.22))
    gaps.set_xlabel(gettext("largest difference, %% of the peak"))
    gaps.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _draw_bars(ax: Axes, design: pd.DataFrame) -> None:
    """Draw a bar per pair, with its number."""
    bar: Marks = {"color": tint(INK, 0.45), "linewidth": 9}
    for y, gap in enumerate(_gaps(design).values()):
        ax.plot([0, gap], [y, y], **bar)
        label(ax, f"{format_number(gap, 2)}%", (gap, y), inside=("data", "data"), offset=(5, 0),
              va="center", size=8)  # fmt: skip


def _reason(prepared: Prepared, design: str) -> str:
    """Say why a design has no curves."""
    if prepared.seeds[_INDEPENDENT] and not prepared.seeds[design]:
        return gettext("No runs of the two arms share a seed.")
    return gettext("No run that this needs reached epoch %(epoch)s.", epoch=prepared.last_epoch)


def _name_pairs(ax: Axes) -> None:
    """Write the names of the pairs beside their bars."""
    ax.set_ylim(len(_PAIRS) - 0.4, -0.6)
    ax.set_yticks(range(len(_PAIRS)), [" \u2013 ".join(pair) for pair in _PAIRS])
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)


def _observation(data: pd.DataFrame) -> str:
    """Compare the pair that shares its preprocessing with the pairs that do not."""
    sentences = []
    for design, words in _OBSERVATIONS.items():
        rows = data[data["design"] == design]
        if len(rows):
            same, *others = _gaps(rows).values()
            shares = {
                "same": f"{format_number(same, 2)}%",
                "others": f"{format_number(max(others), 2)}%",
            }
            sentences.append(gettext(words, **shares))
    return " ".join(sentences) or gettext("There is no run to compare.")
