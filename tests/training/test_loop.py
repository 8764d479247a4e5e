"""The training loop is compared to plain loops."""

from __future__ import annotations

import copy
import itertools
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from normreport.config.training import FitSettings
from normreport.training.images import ImageSet, normalize_split
from normreport.training.loop import Diverged, evaluate, evaluate_all, train
from normreport.training.networks import Network
from normreport.training.seeds import derived_seed, epoch_order
from normreport.training.state import Epoch, TrainingState
from tests.training.helpers import (
    ARMS,
    Arrays,
    copy_state,
    digits,
    equal_states,
    fit_settings,
    image_sets,
    linear_network,
    resume,
    small_network,
    train_from_scratch,
    train_until,
    trained_mobilenet,
)

ROOT = Path(__file__).parents[2]


def trained_weights(
    arrays: Arrays, *, seed: int = 0, init: int = 0, **changes: Any
) -> dict[str, Tensor]:
    network = small_network(init)
    list(train_from_scratch(network, *image_sets(arrays), fit_settings(**changes), seed=seed))
    return copy_state(network)


def plain_sgd(network: Network, images: ImageSet, settings: FitSettings, seed: int) -> list[float]:
    """Train with textbook SGD while the loss is finite; return the loss of every step."""
    losses: list[float] = []
    for epoch in range(1, settings.epochs + 1):
        torch.manual_seed(derived_seed(seed, "dropout", epoch))
        order = epoch_order(seed, epoch, len(images.labels))
        for start in range(0, len(order), settings.batch_size):
            batch = order[start : start + settings.batch_size]
            network.module.train().zero_grad()
            loss = cross_entropy(network.module(images.inputs[batch]), images.labels[batch])
            if not loss.isfinite():
                return losses
            loss.backward()
            parameters = list(network.module.parameters())
            gradients = [p.grad for p in parameters if p.grad is not None]
            losses.append(loss.item())
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter.sub_(settings.learning_rate * gradient)
    return losses


def test_the_first_record_is_yielded_before_the_first_step(arrays: Arrays) -> None:
    network = small_network()
    before = copy_state(network)
    record = next(train_from_scratch(network, *image_sets(arrays), fit_settings(), seed=0))
    assert (record.epoch, record.batch_loss, record.learning_rate) == (0, None, 0.05)
    assert equal_states(copy_state(network), before)


def test_every_epoch_yields_a_record_and_changes_the_weights(arrays: Arrays) -> None:
    network = small_network()
    epochs, weights = [], []
    for record in train_from_scratch(network, *image_sets(arrays), fit_settings(epochs=4), seed=0):
        epochs.append(record.epoch)
        weights.append(copy_state(network))
    assert epochs == [0, 1, 2, 3, 4]
    assert all(not equal_states(a, b) for a, b in itertools.pairwise(weights))


def plain_evaluation(module: nn.Module, images: ImageSet) -> tuple[float, float]:
    """Evaluate in eval mode, image by image, in float64 and without PyTorch's loss."""
    module = copy.deepcopy(module).eval().double()
    with torch.no_grad():
        logits = np.array([module(image[None].double())[0].numpy() for image in images.inputs])
    labels = images.labels.numpy()
    chosen = logits[np.arange(len(labels)), labels]
    losses = np.log(np.exp(logits).sum(axis=1)) - chosen
    return float(losses.mean()), float((logits.argmax(axis=1) == labels).mean())


def test_a_record_has_loss_and_accuracy_in_eval_mode_over_all_images(arrays: Arrays) -> None:
    network = small_network()
    train_set, heldout_set = image_sets(arrays)
    accuracies = set()
    for record in train_from_scratch(
        network, train_set, heldout_set, fit_settings(learning_rate=0.5), seed=0
    ):
        loss, accuracy = plain_evaluation(network.module, train_set)
        assert record.train_loss == pytest.approx(loss, rel=1e-5)
        assert record.train_accuracy == accuracy
        loss, accuracy = plain_evaluation(network.module, heldout_set)
        assert record.heldout_loss == pytest.approx(loss, rel=1e-5)
        assert record.heldout_accuracy == accuracy
        accuracies |= {record.train_accuracy, record.heldout_accuracy}
    assert len(accuracies) > 3


def test_evaluation_weights_all_images_equally() -> None:
    images = normalize_split(digits(train_images=1027), "train", "unit")  # 1,024 at a time
    network = small_network(3)
    loss, accuracy = evaluate(network.module, images)
    expected_loss, expected_accuracy = plain_evaluation(network.module, images)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert accuracy == expected_accuracy


