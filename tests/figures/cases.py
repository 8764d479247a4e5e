"""Whole and broken experiments that every kind of figure must draw."""

import pandas as pd

from normreport.config.figure_kinds import figure_kinds
from tests.figures import synthetic

SVG = "{http://www.w3.org/2000/svg}"
KINDS = tuple(figure_kinds())
HOSTILE_ARMS = r"<script>alert\(1\)</script>|\"&'|\$\\frac\$"
HOSTILE = {"raw": "<script>alert(1)</script>", "unit": "\"&'", "imagenet": "$\\frac$"}


def hostile_runs() -> pd.DataFrame:
    """Names that would break markup, and math that matplotlib would parse."""
    table = synthetic.runs(epochs=2, seeds=2, model="<b>&\"'", layers={"]]>l<!--0$": 0.05})
    return table.assign(normalization=table["normalization"].map(HOSTILE))


def sparse_runs() -> pd.DataFrame:
    """A design with holes: other arms and seeds for each start, and a network with one start."""
    table = synthetic.runs(epochs=4)
    keep = "start == 'scratch' or (normalization != 'unit' and seed == 1)"
    table = table.query(keep).query("normalization != 'raw' or seed != 0")
    other = synthetic.runs(
        epochs=4, model="mobilenet_v2", layers={"features.0.0": 0.083}, starts=["scratch"]
    )
    return pd.concat([table, other.assign(seed=other["seed"] + 7)], ignore_index=True)


CASES = {
    "a design with holes": sparse_runs,
    "normal": lambda: synthetic.runs(epochs=4),
    "one diverged run": lambda: synthetic.runs(epochs=4, diverged={("raw", 1): 2}),
    "an arm that diverged at once": lambda: synthetic.runs(
        epochs=4, diverged={("raw", seed): 0 for seed in range(3)}
    ),
    "every run of a start diverged": lambda: synthetic.runs(
        epochs=4,
        diverged={(arm, seed): 1 for arm in ("raw", "unit", "imagenet") for seed in range(3)},
    ),
    "an arm is missing": lambda: synthetic.runs(epochs=4).query(
        "start != 'scratch' or normalization != 'unit'"
    ),
    "a start is missing": lambda: synthetic.runs(epochs=4).query("start != 'scratch'"),
    "one seed": lambda: synthetic.runs(epochs=4, seeds=1),
    "one arm": lambda: synthetic.runs(epochs=4, arms=["unit"]),
    "one run": lambda: synthetic.runs(epochs=4, arms=["unit"], seeds=1, starts=["scratch"]),
    "only epoch 0": lambda: synthetic.runs(epochs=0),
    "ten seeds": lambda: synthetic.runs(epochs=2, seeds=10, layers={"features.0": 0.0589}),
    "eight arms": lambda: synthetic.runs(epochs=2, arms=synthetic.EIGHT),
    "many arms of many seeds": lambda: synthetic.runs(
        epochs=2, arms=synthetic.TWELVE, seeds=8, layers={"features.0": 0.0589}
    ),
    "many seeds, of which one diverged": lambda: synthetic.runs(
        epochs=3, seeds=9, layers={"features.0": 0.0589}, diverged={("raw", 1): 1}
    ),
    "hostile names": hostile_runs,
}
