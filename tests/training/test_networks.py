"""Networks are compared to torchvision's own."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

from normreport.errors import ConfigError, WeightsError
from normreport.training.networks import check_layers, shape_only_network
from normreport.training.seeds import derived_seed
from tests.training.helpers import build_network, copy_state, equal_states, random_images

pytestmark = pytest.mark.usefixtures("narrow_vggs")


@pytest.mark.parametrize("seed", [0, 7])
def test_initial_weights_equal_those_of_torchvision_for_the_seed(seed: int) -> None:
    network = build_network("mobilenet_v2", seed=seed)
    torch.manual_seed(derived_seed(seed, "init"))
    expected = torchvision.models.mobilenet_v2(weights=None).state_dict()
    torch.manual_seed(derived_seed(seed, "head"))
    head = nn.Linear(1280, 10)
    expected |= {"classifier.1.weight": head.weight, "classifier.1.bias": head.bias}
    found = network.module.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_the_seed_decides_the_initial_weights() -> None:
    states = [build_network("mobilenet_v2", seed=seed).module.state_dict() for seed in (3, 3, 4)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    for name in ("features.0.0.weight", "classifier.1.weight"):
        assert not torch.equal(states[0][name], states[2][name])


def test_the_number_of_classes_affects_only_the_last_layer() -> None:
    few, many = (
        build_network("mobilenet_v2", classes=classes).module.features.state_dict()
        for classes in (2, 77)
    )
    assert all(torch.equal(few[name], many[name]) for name in few)


def test_the_last_layer_has_its_own_generator() -> None:
    # Both have 1,280 features and nothing else in common.
    heads = [
        build_network(model, seed=5).module.classifier[1]
        for model in ("mobilenet_v2", "mnasnet0_5")
    ]
    assert torch.equal(heads[0].weight, heads[1].weight)


def test_building_a_network_keeps_torchs_global_generator() -> None:
    before = torch.get_rng_state()
    build_network("mobilenet_v2", seed=9)
    assert torch.equal(torch.get_rng_state(), before)


def test_only_the_last_layer_of_a_frozen_network_has_gradients() -> None:
    network = build_network("mobilenet_v2", head_only=True)
    assert network.is_frozen
    trained = [name for name, p in network.module.named_parameters() if p.requires_grad]
    assert trained == ["classifier.1.weight", "classifier.1.bias"]
    assert all(p.requires_grad for p in build_network("mobilenet_v2").module.parameters())


def test_only_the_last_layer_of_a_frozen_network_is_in_train_mode() -> None:
    frozen, free = build_network("mobilenet_v2", head_only=True), build_network("mobilenet_v2")
    for network in (frozen, free):
        network.module.eval()
        network.train_mode()
    assert [n for n, m in frozen.module.named_modules() if m.training] == ["classifier.1"]
    assert all(module.training for module in free.module.modules())


def test_freezing_keeps_the_initial_weights() -> None:
    for image_size_px in (32, 64):
        frozen = build_network(head_only=True, image_size_px=image_size_px)
        assert equal_states(
            copy_state(frozen), copy_state(build_network(image_size_px=image_size_px))
        )


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
    network = build_network(model, classes=7, image_size_px=64)
    assert network.head == HEADS[model]
    with torch.no_grad():
        assert network.module.eval()(random_images(2, 64)).shape == (2, 7)
    with torch.device("meta"):
        own = torchvision.models.get_model(model).state_dict()
    found = network.module.state_dict()
    assert found.keys() == own.keys()
    changed = {name for name, value in own.items() if found[name].shape != value.shape}
    assert changed == {f"{HEADS[model]}.weight", f"{HEADS[model]}.bias"}


def test_an_unknown_model_raises_and_suggests_a_similar_one() -> None:
    with pytest.raises(
        ConfigError, match=r"has no .*'mobilnet_v2'\. Did you mean 'mobilenet_v2'\?"
    ):
        build_network("mobilnet_v2")


@pytest.mark.parametrize("model", ["fcn_resnet50", "raft_small", "r3d_18", "quantized_resnet18"])
def test_a_model_for_another_task_raises(model: str) -> None:
    with pytest.raises(ConfigError, match="no classification model"):
        build_network(model)


def test_the_measured_layers_of_vgg16_are_its_thirteen_convolutions_in_order() -> None:
    layers = shape_only_network("vgg16").measured_layers()
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    assert list(layers) == [f"features.{place}" for place in places]
    assert tuple(layers["features.28"].shape) == (512, 512, 3, 3)


def test_measured_layers_share_memory_with_the_network() -> None:
    network = build_network("mobilenet_v2")
    found = network.measured_layers()
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
def test_linear_layers_are_measured_only_if_most_layers_are_linear(
    model: str, measured: int, others: list[str]
) -> None:
    network = shape_only_network(model)
    assert len(network.measured_layers()) == measured
    assert [name for name in network.layers() if name not in network.measured_layers()] == others
    assert network.head not in network.layers()


def test_check_layers_accepts_known_layers() -> None:
    check_layers({"features.0": 1, "features.2": 1}, ("features.2",), model="vgg16")


@pytest.mark.parametrize("layer", ["features.1", "classifier.6"])
def test_an_unknown_layer_raises_and_suggests_a_similar_one(layer: str) -> None:
    found = build_network().layers()
    with pytest.raises(WeightsError) as caught:
        check_layers(found, ("features.0", layer), model="vgg_narrow")
    message = str(caught.value)
    assert message.startswith(
        "models.vgg_narrow.layers: vgg_narrow has no convolution or linear layer "
    )
    assert repr(layer) in message
    assert "features.0" in message
