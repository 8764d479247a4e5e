"""The linear probe is compared to scikit-learn's ridge classifier."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from normreport.training.images import normalize_split
from normreport.training.loop import Diverged, evaluate_all
from normreport.training.probe import PENALTY, captured_features, evaluate_start, probe_accuracy
from normreport.training.state import TrainingState
from tests.training.helpers import (
    Arrays,
    build_network,
    copy_state,
    digits,
    equal_states,
    fit_settings,
    image_sets,
    small_network,
)


def made(images: int, features: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Make features of different scales whose means depend a little on the class."""
    generator = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    means = np.random.default_rng(99).normal(0, 0.3, (classes, features))
    values = means[labels] + generator.normal(0, 1, (images, features))
    scales = np.logspace(-3, 3, features)
    return torch.tensor(values * scales + scales, dtype=torch.float32), torch.from_numpy(labels)


def predictions(
    train: Tensor, labels: Tensor, test: Tensor, penalty: float = PENALTY
) -> NDArray[np.int64]:
    """Classify with scikit-learn."""
    reference = make_pipeline(StandardScaler(), RidgeClassifier(alpha=penalty))
    reference.fit(train.double().numpy(), labels.numpy())
    found: NDArray[np.int64] = reference.predict(test.double().numpy())
    return found


@pytest.mark.parametrize("penalty", [0.1, 100.0, 1e4])
@pytest.mark.parametrize(
    ("images", "features", "classes"),
    [(30, 200, 10), (200, 20, 10), (40, 40, 4), (20, 60, 2), (60, 20, 2), (10, 50, 10)],
    ids=["dual", "primal", "square", "binary dual", "binary primal", "one image per class"],
)
def test_every_image_is_classified_as_scikit_learn_does(
    images: int, features: int, classes: int, penalty: float
) -> None:
    train, labels = made(images, features, classes)
    test, actual = made(500, features, classes, seed=1)
    expected = predictions(train, labels, test, penalty)
    assert probe_accuracy(train, labels, test, torch.from_numpy(expected), penalty) == 1.0
    found = probe_accuracy(train, labels, test, actual, penalty)
    assert found == pytest.approx(float((expected == actual.numpy()).mean()))


def test_the_penalty_changes_the_classifier() -> None:
    train, labels = made(30, 200, 10)
    test, _ = made(500, 200, 10, seed=1)
    expected = torch.from_numpy(predictions(train, labels, test, 1e4))
    found = probe_accuracy(train, labels, test, expected, 0.1)
    assert found is not None
    assert found < 1


def test_constant_features_are_ignored() -> None:
    train, labels = made(30, 50, 10)
    test, _ = made(500, 50, 10, seed=1)
    train[:, 7] = 0.1  # has no exact mean in binary
    train[:, 8] = 0.0
    expected = torch.from_numpy(predictions(train, labels, test))
    assert probe_accuracy(train, labels, test, expected) == 1.0


def test_a_class_without_training_images_is_never_chosen() -> None:
    train, labels = made(30, 50, 10)
    kept = labels != 4
    test, _ = made(500, 50, 10, seed=1)
    expected = torch.from_numpy(predictions(train[kept], labels[kept], test))
    assert probe_accuracy(train[kept], labels[kept], test, expected) == 1.0


def test_a_single_class_is_always_chosen() -> None:
    train, _ = made(20, 50, 10)
    test, labels = made(100, 50, 10, seed=1)
    only = torch.full((20,), 3)
    assert probe_accuracy(train, only, test, labels) == pytest.approx(0.1)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("split", ["train", "test"])
def test_features_that_are_not_finite_have_no_probe(split: str, value: float) -> None:
    train, labels = made(20, 50, 10)
    test, actual = made(100, 50, 10, seed=1)
    {"train": train, "test": test}[split][5, 5] = value
    assert probe_accuracy(train, labels, test, actual) is None


def test_features_are_the_inputs_of_the_last_layer(arrays: Arrays) -> None:
    network = small_network()
    images, _ = image_sets(arrays)
    network.module.eval()
    with captured_features(network) as captured, torch.no_grad():
        network.module(images.inputs[:20])
        network.module(images.inputs[20:])
        expected = network.module[:5](images.inputs)
    network.module(images.inputs)
    assert [len(features) for features in captured] == [20, 4]
    assert torch.allclose(torch.cat(captured), expected, rtol=1e-5, atol=1e-6)


def test_a_convolution_as_last_layer_has_its_inputs_pooled() -> None:
    network = build_network("squeezenet1_1")
    network.module.eval()
    images = normalize_split(digits(4, 4, size=32), "train", "unit").inputs
    with captured_features(network) as captured, torch.no_grad():
        network.module(images)
        expected = network.module.get_submodule("features")(images).mean((2, 3))
    assert captured[0].shape == (4, 512)
    assert torch.allclose(captured[0], expected)


def test_the_start_is_evaluated_and_probed_without_a_change(arrays: Arrays) -> None:
    state = TrainingState.begin(small_network(), fit_settings())
    before = copy_state(state.network)
    train_set, heldout_set = image_sets(arrays)
    found = evaluate_start(state, train_set, heldout_set)
    assert found.initial == evaluate_all(state, heldout_set)
    assert found.final is None
    with torch.no_grad():
        features = [state.network.module.eval()[:5](s.inputs) for s in (train_set, heldout_set)]
    expected = predictions(features[0], train_set.labels, features[1])
    accuracy = float((expected == heldout_set.labels.numpy()).mean())
    assert found.probe_accuracy == pytest.approx(accuracy)
    assert equal_states(copy_state(state.network), before)


def test_a_frozen_network_has_the_probe_of_its_start() -> None:
    sets = [
        normalize_split(digits(20, 20, size=32), split, "unit") for split in ("train", "heldout")
    ]
    found = [
        evaluate_start(
            TrainingState.begin(build_network("squeezenet1_1", head_only=head), fit_settings()),
            *sets,
        )
        for head in (False, True)
    ]
    assert found[0] == found[1]


def test_a_start_whose_loss_is_not_finite_diverges(arrays: Arrays) -> None:
    state = TrainingState.begin(small_network(), fit_settings())
    train_set, heldout_set = image_sets(arrays)
    heldout_set.inputs[0] = math.nan
    with pytest.raises(Diverged, match="the held-out loss is not finite at step 0"):
        evaluate_start(state, train_set, heldout_set)
    assert not state.network.module[5]._forward_pre_hooks
