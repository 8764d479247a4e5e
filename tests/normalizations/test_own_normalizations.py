"""Normalizations that the configuration defines: numbers, or a Python file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from normreport.errors import ConfigError
from normreport.normalizations import Images, OwnFile, Scaling, normalize
from normreport.normalizations.imagenet import MEAN, STD
from normreport.source_code import own_digest, own_files

HALF = """
import numpy as np

def transform(images, train_images):
    return (images.astype(np.float32) / np.float32(2))
"""


@pytest.fixture
def images() -> Images:
    return np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)


def written(folder: Path, text: str, name: str = "arm.py") -> OwnFile:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return OwnFile(str(folder / name))


def refused(own: OwnFile, images: Images) -> str:
    with pytest.raises(ConfigError) as error:
        normalize(images, own)
    return str(error.value)


def test_a_scaling_with_imagenets_numbers_is_imagenet_to_the_last_bit(images: Images) -> None:
    mean, std = ((float(a), float(b), float(c)) for a, b, c in (MEAN, STD))
    found = normalize(images, Scaling(255.0, mean, std))
    assert found.tobytes() == normalize(images, "imagenet").tobytes()


def test_each_channel_has_its_numbers(images: Images) -> None:
    found = normalize(images, Scaling(2.0, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)))
    expected = (images / 2.0 - [1, 2, 3]) / [4, 5, 6]
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_file_gives_its_function(tmp_path: Path, images: Images) -> None:
    found = normalize(images, written(tmp_path, HALF))
    assert found.tolist() == (images / 2).tolist()


def test_a_file_may_have_a_dataclass_and_any_name(tmp_path: Path, images: Images) -> None:
    text = """
from __future__ import annotations
import json
import numpy as np
from dataclasses import dataclass

@dataclass
class Scale:
    by: float

def transform(images, train_images):
    scale = json.loads(json.dumps(Scale(2.0).by))
    return images.astype(np.float32) / np.float32(scale)
"""
    found = normalize(images, written(tmp_path / "a", text, "dataclass_arm.py"))
    assert (found == images / 2).all()


def test_a_file_that_is_no_text_is_named(tmp_path: Path, images: Images) -> None:
    own = written(tmp_path, "x = '\0'\n")
    assert refused(own, images).startswith(f"{own.file}")


def test_a_function_sees_all_training_images(tmp_path: Path, images: Images) -> None:
    own = written(tmp_path, HALF.replace("np.float32(2)", "np.float32(train_images.max())"))
    train = np.full((2, 4, 4, 3), 128, dtype=np.uint8)
    assert normalize(images, own, train).tolist() == (images / 128).tolist()


def test_files_of_two_folders_have_their_own_neighbours(tmp_path: Path, images: Images) -> None:
    text = HALF.replace("np.float32(2)", "np.float32(by)").replace(
        "def transform", "from number import by\n\ndef transform"
    )
    for folder, number in (("one", 2), ("two", 4)):
        own = written(tmp_path / folder, text)
        (tmp_path / folder / "number.py").write_text(f"by = {number}\n")
        assert normalize(images, own).tolist() == (images / number).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def transform(images, train_images):\n    return images / 2 + undefined\n",
         "arm.py, line 2: NameError: name 'undefined' is not defined"),
        ("def transform(images, train_images)\n    return images\n",
         "arm.py, line 1: SyntaxError: expected ':'"),
        ("import numpy\nimport nopackage\n",
         "arm.py, line 2: ModuleNotFoundError: No module named 'nopackage'"),
        ("import sys\nsys.exit('enough')\n", "arm.py, line 2: SystemExit: enough"),
        ("def transform(images):\n    return images\n", "arm.py: TypeError: "),
        ("def transform(images, train_images):\n    images[:] = 0\n",
         "arm.py, line 2: ValueError: assignment destination is read-only"),
        ("def transform(images, train_images):\n    train_images[:] = 0\n", "read-only"),
        ("def other(images):\n    return images\n",
         "arm.py: expected a function transform(images, train_images), found none"),
        ("def transform(images, train_images):\n    return None\n",
         "arm.py: transform must return a NumPy array of float32, shape (5, 4, 4, 3), found "
         "NoneType"),
        ("def transform(images, train_images):\n    return images / 2\n",
         "found float64, shape (5, 4, 4, 3)"),
        (f"{HALF.rstrip()}[:1]\n", "found float32, shape (1, 4, 4, 3)"),
        (f"{HALF.rstrip()} * np.float32('nan')\n",
         "arm.py: transform must return finite numbers, found 240 that are infinite or NaN"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_message_with_its_line(
    tmp_path: Path, images: Images, text: str, expected: str
) -> None:
    message = refused(written(tmp_path, text), images)
    assert expected in message
    assert message.startswith(str(tmp_path))
    assert "\n" not in message


def test_an_error_of_a_neighbour_names_the_neighbour(tmp_path: Path, images: Images) -> None:
    (tmp_path / "number.py").write_text("by = 1 // 0\n")
    message = refused(written(tmp_path, "from number import by\n"), images)
    assert message.startswith(f"{tmp_path}/number.py, line 1: ZeroDivisionError")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, images: Images) -> None:
    assert "no such file" in refused(OwnFile(str(tmp_path / "arm.py")), images)


def test_the_digest_changes_with_the_file_and_its_neighbours_and_not_with_its_place(
    tmp_path: Path,
) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, "import helpers.deep\nfrom number import by\n" + HALF)
        (tmp_path / name / "number.py").write_text("by = 2\n")
        (tmp_path / name / "unused.py").write_text("by = 2\n")
        (tmp_path / name / "helpers").mkdir()
        (tmp_path / name / "helpers/deep.py").write_text("")
        os.utime(tmp_path / name / "arm.py", (1, 1))
    one, two = (str(tmp_path / name / "arm.py") for name in ("one", "two"))
    found = [path.relative_to(tmp_path / "one").as_posix() for path in own_files(one)]
    assert found == ["arm.py", "helpers/deep.py", "number.py"]
    assert own_digest(one) == own_digest(two)
    (tmp_path / "two/unused.py").write_text("by = 3\n")
    assert own_digest(one) == own_digest(two)
    (tmp_path / "two/number.py").write_text("by = 3\n")
    assert own_digest(one) != own_digest(two)
    (tmp_path / "two/number.py").write_text("by = 2\n")
    (tmp_path / "two/helpers/deep.py").write_text("# other\n")
    assert own_digest(one) != own_digest(two)
