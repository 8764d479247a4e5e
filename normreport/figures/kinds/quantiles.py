"""Quantiles of the kept layers' weights against those of a normal distribution."""

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.interactivity import ANY_EPOCH, Shown, frames
from normreport.figures.page import Key, arm_keys, columns_of_starts, page, panel_title
from normreport.figures.runs import (
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    GRID,
    MUTED,
    RULE,
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
from normreport.text.formatting import number
from normreport.text.labels import layer_label, model_label, start_label
from normreport.text.language import gettext, ngettext

_VALUES = ["quantile", "departure"]
_EPOCH_0: Marks = {"color": MUTED, "linestyle": (0.0, (3.0, 1.5)), "linewidth": 0.8}


KIND = Kind(order=(90, 2), table="quantiles", per=("model",))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"quantiles": source, "model": settings.model}


def draw(quantiles: pd.DataFrame, *, model: str) -> Drawing:
    """Draw a quantile-quantile plot per kept layer and start, its diagonal laid flat.

    Parameters
    ----------
    quantiles : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `n` (weights of the
        layer), `score` (a standard normal quantile) and `quantile` (the standardized weights').
    model : str
        Which rows to draw.

    Returns
    -------
    Drawing
        `data` has the columns `layer`, `start`, `normalization` ("all" at epoch 0), `seed`
        ("mean" for the mean over seeds), `epoch`, `score`, `quantile`, `departure` (quantile
        minus score), and `chance`, within which 95% of samples of a normal distribution lie.
    """
    arms = in_order(quantiles["normalization"])
    styles = arm_styles(arms)
    whole = comparable_rows(quantiles, model=model)
    layers, starts = in_order(whole["layer"]), in_order(whole["start"])
    last = last_epoch(whole)
    whole = whole.assign(
        departure=whole["quantile"] - whole["score"], chance=_chance(whole["score"], whole["n"])
    )
    shown = whole[whole["epoch"].isin({0, last})]
    panels = [(layer, start) for layer in layers for start in starts]
    data = pd.concat(
        [
            _curves(rows_of(shown, layer=layer, start=start), last).assign(layer=layer, start=start)
            for layer, start in panels
        ],
        ignore_index=True,
    )
    data = data[
        ["layer", "start", "normalization", "seed", "epoch", "score", *_VALUES, "chance"]
    ].astype({"seed": str})

    titled = gettext(
        "%(model)s: quantiles of the weights against the normal at epoch %(epoch)s",
        model=model_label(model),
        epoch=ANY_EPOCH,
    )
    title = titled.replace(ANY_EPOCH, str(last))
    # The panels of a row are of one layer, and share its axis.
    columns = columns_of_starts(len(starts))
    with house_style():
        reached = set(data["normalization"])
        keys = arm_keys({arm: styles[arm] for arm in arms if arm in reached})
        keys.append(Key(gettext("95%% of normal samples"), {"color": GRID, "linewidth": 8}))
        if (data["normalization"] == "all").any():
            keys.append(Key(gettext("epoch 0"), _EPOCH_0))
        notes = run_notes({start: rows_of(whole, start=start) for start in starts}, arms, last)
        body = 0.2 + 1.95 * -(-len(panels) // columns)
        sheet = page(title, keys, notes, body=body)
        axes = sheet.panels(len(panels), columns, head=0.26, gap=(0.14, 0.4))
        for i, ((layer, start), ax) in enumerate(zip(panels, axes, strict=True)):
            panel_title(ax, layer_label(layer, start))
            ax.set_xlim(shared_limits(whole["score"], margin=0.01))
            same = whole[whole["layer"] == layer]  # every epoch, as the page moves through them
            ax.set_ylim(shared_limits(same["departure"], same["chance"], -same["chance"]))
            ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            if i % columns == 0:
                ax.set_ylabel(gettext("quantile \u2212 normal quantile"))
            if i + columns >= len(panels):
                ax.set_xlabel(gettext("normal quantile"))
            drawn = data[(data["layer"] == layer) & (data["start"] == start)]
            band = rows_of(shown, layer=layer, start=start).drop_duplicates("score")
            chance = band["chance"].to_numpy()
            ax.fill_between(band["score"], -chance, chance, color=GRID, linewidth=0)
            ax.axhline(0, color=RULE, linewidth=0.8)
            if not (drawn["epoch"] == last).any():
                empty_panel(ax, gettext("No run reached epoch %(epoch)s.", epoch=last))
                continue
            for (arm, seed), curve in drawn.groupby(["normalization", "seed"], sort=False):
                of = mark(arm=arm, seed=seed, value=layer_label(layer, start))
                look = mean_line(styles[arm]) if arm in styles else _EPOCH_0
                if arm == "all":
                    of = mark(seed=seed, line=gettext("epoch 0"))
                elif seed != "mean":
                    look = {"color": tint(styles[arm].color, 0.45), "linewidth": THIN}
                ax.plot(curve["score"], curve["departure"], **look, **of)

    seen = _observation(data, last)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=gettext(
            "Quantile-quantile plots of the weights of %(model)s at epoch %(epoch)s, per kept "
            "layer and start, with the diagonal laid flat: weights are standardized by their own "
            "mean and standard deviation, and what is drawn is how far their quantile lies above "
            "the normal one. A curve that rises from left to right has heavier tails than a normal "
            "distribution. Thin lines are single runs, bold lines an arm\u2019s mean over "
            "%(seeds)s, dashed grey lines each seed at epoch 0; the grey band holds each quantile "
            "of 95%% of samples of as many normal numbers. The panels of a layer share their axes.",
            model=model_label(model),
            epoch=last,
            seeds=seeds_phrase(whole),
        )
        + f" {seen}",
        alt=gettext("%(title)s, one panel per layer and start.", title=title) + f" {seen}",
        frames=frames(
            {
                (layer_label(layer, start), str(arm), str(seed)): run.pivot(
                    index="epoch", columns="score", values="departure"
                )
                for (layer, start, arm, seed), run in whole.groupby(
                    ["layer", "start", "normalization", "seed"], sort=False
                )
            },
            last,
            titled,
            {layer_label(*place): Shown(i, layer_label(*place)) for i, place in enumerate(panels)},
        ),
    )