@pytest.mark.parametrize("size_px", [32, 64])
def test_evaluation_uses_smaller_batches_for_larger_images(size_px: int) -> None:
    images = ImageSet(torch.zeros(300, 3, size_px, size_px), torch.zeros(300, dtype=torch.int64))
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    seen: list[int] = []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].numel()))
    evaluate(module, images)
    assert max(seen) == 256 * 3 * 32**2
    assert sum(seen) == images.inputs.numel()


def test_all_images_are_evaluated_with_the_network_of_a_state(arrays: Arrays) -> None:
    state = TrainingState.begin(small_network(3), fit_settings())
    _, heldout = image_sets(arrays)
    found = evaluate_all(state, heldout)
    loss, accuracy = plain_evaluation(state.network.module, heldout)
    assert (found.accuracy, found.images) == (accuracy, 20)
    assert found.loss == pytest.approx(loss, rel=1e-5)


def test_an_evaluation_whose_loss_is_not_finite_diverges(arrays: Arrays) -> None:
    state = TrainingState.begin(small_network(), fit_settings())
    state.step = 7
    _, heldout = image_sets(arrays)
    heldout.inputs[19] = math.inf
    with pytest.raises(Diverged, match="the held-out loss is not finite at step 7"):
        evaluate_all(state, heldout)


def test_a_training_may_evaluate_only_its_first_images(arrays: Arrays) -> None:
    train_set, heldout_set = image_sets(arrays)
    networks, found = (small_network(), small_network()), []
    for network, count in zip(networks, (None, 5), strict=True):
        state = TrainingState.begin(network, fit_settings())
        list(train(state, train_set, heldout_set, seed=0, evaluated_train_images=count))
        found.append(state.records)
    assert equal_states(*map(copy_state, networks))
    for every, few in zip(*found, strict=True):
        changed = {"train_loss", "train_accuracy"}
        assert {key: value for key, value in every.row().items() if key not in changed} == {
            key: value for key, value in few.row().items() if key not in changed
        }
    loss, accuracy = plain_evaluation(networks[1].module, train_set.first(5))
    assert found[1][-1].train_accuracy == accuracy
    assert found[1][-1].train_loss == pytest.approx(loss, rel=1e-5)


def test_training_equals_a_plain_loop(arrays: Arrays) -> None:
    settings = fit_settings(epochs=4, train_images=22, batch_size=8)
    images, heldout = image_sets(arrays, count=22)
    network, plain = small_network(), small_network()
    records = list(train_from_scratch(network, images, heldout, settings, seed=5))
    losses = np.array(plain_sgd(plain, images, settings, seed=5)).reshape(4, 3)
    torch.testing.assert_close(copy_state(network), copy_state(plain), rtol=1e-4, atol=1e-6)
    expected = losses @ np.array([8, 8, 6]) / 22
    assert [r.batch_loss for r in records[1:]] == pytest.approx(expected.tolist(), rel=1e-5)


@pytest.mark.parametrize("count", [9, 17])
def test_a_last_batch_of_one_image_is_skipped(arrays: Arrays, count: int) -> None:
    network = small_network()
    sizes: list[int] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if module.training:
            sizes.append(len(inputs[0]))

    network.module.register_forward_pre_hook(note)
    list(
        train_from_scratch(
            network, *image_sets(arrays, count=count), fit_settings(epochs=2), seed=0
        )
    )
    assert sizes == [8] * (count // 8) * 2


def test_bf16_affects_only_the_forward_pass_in_training(arrays: Arrays) -> None:
    states = []
    for precision in ("fp32", "bf16"):
        state = TrainingState.begin(small_network(), fit_settings(precision=precision, epochs=1))
        list(train(state, *image_sets(arrays), seed=0))
        states.append(state)
    exact, rounded = states
    assert rounded.records[0].row() == exact.records[0].row()  # measured in fp32
    assert rounded.records[1].batch_loss == pytest.approx(exact.records[1].batch_loss, rel=0.02)
    assert rounded.records[1].batch_loss != exact.records[1].batch_loss
    kept = {value.dtype for value in rounded.network.module.state_dict().values()}
    assert kept == {torch.float32, torch.int64}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_training_on_a_gpu_equals_the_cpu_up_to_rounding(arrays: Arrays) -> None:
    # Without dropout, which each device draws with its own generator.
    found = []
    for device in ("cpu", "cuda"):
        network = small_network()
        network.module[4] = nn.Identity()
        state = TrainingState.begin(network, fit_settings(device=device))
        list(train(state, *image_sets(arrays), seed=0))
        found.append(state)
    for ours, theirs in zip(*(state.records for state in found), strict=True):
        assert theirs.train_loss == pytest.approx(ours.train_loss, rel=1e-4)


def test_training_is_bit_for_bit_reproducible(arrays: Arrays) -> None:
    assert equal_states(trained_weights(arrays, seed=4), trained_weights(arrays, seed=4))


def test_the_seed_affects_the_trained_weights(arrays: Arrays) -> None:
    assert not equal_states(trained_weights(arrays, seed=4), trained_weights(arrays, seed=5))


def test_another_process_with_tuned_malloc_gives_the_same_bits() -> None:
    program = (
        "from normreport.training.devices import tune_malloc; tune_malloc()\n"
        "from tests.training.helpers import trained_mobilenet; print(trained_mobilenet())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ended.stdout.strip() == trained_mobilenet()


def test_training_neither_uses_nor_changes_the_global_generators(arrays: Arrays) -> None:
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        before = torch.get_rng_state(), np.random.get_state()[1].copy()
        found.append(trained_weights(arrays))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])
    assert equal_states(*found)


