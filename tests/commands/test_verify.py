"""A report against results: the same, or tampered with in each way that one can."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normreport.claims.registry import CLAIMS
from normreport.cli import main
from normreport.commands import verify
from normreport.config import pages
from normreport.io.files import file_digest
from normreport.provenance.record import read_record
from tests.reports import FIGURES, RUNS, UNKNOWN, write_report

Verify = Callable[..., tuple[int, str]]
CURVES, DENSITY = FIGURES


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, default_values: dict[str, Any]) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "results"
    write_report(folder, default_values)
    return folder


@pytest.fixture
def results(finished: Path, tmp_path: Path) -> Path:
    """Give a copy of finished results, to be tampered with."""
    shutil.copytree(finished, tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def page(results: Path) -> Path:
    return results / "report/index.html"


@pytest.fixture
def verified(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Run the command; its status and what it printed."""

    def run(*arguments: object) -> tuple[int, str]:
        status = main(["verify", *map(str, arguments)])
        out, err = capsys.readouterr()
        return status, out + err

    return run


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there, once."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def in_place(path: Path, mark: str, old: str, new: str) -> None:
    """Replace a text after a mark."""
    before, after = path.read_text().split(mark, 1)
    assert old in after
    path.write_text(before + mark + after.replace(old, new, 1))


def test_the_logo_must_be_the_reports(
    changed: Callable[[dict[str, Any]], dict[str, Any]], tmp_path: Path, verified: Verify
) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    page = write_report(tmp_path / "results", changed({"report.logo": str(logo)}))
    assert verified(page)[0] == 0
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9"/>')
    status, text = verified(page)
    assert status == 1
    assert 'prose: #page: “src="data:image/svg+xml;base64,' in text
    logo.unlink()
    status, text = verified(page)
    assert status == 2
    assert "report.logo: " in text


def test_a_report_is_identical_to_its_own_results(page: Path, verified: Verify) -> None:
    for report in (page, page.parent):
        status, text = verified(report)
        assert status == 0
        assert text.startswith("identical: ")
        assert f"2 figures, {len(CLAIMS)} verdicts" in text


def test_results_may_lie_elsewhere(results: Path, tmp_path: Path, verified: Verify) -> None:
    moved = tmp_path / "elsewhere/a.html"
    moved.parent.mkdir()
    shutil.copy(results / "report/index.html", moved)
    assert verified(moved, "--results", results)[0] == 0


# Results of another configuration


def test_a_run_of_other_settings_is_named_though_the_record_agrees(
    results: Path, page: Path, verified: Verify
) -> None:
    """Versions before 0.2 recorded what they found, whatever the settings of the runs."""
    path = results / f"runs/{RUNS[1]}/manifest.json"
    values = json.loads(path.read_text())
    values["settings"]["epochs"] = 1
    old = file_digest(path)
    path.write_text(json.dumps(values))
    for file in (page, page.parent / "provenance.json"):
        file.write_text(file.read_text().replace(old, file_digest(path)))
    status, out = verified(page)
    assert status == 1
    assert f"settings: runs/{RUNS[1]}: epochs: expected 35, found 1" in out


# The page tampered with


def test_a_digit_of_the_prose_is_found_with_place_and_amount(page: Path, verified: Verify) -> None:
    text = page.read_text()
    found = re.search(r"The largest shift is (\d[\d.]*)%", text)
    assert found is not None
    printed = found[1]
    changed = str(9 - int(printed[0])) + printed[1:]
    replace(
        page,
        f"The largest shift is {printed}%",
        f"The largest shift is {changed}%",
    )
    status, out = verified(page)
    assert status == 1
    assert f"{changed} instead of {printed} (" in out
    assert re.search(r"^prose: #\w+: ", out, re.M)
    assert len(out.splitlines()) == 3


def test_a_path_of_a_drawing_is_found(page: Path, verified: Verify) -> None:
    in_place(page, f'<svg id="{DENSITY}">', "M 10.5 20.25", "M 10.5 20.75")
    status, out = verified(page)
    assert status == 1
    assert f"drawing: Figure 1 ({DENSITY}): 20.75 instead of 20.25 (0.024 relative)" in out


def test_a_caption_is_found(page: Path, verified: Verify) -> None:
    replace(page, f"What {CURVES} shows: 0.123", f"What {CURVES} hides: 0.123")
    status, out = verified(page)
    assert status == 1
    assert f"caption: Figure S1 ({CURVES}): “hides:” instead of “shows:”" in out


def test_a_verdict_in_the_prose_is_found(page: Path, verified: Verify) -> None:
    claim = json.loads((page.parent / "results.json").read_text())["claims"][1]
    in_place(page, f'id="claim-{claim["id"]}"', f">{claim['verdict'].lower()}<", ">proven<")
    status, out = verified(page)
    assert status == 1
    assert f"prose: #claim-{claim['id']}: “proven” instead of “{claim['verdict'].lower()}”" in out