def _chance(scores: pd.Series, n: pd.Series) -> npt.NDArray[np.float64]:
    """Return the half width of the 95% range of a normal sample's standardized quantiles.

    From the asymptotic variance ``p (1 - p) / phi(z)^2 - 1 - z^2 / 2`` over n; the two last terms
    are what standardizing by the sample's own mean and std takes away.
    """
    normal = NormalDist()
    z = scores.to_numpy(dtype=float)
    p = np.array([normal.cdf(score) for score in z])
    height = np.array([normal.pdf(score) for score in z])
    variance = (p * (1 - p) / height**2 - 1 - z**2 / 2) / n.to_numpy(dtype=float)
    return np.asarray(normal.inv_cdf(0.975) * np.sqrt(variance))


def _curves(runs: pd.DataFrame, last: int) -> pd.DataFrame:
    """Collect a panel's curves: each seed at epoch 0, each run and each arm's mean at the last."""
    values = [*_VALUES, "chance"]
    means = mean_over_seeds(runs, values, by=["epoch", "score"])
    before = runs[(runs["epoch"] == 0) & (last > 0)]
    before = before.groupby(["seed", "score"], as_index=False)[values].mean()
    return pd.concat(
        [
            before.assign(normalization="all", epoch=0),
            runs[runs["epoch"] == last],
            means[means["epoch"] == last].assign(seed="mean"),
        ]
    )


def _observation(data: pd.DataFrame, last: int) -> str:
    """Name the largest departure of a mean, and how many leave the range of chance."""
    means = data[(data["seed"] == "mean") & (data["epoch"] == last)]
    if means.empty:
        return gettext("No arm has all its runs at this epoch, so there is no mean to compare.")
    most = means.loc[means["departure"].abs().idxmax()]
    beyond = means["departure"].abs() > means["chance"]
    share = beyond.groupby([means["layer"], means["start"], means["normalization"]]).mean()
    farthest = gettext(
        "The mean that departs most is that of %(layer)s, %(start)s, %(arm)s: %(quantile)s where "
        "a normal distribution has %(normal)s.",
        layer=most["layer"],
        start=start_label(most["start"]),
        arm=most["normalization"],
        quantile=number(most["quantile"]),
        normal=number(most["score"]),
    )
    outside = ngettext(
        "Of %(num)s mean, %(outside)s lies outside the band at more than one quantile in twenty.",
        "Of %(num)s means, %(outside)s lie outside the band at more than one quantile in twenty.",
        len(share),
        outside=int((share > 0.05).sum()),
    )
    return f"{farthest} {outside}"
