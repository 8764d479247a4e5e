"""Filters by hand; templates on judged studies of every outcome."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import Environment, nodes
from markupsafe import Markup

from normreport.claims.registry import CLAIMS
from normreport.config.experiment import load_config
from normreport.config.report import FigureSettings
from normreport.errors import ConfigError
from normreport.plan.figure_index import figure_index
from normreport.provenance.record import read_embedded_record
from normreport.report.article import (
    Illustration,
    figures_for,
    parameters,
)
from normreport.report.dark_mode import darken
from normreport.report.summary import headline
from normreport.statistics.verdict import Verdict
from normreport.text.formatting import format_percent
from tests.articles import (
    DIGEST,
    FIGURE,
    MADE_FROM,
    OUTCOMES,
    PUBLISHED,
    TEMPLATES,
    record_of,
    rendered,
    results_of,
    text_of,
)
from tests.benchmarks.page import OVERHEAD, parts
from tests.claims.studies import LAYERS, study, with_holes


@pytest.mark.parametrize("medium", ["screen", "print"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_an_article(outcome, medium):
    page = rendered(study(**OUTCOMES[outcome]), medium=medium)
    text = text_of(page)
    for claim in CLAIMS:
        assert claim.topic in text
    assert "None" not in text
    assert "nan" not in text.lower().split()
    assert "{{ " not in page
    assert "{%" not in page


def with_skipped(count):
    results = results_of(study())
    results["data"]["skipped"] = [{"split": "train", "image": "a/<b>.png", "why": "empty"}] * count
    return rendered(study(), results=results)


def test_images_that_were_skipped_are_counted_and_named_as_text():
    page = with_skipped(2)
    assert "2 of the source’s images could not be read" in page
    assert page.count("<li>a/&lt;b&gt;.png (empty)</li>") == 2
    assert "could not be read" not in rendered(study())


def with_classes(counts, unused=()):
    results = results_of(study())
    results["data"]["images_per_class"] = [
        {"name": name, "train": train, "heldout": heldout}
        for name, (train, heldout) in counts.items()
    ]
    results["data"]["unused"] = [{"name": name, "count": count} for name, count in unused]
    return " ".join(text_of(rendered(study(), results=results)).split())


def test_the_classes_are_named_with_the_number_of_their_images():
    text = with_classes({"cat": (40, 10), "dog": (1200, 300)})
    assert "training and held-out images, are cat (40 + 10), dog (1,200 + 300)." in text
    assert "held-out image, so" not in text
    assert "not used" not in text


def test_classes_without_images_are_named():
    text = with_classes({"cat": (40, 10), "dog": (3, 0), "fox": (0, 0), "owl": (1, 0)})
    assert "1 class has no training image, so no network can learn it: fox (0 + 0)." in text
    assert (
        "3 classes have no held-out image, so the held-out accuracy does not cover them: "
        "dog (3 + 0), fox (0 + 0), owl (1 + 0)." in text
    )


def test_a_long_list_of_classes_is_cut():
    text = with_classes({f"c{i}": (2, 1) for i in range(1020)})
    assert "c19 (2 + 1), and 1,000 more, which results.json lists." in text
    assert "c20" not in text


def test_unused_files_are_counted():
    text = with_classes({"a": (2, 1), "b": (2, 1)}, [("*.heic", 1200), ("test/", 30), ("", 4)])
    assert (
        "not used, by suffix or folder: *.heic (1,200), test/ (30), without a suffix (4)." in text
    )


def test_a_long_list_of_skipped_images_is_cut():
    page = with_skipped(1234)
    assert "1,234 of the source’s images could not be read" in page
    assert page.count("<li>a/&lt;b&gt;.png (empty)</li>") == 20
    assert "<li>and 1,214 more, which <code>results.json</code> names</li>" in page
    assert "more, which" not in with_skipped(20)


TRAINED = {"kind": "trained", "model": "vgg16", "train_images": 1000, "epochs": 5,
           "normalization": "unit", "heldout_images": 100, "heldout_loss": 1.5,
           "heldout_accuracy": 0.5}  # fmt: skip
FETCHED = {"kind": "fetched", "model": "vgg16", "weights": "IMAGENET1K_V1", "file": DIGEST}


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (
            TRAINED | {"other_arms": ["raw", "imagenet"]},
            "with inputs of the arm unit. Other values come from raw and imagenet.",
        ),
        (
            FETCHED | {"preprocessing": PUBLISHED, "unwrapping": None, "other_arms": []},
            "less 0.500, 0.250 and 0.125, divided by 0.200, 0.300 and 0.400, on squares of 224 "
            "pixels from images whose shorter side has 256 (file 0123456789). "
            "No arm’s values differ from them.",
        ),
        (
            FETCHED | {"preprocessing": None, "unwrapping": None, "other_arms": None},
            "that its file (0123456789) does not tell. Which arms differ from them is not known.",
        ),
        (
            FETCHED
            | {"preprocessing": None, "other_arms": None}
            | {"unwrapping": {"entry": "ema", "prefix": "net.", "others": ["a.b", "n", "x", "y"]}},
            "does not tell. Its weights are the entry ema of the file. The prefix net. was removed "
            "from the names of the weights. 4 other tensors were left out, the first of them: "
            "a.b, n and x. Which arms",
        ),
    ],
)
def test_the_inputs_of_the_pretraining_and_the_arms_that_differ_are_told(known, sentence):
    results = results_of(study())
    results["pretraining"] = [known]
    if known["kind"] == "fetched":
        results["experiment"]["pretraining"] = None
    assert sentence in text_of(rendered(study(), results=results))


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [
        ({"pretrained": 0.9, "scratch": 0.7}, "Pretraining helped VGG16"),
        ({"pretrained": 0.5, "scratch": 0.7}, "Pretraining harmed VGG16"),
        ({"pretrained": 0.7, "scratch": 0.7}, "Pretraining is not shown to have helped VGG16"),
    ],
)
def test_the_abstract_says_what_pretrained_means_and_whether_it_helped(accuracy, words):
    page = rendered(study(accuracy=accuracy, noise=0.01))
    abstract = text_of(page.split('<section id="abstract">')[1].split("</section>")[0])
    assert words in abstract
    assert re.search(rf"{words}: [^.]* −?\d+(\.\d+)? points \[", abstract)
    assert "These are not ImageNet weights; make report PRESET=imagenet" in abstract


@pytest.mark.parametrize("medium", ["screen", "print"])
def test_a_partial_report_says_so_before_anything_else(medium):
    condition = {"model": "vgg16", "start": "scratch", "normalization": "raw", "seed": 1}
    failure = condition | {
        "id": "vgg16/scratch/raw/seed1",
        "what": "train_run failed without a message",
        "log": "epoch 1 <oops>",
    }
    text = text_of(rendered(study(), medium=medium, failures=[failure]))
    said = "vgg16/scratch/raw/seed1 : train_run failed without a message. epoch 1 &lt;oops&gt;"
    assert text.index("This report is partial: 1 of 36 runs failed") < text.index(said)
    assert text.index(said) < text.index("An informal article asked")
    assert "partial" not in text_of(rendered(study(), medium=medium))


def test_every_claim_has_a_sentence_for_every_verdict():
    """Force each verdict upon all claims: the sentences of a claim differ from each other."""
    whole = study(noise=0.001)
    known = results_of(whole)
    case = next(claim["least_favourable"] for claim in known["claims"] if claim["id"] == "F1")
    sentences: dict[str, set[str]] = {claim.id: set() for claim in CLAIMS}
    for verdict in Verdict:
        results = deepcopy(known)
        for judged in results["claims"]:
            judged |= {"verdict": verdict.value, "reason": "a reason"}
            judged["mixed_by"] = "network" if verdict is Verdict.MIXED else None
            judged |= {key: judged[key] or case for key in ("least_favourable", "most_favourable")}
        page = rendered(whole, results=results)
        for claim in CLAIMS:
            article = page.split(f'id="claim-{claim.id}"')[1].split("</article>")[0]
            sentences[claim.id].add(text_of(article.split("</em>")[1].split("</p>")[0]))
    for claim in CLAIMS:
        # What is computed once from pixel values is never open or mixed.
        verdicts = 3 if claim.family is None else len(Verdict)
        assert len(sentences[claim.id]) >= verdicts, claim.id


@pytest.mark.parametrize("dimension", ["network", "start", "layer", "arm", None])
def test_a_mixed_sentence_says_what_the_verdict_depends_on(dimension):
    results = results_of(study(apart={"pretrained": 0.005, "scratch": 0.1}))
    (claim,) = (claim for claim in results["claims"] if claim["id"] == "P2")
    assert (claim["verdict"], claim["mixed_by"]) == ("MIXED", "start")
    claim["mixed_by"] = dimension
    page = rendered(study(), results=results)
    article = text_of(page.split('id="claim-P2"')[1].split("</article>")[0])
    words = {"network": "network", "start": "start", "layer": "layer", "arm": "arm"}
    expected = (
        f"Whether claim P2 holds depends on the {words[dimension]}."
        if dimension
        else "Claim P2 holds in some cases and is contradicted in others."
    )
    assert expected in article
    assert "Supported: MobileNetV2, features.0.0, pretrained." in article
    assert "Refuted: MobileNetV2, features.0.0, from scratch." in article


def test_a_sentence_names_the_start_and_the_arms_only_if_the_claim_looks_at_several():
    page = rendered(study(noise=0.001))

    def sentence_of(claim):
        article = page.split(f'id="claim-{claim}"')[1].split("</article>")[0]
        return text_of(article.split("</em>")[1].split("</p>")[0])

    assert re.search(r"\(\w+, features\.[\w.]+, (pretrained|from scratch)\)", sentence_of("H4"))
    assert re.search(r"\(\w+, features\.[\w.]+\)", sentence_of("F1"))
    assert ": unit - imagenet)" in sentence_of("F11")


def test_every_case_of_a_claim_is_in_its_table_with_those_beyond_the_published_design():
    page = rendered(study())
    article = page.split('id="claim-F1"')[1].split("</article>")[0]
    assert titles_of(article) == ["VGG16, pretrained", "MobileNetV2, pretrained"]
    cases = [
        text_of(row)
        for row in re.findall(r"<tr.*?</tr>", article, flags=re.S)
        if 'scope="row"' in row
    ]
    assert len(cases) == 8
    assert sum("beyond the published design" in row for row in cases) == 4
    assert all("raw - unit" in row for row in cases if "beyond" in row)
    network = text_of(page.split('id="claim-F2"')[1].split("</article>")[0])
    assert "features.10" in network
    assert "median layer" in network


def titles_of(table):
    """Give the titles of the groups of a table's rows."""
    return [text_of(title).strip() for title in re.findall(r"rowgroup[^>]*>(.*?)</th>", table)]


