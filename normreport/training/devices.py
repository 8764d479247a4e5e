"""The device that trains: choosing it, deterministic results, memory, and versions."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import torchvision

from normreport.config.training import FitSettings
from normreport.errors import ConfigError
from normreport.training.networks import Network
from normreport.training.pooling import replace_adaptive_pooling


def find_device(name: str) -> torch.device:
    """Return the device that ``training.device`` names.

    Raises
    ------
    ConfigError
        If the machine or the installed PyTorch lacks it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    accelerators = {"cuda": torch.cuda, "mps": torch.backends.mps}
    if name in accelerators and not accelerators[name].is_available():
        raise ConfigError(
            f"training.device: PyTorch {torch.__version__} cannot use the device {name!r} on this "
            "machine. Check the driver and the installation, or set the key to 'cpu' or 'auto'."
        )
    return torch.device(name)


def make_deterministic(network: Network, device: torch.device) -> None:
    """Make training reproducible to the last bit; call it before using the device."""
    torch.use_deterministic_algorithms(True)
    if device.type == "cuda":
        # cuBLAS reads this once, at its start. Its default workspaces make results irreproducible.
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        torch.backends.cudnn.benchmark = False
        # PyTorch's default precision for fp32 convolutions is TF32.
        torch.backends.cudnn.allow_tf32 = False
        replace_adaptive_pooling(network.module)


@contextmanager
def explain_out_of_memory(settings: FitSettings) -> Iterator[None]:
    """Turn PyTorch's error for a full GPU into a message that says what to change.

    Raises
    ------
    ConfigError
        If the GPU runs out of memory within the block.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        first = str(error).split(". ")[0]
        raise ConfigError(
            f"models.{settings.model}: training does not fit into the memory of the GPU "
            f"({first}). Found a batch_size of {settings.batch_size} and {settings.train_images} "
            "train_images. Lower one of these keys, or start snakemake with --resources gpu=1 to "
            "train one network at a time."
        ) from error


def training_environment(device: torch.device) -> dict[str, str]:
    """Return the versions, device and processor that decide the bytes of trained weights."""
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "device": device.type,
        "processor": _processor(),
    }
    if device.type == "cuda":
        versions |= {
            "device": torch.cuda.get_device_name(device),
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
        }
    return versions


def _processor() -> str:
    """Name the processor, PyTorch's instruction set and, if the user chose them, BLAS kernels."""
    parts = [platform.processor() or platform.machine(), torch.backends.cpu.get_cpu_capability()]
    if sys.platform == "linux":
        # platform.processor() is empty or only says x86_64.
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        parts[:1] = names[:1] or parts[:1]
    # A user may choose the kernels that OpenBLAS otherwise chooses by the processor.
    if kernels := os.environ.get("OPENBLAS_CORETYPE"):
        parts.append(f"OpenBLAS for {kernels}")
    return ", ".join(parts)


def tune_malloc() -> None:
    """Make glibc keep freed memory for the next step. Does nothing on other systems.

    By default glibc maps, clears and unmaps large arrays in every step. That takes a tenth
    (VGG16) to a third (MobileNetV2) of the training time.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4  # from malloc.h
    mallopt(m_mmap_max, 0)
    mallopt(m_trim_threshold, 2**31 - 1)
    mallopt(m_top_pad, 2**26)
