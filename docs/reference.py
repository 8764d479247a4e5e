"""Sphinx extension: reference pages that are generated from the code.

A line ``<!-- generated: configuration -->`` in a page is replaced with Markdown that a function of
this module writes. Nothing here imports torch.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sphinx.application import Sphinx

from normreport import cli
from normreport.claims.registry import CLAIMS
from normreport.config import experiment
from normreport.config import results as results_file

MARKER = re.compile(r"<!-- generated: ([a-z ]+) -->")
Schema = Mapping[str, Any]


def configuration() -> str:
    """Describe every key of the configuration: type, default and meaning."""
    return _schema(experiment.schema())


def results() -> str:
    """Describe every key of results.json: type and meaning."""
    root = results_file.schema()
    return "\n".join([*_keys(root, root, defaults=False), _schema(root, defaults=False)])


def _schema(root: Schema, *, defaults: bool = True) -> str:
    groups = _groups(root)
    return "\n".join(
        line
        for name, paths in groups.items()
        for line in _group(root, name, paths, defaults=defaults)
    )


def _groups(root: Schema) -> dict[str, list[str]]:
    """Map the name of each group of keys to the places where it occurs, in the schema's order."""
    groups: dict[str, list[str]] = {}

    def visit(node: Schema, path: str) -> None:
        for key, value in node.get("properties", {}).items():
            place = f"{path}{key}"
            for name in _references(value):
                if "properties" not in root["$defs"][name]:
                    continue  # a list of words, which the type of the key shows
                at = place + {"object": ".<name>", "array": "[]"}.get(value.get("type"), "")
                places = groups.setdefault(name, [])
                if at not in places:
                    places.append(at)
                    visit(root["$defs"][name], f"{at}.")

    visit(root, "")
    return groups


def _references(node: Any) -> Iterator[str]:
    """Yield the names of the definitions that a key's schema refers to."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "$ref":
                yield value.rsplit("/", 1)[1]
            elif key != "discriminator":
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _group(root: Schema, name: str, paths: list[str], *, defaults: bool) -> Iterator[str]:
    node = root["$defs"][name]
    title = ", ".join(f"`{path}`" for path in paths)
    kind = node["properties"].get("kind", {}).get("const")
    yield f"### {title}" + (f" of kind `{kind}`" if kind else "")
    yield ""
    yield _one_line(node.get("description", ""))
    yield ""
    yield from _keys(root, node, defaults=defaults)


def _keys(root: Schema, node: Schema, *, defaults: bool) -> Iterator[str]:
    for key, value in node["properties"].items():
        details = [_type(root, value)]
        if defaults and key in node.get("required", ()):
            details.append("required")
        elif (
            defaults
        ):  # a default that is made anew for each group is not in the schema: it is empty
            details.append(f"default {_value(value.get('default', ''))}")
        yield f"`{key}`"
        yield f": *{'; '.join(details)}.* {_one_line(value.get('description', ''))}"
        yield ""


def _type(root: Schema, node: Schema) -> str:
    """Describe the values that a key takes."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        target = root["$defs"][name]
        return "group of keys" if "properties" in target else _type(root, target)
    for union in ("anyOf", "oneOf"):
        if union in node:
            types = [_type(root, option) for option in node[union]]
            return " or ".join(dict.fromkeys(types))
    if "const" in node:
        return _value(node["const"])
    if "enum" in node:
        return "one of " + ", ".join(map(_value, node["enum"]))
    if node.get("type") == "object" and any(_references(node)):
        return "mapping from names to groups of keys"
    if node.get("type") == "array":
        items = node.get("items", {})
        least = " (at least one)" if node.get("minItems") else ""
        return f"list{least}: {_type(root, items)}"
    names = {
        "string": "text",
        "integer": "integer",
        "number": "number",
        "boolean": "true or false",
        "object": "mapping",
        "null": "null",
    }
    return names.get(node.get("type", ""), "any value") + _bounds(node)


def _bounds(node: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    parts = [f"{sign} {node[key]:,}" for key, sign in signs.items() if key in node]
    if "maxLength" in node and "pattern" not in node:
        parts.append(f"of at most {node['maxLength']:,} characters")
    return f" {' and '.join(parts)}" if parts else ""


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "as listed there"
    return f"`{json.dumps(value, ensure_ascii=False)}`" if value != "" else "empty"


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def commands() -> str:
    """Describe the commands that people type."""
    return _commands(cli.COMMANDS)


def stages() -> str:
    """Describe the commands that the workflow runs, one per rule."""
    return _commands(cli.STAGES)


def _commands(names: Mapping[str, object]) -> str:
    subparsers = next(
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return "\n".join(line for name in names for line in _command(subparsers.choices[name]))


def _command(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"### `{parser.prog}`"
    yield ""
    yield parser.description or ""
    yield ""
    yield "```text"
    yield parser.format_usage().removeprefix("usage: ").rstrip()
    yield "```"
    yield ""
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        metavar = str(action.metavar or "")
        names = ", ".join(action.option_strings)
        call = " ".join(filter(None, [names, "" if action.nargs == 0 else metavar]))
        yield f"`{call}`" + (" (required)" if action.required and names else "")
        yield f": {_one_line(action.help or '')}"
        yield ""


def claims() -> str:
    """Describe every claim: what it says, what is measured and when it is supported."""
    return "\n".join(_claim(claim.id, claim.kind, vars(claim.localized())) for claim in CLAIMS)


def _claim(name: str, kind: str, words: Mapping[str, str]) -> str:
    return (
        f"{name}: {words['topic']} ({kind})\n: {words['statement']}\n\n"
        f"  *Statistic:* {_escape(words['statistic'])} ({words['unit']}).\n\n"
        f"  *Rule:* {words['rule']}.\n"
    )


def _escape(text: str) -> str:
    return re.sub(r"([|*_<>])", r"\\\1", text)


GENERATED: dict[str, Callable[[], str]] = {
    "configuration": configuration,
    "results": results,
    "commands": commands,
    "stages": stages,
    "claims": claims,
}


def fill(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace the markers of one page."""
    source[0] = MARKER.sub(lambda match: GENERATED[match[1]](), source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True}