def scorecard_of(page):
    return page.split('<table class="scorecard')[1].split("</table>")[0]


def test_the_scorecard_has_a_row_per_claim_below_the_title_of_its_part():
    page = scorecard_of(rendered(study()))
    assert titles_of(page) == [
        "Premise and hypotheses", "From pretrained weights", "From random weights",
        "Side by side", "The shape of the distribution", "Predictions of this report",
    ]  # fmt: skip
    rows = re.findall(r'<th scope="row"><a href="#claim-(\w+)">\1</a> (.*?)</th>', page)
    assert sorted(rows) == sorted(
        (claim["id"], claim["statement"].replace("'", "&#39;"))
        for claim in results_of(study())["claims"]
    )


def test_on_the_screen_hidden_words_say_what_a_picture_shows_and_in_print_its_title_does():
    row = r'<td class="plot[^>]*>.*?</td>'
    for cell in re.findall(row, scorecard_of(rendered(study())), flags=re.S)[:-1]:
        assert re.search(
            r'aria-hidden="true".*class="hidden">\w.*, (supported|refuted|inconclusive)\.', cell
        )
        assert "<title>" not in cell
    for cell in re.findall(row, scorecard_of(rendered(study(), medium="print")), flags=re.S):
        assert re.search(r'role="img"><title>\w', cell)
        assert "hidden" not in cell


