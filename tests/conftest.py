"""What several test modules share."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from functools import partial
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from normreport.cli import SINGLE_THREADED_BLAS
from normreport.text.language import translations

# As the command line does, and like it before numpy is imported: a stage that a test calls gives
# the same bits as one that a test starts as a process.
os.environ.update(SINGLE_THREADED_BLAS)

ROOT = Path(__file__).parent.parent


# Where tests do not need what the others of their folder share.
BY_THEMSELVES = {Path("tests/workflow") / f"test_{name}.py" for name in ("injections", "workflow")}


class ByFolder(LoadScopeScheduling):
    """Gives all tests of a folder to one of pytest-xdist's workers: they share what they build."""

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.split("::")[0])
        alone = path.parent == Path("tests") or path in BY_THEMSELVES
        return str(path if alone else path.parent)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the builds, which take as long as all other tests."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    return ByFolder(config, log)


class Compiled(BytecodeCache):
    """Keeps compiled templates, which take most of the time of a page, for the next page.

    Jinja applies filters to constants when it compiles, so each translation has templates of its
    own.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[str, NullTranslations], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = self.kept.get((bucket.key, translations()))
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, translations()] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def _compile_templates_once() -> Iterator[None]:
    environment = partial(Environment, bytecode_cache=Compiled())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("normreport.report.article.Environment", environment)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def default_values() -> dict[str, Any]:
    """`config.yaml` as read; not to be changed."""
    values: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return values


@pytest.fixture
def changed(default_values: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Make the default configuration with other values: ``changed({"report.title": "x"})``."""

    def change(changes: dict[str, Any]) -> dict[str, Any]:
        values = copy.deepcopy(default_values)
        for path, value in changes.items():
            *parents, key = path.split(".")
            group = values
            for parent in parents:
                group = group[parent]
            group[key] = value
        return values

    return change


@pytest.fixture(scope="module")
def narrow_vggs() -> Iterator[None]:
    """Register `vgg_narrow` and `vgg_narrow_bn`: torchvision's VGG with few channels.

    Its own have 130 million weights, so that a test of each optimizer would take minutes.
    """
    import torch
    from torch import nn
    from torchvision.models import VGG
    from torchvision.models._api import BUILTIN_MODELS, register_model
    from torchvision.models.vgg import make_layers

    class Narrow(VGG):
        def __init__(self, *, batch_norm: bool) -> None:
            nn.Module.__init__(self)
            self.features = make_layers(
                [8, "M", 8, "M", 12, 12, "M", 16, "M", 16, 16, "M"], batch_norm
            )
            self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
            self.classifier = nn.Sequential(
                *(nn.Linear(16 * 7 * 7, 24), nn.ReLU(True), nn.Dropout(0.5)),
                *(nn.Linear(24, 20), nn.ReLU(True), nn.Dropout(0.5)),
                nn.Linear(20, 1000),
            )

    def plain(*, weights: None = None) -> torch.nn.Module:
        return Narrow(batch_norm=False)

    def with_batch_norm(*, weights: None = None) -> torch.nn.Module:
        return Narrow(batch_norm=True)

    builders = {"vgg_narrow": plain, "vgg_narrow_bn": with_batch_norm}
    for name, builder in builders.items():
        builder.__module__ = VGG.__module__  # where torchvision looks for classification models
        register_model(name)(builder)
    yield
    for name in builders:
        del BUILTIN_MODELS[name]
