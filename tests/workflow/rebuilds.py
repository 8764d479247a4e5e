"""Changes to a finished smoke preset, and what each of them must make anew.

python -m tests.workflow.rebuilds > docs/rebuilds.md
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# Laid over the smoke preset; empty before a change.
OVERLAY = "changes.yaml"

# Rule: shell patterns of its outputs under results/, or every one of them.
Outputs = Mapping[str, tuple[str, ...]]
EVERY = ("*",)


@dataclass(frozen=True)
class Change:
    """What someone does in a folder with a finished report, and what must be made anew."""

    what: str
    apply: Callable[[Path], None]
    anew: Outputs


ABOVE = """\
# What is rebuilt after a change

Each row is a test. It asks Snakemake what it would run after the change, in a copy of a finished
build of `workflow/presets/smoke.yaml`. A rule without a pattern rebuilds all of its outputs. A
pattern selects outputs under `results/`. To write this table from the tests, run
`python -m tests.workflow.rebuilds > docs/rebuilds.md`.
"""
BELOW = """
## What decides

A result is rebuilt if one of these has changed:

- the content of the files that its rule reads, whatever their size or time;
- the settings that the rule uses;
- the source files that its stage imports;
- the installed versions of the packages that those files import. An edit of `requirements.lock`
  counts once the packages are installed.

Files are compared byte for byte: even a comment in the training code trains again.

## Results from elsewhere

Snakemake records in `.snakemake/` what each result was made from. Copy that folder together with
`results/` to another clone or machine, and nothing is rebuilt there. Without it, Snakemake would
compare modification times, which copying changes; the workflow therefore refuses to start.

You can adopt a complete report without that record. Its own record must agree with the
configuration, the code and every file in `results/`:

```console
$ snakemake --cores 1 --touch --forceall --config adopt=true
```
"""


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    """Make an edit that replaces one piece of a file."""

    def apply(folder: Path) -> None:
        text = (folder / path).read_text()
        assert text.count(old) >= 1, f"{path} has no {old!r}"
        (folder / path).write_text(text.replace(old, new, 1))

    return apply


def append(path: str, line: str = "# A thought.") -> Callable[[Path], None]:
    """Make an edit that adds a line to a file."""

    def apply(folder: Path) -> None:
        (folder / path).write_text((folder / path).read_text() + line + "\n")

    return apply


def configure(values: Mapping[str, Any]) -> Callable[[Path], None]:
    """Make a change of the configuration."""

    def apply(folder: Path) -> None:
        (folder / OVERLAY).write_text(yaml.safe_dump(values))

    return apply


def translate(folder: Path) -> None:
    """Change the language, to one whose catalogue has a single message."""
    catalogue = 'msgid "weight"\nmsgstr "Gewicht"\n'
    (folder / "templates/languages/de.po").write_text(catalogue)
    configure({"report": {"language": "de"}})(folder)


def write_text(folder: Path) -> None:
    """Begin the conclusion with a Markdown file."""
    (folder / "mine.md").write_text("A *thought*.\n")
    configure({"report": {"texts": {"conclusion": "mine.md"}}})(folder)


def upgrade(package: str) -> Callable[[Path], None]:
    """Make another version of a package the one that Python finds."""

    def apply(folder: Path) -> None:
        info = folder / f"{package}-999.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 999\n")

    return apply


def touch(folder: Path) -> None:
    """Make every file look new."""
    for path in folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path)


def nothing(folder: Path) -> None:
    """Change nothing."""


OWN_CLAIM = {
    "id": "S1", "statement": "It narrows.", "statistic": "std", "contrast": "imagenet / unit",
    "expect": "below", "margin": "-5%",
}  # fmt: skip
RENDER = {"record_provenance": EVERY, "render_html": EVERY, "render_pdf": EVERY}
# What rests on the runs, besides figures and comparisons.
JUDGE = {"judge_claims": EVERY, **RENDER}


def after_runs(
    runs: str, comparisons: tuple[str, ...], figures: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Give what follows from training some runs anew."""
    return {
        "train_run": (f"runs/{runs}",),
        "digest_weights": (f"weights/{runs}",),
        "measure_weights": (f"measures/{runs}", f"quantiles/{runs}"),
        "compare_arms": comparisons,
        "draw_figure": figures,
        **JUDGE,
    }


