"""The report of `workflow/presets/full.yaml`, of synthetic runs: 3,000 runs, 284 figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from normreport.commands.check import read_config
from normreport.config.figure_words import MadeFrom, number_figures
from normreport.config.pages import assign_pages
from normreport.io.files import text_digest
from normreport.plan.figure_index import figure_index, figure_settings
from normreport.report.article import Illustration
from tests.articles import ROOT, record_of, rendered_pages
from tests.claims.studies import study

CONFIG = read_config([ROOT / "config.yaml", ROOT / "workflow/presets/full.yaml"])
RUNS = tuple(CONFIG.runs())
OF_A_RUN = ("manifest.json", "history.csv", "layers.csv", "snapshots.safetensors")
LARGEST_DRAWING = 200_000  # bytes


def figures() -> list[Illustration]:
    """List all figures, each as large as a figure may be."""
    index = list(figure_index(CONFIG))
    numbers, pages = number_figures(index), assign_pages(index, len(RUNS))
    path = "M" + "L".join(["12.34 56.78"] * (LARGEST_DRAWING // len("L12.34 56.78")))
    return [
        Illustration(
            id=figure.id,
            number=number,
            kind=figure.kind,
            model=figure.model,
            start=figure.start,
            layer=figure.layer,
            caption="The peak density changes most in unit: by 1.9% from epoch 0 to epoch 35.",
            method="The lines are means over seeds. " * 20,
            alt="Alt text.",
            svg=Markup(f'<svg><path stroke="#0b5cad" d="{path}"/></svg>'),
            made_from=MadeFrom(
                settings=figure_settings(CONFIG, figure), inputs="1" * 64, code="2" * 64
            ),
            page=page,
        )
        for figure, number, page in zip(index, numbers, pages, strict=True)
    ]


def record(shown: Sequence[Illustration]) -> dict[str, Any]:
    """Give the record, with digests of the files of every run."""
    known = record_of(shown)
    (run,) = known["runs"]
    runs = [
        run
        | {"model": one.model, "start": one.start, "normalization": one.normalization}
        | {"id": one.id, "seed": one.seed, "final_weights": text_digest(one.id)}
        for one in RUNS
    ]
    digests = {f"runs/{one.id}/{name}": text_digest(name) for one in RUNS for name in OF_A_RUN}
    return known | {"runs": runs, "files": known["files"] | digests}


def pages(shown: Sequence[Illustration], medium: str = "screen") -> dict[str, str]:
    """Render the report. Two seeds are judged: more would change only numbers."""
    settings = CONFIG.judge_settings()
    whole = study(
        seeds=(0, 1),
        arms=settings.normalizations,
        starts=settings.starts,
        layers=dict(settings.layers),
        architectures=settings.architectures,
        built_as=dict(settings.built_as),
        variants=settings.optimizer_variants,
    )
    return rendered_pages(whole, medium=medium, figures=shown, record=record(shown))
