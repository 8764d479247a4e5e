"""A training or a decoding that is killed goes on and ends in the bytes of one that was not."""

from __future__ import annotations

import itertools
import json
import math
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from normreport.io import checkpoints
from normreport.io.checkpoints import Checkpoint
from normreport.io.files import canonical_json
from normreport.provenance import stage_code
from normreport.sources import decoding, imagefolder
from normreport.stages import prepare_data, pretrain_model, train_run, tune_rate
from normreport.training.loop import Diverged, train
from tests.sources.images import picture, write_classes
from tests.stages.conftest import FIT, LAYER, read, run_settings

STAGES = {
    "train_run": train_run,
    "tune_rate": tune_rate,
    "pretrain_model": pretrain_model,
    "prepare_data": prepare_data,
}
# What is done again and again, as the log tells; how often in a whole stage: epochs, those of two
# trial runs, or images, of which one is held out, nine are trained on, and two cannot be read; and
# the numbers of checkpoints after which it is killed. A sweep is killed in both of its trial runs.
STEPS = {
    "train_run": ("\nepoch ", 3, (1, 1)),
    "tune_rate": ("\nepoch ", 8, (3, 4)),
    "pretrain_model": ("\nepoch ", 3, (1, 1)),
    "prepare_data": ("\nread ", 12, (3, 4)),
}

# Run in a process of its own: keep a checkpoint after every epoch or batch, be killed after the
# nth.
KILLED = """
import importlib, json, os, signal, sys
from pathlib import Path
from normreport.io import checkpoints
from normreport.sources import decoding

decoding.BATCH = 4
checkpoints.INTERVAL_SECONDS, checkpoints.TIME_SHARE = 0, float("inf")
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
more = {"pretrained": None} if stage in ("train_run", "tune_rate") else {}
importlib.import_module(f"normreport.stages.{stage}").run(**options, **more)
"""


def train_options(folder, inputs, **changes):
    return {
        "settings": run_settings(epochs=3, **changes),
        "images": inputs.images,
        "images_manifest": inputs.manifest,
        "snapshots": folder / "snapshots.safetensors",
        "history": folder / "history.csv",
        "layers": folder / "layers.csv",
        "manifest": folder / "manifest.json",
        "checkpoints": folder / "checkpoints",
    }


def tune_options(folder, inputs, **changes):
    values = {key: value for key, value in FIT.items() if key not in ("learning_rate", "seed")}
    values |= {"start": "scratch", "normalization": "unit", "epochs": 3}
    values |= {"candidates": [0.001, 0.002], "seeds": [100], **changes}
    return {
        "settings": canonical_json(values),
        "images": inputs.images,
        "images_manifest": inputs.manifest,
        "rate": folder / "rate.json",
        "manifest": folder / "manifest.json",
        "checkpoints": folder / "checkpoints",
    }


def pretrain_options(folder, inputs, **changes):
    values = {**FIT, "weights": "train", "normalization": "imagenet", "epochs": 3, **changes}
    return {
        "settings": canonical_json(values),
        "images": inputs.images,
        "weights": folder / "weights.safetensors",
        "manifest": folder / "manifest.json",
        "checkpoints": folder / "checkpoints",
    }


def prepare_options(folder, inputs, **changes):
    source = {"kind": "imagefolder", "path": str(inputs.folder), "skip_unreadable": True}
    counts = {"train_images": 9, "heldout_images": 1, "image_size_px": 16}
    return {
        "settings": canonical_json({"source": source, **counts, **changes}),
        "images": folder / "images.safetensors",
        "manifest": folder / "manifest.json",
        "checkpoints": folder / "checkpoints",
    }


OPTIONS = {
    "train_run": train_options,
    "tune_rate": tune_options,
    "pretrain_model": pretrain_options,
    "prepare_data": prepare_options,
}
OTHER_SETTINGS: dict[str, dict[str, Any]] = {
    "train_run": {"learning_rate": 0.002},
    "tune_rate": {"candidates": [0.001, 0.004]},
    "pretrain_model": {"learning_rate": 0.002},
    "prepare_data": {"seed": 1},
}


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
    more = {"pretrained": None} if stage in ("train_run", "tune_rate") else {}
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
def made_inputs(data, tmp_path_factory):
    """Give the prepared digits, and each time a new folder of the same images not yet prepared."""

    def made():
        folder = write_classes(tmp_path_factory.mktemp("inputs") / "images", {"a": 6, "b": 6})
        for name in ("a/0.png", "b/3.png"):
            (folder / name).write_bytes((folder / name).read_bytes()[:100])
        return SimpleNamespace(images=data.images, manifest=data.manifest, folder=folder)

    return made


