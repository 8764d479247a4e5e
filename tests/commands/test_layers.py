"""The list of layers that can be kept."""

from __future__ import annotations

import pytest

from normreport.cli import main


def test_every_convolution_is_a_line_with_its_shape_and_size(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["layers", "vgg16"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("layer ")
    assert len(lines) == 13
    assert " ".join(lines[0].split()) == "features.0 64 x 3 x 3 x 3 1,728 0.01"
    assert " ".join(lines[-1].split()) == "features.28 512 x 512 x 3 x 3 2,359,296 9.44"
    assert len({len(line) for line in lines}) == 1


def test_an_unknown_architecture_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["layers", "resnet19"]) == 2
    message = capsys.readouterr().err
    assert "torchvision has no classification model 'resnet19'. Did you mean" in message
