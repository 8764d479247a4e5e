"""A normalization in a Python file of the user."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from normreport.errors import ConfigError
from normreport.normalizations import Images, Inputs

FUNCTION = "transform"
_PREFIX = "_own_file_"
_STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib")).resolve()
EXPECTED = f"a function {FUNCTION}(images, train_images)"


def apply(images: Images, train_images: Images, file: str) -> Inputs:
    """Call the function of a file, and check what it returns.

    Parameters
    ----------
    images : array of uint8, shape (N, H, W, 3)
        Given to the function as a read-only array.
    train_images : array of uint8, shape (M, H, W, 3)
        All prepared training images, likewise.
    file
        Path of the file.

    Raises
    ------
    ConfigError
        If the file cannot be imported, if the function fails, or if it does not return finite
        float32 numbers in the shape of the images.
    """
    with _explained(file):
        transform = _load(file)
        inputs = transform(_read_only(images), _read_only(train_images))
    expected = f"{file}: {FUNCTION} must return a NumPy array of float32, shape {images.shape}"
    if not isinstance(inputs, np.ndarray):
        raise ConfigError(f"{expected}, found {type(inputs).__name__}")
    if inputs.dtype != np.float32 or inputs.shape != images.shape:
        raise ConfigError(f"{expected}, found {inputs.dtype}, shape {inputs.shape}")
    if not np.isfinite(inputs).all():
        count = int((~np.isfinite(inputs)).sum())
        raise ConfigError(
            f"{file}: {FUNCTION} must return finite numbers, found {count} that are infinite or NaN"
        )
    return np.ascontiguousarray(inputs)


@cache  # A data set is normalized in batches.
def _load(file: str) -> Callable[[Images, Images], Any]:
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"{file}: no such file. Expected a Python file with {EXPECTED}.")
    # A private name: the file may be called json.py.
    name = f"{_PREFIX}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{file}: expected a Python file, with the suffix .py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look there
    spec.loader.exec_module(module)
    transform = getattr(module, FUNCTION, None)
    if not callable(transform):
        raise ConfigError(f"{file}: expected {EXPECTED}, found none")
    found: Callable[[Images, Images], Any] = transform
    return found


@contextmanager
def _explained(file: str) -> Iterator[None]:
    """Let a file import its neighbours, and report its errors in one line.

    Another file may have neighbours of the same names, so they are forgotten afterwards.
    """
    folder = Path(file).resolve().parent
    modules, path = {*sys.modules}, [*sys.path]
    sys.path.insert(0, str(folder))
    try:
        yield
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{_place(error, file, folder)}: {_one_line(error)}") from error
    finally:
        sys.path[:] = path
        for name in {*sys.modules} - modules:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and _is_own(origin, folder) and not name.startswith(_PREFIX):
                del sys.modules[name]


def _place(error: BaseException, file: str, folder: Path) -> str:
    """Name the file and the line of the user's code that raised an error."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(file).with_name(Path(error.filename).name)}, line {error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if _is_own(frame.filename, folder)
    ]
    if not frames:
        return file
    return f"{Path(file).with_name(Path(frames[-1].filename).name)}, line {frames[-1].lineno}"


def _is_own(path: str, folder: Path) -> bool:
    """Return whether a module lies in a folder, but not in an environment below it."""
    if path.startswith("<"):  # frozen, or from a string
        return False
    resolved = Path(path).resolve()
    return (
        resolved.is_relative_to(folder)
        and not resolved.is_relative_to(_STANDARD_LIBRARY)
        and "site-packages" not in resolved.parts
    )


def _one_line(error: BaseException) -> str:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(message.split())}".removesuffix(": ")


def _read_only(images: Images) -> Images:
    view = images.view()
    view.flags.writeable = False
    return view
