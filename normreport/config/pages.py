"""Which page of the report shows which figure."""

from __future__ import annotations

from collections.abc import Sequence

from normreport.config.figure_words import SUPPLEMENT, Subject, number_figures

ARTICLE = "index.html"
FOLDER = "supplement"
# A report of at most so many figures and runs is one page, which stays below 5 MB.
MOST_FIGURES = 60
MOST_RUNS = 72


def assign_pages(figures: Sequence[Subject], runs: int) -> list[str]:
    """Assign each figure to a page of the report, by the path of the page in its folder.

    A small report is one page. The page of a larger one shows the figures of the article and those
    of all models; the supplement has a page for each model and for each of its layers.

    Parameters
    ----------
    figures
        All figures of the report, in their order.
    runs
        How many runs the report shows.
    """
    if len(figures) <= MOST_FIGURES and runs <= MOST_RUNS:
        return [ARTICLE] * len(figures)
    return [
        _supplement_page(figure) if figure.model and number.startswith(SUPPLEMENT) else ARTICLE
        for figure, number in zip(figures, number_figures(figures), strict=True)
    ]


def _supplement_page(figure: Subject) -> str:
    """Return ``supplement/vgg16.html`` or ``supplement/vgg16-features.0.html``."""
    # The name of a model has no hyphen, so no two pages have one name.
    name = "-".join(filter(None, (figure.model, figure.layer)))
    return f"{FOLDER}/{name}.html"
