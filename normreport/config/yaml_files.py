"""Reading configuration files as YAML, without what YAML allows and nobody means."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from normreport.errors import ConfigError

# A configuration has hundreds; aliases of aliases make billions of a few lines.
MOST_NODES = 100_000


def read_values(path: Path) -> Mapping[str, Any]:
    """Read a YAML file's keys and values; ``-`` is standard input.

    Raises
    ------
    ConfigError
        If it cannot be read, is not YAML, has a key twice, or unfolds to more than anyone writes.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        _count(node, path, {})
        values: Any = None if node is None else loader.construct_document(node)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: could not be read ({error}). Expected a YAML file.") from error
    except RecursionError as error:
        raise ConfigError(
            f"{path}: is nested deeper than can be read. Expected groups within groups, a few "
            "levels deep."
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # the latter for a day that no month has
        raise ConfigError(f"{path}: is not YAML ({error}). Mend the syntax.") from error
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: expected keys and values, found {type(values).__name__}.")
    return values


def _count(node: yaml.Node | None, path: Path, known: dict[yaml.Node, int]) -> int:
    """Count what a node is made of, an alias as often as it stands there."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if node not in known:
        known[node] = MOST_NODES  # of a node within itself there is no end
        children = node.value
        if isinstance(node, yaml.MappingNode):
            _refuse_twice(node, path)
            children = [child for pair in node.value for child in pair]
        known[node] = 1 + sum(_count(child, path, known) for child in children)
    if known[node] >= MOST_NODES:
        raise ConfigError(
            f"{path}: line {node.start_mark.line + 1} unfolds to {MOST_NODES} values or more. "
            "Expected a configuration; write out what the aliases (*name) stand for."
        )
    return known[node]


def _refuse_twice(mapping: yaml.MappingNode, path: Path) -> None:
    first: dict[Any, yaml.Node] = {}
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            continue  # no key of a configuration
        other = first.setdefault(key.value, key)
        if other is not key:
            lines = other.start_mark.line + 1, key.start_mark.line + 1
            raise ConfigError(
                f"{path}: key {key.value!r} is there twice, in lines {lines[0]} and {lines[1]}. "
                "Expected each key of a group once; take one away."
            )
