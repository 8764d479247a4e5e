"""Catalogues: what they translate, what they lack, and which of them are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from babel.messages.frontend import CommandLineInterface

from normreport.errors import ConfigError
from normreport.language import (
    MESSAGES,
    find_catalogue,
    gettext,
    ngettext,
    read_catalogue,
    script_messages,
    speak,
    spoken,
    untranslated,
)

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
Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    """Write a catalogue; speak English again in the end."""

    def write(messages: str, name: str = "de", header: str = HEADER) -> Path:
        path = tmp_path / f"{name}.po"
        path.write_text(header + messages, encoding="utf-8")
        return path

    yield write
    speak(None)


def test_english_is_spoken_without_a_catalogue() -> None:
    assert spoken() == "en"
    assert gettext("%(arm)s in 95%% of %(layer)s", arm="raw", layer="x") == "raw in 95% of x"
    assert ngettext("%(num)s seed", "%(num)s seeds", 1) == "1 seed"
    assert ngettext("%(num)s seed", "%(num)s seeds", 1200) == "1,200 seeds"
    assert script_messages('_("weight")') == {}


def test_a_catalogue_is_spoken_and_what_it_lacks_is_english(written: Written) -> None:
    speak(written(GERMAN))
    assert spoken() == "de"
    assert gettext("weight") == "Gewicht"
    assert gettext("%(arm)s in 95%% of %(layer)s", arm="raw", layer="x") == "x, raw: 95% davon"
    assert [ngettext("%(num)s seed", "%(num)s seeds", n) for n in (1, 3)] == [
        "1 Startwert",
        "3 Startwerte",
    ]
    assert [gettext("epoch"), gettext("Not %(this)s.", this="that")] == ["epoch", "Not that."]


def test_a_script_gets_only_its_own_messages(written: Written) -> None:
    speak(written(GERMAN))
    script = 'const x = _("weight"); const y = `${_("epoch")}`; unrelated("density");'
    assert script_messages(script) == {"weight": "Gewicht"}


def test_a_language_is_named_as_html_does(written: Written) -> None:
    speak(written(GERMAN, "pt_BR"))
    assert spoken() == "pt-BR"


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
        speak(path)
    assert spoken() == "en"


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


def test_the_collected_messages_are_fresh(root: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(root)
    made = next(line for line in (root / "Makefile").read_text().split("\n\n") if "pybabel" in line)
    command = made.split("pybabel", 1)[1].replace("\\\n", " ").split()
    command[command.index("--output-file") + 1] = str(tmp_path / "messages.pot")
    CommandLineInterface().run(["pybabel", *command])
    assert (root / "templates" / MESSAGES).read_text() == (tmp_path / "messages.pot").read_text(), (
        "the report says something else now; repair: make messages"
    )
