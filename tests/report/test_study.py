"""A report without the article's claims: the study's own claims and texts, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from normreport.claims.judging import judge_all
from normreport.claims.study import Study
from normreport.config.claims import ClaimSettings, ClaimsSettings
from normreport.errors import ConfigError
from normreport.report.chosen_claims import chosen_claims
from normreport.report.claim_results import claim_result
from tests.articles import rendered, results_of, text_of
from tests.claims.studies import study
from tests.injections import INJECTIONS

OWN: tuple[dict[str, Any], ...] = (
    {"id": "D1", "statement": "The spread hardly changes.", "statistic": "std",
     "contrast": "imagenet / unit", "expect": "within", "margin": "5%"},
    {"id": "D2", "statement": "The accuracy rises.", "statistic": "heldout_accuracy",
     "contrast": "imagenet - unit", "expect": "above", "margin": "50 points"},
    {"id": "D3", "statement": "The layer shifts.", "statistic": "shift",
     "contrast": "imagenet - unit", "expect": "above", "margin": "2%", "starts": ["scratch"]},
    {"id": "D4", "statement": "Nobody knows.", "statistic": "std", "contrast": "placebo / unit",
     "expect": "below", "margin": "-5%"},
)  # fmt: skip
VERDICTS = ("SUPPORTED", "REFUTED", "MIXED", "INCONCLUSIVE", "NOT EVALUABLE")


def results(whole: Study, own: tuple[dict[str, Any], ...] = OWN) -> dict[str, Any]:
    settings = ClaimsSettings(
        article="none", own=tuple(ClaimSettings.model_validate(claim) for claim in own)
    )
    judged = judge_all(chosen_claims(settings), whole)
    claims = [claim_result(one).model_dump(mode="json") for one in judged]
    return results_of(whole) | {"claims": claims}


@pytest.fixture(scope="module")
def whole() -> Study:
    made: Study = study(noise=0.001)
    return made


@pytest.fixture(scope="module")
def known(whole: Study) -> dict[str, Any]:
    return results(whole)


@pytest.fixture(scope="module")
def page(whole: Study, known: dict[str, Any]) -> str:
    return rendered(whole, results=known, is_article=False, title="Does it matter?")


def test_no_sentence_speaks_of_the_article(page: str) -> None:
    words = text_of(page)
    assert not re.search(r"[Tt]he article|informal article|published|hypothes|[Pp]rediction", words)
    assert "Claims of this study" in words
    assert "F1" not in re.findall(r"[A-Z]\d+", words)


def test_the_first_screen_has_every_claim_with_its_verdict_and_a_sentence(page: str) -> None:
    first = page.split('<section id="abstract">')[1].split("</section>")[0]
    for claim in OWN:
        assert f'<q>{claim["statement"]}</q> <a href="#claim-{claim["id"]}">' in first
    words = text_of(first)
    spread = "the change of the standard deviation from unit to imagenet"
    assert f"In every case, {spread} lies within ±5.0%." in words
    assert (
        "In every case, the difference of the held-out accuracy (imagenet minus unit) lies below "
        "50 points." in words
    )
    assert "The reason: the experiment has no run with the arm placebo." in words
    assert "From unit to imagenet, the distribution of a layer’s weights shifts" in words


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("medium", ["screen", "print"])
def test_every_verdict_gives_a_whole_page(
    whole: Study, known: dict[str, Any], verdict: str, medium: str
) -> None:
    forced = json.loads(json.dumps(known))
    for claim in forced["claims"][:3]:  # the last one has no case
        mixed_by = "start" if verdict == "MIXED" else None
        claim |= {"verdict": verdict, "reason": "a reason", "mixed_by": mixed_by}
    words = text_of(rendered(whole, results=forced, is_article=False, medium=medium))
    assert not re.search(r"\bNone\b|\bnan\b|%\(", words)


@pytest.mark.parametrize(
    "outcome",
    [{"seeds": (0,)}, {"starts": ("scratch",)}, {"arms": ("unit",)}, {"layers": {"vgg16": ("a",)}}],
)
def test_a_small_study_gives_a_whole_page(outcome: dict[str, Any]) -> None:
    whole = study(**outcome)
    words = text_of(rendered(whole, results=results(whole), is_article=False))
    assert not re.search(r"\bNone\b|\bnan\b|%\(", words)


def test_thirty_claims_leave_the_first_screen_short(whole: Study) -> None:
    many = tuple({**OWN[0], "id": f"D{number}"} for number in range(1, 31))
    page = rendered(whole, results=results(whole, many), is_article=False)
    first = page.split('<section id="abstract">')[1].split("</section>")[0]
    assert first.count("<q>") == 8
    assert page.count('id="claim-D') == 30


def test_claims_of_the_study_stand_beside_those_of_the_article(whole: Study) -> None:
    own = tuple(ClaimSettings.model_validate(claim) for claim in OWN)
    judged = judge_all(chosen_claims(ClaimsSettings(own=own)), whole)
    claims = [claim_result(one).model_dump(mode="json") for one in judged]
    page = rendered(whole, results=results_of(whole) | {"claims": claims})
    first = page.split('<section id="abstract">')[1].split("</section>")[0]
    assert f"<q>{OWN[0]['statement']}</q>" in first
    assert 'id="claim-D1"' in page
    assert 'id="claim-F1"' in page


# Texts of the user


def with_text(whole: Study, folder: Path, section: str, text: str, **settings: Any) -> str:
    path = folder / f"{section}.md"
    path.write_text(text)
    values: dict[str, Any] = {"results": results(whole), "is_article": False, **settings}
    return rendered(whole, texts={section: str(path)}, **values)


TEXT = """# A heading

