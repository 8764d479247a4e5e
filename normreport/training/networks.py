"""Networks as torchvision has them, with the last layer replaced.

One thing is done to VGG where it changes nothing but the time: at 32 to 63 px its feature map is
one pixel, so adaptive pooling repeats every feature 49 times into the first linear layer, and the
49 columns that see the same feature always get the same gradient. Their sum is all that matters.
:func:`build` keeps the sum (512 columns instead of 25,088, 103 million weights fewer to read and
update in every step), and its step is 49 times as long. Function and trajectory are the same; the
tests prove it against the network as it was.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

from normreport.config.training import OptimizerSettings
from normreport.errors import ConfigError, WeightsError, nearest
from normreport.training.seeds import derived_seed

State = dict[str, Tensor]

# Classifiers beside the last layer, which only a loss of their own could train, are left out.
SINGLE_HEADED: Mapping[str, dict[str, bool]] = {
    name: {"aux_logits": False, "init_weights": True} for name in ("googlenet", "inception_v3")
}
AUXILIARY = re.compile(r"(aux1|aux2|AuxLogits)\.")
# The size that torchvision makes a network for if it is told no other.
IMAGENET_PX = 224
FOLDED = "classifier.0"  # of VGG
POSITIONS = "encoder.pos_embedding"  # of a vision transformer: one for each patch of the images


@dataclass(frozen=True)
class Network:
    """A network that is ready to be trained.

    Attributes
    ----------
    module
        The network.
    head
        Dotted path of the replaced last layer.
    repeats
        Parameters that stand for the sum of this many equal ones, by name.
    is_frozen
        Whether only the last layer is trained.
    """

    module: nn.Module
    head: str
    repeats: Mapping[str, int] = field(default_factory=dict)
    is_frozen: bool = False

    def train_mode(self) -> None:
        """Switch to train mode, but for what is frozen: it stays as it was, buffers included."""
        self.module.train(not self.is_frozen)
        self.module.get_submodule(self.head).train()

    def layers(self) -> dict[str, Tensor]:
        """Weights of every 2-d convolution and linear layer, by module path, in order.

        All but the replaced last layer.
        """
        return {
            name: layer.weight
            for name, layer in self.module.named_modules()
            if isinstance(layer, nn.Conv2d | nn.Linear) and name != self.head
        }

    def measured(self) -> dict[str, Tensor]:
        """Weights of the layers that are measured after every epoch, whichever are kept.

        The convolutions; all of :meth:`layers` where most are linear, as in transformers.
        """
        every = self.layers()
        convolutions = {name: weight for name, weight in every.items() if weight.ndim == 4}
        return every if 2 * len(convolutions) < len(every) else convolutions


def convolutions(module: nn.Module) -> dict[str, Tensor]:
    """Weights of every 2-d convolution of a module, by path, in the module's order."""
    return {
        name: layer.weight for name, layer in module.named_modules() if isinstance(layer, nn.Conv2d)
    }


def build(
    model: str,
    *,
    classes: int,
    image_size_px: int,
    optimizer: OptimizerSettings,
    seed: int,
    pretrained: State | None = None,
    init_law: str = "gaussian",
    head_only: bool = False,
    kept: Sequence[str] = (),
) -> Network:
    """Build a network with its initial weights.

    Parameters
    ----------
    model
        A name from ``torchvision.models.list_models``.
    classes
        Outputs of the new last layer.
    image_size_px
        Height and width of the inputs; a vision transformer has a position for each patch of it,
        and it decides whether VGG's first linear layer can be folded.
    optimizer
        Decides the same: not every optimizer treats a sum like its parts.
    seed
        Decides the initial weights, those of the new last layer by a generator of their own.
    pretrained
        Weights for everything but the last layer.
    init_law
        ``gaussian``, as torchvision draws convolutions, or ``uniform`` or ``laplace``, of the
        same variance.
    head_only
        Freeze everything but the last layer.
    kept
        Layers that must be torchvision's own, not folded.

    Raises
    ------
    ConfigError
        If torchvision has no such model.
    WeightsError
        If `pretrained` lacks a weight or has one of another shape.
    """
    module = torchvision_network(
        model, image_size_px=image_size_px, seed=derived_seed(seed, "init")
    )
    head = _last_layer(module)
    old = module.get_submodule(head)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, "head"))
        module.set_submodule(head, _with_outputs(old, classes))
    if init_law != "gaussian":
        _redraw(module, init_law)
    network = Network(module, head)
    if FOLDED not in kept and _folds(module, image_size_px, optimizer):
        network = _fold(network)
    if pretrained is not None:
        load_backbone(network, pretrained)
    if head_only:
        module.requires_grad_(False)
        module.get_submodule(head).requires_grad_(True)
        network = replace(network, is_frozen=True)
    return network


