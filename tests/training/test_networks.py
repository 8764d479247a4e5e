"""Networks against torchvision's own, and the proof that folding VGG changes nothing.

The proof: in float64, torchvision's network as it is, trained by PyTorch's optimizers, against the
folded one, trained by :func:`normreport.training.loop.make_optimizer`. Every optimizer on a VGG
with few channels, the default one on VGG16 itself.
"""

from __future__ import annotations

import pickle
import re
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from scipy import stats
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

from normreport.config.training import OptimizerSettings
from normreport.errors import ConfigError, WeightsError
from normreport.training import networks
from normreport.training.loop import make_optimizer
from normreport.training.networks import Network
from normreport.training.seeds import derived_seed

ADAM = OptimizerSettings()
State = dict[str, Tensor]

pytestmark = pytest.mark.usefixtures("narrow_vggs")


def _build(model: str = "vgg_narrow", **changes: Any) -> Network:
    options: dict[str, Any] = {"classes": 10, "image_size_px": 32, "optimizer": ADAM, "seed": 0}
    return networks.build(model, **(options | changes))


def _images(count: int = 8, size: int = 32, seed: int = 0) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def _plain(model: str, classes: int) -> nn.Module:
    """Make torchvision's VGG with another last layer, and nothing else changed."""
    module: nn.Module = torchvision.models.get_model(model, weights=None)
    last = module.classifier[6]
    module.classifier[6] = nn.Linear(last.in_features, classes)
    return module


# The proof of the folding


