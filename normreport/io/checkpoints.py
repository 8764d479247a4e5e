"""What unfinished work keeps, so that after a kill it goes on instead of beginning anew.

A checkpoint is one safetensors file: the arrays of a state, and all else as JSON in an array of
bytes, so that reading it executes nothing. It tells what the work rests on and bears a checksum, a
digest of all that it holds: one of other settings, data or code is not used, nor a damaged one.
It is not flushed to the disk: whatever a power failure leaves of it, the checksum tells.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normreport.errors import StorageError
from normreport.io import files

# A checkpoint is due after so many seconds, or after so many that writing one takes no more than
# this share of the time. VGG16's 400 MB take about a second, once in its run of 40 s.
SECONDS = 20.0
SHARE = 0.02


@dataclass
class Checkpoint:
    """The place where a training, or the decoding of images, keeps its state.

    Attributes
    ----------
    folder
        Of this work alone; removed when it has ended.
    inputs
        All that decides what it computes, as JSON has it: settings, digests, versions.
    """

    folder: Path
    inputs: Mapping[str, Any]

    def __post_init__(self) -> None:
        self._last = time.perf_counter()
        self._wait = SECONDS

    def load(self) -> Any:
        """Give the state that this very work has kept, or None; arrays are NumPy's.

        What cannot be used is removed, with a line in the log.
        """
        if not self.path.exists():
            return None
        try:
            inputs, state = _read(self.path)
            others = [key for key, value in self.inputs.items() if inputs.get(key) != value]
            reason = f"is of other {' and '.join(others)}" if others else None
        except StorageError:
            reason = "is damaged"
        if reason:
            _log(f"{self.path} {reason}: not used, and removed")
            self.remove()
            return None
        _log(f"going on from {self.path}")
        return state

    def save_if_due(self, state: Callable[[], Any]) -> None:
        """Keep a state, made only if it is time: values that JSON has, arrays and tensors.

        A checkpoint that cannot be written does not end the work.
        """
        started = time.perf_counter()
        if started - self._last < self._wait:
            return
        try:
            _write(self.path, self.inputs, state())
        except StorageError as error:
            _log(f"going on without a checkpoint: {error}")
        self._last = time.perf_counter()
        self._wait = max(SECONDS, (self._last - started) / SHARE)

    def remove(self) -> None:
        """Remove the folder, with what a kill may have left half-written in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def path(self) -> Path:
        """The file that holds the state, where there is one."""
        return self.folder / "checkpoint.safetensors"


def _write(path: Path, inputs: Mapping[str, Any], state: Any) -> None:
    arrays: dict[str, NDArray[Any]] = {}

    def put_aside(array: Any) -> dict[str, str]:
        name = str(len(arrays))
        arrays[name] = np.asarray(array)
        return {"array": name}

    text = json.dumps({"inputs": inputs, "state": state}, default=put_aside)
    arrays["content"] = np.frombuffer(text.encode(), dtype=np.uint8)
    arrays["checksum"] = np.frombuffer(_checksum(arrays).encode(), dtype=np.uint8)
    files.write_arrays(path, arrays)


def _read(path: Path) -> tuple[dict[str, Any], Any]:
    arrays = files.read_arrays(path)
    checksum = arrays.pop("checksum", np.empty(0)).tobytes()
    if checksum != _checksum(arrays).encode():
        raise files.unreadable(path, ValueError("the checksum does not match"))

    def put_back(value: dict[str, Any]) -> Any:
        return arrays[value["array"]] if value.keys() == {"array"} else value

    content = json.loads(arrays["content"].tobytes(), object_hook=put_back)
    return content["inputs"], content["state"]


def _checksum(arrays: dict[str, NDArray[Any]]) -> str:
    return files.text_digest(
        files.canonical_json({name: files.array_digest(array) for name, array in arrays.items()})
    )


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
