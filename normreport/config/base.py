"""The base class of all settings, and their validation with one-line errors."""

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
    """A frozen group of settings; an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _reject_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        wants_bool = info.field_name and cls.model_fields[info.field_name].annotation is bool
        if isinstance(value, bool) and not wants_bool:
            raise PydanticCustomError("yes_or_no", "Input should be a number or a text, not yes/no")
        return value


Count = Annotated[int, Field(ge=1, le=100_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=64)]
"""A name that is also a valid part of a path."""
LayerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=128)]
"""A module's dotted path in its network, such as ``features.0``."""

# Prefix of a union's tag in the location of a pydantic error; it is not a key of the configuration.
UNION_TAG = "kind: "


def one_or_list_tag(value: object) -> str:
    """Return the tag of a value that is either one or a list."""
    return UNION_TAG + ("list" if isinstance(value, list | tuple) else "one")


Model = TypeVar("Model", bound=Settings)


COLOR = "^#[0-9A-Fa-f]{6}$"
# Pydantic's messages name Python types; these name what a user writes in YAML.
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
    """Validate nested mappings and lists as a group of settings.

    Parameters
    ----------
    model
        Class of the group.
    values
        Values as read from YAML or JSON.
    where
        Name of their source in error messages.

    Raises
    ------
    ConfigError
        With one line per wrong key: the key, the expected value and the value found.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        # A validator that spans groups may report several problems, one per line.
        messages = [_message(details, model) for details in _independent(error.errors())]
        lines = [line for message in messages for line in message.split("\n")]
        raise ConfigError(
            f"{where}: {len(lines)} invalid value{'s' if len(lines) > 1 else ''}; correct "
            f"{'them' if len(lines) > 1 else 'it'} and run again\n  " + "\n  ".join(lines)
        ) from error


def parse(model: type[Model], text: str, *, where: str) -> Model:
    """Validate JSON text as a group of settings; rules pass settings as JSON."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{where}: expected JSON, found {text[:60]!r} ({error})") from error
    return validate(model, values, where=where)


def _independent(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drop errors that follow from another one: a list with invalid items is not too short."""
    places = [details["loc"] for details in errors]
    return [
        details
        for details in errors
        if details["type"] != "too_short"
        or not any(len(p) > len(details["loc"]) and p[: len(details["loc"])] == details["loc"]
                   for p in places)
    ]  # fmt: skip


def _message(details: ErrorDetails, model: type[Settings]) -> str:
    key = ".".join(str(part) for part in details["loc"] if not _is_tag(part))
    if details["type"] == "extra_forbidden":
        siblings = _fields(model, details["loc"][:-1])
        return f"{key}: unknown key. {nearest(details['loc'][-1], siblings)}"
    if details["type"] == "missing":
        return f"{key}: missing, expected a value"
    if details["type"] == "value_error":
        # A validator that spans groups names its keys itself.
        return f"{key}: {details['ctx']['error']}" if key else str(details["ctx"]["error"])
    # Describe the pattern instead of printing it.
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
        return "a number with thousands of digits"
    simple = isinstance(value, int | float | str | None) and value == value
    if len(text) > 80:
        return text[:77] + "..."
    return value if simple else text


def _fields(model: type[Settings], location: tuple[int | str, ...]) -> list[str]:
    """Return the names of the keys at `location`, from the generated schema."""
    whole = model.model_json_schema()
    node = whole
    for part in location:
        node = _resolve(whole, node)
        if _is_tag(part):
            kind = str(part).removeprefix(UNION_TAG)
            options = [_resolve(whole, option) for option in node["oneOf"]]
            groups = [option for option in options if "properties" in option]
            # A group without a kind is the only one beside other values.
            (node,) = (
                o for o in groups if o["properties"].get("kind", {}).get("const", kind) == kind
            )
            continue
        if "items" in node:
            node = node["items"]
            continue
        named = node.get("properties", {}).get(part)
        # All values of a mapping have the same type, whatever the pattern of its keys.
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
