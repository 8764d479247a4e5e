"""What only torch, the data and the disk can tell, before anything is trained."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
import yaml

from normreport.cli import main
from normreport.normalizations import published_meanstd
from tests.sources.images import write_classes

Changed = Callable[[dict[str, Any]], dict[str, Any]]
Check = Callable[[dict[str, Any]], int]

SMALL: dict[str, Any] = {
    "experiment.seeds": [0, 1, 2],
    "experiment.models": ["mobilenet_v2"],
    "data.pretraining.train_images": 10,
    "data.pretraining.heldout_images": 10,
    "models.mobilenet_v2.pretraining.train_images": 10,
    "models.vgg16.pretraining.train_images": 10,
}


@pytest.fixture
def check(changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Check the default configuration with other values, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(changes: dict[str, Any]) -> int:
        Path("my.yaml").write_text(yaml.safe_dump(changed(SMALL | changes)))
        return main(["check", "--quick", "my.yaml"])

    return run


def test_the_default_configuration_passes_and_is_counted(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = torch.get_rng_state()
    assert main(["check", "--quick", str(root / "config.yaml")]) == 0
    expected = (
        "60 runs of 35 epochs: 2 models x 2 starts x 3 normalizations x 6 seeds, minus 12 "
        "combinations\n"
        "data.target: digits: 10 classes (training + held-out images): 0 (13 + 59), 1 (13 + 61), "
    )
    out, err = capsys.readouterr()
    assert out.startswith(expected)
    assert "data.pretraining: printed_digits: 10 classes (training + held-out images): 0 (" in out
    assert "warning" not in out
    assert err == ""
    assert torch.equal(torch.get_rng_state(), before)


def test_combinations_that_are_not_run_are_counted(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    design = {
        "experiment.exclude": [{"normalization": "raw", "seed": 2}],
        "experiment.include": [{"start": "scratch", "normalization": "unit", "seed": 7}],
    }
    assert check(design) == 0
    assert capsys.readouterr().out.startswith(
        "17 runs of 35 epochs: 1 models x 2 starts x 3 normalizations x 4 seeds, minus 7 "
        "combinations\n"
    )


def test_classes_that_are_too_small_and_unused_files_are_named(
    check: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_classes(tmp_path / "images", {"ant": 30, "bee": 20, "cat": 1})
    (tmp_path / "images/bee/1.heic").touch()
    mine = {
        "data.target.source": {"kind": "imagefolder", "path": "images"},
        "data.target.train_images": 24,
        "data.target.heldout_images": 12,
        "training.epoch_heldout_images": 4,
        "models.mobilenet_v2.train_images": 8,
        "models.vgg16.train_images": 8,
    }
    assert check(mine) == 0
    assert capsys.readouterr().out.splitlines()[1:7] == [
        "data.target: images: 3 classes (training + held-out images): "
        "ant (14 + 7), bee (9 + 5), cat (1 + 0)",
        "data.target: not used: *.heic (1 file)",
        "data.target: warning: 1 of 3 classes have a single training image: cat",
        "data.target: warning: 1 of 3 classes have no held-out image: cat",
        "data.target: warning: mobilenet_v2: 1 of 3 classes have no training image: cat",
        "data.target: Ask for more images, or set balance to one_of_each or equal, so that small "
        "classes are used.",
    ]
    assert check(mine | {"data.target.balance": "one_of_each"}) == 2
    assert "found 1 image of class 'cat'" in capsys.readouterr().err
    write_classes(tmp_path / "images", {"ant": 30, "bee": 20, "cat": 2})
    assert check(mine | {"data.target.balance": "one_of_each"}) == 0
    assert "cat (1 + 1)\n" in capsys.readouterr().out


def test_images_of_another_size_are_checked_only_for_the_models_that_see_them(
    check: Check, changed: Changed, capsys: pytest.CaptureFixture[str]
) -> None:
    # Inception cannot take images of 32 pixels, but those of published_meanstd have 224.
    inception = changed({})["models"]["mobilenet_v2"] | {"layers": ["first"]}
    both = {
        "experiment.models": ["mobilenet_v2", "inception_v3"],
        "experiment.starts": ["scratch"],
        "experiment.normalizations": ["unit", "published_meanstd"],
        "models.inception_v3": inception,
    }
    without = {"experiment.exclude": [{"model": "inception_v3", "normalization": "unit"}]}
    assert check(both) == 2
    assert "inception_v3" in capsys.readouterr().err
    assert check(both | without) == 0


def test_a_logo_that_is_not_there_is_told(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check({"report.logo": "logo.svg"}) == 2
    err = capsys.readouterr().err
    assert err.startswith("normreport check: report.logo: logo.svg: could not be read (No such fi")
    Path("logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    assert check({"report.logo": "logo.svg"}) == 0


def test_a_model_that_torchvision_does_not_have_is_answered_with_the_nearest(
    check: Check, changed: Changed, capsys: pytest.CaptureFixture[str]
) -> None:
    models = {"mobilenet_v4": changed(SMALL)["models"]["mobilenet_v2"]}
    assert check({"experiment.models": ["mobilenet_v4"], "models": models}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        "normreport check: experiment.models: torchvision has no classification model "
        "'mobilenet_v4'. Did you mean 'mobilenet_v2'? Known: "
    )


def test_an_architecture_that_torchvision_does_not_have_is_told_by_its_own_key(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check({"models.mobilenet_v2.architecture": "mobilenet_v4"}) == 2
    err = capsys.readouterr().err
    assert err.startswith("normreport check: models.mobilenet_v2.architecture: ")
    assert "Did you mean 'mobilenet_v2'?" in err


def test_a_model_of_another_name_passes_with_its_architecture(
    check: Check, changed: Changed, capsys: pytest.CaptureFixture[str]
) -> None:
    own = changed(SMALL)["models"]["mobilenet_v2"] | {"architecture": "mobilenet_v2"}
    change = {"experiment.models": ["mobilenet_v2_slow"], "models": {"mobilenet_v2_slow": own}}
    assert check(change) == 0
    assert capsys.readouterr().out.startswith("18 runs")


@pytest.mark.parametrize(
    ("layer", "nearest"),
    [("features.0.1", "features.0.0"), ("feature.18.0", "features.18.0")],
)
def test_a_layer_that_cannot_be_kept_is_answered_with_the_nearest(
    check: Check, capsys: pytest.CaptureFixture[str], layer: str, nearest: str
) -> None:
    assert check({"models.mobilenet_v2.layers": [layer]}) == 2
    assert capsys.readouterr().err.startswith(
        f"normreport check: models.mobilenet_v2.layers: mobilenet_v2 has no convolution or "
        f"linear layer '{layer}' before its last layer. Did you mean '{nearest}'? Known: "
    )


def test_words_for_layers_are_looked_up(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check({"models.mobilenet_v2.layers": ["first", "deep"]}) == 0
    assert check({"models.mobilenet_v2.layers": ["all"]}) == 0


def test_the_time_and_the_disk_to_expect_are_told(
    changed: Changed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text(yaml.safe_dump(changed(SMALL)))
    assert main(["check", "my.yaml"]) == 0
    *_, each, total = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"mobilenet_v2: 18 runs of about \d+ (seconds|minutes) and 22 MB each; "
        r"pretraining about \d+ (seconds|minutes)",
        each,
    )
    assert re.fullmatch(
        r"A full build: about \d+ (minutes|hours) on \d+ cores with \d+ trainings in parallel, "
        r"0\.\d GB of disk \([\d.]+ GB free\), \d+ figures",
        total,
    )


def test_only_the_models_that_the_experiment_lists_are_checked(check: Check) -> None:
    assert check({"models.vgg16.layers": ["features.999"]}) == 0
    assert check({"models.vgg16.layers": ["features.999"], "experiment.models": ["vgg16"]}) == 2


@pytest.mark.parametrize("model", ["regnet_x_400mf", "resnet18", "densenet121", "squeezenet1_0"])
def test_any_other_model_of_torchvision_passes(
    check: Check, changed: Changed, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = {"regnet_x_400mf": "stem.0", "resnet18": "conv1", "densenet121": "features.conv0"}
    entry = changed(SMALL)["models"]["mobilenet_v2"]
    entry["layers"] = [layers.get(model, "features.0")]
    assert check({"experiment.models": [model], "models": {model: entry}}) == 0
    assert capsys.readouterr().out.startswith("18 runs")


@pytest.mark.parametrize(
    ("model", "layer", "size"),
    [
        ("vit_b_16", "conv_proj", 40),  # which no patches of 16 px fill
        ("alexnet", "features.0", 32),  # has nothing left after its poolings
        ("vgg16", "features.0", 16),
    ],
)
def test_a_model_that_cannot_take_images_of_that_size_is_told_before_the_training(
    check: Check,
    changed: Changed,
    capsys: pytest.CaptureFixture[str],
    model: str,
    layer: str,
    size: int,
) -> None:
    change = {
        "experiment.models": [model],
        "models": {model: changed(SMALL)["models"]["mobilenet_v2"] | {"layers": [layer]}},
        "data.target.image_size_px": size,
        "data.pretraining.image_size_px": size,
    }
    assert check(change) == 2
    err = capsys.readouterr().err
    assert model in err
    assert f"{size}" in err


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("IMAGENET1K_V7", "has no weights 'IMAGENET1K_V7' for mobilenet_v2. Did you mean"),
        ("weights/{model}.pth", "weights/mobilenet_v2.pth: this checkpoint does not exist"),
    ],
)
def test_pretrained_weights_that_do_not_exist_are_told_before_the_training(
    check: Check, capsys: pytest.CaptureFixture[str], weights: str, message: str
) -> None:
    assert check({"pretraining.weights": weights, "experiment.starts": ["scratch"]}) == 0
    assert check({"pretraining.weights": weights}) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("is_cached", [False, True])
def test_the_imagenet_preset_passes_offline_and_its_downloads_are_listed(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_cached: bool,
) -> None:
    def offline(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("check needs no connection")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(socket, "create_connection", offline)
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    files = {"vgg16": "vgg16-397923af.pth", "mobilenet_v2": "mobilenet_v2-b0353104.pth"}
    if is_cached:
        cache.mkdir(parents=True)
        for name in files.values():
            (cache / name).touch()
    presets = [str(root / "config.yaml"), str(root / "workflow/presets/imagenet.yaml")]
    assert main(["check", "--quick", *presets]) == 0
    *downloads, runs, classes = capsys.readouterr().out.splitlines()
    assert classes.startswith("data.target: digits: 10 classes")
    assert runs.startswith("60 runs")
    site = "https://download.pytorch.org/models"
    assert downloads == [
        f"{model}: the build will download {site}/{name} to {cache / name}"
        for model, name in files.items()
        if not is_cached
    ]


def test_the_size_of_an_arm_that_resizes_is_checked(
    check: Check, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_meanstd, "SIZE_PX", 16)
    vgg = {"experiment.models": ["vgg16"]}
    assert check(vgg) == 0
    assert check(vgg | {"experiment.normalizations": ["unit", "published_meanstd"]}) == 2
    message = "normreport check: the arm published_meanstd: vgg16 cannot take images of 16 px ("
    assert capsys.readouterr().err.startswith(message)
    assert check(vgg | {"pretraining.normalization": "published_meanstd"}) == 2


def test_more_images_than_a_source_has_are_told(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check({"data.target.train_images": 1700, "data.target.heldout_images": 100}) == 2
    message = "digits: train_images + heldout_images is 1800, but the source has only 1797 images."
    assert message in capsys.readouterr().err


def test_a_gpu_that_is_not_there_is_told(
    check: Check, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert check({"training.device": "cuda"}) == 2
    message = f"training.device: PyTorch {torch.__version__} cannot use the device 'cuda'"
    assert message in capsys.readouterr().err
    assert check({"training.device": "auto"}) == 0


def test_a_place_that_cannot_be_written_is_told(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("results").write_text("a file where the folder must be")
    assert check({}) == 2
    path = Path("results").resolve()
    assert capsys.readouterr().err.startswith(f"normreport check: {path}: could not be written (")


def test_checking_leaves_no_file(check: Check, tmp_path: Path) -> None:
    assert check({}) == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "my.yaml"]


UNREADABLE = {
    "missing": (None, "could not be read"),
    "folder": ("folder", "could not be read"),
    "not UTF-8": (b"report:\n  title: \xff\xfe\n", "could not be read"),
    "bad syntax": (b"report: [unclosed\n", "is not valid YAML"),
    "tabs": (b"report:\n\ttitle: x\n", "is not valid YAML"),
    "an object": (b"report: !!python/object/apply:os.getcwd []\n", "is not valid YAML"),
    "no such day": (b"report:\n  title: 2024-02-31\n", "is not valid YAML"),
    "a list": (b"- report\n- data\n", "expected keys and values, found list"),
    "a text": (b"report\n", "expected keys and values, found str"),
    "empty": (b"", "expected keys and values, found NoneType"),
}


@pytest.mark.parametrize("command", ["check", "conditions"])
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_is_no_configuration_is_told_as_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, kind: str
) -> None:
    content, message = UNREADABLE[kind]
    path = tmp_path / "my.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    assert main([command, str(path)]) == 2
    err = capsys.readouterr().err
    assert re.match(re.escape(f"normreport {command}: {path}: ") + message, err)
