"""The language of the report: English, or a catalogue of translations.

Messages follow GNU gettext: the English text is the key, values are named as in ``%(layer)s``, and
a percent sign is doubled. ``make messages`` collects all messages from Python, Jinja and JavaScript
in ``templates/languages/messages.pot``. Help, errors, logs and column names are always English.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normreport.errors import ConfigError

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ENGLISH = "en"
FOLDER = "languages"  # in the folder of templates
MESSAGES = f"{FOLDER}/messages.pot"

_VALUE = re.compile(r"%\(\w+\)s|%%")


class _Current:
    """The language of this process; a stage writes one report."""

    tag: str = ENGLISH
    translations: NullTranslations = NullTranslations()


def set_language(catalogue: Path | None) -> None:
    """Translate all messages by a catalogue from now on; without one, write English.

    Raises
    ------
    ConfigError
        If the file is not a catalogue, or a translation uses a value that its message lacks.
    """
    if catalogue is None:
        _Current.tag, _Current.translations = ENGLISH, NullTranslations()
        return
    from babel.messages.mofile import write_mo

    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(catalogue))
    compiled.seek(0)
    _Current.tag, _Current.translations = catalogue.stem, GNUTranslations(compiled)


def language_tag() -> str:
    """Return the language as an HTML tag: ``en``, ``pt-BR``."""
    return _Current.tag.replace("_", "-")


def translations() -> NullTranslations:
    """Return the current translations, for Jinja's i18n extension."""
    return _Current.translations


def gettext(message: str, /, **values: object) -> str:
    """Translate a message and fill in its values."""
    return _Current.translations.gettext(message) % values


def ngettext(singular: str, plural: str, num: int, /, **values: object) -> str:
    """Translate a message that depends on a number, named ``%(num)s`` in it."""
    return _Current.translations.ngettext(singular, plural, num) % {"num": f"{num:,}", **values}


def script_messages(script: str) -> dict[str, str]:
    """Return the translations of a script's messages, without those that stay English."""
    if _Current.tag == ENGLISH:
        return {}
    from babel.messages.extract import extract

    extracted = extract("javascript", io.BytesIO(script.encode()), {"_": None})
    messages = sorted({str(message) for _, message, _, _ in extracted})
    translated = {message: _Current.translations.gettext(message) for message in messages}
    return {message: text for message, text in translated.items() if text != message}


def N_(message: str) -> str:  # noqa: N802 (gettext's own name)
    """Mark a message for extraction; `gettext` translates it later."""
    return message


def find_catalogue(language: str, folders: Sequence[Path]) -> Path | None:
    """Return the path of a language's catalogue, or None for English.

    Raises
    ------
    ConfigError
        If no folder of templates has one.
    """
    if language == ENGLISH:
        return None
    paths = [folder / FOLDER / f"{language}.po" for folder in folders]
    for path in paths:
        if path.is_file():
            return path
    raise ConfigError(
        f"report.language: {language}: expected a catalogue of translations, found no "
        f"{' and no '.join(map(str, paths))}. Make one (see docs/languages.md), or set the key to "
        f"{ENGLISH}."
    )


def read_catalogue(path: Path) -> Catalog:
    """Read and check a catalogue (``.po``, ``.pot``).

    Raises
    ------
    ConfigError
        If it cannot be read, or a translation uses a value that its message lacks.
    """
    from babel.messages.pofile import PoFileError, read_po

    try:
        with path.open("rb") as stream:
            catalogue = read_po(stream, abort_invalid=True)
    except (OSError, ValueError, LookupError, PoFileError) as error:
        raise ConfigError(
            f"{path}: could not be read ({error}). Expected a catalogue in the format of GNU "
            "gettext, in UTF-8. Correct the file."
        ) from error
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        known = {"%%", *_VALUE.findall(" ".join(_forms(message.id)))}
        for form in filter(None, _forms(message.string)):
            if not known.issuperset(_VALUE.findall(form)) or "%" in _VALUE.sub("", form):
                expected = ", ".join(sorted(known - {"%%"})) or "none"
                raise ConfigError(
                    f"{path}: line {message.lineno}: the translation {form!r} uses an unknown "
                    f"value or a single percent sign. Expected only the values {expected}, and "
                    "each percent sign doubled. Correct the translation."
                )
    return catalogue


def untranslated(catalogue: Catalog, messages: Catalog) -> list[str]:
    """Return the messages without a translation, which stay English."""
    missing = []
    for message in messages:
        name = _forms(message.id)[0]
        entry = catalogue.get(name)
        if name and (entry is None or entry.fuzzy or not all(_forms(entry.string))):
            missing.append(name)
    return missing


def _forms(text: Any) -> tuple[str, ...]:
    """Return the singular and plural forms of a message or translation."""
    return (text,) if isinstance(text, str) else tuple(text)