def test_the_key_of_the_scorecard_names_the_marker_of_every_network():
    key = re.findall(r'class="key">(.*?)</span>', rendered(study()), flags=re.S)
    assert " ".join(key[0].split()) == ("● VGG16 ■ MobileNetV2 ✕ difference between two networks")
    alone = rendered(study(layers={"vgg16": ("features.0",)}))
    assert "difference between two networks" not in scorecard_of(alone)
    assert 'class="key"' not in rendered(study(arms=("raw",), starts=("scratch_uniform",)))


def test_a_sentence_prints_effects_as_percentages_and_not_as_logarithms():
    whole = study(displacement={"pretrained": 0.123, "scratch": 0.4})
    claim = next(claim for claim in results_of(whole)["claims"] if claim["id"] == "F2")
    far = math.exp(claim["least_favourable"]["effect"]["mean"])
    assert claim["verdict"] == "REFUTED"
    assert far == pytest.approx(0.123, rel=0.01)
    text = text_of(rendered(whole))
    assert "pretrained weights move by more than 5.0% of their norm." in text
    assert f" {format_percent(far)} [" in text


# Names with digits: networks, an encoding, ids of claims and predictions, a distance, a digest,
# the pipeline that divides by 255, references, templates.
NAMES = re.compile(
    r"\b(VGG16|MobileNetV2|vgg16(_bn)?|mobilenet_v2|utf-8|C0|H[1-6]|F\d+b?|P[1-7]|W[12]|SHA-256|255"
    r"|[a-z]+(19|20)\d\d|[\w/.]+\.j2)\b"
)


