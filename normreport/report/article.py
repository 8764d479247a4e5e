"""Fill the article's templates; numbers reach the prose only through the filters here."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup
from rcssmin import cssmin
from rjsmin import jsmin

from normreport.config.figure_kinds import MOST_LAYERS
from normreport.config.figure_words import SUPPLEMENT, FigureWords, MadeFrom
from normreport.config.pages import ARTICLE
from normreport.config.report import FigureSettings, RenderSettings
from normreport.config.results import Results
from normreport.errors import ConfigError
from normreport.provenance.record import Record
from normreport.report.answer import answer
from normreport.report.dark_mode import color_rules, darken
from normreport.report.forest import make_forest
from normreport.report.markdown import render_texts
from normreport.report.references import bibtex, link, short
from normreport.report.scorecard import make_scorecard
from normreport.report.user_files import check_templates
from normreport.text.effects import format_effect, format_interval, format_margin
from normreport.text.formatting import format_integer, format_number, format_percent, join_with_and
from normreport.text.labels import (
    arm_description,
    describe_inputs,
    figure_label,
    kind_label,
    model_label,
    source_label,
    start_label,
    verdict_label,
)
from normreport.text.language import gettext, language_tag, script_messages, translations

# What the user's own texts can write numbers and names with.
FILTERS_OF_TEXTS = ("num", "pct", "integer", "shown", "margin", "model", "start", "arm", "verdict",
                    "listing", "images")  # fmt: skip
# Longer tables end with a sentence that says where all rows are.
MOST_ROWS = 500
# Comments and spaces help the editor of a template, not the reader of the page.
MINIFY: Mapping[str, Callable[[str], str]] = {".css": cssmin, ".js": jsmin}


@dataclass(frozen=True)
class Illustration:
    """A finished figure: its drawing, its words, and what it was made from."""

    id: str
    number: str
    kind: str
    model: str | None
    start: str | None
    layer: str | None
    caption: str
    method: str
    alt: str
    svg: Markup
    made_from: MadeFrom
    """Settings, and digests of inputs and code."""
    page: str = ARTICLE
    """The page that shows it, by its path in the report's folder."""

    @property
    def in_article(self) -> bool:
        """Whether the article itself shows it, not the supplement."""
        return not self.number.startswith(SUPPLEMENT)

    @classmethod
    def from_words(cls, words: FigureWords, *, number: str, page: str, svg: Markup) -> Self:
        """Join a figure's words with its number, its page and its drawing."""
        return cls(
            id=words.id,
            number=number,
            kind=words.kind,
            model=words.model,
            start=words.start,
            layer=words.layer,
            caption=words.caption,
            method=words.method,
            alt=words.alt,
            svg=svg,
            made_from=words.made_from,
            page=page,
        )


@dataclass(frozen=True)
class SupplementPage:
    """A page of the supplement.

    Attributes
    ----------
    path
        Its path in the report's folder.
    model, layer
        What all its figures show; the layer is None if they show several.
    """

    path: str
    model: str | None
    layer: str | None

    @property
    def title(self) -> str:
        """Its title: ``VGG16, features.0``."""
        return ", ".join([model_label(self.model or ""), self.layer or gettext("whole network")])


