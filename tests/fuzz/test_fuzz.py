"""Whatever a user feeds the program is taken, or refused in one message; nothing is half-written.

`make fuzz` tries forty times as many inputs as the suite, and prints how they ended.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from normreport.cli import main
from normreport.config.experiment import load_config
from normreport.config.yaml_files import read_values
from normreport.errors import WeightsError
from normreport.io.files import array_digest, canonical_json, read_arrays
from normreport.plan.figure_index import figure_index, figure_settings
from normreport.training.pretrained_weights import read_state_dict
from tests.fuzz.inputs import FOLDERS, checkpoints, configurations, write_folder

TIMES = int(os.environ.get("FUZZ", "1"))
ENDS: dict[str, Counter[str]] = {}


def tried(examples: int) -> Any:
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(scope="module", autouse=True)
def tally() -> Iterator[None]:
    """Print at the end how many inputs there were of each kind, and how they ended."""
    yield
    for kind, ends in ENDS.items():
        counts = ", ".join(f"{count:,} {end}" for end, count in ends.most_common())
        print(f"\n{sum(ends.values()):,} {kind}: {counts}", end="")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give a function that makes an empty folder, for each input one."""

    def make() -> Path:
        return tmp_path_factory.mktemp("any")

    return make


def called(*arguments: str) -> str:
    """Call the command line; give what it prints, or "" where it refused in one message."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(arguments)
    if status == 0:
        return out.getvalue() + err.getvalue() or "done"
    message = err.getvalue().splitlines()
    named = f"normreport {arguments[0]}: "
    assert status == 2
    assert [line.startswith(named) for line in message].count(True) == 1
    assert len(err.getvalue()) < 10_000
    assert out.getvalue() == ""
    return ""


@tried(100)
@given(text=configurations())
def test_any_configuration_is_an_experiment_or_refused(folder: Any, text: bytes) -> None:
    path = folder() / "my.yaml"
    path.write_bytes(text)
    is_taken = bool(called("conditions", str(path)))
    ENDS.setdefault("configurations", Counter())["taken" if is_taken else "refused"] += 1
    if is_taken:
        config = load_config(read_values(path))
        for run in config.runs():
            canonical_json(config.run_settings(run).model_dump(mode="json"))
        for figure in figure_index(config):
            figure_settings(config, figure)
        if any(start.startswith("pretrained") for start in config.experiment.starts):
            for model in config.experiment.models:
                config.pretrain_settings(model)
        config.judge_settings()
        config.render_settings(with_pdf=True)
        # As it goes from Snakemake to `normreport check`.
        assert load_config(json.loads(canonical_json(config.model_dump(mode="json")))) == config


@tried(40)
@given(content=FOLDERS, data=...)
def test_any_folder_of_images_becomes_whole_arrays_or_nothing(
    folder: Any, content: dict[str, Any], data: tuple[bool, bool]
) -> None:
    source, made = folder(), folder()
    write_folder(source, content)
    skips, asks_more = data
    wanted = {"train_images": 5 if asks_more else 2, "heldout_images": 1, "image_size_px": 16}
    source_settings = {"kind": "imagefolder", "path": str(source), "skip_unreadable": skips}
    images, manifest = made / "images.safetensors", made / "manifest.json"
    is_taken = bool(
        called(
            *("prepare_data", "--threads", "2", "--images", str(images)),
            *("--manifest", str(manifest), "--checkpoints", str(made / "checkpoints")),
            *("--settings", json.dumps(wanted | {"source": source_settings})),
        )
    )
    ENDS.setdefault("folders of images", Counter())["taken" if is_taken else "refused"] += 1
    if not is_taken:
        assert list(made.iterdir()) == []
        return
    known, arrays = json.loads(manifest.read_text()), read_arrays(images)
    assert sorted(made.iterdir()) == [images, manifest]
    assert {name: array_digest(array) for name, array in arrays.items()} == known["digests"]
    assert arrays["train_images"].shape == (wanted["train_images"], 16, 16, 3)
    counts = np.bincount(arrays["train_labels"], minlength=len(known["classes"])).tolist()
    assert counts == known["images_per_class"]["train"]
    assert skips or known["skipped"] == []


@tried(60)
@given(file=checkpoints())
def test_any_file_of_weights_is_read_or_refused(folder: Any, file: tuple[str, bytes]) -> None:
    suffix, content = file
    path = folder() / f"weights{suffix}"
    path.write_bytes(content)
    message, state = "", {}
    try:
        state = read_state_dict(path)
    except WeightsError as error:
        message = str(error)
    ENDS.setdefault("files of weights", Counter())["refused" if message else "taken"] += 1
    assert message.startswith(f"{path}: ") if message else all(isinstance(n, str) for n in state)
