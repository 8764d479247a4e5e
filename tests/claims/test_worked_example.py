"""The worked example of a new claim: found, judged with the others and told in a sentence."""

from __future__ import annotations

import pytest

from normreport.claims.judging import judge_all
from normreport.claims.registry import CLAIMS, find_claims
from normreport.report.claim_results import claim_result
from normreport.statistics.verdict import Verdict
from tests.articles import NEVER_JUDGED, TEMPLATES, rendered, results_of, text_of
from tests.claims import worked_example
from tests.claims.studies import study


def judge(whole):
    """Judge the claim together with all others."""
    claims = [*CLAIMS, *find_claims([worked_example])]
    judged = {one.claim.id: one for one in judge_all(claims, whole)}
    return claim_result(judged["F12"], whole)


def sentence(claim, whole):
    """Write the sentence of a claim with the templates of the article."""
    results = results_of(whole)
    results["claims"].append(claim.model_dump(mode="json"))
    article = rendered(whole, results=results).split('id="claim-F12"')[1].split("</article>")[0]
    return text_of(article.split("</em>")[1].split("</p>")[0]).strip()


def test_the_registry_finds_the_claim():
    assert find_claims([worked_example]) == (worked_example.SYMMETRIC,)


def test_a_supported_claim_gets_a_generic_sentence():
    whole = study()
    claim = judge(whole)
    assert claim.verdict is Verdict.SUPPORTED
    assert len(claim.cases) == 4
    assert sentence(claim, whole).startswith(
        "The data support claim F12 in all 4 cases. The least favourable effect is "
    )


def test_a_refuted_claim_names_the_cases_that_contradict_it():
    whole = study(noise=0.01)
    of_vgg = whole.measures.rows["model"] == "vgg16"
    whole.measures.rows.loc[of_vgg, "skewness"] += 1.0
    claim = judge(whole)
    assert claim.verdict is Verdict.REFUTED
    text = sentence(claim, whole)
    assert "refute claim F12: 2 of 4 cases contradict it, and 2 of 4 support it." in text
    assert "(skewness; VGG16, features." in text


def test_an_undecided_claim_counts_the_cases_that_do_not_support_it():
    whole = study(seeds=(0, 1))
    whole.measures.rows["skewness"] = 0.25 * (1 + whole.measures.rows["seed"])
    claim = judge(whole)
    assert claim.verdict is Verdict.INCONCLUSIVE
    text = sentence(claim, whole)
    assert text.startswith("The data do not decide claim F12: 0 of 4 cases support it.")
    assert "4 cases do not decide." in text


def test_a_claim_says_what_the_experiment_lacks():
    whole = study(arms=("unit", "imagenet"))
    claim = judge(whole)
    assert claim.verdict is Verdict.NOT_EVALUABLE
    assert "the experiment has no run with the arm raw" in sentence(claim, whole)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_no_claim_of_the_article_needs_the_generic_sentence(claim):
    is_judged = claim.id != NEVER_JUDGED
    assert (TEMPLATES / f"sentences/{claim.id}.html.j2").is_file() == is_judged
