"""The sizes of torchvision's networks, which decide the memory and the time of a training.

Only torch knows them, and importing it takes seconds, so this is a table. A test compares it with
torch. To print it again, run ``python -m tests.plan.network_sizes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkSize:
    """The size of a network.

    Attributes
    ----------
    parameters
        The number of weights and biases with 1,000 classes, in millions.
    gflops
        The floating-point operations of the forward pass of one image of 224 px, in billions.
    saved_mb
        What the forward pass of one image of 224 px saves for the backward pass, in MB.
    """

    parameters: float
    gflops: float
    saved_mb: float


def network_size(architecture: str) -> NetworkSize:
    """Return the size of a network; of a large one if torchvision has added it since."""
    return SIZES.get(architecture, SIZES["vgg19_bn"])


# By architecture.
SIZES: Mapping[str, NetworkSize] = {
    "alexnet": NetworkSize(61.1, 1.43, 3.7),
    "convnext_base": NetworkSize(88.6, 30.71, 231.8),
    "convnext_large": NetworkSize(197.8, 68.72, 347.3),
    "convnext_small": NetworkSize(50.2, 17.37, 174.0),
    "convnext_tiny": NetworkSize(28.6, 8.91, 109.1),
    "densenet121": NetworkSize(8.0, 5.67, 130.6),
    "densenet161": NetworkSize(28.7, 15.46, 243.4),
    "densenet169": NetworkSize(14.1, 6.72, 157.8),
    "densenet201": NetworkSize(20.0, 8.58, 203.7),
    "efficientnet_b0": NetworkSize(5.3, 0.77, 88.3),
    "efficientnet_b1": NetworkSize(7.8, 1.14, 123.0),
    "efficientnet_b2": NetworkSize(9.1, 1.32, 129.0),
    "efficientnet_b3": NetworkSize(12.2, 1.93, 170.7),
    "efficientnet_b4": NetworkSize(19.3, 3.01, 225.3),
    "efficientnet_b5": NetworkSize(30.4, 4.71, 310.2),
    "efficientnet_b6": NetworkSize(43.0, 6.72, 397.1),
    "efficientnet_b7": NetworkSize(66.3, 10.34, 532.7),
    "efficientnet_v2_l": NetworkSize(118.5, 24.46, 441.5),
    "efficientnet_v2_m": NetworkSize(54.1, 10.72, 251.4),
    "efficientnet_v2_s": NetworkSize(21.5, 5.70, 154.5),
    "googlenet": NetworkSize(6.6, 3.00, 48.2),
    "inception_v3": NetworkSize(23.8, 5.68, 50.6),
    "maxvit_t": NetworkSize(30.9, 11.12, 307.4),
    "mnasnet0_5": NetworkSize(2.2, 0.21, 25.2),
    "mnasnet0_75": NetworkSize(3.2, 0.43, 38.8),
    "mnasnet1_0": NetworkSize(4.4, 0.63, 44.4),
    "mnasnet1_3": NetworkSize(6.3, 1.05, 59.6),
    "mobilenet_v2": NetworkSize(3.5, 0.60, 78.3),
    "mobilenet_v3_large": NetworkSize(5.5, 0.43, 44.2),
    "mobilenet_v3_small": NetworkSize(2.5, 0.11, 16.2),
    "regnet_x_16gf": NetworkSize(54.3, 31.88, 199.1),
    "regnet_x_1_6gf": NetworkSize(9.2, 3.21, 62.3),
    "regnet_x_32gf": NetworkSize(107.8, 63.47, 283.6),
    "regnet_x_3_2gf": NetworkSize(15.3, 6.35, 89.4),
    "regnet_x_400mf": NetworkSize(5.5, 0.83, 25.3),
    "regnet_x_800mf": NetworkSize(7.3, 1.60, 40.3),
    "regnet_x_8gf": NetworkSize(39.6, 15.99, 110.7),
    "regnet_y_128gf": NetworkSize(644.8, 255.04, 637.2),
    "regnet_y_16gf": NetworkSize(83.6, 31.82, 201.9),
    "regnet_y_1_6gf": NetworkSize(11.2, 3.22, 72.0),
    "regnet_y_32gf": NetworkSize(145.0, 64.56, 266.7),
    "regnet_y_3_2gf": NetworkSize(19.4, 6.35, 99.9),
    "regnet_y_400mf": NetworkSize(4.3, 0.80, 33.7),
    "regnet_y_800mf": NetworkSize(6.4, 1.67, 46.9),
    "regnet_y_8gf": NetworkSize(39.4, 16.95, 172.0),
    "resnet101": NetworkSize(44.5, 15.60, 127.2),
    "resnet152": NetworkSize(60.2, 23.03, 177.9),
    "resnet18": NetworkSize(11.7, 3.63, 22.2),
    "resnet34": NetworkSize(21.8, 7.33, 32.3),
    "resnet50": NetworkSize(25.6, 8.18, 86.1),
    "resnext101_32x8d": NetworkSize(88.8, 32.83, 247.3),
    "resnext101_64x4d": NetworkSize(83.5, 30.92, 247.3),
    "resnext50_32x4d": NetworkSize(25.0, 8.46, 112.4),
    "shufflenet_v2_x0_5": NetworkSize(1.4, 0.08, 11.1),
    "shufflenet_v2_x1_0": NetworkSize(2.3, 0.29, 20.4),
    "shufflenet_v2_x1_5": NetworkSize(3.5, 0.59, 28.7),
    "shufflenet_v2_x2_0": NetworkSize(7.4, 1.17, 38.5),
    "squeezenet1_0": NetworkSize(1.2, 1.64, 35.8),
    "squeezenet1_1": NetworkSize(1.2, 0.70, 21.1),
    "swin_b": NetworkSize(87.8, 30.86, 226.3),
    "swin_s": NetworkSize(49.6, 17.48, 170.0),
    "swin_t": NetworkSize(28.3, 8.98, 106.6),
    "swin_v2_b": NetworkSize(87.9, 34.05, 337.6),
    "swin_v2_s": NetworkSize(49.7, 19.35, 254.9),
    "swin_v2_t": NetworkSize(28.4, 9.86, 153.9),
    "vgg11": NetworkSize(132.9, 15.22, 48.8),
    "vgg11_bn": NetworkSize(132.9, 15.22, 78.6),
    "vgg13": NetworkSize(133.0, 22.62, 68.1),
    "vgg13_bn": NetworkSize(133.1, 22.62, 117.1),
    "vgg16": NetworkSize(138.4, 30.94, 73.3),
    "vgg16_bn": NetworkSize(138.4, 30.94, 127.5),
    "vgg19": NetworkSize(143.7, 39.26, 78.5),
    "vgg19_bn": NetworkSize(143.7, 39.26, 138.0),
    "vit_b_16": NetworkSize(86.6, 35.13, 154.5),
    "vit_b_32": NetworkSize(88.2, 8.82, 35.3),
    "vit_h_14": NetworkSize(632.0, 334.59, 895.2),
    "vit_l_16": NetworkSize(304.3, 123.11, 409.6),
    "vit_l_32": NetworkSize(306.5, 30.76, 92.8),
    "wide_resnet101_2": NetworkSize(126.9, 45.51, 167.2),
    "wide_resnet50_2": NetworkSize(68.9, 22.80, 112.4),
}
