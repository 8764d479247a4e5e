"""Read other people's checkpoints, as data, and find the network's weights in them.

Training programs wrap a state dictionary in further entries and its names in prefixes. Weights are
taken only if exactly one place of the file has all that the network needs.
"""

from __future__ import annotations

import pickle
import re
import struct
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from normreport.config.manifests import Unwrapping
from normreport.errors import WeightsError
from normreport.training.pretrained_weights import StateDict, adapt, without_layer
from normreport.training.weights_files import check_exists

# Colours and other codes for terminals, which torch writes into its messages.
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# What wrappers of modules add anywhere in a name.
WRAPPERS = re.compile(
    r"(?:(?<=\.)|^)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
# DenseNet's published files have norm.1 where the module is norm1.
DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
# Programs nest a state dictionary at most this deep.
DEPTH = 4
MAX_NAMED = 5


@dataclass(frozen=True)
class Candidate:
    """Tensors within a checkpoint.

    Attributes
    ----------
    entry
        The keys that lead to the dictionary, joined by dots; empty for the whole file.
    prefix
        The prefix that was removed from the names.
    state
        The tensors with this prefix.
    others
        The names of the other tensors of the dictionary.
    """

    entry: str
    prefix: str
    state: StateDict
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"the entry {self.entry}" if self.entry else "the whole file"
        return f"{where}, prefix {self.prefix}" if self.prefix else where


def read_checkpoint(path: Path, module: nn.Module, *, head: str) -> tuple[StateDict, Unwrapping]:
    """Read the weights of a network from a file without executing code in it.

    Floating-point weights of any precision are converted to fp32.

    Parameters
    ----------
    path
        A file of PyTorch or of safetensors, with any suffix.
    module, head
        The network, which may lie on the meta device, and the dotted path of its last layer, which
        the file may lack.

    Returns
    -------
    state : dict of Tensor
        The weights by the network's names.
    unwrapping : Unwrapping
        Where in the file they were.

    Raises
    ------
    WeightsError
        If the file is missing, cannot be read safely, or does not have the weights of the network
        in exactly one place.
    """
    check_exists(path)
    candidates = list(_state_dicts(_load(path)))
    if not candidates:
        raise WeightsError(
            f"{path}: expected a dictionary of tensors, found other content. Save the network's "
            "state_dict() alone."
        )
    needed = [
        name
        for name in without_layer(module.state_dict(), head)
        # Files from 2017 predate this counter, and no result depends on it.
        if not name.endswith("num_batches_tracked")
    ]
    fitting = [fit for candidate in candidates for fit in _with_prefix(candidate, needed)]
    if len(fitting) > 1 and not all(_are_equal(fitting[0], other) for other in fitting[1:]):
        raise WeightsError(
            f"{path}: expected the weights of one network, found {len(fitting)}: "
            f"{_listed(fitting)}. Save the one that you mean alone, in Python: "
            f'torch.save(torch.load("{path.name}"){_subscript(fitting[0])}, "mine.pth")'
        )
    chosen = fitting[0] if fitting else _most_similar(candidates, needed)
    if not fitting:
        adapt(chosen.state, module, head=head, source=f"{path} ({chosen})")
    expected = module.state_dict()
    state = {
        name: _checked(path, name, value, is_weight=_is_weight(expected, name))
        for name, value in chosen.state.items()
    }
    return state, Unwrapping(entry=chosen.entry, prefix=chosen.prefix, others=chosen.others)


def describe_unwrapping(path: Path, unwrapping: Unwrapping) -> str:
    """Say where in a file the weights were, for a log."""
    parts = [
        f"the entry {unwrapping.entry}" if unwrapping.entry else "the whole file",
        *([f"without the prefix {unwrapping.prefix}"] if unwrapping.prefix else []),
        *([f"without {len(unwrapping.others)} other tensors"] if unwrapping.others else []),
    ]
    return f"{path}: uses {', '.join(parts)}"


def _load(path: Path) -> Any:
    """Load a file by its content: people give files of weights any suffix."""
    with path.open("rb") as stream:
        start = stream.read(64)
    if not start:
        raise _unreadable(path, "it is empty")
    if start.startswith(b"version https://git-lfs"):
        raise _unreadable(path, "it is a pointer of Git LFS; run git lfs pull")
    if start.lstrip()[:1] == b"<":
        raise _unreadable(path, "it is a web page; download the file itself")
    try:
        if _is_safetensors(start):
            from safetensors.torch import load_file

            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a weight may not be anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch recommends to load the file unsafely before it says what is wrong.
        reason = _plain(error).rpartition("WeightsUnpickler error: ")[2]
        raise _unreadable(path, reason) from error
    except Exception as error:  # torch and safetensors raise many types for damaged files
        raise _unreadable(path, _plain(error) or type(error).__name__) from error


def _is_safetensors(start: bytes) -> bool:
    """Return whether a file starts with the length of a JSON header, and the header."""
    return len(start) > 8 and start[8:9] == b"{" and struct.unpack("<Q", start[:8])[0] < 10**8


def _plain(error: Exception) -> str:
    return " ".join(TERMINAL_CODES.sub("", str(error)).split())


def _unreadable(path: Path, reason: str) -> WeightsError:
    return WeightsError(
        f"{path}: this checkpoint cannot be read safely ({reason.rstrip('.')}). Expected a state "
        "dictionary of tensors, from torch.save or safetensors. If you trust the file, load it in "
        "Python, and save the network's state_dict() alone."
    )


def _state_dicts(content: Any, entry: str = "", depth: int = 0) -> Iterator[Candidate]:
    """Yield each dictionary with tensors by name, from the outermost to the innermost."""
    if not isinstance(content, Mapping) or depth > DEPTH:
        return
    named = {key: value for key, value in content.items() if isinstance(key, str)}
    tensors = {key: value for key, value in named.items() if isinstance(value, Tensor)}
    if any("." in key for key in tensors):
        names = {key: DENSENET.sub(r"\1\2", WRAPPERS.sub("", key)) for key in tensors}
        yield Candidate(entry, "", {names[key]: value for key, value in tensors.items()})
    for key, value in named.items():
        # The states of an optimizer have numbers as keys.
        yield from _state_dicts(value, f"{entry}.{key}" if entry else key, depth + 1)


def _with_prefix(candidate: Candidate, needed: list[str]) -> Iterator[Candidate]:
    """Yield the parts of a dictionary, by their prefix, that have all the needed names."""
    # The longest name is the end of the fewest others.
    anchor = max(needed, key=len)
    prefixes = [
        name.removesuffix(anchor)
        for name in candidate.state
        if name == anchor or name.endswith(f".{anchor}")
    ]
    for prefix in dict.fromkeys(prefixes):
        if all(f"{prefix}{name}" in candidate.state for name in needed):
            yield _part(candidate, prefix)


def _part(candidate: Candidate, prefix: str) -> Candidate:
    part = {
        name.removeprefix(prefix): value
        for name, value in candidate.state.items()
        if name.startswith(prefix)
    }
    others = tuple(name for name in candidate.state if not name.startswith(prefix))
    return Candidate(candidate.entry, prefix, part, others)


def _most_similar(candidates: list[Candidate], needed: list[str]) -> Candidate:
    """Return the part of a dictionary that has most of the needed names."""
    names = set(needed)
    counts: Counter[tuple[int, str]] = Counter()
    for number, candidate in enumerate(candidates):
        for name in candidate.state:
            parts = name.split(".")
            for length in range(len(parts)):
                if ".".join(parts[length:]) in names:
                    counts[number, "".join(f"{part}." for part in parts[:length])] += 1
    ((number, prefix), _), *_ = counts.most_common(1) or [((0, ""), 0)]
    return _part(candidates[number], prefix)


def _are_equal(one: Candidate, other: Candidate) -> bool:
    return one.state.keys() == other.state.keys() and all(
        torch.equal(value, other.state[name]) for name, value in one.state.items()
    )


def _listed(candidates: list[Candidate]) -> str:
    names = [str(candidate) for candidate in candidates[:MAX_NAMED]]
    more = len(candidates) - len(names)
    return "; ".join(names) + (f"; and {more} more" if more else "")


def _subscript(candidate: Candidate) -> str:
    return "".join(f'["{key}"]' for key in candidate.entry.split(".") if key)


def _is_weight(expected: Mapping[str, Tensor], name: str) -> bool:
    return name in expected and expected[name].is_floating_point()


def _checked(path: Path, name: str, value: Tensor, *, is_weight: bool) -> Tensor:
    """Return a tensor as fp32, or as it is if it is a counter.

    Raises
    ------
    WeightsError
        If a weight is not a plain array of floating-point numbers.
    """
    problems: dict[str, Callable[[], bool]] = {
        "quantized numbers": lambda: value.is_quantized,
        "complex numbers": value.is_complex,
        "integers": lambda: is_weight and not value.is_floating_point(),
        "a sparse array": lambda: value.layout != torch.strided,
        "no numbers": lambda: value.is_meta,
    }
    for found, is_so in problems.items():
        if is_so():
            raise WeightsError(
                f"{path}: {name}: expected floating-point numbers, found {found} "
                f"({str(value.dtype).removeprefix('torch.')}). Save the weights before they are "
                "quantized or compressed."
            )
    # NumPy has no arrays for bfloat16, and parameters would carry their gradients.
    return value.detach().float() if value.is_floating_point() else value.detach()