def torchvision_network(
    model: str, *, image_size_px: int, seed: int, key: str = "experiment.models"
) -> nn.Module:
    """Build torchvision's network as it is, its random weights drawn from `seed`.

    Raises
    ------
    ConfigError
        If torchvision has no such model; it names the `key` of the configuration.
    """
    known = torchvision.models.list_models(torchvision.models)
    if model not in known:
        raise ConfigError(
            f"{key}: torchvision has no classification model {model!r}. {nearest(model, known)}"
        )
    options: Mapping[str, Any] = SINGLE_HEADED.get(model, {})
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
    """Build a network for its shapes alone, and show it images of a size.

    On the meta device, where nothing is calculated, if the network's making allows that.

    Parameters
    ----------
    model, image_size_px
        As for :func:`build`.
    key, size_key
        The keys of the configuration that decide them.

    Raises
    ------
    ConfigError
        If torchvision has no such model, or its layers do not fit together at that size.
    """

    def tried() -> Network:
        module = torchvision_network(model, image_size_px=image_size_px, seed=0, key=key)
        with torch.no_grad():
            module.train()(torch.zeros(2, 3, image_size_px, image_size_px))
        return Network(module, _last_layer(module))

    try:
        try:
            with torch.device("meta"):
                return tried()
        except NotImplementedError:  # torch: a meta tensor has no values to look at
            return tried()
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ConfigError(
            f"{size_key}: {model} cannot take images of {image_size_px} px ({_reason(error)}). "
            "Expected a size that its layers fit; change the key or take another model."
        ) from error


