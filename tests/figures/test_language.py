"""Figures in another language: none of their words stays English."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from normreport.figures.drawing import Drawing
from normreport.figures.svg import to_svg
from normreport.text.language import set_language
from tests.figures import synthetic
from tests.figures.cases import CASES, KINDS, SVG

PACKAGE = Path(__file__).parents[2] / "normreport"
KEYWORDS = {"gettext": None, "N_": None, "ngettext": (1, 2)}
ACCENTS = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ÁɃĆĎÉƑǴĤÍĴḰĹḾŃÓṔɊŔŚŤÚṼẂẊÝŹáƀćďéƒǵĥíĵḱĺḿńóṕɋŕśťúṽẃẋýź",
)
# What is called so in every language: models, layers, arms, pipelines, classes and an axis's ends.
NAMES = (
    r"\b(VGG16|MobileNetV2|features(\.\w+)+|raw|unit|imagenet|placebo|double|minmax|standardize|dataset|"
    r"std_only|mean_only|clahe|gamma|none|min/max|mean/std|zero|one|two|published_\w+|px|W1)\b"
    r"|\w*\u2026[\w.]*"  # a name that was shortened
)


def pseudo(folder: Path) -> None:
    """Speak English with an accent, and a third longer: every message of the package."""

    def accented(message: str) -> str:
        parts = re.split(r"(%\(\w+\)s|\{\w+\})", message)
        parts[::2] = [
            re.sub(r"[A-Za-z]+", lambda word: word[0] + "e" * (len(word[0]) // 3), part)
            for part in parts[::2]
        ]
        parts[::2] = [part.translate(ACCENTS) for part in parts[::2]]
        return "".join(parts)

    catalogue = Catalog(locale="de")
    for _, _, message, _, _ in extract_from_dir(PACKAGE, keywords=KEYWORDS):
        written = tuple(map(accented, [message] if isinstance(message, str) else message))
        catalogue.add(message, written[0] if isinstance(message, str) else written)
    path = folder / "xx.po"
    with path.open("wb") as stream:
        write_po(stream, catalogue)
    set_language(path)


# The experiments whose figures say different things.
SAYING = (
    "a design with holes",
    "normal",
    "one diverged run",
    "an arm that diverged at once",
    "every run of a start diverged",
    "a start is missing",
    "one run",
    "only epoch 0",
    "many arms of many seeds",
)


@pytest.fixture(
    scope="module",
    params=SAYING,
    ids=lambda case: case.replace(" ", "-"),
)
def gallery(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Drawing]]:
    """Draw every kind in that language."""
    pseudo(tmp_path_factory.mktemp("languages"))
    yield synthetic.drawings(CASES[request.param]())
    set_language(None)


@pytest.mark.parametrize("kind", KINDS)
def test_no_word_of_a_figure_stays_english(kind: str, gallery: dict[str, Drawing]) -> None:
    drawing = gallery[kind]
    root = ElementTree.fromstring(to_svg(drawing, "fig"))
    known = json.loads(root.findtext(f"{SVG}metadata") or "{}")
    texts = [drawing.caption, drawing.alt, root.findtext(f"{SVG}title") or ""]
    texts += ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    texts += [panel["title"] for panel in known.get("panels", [])]
    texts += [panel[axis]["name"] for panel in known.get("panels", []) for axis in "xy"]
    texts += [mark.get("data-line", "") for mark in root.iter(f"{SVG}g")]
    texts += [(known.get("cells") or {}).get("name", "")]
    texts += [(known.get("frames") or {}).get("title", "").replace("{epoch}", "")]
    english = {
        text
        for text in texts
        if re.search(r"[A-Za-z]{2}", re.sub(rf"\w*\u2026[\w.]*|{NAMES}", "", text))
    }
    assert english == set()
