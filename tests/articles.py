"""Articles without training: valid results and records, from studies with a known truth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from markupsafe import Markup

from normreport.claims.claim import JudgedClaim
from normreport.claims.judging import judge_claim
from normreport.claims.registry import CLAIMS
from normreport.claims.study import Study
from normreport.config.figure_words import MadeFrom
from normreport.config.pages import ARTICLE
from normreport.config.report import FigureSettings, RenderSettings
from normreport.config.results import ClaimResult, Results, RunCounts
from normreport.provenance.record import Record
from normreport.report.article import Illustration, render
from normreport.report.claim_results import claim_result
from normreport.report.effects import contrast_effects
from normreport.report.summary import headline

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "templates"
DIGEST = "0123456789" * 6 + "abcd"
PUBLISHED = {"mean": [0.5, 0.25, 0.125], "std": [0.2, 0.3, 0.4], "resize_px": 256, "crop_px": 224}
MADE_FROM = MadeFrom(
    settings=FigureSettings(kind="curves", model="vgg16"), inputs="1" * 64, code="2" * 64
)
FIGURE = Illustration(
    id="curves-vgg16", number="S7", kind="curves", model="vgg16", start=None, layer=None,
    caption="Loss & accuracy.", method="How it is made.", alt="alt", svg=Markup("<svg></svg>"),
    made_from=MADE_FROM,
)  # fmt: skip
RUN_COUNTS = tuple(RunCounts.model_fields)
OUTCOMES: dict[str, dict[str, Any]] = {
    "as the article found": {},
    "the opposite": {
        "apart": {"pretrained": 0.1, "scratch": 0.001},
        "displacement": {"pretrained": 0.3, "scratch": 0.1},
        "drift": 0.2,
        "std_order": ("unit", "raw", "imagenet"),
        "iqr_ratio": {"vgg16": 1.0, "mobilenet_v2": 1.2},
        "excess_kurtosis": 3.0,
    },
    "undecided": {"noise": 0.05},
    "mixed": {
        "apart": {"pretrained": 0.005, "scratch": 0.1},
        "iqr_ratio": {"vgg16": 1.1, "mobilenet_v2": 1.0},
        "seeds": (0, 1, 2, 3, 4, 5),
        "accuracy": {"pretrained": 0.5, "scratch": 0.7},
    },
    "one seed": {"seeds": (0,)},
    "one start": {"starts": ("scratch",)},
    "one model": {"layers": {"vgg16": ("features.0",)}},
    "one arm": {"arms": ("unit",)},
}


class Named(Protocol):
    """A figure, as far as its id."""

    @property
    def id(self) -> str:
        """The id of the figure."""


def judged_claims(whole: Study) -> list[ClaimResult]:
    """Judge every claim without a correction for the others."""
    return [claim_result(JudgedClaim(claim, judge_claim(claim, whole))) for claim in CLAIMS]


# The results of studies that were asked for, by the identity of the study, which is kept alive.
_KNOWN: dict[int, tuple[Study, str]] = {}


def results_of(whole: Study) -> dict[str, Any]:
    """Give the results of a study as JSON; a study is judged once."""
    if id(whole) not in _KNOWN:
        _KNOWN[id(whole)] = whole, json.dumps(_results_of(whole))
    found: dict[str, Any] = json.loads(_KNOWN[id(whole)][1])
    return found


def _results_of(whole: Study) -> dict[str, Any]:
    """Judge a study; the model validates the results."""
    settings = {
        "layers": ["features.0"],
        "images": {"train": 64, "heldout": 32, "epoch_heldout": 24},
        "train_images": 64,
        "epochs": 2,
        "batch_size": 32,
        "architecture": "vgg16",
        "learning_rate": 0.001,
        "folded": True,
        "parameters": 1000,
    }
    pretraining = {
        "kind": "trained",
        "train_images": 1000,
        "epochs": 5,
        "normalization": "imagenet",
        "other_arms": ["raw", "unit"],
        "heldout_images": 100,
        "heldout_loss": 1.5,
        "heldout_accuracy": 0.5,
    }
    models = list(whole.settings.layers)
    results = Results.model_validate({
        "experiment": whole.settings,
        "settings": {model: settings | {"model": model} for model in models},
        "data": {
            "classes": 10,
            "images_per_class": [{"name": str(i), "train": 13, "heldout": 60} for i in range(10)],
            "unused": [],
            "skipped": [],
        },
        "pretraining": [pretraining | {"model": model} for model in models],
        "runs": [],
        "failures": [],
        "claims": judged_claims(whole),
        "headline": headline(whole),
        "effects_by_epoch": contrast_effects(whole, range(whole.settings.epochs + 1)),
        "versions": {"python": "3.11", "torch": "2", "torchvision": "0", "numpy": "2"},
    })  # fmt: skip
    return results.model_dump(mode="json")


def results_with(verdict: str) -> dict[str, Any]:
    """Force a verdict upon every claim, and give every claim every kind of case."""
    from tests.claims.studies import study

    results = results_of(study(noise=0.001))
    counts = {"SUPPORTED": 3, "REFUTED": 2, "MIXED": 5, "INCONCLUSIVE": 1, "NOT EVALUABLE": 4}
    case = next(claim["least_favourable"] for claim in results["claims"] if claim["id"] == "F1")
    for claim in results["claims"]:
        claim |= {"verdict": verdict, "counts": counts, "reason": "…"}
        claim["mixed_by"] = "start" if verdict == "MIXED" else None
        claim |= {key: claim[key] or case for key in ("least_favourable", "most_favourable")}
    return results


def record_of(figures: Iterable[Named] = (), **changes: Any) -> dict[str, Any]:
    """Give a record of one run without claims, as JSON; the model validates it."""
    paths = [path for figure in figures
             for path in (f"report/data/{figure.id}.csv", f"figures/{figure.id}.svg")]  # fmt: skip
    run = {"id": "vgg16/scratch/unit/seed0", "state": "OK", "epochs": 2, "older_code": False}
    run |= {"model": "vgg16", "start": "scratch", "normalization": "unit", "seed": 0}
    run |= {"train_loss": 0.25, "heldout_loss": 0.5, "heldout_accuracy": 0.75}
    run |= {"initial_weights": "1" * 64, "final_weights": None, "pretrained": None}
    run |= dict.fromkeys(("code", "data", "order"), DIGEST)
    record = Record.model_validate(
        {
            "config": {},
            "with_pdf": False,
            "claims": {},
            "figures": {},
            "headline": {
                "contrast": ["unit", "imagenet"],
                "effects": [],
                "accuracy_differences": [],
                "layers": [],
                "arms": [],
                "pretraining_checks": [],
                "runs": dict.fromkeys(RUN_COUNTS, 0),
            },
            "revision": {"commit": "c0ffee" * 6 + "c0ff", "date": "2026-01-31", "state": "clean"},
            "files": dict.fromkeys(["report/results.json", *paths], DIGEST),
            "data": {"target": {"train_images": DIGEST}},
            "pretrained": {"vgg16": {"weights": DIGEST, "code": DIGEST}},
            "code": {"train_run": DIGEST},
            "templates": DIGEST,
            "runs": [run],
            "versions": {"python": "3.11.0"},
            "trained_with": [{"python": "3.11.0", "torch": "2.14.1"}],
        }
        | changes
    )
    return record.model_dump(mode="json")


def rendered(whole: Study, **options: Any) -> str:
    """Render the article of a study, with the options of `rendered_pages`."""
    return rendered_pages(whole, **options)[ARTICLE]


def rendered_pages(
    whole: Study,
    *,
    medium: str = "screen",
    figures: Sequence[Illustration] = (),
    templates: Sequence[Path] = (TEMPLATES,),
    results: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    failures: Sequence[Mapping[str, Any]] = (),
    **settings: Any,
) -> dict[str, str]:
    """Render the pages of a study's report; results and record must fit their models."""
    chosen = {"title": "A title", "authors": (), "with_pdf": True} | settings
    values = {**(results or results_of(whole)), "failures": failures}
    return render(
        templates,
        results=Results.model_validate(values),
        record=Record.model_validate(record or record_of(figures)),
        figures=figures,
        settings=RenderSettings(**chosen),
        medium=medium,
    )


def text_of(page: str) -> str:
    """Give the words of a page without tags and styles."""
    body = re.sub(r"<(style|svg|script)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))
