"""Names that are printed."""

from __future__ import annotations

import pytest

from normreport.text.labels import model_label, source_label, start_label, start_title


def test_models_and_starts_have_labels_and_fall_back_to_their_names() -> None:
    assert model_label("vgg16") == "VGG16"
    assert model_label("mobilenet_v2") == "MobileNetV2"
    assert model_label("resnet18") == "ResNet-18"
    assert model_label("regnet_y_400mf") == "regnet_y_400mf"
    assert start_label("scratch") == "from scratch"
    assert start_label("other") == "other"
    assert start_title("scratch_laplace") == "From scratch, Laplace"


def test_a_model_has_the_name_of_its_paper_or_its_own() -> None:
    assert model_label("vgg16") == "VGG16"
    assert model_label("vgg16_sgd") == "vgg16_sgd"


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ("digits", "scikit-learn's handwritten digits"),
        ({"kind": "imagefolder", "path": "flowers"}, "the images of the folder “flowers”"),
        ({"kind": "npz", "path": "x.npz"}, "the images of the file “x.npz”"),
        ({"kind": "parquet", "path": "p"}, "the images of the Parquet data “p”"),
        (
            {"kind": "torchvision", "dataset": "SVHN", "root": "data"},
            "the data set SVHN, as torchvision has it",
        ),
    ],
)
def test_a_source_is_called_by_what_a_reader_knows(
    source: str | dict[str, str], label: str
) -> None:
    assert source_label(source) == label
