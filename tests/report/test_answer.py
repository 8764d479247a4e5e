"""The first screen: true and readable for every combination of verdicts."""

from __future__ import annotations

import re
from copy import deepcopy
from itertools import product

import pytest

from normreport.claims.registry import CLAIMS
from normreport.config.figure_kinds import figure_kinds
from normreport.config.figure_words import FigureWords, number_figures
from normreport.config.results import Results
from normreport.report.answer import CLAIM_OF_START, FINDINGS, MOST_FINDINGS, answer
from normreport.report.article import write_effect
from normreport.statistics.verdict import Verdict
from tests.articles import MADE_FROM, OUTCOMES, TEMPLATES, rendered, results_of, text_of
from tests.claims.studies import study

WORDS = {
    "pretrained": {"SUPPORTED": "hardly", "REFUTED": "yes"},
    "scratch": {"SUPPORTED": "yes", "REFUTED": "hardly"},
}
OTHERS = {"MIXED": "depends", "INCONCLUSIVE": "open", "NOT EVALUABLE": "unknown"}
SAID = {"yes": "yes.", "hardly": "hardly.", "depends": "it depends.", "open": "undecided.",
        "unknown": "not tested."}  # fmt: skip
BEGINNINGS = {"pretrained": "From pretrained weights: ", "scratch": "From random weights: "}


@pytest.fixture(scope="module")
def whole():
    return study(noise=0.01)


@pytest.fixture(scope="module")
def known(whole):
    return results_of(whole)


def with_verdicts(known, verdicts):
    """Change the verdicts of some claims."""
    results = deepcopy(known)
    for claim in results["claims"]:
        if claim["id"] in verdicts:
            claim |= {"verdict": verdicts[claim["id"]], "reason": "a reason", "mixed_by": None}
    return results


def abstract_of(page):
    return page.split('<section id="abstract">')[1].split("</section>")[0]


def test_the_first_sentences_are_about_the_runs_that_the_answer_compares():
    whole = study(starts=("pretrained", "scratch", "scratch_uniform"), noise=0.01)
    results = results_of(whole)
    results["headline"]["effects"] = [
        row
        for row in results["headline"]["effects"]
        if row["model"] == "mobilenet_v2" and row["start"] != "scratch_uniform"
    ]
    text = text_of(abstract_of(rendered(whole, results=results)))
    assert "with MobileNetV2 on" in text
    assert "from pretrained weights and from random weights, and compared" in text
    assert "For some claims, we also trained other networks or started from other weights." in text
    assert "We compare 2 layers." in text
    usual = text_of(abstract_of(rendered(study(noise=0.01))))
    assert "For some claims" not in usual
    assert "We compare 4 layers." in usual


@pytest.mark.parametrize(("first", "second"), [*product(Verdict, repeat=2)])
def test_each_pair_of_verdicts_gives_one_answer_per_start(whole, known, first, second):
    results = with_verdicts(known, {"F1": first.value, "F4": second.value})
    text = re.sub(" +", " ", text_of(abstract_of(rendered(whole, results=results))))
    for start, verdict in (("pretrained", first), ("scratch", second)):
        word = (WORDS[start] | OTHERS)[verdict.value]
        answers = [said for said in SAID.values() if f"{BEGINNINGS[start]}{said}" in text]
        assert answers == [SAID[word]]
    # An answer of yes or hardly is about every layer, in the right direction.
    more = "shifts the distribution of the weights in every compared layer by more than"
    less = "shifts the distribution of the weights in every compared layer by less than"
    found = [word for word, *_ in re.findall(r"weights: (yes|hardly)\.", text) if word]
    said = re.findall(r"weights: (yes|hardly)\. (Switching [^.]*\.\d%)", text)
    assert len(said) == len(found)
    for word, sentence in said:
        assert (more if word == "yes" else less) in sentence


def test_the_margin_and_the_largest_shift_stand_beside_the_answer(known):
    results = Results.model_validate(known)
    by_start = {one.start: one for one in answer(results).starts}
    for start, claim in CLAIM_OF_START.items():
        rows = [row for row in results.headline.effects if row.start == start]
        assert by_start[start].largest == max(rows, key=lambda row: row.delta or 0.0)
        assert by_start[start].claim == claim


@pytest.mark.parametrize(("alone", "side"), [("SUPPORTED", "above"), ("REFUTED", "below")])
def test_a_verdict_that_the_correction_undoes_is_told_with_its_reason(whole, known, alone, side):
    results = with_verdicts(known, {"F4": "INCONCLUSIVE"})
    for claim in results["claims"]:
        if claim["id"] == "F4":
            claim["verdict_alone"] = alone
    text = re.sub(" +", " ", text_of(abstract_of(rendered(whole, results=results))))
    answer_of_scratch = text.split("From random weights: undecided.")[1]
    assert "In every compared layer, the shift" in answer_of_scratch
    assert f"lies {side} 4.0%, if the claim is judged alone" in answer_of_scratch
    assert "ask for stronger evidence, which these runs do not give" in answer_of_scratch


