"""A worked example: declare a claim, register it, judge it and write its sentence.

The documentation includes the part between the two markers.
"""

from __future__ import annotations

import sys

import pytest

# [declaration]
from normreport.claims.cases import Place, case_from_seeds, failed_runs_at
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_


def judge_skewness(study, test):
    """Yield one case per kept layer of the runs from scratch with raw inputs."""
    for model, start, layer in study.kept_layers(("scratch",)):
        place = Place.of(model=model, start=start, layer=layer, contrast="raw")
        rows = study.measures.at(model=model, start=start, layer=layer, normalization="raw")
        skewness = study.select_last_epoch(rows)["skewness"].abs()
        failed = failed_runs_at(study, place)
        yield case_from_seeds(place, list(skewness), test=test, failed=failed)


SYMMETRIC = Claim(
    id="F12",
    kind="finding",
    topic=N_("Raw inputs keep weights symmetric"),
    statement=N_("From scratch, raw inputs give a symmetric distribution of weights."),
    statistic=N_("absolute skewness at the last epoch"),
    unit=N_("skewness"),
    test=MarginTest(0.25, level=0.90, below=True),
    needs=Needs(starts=("scratch",), normalizations=("raw",)),
    judge=judge_skewness,
    figures=("histogram", "quantiles"),
    family=PRIMARY_FAMILY,
)
# [/declaration]

from normreport.claims.judging import judge_all  # noqa: E402 (after the part that the docs show)
from normreport.claims.registry import CLAIMS, find_claims  # noqa: E402
from normreport.report.claim_results import claim_result  # noqa: E402
from normreport.statistics.inference import Verdict  # noqa: E402
from tests.articles import NEVER_JUDGED, TEMPLATES, rendered, results_of, text_of  # noqa: E402
from tests.claims.studies import study  # noqa: E402


def judge(whole):
    """Judge the claim of this module together with all others."""
    claims = [*CLAIMS, *find_claims([sys.modules[__name__]])]
    judged = {one.claim.id: one for one in judge_all(claims, whole)}
    return claim_result(judged["F12"], whole)


def sentence(claim, whole):
    """Write the sentence of a claim with the templates of the article."""
    results = results_of(whole)
    results["claims"].append(claim.model_dump(mode="json"))
    article = rendered(whole, results=results).split('id="claim-F12"')[1].split("</article>")[0]
    return text_of(article.split("</em>")[1].split("</p>")[0]).strip()


def test_the_registry_finds_the_claim():
    assert find_claims([sys.modules[__name__]]) == (SYMMETRIC,)


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
