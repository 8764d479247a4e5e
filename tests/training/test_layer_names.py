"""The words `first`, `deep` and `all`, and the cache of layer names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from normreport.config.experiment import load_config, with_layer_paths
from normreport.errors import ConfigError
from normreport.io.files import canonical_json
from normreport.training import networks
from normreport.training.layer_names import measured_layers

Changed = Callable[[dict[str, Any]], dict[str, Any]]


def _measured(architecture: str, key: str) -> Sequence[str]:
    return [f"{architecture}.{number}" for number in range(3 if "mobile" in architecture else 17)]


@pytest.mark.parametrize(
    ("layers", "paths"),
    [
        (["first", "deep"], ["mobilenet_v2.0", "mobilenet_v2.2"]),
        (["all"], ["mobilenet_v2.0", "mobilenet_v2.1", "mobilenet_v2.2"]),
        (["deep", "elsewhere", "all"], ["mobilenet_v2.2", "elsewhere", "mobilenet_v2.0",
                                        "mobilenet_v2.1"]),
        (["elsewhere"], ["elsewhere"]),
    ],
)  # fmt: skip
def test_words_are_replaced_by_unique_module_paths(
    changed: Changed, layers: list[str], paths: list[str]
) -> None:
    config = load_config(changed({"models.mobilenet_v2.layers": layers}))
    found = with_layer_paths(config, _measured)
    assert list(found.models["mobilenet_v2"].layers) == paths
    assert found.models["vgg16"] == config.models["vgg16"]


def test_an_architecture_is_looked_up_with_the_key_that_names_it(changed: Changed) -> None:
    asked = []

    def measured(*question: str) -> Sequence[str]:
        asked.append(question)
        return ["a", "b"]

    own = changed({})["models"]["vgg16"]
    own |= {"layers": ["deep"]}
    models = {"slow": own | {"architecture": "vgg11"}, "vgg13": own, "unused": own}
    change = {"experiment.models": ["slow", "vgg13"], "models": models}
    found = with_layer_paths(load_config(changed(change)), measured)
    assert asked == [("vgg11", "models.slow.architecture"), ("vgg13", "experiment.models")]
    assert found.run_settings(next(found.runs())).layers == ("b",)
    assert found.models["unused"].layers == ("deep",)


def test_all_keeps_any_number_of_layers(changed: Changed) -> None:
    config = load_config(changed({"models.vgg16.layers": ["all"]}))
    found = with_layer_paths(config, lambda *_: [f"features.{number}" for number in range(500)])
    assert len(found.models["vgg16"].layers) == 500
    # As a record passes it to a rebuild.
    assert load_config(json.loads(canonical_json(found.model_dump(mode="json")))) == found


def test_the_layers_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = measured_layers("alexnet", "experiment.models", folder=tmp_path)
    assert list(first) == [f"features.{place}" for place in (0, 3, 6, 8, 10)]
    monkeypatch.setattr(networks, "shape_only_network", None)  # not to be called
    assert measured_layers("alexnet", "experiment.models", folder=tmp_path) == first


def test_a_cache_entry_from_other_code_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("normreport.training.layer_names.source_digest", lambda _: "before")
    measured_layers("alexnet", "experiment.models", folder=tmp_path)
    monkeypatch.undo()
    measured_layers("alexnet", "experiment.models", folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_unknown_architecture_raises_and_is_not_cached(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError, match=r"^models\.x\.architecture: .* Did you mean 'alexnet'\?"):
        measured_layers("alexnot", "models.x.architecture", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_cached_names_are_read_without_importing_torch(tmp_path: Path) -> None:
    measured_layers("alexnet", "experiment.models", folder=tmp_path)
    program = (
        "import sys; from pathlib import Path\n"
        "from normreport.training.layer_names import measured_layers\n"
        f"measured_layers('alexnet', 'key', folder=Path({str(tmp_path)!r}))\n"
        "print('torch' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "False"