def test_the_largest_shift_has_the_interval_of_its_claim(whole, known):
    results = Results.model_validate(known)
    for start in answer(results).starts:
        (claim,) = (claim for claim in results.claims if claim.id == start.claim)
        cases = {(case.place.models[0], case.place.layers[0]): case.effect for case in claim.cases}
        assert start.effect == cases[start.largest.model, start.largest.layer].model_dump()
        assert max(start.effect["mean"], 0.0) == pytest.approx(start.largest.delta**2)
        text = text_of(abstract_of(rendered(whole)))
        assert start.largest.delta == 0 or f"{write_effect(start.effect or {}, 'shift')} (" in text


@pytest.mark.parametrize(("verdict", "is_said"), [("SUPPORTED", True), ("NOT EVALUABLE", False)])
def test_what_is_not_tested_is_not_said_to_be_absent(whole, known, verdict, is_said):
    results = with_verdicts(known, {"F1": verdict})
    for row in results["headline"]["effects"]:
        row["delta"] = 0.0 if row["start"] == "pretrained" else row["delta"]
    text = text_of(abstract_of(rendered(whole, results=results)))
    assert ("No shift that repeats from seed to seed was detected." in text) is is_said


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=list(OUTCOMES))
def test_findings_are_few_decided_and_no_repetition(outcome):
    whole = study(**outcome)
    results = Results.model_validate(results_of(whole))
    found = answer(results).findings
    verdicts = {claim.id: claim.verdict for claim in results.claims}
    assert len(found) <= MOST_FINDINGS
    assert len(set(found)) == len(found)
    assert not {*found} & {*CLAIM_OF_START.values()}
    for claim in found:
        assert verdicts[claim] in {Verdict.SUPPORTED, Verdict.REFUTED, Verdict.MIXED}
    page = abstract_of(rendered(whole))
    shown = re.findall(r'<li>.*?<a href="#claim-(\w+)">', page, flags=re.S)
    assert shown == found


def test_every_claim_has_a_rank():
    assert {*FINDINGS, *CLAIM_OF_START.values()} == {claim.id for claim in CLAIMS}


def test_without_a_decided_claim_the_first_screen_says_so(whole, known):
    judged = [claim["id"] for claim in known["claims"] if claim["least_favourable"]]
    results = with_verdicts(known, dict.fromkeys(judged, "INCONCLUSIVE"))
    text = text_of(abstract_of(rendered(whole, results=results)))
    assert "These runs decide none of the other claims." in text
    assert "0 of 26 claims are decided" in text


@pytest.mark.parametrize("part", ["seed", "arm", "rest"])
def test_what_explains_the_differences_is_the_largest_component(whole, known, part):
    results = deepcopy(known)
    for row in results["headline"]["effects"]:
        row["components"] |= dict.fromkeys(("seed", "arm", "rest"), 0.1) | {part: 0.2}
    explanations = answer(Results.model_validate(results)).explanations
    assert [one.main for one in explanations] == [part, part]
    assert all(one.largest[part] == one.layers for one in explanations)
    text = text_of(abstract_of(rendered(whole, results=results)))
    said = {"seed": "mostly the random seed", "arm": "mostly the normalization",
            "rest": "mostly chance,"}  # fmt: skip
    assert [words for words in said.values() if words in text] == [said[part]]


def test_one_arm_is_not_said_to_be_compared():
    text = text_of(abstract_of(rendered(study(arms=("unit",)))))
    assert "compared the weights that result from two" not in text
    assert "the article’s comparison needs two others" in text


def test_without_a_pretrained_start_nothing_is_said_of_it():
    text = text_of(abstract_of(rendered(study(starts=("scratch",)))))
    assert "pretrained" not in text.lower()


def words_of(kind, start=None, model=None):
    return FigureWords(
        id=f"{kind}-{start}-{model}", kind=kind, model=model, start=start, layer=None,
        caption="", method="", alt="", made_from=MADE_FROM,
    )  # fmt: skip


def test_the_article_has_the_first_figure_of_a_kind_and_start_and_the_supplement_the_others():
    figures = [
        words_of("answer"),
        *(words_of("density", start, model) for start in ("pretrained", "scratch")
          for model in ("vgg16", "mobilenet_v2")),
        words_of("ribbon", "scratch", "vgg16"),
        words_of("spread", "pretrained", "vgg16"),
        words_of("spread", "scratch", "vgg16"),
        words_of("a_kind_of_ones_own"),
    ]  # fmt: skip
    assert number_figures(figures) == ["1", "2", "S1", "3", "S2", "S3", "S4", "4", "S5"]


def test_the_templates_place_every_kind_that_the_article_shows():
    placed = set()
    for path in (TEMPLATES / "sections").glob("*.j2"):
        for kinds in re.findall(r"article_figures\(\[(.*?)\]", path.read_text()):
            placed |= set(re.findall(r'"(\w+)"', kinds))
    assert placed == {kind for kind, declared in figure_kinds().items() if declared.in_article}
