"""What holds for every kind of figure, with whole and with broken experiments."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from normreport.figures.drawing import Drawing, kind_module
from normreport.figures.svg import to_svg
from tests.figures import synthetic
from tests.figures.cases import CASES, HOSTILE, HOSTILE_ARMS, KINDS, SVG, hostile_runs

WITHOUT_ARMS = ("separation", "seeds", "switch_or_seed", "answer", "kurtosis", "levels", "resize")
WITHOUT_MODEL = ("examples", "inputs", "levels", "resize")
MISSING_START = ("density", "ribbon", "violin", "spread")


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.replace(" ", "-"))
def gallery(request: pytest.FixtureRequest) -> dict[str, Drawing]:
    table = CASES[request.param]()
    return synthetic.drawings(table)


@pytest.mark.parametrize("kind", KINDS)
def test_the_data_have_no_missing_value_and_are_not_empty_without_a_word(
    kind: str, gallery: dict[str, Drawing]
) -> None:
    drawing = gallery[kind]
    assert not drawing.data.isna().any(axis=None)
    if drawing.data.empty:
        assert re.search(r"[Nn]o (run|pair)|do not vary", drawing.caption)


@pytest.mark.parametrize("kind", KINDS)
def test_every_panel_shows_marks_or_says_why_not(kind: str, gallery: dict[str, Drawing]) -> None:
    for ax in gallery[kind].figure.axes:
        if ax.get_ylabel().startswith("%"):  # a second scale beside a panel
            continue
        words = " ".join(text.get_text() for text in ax.texts)
        marks = [*ax.lines, *ax.collections, *ax.patches, *ax.images]
        assert marks or re.search(r"No (run|pair)|no pair|do not vary", words)


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_are_plain_finite_sentences(kind: str, gallery: dict[str, Drawing]) -> None:
    for text in (gallery[kind].caption, gallery[kind].alt):
        assert text.endswith(".")
        assert not re.search(r"\b(nan|inf|None)\b|  |\n", text)


@pytest.mark.parametrize("kind", KINDS)
def test_it_becomes_well_formed_svg_within_its_page(kind: str, gallery: dict[str, Drawing]) -> None:
    svg = to_svg(gallery[kind], f"fig-{kind}")
    root = ElementTree.fromstring(svg)
    assert not re.search(r"\b(nan|inf)\b", re.sub(r'href="data:[^"]*"', "", svg))
    width, height = map(float, (root.get("viewBox") or "").split()[2:])
    for text in root.iter(f"{SVG}text"):
        if "x" in text.attrib:
            assert 0 <= float(text.attrib["x"]) <= width
            assert 0 <= float(text.attrib["y"]) <= height


def test_nothing_is_left_to_the_parser_of_math_or_markup() -> None:
    for kind, drawing in synthetic.drawings(hostile_runs()).items():
        svg = to_svg(drawing, "fig")
        shown = "".join(text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text"))
        assert "<script" not in svg
        assert kind in WITHOUT_ARMS or set(HOSTILE.values()) <= set(re.findall(HOSTILE_ARMS, shown))
        assert kind in WITHOUT_MODEL or "<b>&\"'" in shown


def test_a_page_of_all_kinds_has_unique_ids_and_complete_references(runs: pd.DataFrame) -> None:
    gallery = synthetic.drawings(runs)
    page = "".join(
        to_svg(drawing, f"{name}-{kind}") for name in "ab" for kind, drawing in gallery.items()
    )
    ids = re.findall(r'\bid="([^"]+)"', page)
    references = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"|aria-labelledby="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {"".join(groups) for groups in references} == set(ids)


SCRIPT = """
import hashlib
from tests_of_figures import synthetic
from normreport.figures.svg import to_svg
for kind, drawing in synthetic.drawings(synthetic.runs(epochs=1, seeds=2)).items():
    words = to_svg(drawing, "fig") + drawing.caption + drawing.alt + drawing.data.to_csv()
    print(kind, hashlib.sha256(words.encode()).hexdigest())
"""


def test_the_bytes_do_not_depend_on_hash_seed_locale_timezone_or_settings(tmp_path: Path) -> None:
    (tmp_path / "tests_of_figures").symlink_to(Path(__file__).parents[1])
    settings = "font.size: 20\nlines.linewidth: 9\nsvg.fonttype: path\n"
    (tmp_path / "matplotlibrc").write_text(settings)
    root = Path(__file__).parents[3]

    def digests(**environment: str) -> str:
        paths = os.pathsep.join([str(root), str(tmp_path)])
        return subprocess.run(
            [sys.executable, "-W", "error", "-B", "-c", SCRIPT],
            env={**os.environ, "PYTHONPATH": paths, **environment},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    plain = digests(PYTHONHASHSEED="0", TZ="UTC", LC_ALL="C.UTF-8")
    other = digests(
        PYTHONHASHSEED="4242",
        TZ="Asia/Kathmandu",
        LC_ALL="C",
        PYTHONUTF8="0",
        SOURCE_DATE_EPOCH="1",
        MATPLOTLIBRC=str(tmp_path / "matplotlibrc"),
    )
    assert len(plain.splitlines()) == len(KINDS)
    assert plain == other


@pytest.mark.parametrize("kind", KINDS)
def test_no_function_is_longer_than_50_lines(kind: str) -> None:
    """The docstring does not count."""
    path = Path(str(sys.modules[kind_module(kind).prepare.__module__].__file__))
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert {"prepare", "draw", "describe"} <= {function.name for function in functions}
    for function in functions:
        first = function.body[0]
        documented = ast.get_docstring(function) is not None
        docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
        assert (function.end_lineno or 0) - function.lineno + 1 - docstring <= 50, function.name


IMPORTS = """
import importlib, sys
for kind in sys.argv[1:]:
    for name in [name for name in sys.modules if name.startswith("normreport.figures")]:
        del sys.modules[name]
    importlib.import_module(f"normreport.figures.kinds.{kind}")
    kinds = [name for name in sys.argv[1:] if f"normreport.figures.kinds.{name}" in sys.modules]
    slow = {"scipy", "seaborn", "torch", "matplotlib.pyplot"} & set(sys.modules)
    print(kind, *kinds, *sorted(slow))
"""
# The law of the random init and intervals are computed with scipy, swarms with seaborn, which
# imports pyplot and scipy. Once imported, a package stays: these kinds come last.
SLOW = {
    "spread": "scipy",
    "inits": "scipy",
    "pretraining_gain": "scipy",
    "answer": "scipy",
    "switch_or_seed": "scipy",
    "separation": "matplotlib.pyplot scipy seaborn",
}


def test_a_kind_loads_no_other_kind_and_only_the_slow_packages_that_it_needs() -> None:
    fast = [kind for kind in KINDS if kind not in SLOW]
    loaded = subprocess.run(
        [sys.executable, "-B", "-c", IMPORTS, *fast, *SLOW],
        cwd=Path(__file__).parents[3],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert loaded[: len(fast)] == [f"{kind} {kind}" for kind in fast]
    assert loaded[len(fast) :] == [f"{kind} {kind} {packages}" for kind, packages in SLOW.items()]


def test_the_figures_of_the_default_experiment_are_small() -> None:
    table = synthetic.runs(layers={"features.0": 0.0589})
    sizes = {kind: len(to_svg(d, "fig")) for kind, d in synthetic.drawings(table).items()}
    # Two models, two starts, two layers: eight figures of each of the first four kinds.
    total = sum(size * (8 if kind in MISSING_START else 2) for kind, size in sizes.items())
    assert total < 3e6
