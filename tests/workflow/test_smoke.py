"""A real build of the whole workflow: two normalizations of MobileNetV2, images to article."""

from __future__ import annotations

import csv
import json
import math
import re

import numpy as np
import pytest
from pypdf import PdfReader
from safetensors.numpy import load_file

from normreport.text.formatting import format_number, format_percent
from tests.workflow.conftest import SMOKE

RUNS = [
    f"mobilenet_v2/{start}/{arm}/seed{seed}"
    for start in ("pretrained", "scratch")
    for arm in ("unit", "imagenet")
    for seed in (0, 1)
]


@pytest.fixture(scope="module")
def report(smoke):
    return smoke.folder / "results/report"


@pytest.fixture(scope="module")
def results(report):
    return json.loads((report / "results.json").read_text())


@pytest.fixture(scope="module")
def page(report):
    return (report / "index.html").read_text()


@pytest.fixture(scope="module")
def pdf(report):
    return PdfReader(report / "report.pdf")


def words(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_a_build_announces_its_runs_and_ends_with_the_verdicts_and_the_report(smoke):
    assert "Runs to be trained: 8 of 8" in smoke.output
    assert re.search(r"train_run +8\n", smoke.output)
    *_, verdicts, place = smoke.output.splitlines()
    assert re.match(r"\d+ claims: \d+ ", verdicts)
    assert place == "The report: results/report/index.html"


def test_a_build_prints_one_short_line_for_each_job(smoke):
    jobs = re.findall(r"^\d\d:\d\d:\d\d \[\d+/59\] (.*)$", smoke.output, re.M)
    assert len(jobs) == 59
    assert "train_run mobilenet_v2 scratch unit 0: missing output, new input" in jobs
    assert len(smoke.output) < 10_000


def test_all_images_are_prepared_before_any_training(smoke):
    jobs = re.findall(r"^\d\d:\d\d:\d\d \[\d+/59\] (\w+) ", smoke.output, re.M)
    assert jobs.index("train_run") > max(i for i, job in enumerate(jobs) if job == "prepare_data")
    assert jobs[:2] == ["prepare_data"] * 2


@pytest.mark.parametrize("run", RUNS)
def test_every_run_was_trained_and_logged(smoke, run):
    folder = smoke.folder / "results/runs" / run
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == {"state": "OK"}
    assert manifest["epochs"] == 8
    assert manifest["checks"]["moved"]
    condition = manifest["run"]
    name = f"{condition['model']}/{condition['start']}/{condition['normalization']}"
    assert f"{name}/seed{condition['seed']}" == run
    history = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    assert [int(row["epoch"]) for row in history] == list(range(9))
    assert float(history[-1]["batch_loss"]) < float(history[1]["batch_loss"])
    log = (smoke.folder / "logs/train_run" / f"{run}.log").read_text()
    assert len(re.findall(r"^epoch .* train loss .* held-out loss .* s$", log, re.M)) == 9


def test_arms_of_a_seed_begin_with_the_same_weights_and_seeds_do_not(smoke):
    def first(arm, seed):
        path = smoke.folder / f"results/runs/mobilenet_v2/scratch/{arm}/seed{seed}"
        return load_file(path / "snapshots.safetensors")["features.0.0"][0]

    assert np.array_equal(first("unit", 0), first("imagenet", 0))
    assert not np.array_equal(first("unit", 0), first("unit", 1))


def test_first_batches_are_those_of_the_arms(smoke):
    manifests = {
        arm: json.loads(
            (
                smoke.folder / f"results/runs/mobilenet_v2/scratch/{arm}/seed0/manifest.json"
            ).read_text()
        )
        for arm in ("unit", "imagenet")
    }
    assert (manifests["unit"]["first_batch"]["min"], manifests["unit"]["first_batch"]["max"]) == (
        0.0,
        1.0,
    )
    assert manifests["imagenet"]["first_batch"]["min"] == pytest.approx(-0.485 / 0.229, rel=1e-6)
    digests = [manifest["digests"] for manifest in manifests.values()]
    for same in ("order", "initial_weights", "data"):
        assert digests[0][same] == digests[1][same]


def test_numbers_of_the_page_can_be_computed_from_the_weights(smoke, page, results):
    """Recompute a layer's displacement and spread from the snapshots; the page prints them."""
    moved, last = [], []
    for run in (run for run in RUNS if "/scratch/" in run):
        path = smoke.folder / "results/runs" / run / "snapshots.safetensors"
        weights = load_file(path)["features.0.0"].astype(np.float64)
        moved.append(np.linalg.norm(weights[-1] - weights[0]) / np.linalg.norm(weights[0]))
        last.append(weights[-1].std(ddof=1))
    row = next(row for row in results["headline"]["layers"] if row["start"] == "scratch")
    assert row["displacement"] == pytest.approx(np.mean(moved), rel=1e-9)
    printed = (format_number(float(np.mean(last))), format_percent(float(np.mean(moved))))
    assert " ".join(printed) in words(page)


def test_the_page_has_every_figure_inside_and_fetches_nothing(smoke, page):
    figures = sorted(path.stem for path in (smoke.folder / "results/figures").glob("*.svg"))
    assert len(figures) == 24
    assert len(re.findall(r'<div class="drawing"[^>]*><svg', page)) == 24
    for figure in figures:
        assert f'<figure id="{figure}"' in page
        assert (smoke.folder / f"results/report/data/{figure}.csv").stat().st_size > 50
    assert not re.search(r"""<(?!a\s)[^>]*\s(src|href)\s*=\s*["'](https?:)?//""", page)
    assert "@import" not in page
    assert not re.search(r"url\((?!#|data:)", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_prints_every_verdict_of_the_results(page, results):
    for claim in results["claims"]:
        part = page.split(f'id="claim-{claim["id"]}"')[0].rsplit("<h3>", 1)[1]
        assert f">{claim['verdict'].lower()}<" in part
    judged = [
        claim["id"] for claim in results["claims"] if claim["pilot"] and claim["least_favourable"]
    ]
    assert judged, "the smoke preset must be able to judge something by its runs"


def test_results_hold_no_nan_and_no_path(report, smoke):
    text = (report / "results.json").read_text()
    json.loads(text, parse_constant=lambda constant: pytest.fail(constant))
    assert str(smoke.folder) not in text
    assert str(smoke.folder) not in (report / "index.html").read_text()


def test_the_pdf_has_the_figures_the_captions_and_the_claims(smoke, pdf, page, results):
    text = words(" ".join(sheet.extract_text() for sheet in pdf.pages))
    assert "Does input normalization change" in text
    figures = set(re.findall(r"Figure (S?\d+)\.", words(page)))
    assert len(figures) == len(list(smoke.folder.glob("results/figures/*.svg")))
    assert {"1", "S1"} <= figures
    for figure in figures:
        assert f"Figure {figure}." in text
    for claim in results["claims"]:
        assert claim["topic"] in text
    # Text of the drawings themselves shows that they were drawn.
    assert "training curves" in text
    assert len(pdf.pages) >= 8


def test_the_pdf_is_tagged_and_has_a_title(pdf):
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert pdf.metadata.title.startswith("Does input normalization")


def test_a_second_snakemake_has_nothing_to_do(smoke):
    output = smoke.snakemake(*SMOKE).stdout
    assert "Nothing to be done" in output


def test_an_edited_template_renders_again_without_training(smoke):
    template = smoke.folder / "templates/sections/question.html.j2"
    before = template.read_text()
    template.write_text(
        before.replace("So any effect should be small.", "So the effect should be small.")
    )
    try:
        output = smoke.snakemake(*SMOKE, "--dry-run").stdout
    finally:
        template.write_text(before)
    jobs = re.search(r"Job stats:.*?\ntotal", output, re.S).group()
    assert set(re.findall(r"^(\w+) +\d+$", jobs, re.M)) == {
        "all",
        "record_provenance",
        "render_html",
        "render_pdf",
    }


def test_publishing_copies_the_report_for_a_static_host(smoke):
    smoke.snakemake("publish", *SMOKE)
    site = smoke.folder / "public"
    report = smoke.folder / "results/report"
    for name in ("index.html", "report.pdf", "results.json", "data/runs.csv", "data/examples.csv"):
        assert (site / name).read_bytes() == (report / name).read_bytes()
    # Links of the page itself, not those within drawings.
    links = set(re.findall(r'<a href="([^"#]+)"', (site / "index.html").read_text()))
    assert links
    for link in links:
        assert link.startswith("https://") or (site / link).is_file(), link


def test_chance_is_ln_of_the_classes(results):
    """Recompute from the table of runs which of them learned."""
    for run in results["runs"]:
        assert run["learned"] == (run["train_loss"] < 0.9 * math.log(results["data"]["classes"]))
