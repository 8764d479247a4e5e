"""A new kind of figure takes one module: this adds one to a copy of the package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from normreport.io.files import read_json
from tests.figures import synthetic

NAME = "mean_weight-vgg16-scratch-features.0"


@pytest.fixture(scope="module")
def copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the package and add the kind `mean_weight` to it."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(root / "normreport", folder / "normreport")
    kinds = folder / "normreport/figures/kinds"
    shutil.copy(root / "tests/figures/worked_example.py", kinds / "mean_weight.py")
    return folder


def run_python(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_article_has_one_figure_per_layer_and_start(copy: Path, root: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from normreport.commands.check import read_config\n"
        "from normreport.plan.figure_index import figure_index\n"
        "for figure in figure_index(read_config([Path(sys.argv[1])])):\n"
        "    print(figure.id)\n"
    )
    names = run_python(copy, "-c", script, str(root / "config.yaml")).splitlines()
    added = [name for name in names if name.startswith("mean_weight-")]
    # Two models with two layers each, from two starts.
    assert len(added) == 8
    assert NAME in added


def test_its_stage_writes_picture_numbers_and_words(copy: Path, runs: pd.DataFrame) -> None:
    table = synthetic.measures(runs)
    table.to_csv(copy / "measures.csv", index=False)
    run_python(
        copy, "-m", "normreport", "draw_figure", "--figure", NAME,
        "--settings",
        '{"kind": "mean_weight", "model": "vgg16", "start": "scratch", "layer": "features.0"}',
        "--inputs", "measures.csv",
        "--svg", "figure.svg", "--table", "figure.csv", "--text", "figure.json",
    )  # fmt: skip
    ElementTree.parse(copy / "figure.svg")
    expected = table[(table["start"] == "scratch") & (table["layer"] == "features.0")]
    written = pd.read_csv(copy / "figure.csv")
    assert len(written) == len(expected)
    assert written["mean"].abs().max() == pytest.approx(expected["mean"].abs().max(), rel=1e-12)
    words = read_json(copy / "figure.json")
    assert words["caption"].startswith("VGG16, from scratch, features.0: mean of the weights.")
    farthest = synthetic.three(expected["mean"].abs().max())
    assert words["alt"].endswith(f"No mean is farther from 0 than {farthest}.")
