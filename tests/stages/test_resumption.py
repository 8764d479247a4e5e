"""A training that is killed goes on and ends in the bytes of one that was not."""

from __future__ import annotations

import itertools
import json
import math
import signal
import subprocess
import sys

import pytest
from safetensors.numpy import load_file, save_file

from normreport import checkpoints
from normreport.checkpoints import Checkpoint
from normreport.files import canonical_json
from normreport.stages import pretrain_model, train_run
from tests.stages.conftest import FIT, run_settings

STAGES = {"train_run": train_run, "pretrain_model": pretrain_model}

# Run in a process of its own: keep a checkpoint after every epoch, be killed after the nth.
KILLED = """
import json, os, signal, sys
from pathlib import Path
from normreport import checkpoints
from normreport.stages import pretrain_model, train_run

checkpoints.SECONDS, checkpoints.SHARE = 0, float("inf")
save_if_due = checkpoints.Checkpoint.save_if_due
stage, options, left = json.loads(sys.argv[1])

def save_and_die(self, state):
    global left
    save_if_due(self, state)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

checkpoints.Checkpoint.save_if_due = save_and_die
options |= {key: Path(value) for key, value in options.items() if key != "settings"}
if stage == "train_run":
    train_run.run(**options, pretrained=None)
else:
    pretrain_model.run(**options)
"""


def train_options(folder, data, **changes):
    changes = {"epochs": 3, **changes}
    return {
        "settings": run_settings(**changes),
        "images": data.images,
        "images_manifest": data.manifest,
        "snapshots": folder / "snapshots.safetensors",
        "history": folder / "history.csv",
        "layers": folder / "layers.csv",
        "manifest": folder / "manifest.json",
        "checkpoints": folder / "checkpoints",
    }


def pretrain_options(folder, data, **changes):
    values = {**FIT, "weights": "train", "normalization": "imagenet", "epochs": 3, **changes}
    return {
        "settings": canonical_json(values),
        "images": data.images,
        "weights": folder / "weights.safetensors",
        "manifest": folder / "manifest.json",
        "checkpoints": folder / "checkpoints",
    }


OPTIONS = {"train_run": train_options, "pretrain_model": pretrain_options}


def killed(stage, options, *, after):
    """Run a stage in another process, killed once so many checkpoints were due."""
    texts = {key: str(value) for key, value in options.items()}
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps([stage, texts, after])],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def finished(stage, options):
    more = {"pretrained": None} if stage == "train_run" else {}
    STAGES[stage].run(**options, **more)


def written(folder):
    """Give the bytes of every file in a folder and below."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module", params=OPTIONS)
def stage(request):
    return request.param


@pytest.fixture(scope="module")
def whole(stage, data, tmp_path_factory):
    """Give what the stage writes when nothing happens to it."""
    folder = tmp_path_factory.mktemp("whole")
    finished(stage, OPTIONS[stage](folder, data))
    return written(folder)


def test_a_training_that_is_killed_twice_goes_on_and_ends_in_the_same_bytes(
    stage, whole, data, tmp_path, capsys
):
    options = OPTIONS[stage](tmp_path, data)
    killed(stage, options, after=1)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]
    killed(stage, options, after=1)
    finished(stage, options)
    log = capsys.readouterr().err
    assert f"going on from {tmp_path}/checkpoints/checkpoint.safetensors" in log
    assert 1 <= log.count("\nepoch ") < 3
    assert written(tmp_path) == whole
    assert not (tmp_path / "checkpoints").exists()


def interrupted(stage, options, *, after):
    """Run a stage in this process, interrupted once so many checkpoints were due."""
    left = itertools.count(1)

    def save_and_stop(self, state):
        save_if_due(self, state)
        if next(left) == after:
            raise KeyboardInterrupt

    save_if_due = Checkpoint.save_if_due
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "SECONDS", 0.0)
        patch.setattr(checkpoints, "SHARE", math.inf)
        patch.setattr(Checkpoint, "save_if_due", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            finished(stage, options)


def test_a_damaged_checkpoint_is_not_used(stage, whole, data, tmp_path, capsys):
    options = OPTIONS[stage](tmp_path, data)
    interrupted(stage, options, after=2)
    (path,) = (tmp_path / "checkpoints").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    finished(stage, options)
    assert f"{path} is damaged: not used, and removed" in capsys.readouterr().err
    assert written(tmp_path) == whole


@pytest.mark.parametrize("other", ["settings", "data", "code"])
def test_a_checkpoint_of_another_training_is_not_used(
    stage, whole, data, tmp_path, capsys, monkeypatch, other
):
    changes = {"learning_rate": 0.002} if other == "settings" else {}
    interrupted(stage, OPTIONS[stage](tmp_path, data, **changes), after=2)
    path = tmp_path / "checkpoints" / "checkpoint.safetensors"
    options = OPTIONS[stage](tmp_path, data)
    if other == "code":
        monkeypatch.setattr(STAGES[stage], "source_digest", lambda *names: "edited")
    if other == "data":
        images = load_file(data.images)
        images["train_images"][0] ^= 1
        options["images"] = tmp_path / "other.safetensors"
        save_file(images, options["images"])
    finished(stage, options)
    assert f"{path} is of other {other}: not used, and removed" in capsys.readouterr().err
    assert (written(tmp_path) == whole) == (other == "settings")
