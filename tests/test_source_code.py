"""An edited source file remakes neither too little nor too much."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from normreport import source_code
from normreport.cli import STAGES
from normreport.commands.check import read_config
from normreport.plan.figure_index import figure_index
from normreport.source_code import package_versions, source_digest, source_files

DEFAULT = read_config([Path(__file__).parents[1] / "config.yaml"])
KINDS = sorted({figure.kind for figure in figure_index(DEFAULT)})
TRAINING = "normreport.stages.train_run"


def _names(*modules: str) -> set[str]:
    """Name the source files within the package, such as ``stages/train_run``."""
    package = source_code.ROOT / "normreport"
    return {p.relative_to(package).with_suffix("").as_posix() for p in source_files(*modules)}


@pytest.fixture
def copied(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work on a copy of the package and return its folder."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "normreport", tmp_path / "normreport", ignore=ignored)
    monkeypatch.setattr(source_code, "ROOT", tmp_path)
    return tmp_path / "normreport"


def test_training_depends_on_what_trains_and_on_nothing_that_reports() -> None:
    found = _names(TRAINING)
    assert {
        "__init__",
        "stages/__init__",
        "stages/train_run",
        "training/loop",
        "training/networks",
        "training/seeds",
        "training/layer_summaries",
        "normalizations/__init__",
        "io/files",
        "config/training",
    } <= found
    rooms = {name.split("/")[0] for name in found}
    reporting = {"claims", "commands", "figures", "plan", "report", "text", "cli"}
    assert not rooms & reporting
    assert {name for name in found if name.startswith("provenance/")} == {
        "provenance/__init__",
        "provenance/stage_code",
    }
    assert not {"config/experiment", "config/report", "config/figure_kinds"} & found
    assert "statistics/inference" not in found
    assert "training/torchvision_weights" not in found  # only pretrain_model downloads weights
    assert {name for name in found if name.startswith("stages/")} == {
        "stages/__init__",
        "stages/train_run",
    }


def test_a_sweep_depends_on_the_code_that_trains_runs_and_a_run_not_on_that_of_sweeps() -> None:
    run, sweep = _names("normreport.stages.train_run"), _names("normreport.stages.tune_rate")
    assert {name for name in run if name.startswith("training/")} - sweep == {
        "training/layer_summaries",
        "training/probe",
    }
    assert "stages/tune_rate" not in run
    assert "config/tuning" in run & sweep


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_depends_on_the_common_drawing_and_on_no_other_kind(kind: str) -> None:
    found = _names(f"normreport.figures.kinds.{kind}")
    assert {
        "figures/__init__",
        f"figures/kinds/{kind}",
        "figures/drawing",
        "figures/style",
    } <= found
    assert {f"figures/kinds/{other}" for other in KINDS} & found == {f"figures/kinds/{kind}"}


def test_the_stage_that_draws_depends_on_no_kind_by_itself() -> None:
    assert not {f"figures/kinds/{kind}" for kind in KINDS} & _names("normreport.stages.draw_figure")


def test_files_are_sorted_and_unique() -> None:
    found = source_files(TRAINING, "normreport.stages.digest_weights", TRAINING)
    assert found == sorted(set(found))
    assert all(path.is_file() for path in found)


def test_every_module_that_an_import_loads_is_among_the_source_files(root: Path) -> None:
    """Compare with Python's own imports, each module in a fresh state."""
    modules = [f"normreport.stages.{stage}" for stage in STAGES]
    modules += [f"normreport.figures.kinds.{kind}" for kind in KINDS]
    program = (
        "import importlib, json, sys\n"
        "loaded = {}\n"
        "for module in sys.argv[1:]:\n"
        "    for name in [n for n in sys.modules if n.split('.')[0] == 'normreport']:\n"
        "        del sys.modules[name]\n"
        "    importlib.import_module(module)\n"
        "    ours = [m for n, m in sys.modules.items() if n.split('.')[0] == 'normreport']\n"
        "    loaded[module] = sorted(m.__file__ for m in ours)\n"
        "print(json.dumps(loaded))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *modules],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    for module, loaded in json.loads(ended.stdout).items():
        missed = {Path(path) for path in loaded} - {path.resolve() for path in source_files(module)}
        assert not missed, module


def test_a_digest_does_not_depend_on_the_folder_of_the_package(copied: Path) -> None:
    here = source_digest(TRAINING)
    assert source_files(TRAINING)[0].is_relative_to(copied)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_code, "ROOT", Path(source_code.__file__).parent.parent)
        assert source_digest(TRAINING) == here


