"""Snakemake's between-workflow cache: a second study trains nothing that the first one has."""

from __future__ import annotations

from tests.workflow.conftest import SMOKE

CACHED = ("prepare_data", "pretrain_model", "train_run")
ONE_RUN = """
experiment:
  models: [mobilenet_v2]
  starts: [pretrained]
  normalizations: [unit]
  seeds: {seeds}
"""


def test_a_second_study_takes_equal_runs_from_the_cache(clone):
    (clone.folder / "cache").mkdir()
    studies = {"first": "[0]", "second": "[0, 1]"}
    for name, seeds in studies.items():
        study = clone.folder / name
        study.mkdir()
        (study / "mine.yaml").write_text(ONE_RUN.format(seeds=seeds))
        clone.snakemake(
            *(*SMOKE, str(study / "mine.yaml"), "--directory", str(study)),
            *("--cache", *CACHED, "--until", "measure_weights"),
            SNAKEMAKE_OUTPUT_CACHE=str(clone.folder / "cache"),
        )
    # Snakemake leaves the log of a job empty whose outputs it takes from the cache.
    logs = study / "logs"
    run = {path.relative_to(logs).as_posix() for path in logs.rglob("*.log") if path.stat().st_size}
    assert {name for name in run if name.split("/")[0] in CACHED} == {
        "train_run/mobilenet_v2/pretrained/unit/seed1.log"
    }
    assert "measure_weights/mobilenet_v2/pretrained/unit/seed0.log" in run
    one = "results/measures/mobilenet_v2/pretrained/unit/seed0.parquet"
    first = clone.folder / "first"
    assert (study / one).read_bytes() == (first / one).read_bytes()