A *question* with a [link](https://example.org/a?b=c&d=e), a number
({{ results.claims[0].margin|num }}) and `code`.

- one
- two

| a | b |
|---|---|
| 1 | {{ claims.D2.seeds }} |
"""


@pytest.mark.parametrize(
    "section", ["abstract", "introduction", "experiment", "findings", "conclusion"]
)
def test_a_text_begins_its_section(whole: Study, tmp_path: Path, section: str) -> None:
    page = with_text(whole, tmp_path, section, TEXT)
    place = {"introduction": "question"}.get(section, section)
    part = page.split(f'<section id="{place}">')[1].split("</section>")[0]
    assert "<h3>A heading</h3>" in part
    assert '<em>question</em> with a <a href="https://example.org/a?b=c&amp;d=e">link</a>' in part
    assert "(0.0488)" in part
    assert "<li>two</li>" in part
    assert "<td>3</td>" in part


def test_html_and_pictures_in_a_text_are_shown_as_text(whole: Study, tmp_path: Path) -> None:
    text = "\n\n".join(
        ["<script>alert(1)</script>", "![p](https://example.org/a.png)", *INJECTIONS]
    )
    page = with_text(whole, tmp_path, "introduction", f"{{% raw %}}{text}{{% endraw %}}")
    part = page.split('<section id="question">')[1].split("</section>")[0]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in part
    assert not re.search(r"<(script|img|iframe|svg|style|object)\b", part)
    assert not re.search(r"<[^>]+\son\w+=", part)
    assert 'href="javascript:' not in part


def test_the_articles_page_takes_texts_too(whole: Study, tmp_path: Path) -> None:
    page = with_text(
        whole, tmp_path, "introduction", "Mine.", is_article=True, results=results_of(whole)
    )
    part = page.split('<section id="question">')[1].split("</section>")[0]
    assert "<p>Mine.</p>" in part
    assert "informal article" not in part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ resuls.claims }}", "introduction.md: 'resuls' is undefined"),
        ("one\n\n{{ results.", "introduction.md, line 3: "),
        ("{{ claims.D9.margin }}", "introduction.md: "),
        ("{{ claims.D1.margin|nun }}", "introduction.md, line 1: No filter named 'nun'"),
        ("{{ ''.__class__.__mro__ }}", "introduction.md: access to attribute '__class__'"),
        ("{{ 1 / 0 }}", "introduction.md: division by zero"),
    ],
)
def test_a_wrong_expression_is_one_message(
    whole: Study, tmp_path: Path, text: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as error:
        with_text(whole, tmp_path, "introduction", text)
    assert str(error.value).startswith("report.texts.introduction: ")
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_message(whole: Study, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        rendered(
            whole,
            results=results(whole),
            is_article=False,
            texts={"abstract": str(tmp_path / "no.md")},
        )
    assert "could not be read (No such file or directory). Expected a Markdown file." in str(
        error.value
    )
