"""The user's own texts: Markdown, in which braces print results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt
from markupsafe import Markup

from normreport.config.report import Section
from normreport.errors import ConfigError
from normreport.report.user_files import read_text

# Sections of the article have headings of the second level.
HEADINGS_BELOW = 2


def render_texts(
    texts: Mapping[Section, str], values: Mapping[str, Any], filters: Mapping[str, Any]
) -> dict[Section, Markup]:
    """Render Markdown files as HTML, by section.

    HTML in them is escaped and pictures are not shown, because a page fetches nothing.

    Parameters
    ----------
    texts
        The path of each section's file.
    values, filters
        What expressions in braces can use.

    Raises
    ------
    ConfigError
        If a file cannot be read, or an expression is wrong.
    """
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    environment.filters |= filters
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return {
        section: _html(parser, _expand(environment, section, path, values))
        for section, path in texts.items()
    }


def _expand(
    environment: SandboxedEnvironment, section: str, path: str, values: Mapping[str, Any]
) -> str:
    try:
        return environment.from_string(read_text(section, path)).render(values)
    except TemplateSyntaxError as error:
        place = f"report.texts.{section}: {path}, line {error.lineno}"
        raise ConfigError(f"{place}: {error.message}") from error
    except (TemplateError, TypeError, ValueError, KeyError, ZeroDivisionError) as error:
        raise ConfigError(f"report.texts.{section}: {path}: {error}") from error


def _html(parser: MarkdownIt, text: str) -> Markup:
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + HEADINGS_BELOW)}"
    rendered: str = parser.renderer.render(tokens, parser.options, {})
    return Markup(rendered)
