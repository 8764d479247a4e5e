"""Read configuration files as YAML; reject duplicate keys and alias bombs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from normreport.errors import ConfigError

# A configuration has hundreds of values; an alias bomb expands to billions.
MAX_NODES = 100_000


def read_values(path: Path) -> Mapping[str, Any]:
    """Read the mapping in a YAML file; ``-`` is standard input.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, has a duplicate key, or is an alias bomb.
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
            f"{path}: is nested too deeply to read. Expected groups of keys, a few levels deep."
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        raise ConfigError(f"{path}: is not valid YAML ({error}). Correct the syntax.") from error
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: expected keys and values, found {type(values).__name__}.")
    return values


def _count(node: yaml.Node | None, path: Path, known: dict[yaml.Node, int]) -> int:
    """Count the values of a node with all aliases expanded."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if node not in known:
        known[node] = MAX_NODES  # a node that contains itself is endless
        children = node.value
        if isinstance(node, yaml.MappingNode):
            _reject_duplicate_keys(node, path)
            children = [child for pair in node.value for child in pair]
        known[node] = 1 + sum(_count(child, path, known) for child in children)
    if known[node] >= MAX_NODES:
        raise ConfigError(
            f"{path}: line {node.start_mark.line + 1} expands to {MAX_NODES} values or more. "
            "Expected a configuration; write out the aliases (*name)."
        )
    return known[node]


def _reject_duplicate_keys(mapping: yaml.MappingNode, path: Path) -> None:
    first: dict[Any, yaml.Node] = {}
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            continue  # cannot be a key of a configuration
        other = first.setdefault(key.value, key)
        if other is not key:
            lines = other.start_mark.line + 1, key.start_mark.line + 1
            raise ConfigError(
                f"{path}: key {key.value!r} is duplicated, in lines {lines[0]} and {lines[1]}. "
                "Expected each key once per group; remove one."
            )
