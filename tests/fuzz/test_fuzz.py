"""Any input is accepted or rejected with one message, and no partial file is left.

`make fuzz` tries forty times as many inputs as the test suite, and prints the outcomes.
"""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from normreport.claims.judging import judge_all
from normreport.claims.registry import CLAIMS
from normreport.claims.study import Study
from normreport.cli import main
from normreport.config.claims import ClaimSettings, ClaimsSettings
from normreport.config.experiment import load_config
from normreport.config.yaml_files import read_values
from normreport.errors import WeightsError
from normreport.io.files import array_digest, canonical_json, read_arrays
from normreport.plan.figure_index import figure_index, figure_settings
from normreport.report.chosen_claims import chosen_claims
from normreport.report.claim_results import claim_result
from normreport.training.checkpoint_files import read_checkpoint
from normreport.training.pretrained_weights import StateDict
from tests.articles import rendered, results_of, text_of
from tests.claims.studies import study
from tests.fuzz.inputs import (
    FOLDERS,
    OWN_CLAIMS,
    STATE,
    checkpoints,
    configurations,
    wrapped_checkpoints,
    write_folder,
)
from tests.injections import INJECTIONS, SAID, find_injections
from tests.training.helpers import equal_states, tiny_network

TIMES = int(os.environ.get("FUZZ", "1"))
NETWORK = tiny_network()
OUTCOMES: dict[str, Counter[str]] = {}


def fuzzed(examples: int) -> settings:
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(scope="module", autouse=True)
def tally() -> Iterator[None]:
    """Print the number of inputs of each kind and their outcomes at the end."""
    yield
    for kind, outcomes in OUTCOMES.items():
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
        print(f"\n{sum(outcomes.values()):,} {kind}: {counts}", end="")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return a function that makes an empty folder for each input."""

    def make() -> Path:
        return tmp_path_factory.mktemp("any")

    return make


def run_command(*arguments: str) -> str:
    """Call the command line; return its output, or "" if it rejects the input with a message."""
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


@fuzzed(100)
@given(text=configurations())
def test_any_configuration_is_accepted_or_rejected(folder: Any, text: bytes) -> None:
    path = folder() / "my.yaml"
    path.write_bytes(text)
    is_accepted = bool(run_command("conditions", str(path)))
    OUTCOMES.setdefault("configurations", Counter())["accepted" if is_accepted else "rejected"] += 1
    if is_accepted:
        config = load_config(read_values(path))
        for run in config.runs():
            canonical_json(config.run_settings(run).model_dump(mode="json"))
        for figure in figure_index(config):
            figure_settings(config, figure)
        for model in filter(config.has_pretrained_runs, config.design.models):
            config.pretrain_settings(model)
        config.judge_settings()
        config.render_settings(with_pdf=True)
        # As Snakemake passes it to `normreport check`.
        assert load_config(json.loads(canonical_json(config.model_dump(mode="json")))) == config


def test_find_injections_finds_what_is_not_escaped() -> None:
    harmful = [text for text in INJECTIONS if find_injections(f"<p title=''>{text}</p>")]
    assert len(harmful) == 5
    assert find_injections(f"<a href=\"javascript:alert('{SAID}')\">a</a>")
    assert not find_injections(f"<p>{html.escape(' '.join(INJECTIONS))}</p>")


@cache  # no fixture: Hypothesis would print it
def known() -> tuple[Study, dict[str, Any]]:
    """Return a study and its results with the article's claims."""
    whole = study(noise=0.01)
    return whole, results_of(whole)


