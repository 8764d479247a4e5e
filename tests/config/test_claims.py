"""Claims that the configuration declares."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from normreport.config.claims import STATISTICS, ArmAtEpoch, ClaimSettings, StatisticName
from normreport.config.experiment import load_config
from normreport.errors import ConfigError

Changed = Callable[..., dict[str, Any]]
CLAIM: dict[str, Any] = {
    "id": "D1",
    "statement": "Weight decay narrows the weights.",
    "statistic": "std",
    "contrast": "placebo / unit",
    "expect": "below",
    "margin": "-5%",
}


def claimed(**changes: Any) -> ClaimSettings:
    return ClaimSettings.model_validate(CLAIM | changes)


def refused(**changes: Any) -> str:
    with pytest.raises(ValidationError) as error:
        claimed(**changes)
    (details,) = error.value.errors()
    return str(details["ctx"]["error"]) if "error" in details.get("ctx", {}) else details["msg"]


def test_every_statistic_can_be_named() -> None:
    assert tuple(STATISTICS) == get_args(StatisticName)


@pytest.mark.parametrize(
    ("contrast", "sides", "operator"),
    [
        ("placebo / unit", [("placebo", None), ("unit", None)], "/"),
        ("placebo - unit", [("placebo", None), ("unit", None)], "-"),
        ("unit / unit@0", [("unit", None), ("unit", 0)], "/"),
        ("unit@3 - unit@12", [("unit", 3), ("unit", 12)], "-"),
    ],
)
def test_a_contrast_has_sides_and_an_operator(
    contrast: str, sides: list[tuple[str, int | None]], operator: str
) -> None:
    margin = "5%" if operator == "/" else 0.1
    compared = claimed(contrast=contrast, margin=margin).compared
    assert compared.sides == tuple(ArmAtEpoch(*side) for side in sides)
    assert compared.operator == operator
    assert compared.label == contrast


@pytest.mark.parametrize(
    ("changes", "shown", "value"),
    [
        ({}, "ratio", math.log(0.95)),
        ({"margin": "5 %", "expect": "within"}, "ratio", math.log(1.05)),
        ({"contrast": "unit - placebo", "margin": 0.01}, "number", 0.01),
        ({"contrast": "unit", "margin": "0.01"}, "number", 0.01),
        ({"statistic": "shift", "contrast": "unit - placebo", "margin": "0.02 sigma"}, "shift",
         0.0004),
        ({"statistic": "shift", "contrast": "unit - placebo", "margin": "2%"}, "shift", 0.0004),
        ({"statistic": "heldout_accuracy", "contrast": "unit - placebo", "margin": "1 point"},
         "points", 0.01),
        ({"statistic": "heldout_accuracy", "contrast": "unit", "margin": "90%"}, "percent", 0.9),
        ({"statistic": "displacement", "contrast": "unit - placebo", "margin": "-2 points"},
         "points", -0.02),
        ({"statistic": "excess_kurtosis", "contrast": "unit", "margin": 3}, "number", 3.0),
    ],
)  # fmt: skip
def test_a_margin_has_the_unit_of_the_effect(
    changes: dict[str, Any], shown: str, value: float
) -> None:
    claim = claimed(**changes)
    assert claim.shown == shown
    assert claim.margin_value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"contrast": "placebo over unit"}, "contrast: expected such as 'decay / unit'"),
        ({"contrast": "unit / unit"}, "contrast: expected two different sides"),
        ({"statistic": "skewness", "margin": "5%"}, "the statistic skewness can be 0 or negative"),
        ({"margin": 0.05}, "margin: expected a percentage such as 5% for a ratio of the statistic "
         "std, found 0.05"),
        ({"contrast": "unit - placebo", "margin": "5%"}, "margin: expected a number without a unit "
         "for a difference of the statistic std, found '5%'"),
        ({"margin": "five"}, "margin: expected a number, with a unit if needed"),
        ({"margin": "1e999%"}, "margin: expected a number"),
        ({"margin": "1e300%"}, "margin: expected a number"),
        ({"statistic": "shift", "contrast": "unit - placebo", "margin": "1e200 sigma"},
         "from 1e-9 to 1e9"),
        ({"statistic": "shift", "contrast": "unit - placebo", "margin": "1e-200 sigma"},
         "from 1e-9 to 1e9"),
        ({"margin": "-100%"}, "margin: expected more than -100%"),
        ({"expect": "within"}, "margin: expected more than 0, because the claim expects the effect "
         "within it"),
        ({"statistic": "heldout_accuracy", "contrast": "unit - placebo", "margin": "1%"},
         "margin: expected percentage points such as '1 point' for a difference"),
        ({"statistic": "shift", "contrast": "unit", "margin": "1%"},
         "contrast: the statistic shift compares two arms"),
        ({"statistic": "shift", "contrast": "unit - placebo@1", "margin": "1%"},
         "contrast: the statistic shift is that of the last epoch"),
        ({"statistic": "shift", "contrast": "unit - placebo", "margin": "-1%"},
         "margin: expected more than 0 for the statistic shift"),
        ({"statistic": "shift", "contrast": "unit - placebo", "margin": "1%", "expect": "within"},
         "expect: the statistic shift has no sign"),
        ({"statistic": "variance_ratio", "contrast": "unit - placebo", "margin": "1 point"},
         "margin: expected a percentage"),
        ({"statistic": "variance_ratio", "contrast": "unit - placebo", "margin": "0%"},
         "margin: expected more than 0 for the statistic variance_ratio"),
        *(({"statistic": "variance_ratio", "contrast": "unit - placebo", "margin": margin},
           "margin: expected 50% to 2000% for the statistic variance_ratio")
          for margin in ("49%", "2001%")),
        ({"statistic": "variance_ratio", "contrast": "unit", "margin": "100%"},
         "contrast: the statistic variance_ratio compares two arms"),
        ({"statistic": "train_loss", "contrast": "unit / unit@0"},
         "contrast: the statistic train_loss is that of the last epoch"),
        ({"statistic": "roughness", "layers": ["measured"]},
         "layers: the statistic roughness is only known of kept layers"),
    ],
)  # fmt: skip
def test_nonsense_is_one_message(changes: dict[str, Any], expected: str) -> None:
    assert expected in refused(**changes)


KEPT, MEASURED = ["a.1", "b.1"], ["a.1", "a.2", "b.1", "b.2"]


@pytest.mark.parametrize(
    ("layers", "statistic", "expected"),
    [
        (["kept"], "std", ["a.1", "b.1"]),
        (["measured"], "std", ["a.1", "b.1", "a.2", "b.2"]),
        (["a.*"], "std", ["a.1", "a.2"]),
        (["a.*"], "roughness", ["a.1"]),
        (["b.2", "b.1"], "std", ["b.1", "b.2"]),
        (["c"], "std", []),
        (["kept"], "train_loss", []),
    ],
)
def test_layers_are_chosen_by_words_names_and_patterns(
    layers: list[str], statistic: str, expected: list[str]
) -> None:
    claim = claimed(layers=layers, statistic=statistic)
    assert claim.choose_layers(KEPT, MEASURED) == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ([CLAIM, CLAIM], "claims.own.1.id: another claim has the id 'D1', too"),
        ([CLAIM | {"contrast": "placeboo / unit"}],
         "claims.own.0.contrast: unknown arm 'placeboo'. Did you mean 'placebo'?"),
        ([CLAIM | {"models": ["vgg61"]}],
         "claims.own.0.models: unknown model 'vgg61'. Did you mean 'vgg16'?"),
        ([CLAIM | {"contrast": "unit / unit@99"}],
         "claims.own.0.contrast: expected an epoch of at most 35, found 99"),
        ([CLAIM | {"contrast": "unit / unit@35"}],
         "claims.own.0.contrast: expected two different sides, found 'unit / unit@35'; the last "
         "epoch is 35"),
        ([CLAIM | {"expcet": "above"}], "claims.own.0.expcet: unknown key. Did you mean 'expect'?"),
        ([CLAIM | {"statistic": "sdt"}], "claims.own.0.statistic: expected"),
        ([CLAIM | {"margin": 5}], "claims.own.0: margin: expected a percentage such as 5%"),
        ([CLAIM | {"id": "claim"}], "claims.own.0.id: expected"),
    ],
)  # fmt: skip
def test_a_wrong_claim_of_a_configuration_is_one_message(
    changed: Changed, own: list[dict[str, Any]], expected: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(changed({"claims.own": own}))
    assert expected in str(error.value)
    assert "1 invalid value;" in str(error.value)
