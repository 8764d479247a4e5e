"""The declarations of the kinds of figure, read without importing a module that draws."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from normreport.config.figure_kinds import Kind, figure_kinds
from normreport.figures.drawing import kind_module


@pytest.mark.parametrize("name", figure_kinds())
def test_a_declaration_is_what_its_module_holds(name: str) -> None:
    assert figure_kinds()[name] == kind_module(name).KIND


def test_kinds_come_in_the_order_of_the_article_and_no_two_share_a_place() -> None:
    orders = [kind.order for kind in figure_kinds().values()]
    assert all(before < after for before, after in pairwise(orders))


def test_kinds_that_take_turns_have_the_same_subjects() -> None:
    kinds = list(figure_kinds().values())
    for before, after in pairwise(kinds):
        if before.order[0] == after.order[0]:
            assert before.per == after.per


def test_a_figure_of_a_layer_is_of_a_model() -> None:
    for kind in figure_kinds().values():
        assert "layer" not in kind.per or "model" in kind.per
        assert not kind.is_of_first_layer or "layer" in kind.per


def test_reading_the_declarations_imports_nothing_that_draws() -> None:
    program = (
        "import sys\n"
        "from normreport.config.figure_kinds import figure_kinds\n"
        "assert figure_kinds()\n"
        "print(sorted({'matplotlib', 'pandas'} & {*sys.modules}))\n"
        "print([name for name in sys.modules if name.startswith('normreport.figures')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["[]", "[]"]


def test_a_module_in_the_folder_is_a_kind(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    (tmp_path / "later.py").write_text(
        'import nowhere\n\nKIND = Kind(order=(2, 1), table="history", per=("model",))\n\nX = 1\n'
    )
    (tmp_path / "first.py").write_text(
        'import nowhere\n\nKIND = Kind(\n    order=(1, 2),\n    arms="all",\n)\n\n\nX = 1\n'
    )
    assert list(figure_kinds(tmp_path).items()) == [
        ("first", Kind(order=(1, 2), arms="all")),
        ("later", Kind(order=(2, 1), table="history", per=("model",))),
    ]


@pytest.mark.parametrize(
    "declaration",
    [
        "",
        "KIND = None",
        "KIND = Kind((1, 1))",
        "KIND = Kind(order=ORDER)",
        "KIND = Kind(order=(1, 1), colour='red')",
        "KIND = Kind(order=(1, 1))\nNEXT_LINE = 1",
    ],
)
def test_a_module_without_a_literal_declaration_is_named(tmp_path: Path, declaration: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(f'"""A kind."""\n\n{declaration}\n\n')
    with pytest.raises(ValueError, match=r"broken\.py: expected KIND = Kind\(name=literal"):
        figure_kinds(tmp_path)