class AveragePool(nn.Module):
    """``nn.AdaptiveAvgPool2d`` as two matrix products, whose gradient is deterministic on a GPU.

    Parameters
    ----------
    height, width
        Of the output.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.output_size = (height, width)

    def forward(self, features: Tensor) -> Tensor:
        """Average features, shape (N, C, H, W), to (N, C, height, width)."""
        # Pooling is linear: what it makes of the identity is its matrix, (H, h) and (W, w).
        rows, columns = (
            nn.functional.adaptive_avg_pool1d(torch.eye(size, device=features.device), pooled)
            for size, pooled in zip(features.shape[-2:], self.output_size, strict=True)
        )
        return rows.T @ features @ columns


def pool_deterministically(module: nn.Module) -> None:
    """Replace adaptive pooling whose gradient CUDA adds up in any order, as in VGG and AlexNet.

    Pooling to one pixel is a mean, which is deterministic as it is.
    """
    for name, layer in list(module.named_modules()):
        match layer:
            case nn.AdaptiveAvgPool2d(output_size=(int(height), int(width))) if height * width > 1:
                module.set_submodule(name, AveragePool(height, width))


def check_layers(known: Iterable[str], layers: Sequence[str], *, model: str) -> None:
    """Check that every one of `layers` can be kept.

    Raises
    ------
    WeightsError
        Naming the first that is none of the `known`, and the nearest that is.
    """
    for layer in layers:
        if layer not in known:
            raise WeightsError(
                f"models.{model}.layers: {model} has no convolution or linear layer {layer!r} "
                f"before its last layer. {nearest(layer, known)}"
            )


def check_weights(network: Network, architecture: str, weights: str) -> None:
    """Check that pretrained weights fit a network, without fetching published ones.

    Raises
    ------
    WeightsError
        If there is no such file, it is of another network, or torchvision has no such weights.
    """
    if is_checkpoint(weights):
        _fitting(network, read_checkpoint(Path(weights)), where=weights)
    else:
        _published(architecture, weights)


def is_checkpoint(weights: str) -> bool:
    """Whether ``pretraining.weights`` names a file."""
    return weights.endswith((".pth", ".pt", ".safetensors"))


def load_backbone(network: Network, state: State) -> None:
    """Copy every weight but the last layer's from `state` into the network.

    A first linear layer of VGG is folded, or spread over its repeated columns, as the network
    needs it. A vision transformer's positions are interpolated to the patches of its images, as
    torchvision does it.

    Raises
    ------
    WeightsError
        Listing what is missing, unexpected or of another shape.
    """
    network.module.load_state_dict(_fitting(network, state), strict=False)


def _fitting(network: Network, state: State, *, where: str = "pretrained weights") -> State:
    """Give the weights of `state` that the network takes, in its shapes."""
    own = network.module.state_dict()
    is_head = f"{network.head}."
    found = {name: value for name, value in state.items() if not name.startswith(is_head)}
    expected = {name: value for name, value in own.items() if not name.startswith(is_head)}
    if isinstance(network.module, torchvision.models.GoogLeNet | torchvision.models.Inception3):
        found = {name: value for name, value in found.items() if not AUXILIARY.match(name)}
    for name in expected.keys() & found.keys():
        found[name] = _with_columns(found[name], expected[name])
    if isinstance(network.module, VisionTransformer) and POSITIONS in found:
        found = _with_positions(found, network.module)
    problems = [
        *(
            f"missing {name}"
            for name in expected
            # Files of 2017 are older than this counter, which nothing depends on here.
            if name not in found and not name.endswith("num_batches_tracked")
        ),
        *(f"unexpected {name}" for name in found if name not in expected),
        *(
            f"{name} has shape {tuple(found[name].shape)}, expected {tuple(value.shape)}"
            for name, value in expected.items()
            if name in found and found[name].shape != value.shape
        ),
        *(
            f"{name} holds values that are not finite"
            for name, value in found.items()
            if name in expected and not value.isfinite().all()
        ),
    ]
    if problems:
        listed = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" * (len(problems) > 5))
        raise WeightsError(
            f"{where}: {len(problems)} weights do not fit the network: {listed}. Expected the "
            "weights of the same architecture; the last layer alone may differ."
        )
    return found


def read_checkpoint(path: Path) -> State:
    """Read a state dictionary from .safetensors, .pth or .pt, without executing anything in it.

    Floating-point weights are given as fp32.

    Raises
    ------
    WeightsError
        If the file is missing, of another kind, or holds more than weights.
    """
    _existing(path)
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            content: Any = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsError(
            f"{path}: is not a checkpoint that can be read safely ({_reason(error)}). "
            "Expected a state dictionary of tensors (.pth, .pt or .safetensors)."
        ) from error
    for wrapper in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise WeightsError(f"{path}: expected a dictionary of tensors, found something else.")
    # Weights only, whatever they were saved as: half precision and parameters have no NumPy array.
    return {
        name.removeprefix("module."): value.detach().float() if value.is_floating_point() else value
        for name, value in content.items()
    }


def published_file(model: str, name: str) -> Path:
    """Give the file of one of torchvision's published weights, downloaded at first use.

    Raises
    ------
    WeightsError
        If there are no such weights, or they cannot be had without a network.
    """
    url = _published(model, name).url
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    if not cached.is_file():
        # Published names end in the first digits of the file's SHA-256.
        digits = cached.stem.rsplit("-", 1)[-1]
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(cached), hash_prefix=digits, progress=False)
        except (OSError, RuntimeError) as error:
            raise WeightsError(
                f"pretraining.weights: {name} of {model} could not be downloaded "
                f"({_reason(error)}). Without a network, put the file at {cached} beforehand."
            ) from error
    return cached


def read_torchvision_weights(model: str, name: str) -> State:
    """Read one of torchvision's published weights.

    Raises
    ------
    WeightsError
        As `published_file` does, and if the file is damaged.
    """
    path = published_file(model, name)
    try:
        state = read_checkpoint(path)
    except WeightsError as error:
        raise WeightsError(f"{error} Delete the file, so that it is downloaded again.") from error
    # DenseNet's published file has norm.1 where the module is norm1.
    pattern = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
    return {pattern.sub(r"\1\2", key): value for key, value in state.items()}


def published_preprocessing(model: str, name: str) -> dict[str, Any]:
    """Tell the inputs that published weights were trained with, as torchvision documents them.

    Returns
    -------
    dict
        Per channel the ``mean`` that is taken from 0..1 and the ``std`` that divides; the
        ``resize_px`` of the shorter side and the ``crop_px`` of the square in its middle.
    """
    transforms = _published(model, name).transforms()
    mean, std = transforms.mean, transforms.std
    if model in SINGLE_HEADED:
        # torchvision has these networks turn ImageNet's statistics to those of their weights; the
        # ones that are trained here are built without that step (transform_input).
        mean = std = [0.5, 0.5, 0.5]
    return {
        "mean": mean,
        "std": std,
        "resize_px": transforms.resize_size[0],
        "crop_px": transforms.crop_size[0],
    }


def _reason(error: Exception) -> str:
    """First line of an error's text; its name, where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _existing(path: Path) -> None:
    if not path.is_file():
        raise WeightsError(
            f"{path}: there is no such checkpoint. Put the file there or change "
            "pretraining.weights."
        )


