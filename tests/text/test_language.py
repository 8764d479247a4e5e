"""Catalogues: what they translate, what they lack, and which of them are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from itertools import product
from pathlib import Path
from string import ascii_letters
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import write_po
from jinja2 import Environment
from jinja2.nodes import TemplateData

from normreport.config.report import FigureSettings
from normreport.errors import ConfigError
from normreport.statistics.verdict import Verdict
from normreport.text.language import (
    MESSAGES,
    find_catalogue,
    gettext,
    language_tag,
    ngettext,
    read_catalogue,
    script_messages,
    set_language,
    untranslated,
)
from tests.articles import (
    DIGEST,
    FIGURE,
    OUTCOMES,
    PUBLISHED,
    record_of,
    rendered,
    rendered_pages,
    results_of,
    results_with,
)
from tests.claims.studies import study

HEADER = """msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""
GERMAN = """
msgid "weight"
msgstr "Gewicht"

msgid "%(arm)s in 95%% of %(layer)s"
msgstr "%(layer)s, %(arm)s: 95%% davon"

msgid "%(num)s seed"
msgid_plural "%(num)s seeds"
msgstr[0] "%(num)s Startwert"
msgstr[1] "%(num)s Startwerte"

#, fuzzy
msgid "epoch"
msgstr "Epoche?"

msgid "Not %(this)s."
msgstr ""
"""
CONTROLS = ("scratch_uniform", "scratch_laplace", "scratch_head", "pretrained_head")
Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    """Write a catalogue; speak English again in the end."""

    def write(messages: str, name: str = "de", header: str = HEADER) -> Path:
        path = tmp_path / f"{name}.po"
        path.write_text(header + messages, encoding="utf-8")
        return path

    yield write
    set_language(None)


def test_english_is_spoken_without_a_catalogue() -> None:
    assert language_tag() == "en"
    assert gettext("%(arm)s in 95%% of %(layer)s", arm="raw", layer="x") == "raw in 95% of x"
    assert ngettext("%(num)s seed", "%(num)s seeds", 1) == "1 seed"
    assert ngettext("%(num)s seed", "%(num)s seeds", 1200) == "1,200 seeds"
    assert script_messages('_("weight")') == {}


def test_a_catalogue_is_spoken_and_what_it_lacks_is_english(written: Written) -> None:
    set_language(written(GERMAN))
    assert language_tag() == "de"
    assert gettext("weight") == "Gewicht"
    assert gettext("%(arm)s in 95%% of %(layer)s", arm="raw", layer="x") == "x, raw: 95% davon"
    assert [ngettext("%(num)s seed", "%(num)s seeds", n) for n in (1, 3)] == [
        "1 Startwert",
        "3 Startwerte",
    ]
    assert [gettext("epoch"), gettext("Not %(this)s.", this="that")] == ["epoch", "Not that."]


def test_a_script_gets_only_its_own_messages(written: Written) -> None:
    set_language(written(GERMAN))
    script = 'const x = _("weight"); const y = `${_("epoch")}`; unrelated("density");'
    assert script_messages(script) == {"weight": "Gewicht"}


def test_a_language_is_named_as_html_does(written: Written) -> None:
    set_language(written(GERMAN, "pt_BR"))
    assert language_tag() == "pt-BR"


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('msgid "%(layer)s is wide"\nmsgstr "%(Schicht)s ist breit"', "Schicht"),
        ('msgid "%(layer)s of 5%%"\nmsgstr "%(layer)s von 5%"', "percent"),
        ('msgid "%(layer)s is wide"\nmsgstr "%s ist breit"', "%s ist breit"),
        (
            'msgid "%(num)s run"\nmsgid_plural "%(num)s runs"\n'
            'msgstr[0] "%(num)s Lauf"\nmsgstr[1] "%(nun)s Läufe"',
            "nun",
        ),
    ],
)
def test_a_translation_that_cannot_be_filled_is_named(
    written: Written, message: str, found: str
) -> None:
    path = written("\n" + message + "\n")
    with pytest.raises(ConfigError, match=rf"{re.escape(str(path))}: line \d+: .*{found}"):
        set_language(path)
    assert language_tag() == "en"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"no catalogue at all\n", b'msgid "a\n'])
