"""No report mixes results of two configurations, whatever Snakemake is told to keep."""

from __future__ import annotations

import pytest

from tests.workflow.conftest import SMOKE, copy_of

OTHER = "training: {epochs: 9}\nexperiment: {seeds: [0, 1, 2]}\n"
OLD = "results/runs/mobilenet_v2/pretrained/imagenet/seed0/manifest.json"


@pytest.fixture
def built(smoke, tmp_path):
    """Return a finished build, and a configuration with another seed and other settings."""
    copy = copy_of(smoke, tmp_path)
    (tmp_path / "other.yaml").write_text(OTHER)
    return copy


@pytest.mark.parametrize("option", ["--rerun-triggers mtime", "--touch", "--cleanup-metadata"])
def test_runs_that_snakemake_is_told_to_keep_are_named_before_anything_is_made(built, option):
    command = (*SMOKE, "other.yaml", *option.split())
    if option == "--cleanup-metadata":  # as Snakemake recommends after a change of the code
        run = (built.folder / OLD).parent
        outputs = [str(path.relative_to(built.folder)) for path in run.iterdir()]
        built.snakemake(*command, *outputs)
        # Without metadata, times decide, and the copy of a folder has any order of times.
        for path in run.iterdir():
            path.touch()
        command = command[:-1]
    before = (built.folder / "results/report/index.html").read_bytes()
    refused = built.snakemake(*command, check=False)
    assert refused.returncode == 1
    name = OLD.removeprefix("results/").removesuffix("/manifest.json")
    assert f"{name}: epochs: expected 9, found 8" in refused.stdout
    assert "A report would mix two configurations." in refused.stdout
    assert "Traceback" not in refused.stdout
    assert (built.folder / "results/report/index.html").read_bytes() == before
    assert not list(built.folder.glob("results/runs/*/*/*/seed2"))


def test_touched_results_of_the_configuration_are_used(built):
    """Everything else that a touch hides, such as an edited comment, is the user's decision."""
    module = built.folder / "normreport/stages/train_run.py"
    module.write_text(module.read_text() + "# a comment\n")
    built.snakemake(*SMOKE, "--touch")
    assert "Nothing to be done" in built.snakemake(*SMOKE).stdout