def record_inputs(arm: str, *, seed: int, init: int = 0) -> tuple[list[int], Tensor]:
    """Train on images that encode their number; return their order and the dropout mask."""
    numbers = np.arange(12)
    images = np.broadcast_to((15 + 20 * numbers)[:, None, None, None], (12, 16, 16, 3))
    arrays = {
        f"{split}_{kind}": values
        for split in ("train", "heldout")
        for kind, values in (("images", images.astype(np.uint8)), ("labels", numbers % 10))
    }
    network = linear_network()
    with torch.no_grad():
        network.module[1].weight += init
    network.module.insert(0, nn.Dropout(0.5))
    order: list[Tensor] = []
    kept: list[Tensor] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if module.training:
            order.append(inputs[0][:, 0, 0, 0])
            kept.append(output != 0)

    network.module[0].register_forward_hook(note)
    settings = fit_settings(epochs=2, batch_size=4, learning_rate=1e-4)
    list(train_from_scratch(network, *image_sets(arrays, arm, None), settings, seed=seed))
    values = torch.cat(order)
    return torch.unique(values, return_inverse=True)[1].tolist(), torch.cat(kept)


@pytest.mark.parametrize("arm", ARMS)
def test_the_seed_decides_the_order_of_the_images_for_every_arm(arm: str) -> None:
    order, _ = record_inputs(arm, seed=3)
    assert order == [*epoch_order(3, 1, 12).tolist(), *epoch_order(3, 2, 12).tolist()]


def test_runs_with_the_same_seed_share_order_and_dropout() -> None:
    order, kept = record_inputs("raw", seed=3)
    for arm, init in (("unit", 0), ("imagenet", 0), ("raw", 1)):
        other_order, other_kept = record_inputs(arm, seed=3, init=init)
        assert other_order == order
        assert torch.equal(other_kept, kept)
    other_order, other_kept = record_inputs("raw", seed=4)
    assert other_order != order
    assert not torch.equal(other_kept, kept)


def test_dropout_differs_between_epochs_and_has_its_probability() -> None:
    _, kept = record_inputs("raw", seed=3)
    first, second = kept.split(12)
    assert not torch.equal(first, second)
    # 18,432 fair coins: five standard deviations
    assert abs(kept.float().mean().item() - 0.5) < 5 * 0.5 / math.sqrt(kept.numel())


def exploding_network() -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Network(nn.Sequential(nn.Flatten(), nn.Linear(768, 16), nn.Linear(16, 10)), "2")


def test_a_learning_rate_that_is_too_high_diverges_at_the_step_of_a_plain_loop(
    arrays: Arrays,
) -> None:
    settings = fit_settings(learning_rate=0.01, epochs=50, batch_size=12)
    images, heldout = image_sets(arrays, "raw")
    images = ImageSet(images.inputs * 30, images.labels)
    steps = len(plain_sgd(exploding_network(), images, settings, seed=0))
    assert 4 < steps < 100
    network = exploding_network()
    kept: list[tuple[Epoch, dict[str, Tensor]]] = []
    run = train_from_scratch(network, images, heldout, settings, seed=0)
    with pytest.raises(Diverged) as caught:
        kept.extend((record, copy_state(network)) for record in run)
    assert caught.value.step == steps
    # The last step of an epoch shows only in the evaluation after it.
    assert caught.value.what == ("the loss" if steps % 2 else "the training loss")
    assert str(caught.value) == f"{caught.value.what} is not finite at step {steps}"
    assert len(kept) == 1 + (steps - 1) // 2
    for record, weights in kept:
        assert math.isfinite(record.train_loss)
        assert all(value.isfinite().all() for value in weights.values())