def render(
    templates: Sequence[Path],
    *,
    results: Results,
    record: Record,
    figures: Sequence[Illustration],
    settings: RenderSettings,
    medium: str,
    logo: str | None = None,
) -> dict[str, str]:
    """Fill the templates.

    Parameters
    ----------
    templates
        The folders of the templates. A template comes from the first folder that has it.
    results
        The results; templates see the JSON of ``results.json``.
    record
        The record; templates see the JSON of ``provenance.json``.
    figures
        The figures, in the order of their numbers.
    settings
        Title, authors and the other settings of the article.
    medium
        ``screen``, or ``print`` for the article alone.
    logo
        The logo as a ``data:`` URI.

    Returns
    -------
    dict of str
        The HTML pages, by their paths in the report's folder: the article and, if figures are on
        other pages, those of the supplement.

    Raises
    ------
    ConfigError
        If a folder or a template is missing, or a template has a syntax error or an undefined
        name.
    """
    for folder in templates:
        check_templates(folder)
    loader = FileSystemLoader(templates)
    environment = Environment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(translations(), newstyle=True)  # type: ignore[attr-defined]

    def source(name: str) -> Markup:
        text, _, _ = loader.get_source(environment, name)
        return Markup(MINIFY.get(PurePath(name).suffix, str)(text))

    own_arms = results.experiment.arms
    environment.filters |= {
        "num": format_number,
        "pct": format_percent,
        "effect": write_effect,
        "shown": format_effect,
        "margin": lambda claim: format_margin(claim["margin"], claim["shown"]),
        "integer": format_integer,
        "model": model_label,
        "start": start_label,
        "arm": lambda arm: own_arms[arm].text if arm in own_arms else arm_description(arm),
        "inputs": describe_inputs,
        "figure": figure_label,
        "verdict": verdict_label,
        "kind": kind_label,
        "listing": join_with_and,
        "abbreviated": abbreviated,
        "parameters": parameters,
        "images": source_label,
        "source": source,
        "csp_hash": csp_hash,
        "script_messages": lambda name: script_messages(loader.get_source(environment, name)[0]),
        "dark": darken,
        "paragraphs": lambda text: re.split(r"\n\s*\n", text.strip()),
        "dir": dir_attribute,
        "color_rules": color_rules,
        "figures_for": figures_for,
        "root": lambda page: "../" * page.count("/"),
        "bibtex": bibtex,
        "link": link,
        "short": short,
    }
    environment.globals["data"] = lambda name: json.loads(source(name))
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    values = results.model_dump(mode="json")
    of_id = {claim["id"]: claim for claim in values["claims"]}
    texts = render_texts(
        settings.texts,
        {"results": values, "claims": of_id},
        {name: environment.filters[name] for name in FILTERS_OF_TEXTS},
    )
    models = results.experiment.models
    # By network, first the page of the whole network.
    elsewhere = sorted(
        (figure for figure in figures if figure.page != ARTICLE),
        key=lambda figure: (models.index(figure.model or ""), figure.layer is not None),
    )
    supplement = {
        figure.page: SupplementPage(figure.page, figure.model, figure.layer) for figure in elsewhere
    }
    context = {
        "results": values,
        "answer": answer(results),
        "texts": texts,
        "record": record.model_dump(mode="json"),
        "claims": of_id,
        "figures": figures,
        "supplement": list(supplement.values()),
        "forests": {claim.id: make_forest(claim, medium) for claim in results.claims},
        "scorecard": make_scorecard(results.claims, models, medium),
        "settings": settings,
        "medium": medium,
        "logo": logo,
        "language": language_tag(),
        "most_rows": MOST_ROWS,
        "citation": {
            "id": "normreport",
            "type": "report",
            "title": settings.title,
            "author": [{"literal": name} for name in settings.authors],
            "version": version("normreport"),
        },
    }
    pages = {ARTICLE: "article.html.j2"}
    if medium == "screen":
        pages |= dict.fromkeys(supplement, "supplement.html.j2")
    try:
        return {
            page: environment.get_template(template).render(
                context, page=page, about=supplement.get(page)
            ).rstrip() + "\n"
            for page, template in pages.items()
        }  # fmt: skip
    except TemplateError as error:
        where = getattr(error, "filename", None) or ", ".join(map(str, templates))
        at = getattr(error, "lineno", None)
        line = f", line {at}" if at else ""
        raise ConfigError(f"{where}{line}: {error}. Correct the template.") from error


def figures_for(claim: Mapping[str, Any], figures: Sequence[Illustration]) -> list[Illustration]:
    """List the figures that show the evidence of a claim at its deciding case.

    If the deciding layer has no figure, or the case is about a whole network, list the figures of
    its first layers.
    """
    if not claim["least_favourable"]:
        return []
    place = claim["least_favourable"]["place"]
    of_the_place = [
        figure
        for figure in figures
        if figure.kind in claim["figures"]
        and figure.model in (None, *place["models"])
        and figure.start in (None, *place["starts"])
    ]
    of_the_layer = [figure for figure in of_the_place if figure.layer in (None, *place["layers"])]
    if place["layers"] and of_the_layer:
        return of_the_layer
    subjects = [(figure.kind, figure.model, figure.start) for figure in of_the_place]
    return [
        figure
        for number, figure in enumerate(of_the_place)
        if subjects[:number].count(subjects[number]) < MOST_LAYERS
    ]


def write_effect(effect: Mapping[str, Any], shown: str) -> str:
    """Write an effect with its interval; an exact value and a single seed have none."""
    if effect["level"] == 1:
        return format_effect(effect["mean"], shown)
    return format_interval(effect["mean"], effect["low"], effect["high"], shown)


def csp_hash(script: str) -> str:
    """Hash a script for a Content-Security-Policy that allows only this script."""
    digest = hashlib.sha256(script.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def abbreviated(digest: str | None) -> str:
    """Shorten a digest to a prefix that distinguishes two by eye."""
    return digest[:10] if digest else gettext("none")


def parameters(settings: FigureSettings) -> str:
    """Write settings as ``kind: density, model: vgg16``, without those that are not set."""
    return ", ".join(
        f"{key}: {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in sorted(settings.model_dump(mode="json").items())
        if value not in (None, [], {}) and key != "looks"
    )


def dir_attribute(text: str) -> str:
    """Return the attribute of an element with a right-to-left text; "" for other texts.

    The first letter with a direction decides, as for ``dir="auto"``, which WeasyPrint ignores.
    """
    kinds = map(unicodedata.bidirectional, text)
    first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
    return "" if first == "L" else Markup(' dir="rtl"')