def _as_proven(model: str, optimizer: OptimizerSettings) -> tuple[nn.Module, Network]:
    """Make the network as it was and the folded one, with the same weights, in float64."""
    torch.manual_seed(11)
    unfolded = _plain(model, classes=10).double()
    folded = _build(model, optimizer=optimizer)
    folded.module.double()
    state = unfolded.state_dict()
    # Flattened (C, 7, 7): the 49 columns of a channel lie side by side.
    rows, columns = state["classifier.0.weight"].shape
    grouped = state["classifier.0.weight"].reshape(rows, columns // 49, 49)
    folded.module.load_state_dict(state | {"classifier.0.weight": grouped.sum(2)})
    for module in (*unfolded.modules(), *folded.module.modules()):
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return unfolded, folded


def _train(
    module: nn.Module, optimizer: torch.optim.Optimizer, *, steps: int = 4, batch: int = 8
) -> None:
    module.train()
    labels = torch.arange(batch)
    for step in range(steps):
        optimizer.zero_grad()
        cross_entropy(module(_images(batch, seed=step).double()), labels).backward()
        optimizer.step()


def _matrices(module: nn.Module) -> State:
    """Copy kernels and matrices, the first one folded; biases before BatchNorm are only noise."""
    found = {}
    for name, parameter in module.named_parameters():
        if name == "classifier.0.weight" and not isinstance(module.avgpool, nn.Identity):
            rows, columns = parameter.shape
            found[name] = parameter.detach().reshape(rows, columns // 49, 49).sum(2)
        elif parameter.ndim > 1:
            found[name] = parameter.detach().clone()
    return found


def _gap(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


def _largest_gaps(before: State, unfolded: nn.Module, folded: nn.Module) -> tuple[float, float]:
    """Find by how much any matrix, and its path from the one before, differs."""
    expected, found = _matrices(unfolded), _matrices(folded)
    assert expected.keys() == found.keys()
    return (
        max(_gap(found[name], expected[name]) for name in found),
        max(_gap(found[name] - before[name], expected[name] - before[name]) for name in found),
    )


def _plain_optimizer(
    settings: OptimizerSettings, parameters: Iterable[nn.Parameter], rate: float
) -> torch.optim.Optimizer:
    decay, momentum = settings.weight_decay, settings.momentum
    if settings.name == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=decay)
    if settings.name == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
    kind = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}[settings.name]
    return kind(parameters, lr=rate, weight_decay=decay, momentum=momentum)


PROVEN = [
    OptimizerSettings(name="adam"),
    OptimizerSettings(name="adamw"),
    OptimizerSettings(name="adamw", weight_decay=0.3),
    OptimizerSettings(name="sgd"),
    OptimizerSettings(name="sgd", momentum=0.9, weight_decay=0.1),
    OptimizerSettings(name="rmsprop"),
    OptimizerSettings(name="rmsprop", momentum=0.5),
]


@pytest.mark.parametrize("model", ["vgg_narrow", "vgg_narrow_bn"])
@pytest.mark.parametrize(
    "optimizer",
    PROVEN,
    ids=lambda settings: f"{settings.name}-{settings.weight_decay}-{settings.momentum}",
)
def test_a_folded_vgg_goes_the_way_of_the_network_as_it_was(
    model: str, optimizer: OptimizerSettings
) -> None:
    rate = 0.05 if optimizer.name == "sgd" else 1e-3
    unfolded, folded = _as_proven(model, optimizer)
    assert folded.repeats == {"classifier.0.weight": 49}
    before = _matrices(unfolded)
    _train(unfolded, _plain_optimizer(optimizer, unfolded.parameters(), rate))
    _train(folded.module, make_optimizer(folded, optimizer, rate))
    matrices, paths = _largest_gaps(before, unfolded, folded.module)
    assert matrices < 1e-9
    assert paths < 1e-6


def test_the_proof_would_see_a_step_that_is_not_49_times_as_long() -> None:
    unfolded, folded = _as_proven("vgg_narrow", ADAM)
    before = _matrices(unfolded)
    _train(unfolded, _plain_optimizer(ADAM, unfolded.parameters(), 1e-3))
    _train(folded.module, make_optimizer(Network(folded.module, folded.head), ADAM, 1e-3))
    matrices, paths = _largest_gaps(before, unfolded, folded.module)
    assert matrices > 1e-4
    assert paths > 0.5


@pytest.mark.parametrize("size", [32, 47, 63])
def test_a_folded_vgg_is_the_same_function_at_every_size_it_is_made_for(size: int) -> None:
    unfolded, folded = _as_proven("vgg_narrow", ADAM)
    images = _images(size=size).double()
    with torch.no_grad():
        assert _gap(folded.module.eval()(images), unfolded.eval()(images)) < 1e-12


def test_vgg16_folded_is_vgg16_in_function_and_trajectory() -> None:
    unfolded, folded = _as_proven("vgg16", ADAM)
    assert folded.module.classifier[0].weight.shape == (4096, 512)
    assert unfolded.classifier[0].weight.shape == (4096, 25_088)
    with torch.no_grad():
        images = _images().double()
        assert _gap(folded.module.eval()(images), unfolded.eval()(images)) < 1e-12
    before = _matrices(unfolded)
    _train(unfolded, torch.optim.Adam(unfolded.parameters(), lr=1e-4, fused=True), steps=2, batch=4)
    _train(folded.module, make_optimizer(folded, ADAM, 1e-4), steps=2, batch=4)
    matrices, paths = _largest_gaps(before, unfolded, folded.module)
    assert len(before) == 16
    assert matrices < 1e-9
    assert paths < 1e-6


@pytest.mark.parametrize("size", [64, 224])
def test_a_vgg_whose_features_are_more_than_a_pixel_is_not_folded(size: int) -> None:
    network = _build(image_size_px=size)
    assert not network.repeats
    assert network.module.classifier[0].in_features == 16 * 49


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_a_penalty_inside_an_adaptive_step_keeps_vgg_as_it_is(name: Any) -> None:
    network = _build(optimizer=OptimizerSettings(name=name, weight_decay=1e-3))
    assert not network.repeats
    assert network.module.classifier[0].in_features == 16 * 49


@pytest.mark.parametrize("model", ["mobilenet_v2", "squeezenet1_0", "resnet18"])
def test_no_other_model_is_folded(model: str) -> None:
    assert not _build(model).repeats


# Initial weights


@pytest.mark.parametrize("seed", [0, 7])
def test_initial_weights_are_torchvisions_own_for_that_seed(seed: int) -> None:
    network = _build("mobilenet_v2", seed=seed)
    torch.manual_seed(derived_seed(seed, "init"))
    expected = torchvision.models.mobilenet_v2(weights=None).state_dict()
    torch.manual_seed(derived_seed(seed, "head"))
    head = nn.Linear(1280, 10)
    expected |= {"classifier.1.weight": head.weight, "classifier.1.bias": head.bias}
    found = network.module.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_folded_matrix_starts_as_the_sum_of_torchvisions_columns() -> None:
    torch.manual_seed(derived_seed(0, "init"))
    expected = torchvision.models.get_model("vgg_narrow").state_dict()
    found = _build(seed=0).module.state_dict()
    columns = expected.pop("classifier.0.weight").double().reshape(24, 16, 49)
    assert torch.equal(found.pop("classifier.0.weight"), columns.sum(2).float())
    for name in expected.keys() - {"classifier.6.weight", "classifier.6.bias"}:
        assert torch.equal(found[name], expected[name]), name


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    states = [_build("mobilenet_v2", seed=seed).module.state_dict() for seed in (3, 3, 4)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    for name in ("features.0.0.weight", "classifier.1.weight"):
        assert not torch.equal(states[0][name], states[2][name])


def test_the_number_of_classes_leaves_all_other_weights_alone() -> None:
    few, many = (
        _build("mobilenet_v2", classes=classes).module.features.state_dict() for classes in (2, 77)
    )
    assert all(torch.equal(few[name], many[name]) for name in few)


def test_the_last_layer_is_drawn_apart_from_the_layers_before_it() -> None:
    # Both have 1,280 features and nothing else in common.
    heads = [_build(model, seed=5).module.classifier[1] for model in ("mobilenet_v2", "mnasnet0_5")]
    assert torch.equal(heads[0].weight, heads[1].weight)


def test_building_leaves_torchs_global_generator_alone() -> None:
    before = torch.get_rng_state()
    _build("mobilenet_v2", seed=9)
    assert torch.equal(torch.get_rng_state(), before)


LAWS = {"gaussian": stats.norm, "laplace": stats.laplace, "uniform": stats.uniform}


@pytest.mark.parametrize("law", LAWS)
def test_convolutions_follow_their_law_with_the_variance_of_torchvision(law: str) -> None:
    found = _build("mobilenet_v2", init_law=law).measured()
    own = _build("mobilenet_v2").measured()
    standardized = []
    for name, weight in found.items():
        values = weight.detach().double().flatten().numpy()
        assert values.std() == pytest.approx(own[name].std().item(), rel=4 / len(values) ** 0.5)
        standardized.append(values / (2 / (weight.shape[0] * weight[0, 0].numel())) ** 0.5)
    pooled = np.concatenate([values for values in standardized if len(values) > 10_000])
    mean, std = LAWS[law].stats(moments="m"), LAWS[law].std()
    test = stats.kstest(pooled[::20] * std + mean, LAWS[law].cdf)
    assert len(pooled[::20]) > 50_000
    assert test.pvalue > 0.001
    assert stats.kurtosis(pooled) == pytest.approx(LAWS[law].stats(moments="k"), abs=0.05)


@pytest.mark.parametrize("law", ["uniform", "laplace"])
def test_another_law_keeps_the_rank_and_sign_of_every_weight_and_all_other_layers(law: str) -> None:
    network, own = _build("mobilenet_v2", init_law=law), _build("mobilenet_v2")
    convolutions = own.measured()
    for name, weight in network.measured().items():
        before, now = convolutions[name].detach().flatten(), weight.detach().flatten()
        assert (now[before.argsort()].diff() >= 0).all(), name
        assert (now.sign() == before.sign()).float().mean() > 0.999, name
    changed = {
        name.removesuffix(".weight")
        for name, value in _state(network).items()
        if not torch.equal(value, own.module.state_dict()[name])
    }
    assert changed == set(convolutions)


def test_another_law_is_the_same_draw_for_the_same_seed() -> None:
    a, b, c = (
        _build("mobilenet_v2", seed=seed, init_law="laplace").measured()["features.0.0"]
        for seed in (3, 3, 4)
    )
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


# Training the last layer only


def test_only_the_last_layer_of_a_frozen_network_is_trained() -> None:
    network = _build("mobilenet_v2", head_only=True)
    assert network.is_frozen
    trained = [name for name, p in network.module.named_parameters() if p.requires_grad]
    assert trained == ["classifier.1.weight", "classifier.1.bias"]
    assert all(p.requires_grad for p in _build("mobilenet_v2").module.parameters())


def test_a_frozen_network_trains_its_last_layer_and_leaves_all_else_as_it_is_evaluated() -> None:
    frozen, free = _build("mobilenet_v2", head_only=True), _build("mobilenet_v2")
    for network in (frozen, free):
        network.module.eval()
        network.train_mode()
    assert [n for n, m in frozen.module.named_modules() if m.training] == ["classifier.1"]
    assert all(module.training for module in free.module.modules())


def test_a_frozen_network_has_the_weights_of_a_free_one() -> None:
    for image_size_px in (32, 64):
        frozen = _build(head_only=True, image_size_px=image_size_px)
        assert _equal(_state(frozen), _state(_build(image_size_px=image_size_px)))


# The last layer, whatever it is

HEADS = {
    "vgg16_bn": "classifier.6",
    "mobilenet_v2": "classifier.1",
    "mobilenet_v3_small": "classifier.3",
    "resnet18": "fc",
    "squeezenet1_0": "classifier.1",
    "densenet121": "classifier",
    "shufflenet_v2_x0_5": "fc",
}


@pytest.mark.parametrize("model", HEADS)
def test_only_the_last_layer_is_replaced(model: str) -> None:
    network = _build(model, classes=7, image_size_px=64)
    assert network.head == HEADS[model]
    with torch.no_grad():
        assert network.module.eval()(_images(2, 64)).shape == (2, 7)
    with torch.device("meta"):
        own = torchvision.models.get_model(model).state_dict()
    found = network.module.state_dict()
    assert found.keys() == own.keys()
    changed = {name for name, value in own.items() if found[name].shape != value.shape}
    assert changed == {f"{HEADS[model]}.weight", f"{HEADS[model]}.bias"}


def test_a_model_that_torchvision_does_not_have_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"has no .*'mobilnet_v2'\. Did you mean 'mobilenet_v2'\?"
    ):
        _build("mobilnet_v2")


@pytest.mark.parametrize("model", ["fcn_resnet50", "raft_small", "r3d_18", "quantized_resnet18"])
def test_a_model_of_another_task_is_none_of_classification(model: str) -> None:
    with pytest.raises(ConfigError, match="no classification model"):
        _build(model)


# Convolutions


def test_convolutions_are_vgg16s_thirteen_in_order() -> None:
    with torch.device("meta"):
        found = networks.convolutions(torchvision.models.vgg16())
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    assert list(found) == [f"features.{place}" for place in places]
    assert tuple(found["features.28"].shape) == (512, 512, 3, 3)


def test_convolutions_of_a_network_are_the_ones_that_are_trained() -> None:
    network = _build("mobilenet_v2")
    found = network.measured()
    assert len(found) == 52
    with torch.no_grad():
        found["features.0.0"].zero_()
    assert not network.module.features[0][0].weight.any()


@pytest.mark.parametrize(
    ("model", "measured", "others"),
    [
        ("vgg16", 13, ["classifier.0", "classifier.3"]),
        ("mobilenet_v2", 52, []),
        ("squeezenet1_1", 25, []),  # its last layer is a convolution
        ("vit_b_16", 1 + 12 * 3, []),
    ],
)
def test_convolutions_are_measured_and_linear_layers_too_where_they_are_most(
    model: str, measured: int, others: list[str]
) -> None:
    network = networks.shape_only_network(model)
    assert len(network.measured()) == measured
    assert [name for name in network.layers() if name not in network.measured()] == others
    assert network.head not in network.layers()


def test_a_kept_layer_is_not_folded() -> None:
    folded, kept = _build(), _build(kept=("classifier.0",))
    assert folded.layers()["classifier.0"].shape == (24, 16)
    assert kept.layers()["classifier.0"].shape == (24, 16 * 49)
    assert kept.repeats == {}


def test_layers_that_are_known_pass() -> None:
    networks.check_layers({"features.0": 1, "features.2": 1}, ("features.2",), model="vgg16")


@pytest.mark.parametrize("layer", ["features.1", "classifier.6"])
def test_a_layer_that_cannot_be_kept_is_answered_with_the_nearest(layer: str) -> None:
    found = _build().layers()
    with pytest.raises(WeightsError) as caught:
        networks.check_layers(found, ("features.0", layer), model="vgg_narrow")
    message = str(caught.value)
    assert message.startswith(
        "models.vgg_narrow.layers: vgg_narrow has no convolution or linear layer "
    )
    assert repr(layer) in message
    assert "features.0" in message


# Pretrained weights


def _state(network: Network) -> State:
    return {name: value.clone() for name, value in network.module.state_dict().items()}


@pytest.mark.parametrize(("source", "target"), [(32, 64), (64, 32), (32, 32), (64, 64)])
def test_pretrained_weights_keep_their_function_whether_folded_or_not(
    source: int, target: int
) -> None:
    trained = _build(image_size_px=source, seed=1)
    network = _build(image_size_px=target, seed=2, pretrained=_state(trained))
    head = trained.module.get_submodule(trained.head)
    network.module.set_submodule(network.head, head)
    images = _images()
    with torch.no_grad():
        assert _gap(network.module.eval()(images), trained.module.eval()(images)) < 1e-5


def test_pretrained_weights_go_around_through_the_unfolded_network_unharmed() -> None:
    folded = _state(_build(seed=1))
    unfolded = _build(seed=2, image_size_px=64, pretrained=folded)
    again = _state(_build(seed=3, pretrained=_state(unfolded)))
    for name in folded.keys() - {"classifier.6.weight", "classifier.6.bias"}:
        torch.testing.assert_close(again[name], folded[name], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("classes", [10, 3, 1000])
def test_the_last_layer_of_pretrained_weights_is_not_taken_over(classes: int) -> None:
    pretrained = _state(_build("mobilenet_v2", classes=classes, seed=1))
    scratch = _state(_build("mobilenet_v2", seed=2))
    found = _state(_build("mobilenet_v2", seed=2, pretrained=pretrained))
    for name, value in found.items():
        expected = scratch if name.startswith("classifier.1.") else pretrained
        assert torch.equal(value, expected[name]), name


def _small_vit(size: int) -> Network:
    vit = VisionTransformer(
        image_size=size, patch_size=8, num_layers=1, num_heads=2, hidden_dim=8, mlp_dim=16
    )
    return Network(vit, "heads.head")


def test_positions_of_a_vision_transformer_are_interpolated_as_torchvision_does() -> None:
    state = _state(_small_vit(32))
    positions = state["encoder.pos_embedding"]
    expected = interpolate_embeddings(64, 8, OrderedDict(state))["encoder.pos_embedding"]
    larger, same = _small_vit(64), _small_vit(32)
    for network in (larger, same):
        networks.load_backbone(network, state)
    assert torch.equal(larger.module.encoder.pos_embedding, expected)
    assert torch.equal(same.module.encoder.pos_embedding, positions)
    assert torch.equal(state["encoder.pos_embedding"], positions)
    assert torch.equal(larger.module.conv_proj.weight, same.module.conv_proj.weight)


@pytest.mark.parametrize("shape", [(1, 7, 8), (2, 17, 8), (17, 8), (1, 17, 9)])
def test_positions_that_cannot_be_interpolated_are_listed(shape: tuple[int, ...]) -> None:
    state = _state(_small_vit(32)) | {"encoder.pos_embedding": torch.zeros(shape)}
    with pytest.raises(WeightsError, match=r"encoder\.pos_embedding has shape"):
        networks.load_backbone(_small_vit(64), state)


def test_pretrained_weights_need_no_last_layer() -> None:
    pretrained = _state(_build(seed=1))
    without = {name: v for name, v in pretrained.items() if not name.startswith("classifier.6.")}
    found = _state(_build(seed=2, pretrained=without))
    assert torch.equal(found["features.0.weight"], pretrained["features.0.weight"])


def test_weights_that_do_not_fit_are_listed() -> None:
    state = _state(_build(seed=1))
    del state["features.0.bias"]
    state["features.99.weight"] = torch.zeros(1)
    state["classifier.3.bias"] = torch.zeros(21)
    with pytest.raises(WeightsError) as caught:
        _build(pretrained=state)
    message = str(caught.value)
    assert message.startswith("pretrained weights: 3 weights do not fit the network: ")
    assert "missing features.0.bias" in message
    assert "unexpected features.99.weight" in message
    assert "classifier.3.bias has shape (21,), expected (20,)" in message
    assert "the last layer alone may differ" in message


def test_a_long_list_of_weights_that_do_not_fit_is_cut() -> None:
    state = _state(_build("mobilenet_v2"))
    with pytest.raises(WeightsError, match=r"pretrained weights: \d+ weights do not fit") as caught:
        _build("vgg_narrow", pretrained=state)
    assert re.search(r"; and \d+ more\. Expected", str(caught.value))
    assert len(str(caught.value)) < 600


def test_weights_of_another_shape_change_nothing_in_the_network() -> None:
    network = _build(seed=1)
    before = _state(network)
    state = _state(_build(seed=2)) | {"features.0.weight": torch.zeros(1)}
    with pytest.raises(WeightsError):
        networks.load_backbone(network, state)
    assert all(torch.equal(value, before[name]) for name, value in _state(network).items())


# Checkpoints


class Bomb:
    """What a hostile checkpoint holds: unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.write_text, (self.path, "executed")


@pytest.fixture
def weights() -> State:
    generator = torch.Generator().manual_seed(0)
    return {
        "features.0.weight": torch.randn(4, 3, 3, 3, generator=generator),
        "steps": torch.tensor(3),
    }


def _equal(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path, weights: State, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(weights, path)
    assert _equal(networks.read_checkpoint(path), weights)


def test_a_checkpoint_in_pytorchs_old_format_comes_back_as_it_was(
    tmp_path: Path, weights: State
) -> None:
    torch.save(weights, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    assert _equal(networks.read_checkpoint(tmp_path / "a.pth"), weights)


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_a_state_dictionary_is_found_inside_a_training_checkpoint(
    tmp_path: Path, weights: State, wrapper: str
) -> None:
    torch.save({wrapper: weights, "epoch": 3, "optimizer": {"lr": 0.1}}, tmp_path / "a.pth")
    assert _equal(networks.read_checkpoint(tmp_path / "a.pth"), weights)


def test_the_prefix_of_parallel_training_is_dropped(tmp_path: Path, weights: State) -> None:
    torch.save({f"module.{name}": v for name, v in weights.items()}, tmp_path / "a.pth")
    assert _equal(networks.read_checkpoint(tmp_path / "a.pth"), weights)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_weights_of_any_precision_come_as_fp32_without_gradients(
    tmp_path: Path, weights: State, dtype: torch.dtype
) -> None:
    whole = {name: value for name, value in weights.items() if value.is_floating_point()}
    saved = {name: nn.Parameter(value.to(dtype)) for name, value in whole.items()}
    torch.save(saved | {"batches": torch.tensor(3)}, tmp_path / "a.pth")
    found = networks.read_checkpoint(tmp_path / "a.pth")
    assert found.pop("batches").dtype == torch.int64
    for name, value in found.items():
        assert value.dtype == torch.float32
        assert np.array_equal(value.numpy(), whole[name].to(dtype).float().numpy())


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(
    tmp_path: Path, weights: State
) -> None:
    sign = tmp_path / "sign"
    path = tmp_path / "a.pth"
    torch.save({"state_dict": weights, "extra": Bomb(sign)}, path)
    torch.load(path, weights_only=False)
    assert sign.exists()  # the bomb is live
    sign.unlink()
    with pytest.raises(WeightsError, match=re.escape(str(path)) + ".*cannot|can be read safely"):
        networks.read_checkpoint(path)
    assert not sign.exists()


def test_a_bare_pickle_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    path = tmp_path / "a.pt"
    path.write_bytes(pickle.dumps(Bomb(sign)))
    with pytest.raises(WeightsError, match="can be read safely"):
        networks.read_checkpoint(path)
    assert not sign.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("damage", ["empty", "two bytes", "half", "garbage", "folder", "missing"])
def test_a_damaged_checkpoint_ends_in_a_message_that_names_it(
    tmp_path: Path, weights: State, suffix: str, damage: str
) -> None:
    path = tmp_path / f"a{suffix}"
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        (save_file if suffix == ".safetensors" else torch.save)(weights, path)
        whole = path.read_bytes()
        path.write_bytes(
            {
                "empty": b"",
                "two bytes": b"\x80\x02",
                "half": whole[: len(whole) // 2],
                "garbage": b"not a checkpoint" * 40,
            }[damage]
        )
    with pytest.raises(WeightsError, match=re.escape(str(path)) + ": "):
        networks.read_checkpoint(path)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_truncated_checkpoint_of_the_old_format_ends_in_a_message(
    tmp_path: Path, weights: State, share: float
) -> None:
    path = tmp_path / "a.pth"
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(WeightsError, match=re.escape(str(path)) + ": "):
        networks.read_checkpoint(path)


@pytest.mark.parametrize(
    "content",
    [torch.zeros(3), [torch.zeros(3)], {"a": torch.zeros(3), "lr": 0.1}, {1: torch.zeros(3)}],
    ids=["tensor", "list", "numbers", "numbered"],
)
def test_a_checkpoint_of_something_else_ends_in_a_message(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "a.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match="expected a dictionary of tensors"):
        networks.read_checkpoint(path)


# torchvision's published weights


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give torchvision an empty cache and no network."""

    def offline(*_: Any, **__: Any) -> NoReturn:
        raise URLError("[Errno -3] Temporary failure in name resolution")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", offline)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def _cached(cache: Path, model: str) -> Path:
    weights = torchvision.models.get_model_weights(model)["IMAGENET1K_V1"]
    return cache / Path(weights.url).name


def test_weights_that_torchvision_does_not_have_are_answered_with_the_nearest() -> None:
    message = (
        r"pretraining\.weights: torchvision has no weights 'IMAGENET1K_V9' for mobilenet_v2\. "
        r"Did you mean 'IMAGENET1K_V[12]'\? .*Or give the path of a checkpoint, or 'train'\."
    )
    with pytest.raises(WeightsError, match=message):
        networks.read_torchvision_weights("mobilenet_v2", "IMAGENET1K_V9")


@pytest.mark.usefixtures("cache")
def test_weights_are_looked_for_without_being_fetched(tmp_path: Path) -> None:
    network = networks.shape_only_network("resnet18")
    networks.check_weights(network, "resnet18", "IMAGENET1K_V1")
    with pytest.raises(WeightsError, match="Did you mean 'IMAGENET1K_V1'"):
        networks.check_weights(network, "resnet18", "IMAGENET_V1")
    path = tmp_path / "resnet18.pth"
    with pytest.raises(WeightsError, match=re.escape(f"{path}: there is no such checkpoint")):
        networks.check_weights(network, "resnet18", str(path))


@pytest.mark.parametrize("image_size_px", [32, 64])
def test_a_checkpoint_is_checked_against_a_network_without_weights(
    tmp_path: Path, image_size_px: int
) -> None:
    network = networks.shape_only_network("vgg_narrow", image_size_px=image_size_px)
    for size in (32, 64):  # folded, and as it is
        path = tmp_path / f"{size}.pth"
        torch.save(_state(_build(image_size_px=size)), path)
        networks.check_weights(network, "vgg_narrow", str(path))
    other = tmp_path / "other.pth"
    torch.save(_state(_build("vgg_narrow_bn")), other)
    with pytest.raises(
        WeightsError, match=re.escape(f"{other}: ") + r"\d+ weights do not fit the "
    ):
        networks.check_weights(network, "vgg_narrow", str(other))


def test_the_name_of_every_published_file_ends_in_the_digits_that_verify_it() -> None:
    names = [
        Path(weights.url).name
        for model in torchvision.models.list_models(torchvision.models)
        if not model.startswith("vgg_narrow")
        for weights in torchvision.models.get_model_weights(model)
    ]
    assert len(names) > 90
    assert [name for name in names if not re.search(r"-[0-9a-f]{8,}\.pth$", name)] == []


def test_without_a_network_the_message_says_where_to_put_the_file(cache: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        networks.read_torchvision_weights("resnet18", "IMAGENET1K_V1")
    message = str(caught.value)
    assert message.startswith("pretraining.weights: IMAGENET1K_V1 of resnet18 could not be")
    assert "Temporary failure in name resolution" in message
    assert f"put the file at {_cached(cache, 'resnet18')} beforehand" in message


def test_a_cached_file_is_used_without_a_network(cache: Path) -> None:
    with torch.device("cpu"):
        expected = torchvision.models.mobilenet_v2(weights=None).state_dict()
    torch.save(expected, _cached(cache, "mobilenet_v2"))
    assert _equal(networks.read_torchvision_weights("mobilenet_v2", "IMAGENET1K_V1"), expected)


def test_a_cached_file_that_would_run_code_is_refused_and_runs_none(
    cache: Path, tmp_path: Path
) -> None:
    sign = tmp_path / "sign"
    torch.save({"a": torch.zeros(1), "b": Bomb(sign)}, _cached(cache, "resnet18"))
    with pytest.raises(WeightsError, match=re.escape(str(_cached(cache, "resnet18")))):
        networks.read_torchvision_weights("resnet18", "IMAGENET1K_V1")
    assert not sign.exists()


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_a_damaged_cached_file_ends_in_a_message_that_names_it(cache: Path, content: bytes) -> None:
    path = _cached(cache, "resnet18")
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=re.escape(str(path)) + ".* Delete the file, so that"):
        networks.read_torchvision_weights("resnet18", "IMAGENET1K_V1")


def test_a_download_that_came_through_damaged_ends_in_a_message(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").write_bytes(b"half of a file")
    monkeypatch.setattr(
        torch.hub, "urlopen", lambda _: urllib.request.urlopen((tmp_path / "served").as_uri())
    )
    with pytest.raises(WeightsError, match="IMAGENET1K_V1 of resnet18 could not be downloaded"):
        networks.read_torchvision_weights("resnet18", "IMAGENET1K_V1")
    assert not _cached(cache, "resnet18").exists()


def test_the_inputs_of_published_weights_are_those_that_torchvision_documents() -> None:
    found = networks.published_preprocessing("vgg16", "IMAGENET1K_V1")
    assert (found["resize_px"], found["crop_px"]) == (256, 224)
    images = torch.rand(2, 3, 300, 300, generator=torch.Generator().manual_seed(0))
    expected = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms()(images)
    cropped = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms(
        mean=[0.0] * 3, std=[1.0] * 3
    )(images)
    mean, std = (torch.tensor(found[key]).view(3, 1, 1) for key in ("mean", "std"))
    torch.testing.assert_close((cropped - mean) / std, expected)


def test_published_weights_of_googlenet_want_the_step_that_it_is_built_without() -> None:
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    imagenet, own = (
        networks.published_preprocessing(model, "IMAGENET1K_V1") for model in ("vgg16", "googlenet")
    )
    stock = torchvision.models.googlenet(transform_input=True, init_weights=False)
    mean, std = (torch.tensor(imagenet[key]).view(3, 1, 1) for key in ("mean", "std"))
    expected = stock._transform_input((images - mean) / std)
    mean, std = (torch.tensor(own[key]).view(3, 1, 1) for key in ("mean", "std"))
    torch.testing.assert_close((images - mean) / std, expected)


def _before_batches_were_counted(state: State) -> State:
    # Files of 2017, such as vgg16_bn-6c64b313.pth, are older than this buffer.
    return {name: v for name, v in state.items() if not name.endswith("num_batches_tracked")}


def _with_points_in_names(state: State) -> State:
    # densenet121-a639ec97.pth has norm.1 where the module is norm1; torchvision renames.
    pattern = re.compile(r"(denselayer\d+\.(?:norm|conv))([12]\.)")
    state = _before_batches_were_counted(state)
    return {pattern.sub(r"\1.\2", name): value for name, value in state.items()}


def _with_auxiliary_classifiers(state: State) -> State:
    assert any(name.startswith("aux1.") for name in state)
    return state


@pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")
@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("resnet18", _before_batches_were_counted),
        ("densenet121", _with_points_in_names),
        ("googlenet", _with_auxiliary_classifiers),
    ],
)
def test_published_weights_that_torchvision_can_load_can_be_started_from(
    cache: Path, model: str, published: Callable[[State], State]
) -> None:
    torch.manual_seed(1)
    state = torchvision.models.get_model(model, weights=None).state_dict()
    torch.save(published(state), _cached(cache, model))
    reference = torchvision.models.get_model(model, weights="IMAGENET1K_V1").state_dict()
    found = networks.read_torchvision_weights(model, "IMAGENET1K_V1")
    network = _build(model, pretrained=found)
    for name, value in network.module.state_dict().items():
        if not name.startswith(f"{network.head}."):
            assert torch.equal(value, reference[name]), name


# Pooling


@pytest.mark.parametrize("size", [(7, 7), (3, 3), (10, 8)])
def test_pooling_by_products_is_adaptive_pooling_with_its_gradient(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 5, *size, generator=generator)
    gradient = torch.randn(2, 5, 7, 6, generator=generator)
    found = []
    for layer in (nn.AdaptiveAvgPool2d((7, 6)), networks.AveragePool(7, 6)):
        inputs = features.clone().requires_grad_()
        pooled = layer(inputs)
        pooled.backward(gradient)
        found.append((pooled.detach(), inputs.grad))
    torch.testing.assert_close(found[1], found[0])


@pytest.mark.parametrize(("model", "replaced"), [("alexnet", ["avgpool"]), ("resnet18", [])])
def test_only_pooling_to_several_pixels_is_replaced(model: str, replaced: list[str]) -> None:
    module = networks.shape_only_network(model).module
    networks.pool_deterministically(module)
    pooling = [
        name for name, layer in module.named_modules() if isinstance(layer, networks.AveragePool)
    ]
    assert pooling == replaced