# Both of a figure's rooms: figures/ and report/data/.
OF_ALL_MODELS = tuple(
    f"*/{kind}.*" for kind in ("answer", "centre", "inits", "pretraining_gain", "switch_or_seed")
)
OF_A_MODEL = ("*mobilenet_v2*", *OF_ALL_MODELS)
# Which show the input as the experiment's arms make it.
OF_THE_ARMS = ("*/examples.*", "*/inputs.*")
# Figures that are drawn from measured weights, not from a run's history or from images.
OF_THE_WEIGHTS = tuple(
    f"*/{kind}*"
    for kind in (
        "answer", "centre", "density", "histogram", "inits", "quantiles", "ribbon", "seeds",
        "separation", "spread", "switch_or_seed", "violin",
    )
)  # fmt: skip
ALL_RUNS = {
    "train_run": EVERY,
    "digest_weights": EVERY,
    "measure_weights": EVERY,
    "compare_arms": EVERY,
    "draw_figure": OF_A_MODEL,
    **JUDGE,
}
PRETRAIN = {"pretrain_model": EVERY}

CHANGES = (
    Change("nothing", nothing, {}),
    Change("every file touched", touch, {}),
    Change("a comment in `config.yaml`", append("config.yaml"), {}),
    Change(
        "an arm added",
        configure({"experiment": {"normalizations": ["unit", "imagenet", "raw"]}}),
        after_runs("*/raw/*", EVERY, (*OF_A_MODEL, *OF_THE_ARMS)),
    ),
    Change(
        "an arm of your own added",
        configure(
            {
                "arms": {"half": {"divide": 2}},
                "experiment": {"normalizations": ["unit", "imagenet", "half"]},
            }
        ),
        after_runs("*/half/*", EVERY, (*OF_A_MODEL, *OF_THE_ARMS)),
    ),
    Change(
        "an arm removed",
        configure({"experiment": {"normalizations": ["imagenet"]}}),
        {
            "compare_arms": EVERY,
            "draw_figure": (*OF_A_MODEL, *OF_THE_ARMS),
            **JUDGE,
        },
    ),
    Change(
        "a seed added",
        configure({"experiment": {"seeds": [0, 1, 2]}}),
        after_runs("*/seed2*", EVERY, OF_A_MODEL),
    ),
    Change(
        "a seed of one start and arm added (`experiment.include`)",
        configure(
            {"experiment": {"include": [{"start": "scratch", "normalization": "unit", "seed": 2}]}}
        ),
        after_runs("mobilenet_v2/scratch/unit/seed2*", ("comparisons/*/scratch/*",), OF_A_MODEL),
    ),
    Change(
        "runs of one start removed (`experiment.exclude`)",
        configure({"experiment": {"exclude": [{"start": "pretrained", "seed": 1}]}}),
        {"compare_arms": ("comparisons/*/pretrained/*",), "draw_figure": OF_A_MODEL, **JUDGE},
    ),
    Change(
        "a model added",
        configure(
            {
                "experiment": {"models": ["mobilenet_v2", "vgg16"]},
                "models": {"vgg16": {"pretraining": {"train_images": 64}}},
            }
        ),
        {"pretrain_model": ("pretrained/vgg16/*",)}
        | after_runs("vgg16/*", ("comparisons/vgg16/*",), ("*vgg16*", *OF_ALL_MODELS)),
    ),
    Change(
        "the learning rate of one model",
        configure({"models": {"mobilenet_v2": {"learning_rate": 0.002}}}),
        ALL_RUNS,
    ),
    Change(
        "candidates for the learning rate of one model",
        configure(
            {
                "models": {
                    "mobilenet_v2": {"learning_rate": {"candidates": [0.001, 0.01], "seeds": [7]}}
                }
            }
        ),
        {"tune_rate": EVERY, **ALL_RUNS},
    ),
    Change(
        "the seed of the pretraining",
        configure({"pretraining": {"seed": 7}}),
        PRETRAIN | after_runs("*/pretrained/*", ("*/pretrained/*",), OF_A_MODEL),
    ),
    Change(
        "the number of held-out images",
        configure({"data": {"target": {"heldout_images": 30}}}),
        {"prepare_data": ("data/target/*",), **ALL_RUNS, "draw_figure": EVERY},
    ),
    Change(
        "the epoch of the density figures",
        configure({"report": {"density_epoch": 3}}),
        {"draw_figure": ("*density*",), **RENDER},
    ),
    Change("the language", translate, {"draw_figure": EVERY, **JUDGE}),
    Change("a claim of your own", configure({"claims": {"own": [OWN_CLAIM]}}), JUDGE),
    Change("a text of your own", write_text, RENDER),
    Change("the title", configure({"report": {"title": "Another"}}), RENDER),
    Change(
        "the mean of the arm `imagenet`, which is also that of the pretraining",
        edit("normreport/normalizations/imagenet.py", "0.485", "0.486"),
        {
            **PRETRAIN,
            **ALL_RUNS,
            "draw_figure": (*OF_A_MODEL, *OF_THE_ARMS, "*/resize.*"),
            "train_run": ("runs/*/pretrained/*", "runs/*/scratch/imagenet/*"),
            "digest_weights": ("weights/*/pretrained/*", "weights/*/scratch/imagenet/*"),
            "measure_weights": ("*/pretrained/*", "*/scratch/imagenet/*"),
        },
    ),
    Change(
        "the definition of an arm that no run has",
        edit("normreport/normalizations/standardize.py", "== 0", "== 0.0"),
        {},
    ),
    Change(
        "the definition of an arm that only a figure shows",
        append("normreport/normalizations/placebo.py"),
        {"draw_figure": ("*/levels.*",), **RENDER},
    ),
    Change("how a network is trained", append("normreport/training/loop.py"), PRETRAIN | ALL_RUNS),
    Change(
        "how a network is built", append("normreport/training/networks.py"), PRETRAIN | ALL_RUNS
    ),
    Change(
        "a loader of images",
        append("normreport/sources/bundled.py"),
        {
            "prepare_data": EVERY,
            **PRETRAIN,
            **ALL_RUNS,
            "draw_figure": EVERY,
        },
    ),
    Change(
        "the kernel density",
        append("normreport/statistics/density.py"),
        {
            "measure_weights": EVERY,
            "compare_arms": EVERY,
            "draw_figure": OF_THE_WEIGHTS,
            **JUDGE,
        },
    ),
    Change(
        "the analysis of variance", append("normreport/statistics/variance_components.py"), JUDGE
    ),
    Change("a claim", append("normreport/claims/movement.py"), JUDGE),
    Change(
        "the settings of figures in the code",
        append("normreport/config/report.py"),
        {"draw_figure": EVERY, **JUDGE},
    ),
    Change(
        "a colour of the figures",
        append("normreport/figures/style.py"),
        {"draw_figure": EVERY, **RENDER},
    ),
    Change(
        "the caption of the violins",
        append("normreport/figures/kinds/violin.py"),
        {"draw_figure": ("*violin*",), **RENDER},
    ),
    Change(
        "a sentence of a template",
        edit("templates/sections/question.html.j2", "<p>", "<p>Again: "),
        RENDER,
    ),
    Change(
        "the CSS of the screen",
        append("templates/screen.css", "/* A thought. */"),
        RENDER,
    ),
    Change(
        "the CSS of the print",
        append("templates/print.css", "/* A thought. */"),
        RENDER,
    ),
    Change(
        "the help of the command line",
        edit("normreport/cli.py", "train one run", "train a run"),
        {},
    ),
    Change("another version of torch", upgrade("torch"), PRETRAIN | ALL_RUNS),
    Change(
        "another version of matplotlib, whose fonts print the digits of the pretraining",
        upgrade("matplotlib"),
        {"prepare_data": EVERY, **PRETRAIN, **ALL_RUNS, "draw_figure": EVERY},
    ),
    Change("another version of weasyprint", upgrade("weasyprint"), {"render_pdf": EVERY}),
    Change("another version of pydantic, which the page names", upgrade("pydantic"), RENDER),
)


def document() -> str:
    """Write the table for people."""
    rows = "\n".join(f"| {change.what} | {_rules(change.anew)} |" for change in CHANGES)
    return f"{ABOVE}\n| change | rebuilt |\n|---|---|\n{rows}\n{BELOW}"


def _rules(anew: Outputs) -> str:
    if not anew:
        return "nothing"
    texts = []
    for rule, patterns in anew.items():
        few = "" if patterns == EVERY else f" ({', '.join(f'`{part}`' for part in patterns)})"
        texts.append(f"{rule}{few}")
    return ", ".join(texts)


if __name__ == "__main__":
    print(document(), end="")
