"""Every error that a user can cause.

NormreportError
    ConfigError     a key or value of the configuration
    DataError       the images or labels
        UnreadableImageError    one image, without which the others may do
    WeightsError    a checkpoint, or a layer that a network does not have
    StorageError    a disk that is full, read-only or damaged
    MissingToolError     something that the system must have beforehand
    RebuildError    a report that could not be made anew

Each carries one message: what, where, what was expected, what was found, what to do. The command
line prints it and exits with status 2. Anything else is a bug and shows its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NormreportError(Exception):
    """Something the user can mend; its text says how."""


class ConfigError(NormreportError):
    """The configuration is not one that an experiment can be made of."""


class DataError(NormreportError):
    """The images or labels are not usable as asked."""


class UnreadableImageError(DataError):
    """One image of a source cannot be decoded."""

    def __init__(self, source: str, image: str, why: str) -> None:
        super().__init__(
            f"{source}: {image}: is no image that can be read ({why}). Expected a whole JPEG, PNG, "
            "WebP, TIFF, GIF or BMP file. Mend it or take it away; to have others taken instead of "
            "all such images set the source's skip_unreadable to true."
        )
        self.image = image
        self.why = why


class WeightsError(NormreportError):
    """A checkpoint or a layer is not what the network needs."""


class StorageError(NormreportError):
    """A file could not be read or written."""


class MissingToolError(NormreportError):
    """The system lacks a library or a program."""


class RebuildError(NormreportError):
    """A report could not be made anew to be compared with."""


def nearest(name: object, known: Iterable[str]) -> str:
    """Say which known name comes closest, as the end of an error message.

    Parameters
    ----------
    name
        What the user wrote.
    known
        Every name that would have been right.

    Returns
    -------
    str
        ``"Did you mean 'vgg16'? Known: ..."`` or, without a close match, only the known names.
    """
    names = sorted(known)
    shown = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    return (f"Did you mean '{close[0]}'? " if close else "") + f"Known: {shown}."