@pytest.mark.parametrize(
    "name", ["training/networks.py", "normalizations/__init__.py", "stages/__init__.py"]
)
def test_a_changed_byte_of_what_trains_changes_the_digest(copied: Path, name: str) -> None:
    before = source_digest(TRAINING)
    path = copied / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert source_digest(TRAINING) != before


@pytest.mark.parametrize(
    "name", ["figures/kinds/density.py", "config/experiment.py", "stages/render_html.py"]
)
def test_a_changed_byte_of_what_reports_retrains_nothing(copied: Path, name: str) -> None:
    before = source_digest(TRAINING)
    path = copied / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert source_digest(TRAINING) == before


def test_a_renamed_module_changes_the_digest(copied: Path) -> None:
    before = source_digest("normreport.training.seeds")
    (copied / "training/seeds.py").rename(copied / "training/seed.py")
    assert source_digest("normreport.training.seed") != before


@pytest.mark.parametrize(
    "line",
    [
        "import normreport.text.labels",
        "import normreport.text.labels as names",
        "from normreport.text.labels import MODELS",
        "from normreport.text import labels",
        "def late():\n    from normreport.text import labels",
        "from ..text import labels",
        "from ..text.labels import MODELS",
    ],
)
def test_every_way_to_import_a_module_is_seen(copied: Path, line: str) -> None:
    assert "text/labels" not in _names("normreport.training.seeds")
    path = copied / "training/seeds.py"
    path.write_text(path.read_text() + f"\n{line}\n")
    assert "text/labels" in _names("normreport.training.seeds")


def test_modules_that_import_each_other_are_found_once(copied: Path) -> None:
    (copied / "hen.py").write_text("import normreport.egg\n")
    (copied / "egg.py").write_text("import normreport.hen\n")
    assert _names("normreport.hen") == {"__init__", "hen", "egg"}


def test_packages_with_similar_names_are_not_ours(copied: Path) -> None:
    (copied / "lone.py").write_text("import normreporter, numpy\nfrom normreport_more import x\n")
    assert _names("normreport.lone") == {"__init__", "lone"}


@pytest.mark.parametrize(
    ("module", "packages"),
    [
        (TRAINING, ["numpy", "torch", "torchvision"]),
        (
            "normreport.stages.prepare_data",
            [
                "matplotlib",  # its fonts are printed
                "numpy",
                "pillow",
                "pyarrow",
                "scikit-image",
                "scikit-learn",
                "torchvision",
            ],
        ),
        ("normreport.stages.publish_site", []),
    ],
)
def test_versions_are_those_of_the_packages_that_compute(module: str, packages: list[str]) -> None:
    expected = [f"{package} {metadata.version(package)}" for package in packages]
    assert package_versions(module) == ", ".join(expected)


def test_every_package_that_a_stage_imports_is_required(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    required = {re.split("[>=]", entry)[0] for entry in project["dependencies"]}
    modules = [f"normreport.stages.{stage}" for stage in STAGES]
    modules += [f"normreport.figures.kinds.{kind}" for kind in KINDS]
    found = {entry.split()[0] for entry in package_versions(*modules).split(", ")}
    # Jinja installs this package for escaped HTML.
    assert found - required == {"markupsafe"}


@pytest.mark.parametrize("name", ["normreport.stages.train", "normreport.figure.density"])
def test_a_module_that_does_not_exist_is_a_bug(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=name):
        source_files(name)


def test_a_registry_depends_on_every_module_of_its_package(copied: Path) -> None:
    registry = "normreport.claims.registry"
    modules = {path.stem for path in (copied / "claims").glob("*.py")}
    assert {f"claims/{name}" for name in modules} <= {
        path.relative_to(copied).with_suffix("").as_posix() for path in source_files(registry)
    }
    before = source_digest(registry)
    (copied / "claims/new_claim.py").write_text("import normreport.errors\n")
    assert copied / "claims/new_claim.py" in source_files(registry)
    assert source_digest(registry) != before
