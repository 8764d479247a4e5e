"""A checkpoint restores the saved state, or nothing."""

from __future__ import annotations

import errno
import math
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from normreport.io import checkpoints
from normreport.io.checkpoints import Checkpoint

INPUTS: dict[str, Any] = {
    "settings": {"epochs": 3, "layers": ["a", "b"], "rate": 0.1},
    "data": {"train_images": "12ab"},
    "code": "34cd",
    "versions": {"torch": "2"},
}


def _state() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 3, 2, 2, generator=generator)
    return {
        "weight": weight.to(memory_format=torch.channels_last),
        "moments": {0: {"step": torch.tensor(7.0), "count": torch.tensor(3)}},
        "kept": [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((0, 2))],
        "rate": 0.1 + 0.2,
        "best": math.inf,
        "betas": (0.9, 0.999),
        "none": None,
        "flag": True,
    }


@pytest.fixture(autouse=True)
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "TIME_SHARE", math.inf)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a checkpoint."""
    Checkpoint(tmp_path / "run", INPUTS).save_if_due(_state)
    return tmp_path / "run"


def test_a_state_is_restored_bit_for_bit(folder: Path) -> None:
    found, given = Checkpoint(folder, INPUTS).load(), _state()
    assert found.keys() == given.keys()
    assert found["weight"].tobytes() == given["weight"].contiguous().numpy().tobytes()
    assert found["weight"].shape == (4, 3, 2, 2)
    assert found["moments"]["0"] == {"step": 7.0, "count": 3}
    assert found["moments"]["0"]["step"].dtype == np.float32
    assert found["moments"]["0"]["count"].dtype == np.int64
    assert [(a.shape, a.dtype) for a in found["kept"]] == [((2, 3), "f4"), ((0, 2), "f8")]
    assert found["kept"][0].tolist() == [[0, 1, 2], [3, 4, 5]]
    plain = ("rate", "best", "none", "flag")
    assert [found[key] for key in plain] == [given[key] for key in plain]
    assert found["betas"] == [0.9, 0.999]


def test_only_a_resumed_job_is_logged(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Checkpoint(tmp_path / "another", INPUTS).load() is None
    assert capsys.readouterr().err == ""
    Checkpoint(folder, INPUTS).load()
    assert capsys.readouterr().err == f"resuming from {folder}/checkpoint.safetensors\n"


CHANGED = {
    "settings": {**INPUTS["settings"], "rate": 0.2},
    "data": {"train_images": "12ac"},
    "code": "34ce",
    "versions": {"torch": "3"},
}


@pytest.mark.parametrize("key", CHANGED)
def test_a_checkpoint_with_other_inputs_is_logged_and_removed(
    folder: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Checkpoint(folder, {**INPUTS, key: CHANGED[key]}).load() is None
    assert f"checkpoint.safetensors, as it has other {key}\n" in capsys.readouterr().err
    assert not (folder / "checkpoint.safetensors").exists()


def test_all_changed_inputs_are_logged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Checkpoint(folder, CHANGED).load() is None
    assert "as it has other settings, data, code, versions\n" in capsys.readouterr().err


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_truncated_checkpoint_is_removed(
    folder: Path, share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert Checkpoint(folder, INPUTS).load() is None
    assert capsys.readouterr().err == f"removed the checkpoint {path}, as it is damaged\n"
    assert not (folder / "checkpoint.safetensors").exists()


def test_the_checksum_detects_a_single_changed_bit(folder: Path) -> None:
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for position in np.random.default_rng(0).integers(0, 8 * len(whole), 60):
        damaged = bytearray(whole)
        damaged[position // 8] ^= 1 << position % 8
        folder.mkdir(exist_ok=True)
        path.write_bytes(damaged)
        assert Checkpoint(folder, INPUTS).load() is None, position
        assert not (folder / "checkpoint.safetensors").exists()


def test_the_last_state_replaces_earlier_ones(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "run", INPUTS)
    checkpoint.save_if_due(lambda: {"epoch": 1})
    checkpoint.save_if_due(lambda: {"epoch": 2})
    assert Checkpoint(tmp_path / "run", INPUTS).load() == {"epoch": 2}
    assert len(list((tmp_path / "run").iterdir())) == 1


def test_writing_takes_at_most_its_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 20.0)
    monkeypatch.setattr(checkpoints, "TIME_SHARE", 0.02)
    now = 1000.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    checkpoint = Checkpoint(tmp_path / "run", INPUTS)
    written = []

    def state() -> dict[str, Any]:
        nonlocal now
        written.append(now - 1000)
        now += 3.0  # the time of making and writing it
        return {}

    for _ in range(1000):
        now += 1.0
        checkpoint.save_if_due(state)
    assert written[:3] == [20, 173, 326]  # 3 s are 2% of 150 s


def test_a_checkpoint_that_cannot_be_written_does_not_stop_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results").write_text("a file in place of a folder")
    Checkpoint(tmp_path / "results" / "run", INPUTS).save_if_due(_state)
    assert capsys.readouterr().err.startswith("continuing without a checkpoint: ")


def test_remove_deletes_the_folder_and_its_partial_files(folder: Path) -> None:
    (folder / ".checkpoint.safetensors.x.part").write_text("partial")
    checkpoint = Checkpoint(folder, INPUTS)
    checkpoint.remove()
    assert not folder.exists()
    checkpoint.remove()  # a second call does nothing


# Acquires the lock, says so, works until a line comes in, and removes the folder or only ends.
WORKER = """
import sys
from pathlib import Path
from normreport.io.checkpoints import Checkpoint
checkpoint = Checkpoint(Path(sys.argv[1]), {})
has_waited = checkpoint.acquire_lock()
print("locked", "after waiting" if has_waited else "at once", flush=True)
if sys.stdin.readline() == "finish\\n":
    checkpoint.remove()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Return a function that starts a worker; none outlives the test."""
    command, pipe = [sys.executable, "-c", WORKER, str(tmp_path / "run")], subprocess.PIPE
    workers = []

    def started() -> subprocess.Popen[str]:
        worker = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        workers.append(worker)
        return worker

    yield started
    for worker in workers:
        worker.kill()
        worker.communicate()


@pytest.mark.parametrize("end", ["finish", "stop", "kill"])
def test_two_processes_never_do_the_same_work(
    tmp_path: Path, start: Callable[[], subprocess.Popen[str]], end: str
) -> None:
    first = start()
    assert first.stdin
    assert first.stdout
    assert first.stdout.readline() == "locked at once\n"
    others = [start(), start()]
    for other in others:
        assert other.stderr
        assert other.stderr.readline().startswith("waiting for another process")
    if end == "kill":
        first.kill()
    else:
        first.stdin.write(f"{end}\n")
        first.stdin.flush()
    # Either of the two may be next.
    outputs = {other.stdout: other for other in others if other.stdout}
    (ready,) = select.select([*outputs], [], [], 60)[0]
    working = outputs.pop(ready)
    assert not select.select([*outputs], [], [], 0.3)[0]
    (waiting,) = outputs.values()
    assert working.communicate("finish\n")[0] == "locked after waiting\n"
    assert waiting.communicate("finish\n")[0] == "locked after waiting\n"
    assert not (tmp_path / "run").exists()


def test_without_locks_the_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unsupported(lock: int, operation: int) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    assert not Checkpoint(tmp_path / "run", INPUTS).acquire_lock()
    assert "continuing without a lock" in capsys.readouterr().err