@pytest.fixture
def inputs(made_inputs):
    return made_inputs()


@pytest.fixture(scope="module")
def whole(stage, made_inputs, tmp_path_factory):
    """Give what the stage writes when nothing happens to it."""
    folder = tmp_path_factory.mktemp("whole")
    finished(stage, OPTIONS[stage](folder, made_inputs()))
    return written(folder)


@pytest.fixture(autouse=True)
def told_reads(monkeypatch):
    """Let the log tell of every image that is read."""

    def decoded(file, **names):
        print(f"read {file}", file=sys.stderr)
        return decoding.decode_image(file, **names)

    monkeypatch.setattr(imagefolder, "decode_image", decoded)


def test_what_is_killed_twice_goes_on_and_ends_in_the_same_bytes(
    stage, whole, inputs, tmp_path, capsys
):
    options = OPTIONS[stage](tmp_path, inputs)
    step, all_of_them, kills = STEPS[stage]
    for after in kills:
        killed(stage, options, after=after)
        assert [path.name for path in tmp_path.glob("[!.]*")] == ["checkpoints"]
    finished(stage, options)
    log = capsys.readouterr().err
    assert f"resuming from {tmp_path}/checkpoints/checkpoint.safetensors" in log
    assert 1 <= log.count(step) < all_of_them
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
        patch.setattr(decoding, "BATCH", 4)
        patch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)
        patch.setattr(checkpoints, "TIME_SHARE", math.inf)
        patch.setattr(Checkpoint, "save_if_due", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            finished(stage, options)


BEFORE_THE_END = {"train_run": 3, "tune_rate": 9, "pretrain_model": 4}


@pytest.mark.parametrize("stage", BEFORE_THE_END, indirect=True)
def test_a_training_that_stops_before_its_final_evaluation_ends_in_the_same_bytes(
    stage, whole, inputs, tmp_path, capsys
):
    options = OPTIONS[stage](tmp_path, inputs)
    interrupted(stage, options, after=BEFORE_THE_END[stage])
    capsys.readouterr()
    finished(stage, options)
    assert "epoch" not in capsys.readouterr().err.partition("resuming from")[2]
    assert written(tmp_path) == whole


def test_a_damaged_checkpoint_is_not_used(stage, whole, inputs, tmp_path, capsys):
    options = OPTIONS[stage](tmp_path, inputs)
    interrupted(stage, options, after=2)
    path = tmp_path / "checkpoints" / "checkpoint.safetensors"
    change_a_bit(path)
    finished(stage, options)
    assert f"removed the checkpoint {path}, as it is damaged\n" in capsys.readouterr().err
    assert written(tmp_path) == whole


def change_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("other", ["settings", "data", "code"])
def test_a_checkpoint_of_other_work_is_not_used(
    stage, whole, inputs, tmp_path, capsys, monkeypatch, other
):
    changes = OTHER_SETTINGS[stage] if other == "settings" else {}
    interrupted(stage, OPTIONS[stage](tmp_path, inputs, **changes), after=2)
    path = tmp_path / "checkpoints" / "checkpoint.safetensors"
    options = OPTIONS[stage](tmp_path, inputs)
    if other == "code":
        # The stages of training look their code up elsewhere, together with that of their arm.
        place = STAGES[stage] if stage == "prepare_data" else stage_code
        monkeypatch.setattr(place, "source_digest", lambda *names, **own: "edited")
    if other == "data" and stage == "prepare_data":
        picture(0).save(inputs.folder / "a/1.png")
    elif other == "data":
        images = load_file(inputs.images)
        images["train_images"][0] ^= 1
        options["images"] = tmp_path / "other.safetensors"
        save_file(images, options["images"])
    finished(stage, options)
    assert f"removed the checkpoint {path}, as it has other {other}\n" in capsys.readouterr().err
    # What was trained tells of its data and code, prepared images only of themselves.
    same = other == "settings" or (stage, other) == ("prepare_data", "code")
    assert (written(tmp_path) == whole) == same


TRAININGS = ["train_run", "tune_rate", "pretrain_model"]


@pytest.fixture
def waited(monkeypatch):
    """Let every training find that another process held its lock."""
    acquire_lock = Checkpoint.acquire_lock
    monkeypatch.setattr(
        Checkpoint, "acquire_lock", lambda checkpoint: acquire_lock(checkpoint) or True
    )


@pytest.mark.parametrize("stage", TRAININGS, indirect=True)
def test_what_another_process_has_finished_in_the_meantime_is_not_trained_again(
    stage, whole, inputs, tmp_path, capsys, waited
):
    options = OPTIONS[stage](tmp_path, inputs)
    for path, content in whole.items():
        (tmp_path / path).write_bytes(content)
    finished(stage, options)
    log = capsys.readouterr().err
    assert f"another process has written {tmp_path}/manifest.json from the same inputs" in log
    assert "epoch" not in log
    assert written(tmp_path) == whole


@pytest.mark.parametrize("stage", TRAININGS, indirect=True)
@pytest.mark.parametrize("change", ["none written", "other settings", "damaged", "other content"])
def test_what_another_process_did_not_finish_is_trained(
    stage, whole, inputs, tmp_path, capsys, waited, change
):
    changes = OTHER_SETTINGS[stage] if change == "other settings" else {}
    options = OPTIONS[stage](tmp_path, inputs, **changes)
    for path, content in whole.items() if change != "none written" else ():
        is_damaged = change == "damaged" and path != "manifest.json"
        (tmp_path / path).write_bytes(content[:-1] if is_damaged else content)
    if change == "other content":
        (tmp_path / "manifest.json").write_text('{"digests": [], "files": []}')
    finished(stage, options)
    assert "\nepoch" in capsys.readouterr().err
    assert (written(tmp_path) == whole) == (change != "other settings")


@pytest.mark.parametrize("stage", ["train_run"], indirect=True)
def test_a_run_that_is_stopped_after_every_epoch_ends_in_the_same_bytes(
    stage, whole, inputs, tmp_path, capsys
):
    options = train_options(tmp_path, inputs)
    for epoch in range(1, 4):
        interrupted(stage, options, after=1)
        assert kept_epochs(tmp_path) == {f"epoch{number}" for number in range(epoch + 1)}
    finished(stage, options)
    log = capsys.readouterr().err
    assert [log.count(f"\nepoch   {epoch}/3") for epoch in (1, 2, 3)] == [1, 1, 1]
    assert written(tmp_path) == whole


def kept_epochs(folder):
    return {path.stem for path in (folder / "checkpoints").glob("epoch*")}


DAMAGES = {"changed": change_a_bit, "missing": lambda path: path.unlink()}


@pytest.mark.parametrize("stage", ["train_run"], indirect=True)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("epoch", [0, 2])
def test_a_run_whose_kept_weights_are_damaged_is_trained_from_its_start(
    stage, whole, inputs, tmp_path, capsys, damage, epoch
):
    options = train_options(tmp_path, inputs)
    interrupted(stage, options, after=2)
    DAMAGES[damage](tmp_path / "checkpoints" / f"epoch{epoch}.safetensors")
    capsys.readouterr()
    finished(stage, options)
    log = capsys.readouterr().err
    assert (
        f"removed the checkpoint {tmp_path}/checkpoints/checkpoint.safetensors, as it needs "
        f"epoch{epoch}.safetensors, which is missing or damaged\n"
    ) in log
    assert "resuming" not in log
    assert "epoch   1/3" in log
    assert written(tmp_path) == whole


@pytest.mark.parametrize("stage", ["train_run"], indirect=True)
def test_kept_weights_that_are_later_than_the_checkpoint_are_not_used(
    stage, whole, inputs, tmp_path, capsys
):
    options = train_options(tmp_path, inputs)
    interrupted(stage, options, after=1)
    for epoch in (2, 3, 4):
        (tmp_path / "checkpoints" / f"epoch{epoch}.safetensors").write_bytes(b"of other work")
    finished(stage, options)
    assert "resuming" in capsys.readouterr().err
    assert written(tmp_path) == whole


def test_a_run_that_is_stopped_and_then_diverges_ends_in_the_same_bytes(
    inputs, tmp_path, monkeypatch
):
    def diverge_in_epoch_3(state, *sets, **options):
        for record in train(state, *sets, **options):
            if record.epoch == 3:
                raise Diverged(state.step, "the loss")
            yield record

    monkeypatch.setattr(train_run, "train", diverge_in_epoch_3)
    once, stopped = tmp_path / "once", tmp_path / "stopped"
    finished("train_run", train_options(once, inputs))
    for _ in range(2):
        interrupted("train_run", train_options(stopped, inputs), after=1)
    finished("train_run", train_options(stopped, inputs))
    assert written(stopped) == written(once)
    assert read(once / "manifest.json")["status"]["state"] == "DIVERGED"
    assert load_file(once / "snapshots.safetensors")[LAYER].shape == (3, 32, 3, 3, 3)