def typed_numbers(source):
    """Words with digits that a template itself puts on the page, be it as text or from a string."""
    tree = Environment(extensions=["jinja2.ext.i18n"]).parse(source)
    prose = " ".join(node.data for node in tree.find_all(nodes.TemplateData))
    words = [re.sub(r"<[^>]*>", " ", prose)]
    strings = [node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]
    words += [re.sub(r"<[^>]*>", " ", text) for text in strings]
    for output in tree.find_all(nodes.Output):
        words += [str(node.value) for node in output.nodes if isinstance(node, nodes.Const)]
    return [word for text in words for word in re.findall(r"\S*\d\S*", NAMES.sub("", text))]


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: path.stem)
def test_no_number_is_typed_by_hand_in_the_prose(path):
    assert typed_numbers(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>After 35 epochs</p>", ["35"]),
        ("{{ 'of 3 seeds' if x else 'none' }}", ["3"]),
        ("{{ 0.05 }}", ["0.05"]),
        ("VGG160 and F8.5", ["VGG160", ".5"]),
        ('{% trans n=x|num %}<b id="a1">F1</b> of 35 {{ n }}{% endtrans %}', ["35"]),
        ("{% trans n=x %}a{% pluralize %}2 of <b>{{ n }}</b>{% endtrans %}", ["2"]),
        ('<h2 id="a1">VGG16, F4b</h2>{{ x|num(2) }}{% if x > 1 %}{% endif %}{# 7 #}', []),
    ],
)
def test_a_typed_number_is_found_wherever_it_stands(source, found):
    assert typed_numbers(source) == found


def bare_counts(source):
    """Values of messages in singular and plural that are the count itself, without a filter."""
    tree: Any = Environment(extensions=["jinja2.ext.i18n"]).parse(source)
    return [
        pair.key.value
        for filled in tree.find_all(nodes.Mod)
        for call in filled.left.find_all(nodes.Call)
        if call.node.name == "ngettext"
        for pair in filled.right.items
        if pair.value == call.args[2] and f"%({pair.key.value})s" in call.args[1].value
    ]


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: path.stem)
def test_a_count_that_chooses_the_plural_is_written_by_a_filter(path):
    assert bare_counts(path.read_text()) == []


def test_a_count_without_a_filter_is_found():
    message = "{{ n }} run{% pluralize %}{{ n }} runs{% endtrans %}"
    assert bare_counts("{% trans n=runs|length %}" + message) == ["n"]
    assert bare_counts("{% trans count=runs, n=runs|integer %}" + message) == []


def rows_of_predictions(page):
    """What the experiment can say of each prediction."""
    part = page.split('<section id="predictions">')[1].split("</section>")[0]
    rows = re.findall(r'<tr id="prediction-(P\d)">(.*?)</tr>', part, flags=re.S)
    return {name: text_of(row.rsplit("<td>", 1)[1]).strip() for name, row in rows}


def test_the_hypotheses_lead_to_the_predictions_and_these_to_their_claims():
    page = rendered(study())
    hypotheses = page.split('<section id="hypotheses">')[1].split("</section>")[0]
    assert 'href="#predictions"' in hypotheses
    said = rows_of_predictions(page)
    assert list(said) == [f"P{number}" for number in range(1, 8)]
    assert said["P1"] == "judged by claim C0"
    assert said["P6"] == "judged by claim P6"
    assert said["P2"] == "judged by claim P2"
    assert said["P7"] == "not evaluable see claim P7"


