"""The article: templates, and the only ways in which a number reaches its prose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from normreport.errors import ConfigError
from normreport.labels import model_label, source_label, start_label
from normreport.settings.report import RenderSettings

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


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
    templates: Path,
    *,
    results: Mapping[str, Any],
    record: Mapping[str, Any],
    figures: Sequence[Illustration],
    settings: RenderSettings,
    medium: str,
) -> str:
    """Fill the templates.

    Parameters
    ----------
    templates
        The folder with ``article.html.j2``.
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

    Returns
    -------
    str
        One HTML page.

    Raises
    ------
    ConfigError
        If a template is missing, has a mistake in its syntax or uses a name that is not there.
    """
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "num": num,
        "pct": pct,
        "integer": integer,
        "model": model_label,
        "start": start_label,
        "listing": listing,
        "short": short,
        "parameters": parameters,
        "images": source_label,
        "source": lambda name: Markup((templates / name).read_text(encoding="utf-8")),
    }
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    environment.tests["missing"] = lambda value: value is None
    try:
        page = environment.get_template("article.html.j2").render(
            results=results,
            record=record,
            claims={claim["id"]: claim for claim in results["claims"]},
            figures=figures,
            settings=settings,
            medium=medium,
        )
    except TemplateError as error:
        where = getattr(error, "filename", None) or templates
        number = getattr(error, "lineno", None)
        line = f", line {number}" if number else ""
        raise ConfigError(f"{where}{line}: {error}. Mend the template.") from error
    return page.rstrip() + "\n"


def num(value: float | None, digits: int = 3) -> str:
    """Write a number with three significant digits: 0.0123, 1,230, 1.20 × 10⁻⁵."""
    if value is None:
        return "not available"
    if value == 0:
        return "0"
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    exponent = int(power)  # after rounding: 0.9996 is 1.00
    if -4 <= exponent < 6:
        rounded = round(value, digits - 1 - exponent)
        text = f"{rounded:,.{max(0, digits - 1 - exponent)}f}"
    else:
        text = f"{mantissa} × 10{str(int(power)).translate(SUPERSCRIPTS)}"
    return text.replace("-", "−")


def pct(value: float | None, digits: int = 2) -> str:
    """Write a share as a percentage with two significant digits: 0.0123 is 1.2%."""
    if value is None:
        return "not available"
    return num(100 * value, digits) + "%"


def integer(value: float) -> str:
    """Write a whole number with thousands separators."""
    return f"{round(value):,}".replace("-", "−")


def listing(values: Sequence[Any]) -> str:
    """Write ``a``, ``a and b`` or ``a, b and c``."""
    texts = [str(value) for value in values]
    if len(texts) < 2:
        return "".join(texts)
    return ", ".join(texts[:-1]) + " and " + texts[-1]


def short(digest: str | None) -> str:
    """Write the beginning of a digest, enough to tell two apart by eye."""
    return digest[:10] if digest else "none"


def parameters(settings: Mapping[str, Any]) -> str:
    """Write settings as ``kind: density, model: vgg16``; what a stage does not use is left out."""
    return ", ".join(
        f"{key}: {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in settings.items()
        if value not in (None, [])
    )