def test_what_is_no_catalogue_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "de.po"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="could not be read"):
        read_catalogue(path)


def test_a_catalogue_is_taken_from_the_first_folder_that_has_it(tmp_path: Path) -> None:
    own, ours = folders = [tmp_path / "own", tmp_path / "ours"]
    for folder in folders:
        (folder / "languages").mkdir(parents=True)
    (ours / "languages/de.po").touch()
    assert find_catalogue("de", folders) == ours / "languages/de.po"
    (own / "languages/de.po").touch()
    assert find_catalogue("de", folders) == own / "languages/de.po"
    assert find_catalogue("en", folders) is None
    with pytest.raises(ConfigError, match=r"report\.language: fr: .*own.*ours"):
        find_catalogue("fr", folders)


def test_what_is_not_translated_is_listed(written: Written) -> None:
    messages = written(GERMAN + '\nmsgid "new"\nmsgstr ""\n', "messages", header="")
    lacking = untranslated(read_catalogue(written(GERMAN)), read_catalogue(messages))
    assert lacking == ["epoch", "Not %(this)s.", "new"]


@pytest.fixture
def collected(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Collect the messages as ``make messages`` does."""
    monkeypatch.chdir(root)
    made = next(line for line in (root / "Makefile").read_text().split("\n\n") if "pybabel" in line)
    command = made.split("pybabel", 1)[1].replace("\\\n", " ").split()
    command[command.index("--output-file") + 1] = str(tmp_path / "messages.pot")
    CommandLineInterface().run(["pybabel", *command])
    return tmp_path / "messages.pot"


def test_the_collected_messages_are_fresh(root: Path, collected: Path) -> None:
    assert (root / "templates" / MESSAGES).read_text() == collected.read_text(), (
        "the report says something else now; repair: make messages"
    )


# Full-width letters: a reader knows the words, and what was not translated stands out.
WIDE = str.maketrans({letter: chr(ord(letter) + 0xFEE0) for letter in ascii_letters})
# What a page has besides messages: code, drawings, and what the references are called.
NO_PROSE = r'<(head|script|svg|code|pre)\b.*?</\1>|<ul class="references">.*?</ul>'
ATTRIBUTES = r' (?:aria-label|title|alt|data-hint)="([^"]*)"'
# Claims and predictions; layers and files; names.
NAMES = r"""\b(?:[CFHP]\d+b?|features[.\w]+|[\w-]+\.(?:csv|json)|python|torch|target
  |VGG16(?:-BN)?|MobileNetV2|vgg16(?:_bn)?|raw|unit|imagenet|placebo|pretrained|scratch\w*
  |mobilenet_v2|adam|plateau|Kingma|Ba|Ioffe|Szegedy|Holm|Anderson|ter\ Braak|A\ title|PDF
  |S\d+)\b"""


def widened(message: str) -> str:
    """Write a message in full-width letters, but for its values and tags."""
    parts = re.split(r"(%\(\w+\)s|<[^>]*>)", message)
    return "".join(part if index % 2 else part.translate(WIDE) for index, part in enumerate(parts))


@pytest.fixture
def foreign(collected: Path, tmp_path: Path) -> Iterator[None]:
    """Speak a language that has every message, in letters that no name has."""
    catalogue = Catalog(locale="de")
    for message in read_catalogue(collected):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        forms = tuple(widened(str(text)) for text in ids)
        catalogue.add(message.id, forms if len(forms) > 1 else forms[0])
    path = tmp_path / "de.po"
    with path.open("wb") as stream:
        write_po(stream, catalogue)
    set_language(path)
    yield
    set_language(None)


def english(page: str) -> list[str]:
    """Words that a reader of the page sees or hears in ordinary letters and that name nothing."""
    page = re.sub(NO_PROSE, " ", page, flags=re.S)
    text = " ".join([re.sub(r"<[^>]*>", " ", page), *re.findall(ATTRIBUTES, page)])
    return re.findall(r"[A-Za-z]+", re.sub(NAMES, " ", unescape(text), flags=re.X))


def test_every_word_of_the_templates_is_within_a_message(root: Path) -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"])
    for path in (root / "templates").rglob("*.j2"):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        assert english("_".join(node.data for node in tree.find_all(TemplateData))) == [], path


@pytest.mark.usefixtures("foreign")
def test_every_word_of_the_article_is_a_message() -> None:
    no_words: dict[str, Any] = {}  # the page shows the settings of a figure
    figures = [
        replace(
            FIGURE,
            caption="…",
            method="…",
            made_from=FIGURE.made_from.model_copy(
                update={"settings": FigureSettings.model_construct(**no_words)}
            ),
        )
    ]
    for medium, outcome in product(("screen", "print"), OUTCOMES.values()):
        assert english(rendered(study(**outcome), medium=medium, figures=figures)) == []
    for verdict in Verdict:
        assert english(rendered(study(), results=results_with(verdict.value))) == []


@pytest.mark.usefixtures("foreign")
def test_every_word_of_a_large_report_is_a_message() -> None:
    settings = FigureSettings.model_construct(**dict[str, Any]())
    made_from = FIGURE.made_from.model_copy(update={"settings": settings})
    shown = replace(FIGURE, caption="…", method="…", made_from=made_from)
    figures = [replace(shown, number="1"), replace(shown, id="other", page="supplement/vgg16.html")]
    results = results_of(study())
    results["headline"]["layers"] *= 100
    for claim in results["claims"]:
        claim["cases"] *= 201
    for medium in ("screen", "print"):
        pages = rendered_pages(study(), medium=medium, figures=figures, results=results)
        assert [english(page) for page in pages.values()] == [[]] * len(pages)


@pytest.mark.usefixtures("foreign")
def test_every_word_of_an_article_on_what_went_wrong_is_a_message() -> None:
    results = results_of(study(starts=("scratch", "pretrained", *CONTROLS)))
    results["experiment"]["pretraining"] = None
    fetched = {"kind": "fetched", "weights": "…", "file": DIGEST}
    results["pretraining"] = [
        {
            "model": "vgg16",
            **fetched,
            "preprocessing": None,
            "unwrapping": None,
            "other_arms": None,
        },
        {
            "model": "mobilenet_v2",
            **fetched,
            "preprocessing": PUBLISHED,
            "unwrapping": None,
            "other_arms": [],
        },
    ]
    first, second, *_ = results["headline"]["layers"]
    first["weights"] = second["std_last"] = None
    results["headline"]["runs"] |= {"failed": 1, "diverged": 1, "learned": 30}
    results["data"]["skipped"] = [{"split": "train", "image": "…", "why": "…"}] * 21
    rare = {"name": "…", "train": 0, "heldout": 0}
    results["data"]["images_per_class"] = [rare] * 21
    results["data"]["unused"] = [{"name": name, "count": 1} for name in ["", *"…" * 20]]
    failure = {"model": "vgg16", "start": "scratch", "normalization": "raw", "seed": 0}
    failure |= {"id": "vgg16/scratch/raw/seed0", "what": "…", "log": ""}
    record = record_of(trained_with=[{"python": "3.11.0"}, {"python": "3.12.0"}])
    record["runs"][0] |= {"state": "DIVERGED", "older_code": True}
    for commit, state in ((None, "unknown"), ("c0ffee", "unknown"), ("c0ffee", "changed")):
        record["revision"] |= {"commit": commit, "state": state}
        page = rendered(study(), results=results, record=record, failures=[failure] * 21)
        assert english(page) == []


def test_an_english_word_is_found_wherever_it_stands() -> None:
    page = '<p title="one">raw two <code>no</code> &lt;three F4b features.0.0 runs.csv</p>'
    assert english(page) == ["two", "three", "one"]
