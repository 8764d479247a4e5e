"""Which seeds and arms of a study have planned runs."""

from __future__ import annotations

from dataclasses import replace

from normreport.claims.study import Study
from normreport.config.judging import PlannedArm
from tests.claims.studies import study


def _sparse() -> Study:
    """Plan VGG16 with other seeds than MobileNetV2, `raw` with fewer, one start of VGG16 only."""
    whole = study(seeds=(0, 1, 2, 7))
    planned = [
        ("vgg16", "scratch", "raw", (1,)),
        ("vgg16", "scratch", "unit", (0, 1, 7)),
        ("vgg16", "scratch", "imagenet", (0, 1, 7)),
        ("vgg16", "pretrained", "unit", (0, 7)),
        ("mobilenet_v2", "scratch", "unit", (2, 0)),
    ]
    arms = tuple(
        PlannedArm(model=model, start=start, normalization=arm, seeds=seeds)
        for model, start, arm, seeds in planned
    )
    settings = whole.settings.model_copy(update={"planned": arms})
    sparse: Study = replace(whole, settings=settings)
    return sparse


def test_the_seeds_are_those_that_every_start_and_arm_has() -> None:
    sparse = _sparse()
    both = ["unit", "imagenet"]
    assert sparse.seeds(model="vgg16", starts=["scratch"], arms=both) == (0, 1, 7)
    assert sparse.seeds(model="vgg16", starts=["scratch"], arms=["raw", "unit"]) == (1,)
    starts = ["pretrained", "scratch"]
    assert sparse.seeds(model="vgg16", starts=starts, arms=["unit"]) == (0, 7)
    assert sparse.seeds(model="vgg16", starts=starts, arms=both) == ()
    assert sparse.seeds(model="mobilenet_v2", starts=["scratch"], arms=["unit"]) == (0, 2)
    assert sparse.seeds(model="resnet18", starts=["scratch"], arms=["unit"]) == ()


def test_the_arms_are_those_that_every_start_has() -> None:
    sparse = _sparse()
    assert sparse.arms(model="vgg16", starts=["scratch"]) == ("raw", "unit", "imagenet")
    assert sparse.arms(model="vgg16", starts=["scratch", "pretrained"]) == ("unit",)
    assert sparse.arms(model="mobilenet_v2", starts=["pretrained"]) == ()


def test_kept_layers_skip_the_starts_that_a_model_has_no_run_of() -> None:
    places = {place[:2] for place in _sparse().kept_layers(["pretrained", "scratch", "x"])}
    assert places == {
        ("vgg16", "pretrained"),
        ("vgg16", "scratch"),
        ("mobilenet_v2", "scratch"),
    }
