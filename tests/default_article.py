"""The article of the default experiment, of synthetic runs: all its figures, claims and tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from markupsafe import Markup

from normreport.config.experiment import load_config
from normreport.config.figure_words import FigureWords, MadeFrom, number_figures
from normreport.config.pages import ARTICLE
from normreport.figures.drawing import Drawing
from normreport.figures.svg import to_svg
from normreport.plan.figure_index import figure_index, figure_settings
from normreport.report.article import Illustration
from tests.articles import ROOT, rendered
from tests.claims.studies import study
from tests.figures import synthetic

LAYERS = {
    "vgg16": {"features.0": 0.0589, "features.10": 0.0295},
    "mobilenet_v2": {"features.0.0": 0.0833, "features.17.conv.0.0": 0.0456},
}


def drawings() -> dict[str, Drawing]:
    """Draw a figure of every kind, with the runs and layers of the default experiment."""
    return synthetic.drawings(synthetic.runs(seeds=6, epochs=35))


def figures(drawn: Mapping[str, Drawing]) -> list[Illustration]:
    """List every figure of the default experiment; those of one kind show the same drawing."""
    config = load_config(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
    words = [
        FigureWords(
            id=figure.id,
            kind=figure.kind,
            model=figure.model,
            start=figure.start,
            layer=figure.layer,
            caption=drawn[figure.kind].caption,
            method=drawn[figure.kind].method,
            alt=drawn[figure.kind].alt,
            made_from=MadeFrom(
                settings=figure_settings(config, figure), inputs="1" * 64, code="2" * 64
            ),
        )
        for figure in figure_index(config)
    ]
    return [
        Illustration.from_words(
            one, number=number, page=ARTICLE, svg=Markup(to_svg(drawn[one.kind], one.id))
        )
        for one, number in zip(words, number_figures(words), strict=True)
    ]


def page(shown: list[Illustration], medium: str) -> str:
    """Render the article for the screen or for print."""
    whole = study(seeds=range(6), layers={model: tuple(layers) for model, layers in LAYERS.items()})
    title = "Does input normalization change what a network's weights look like?"
    return rendered(whole, medium=medium, figures=shown, title=title)


if __name__ == "__main__":
    import sys

    everything = figures(drawings())
    for medium in ("screen", "print"):
        Path(sys.argv[1], f"{medium}.html").write_text(page(everything, medium), encoding="utf-8")