def test_a_verdict_in_the_record_is_found(page: Path, verified: Verify, results: Path) -> None:
    record = json.loads((results / "report/provenance.json").read_text())
    verdict = record["claims"]["F2"]["verdict"]
    in_place(page, '"F2":{', f'"verdict":"{verdict}"}},"F3"', '"verdict":"PROVEN"},"F3"')
    status, out = verified(page)
    assert status == 1
    assert f"verdict: F2: PROVEN → {verdict}" in out
    assert f"{len(CLAIMS) - 1} of {len(CLAIMS)} verdicts agree, every number." in out


def test_a_commit_that_the_report_claims_is_found(page: Path, verified: Verify) -> None:
    page.write_text(page.read_text().replace("c0ffee", "decade"))
    status, out = verified(page)
    assert status == 1
    assert "record: revision.commit: decade" in out


def test_a_space_of_the_markup_is_found(page: Path, verified: Verify) -> None:
    replace(page, '<p class="lead">', '<p  class="lead">')
    status, out = verified(page)
    assert status == 1
    assert "prose: #abstract: differs only in spaces" in out


# The results tampered with


def test_a_value_of_a_table_is_found(results: Path, page: Path, verified: Verify) -> None:
    replace(results / f"report/data/{CURVES}.csv", "2.5", "2.6")
    status, out = verified(page)
    assert status == 1
    assert f"data: changed since the report was built: report/data/{CURVES}.csv" in out


def test_of_a_table_whose_original_is_at_hand_the_amount_is_told(
    finished: Path, results: Path, page: Path
) -> None:
    replace(results / f"report/data/{CURVES}.csv", "2.5", "2.0")
    record = read_record(results / "report/provenance.json")
    there = verify._record_of(record, results, rebuilt=False)
    lines = list(verify._data(record, there, finished, results))
    assert lines == [
        f"data: report/data/{CURVES}.csv differs",
        "  loss: 1 of 1 values, by at most 0.2",
    ]


def test_a_number_of_the_results_is_found_with_its_amount(
    results: Path, page: Path, verified: Verify
) -> None:
    path = results / "report/results.json"
    values = json.loads(path.read_text())
    values["runs"][0]["train_loss"] *= 2
    path.write_text(json.dumps(values))
    status, out = verified(page)
    assert status == 1
    assert f"numbers: runs.{RUNS[0]}: 1, by at most 0.5 relative (train_loss: 0.25 → 0.5)" in out


def test_a_number_that_the_results_lack_has_no_counterpart(
    results: Path, page: Path, verified: Verify
) -> None:
    path = results / "report/results.json"
    values = json.loads(path.read_text())
    values["runs"][0]["train_loss"] = None
    path.write_text(json.dumps(values))
    assert verified(page)[1].endswith("agree, and some numbers have no counterpart.\n")


def test_a_drawing_of_the_results_is_found(results: Path, page: Path, verified: Verify) -> None:
    replace(results / f"figures/{CURVES}.svg", "L 30 40", "L 30 50")
    status, out = verified(page)
    assert status == 1
    assert f"data: changed since the report was built: figures/{CURVES}.svg" in out
    assert f"drawing: Figure S1 ({CURVES}): 40 instead of 50 (0.2 relative)" in out


def test_other_weights_of_a_run_are_found(results: Path, page: Path, verified: Verify) -> None:
    path = results / "report/provenance.json"
    record = json.loads(path.read_text())
    record["runs"][1]["final_weights"] = "f" * 64
    path.write_text(json.dumps(record))
    status, out = verified(page)
    assert status == 1
    assert f"record: runs.{RUNS[1]}.final_weights: " in out


@pytest.mark.parametrize(
    "name",
    [
        f"runs/{RUNS[1]}/snapshots.safetensors",
        f"runs/{RUNS[0]}/history.csv",
        "data/target/images.safetensors",
        "pretrained/vgg16/weights.safetensors",
    ],
)
def test_one_bit_of_a_large_file_is_found(
    results: Path, page: Path, verified: Verify, name: str
) -> None:
    content = bytearray((results / name).read_bytes())
    content[5] ^= 1
    (results / name).write_bytes(content)
    status, out = verified(page)
    assert status == 1
    assert f"data: changed since the report was built: {name}\n" in out


