"""Kernel density estimates of a layer's weights at one epoch, arm by arm."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from normreport.figures.drawing import Drawing
from normreport.figures.interactivity import ANY_EPOCH, Shown, frames
from normreport.figures.page import Key, arm_keys, page, panel_title
from normreport.figures.runs import (
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    no_run_reached,
    nothing_to_draw,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    MUTED,
    THIN,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    mean_line,
    shared_limits,
    tint,
)
from normreport.text.formatting import compact, number, percent
from normreport.text.labels import model_label, start_label
from normreport.text.language import N_, gettext

_VALUES = [N_("density"), N_("change")]
_MOST_POINTS = 200
_VISIBLE = 0.005  # of the highest peak: below it a curve cannot be told from the axis
_EPOCH_0: Marks = {"color": MUTED, "linestyle": (0.0, (3.0, 1.5)), "linewidth": 0.8}


def draw(
    densities: pd.DataFrame,
    *,
    model: str,
    start: str,
    layer: str,
    epoch: int | None = None,
    bandwidth: float,
) -> Drawing:
    """Draw the density of a layer's weights: one colour per arm, epoch 0 in grey.

    Parameters
    ----------
    densities : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `weight`, `density`.
        The limits of the axes come from all starts of the model's layer, so that they compare.
    model, start, layer : str
        Which rows to draw.
    epoch : int, optional
        Which epoch to draw; by default the last one of this model and layer.
    bandwidth : float
        Of the estimates, in units of the weights; for the caption.

    Returns
    -------
    Drawing
        `data` has the columns `normalization` ("all" at epoch 0), `seed` ("mean" for the mean
        over seeds), `epoch`, `weight`, `density`, `change` (of the density since epoch 0, run by
        run). `frames` holds the runs' densities at every epoch; the axes have room for all.
    """
    arms = in_order(densities["normalization"])
    styles = arm_styles(arms)
    comparable = comparable_rows(densities, model=model, layer=layer)
    if epoch is None:
        epoch = last_epoch(comparable)
    comparable = _with_change(comparable)
    whole = rows_of(comparable, start=start)
    runs = _thinned(whole)
    trained = runs[runs["epoch"] == epoch]
    ends = runs[runs["epoch"].isin({0, epoch})]  # whoever fails before the last counts as missing
    means = mean_over_seeds(ends, _VALUES, by=["epoch", "weight"])
    means = means[means["epoch"] == epoch]
    before = runs[(runs["epoch"] == 0) & (epoch > 0)]
    before = before.groupby(["seed", "weight"], as_index=False)[_VALUES].mean()

    place = {"model": model_label(model), "start": start_label(start), "layer": layer}
    name = "{model}, {start}, {layer}".format_map(place)
    with house_style():
        reached = set(trained["normalization"])
        keys = arm_keys({arm: styles[arm] for arm in arms if arm in reached})
        if len(before):
            keys.append(Key(gettext("epoch 0"), _EPOCH_0))
        titled = gettext(
            "%(name)s: density of the weights at epoch %(epoch)s", name=name, epoch=ANY_EPOCH
        )
        title = titled.replace(ANY_EPOCH, str(epoch))
        sheet = page(title, keys, run_notes({start: whole}, arms, epoch), body=4.3)
        panels = sheet.panels(2, 1, head=0.08, gap=(0.0, 0.28), shares=(0.74, 0.26))
        panel_title(panels[1], gettext("change since epoch 0"), MUTED)
        panels[1].set_xlabel(gettext("weight"))
        visible = comparable[comparable["density"] >= _VISIBLE * comparable["density"].max()]
        for value, ax in zip(_VALUES, panels, strict=True):
            ax.set_ylabel(gettext(value))
            floor = 0.0 if value == "density" else None
            ax.set_xlim(shared_limits(visible["weight"]))
            ax.set_ylim(shared_limits(comparable[value], floor=floor))
            bins = 8 if value == "density" else 4
            ax.yaxis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 5, 10]))
            for (arm, seed), curve in trained.groupby(["normalization", "seed"], sort=False):
                of = mark(arm=arm, seed=seed, value=value)
                color = tint(styles[arm].color, 0.45)
                ax.plot(curve["weight"], curve[value], color=color, linewidth=THIN, **of)
            for seed, curve in before.groupby("seed", sort=False):
                ax.plot(
                    curve["weight"],
                    curve[value],
                    **_EPOCH_0,
                    **mark(seed=seed, line=gettext("epoch 0")),
                )
            for arm, curve in means.groupby("normalization", sort=False):
                of = mark(arm=arm, seed="mean", value=value)
                ax.plot(curve["weight"], curve[value], **mean_line(styles[arm]), **of)
            if trained.empty:
                empty_panel(ax, no_run_reached(epoch, name))

    parts = [before.assign(normalization="all", epoch=0), trained, means.assign(seed="mean")]
    data = pd.concat(parts, ignore_index=True)
    data = data[["normalization", "seed", "epoch", "weight", *_VALUES]].astype({"seed": str})
    seen = _observation(trained, means)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=f"{_reading(runs, place, epoch, bandwidth)} {seen}"
        if len(runs)
        else nothing_to_draw(title),
        alt=gettext("%(title)s, one curve per arm.", title=title) + f" {seen}",
        frames=frames(
            {
                ("", str(arm), str(seed)): run.pivot(
                    index="epoch", columns="weight", values="density"
                )
                for (arm, seed), run in runs.groupby(["normalization", "seed"], sort=False)
            },
            epoch,
            titled,
            {"density": Shown(0, ""), "change": Shown(1, "", change=True)},
        ),
    )


def _reading(runs: pd.DataFrame, place: Mapping[str, str], epoch: int, bandwidth: float) -> str:
    """Say what is drawn, and how to read it."""
    text = gettext(
        "Kernel density estimates of the weights of %(layer)s (%(model)s, %(start)s) at epoch "
        "%(epoch)s. Thin lines are single runs, bold lines an arm's mean over %(seeds)s; every "
        "curve has the bandwidth %(bandwidth)s, and all starts share the axes. Below, on a larger "
        "scale, what training added to each run's density.",
        **place,
        epoch=epoch,
        seeds=seeds_phrase(runs),
        bandwidth=compact(bandwidth),
    )
    if epoch == 0:
        return text
    grey = gettext("Dashed grey lines are each seed's weights at epoch 0, averaged over the arms.")
    return f"{text} {grey}"


def _with_change(table: pd.DataFrame) -> pd.DataFrame:
    """Add what each run's density has gained since its own epoch 0."""
    keys = ["start", "normalization", "seed", "weight"]
    before = table.loc[table["epoch"] == 0, [*keys, "density"]]
    merged = table.merge(before, on=keys, suffixes=("", "_before"))
    return merged.assign(change=merged["density"] - merged["density_before"])


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Keep at most 200 points of the common grid."""
    grid = np.unique(table["weight"])
    if len(grid) <= _MOST_POINTS:
        return table
    kept = grid[np.linspace(0, len(grid) - 1, _MOST_POINTS).round().astype(int)]
    return table[table["weight"].isin(kept)]


def _observation(trained: pd.DataFrame, means: pd.DataFrame) -> str:
    """Say how far the arms' means lie apart, and how far the seeds of one arm do."""
    if means.empty:
        return gettext("No arm has all its runs at this epoch, so there is no mean to compare.")
    arms = means.pivot(index="weight", columns="normalization", values="density")
    peak = float(arms.max().max())
    between = max(
        ((float((arms[a] - arms[b]).abs().max()), a, b) for a, b in combinations(arms, 2)),
        default=None,
    )
    within = 0.0
    for _, runs in trained.groupby("normalization"):
        seeds = runs.pivot(index="weight", columns="seed", values="density")
        within = max(within, float((seeds.max(axis=1) - seeds.min(axis=1)).max()))
    if between is None:
        text = gettext(
            "The mean density of %(arm)s peaks at %(peak)s.", arm=arms.columns[0], peak=number(peak)
        )
    else:
        gap, a, b = between
        text = gettext(
            "The arms' means differ by at most %(share)s of the highest peak (%(one)s against "
            "%(other)s).",
            share=percent(gap / peak),
            one=a,
            other=b,
        )
    if trained.groupby("normalization")["seed"].nunique().max() < 2:
        return text
    apart = gettext(
        "Seeds of one arm differ by up to %(share)s of that peak.", share=percent(within / peak)
    )
    return f"{text} {apart}"
