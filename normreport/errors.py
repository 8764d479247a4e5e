"""The errors that a user can cause and correct.

NormreportError
    ConfigError                 an invalid key or value of the configuration
    DataError                   unusable images or labels
        UnreadableImageError    one image, which `skip_unreadable` can leave out
    WeightsError                a checkpoint that does not fit, or an unknown layer
    StorageError                a full, read-only or damaged disk
    MissingToolError            a missing system library or program
    RebuildError                a report that could not be rebuilt for comparison

Each error carries one message: what is wrong, where, what was expected, what was found and what
to do. The command line prints the message and exits with status 2. All other exceptions are bugs
and show their traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NormreportError(Exception):
    """A problem that the user can correct; the message says how."""


class ConfigError(NormreportError):
    """The configuration does not describe an experiment."""


class DataError(NormreportError):
    """The images or labels cannot be used as configured."""


class UnreadableImageError(DataError):
    """One image of a source cannot be decoded.

    Parameters
    ----------
    source
        The source of the images, as the configuration names it.
    image
        The image within the source.
    why
        Why it cannot be decoded.
    advice
        What was expected and what to do; None for a file that is damaged or of another format.
    """

    def __init__(self, source: str, image: str, why: str, *, advice: str | None = None) -> None:
        expected = advice or (
            "Expected a complete JPEG, PNG, WebP, TIFF, GIF, BMP, AVIF or PPM file. Repair or "
            "remove it."
        )
        super().__init__(
            f"{source}: {image}: this image cannot be read ({why}). {expected} Or set the source's "
            "skip_unreadable to true to use other images instead."
        )
        self.image = image
        self.why = why


class WeightsError(NormreportError):
    """A checkpoint or a layer does not fit the network."""


class StorageError(NormreportError):
    """A file could not be read or written."""


class MissingToolError(NormreportError):
    """The system lacks a library or a program."""


class RebuildError(NormreportError):
    """A report could not be rebuilt for comparison."""


def nearest(name: object, known: Iterable[str]) -> str:
    """Suggest the known name that is most similar, as the end of an error message.

    Parameters
    ----------
    name
        What the user wrote.
    known
        All valid names.

    Returns
    -------
    str
        ``"Did you mean 'vgg16'? Known: ..."``, or only the known names if none is similar.
    """
    names = sorted(known)
    shown = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    return (f"Did you mean '{close[0]}'? " if close else "") + f"Known: {shown}."


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its type if the message is empty."""
    return (str(error).splitlines() or [type(error).__name__])[0]
