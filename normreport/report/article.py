"""The article: templates, and the only ways in which a number reaches its prose."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup
from rcssmin import cssmin
from rjsmin import jsmin

from normreport.config.report import RenderSettings
from normreport.config.results import Results
from normreport.errors import ConfigError
from normreport.report.dark_mode import color_rules, dark
from normreport.report.references import bibtex, link, short
from normreport.report.user_files import check_templates
from normreport.text.formatting import integer, listing, number, percent
from normreport.text.labels import (
    kind_label,
    model_label,
    source_label,
    start_label,
    verdict_label,
)
from normreport.text.language import gettext, language_tag, script_messages, translations

# Comments and spaces are for those who edit a template, not for those who read the page.
MINIFY: Mapping[str, Callable[[str], str]] = {".css": cssmin, ".js": jsmin}


@dataclass(frozen=True)
class Illustration:
    """A finished figure: its picture, its words, and what it was made from."""

    id: str
    number: int
    kind: str
    model: str | None
    start: str | None
    layer: str | None
    caption: str
    alt: str
    svg: Markup
    made_from: Mapping[str, Any]
    """Its settings, and digests of its inputs and its code."""


def render(
    templates: Sequence[Path],
    *,
    results: Results,
    record: Mapping[str, Any],
    figures: Sequence[Illustration],
    settings: RenderSettings,
    medium: str,
    logo: str | None = None,
) -> str:
    """Fill the templates.

    Parameters
    ----------
    templates
        The folders of the templates; what the first one lacks is taken from the next.
    results
        What ``judge_claims`` wrote.
    record
        What ``record_provenance`` wrote.
    figures
        In the order of their numbers.
    settings
        Title, authors, whether there is a PDF.
    medium
        ``screen`` or ``print``.
    logo
        A picture as a ``data:`` URI.

    Returns
    -------
    str
        One HTML page.

    Raises
    ------
    ConfigError
        If a folder or a template is missing, has a mistake in its syntax or uses a name that is
        not there.
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

    environment.filters |= {
        "num": number,
        "pct": percent,
        "integer": integer,
        "model": model_label,
        "start": start_label,
        "verdict": verdict_label,
        "kind": kind_label,
        "listing": listing,
        "abbreviated": abbreviated,
        "parameters": parameters,
        "images": source_label,
        "source": source,
        "csp_hash": csp_hash,
        "script_messages": lambda name: script_messages(loader.get_source(environment, name)[0]),
        "dark": dark,
        "paragraphs": lambda text: re.split(r"\n\s*\n", text.strip()),
        "color_rules": color_rules,
        "figures_for": figures_for,
        "bibtex": bibtex,
        "link": link,
        "short": short,
    }
    environment.globals["data"] = lambda name: json.loads(source(name))
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    values = results.model_dump(mode="json")
    try:
        page = environment.get_template("article.html.j2").render(
            results=values,
            record=record,
            claims={claim["id"]: claim for claim in values["claims"]},
            figures=figures,
            settings=settings,
            medium=medium,
            logo=logo,
            language=language_tag(),
            citation={
                "id": "normreport",
                "type": "report",
                "title": settings.title,
                "author": [{"literal": name} for name in settings.authors],
                "version": version("normreport"),
            },
        )
    except TemplateError as error:
        where = getattr(error, "filename", None) or ", ".join(map(str, templates))
        at = getattr(error, "lineno", None)
        line = f", line {at}" if at else ""
        raise ConfigError(f"{where}{line}: {error}. Mend the template.") from error
    return page.rstrip() + "\n"


def figures_for(claim: Mapping[str, Any], figures: Sequence[Illustration]) -> list[Illustration]:
    """List the figures that show the evidence of a claim at its deciding case.

    If the deciding layer has no figure, list the figures of the other layers.
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
    return of_the_layer or of_the_place


def csp_hash(script: str) -> str:
    """Name a script as a Content-Security-Policy does that lets only this one run."""
    digest = hashlib.sha256(script.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def abbreviated(digest: str | None) -> str:
    """Write the beginning of a digest, enough to tell two apart by eye."""
    return digest[:10] if digest else gettext("none")


def parameters(settings: Mapping[str, Any]) -> str:
    """Write settings as ``kind: density, model: vgg16``; what a stage does not use is left out."""
    return ", ".join(
        f"{key}: {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in settings.items()
        if value not in (None, [])
    )
