from __future__ import annotations

import csv
import hashlib
from xml.etree import ElementTree

import pytest

from normreport.files import canonical_json
from normreport.source_code import source_digest
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


def test_a_figure_says_what_it_was_made_from(data, runs, comparisons, tmp_path):
    inputs = inputs_of("curves", data, runs, comparisons)

    def made_from(inputs, settings):
        paths = {key: tmp_path / key for key in ("svg", "table", "text")}
        draw_figure.run(figure="f", settings=canonical_json(settings), inputs=inputs, **paths)
        return read(paths["text"])["made_from"]

    made = made_from(inputs, settings_of("curves"))
    assert made["settings"]["model"] == "mobilenet_v2"
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs]
    assert made["inputs"] == hashlib.sha256(" ".join(digests).encode()).hexdigest()
    assert made["code"] == source_digest(
        "normreport.stages.draw_figure", "normreport.figures.curves"
    )
    assert made_from(inputs[:-1], settings_of("curves"))["inputs"] != made["inputs"]
