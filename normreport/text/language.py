"""The language of the report: English as the code and the templates have it, or a catalogue's.

Messages are those of GNU gettext: the English text is the key, values stand in it by name as in
``%(layer)s``, and a percent sign is written twice. ``make messages`` collects all of them, from
Python, Jinja and JavaScript, in ``templates/languages/messages.pot``. What people read before there
is a report (help, errors, logs) is English always, and so are the columns of tables.
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
FOLDER = "languages"  # of the templates, ours or a user's
MESSAGES = f"{FOLDER}/messages.pot"

_VALUE = re.compile(r"%\(\w+\)s|%%")


class _Spoken:
    """What this process writes a report in: a stage makes one report."""

    tag: str = ENGLISH
    translations: NullTranslations = NullTranslations()


def set_language(catalogue: Path | None) -> None:
    """Write messages as a catalogue has them from now on; in English without one.

    Raises
    ------
    ConfigError
        If it is no catalogue, or a translation cannot be filled with its message's values.
    """
    if catalogue is None:
        _Spoken.tag, _Spoken.translations = ENGLISH, NullTranslations()
        return
    from babel.messages.mofile import write_mo

    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(catalogue))
    compiled.seek(0)
    _Spoken.tag, _Spoken.translations = catalogue.stem, GNUTranslations(compiled)


def language_tag() -> str:
    """Name the language as HTML does: ``en``, ``pt-BR``."""
    return _Spoken.tag.replace("_", "-")


def translations() -> NullTranslations:
    """Give the language's messages, which Jinja's own extension fills."""
    return _Spoken.translations


def gettext(message: str, /, **values: object) -> str:
    """Write a message in the report's language, with its values filled in."""
    return _Spoken.translations.gettext(message) % values


def ngettext(singular: str, plural: str, num: int, /, **values: object) -> str:
    """Write a message that depends on a number, which stands in it as ``%(num)s``."""
    return _Spoken.translations.ngettext(singular, plural, num) % {"num": f"{num:,}", **values}


def script_messages(script: str) -> dict[str, str]:
    """Give those messages of a script that the report's language has otherwise."""
    if _Spoken.tag == ENGLISH:
        return {}
    from babel.messages.extract import extract

    found = extract("javascript", io.BytesIO(script.encode()), {"_": None})
    messages = {str(message) for _, message, _, _ in found}
    written = {message: _Spoken.translations.gettext(message) for message in sorted(messages)}
    return {message: text for message, text in written.items() if text != message}


def N_(message: str) -> str:  # noqa: N802 (gettext's own name)
    """Mark a message that is written later, by `gettext`."""
    return message


def find_catalogue(language: str, folders: Sequence[Path]) -> Path | None:
    """Give the catalogue of a language from the first folder of templates that has it.

    Raises
    ------
    ConfigError
        If none has.
    """
    if language == ENGLISH:
        return None
    paths = [folder / FOLDER / f"{language}.po" for folder in folders]
    for path in paths:
        if path.is_file():
            return path
    raise ConfigError(
        f"report.language: {language}: expected a catalogue of translations, found no "
        f"{' and no '.join(map(str, paths))}. Make one (docs/languages.md says how), or set the "
        f"key to {ENGLISH}."
    )


def read_catalogue(path: Path) -> Catalog:
    """Read a catalogue (``.po``, ``.pot``) and check that it can be used.

    Raises
    ------
    ConfigError
        If it cannot be read, or a translation cannot be filled with its message's values.
    """
    from babel.messages.pofile import PoFileError, read_po

    try:
        with path.open("rb") as stream:
            catalogue = read_po(stream, abort_invalid=True)
    except (OSError, ValueError, LookupError, PoFileError) as error:
        raise ConfigError(
            f"{path}: could not be read ({error}). Expected a catalogue in the format of GNU "
            "gettext, in UTF-8. Mend it."
        ) from error
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        known = {"%%", *_VALUE.findall(" ".join(_forms(message.id)))}
        for form in filter(None, _forms(message.string)):
            if not known.issuperset(_VALUE.findall(form)) or "%" in _VALUE.sub("", form):
                expected = ", ".join(sorted(known - {"%%"})) or "none"
                raise ConfigError(
                    f"{path}: line {message.lineno}: the translation {form!r} cannot be filled. "
                    f"Expected no other values than {expected}, and each percent sign written "
                    "twice. Mend it."
                )
    return catalogue


def untranslated(catalogue: Catalog, messages: Catalog) -> list[str]:
    """List the messages that a catalogue lacks and a report therefore has in English."""
    lacking = []
    for message in messages:
        name = _forms(message.id)[0]
        own = catalogue.get(name)
        if name and (own is None or own.fuzzy or not all(_forms(own.string))):
            lacking.append(name)
    return lacking


def _forms(text: Any) -> tuple[str, ...]:
    """Give singular and plurals of a message or a translation that may have only one form."""
    return (text,) if isinstance(text, str) else tuple(text)
