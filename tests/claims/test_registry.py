"""The registry finds claims, orders them and rejects ambiguous ids."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from normreport.claims.registry import CLAIMS, find_claims
from tests.claims.worked_example import SYMMETRIC


def make_module(**names: object) -> ModuleType:
    module = ModuleType("made_for_a_test")
    vars(module).update(names)
    return module


def test_the_article_has_its_claims_in_the_order_of_the_scorecard() -> None:
    expected = "C0 H1 H2 H3 H4 H5 H6 F1 F2 F3 F3b F4 F4b F5 F6 F7 F8 F9 F10 F11 P2 P3 P4 P5 P6 P7"
    assert [claim.id for claim in CLAIMS] == expected.split()


def test_claims_are_ordered_by_kind_and_number_wherever_they_are_declared() -> None:
    first, second = replace(SYMMETRIC, id="F2"), replace(SYMMETRIC, id="F2b")
    prediction = replace(SYMMETRIC, id="P1", kind="prediction")
    premise = replace(SYMMETRIC, id="X9", kind="premise")
    modules = [make_module(a=prediction, b=SYMMETRIC, other="text"), make_module(c=second, d=first)]
    found = find_claims([*modules, make_module(e=premise)])
    assert [claim.id for claim in found] == ["X9", "F2", "F2b", "F12", "P1"]


def test_a_claim_that_another_module_imports_is_found_once() -> None:
    assert find_claims([make_module(a=SYMMETRIC), make_module(b=SYMMETRIC)]) == (SYMMETRIC,)


def test_two_claims_with_one_id_are_rejected() -> None:
    other = replace(SYMMETRIC, topic="another")
    with pytest.raises(ValueError, match=r"made_for_a_test: another claim has the id F12"):
        find_claims([make_module(a=SYMMETRIC), make_module(b=other)])


@pytest.mark.parametrize("name", ["", "F", "f1", "F1B", "F-1", "F1 "])
def test_an_id_without_a_letter_and_a_number_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="expected an id such as 'F3'"):
        replace(SYMMETRIC, id=name)