@fuzzed(8)
@given(values=OWN_CLAIMS)
def test_any_valid_claim_is_judged_and_told(values: list[dict[str, Any]]) -> None:
    whole, results = known()
    outcomes = OUTCOMES.setdefault("claims", Counter())
    own = []
    for claim in values:
        try:
            own.append(ClaimSettings.model_validate(claim))
        except ValidationError:
            outcomes["rejected"] += 1
    of_the_article = {claim.id for claim in CLAIMS}
    own = list({claim.id: claim for claim in own if claim.id not in of_the_article}.values())
    judged = judge_all(chosen_claims(ClaimsSettings(article="none", own=tuple(own))), whole)
    claims = [claim_result(one).model_dump(mode="json") for one in judged]
    outcomes.update(claim["verdict"] for claim in claims)
    page = rendered(whole, results=results | {"claims": claims}, is_article=False)
    assert not re.search(r"\b(None|nan|inf)\b", text_of(page))
    assert not find_injections(page)


@fuzzed(40)
@given(content=FOLDERS, data=..., balance=st.sampled_from(["proportional", "one_of_each", "equal"]))
def test_any_folder_of_images_gives_complete_arrays_or_none(
    folder: Any, content: dict[str, Any], data: tuple[bool, bool], balance: str
) -> None:
    source, made = folder(), folder()
    write_folder(source, content)
    skips, asks_more = data
    wanted: dict[str, Any] = {
        "train_images": 5 if asks_more else 2,
        "heldout_images": 1,
        "image_size_px": 16,
    }
    wanted |= {"balance": balance}
    source_settings = {"kind": "imagefolder", "path": str(source), "skip_unreadable": skips}
    images, manifest = made / "images.safetensors", made / "manifest.json"
    is_accepted = bool(
        run_command(
            *("prepare_data", "--threads", "2", "--images", str(images)),
            *("--manifest", str(manifest), "--checkpoints", str(made / "checkpoints")),
            *("--settings", json.dumps(wanted | {"source": source_settings})),
        )
    )
    OUTCOMES.setdefault("folders of images", Counter())[
        "accepted" if is_accepted else "rejected"
    ] += 1
    if not is_accepted:
        assert list(made.iterdir()) == []
        return
    known, arrays = json.loads(manifest.read_text()), read_arrays(images)
    assert sorted(made.iterdir()) == [images, manifest]
    assert {name: array_digest(array) for name, array in arrays.items()} == known["digests"]
    assert arrays["train_images"].shape == (wanted["train_images"], 16, 16, 3)
    counts = np.bincount(arrays["train_labels"], minlength=len(known["classes"])).tolist()
    assert counts == known["images_per_class"]["train"]
    assert skips or known["skipped"] == []
    # Neither a split nor a folder of a system becomes a class.
    assert len(known["classes"]) > 1
    assert not {"@eaDir", "__MACOSX", "$RECYCLE.BIN", ".thumbnails"} & {*known["classes"]}
    if any(isinstance(inner, dict) for inner in content.values()):
        assert not {*content} & {*known["classes"]} - {"unlabeled"}


@fuzzed(60)
@given(file=checkpoints())
def test_any_file_of_weights_is_read_or_rejected(folder: Any, file: tuple[str, bytes]) -> None:
    suffix, content = file
    path = folder() / f"weights{suffix}"
    path.write_bytes(content)
    message = ""
    state: StateDict = {}
    try:
        state, _ = read_checkpoint(path, NETWORK.module, head=NETWORK.head)
    except WeightsError as error:
        message = str(error)
    OUTCOMES.setdefault("files of weights", Counter())["rejected" if message else "accepted"] += 1
    # "FILE: …", or "FILE (the state): …" of weights that do not fit the network
    starts = (f"{path}: ", f"{path} (")
    assert message.startswith(starts) if message else all(isinstance(n, str) for n in state)


@fuzzed(60)
@given(checkpoint=wrapped_checkpoints())
def test_a_network_in_any_wrapper_and_with_any_prefix_is_found(
    folder: Any, checkpoint: tuple[str, Any]
) -> None:
    name, content = checkpoint
    path = folder() / name
    torch.save(content, path)
    state, _ = read_checkpoint(path, NETWORK.module, head=NETWORK.head)
    assert equal_states(state, STATE)
    OUTCOMES.setdefault("wrapped checkpoints", Counter())["accepted"] += 1
