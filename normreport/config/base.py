"""What every group of settings has in common."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from normreport.errors import ConfigError, nearest


class Settings(BaseModel):
    """A frozen group of settings; a key that it does not know is an error."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _yes_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        wants_bool = info.field_name and cls.model_fields[info.field_name].annotation is bool
        if isinstance(value, bool) and not wants_bool:
            raise PydanticCustomError("yes_or_no", "Input should be a number or a text, not yes/no")
        return value


Count = Annotated[int, Field(ge=1, le=100_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=64)]
"""A name that can stand in a path as it is."""
LayerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=128)]
"""A module's dotted path in its network, such as ``features.0``."""

# What a member of a union is called in pydantic's places of errors; no key of a configuration.
UNION_TAG = "kind: "

Model = TypeVar("Model", bound=Settings)


COLOR = "^#[0-9A-Fa-f]{6}$"
# Where pydantic speaks of Python, a user thinks of YAML.
EXPECTED = {
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "dict_type": "keys and values",
    "mapping_type": "keys and values",
    "tuple_type": "a list",
    "list_type": "a list",
    "too_short": "a list of at least 1 item",
    "string_pattern_mismatch": "a name of letters, digits and _ (a layer's also with . and -)",
    COLOR: 'a colour such as "#0b5cad"',
}


def validate(model: type[Model], values: Any, *, where: str) -> Model:
    """Make a group of settings from nested mappings and lists.

    Parameters
    ----------
    model
        The group's class.
    values
        As read from YAML or JSON.
    where
        How messages call the place that the values come from.

    Raises
    ------
    ConfigError
        With one line per wrong key: the key, what was expected, what was found.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        # A rule that spans groups may have found several things.
        found = [_line(details, model) for details in _own(error.errors())]
        lines = [line for several in found for line in several.split("\n")]
        raise ConfigError(
            f"{where}: {len(lines)} wrong value{'s' if len(lines) > 1 else ''}; mend "
            f"{'them' if len(lines) > 1 else 'it'} and run again\n  " + "\n  ".join(lines)
        ) from error


def parse(model: type[Model], text: str, *, where: str) -> Model:
    """Make a group of settings from JSON text, as rules hand it to the command line."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{where}: expected JSON, found {text[:60]!r} ({error})") from error
    return validate(model, values, where=where)


def _own(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what only follows from another error: a list whose items are wrong is not short."""
    places = [details["loc"] for details in errors]
    return [
        details
        for details in errors
        if details["type"] != "too_short"
        or not any(len(p) > len(details["loc"]) and p[: len(details["loc"])] == details["loc"]
                   for p in places)
    ]  # fmt: skip


def _line(details: ErrorDetails, model: type[Settings]) -> str:
    key = ".".join(str(part) for part in details["loc"] if not _is_tag(part))
    if details["type"] == "extra_forbidden":
        siblings = _fields(model, details["loc"][:-1])
        return f"{key}: there is no such key. {nearest(details['loc'][-1], siblings)}"
    if details["type"] == "missing":
        return f"{key}: is missing, expected a value"
    if details["type"] == "value_error":
        # A rule that spans groups names its keys itself.
        return f"{key}: {details['ctx']['error']}" if key else str(details["ctx"]["error"])
    # A pattern of its own says more than that some pattern does not fit.
    ours = EXPECTED.get(str(details.get("ctx", {}).get("pattern"))) or EXPECTED.get(details["type"])
    expected = ours or details["msg"].removeprefix("Input should be ")
    found = details["input"]
    hint = ""
    if details["type"] == "literal_error":
        known = details["ctx"]["expected"].replace(" or ", ", ").split(", ")
        hint = " " + nearest(found, [name.strip("'") for name in known]).split(" Known:")[0]
        hint = hint if "Did you mean" in hint else ""
    key = key or "the configuration"
    return f"{key}: expected {expected}, found {json.dumps(_short(found))}.{hint}"


def _short(value: Any) -> Any:
    try:
        text = str(value)
    except ValueError:  # Python does not print the longest numbers
        return "a number of thousands of digits"
    simple = isinstance(value, int | float | str | None) and value == value
    if len(text) > 80:
        return text[:77] + "..."
    return value if simple else text


def _fields(model: type[Settings], location: tuple[int | str, ...]) -> list[str]:
    """Names of the keys at `location`, found by walking the generated schema."""
    whole = model.model_json_schema()
    node = whole
    for part in location:
        node = _resolve(whole, node)
        if _is_tag(part):
            kind = str(part).removeprefix(UNION_TAG)
            options = [_resolve(whole, option) for option in node["oneOf"]]
            (node,) = (
                o for o in options if o.get("properties", {}).get("kind", {}).get("const") == kind
            )
            continue
        named = node.get("properties", {}).get(part)
        # A mapping's values are all alike, whatever its keys must look like.
        patterns = list(node.get("patternProperties", {}).values())
        node = named or node.get("additionalProperties") or (patterns[0] if patterns else {})
    return list(_resolve(whole, node).get("properties", {}))


def _is_tag(part: int | str) -> bool:
    return str(part).startswith(UNION_TAG)


def _resolve(whole: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for option in node.get("anyOf", []):
        if "$ref" in option:
            node = option
    if "$ref" in node:
        return dict(whole["$defs"][node["$ref"].rsplit("/", 1)[1]])
    return node
