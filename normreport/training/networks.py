"""Building torchvision's networks, their initial weights and a new last layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from normreport.config.training import OptimizerSettings
from normreport.errors import ConfigError, WeightsError, first_line, nearest
from normreport.training.folding import FOLDED_LAYER, can_fold, fold
from normreport.training.initial_laws import InitLaw, redraw_convolutions
from normreport.training.pretrained_weights import StateDict, load_backbone
from normreport.training.seeds import derived_seed

# Auxiliary classifiers need a loss of their own, so these networks are built without them.
WITHOUT_AUXILIARY: Mapping[str, dict[str, bool]] = {
    name: {"aux_logits": False, "init_weights": True} for name in ("googlenet", "inception_v3")
}
IMAGENET_PX = 224  # torchvision's default input size
IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class Network:
    """A network that is ready for training.

    Attributes
    ----------
    module
        The network.
    head
        Dotted path of the last layer.
    repeats
        Names of folded parameters, and how many equal parameters each sums
        (:mod:`normreport.training.folding`).
    is_frozen
        Whether only the last layer is trained.
    """

    module: nn.Module
    head: str
    repeats: Mapping[str, int] = field(default_factory=dict)
    is_frozen: bool = False

    def train_mode(self) -> None:
        """Switch to train mode; frozen layers stay in eval mode and keep their buffers."""
        self.module.train(not self.is_frozen)
        self.module.get_submodule(self.head).train()

    def layers(self) -> dict[str, Tensor]:
        """Return the weights of all 2-d convolutions and linear layers except the last layer.

        By dotted path, in the network's order.
        """
        return {
            name: layer.weight
            for name, layer in self.module.named_modules()
            if isinstance(layer, nn.Conv2d | nn.Linear) and name != self.head
        }

    def measured_layers(self) -> dict[str, Tensor]:
        """Return the weights of the layers that are measured after every epoch.

        These are the convolutions, or all :meth:`layers` if most of them are linear, as in
        transformers.
        """
        layers = self.layers()
        convolutions = {name: weight for name, weight in layers.items() if weight.ndim == 4}
        return layers if 2 * len(convolutions) < len(layers) else convolutions


def build(
    model: str,
    *,
    classes: int,
    image_size_px: int,
    optimizer: OptimizerSettings,
    seed: int,
    pretrained: StateDict | None = None,
    init_law: InitLaw = "gaussian",
    head_only: bool = False,
    kept: Sequence[str] = (),
) -> Network:
    """Build a network with its initial weights.

    Parameters
    ----------
    model
        A name from ``torchvision.models.list_models``.
    classes
        Number of outputs of the new last layer.
    image_size_px
        Height and width of the input. A vision transformer has one position per patch of it.
    optimizer
        Decides, together with `image_size_px`, whether VGG's first linear layer is folded.
    seed
        Seeds the initial weights; the new last layer has its own generator.
    pretrained
        Weights for all layers except the last.
    init_law
        Law of the initial convolution weights; all laws have torchvision's variance.
    head_only
        Freeze all layers except the last.
    kept
        Layers whose weights are saved. They are never folded.

    Raises
    ------
    ConfigError
        If torchvision has no such model.
    WeightsError
        If `pretrained` does not fit the network.
    """
    module = torchvision_network(
        model, image_size_px=image_size_px, seed=derived_seed(seed, "init")
    )
    head = _last_layer(module)
    torchvision_head = module.get_submodule(head)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, "head"))
        module.set_submodule(head, _with_outputs(torchvision_head, classes))
    if init_law != "gaussian":
        redraw_convolutions(module, init_law)
    network = Network(module, head)
    if FOLDED_LAYER not in kept and can_fold(module, image_size_px, optimizer):
        network = replace(network, repeats=fold(module))
    if pretrained is not None:
        load_backbone(module, pretrained, head=head)
    if head_only:
        module.requires_grad_(False)
        module.get_submodule(head).requires_grad_(True)
        network = replace(network, is_frozen=True)
    return network


def torchvision_network(
    model: str, *, image_size_px: int, seed: int, key: str = "experiment.models"
) -> nn.Module:
    """Build torchvision's unchanged network with random weights from `seed`.

    Raises
    ------
    ConfigError
        If torchvision has no such model; the message names the configuration's `key`.
    """
    known = torchvision.models.list_models(torchvision.models)
    if model not in known:
        raise ConfigError(
            f"{key}: torchvision has no classification model {model!r}. {nearest(model, known)}"
        )
    options: Mapping[str, Any] = WITHOUT_AUXILIARY.get(model, {})
    if model.startswith("vit_"):
        options = {"image_size": image_size_px}
    elif model.startswith("maxvit_"):
        options = {"input_size": (image_size_px, image_size_px)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module: nn.Module = torchvision.models.get_model(model, weights=None, **options)
    return module


def shape_only_network(
    model: str,
    *,
    image_size_px: int = IMAGENET_PX,
    key: str = "experiment.models",
    size_key: str = "data.target.image_size_px",
) -> Network:
    """Build a network for its shapes, and check that it accepts images of a size.

    The network lies on the meta device, which allocates no memory, if its constructor allows it.

    Parameters
    ----------
    model, image_size_px
        As for :func:`build`.
    key, size_key
        The configuration keys of model and size, for error messages.

    Raises
    ------
    ConfigError
        If torchvision has no such model, or its layers do not accept that size.
    """

    def build_and_run() -> Network:
        module = torchvision_network(model, image_size_px=image_size_px, seed=0, key=key)
        with torch.no_grad():
            module.train()(torch.zeros(2, 3, image_size_px, image_size_px))
        return Network(module, _last_layer(module))

    try:
        try:
            with torch.device("meta"):
                return build_and_run()
        except NotImplementedError:  # the constructor reads values, which a meta tensor lacks
            return build_and_run()
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ConfigError(
            f"{size_key}: {model} cannot take images of {image_size_px} px ({first_line(error)}). "
            "Expected a size that its layers accept; change the size or choose another model."
        ) from error


def check_layers(known: Iterable[str], layers: Sequence[str], *, model: str) -> None:
    """Check that a model has all of `layers`.

    Raises
    ------
    WeightsError
        Names the first layer that is not in `known`, and the most similar one that is.
    """
    for layer in layers:
        if layer not in known:
            raise WeightsError(
                f"models.{model}.layers: {model} has no convolution or linear layer {layer!r} "
                f"before its last layer. {nearest(layer, known)}"
            )


def _last_layer(module: nn.Module) -> str:
    """Return the path of the last layer with one output per ImageNet class."""
    outputs = {nn.Linear: "out_features", nn.Conv2d: "out_channels"}
    heads: list[str] = [
        name
        for name, layer in module.named_modules()
        if type(layer) in outputs and getattr(layer, outputs[type(layer)]) == IMAGENET_CLASSES
    ]
    if not heads:
        raise WeightsError("the network has no last layer with 1,000 outputs to replace")
    return heads[-1]


def _with_outputs(layer: nn.Module, classes: int) -> nn.Module:
    """Return a new layer like `layer` with another number of outputs."""
    if isinstance(layer, nn.Linear):
        return nn.Linear(layer.in_features, classes, bias=layer.bias is not None)
    if isinstance(layer, nn.Conv2d):
        return nn.Conv2d(layer.in_channels, classes, kernel_size=1, bias=layer.bias is not None)
    raise TypeError(type(layer))
