"""A linear probe: how well a linear classifier separates the classes by a network's features.

The features are the inputs of the network's last layer before the first training step. The probe
compares initial weights independently of learning rates: nothing but the classifier is fitted.

The classifier is scikit-learn's ``RidgeClassifier`` on standardized features, in closed form. The
tests compare them. This module does not import scikit-learn, which takes 1 to 3 s of CPU time and
would add them to every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from normreport.config.manifests import HeldoutEvaluations
from normreport.training.devices import explain_out_of_memory
from normreport.training.images import ImageSet
from normreport.training.loop import evaluate, evaluate_all
from normreport.training.networks import Network
from normreport.training.state import TrainingState

# Weight of the squared coefficients beside the sum of squared errors. Measured on the features of
# MobileNetV2 (128 images) and VGG16 (40 images) with random weights: the accuracy on 600 digits
# changes by at most 5 points for penalties from 1 to the number of features, and is highest or
# within a point of it at 100.
PENALTY = 100.0


def evaluate_start(
    state: TrainingState, train_set: ImageSet, heldout_set: ImageSet
) -> HeldoutEvaluations:
    """Evaluate a network before the first step, and a linear probe on its features.

    Both use the same pass over the held-out images.

    Parameters
    ----------
    state
        The state before the first step.
    train_set
        Images that the probe is fitted to.
    heldout_set
        Images that the network and the probe are tested on.

    Raises
    ------
    Diverged
        If the held-out loss is not finite.
    ConfigError
        If the GPU runs out of memory.
    """
    with captured_features(state.network) as captured:
        evaluation = evaluate_all(state, heldout_set)
        heldout_features = torch.cat(captured)
        captured.clear()
        with explain_out_of_memory(state.settings):
            evaluate(state.network.module, train_set.to(state.device))
        train_features = torch.cat(captured)
    accuracy = probe_accuracy(
        train_features, train_set.labels, heldout_features, heldout_set.labels
    )
    return HeldoutEvaluations(initial=evaluation, final=None, probe_accuracy=accuracy)


@contextmanager
def captured_features(network: Network) -> Iterator[list[Tensor]]:
    """Collect the inputs of a network's last layer from every forward pass.

    Yields
    ------
    list of tensor, shape (N, features)
        On the CPU, one per pass. A last layer that is a convolution, as in SqueezeNet, pools its
        outputs over the pixels; its inputs are pooled likewise.
    """
    captured: list[Tensor] = []

    def capture(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        features = inputs[0].detach()
        captured.append((features.mean((2, 3)) if features.ndim == 4 else features).cpu())

    hook = network.module.get_submodule(network.head).register_forward_pre_hook(capture)
    try:
        yield captured
    finally:
        hook.remove()


def probe_accuracy(
    train_features: Tensor,
    train_labels: Tensor,
    test_features: Tensor,
    test_labels: Tensor,
    penalty: float = PENALTY,
) -> float | None:
    """Fit a ridge classifier and compute its accuracy.

    Features are centered and divided by their standard deviation over the training images; a
    constant feature is only centered. The targets are 1 for an image's class and -1 for the
    others. The intercept is not penalized.

    Parameters
    ----------
    train_features, test_features : tensor, shape (N, features) and (M, features)
    train_labels, test_labels : int64 tensor, shape (N,) and (M,)
    penalty
        Weight of the squared coefficients beside the sum of squared errors.

    Returns
    -------
    float or None
        The share of test images that are classified correctly; None if a feature is not finite.
    """
    if not (train_features.isfinite().all() and test_features.isfinite().all()):
        return None
    is_constant = train_features.amax(0) == train_features.amin(0)
    train, test = train_features.double(), test_features.double()
    mean = train.mean(0)
    std = train.std(0, correction=0).masked_fill(is_constant, 1.0)
    # A constant feature is exactly 0, which its mean in float64 would miss by a rounding error.
    train = ((train - mean) / std).masked_fill(is_constant, 0.0)
    test = (test - mean) / std
    targets = 2.0 * nn.functional.one_hot(train_labels.cpu()).double() - 1.0
    intercept = targets.mean(0)
    coefficients = _ridge(train, targets - intercept, penalty)
    chosen = (test @ coefficients + intercept).argmax(1)
    return (chosen == test_labels.cpu()).double().mean().item()


def _ridge(inputs: Tensor, targets: Tensor, penalty: float) -> Tensor:
    """Solve ridge regression without an intercept.

    Uses the dual form if there are more features than images, as usual here: the matrix to factor
    is the smaller one.

    Parameters
    ----------
    inputs : float64 tensor, shape (N, features)
    targets : float64 tensor, shape (N, K)

    Returns
    -------
    float64 tensor, shape (features, K)
    """
    images, features = inputs.shape
    identity = penalty * torch.eye(min(images, features), dtype=inputs.dtype)
    coefficients: Tensor
    if features > images:
        coefficients = inputs.T @ torch.linalg.solve(inputs @ inputs.T + identity, targets)
    else:
        coefficients = torch.linalg.solve(inputs.T @ inputs + identity, inputs.T @ targets)
    return coefficients