@pytest.mark.usefixtures("always_due")
def test_a_resumed_training_diverges_at_the_same_step(tmp_path: Path, arrays: Arrays) -> None:
    settings = fit_settings(learning_rate=0.01, epochs=50, batch_size=12)
    images, heldout = image_sets(arrays, "raw")
    sets = ImageSet(images.inputs * 30, images.labels), heldout
    with pytest.raises(Diverged) as expected:
        train_until(50, exploding_network(), sets, settings)
    killed = train_until(1, exploding_network(), sets, settings)
    with pytest.raises(Diverged) as found:
        resume(tmp_path, killed, exploding_network(), sets)
    assert (found.value.step, found.value.what) == (expected.value.step, expected.value.what)


@pytest.mark.parametrize("split", ["training", "held-out"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_input_that_is_not_finite_diverges_before_the_first_step(
    arrays: Arrays, split: str, value: float
) -> None:
    sets = dict(zip(("training", "held-out"), image_sets(arrays), strict=True))
    sets[split].inputs[3, 0, 2, 2] = value
    network = small_network()
    before = copy_state(network)
    with pytest.raises(Diverged, match=f"the {split} loss is not finite at step 0"):
        next(
            train_from_scratch(network, sets["training"], sets["held-out"], fit_settings(), seed=0)
        )
    assert equal_states(copy_state(network), before)


def test_a_loss_that_is_not_finite_only_in_train_mode_diverges_before_its_step(
    arrays: Arrays,
) -> None:
    train_set, heldout_set = image_sets(arrays)
    network = linear_network()
    with torch.no_grad():
        network.module[1].weight.zero_()
    network.module.insert(0, nn.Dropout(0.5))  # doubles the values that it keeps, beyond float32
    huge = ImageSet(torch.full_like(train_set.inputs, 3e38), train_set.labels)
    run = train_from_scratch(network, huge, heldout_set, fit_settings(), seed=0)
    next(run)
    with pytest.raises(Diverged, match="the loss is not finite at step 0"):
        next(run)


class ChannelSums(nn.Module):
    """Sums each channel over its pixels, which adds up the gradients of a shared weight."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.sum((2, 3))


def test_a_gradient_that_is_not_finite_diverges_at_the_next_loss(arrays: Arrays) -> None:
    train_set, heldout_set = image_sets(arrays)
    shared = nn.Conv2d(3, 10, 1, bias=False)
    nn.init.zeros_(shared.weight)
    network = Network(nn.Sequential(shared, ChannelSums()), "0")
    huge = ImageSet(torch.full_like(train_set.inputs, 3e38), train_set.labels)
    run = train_from_scratch(network, huge, heldout_set, fit_settings(batch_size=12), seed=0)
    assert next(run).train_loss == pytest.approx(math.log(10))
    with pytest.raises(Diverged, match="the loss is not finite at step 1"):
        next(run)


def test_an_unused_weight_that_is_not_finite_diverges(arrays: Arrays) -> None:
    network = small_network()
    network.module.register_parameter("unused", nn.Parameter(torch.tensor([1.0, math.nan])))
    with pytest.raises(Diverged, match="a weight is not finite at step 0"):
        next(train_from_scratch(network, *image_sets(arrays), fit_settings(), seed=0))


def test_a_step_to_infinity_diverges_at_the_end_of_its_epoch(arrays: Arrays) -> None:
    train_set, heldout_set = image_sets(arrays)
    network = linear_network()
    with torch.no_grad():
        network.module[1].weight.zero_()
    # A gradient of 1e18 is finite, a step of 100 x 1e18 too; the logits after it are not.
    large = ImageSet(torch.full_like(train_set.inputs, 1e18), train_set.labels)
    run = train_from_scratch(
        network, large, heldout_set, fit_settings(learning_rate=100, batch_size=24), seed=0
    )
    next(run)
    with pytest.raises(Diverged) as caught:
        next(run)
    assert caught.value.step == 1
    assert caught.value.what == "the training loss"
