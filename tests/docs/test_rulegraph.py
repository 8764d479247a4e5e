"""The picture of the workflow shows the rules as they are."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_the_picture_shows_the_workflow(root: Path) -> None:
    drawing = runpy.run_path(str(root / "docs/rulegraph.py"))
    edges = drawing["drawn_edges"]()
    assert ("record_failures", "judge_claims") in edges
    assert edges == drawing["workflow_edges"](), "run: make rulegraph"


def test_an_edge_is_left_out_where_a_longer_path_connects_the_rules(root: Path) -> None:
    reduce = runpy.run_path(str(root / "docs/rulegraph.py"))["_reduce"]
    chain = {("a", "b"), ("b", "c"), ("c", "d")}
    assert reduce(chain | {("a", "c"), ("a", "d"), ("b", "d")}) == chain
    diamond = {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}
    assert reduce(diamond) == diamond