def test_a_prediction_that_cannot_be_judged_leads_to_the_claim_that_says_why():
    said = rows_of_predictions(rendered(study(arms=("unit",), starts=("scratch",))))
    for name in ("P2", "P3", "P4", "P5", "P6", "P7"):
        assert said[name] == f"not evaluable see claim {name}"


class Links(HTMLParser):
    """Collects ids, targets and whatever a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.ids, self.targets, self.fetched = [], [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids += [values["id"]] if "id" in values else []
        if tag == "a":
            self.targets.append(values["href"])
        self.fetched += [values[key] for key in ("src", "srcset") if key in values]
        if tag in {"link", "iframe", "object", "embed", "base"}:
            self.fetched.append(tag)


def test_links_within_the_page_lead_somewhere_and_nothing_is_fetched():
    links = Links()
    links.feed(rendered(study()))
    inner = [target[1:] for target in links.targets if target.startswith("#")]
    assert inner
    assert set(inner) <= set(links.ids)
    assert len(set(links.ids)) == len(links.ids)
    assert links.fetched == []


def test_the_policy_lets_only_the_pages_own_scripts_run():
    page = rendered(study())
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    digests = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    ]
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert len(scripts) == 2
    assert policy.endswith("script-src " + " ".join(f"'sha256-{one}'" for one in digests))
    assert policy.startswith("default-src 'none'")
    assert "<script" not in rendered(study(), medium="print")


def test_a_claim_leads_to_the_figures_of_its_deciding_case():
    figures = [
        Illustration(
            id=f"separation-{model}", number=f"S{number}", kind="separation", model=model,
            start=None, layer=None, caption="Caption.", method="Method.", alt="Alt.",
            svg=Markup("<svg></svg>"), made_from=MADE_FROM,
        )
        for number, model in enumerate(("vgg16", "mobilenet_v2"), start=1)
    ]  # fmt: skip
    place = {"models": ["mobilenet_v2"], "layers": [], "starts": []}
    claim = {"figures": ["separation"], "least_favourable": {"place": place}}
    assert figures_for(claim, figures) == figures[1:]
    assert figures_for(claim | {"least_favourable": None}, figures) == []
    assert figures_for(claim | {"figures": ["kurtosis"]}, figures) == []


SHOWN_BY = {
    "levels": {"C0"},
    "inputs": {"H3"},
    "density": {"H2", "H5", "F1", "F4", "P2"},
    "spread": {"H1", "H4", "F4b", "F5", "P5"},
    "curves": {"F3", "F3b", "H6"},
    "displacement": {"F2", "F5", "P3", "P6"},
    "separation": {"F1", "F4", "F6", "P2", "P4"},
    "switch_or_seed": {"F1", "F4", "F6", "F11", "P4"},
    "centre": {"F7"},
    "histogram": {"F8"},
    "quantiles": {"F8", "F10"},
    "kurtosis": {"F9", "P7"},
}


def test_every_measured_claim_leads_to_figures_of_its_own_kind(changed):
    """In the default experiment, and with what the claims need that it does not have."""
    laws = ["pretrained", "scratch", "scratch_uniform"]
    more = load_config(changed({
        "experiment.models": ["vgg16", "vgg16_bn"],
        "experiment.starts": laws,
        "models.vgg16_bn": changed({})["models"]["vgg16"],
    }))  # fmt: skip
    pair = {"layers": dict.fromkeys(("vgg16", "vgg16_bn"), LAYERS["vgg16"]), "starts": laws}
    found = set()
    for config, whole in (
        (load_config(changed({})), study()),
        (more, study(**pair, kurtosis=(-1.2, -0.6))),
        (load_config(changed({})), study(candidates=dict.fromkeys(LAYERS, (0.01, 0.1)))),
    ):
        for claim in results_of(whole)["claims"]:
            illustrations: list[Any] = list(figure_index(config))
            kinds = {figure.kind for figure in figures_for(claim, illustrations)}
            if claim["least_favourable"]:
                assert kinds == {kind for kind, ids in SHOWN_BY.items() if claim["id"] in ids}
                found.add(claim["id"])
            else:
                assert not kinds
    assert found == {claim.id for claim in CLAIMS} - {"P3", "P4", "P5"}


def test_every_sentence_of_the_story_leads_to_its_claim():
    page = rendered(study())
    told = {
        "start-pretrained": ["F1", "F2", "F3", "F3b"],
        "start-scratch": ["F4", "F4b", "F5"],
        "side-by-side": ["P6", "F11", "F6"],
        "published-design": ["C0"],
        "gaussian": ["F8", "F7"],
    }
    for section, claims in told.items():
        text = page.split(f'<section id="{section}">')[1].split("</section>")[0]
        prose = "".join(re.findall(r"<p>.*?</p>", text, flags=re.S))
        assert re.findall(r'<a href="#claim-(\w+)">\1</a>', prose) == claims


def test_a_deciding_layer_without_figures_leads_to_those_of_the_others(default_values):
    place = {"models": ["vgg16"], "starts": ["scratch"], "layers": ["features.28"]}
    illustrations: list[Any] = list(figure_index(load_config(default_values)))
    found = figures_for(
        {"figures": ["spread"], "least_favourable": {"place": place}}, illustrations
    )
    kept = ("features.0", "features.10")
    assert [figure.id for figure in found] == [f"spread-vgg16-scratch-{layer}" for layer in kept]


def test_a_case_of_a_whole_network_leads_to_the_figures_of_its_first_layers(changed):
    layers = [f"features.{number}" for number in (0, 2, 5, 7, 10, 12)]
    illustrations: list[Any] = list(
        figure_index(load_config(changed({"models.vgg16.layers": layers})))
    )
    place = {"models": ["vgg16"], "starts": ["scratch"], "layers": []}
    found = figures_for(
        {"figures": ["spread", "quantiles"], "least_favourable": {"place": place}}, illustrations
    )
    first = layers[:4]
    assert [figure.id for figure in found] == [
        *(f"spread-vgg16-scratch-{layer}" for layer in first),
        *(f"quantiles-vgg16-{layer}" for layer in first),
    ]


def test_every_citation_and_term_is_explained_in_the_page():
    page = rendered(study())
    assert set(re.findall(r'class="cite" href="#([^"]+)"', page))
    assert "Kingma and Ba 2014</a>" in page
    terms = set(re.findall(r'class="term" href="#([^"]+)"', page))
    assert terms
    for term in terms:
        assert re.search(rf'<dt>\w.*</dt>\n<dd id="{term}">\w.*\.</dd>', page)


def test_words_of_the_user_stay_words():
    evil = '<script>alert("x")</script>'
    page = rendered(study(), title=evil, authors=(evil,))
    assert evil not in page
    assert page.count("<script") == 3  # the record and ours
    assert "&lt;script&gt;" in page


def test_without_a_pdf_the_page_links_none():
    assert 'href="report.pdf"' in rendered(study(), with_pdf=True)
    assert "report.pdf" not in rendered(study(), with_pdf=False)


def test_a_figure_comes_with_its_caption_its_data_and_its_number():
    page = rendered(study(), figures=[FIGURE])
    assert "<svg></svg>" in page
    assert "Figure S7." in page
    assert "Loss &amp; accuracy." in page
    assert 'href="data/curves-vgg16.csv"' in page


def test_a_figure_says_what_it_was_made_from_and_how_to_make_it_again():
    text = text_of(rendered(study(), figures=[FIGURE]))
    assert "snakemake --cores all results/figures/curves-vgg16.svg" in text
    assert "Parameters: kind: curves, model: vgg16." in text
    assert f"inputs {'1' * 10} , code {'2' * 10} , table {DIGEST[:10]}" in text
    assert "Parameters:" not in text_of(rendered(study(), figures=[FIGURE], medium="print"))


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=list(OUTCOMES))
def test_besides_figures_and_data_a_page_is_small(outcome):
    page = rendered(study(**outcome), figures=[FIGURE])
    sizes = parts(page)
    assert sum(sizes.values()) == len(page.encode())
    assert all(sizes.values())
    assert sum(sizes[name] for name in OVERHEAD) < 60_000


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        ({}, "Commit c0ffee.* of 2026-01-31, with nothing changed in what decides a report"),
        ({"state": "changed"}, "Not a commit: files .* were changed after c0ffee.* of 2026-01-31"),
        (
            {"state": "unknown"},
            "from an archive: whether anything was changed since cannot be told",
        ),
        ({"commit": None, "date": None, "state": "unknown"}, "No commit is known"),
    ],
)
def test_the_report_says_which_commit_it_is_of(revision, sentence):
    record = record_of()
    record["revision"] |= revision
    for medium in ("screen", "print"):
        assert re.search(sentence, text_of(rendered(study(), record=record, medium=medium)))


def test_every_run_is_listed_with_losses_and_weights():
    text = text_of(rendered(study()))
    assert f"vgg16/scratch/unit/seed0 ok 0.250 0.500 75.0% {'1' * 10} none" in text
    assert "Runs were trained with python 3.11.0, torch 2.14.1." in text
    assert "The code of training has changed" not in text


def test_runs_of_older_code_are_counted():
    record = record_of()
    record["runs"][0]["older_code"] = True
    text = text_of(rendered(study(), record=record))
    assert "The code of training has changed since 1 of 1 runs were trained" in text


def test_the_record_is_a_data_block_that_no_text_can_leave():
    evil = '</script><b id="x">&amp;\u003c'
    record = record_of(config={"report": {"title": evil}})
    page = rendered(study(), record=record)
    assert "<b id" not in page
    assert read_embedded_record(page, where="page").model_dump(mode="json") == record
    assert 'id="record"' not in rendered(study(), record=record, medium="print")


def test_settings_are_listed_without_those_that_are_not_used():
    settings = FigureSettings(kind="inputs", normalizations=("raw", "unit"), density_epoch=0)
    assert parameters(settings) == "density_epoch: 0, kind: inputs, normalizations: raw unit"


def test_a_mistake_in_a_template_names_file_and_line(tmp_path):
    (tmp_path / "article.html.j2").write_text("line\n{% if %}\n")
    with pytest.raises(ConfigError, match=r"article\.html\.j2, line 2"):
        rendered(study(), templates=[tmp_path])


def test_a_name_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "article.html.j2").write_text("{{ results.verdicts }}")
    with pytest.raises(ConfigError, match="verdicts"):
        rendered(study(), templates=[tmp_path])


def test_own_words_take_the_place_of_ours():
    page = rendered(study(), abstract="First <b>.\n\nSecond.", introduction="Why.")
    abstract = page.split('<section id="abstract">')[1].split('<p class="lead">')[0]
    assert text_of(abstract).split() == ["First", "&lt;b&gt;.", "Second."]
    question = page.split('<section id="question">')[1].split("</section>")[0]
    assert text_of(question).split()[-1:] == ["Why."]


def test_the_accent_has_a_counterpart_in_the_dark():
    page = rendered(study(), accent="#aa0011")
    assert f":root {{ --accent: light-dark(#aa0011, {darken('#aa0011')}); }}" in page


def test_a_file_of_ones_own_folder_replaces_ours_of_the_same_name(tmp_path):
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections" / "question.html.j2").write_text('<p id="question">Mine.</p>')
    (tmp_path / "print.css").write_text("p { color: teal }")
    page = rendered(study(), medium="print", templates=[tmp_path, TEMPLATES])
    assert "Mine." in page
    assert "p{color:teal}" in page
    assert 'id="methods"' in page


def test_a_folder_of_templates_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"mine: expected a folder of templates .*found nothing"):
        rendered(study(), templates=[tmp_path / "mine", TEMPLATES])


def test_a_design_with_holes_is_told():
    whole = study()
    sparse = with_holes(
        whole,
        lambda model, start, arm, seed: (
            (arm != "raw" or seed < 2) and (model, start) != ("vgg16", "pretrained")
        ),
    )
    changed = {
        "experiment": sparse.settings.model_dump(mode="json"),
        "headline": headline(sparse).model_dump(mode="json"),
    }
    page = rendered(sparse, results=results_of(whole) | changed)
    text = text_of(page)
    assert "The answers above rest on" in text
    assert "24 of the 36 combinations were planned, with 2 to 3 seeds each" in text
    assert "combinations were planned" not in text_of(rendered(whole))


@pytest.mark.parametrize(
    ("text", "attribute"),
    [("A title", ""), ("על נרמול", ' dir="rtl"'), ("2 × «تطبيع» a", ' dir="rtl"'), ("日本 א", ""),
     ("12 …", "")],
)  # fmt: skip
def test_a_text_from_right_to_left_is_set_as_such(text, attribute):
    own = {"title": text, "abstract": text, "introduction": text, "authors": (text,)}
    for medium in ("screen", "print"):
        page = rendered(study(), medium=medium, **own)
        for element in (f"<h1{attribute}>{text}", f'<p class="authors"{attribute}>{text}'):
            assert element in page
        assert page.count(f"<p{attribute}>{text}</p>") == 2