def test_a_rebuild_with_other_last_bits_agrees_to_a_relative_difference(
    results: Path,
    page: Path,
    tmp_path: Path,
    default_values: dict[str, Any],
    verified: Verify,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rebuilt = tmp_path / "rebuilt"
    bits = {"train_loss": 0.25 * (1 + 1e-7)}
    other = {"final_weights": "f" * 64}
    write_report(
        rebuilt, default_values, rows={RUNS[0]: bits}, digests={RUNS[0]: other}, revision=UNKNOWN
    )
    monkeypatch.setattr(verify, "_rebuilt", lambda record, folder: rebuilt)
    status, out = verified(page, "--rebuild")
    assert status == 1
    lines = out.splitlines()
    assert "data: report/data/runs.csv differs" in lines
    assert "  train_loss: 1 of 2 values, by at most 1e-07" in lines
    assert lines[-1] == f"{len(CLAIMS)} of {len(CLAIMS)} verdicts agree, numbers to 1e-07 relative."
    assert not [line for line in lines if line.startswith(("verdict", "prose", "drawing"))]
    # A rebuild has no commit: the one of the report is no difference.
    assert "revision" not in out


def write_rebuilt(folder: Path, values: dict[str, Any], *, effect: float, verdict: str) -> None:
    """Write a report whose first case of F1 has another effect, and F1 perhaps another verdict."""
    write_report(folder, values, revision=UNKNOWN)
    path = folder / "report/results.json"
    found = json.loads(path.read_text())
    claim = next(claim for claim in found["claims"] if claim["id"] == "F1")
    claim["cases"][0]["effect"]["mean"] += effect * claim["axis_margin"]
    claim["verdict"] = verdict or claim["verdict"]
    path.write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("effect", "verdict", "status", "end"),
    [
        (0.04, "", 0, "Accepted: no verdict differs, and effects differ by at most 0.04"),
        (-0.06, "", 1, "Not accepted: no verdict differs, and effects differ by at most 0.06"),
        (
            0.0,
            "MIXED",
            1,
            f"Not accepted: 1 of {len(CLAIMS)} verdicts differ, and effects differ by at most 0",
        ),
    ],
)
def test_a_tolerance_is_a_share_of_each_claims_margin(
    page: Path,
    tmp_path: Path,
    default_values: dict[str, Any],
    verified: Verify,
    monkeypatch: pytest.MonkeyPatch,
    effect: float,
    verdict: str,
    status: int,
    end: str,
) -> None:
    rebuilt = tmp_path / "rebuilt"
    write_rebuilt(rebuilt, default_values, effect=effect, verdict=verdict)
    monkeypatch.setattr(verify, "_rebuilt", lambda record, folder: rebuilt)
    found, out = verified(page, "--rebuild", "--tolerance", 0.05)
    assert found == status
    assert out.splitlines()[-1] == f"{end} of their claims' margins (tolerance 0.05)."
    assert verified(page, "--rebuild")[0] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tolerance", "0.1"], "--tolerance: expected with --rebuild."),
        (["--rebuild", "--tolerance", "-1"], "expected a number of 0 or more, found -1"),
        (["--rebuild", "--tolerance", "nan"], "expected a number of 0 or more, found nan"),
        (["--rebuild", "--tolerance", "much"], "expected a number of 0 or more, found much"),
    ],
)
def test_a_tolerance_that_makes_no_sense_is_refused(
    page: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    try:
        status = main(["verify", str(page), *options])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2
    assert message in capsys.readouterr().err


# What is no report, or no results


def test_results_that_are_not_whole_are_a_mistake_of_the_user(
    results: Path, page: Path, verified: Verify
) -> None:
    (results / f"figures/{CURVES}.svg").unlink()
    status, out = verified(page)
    assert status == 2
    assert f"1 of the report's 19 files are missing, the first is figures/{CURVES}.svg" in out


def test_a_page_of_something_else_is_a_mistake_of_the_user(
    tmp_path: Path, verified: Verify
) -> None:
    (tmp_path / "index.html").write_text("<p>Hello")
    status, out = verified(tmp_path)
    assert status == 2
    assert out.count("\n") == 1
    assert "contains no record of a report" in out


def test_a_rebuild_that_fails_is_a_mistake_of_the_user(
    page: Path, verified: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[0] == "snakemake"
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", failed)
    status, out = verified(page, "--rebuild")
    assert status == 2
    assert "snakemake exited with status 1" in out


def test_every_page_of_a_large_report_is_compared(
    tmp_path: Path,
    default_values: dict[str, Any],
    verified: Verify,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "MOST_FIGURES", 0)
    article = write_report(tmp_path / "results", default_values)
    assert verified(article)[0] == 0
    curves = article.parent / "supplement/vgg16.html"
    replace(curves, "shows: 0.123 of it", "shows: 0.456 of it")
    status, output = verified(article)
    assert status == 1
    assert f"caption: supplement/vgg16.html, Figure S1 ({CURVES}): 0.456 instead" in output
    curves.unlink()
    status, output = verified(article)
    assert status == 1
    assert "page: supplement/vgg16.html is missing" in output
