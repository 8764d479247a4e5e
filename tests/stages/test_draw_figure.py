from __future__ import annotations

import csv
from xml.etree import ElementTree

import pytest

from normreport.files import canonical_json
from normreport.stages import draw_figure
from tests.stages.conftest import LAYER, read


def inputs_of(kind, data, runs, comparisons):
    if kind in {"examples", "histogram"}:
        return [data.images, data.manifest]
    if kind in {"density", "violin"}:
        return [comparison.densities for comparison in comparisons.values()]
    if kind == "separation":
        return [comparison.distances for comparison in comparisons.values()]
    table = {"displacement": "layers", "curves": "history"}.get(kind, "measures")
    return [getattr(run, table) for run in runs]


def settings_of(kind):
    if kind in {"examples", "histogram"}:
        return {"kind": kind, "normalizations": ["unit", "imagenet"]}
    if kind in {"curves", "displacement", "separation"}:
        return {"kind": kind, "model": "mobilenet_v2"}
    return {"kind": kind, "model": "mobilenet_v2", "start": "scratch", "layer": LAYER}


KINDS = (
    "examples", "histogram", "curves", "displacement", "separation",
    "density", "ribbon", "violin", "spread",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_comes_with_its_table_and_its_words(kind, data, runs, comparisons, tmp_path):
    paths = {key: tmp_path / key for key in ("svg", "table", "text")}
    draw_figure.run(
        figure=f"{kind}-of-a-test",
        settings=canonical_json(settings_of(kind)),
        inputs=inputs_of(kind, data, runs, comparisons),
        **paths,
    )
    svg = ElementTree.fromstring(paths["svg"].read_text())
    assert svg.tag.endswith("svg")
    words = read(paths["text"])
    assert words["id"] == f"{kind}-of-a-test"
    assert words["kind"] == kind
    assert len(words["caption"]) > 60
    assert len(words["alt"]) > 30
    with paths["table"].open() as stream:
        assert len(list(csv.reader(stream))) > 2
