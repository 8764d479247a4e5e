"""The worked example of a new claim: found, judged with the others and told in a sentence."""

from __future__ import annotations

import pytest

from normreport.claims.judging import judge_all
from normreport.claims.registry import CLAIMS, find_claims
from normreport.report.claim_results import claim_result
from normreport.statistics.verdict import Verdict
from tests.articles import TEMPLATES, rendered, results_of, text_of
from tests.claims import worked_example
from tests.claims.studies import study


def judge(whole):
    """Judge the claim together with all others."""
    claims = [*CLAIMS, *find_claims([worked_example])]
    judged = {one.claim.id: one for one in judge_all(claims, whole)}
    return claim_result(judged["F12"])


def sentence(claim, whole):
    """Write the sentence of a claim with the templates of the article."""
    results = results_of(whole)
    results["claims"].append(claim.model_dump(mode="json"))
    article = rendered(whole, results=results).split('id="claim-F12"')[1].split("</article>")[0]
    return text_of(article.split("</em>")[1].split("</p>")[0]).strip()


def test_the_registry_finds_the_claim():
    assert find_claims([worked_example]) == (worked_example.SYMMETRIC,)


def test_a_supported_claim_gets_a_generic_sentence_with_the_range_of_its_estimates():
    whole = study()
    claim = judge(whole)
    assert claim.verdict is Verdict.SUPPORTED
    assert len(claim.cases) == 4
    text = sentence(claim, whole)
    assert text.startswith(
        "In every case, skewness lies below 0.250. Estimates of skewness range from "
    )
    assert " (VGG16, features." in text


def test_a_claim_whose_cases_contradict_each_other_is_mixed_and_names_them():
    whole = study(noise=0.01, seeds=tuple(range(6)))
    of_vgg = whole.measures.rows["model"] == "vgg16"
    whole.measures.rows.loc[of_vgg, "skewness"] += 1.0
    claim = judge(whole)
    assert claim.verdict is Verdict.MIXED
    text = sentence(claim, whole)
    assert text.startswith("Whether claim F12 holds depends on the network. Supported: MobileNetV2")
    assert "Refuted: VGG16, features.0; VGG16, features.10." in text


def test_a_refuted_claim_says_so():
    whole = study(noise=0.01)
    whole.measures.rows["skewness"] += 1.0
    claim = judge(whole)
    assert claim.verdict is Verdict.REFUTED
    assert sentence(claim, whole).startswith("In every case, skewness lies above 0.250. ")


def test_an_undecided_claim_says_so():
    whole = study(seeds=(0, 1))
    whole.measures.rows["skewness"] = 0.25 * (1 + whole.measures.rows["seed"])
    claim = judge(whole)
    assert claim.verdict is Verdict.INCONCLUSIVE
    assert sentence(claim, whole).startswith(
        "These runs do not decide whether skewness lies below 0.250. "
    )


def test_a_claim_says_what_the_experiment_lacks():
    whole = study(arms=("unit", "imagenet"))
    claim = judge(whole)
    assert claim.verdict is Verdict.NOT_EVALUABLE
    assert "the experiment has no run with the arm raw" in sentence(claim, whole)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_no_claim_of_the_article_needs_the_generic_sentence(claim):
    assert (TEMPLATES / f"sentences/{claim.id}.html.j2").is_file()