def _published(model: str, name: str) -> torchvision.models.Weights:
    known = {weights.name: weights for weights in torchvision.models.get_model_weights(model)}
    if name not in known:
        raise WeightsError(
            f"pretraining.weights: torchvision has no weights {name!r} for {model}. "
            f"{nearest(name, known)} Or give the path of a checkpoint, or 'train'."
        )
    return known[name]


@torch.no_grad()
def _redraw(module: nn.Module, law: str) -> None:
    """Give convolutions another law with the same variance, weight by weight in the same order.

    Each weight keeps its quantile, so that the same seed stays the same draw.
    """
    for weight in convolutions(module).values():
        wide = weight.double()
        sigma = wide.square().mean().sqrt()
        quantile = torch.special.ndtr(wide / sigma)
        if law == "uniform":
            drawn = (2 * quantile - 1) * math.sqrt(3)
        else:
            # Symmetric about one half; the smaller tail keeps its digits.
            tail = torch.special.ndtr(-(wide / sigma).abs())
            drawn = -torch.log(2 * tail) * wide.sign() / math.sqrt(2)
        weight.copy_(drawn * sigma)


def _last_layer(module: nn.Module) -> str:
    """Find the last layer that gives one output per class of ImageNet."""
    outputs = {nn.Linear: "out_features", nn.Conv2d: "out_channels"}
    heads: list[str] = [
        name
        for name, layer in module.named_modules()
        if type(layer) in outputs and getattr(layer, outputs[type(layer)]) == 1000
    ]
    if not heads:
        raise WeightsError("the network has no last layer with 1,000 outputs to replace")
    return heads[-1]


def _with_outputs(layer: nn.Module, classes: int) -> nn.Module:
    if isinstance(layer, nn.Linear):
        return nn.Linear(layer.in_features, classes, bias=layer.bias is not None)
    if isinstance(layer, nn.Conv2d):
        return nn.Conv2d(layer.in_channels, classes, kernel_size=1, bias=layer.bias is not None)
    raise TypeError(type(layer))


def _folds(module: nn.Module, image_size_px: int, optimizer: OptimizerSettings) -> bool:
    # Five poolings halve 32..63 px to one pixel. A penalty on the weights inside Adam's or
    # RMSprop's step would tell the 49 columns apart by their initial values; SGD and AdamW are
    # linear in the penalty, so that the sum still obeys the same law.
    is_linear = optimizer.weight_decay == 0 or optimizer.name in {"sgd", "adamw"}
    return isinstance(module, torchvision.models.VGG) and 32 <= image_size_px < 64 and is_linear


def _fold(network: Network) -> Network:
    vgg = network.module
    assert isinstance(vgg, torchvision.models.VGG)
    first = vgg.classifier[0]
    assert isinstance(first, nn.Linear)
    pixels = 7 * 7
    folded = nn.utils.skip_init(nn.Linear, first.in_features // pixels, first.out_features)
    with torch.no_grad():
        folded.weight.copy_(_with_columns(first.weight, folded.weight))
        folded.bias.copy_(first.bias)
    vgg.avgpool = nn.Identity()
    vgg.classifier[0] = folded
    return Network(vgg, network.head, {f"{FOLDED}.weight": pixels})


def _with_positions(state: State, vit: VisionTransformer) -> State:
    try:
        return dict(interpolate_embeddings(vit.image_size, vit.patch_size, OrderedDict(state)))
    except (ValueError, RuntimeError):
        return state  # of a shape that is told like every other that does not fit


def _with_columns(value: Tensor, like: Tensor) -> Tensor:
    """Fold or spread a matrix whose columns repeat, so that it has as many as `like`."""
    if value.ndim != 2 or like.ndim != 2 or value.shape[0] != like.shape[0]:
        return value
    columns = value.shape[1]
    if columns == 49 * like.shape[1]:
        # In parts: all rows in double precision would be the largest array of the whole run.
        parts = [part.double().view(len(part), -1, 49).sum(2).float() for part in value.split(64)]
        return torch.cat(parts)
    if 49 * columns == like.shape[1]:
        return (value / 49).repeat_interleave(49, dim=1)
    return value
