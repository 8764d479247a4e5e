"""Every kind of figure of real tables, with layers whose weights are equal, few, tiny or huge."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from normreport.config.runs import Run
from normreport.figures.svg import to_svg
from tests.figures import synthetic
from tests.figures.measured import EPOCHS, SHAPE, Weights, normal_weights, runs, tables

CONTRAST = ("unit", "imagenet")


def _constant(run: Run) -> Weights:
    return np.full((EPOCHS + 1, *SHAPE), 0.25, np.float32)


def _zero(run: Run) -> Weights:
    return np.zeros((EPOCHS + 1, *SHAPE), np.float32)


def _scaled(scale: float) -> Callable[[Run], Weights]:
    return lambda run: normal_weights(run, scale=scale)


def _one_run(weights: Callable[[Run], Weights]) -> Callable[[Run], Weights]:
    """Give other weights to a single run from scratch."""
    other = Run("vgg16", "scratch", "unit", 1)
    return lambda run: weights(run) if run == other else normal_weights(run)


LAYERS: dict[str, dict[str, Callable[[Run], Weights]]] = {
    "a constant layer": {"a": _constant},
    "a constant layer after another": {"a": normal_weights, "b": _constant},
    "a constant layer before another": {"a": _constant, "b": normal_weights},
    "two constant layers": {"a": _constant, "b": _zero},
    "a layer of zeros": {"a": _zero},
    "a layer that begins constant": {
        "a": lambda run: np.concatenate([_constant(run)[:1], normal_weights(run)[1:]])
    },
    "a layer that ends constant": {
        "a": lambda run: np.concatenate([normal_weights(run)[:1], _constant(run)[1:]])
    },
    "a layer that does not move": {
        "a": lambda run: np.repeat(normal_weights(run)[:1], EPOCHS + 1, axis=0)
    },
    "constant from scratch": {
        "a": lambda run: _zero(run) if run.start == "scratch" else normal_weights(run)
    },
    "a single weight": {"a": lambda run: normal_weights(run, (1, 1, 1, 1))},
    "a single weight beside others": {
        "a": normal_weights,
        "b": lambda run: normal_weights(run, (1, 1, 1, 1)),
    },
    "one constant run": {"a": _one_run(_constant)},
    "one run of zeros": {"a": _one_run(_zero)},
    "one run of a larger scale": {"a": _one_run(_scaled(5e4))},
    "one run of a smaller scale": {"a": _one_run(_scaled(5e-7))},
    "tiny weights": {"a": _scaled(1e-30)},
    "huge weights": {"a": _scaled(1e30)},
    "weights of both ends": {"a": _scaled(1e-30), "b": _scaled(1e30)},
}
# The table of each kind that weights decide, and whether a figure shows one layer.
KINDS = {
    "density": ("densities", True),
    "violin": ("densities", True),
    "ribbon": ("measures", True),
    "spread": ("measures", True),
    "seeds": ("densities", True),
    "displacement": ("layers", False),
    "kurtosis": ("layers", False),
    "quantiles": ("quantiles", False),
    "histogram": ("histograms", False),
    "separation": ("products", False),
    "inits": ("measures", False),
    "centre": ("measures", False),
    "switch_or_seed": ("products", False),
    "answer": ("products", False),
}


@pytest.fixture(scope="module", params=LAYERS, ids=lambda case: case.replace(" ", "-"))
def measured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pd.DataFrame]:
    """Measure and compare the runs of one case."""
    return _tables(request.param, tmp_path_factory.mktemp("runs"))


def _tables(case: str, folder: Path) -> dict[str, pd.DataFrame]:
    layers = LAYERS[case]
    return tables({run: {name: f(run) for name, f in layers.items()} for run in runs()}, folder)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws_what_varies_or_says_why_not(
    kind: str, measured: dict[str, pd.DataFrame]
) -> None:
    name, of_layer = KINDS[kind]
    table = measured[name]
    if kind == "inits":
        table = table[table["start"] == "scratch"]
    for layer in measured["layers"]["layer"].unique() if of_layer else [None]:
        drawing = synthetic.drawn(
            kind,
            table if layer is None else table[table["layer"] == layer],
            model="vgg16",
            start="scratch",
            layer=layer,
            normalizations=CONTRAST,
        )
        svg = re.sub(r'href="data:[^"]*"', "", to_svg(drawing, "fig"))
        words = f"{svg} {drawing.caption} {drawing.alt} {drawing.method}"
        assert not re.search(r"\b(nan|inf|None)\b", words)
        assert not drawing.data.isna().any(axis=None)
        assert drawing.caption.endswith(".")


def test_an_empty_figure_names_its_layer_and_the_reason(tmp_path: Path) -> None:
    table = _tables("a constant layer", tmp_path)["densities"]
    drawing = synthetic.drawn("violin", table, model="vgg16", start="scratch", layer="a")
    reason = "The weights do not vary, so there is nothing to draw."
    assert drawing.caption == f"VGG16, from scratch, a. {reason}"
    assert drawing.data.empty


def test_a_layer_of_zeros_has_no_relative_displacement(tmp_path: Path) -> None:
    table = _tables("constant from scratch", tmp_path)["layers"]
    drawing = synthetic.drawn("displacement", table, model="vgg16")
    assert set(drawing.data["start"]) == {"pretrained"}
    words = " ".join(text.get_text() for ax in drawing.figure.axes for text in ax.texts)
    assert "All initial weights are 0, so there is no relative displacement." in words


def test_a_run_of_another_scale_is_named_and_leaves_the_others_their_curves(tmp_path: Path) -> None:
    table = _tables("one run of a larger scale", tmp_path)["densities"]
    drawing = synthetic.drawn("density", table, model="vgg16", start="scratch", layer="a")
    notes = " ".join(text.get_text() for text in drawing.figure.texts)
    assert "Most weights lie beyond the axis in these runs: unit, seed 1." in notes
    usual = drawing.data.query("normalization == 'imagenet' and seed == '0'")
    share = np.trapezoid(usual["density"], usual["weight"])
    assert share == pytest.approx(1, abs=0.02)
    assert (usual["density"] > 0.1 * usual["density"].max()).sum() > 5
