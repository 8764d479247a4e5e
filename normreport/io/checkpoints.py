"""Checkpoints, from which interrupted work resumes.

A checkpoint is one safetensors file: the arrays of a state, and all other values as JSON in an
array of bytes. Reading it executes no code. It records the inputs of the work, and a checkpoint
with other settings, data or code is not used. A checksum detects damage, such as a file that a
power failure truncated; checkpoints are therefore not flushed to the disk.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normreport.errors import StorageError
from normreport.io import files
from normreport.io.locks import try_lock, wait_for_lock

# A checkpoint is due after this many seconds, or later if writing would take more than this share
# of the time. VGG16's 400 MB take one to two seconds, so runs of a minute have none.
INTERVAL_SECONDS = 60.0
TIME_SHARE = 0.02


@dataclass
class Checkpoint:
    """The checkpoint of one job, such as a training or the decoding of images.

    Attributes
    ----------
    folder
        The job's own folder, which :meth:`remove` deletes.
    inputs
        Everything that decides the result, as JSON values: settings, digests, versions.
    """

    folder: Path
    inputs: Mapping[str, Any]

    def __post_init__(self) -> None:
        self._last = time.perf_counter()
        self._wait = INTERVAL_SECONDS

    def acquire_lock(self) -> bool:
        """Acquire the lock of this job; wait while another process holds it.

        The lock is released when this object is garbage-collected or the process ends. A workflow
        that was killed may leave jobs behind, on this machine or on another node that shares the
        folder. If the file system has no locks, the work continues without one, and a line in the
        log says so. A second process of the same run may then remove files that this one needs, and
        one of them fails: its retry trains again.

        Returns
        -------
        bool
            Whether another process held the lock. It may have finished the work.
        """
        path = self.folder / "lock"
        has_waited = False
        while True:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = _open(path)
            except OSError as error:
                _log(f"continuing without a lock: {error}")
                return has_waited
            if lock is None:
                continue  # another process has removed the folder in between
            closing = weakref.finalize(self, os.close, lock)  # the end of a process closes it, too
            try:
                has_waited |= _lock(lock, path)
                if os.path.samestat(os.fstat(lock), os.stat(path)):
                    return has_waited
            except OSError as error:
                # The other process has finished and removed the folder, or it is another error.
                if error.errno not in (errno.ENOENT, errno.ESTALE):
                    _log(f"continuing without a lock: {path}: {error}")
                    return has_waited
            closing()

    def is_finished(self, manifest: Path) -> bool:
        """Return whether another process has done this work, and say so in the log.

        Parameters
        ----------
        manifest
            The file that the work writes last. It records the inputs at its top level or in its
            `digests` or `origin`, and the digests of the files beside it.
        """
        try:
            content = files.read_json(manifest)
            recorded = {**content, **content["digests"], **content.get("origin", {})}
            is_same = all(recorded[key] == value for key, value in self.inputs.items()) and all(
                files.file_digest(manifest.parent / name) == digest
                for name, digest in content["files"].items()
            )
        except (StorageError, KeyError, TypeError, AttributeError):
            return False  # unfinished, damaged, or of another version
        if is_same:
            _log(f"another process has written {manifest} from the same inputs")
        return is_same

    def load(self, problem: Callable[[Any], str | None] = lambda state: None) -> Any:
        """Return the saved state with NumPy arrays, or None if there is no usable checkpoint.

        An unusable checkpoint is removed, and a line in the log says why.

        Parameters
        ----------
        problem
            Returns why a state cannot be used, to follow the word "it"; None if it can.
        """
        if not self.path.exists():
            return None
        try:
            inputs, state = _read(self.path)
            changed = [key for key, value in self.inputs.items() if inputs.get(key) != value]
            reason = f"has other {', '.join(changed)}" if changed else problem(state)
        except StorageError:
            reason = "is damaged"
        if reason:
            _log(f"removed the checkpoint {self.path}, as it {reason}")
            self.path.unlink(missing_ok=True)  # the folder contains the lock
            return None
        _log(f"resuming from {self.path}")
        return state

    def save_if_due(self, state: Callable[[], Any]) -> None:
        """Save a state if a checkpoint is due. If it cannot be written, the work continues.

        Parameters
        ----------
        state
            Returns the state: JSON values, arrays and tensors. Called only if it is due.
        """
        started = time.perf_counter()
        if started - self._last < self._wait:
            return
        try:
            _write(self.path, self.inputs, state())
        except StorageError as error:
            _log(f"continuing without a checkpoint: {error}")
        self._last = time.perf_counter()
        self._wait = max(INTERVAL_SECONDS, (self._last - started) / TIME_SHARE)

    def remove(self) -> None:
        """Remove the folder, including partial files of a killed process."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def path(self) -> Path:
        """The file of the saved state."""
        return self.folder / "checkpoint.safetensors"


def _open(path: Path) -> int | None:
    """Open or create a file; None if its folder does not exist."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:
        return None


def _lock(lock: int, path: Path) -> bool:
    """Lock a file, and return whether another process held the lock."""
    if try_lock(lock):
        return False
    _log(f"waiting for another process that does the same work: {path.parent}")
    wait_for_lock(lock)
    return True


def _write(path: Path, inputs: Mapping[str, Any], state: Any) -> None:
    arrays: dict[str, NDArray[Any]] = {}

    def store_array(array: Any) -> dict[str, str]:
        name = str(len(arrays))
        arrays[name] = np.asarray(array)
        return {"array": name}

    text = json.dumps({"inputs": inputs, "state": state}, default=store_array)
    arrays["content"] = np.frombuffer(text.encode(), dtype=np.uint8)
    arrays["checksum"] = np.frombuffer(_checksum(arrays).encode(), dtype=np.uint8)
    files.write_arrays(path, arrays)


def _read(path: Path) -> tuple[dict[str, Any], Any]:
    arrays = files.read_arrays(path)
    checksum = arrays.pop("checksum", np.empty(0)).tobytes()
    if checksum != _checksum(arrays).encode():
        raise files.unreadable(path, ValueError("the checksum does not match"))

    def restore_array(value: dict[str, Any]) -> Any:
        return arrays[value["array"]] if value.keys() == {"array"} else value

    content = json.loads(arrays["content"].tobytes(), object_hook=restore_array)
    return content["inputs"], content["state"]


def _checksum(arrays: dict[str, NDArray[Any]]) -> str:
    return files.text_digest(
        files.canonical_json({name: files.array_digest(array) for name, array in arrays.items()})
    )


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
