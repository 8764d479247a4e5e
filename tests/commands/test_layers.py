"""The list of layers that can be kept."""

from __future__ import annotations

import pytest

from normreport.cli import main


def test_every_layer_is_a_line_with_its_shape_and_size(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["layers", "vgg16"]) == 0
    table, words = capsys.readouterr().out.split("\n\n")
    head, *lines = table.splitlines()
    assert head.startswith("layer ")
    assert head.endswith("MB in 35 epochs")
    assert len(lines) == 13 + 2
    # 36 times 4 bytes for each weight.
    assert " ".join(lines[0].split()) == "features.0 64 x 3 x 3 x 3 1,728 0.2"
    assert " ".join(lines[12].split()) == "features.28 512 x 512 x 3 x 3 2,359,296 339.7"
    assert " ".join(lines[14].split()) == "classifier.3 4096 x 4096 16,777,216 2,415.9"
    assert len({len(line) for line in (head, *lines)}) == 1
    assert words.splitlines() == [
        "first: features.0",
        "deep:  features.28",
        "all:   the 13 layers that are measured after every epoch (the convolutions)",
    ]


def test_a_transformer_has_linear_layers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "vit_b_32"]) == 0
    assert capsys.readouterr().out.endswith(
        "first: conv_proj\n"
        "deep:  encoder.layers.encoder_layer_11.mlp.3\n"
        "all:   the 37 layers that are measured after every epoch\n"
    )


def test_an_unknown_architecture_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["layers", "resnet19"]) == 2
    message = capsys.readouterr().err
    assert "torchvision has no classification model 'resnet19'. Did you mean" in message
