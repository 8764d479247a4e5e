"""Which page of a report shows which figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from normreport.config.pages import ARTICLE, MOST_FIGURES, MOST_RUNS, assign_pages
from normreport.plan.figure_index import Figure

FIGURES = [
    Figure("examples"),
    Figure("inputs"),
    Figure("curves", "vgg16"),
    Figure("density", "vgg16", "scratch", "features.0"),
    Figure("ribbon", "vgg16", "scratch", "features.0"),
    Figure("density", "vgg16", "scratch", "features.10"),
    Figure("curves", "vgg16_bn"),
]


def test_a_small_report_is_one_page() -> None:
    figures = [Figure("curves", f"model{i}") for i in range(MOST_FIGURES)]
    assert {*assign_pages(figures, MOST_RUNS)} == {ARTICLE}


@pytest.mark.parametrize(
    ("figures", "runs"),
    [(len(FIGURES), MOST_RUNS + 1), (MOST_FIGURES + 1, 1)],
    ids=["many runs", "many figures"],
)
def test_the_supplement_of_a_large_report_has_a_page_for_each_network_and_layer(
    figures: int, runs: int
) -> None:
    others = [Figure("curves", f"model{i}") for i in range(figures - len(FIGURES))]
    assert assign_pages([*FIGURES, *others], runs)[: len(FIGURES)] == [
        ARTICLE,
        ARTICLE,  # of all models
        "supplement/vgg16.html",
        ARTICLE,  # the article shows the first density
        "supplement/vgg16-features.0.html",
        "supplement/vgg16-features.10.html",
        "supplement/vgg16_bn.html",
    ]


def test_the_documentation_says_what_a_large_report_is(root: Path) -> None:
    text = (root / "docs/output-files.md").read_text(encoding="utf-8")
    assert f"more than {MOST_FIGURES} figures or {MOST_RUNS} runs" in text
