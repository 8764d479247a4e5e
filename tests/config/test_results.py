"""The description of results.json, on the results of synthetic studies."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from normreport.claims.judging import judge_all
from normreport.claims.registry import CLAIMS
from normreport.cli import main
from normreport.config import results
from normreport.config.results import ClaimResult, Headline, Results, schema
from normreport.report.claim_results import claim_result
from normreport.report.summary import headline
from tests.claims.studies import study

STUDIES: dict[str, dict[str, Any]] = {
    "as the article found": {},
    "with a placebo and six seeds": {
        "arms": ("raw", "unit", "placebo", "imagenet"),
        "seeds": tuple(range(6)),
    },
    "one seed": {"seeds": (0,)},
    "one start": {"starts": ("scratch",)},
}


@pytest.fixture(scope="module", params=STUDIES.values(), ids=list(STUDIES))
def judged(request):
    """Give the claims and the headline of a study, as JSON holds them."""
    whole = study(**request.param)
    claims = [claim_result(one) for one in judge_all(CLAIMS, whole)]
    return [claim.model_dump(mode="json") for claim in claims], headline(whole)


def test_what_is_judged_is_what_is_described(judged):
    claims, tables = judged
    for claim in claims:
        assert ClaimResult.model_validate(claim).model_dump(mode="json") == claim
    assert Headline.model_validate(tables.model_dump(mode="json")) == tables


def test_the_schema_takes_what_is_judged_and_refuses_what_is_not(judged):
    whole = schema()
    jsonschema.Draft202012Validator.check_schema(whole)
    part = {"$defs": whole["$defs"], "$ref": "#/$defs/ClaimResult"}
    validator = jsonschema.Draft202012Validator(part)
    for claim in judged[0]:
        assert list(validator.iter_errors(claim)) == []
        wrong = ({"verdict": "PERHAPS"}, {"p_holm": 1.5}, {"counts": None}, {"surprise": 1})
        for change in wrong:
            assert not validator.is_valid(claim | change)
        assert not validator.is_valid({key: claim[key] for key in claim if key != "p"})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(number):
    whole = study()
    claim = claim_result(judge_all(CLAIMS, whole)[0]).model_dump(mode="json")
    with pytest.raises(ValidationError, match="finite"):
        ClaimResult.model_validate(claim | {"margin": number})


def test_every_key_is_described():
    whole = schema()
    own = {
        name
        for name in whole["$defs"]
        if issubclass(getattr(results, name, object), results.ResultsModel)
    }
    assert len(own) > 10
    for name, group in [*((name, whole["$defs"][name]) for name in own), ("Results", whole)]:
        assert group["description"]
        for key, details in group["properties"].items():
            assert "description" in details, f"{name}.{key}"
        # What may be absent is null, so that a reader need not ask.
        assert set(group["required"]) == set(group["properties"])


def test_the_schema_file_is_fresh(root, capsys):
    path = root / "workflow" / "schemas" / "results.schema.json"
    assert main(["schema", "--results"]) == 0
    assert path.read_text(encoding="utf-8") == capsys.readouterr().out, (
        "the results have changed; repair: "
        "normreport schema --results > workflow/schemas/results.schema.json"
    )
    assert json.loads(path.read_text())["title"] == "normreport results"


def test_a_report_says_which_schema_it_follows():
    assert Results.model_fields["schema_version"].default == 4
