"""Files have reproducible bytes, restore exact numbers, and raise an error if damaged."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
import resource
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from normreport.errors import StorageError
from normreport.io import files

# Doubles whose shortest exact text is error-prone.
HARD_FLOATS = [
    0.1,
    1 / 3,
    math.pi,
    -0.0,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    0.1 + 0.2,
    1e22,
    123456789.12345679,
]


WRITERS = {
    "write_bytes": "files.write_bytes(path, b'x' * 100_000)",
    "write_text": "files.write_text(path, 'x' * 100_000)",
    "write_json": "files.write_json(path, list(range(100_000)))",
    "write_csv": "files.write_csv(path, ['a'], [{'a': i} for i in range(100_000)])",
    "write_arrays": "files.write_arrays(path, {'a': np.zeros(100_000)})",
    "write_items": (
        "files.write_items(path, {'a': ('F32', (9, 999))}, lambda _: np.zeros((9, 999)))"
    ),
    "arrays_in_place": "with files.arrays_in_place(path, {'a': ('U8', (100_000,))}): pass",
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_raises_an_error_with_the_path(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "a.file"
    path.write_text("old")
    program = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from normreport.io import files; from normreport.errors import StorageError\n"
        "path = Path(sys.argv[1])\n"
        f"try:\n    {WRITERS[writer]}\nexcept StorageError as error:\n    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout.startswith(f"{path}: could not be written (")
    assert "File too large" in ended.stdout
    assert "run the same command again" in ended.stdout
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.file"]
    assert path.read_text() == "old"


# JSON


def test_equal_values_give_the_same_json() -> None:
    a = {"b": [1, {"z": 1, "y": None}], "a": "ä"}
    b = {"a": "ä", "b": [1, {"y": None, "z": 1}]}
    assert files.canonical_json(a) == files.canonical_json(b)
    assert files.canonical_json(a) == '{"a":"ä","b":[1,{"y":null,"z":1}]}'


def test_indented_json_has_the_same_value() -> None:
    value = {"b": [1, 2.5, None], "a": {"c": True}}
    text = files.canonical_json(value, indent=1)
    assert json.loads(text) == value
    assert text.splitlines()[1] == ' "a": {'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_a_number_that_is_not_finite_is_not_written_as_json(tmp_path: Path, number: float) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(path, {"a": [1.0, {"b": number}]})
    assert path.read_text() == "old"


def test_json_restores_the_value(tmp_path: Path) -> None:
    value = {"floats": HARD_FLOATS, "text": "ä\n\"'", "none": None, "nested": {"1": [True, []]}}
    path = tmp_path / "a.json"
    files.write_json(path, value)
    found = files.read_json(path)
    assert found == value
    assert [struct.pack("d", x) for x in found["floats"]] == [
        struct.pack("d", x) for x in HARD_FLOATS
    ]
    assert path.read_bytes().endswith(b"}\n")


# CSV


def _doubles(n: int) -> list[float]:
    bits = np.random.default_rng(0).integers(0, 2**64, n, dtype=np.uint64, endpoint=False)
    values = bits.view(np.float64)
    return [*HARD_FLOATS, *values[np.isfinite(values)].tolist()]


@pytest.mark.parametrize("kind", [float, np.float64])
def test_csv_restores_floats_bit_for_bit(tmp_path: Path, kind: type) -> None:
    values = _doubles(2000)
    path = tmp_path / "a.csv"
    files.write_csv(path, ["x"], [{"x": kind(value)} for value in values])
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    back = np.array([float(row["x"]) for row in rows])
    assert back.tobytes() == np.array(values).tobytes()
    read = pd.read_csv(path)["x"].to_numpy()
    assert read.tobytes() == np.array(values).tobytes()


def test_csv_has_ordered_columns_and_unix_line_ends() -> None:
    rows: list[dict[str, Any]] = [{"b": 1, "a": "x"}, {"a": 'with "quotes", and\nlines', "b": None}]
    assert files.csv_text(["a", "b"], rows) == 'a,b\nx,1\n"with ""quotes"", and\nlines",\n'


def test_a_missing_value_is_an_empty_cell() -> None:
    assert files.csv_text(["a", "b"], [{"a": None, "b": 0.0}, {"b": 2}]) == "a,b\n,0.0\n,2\n"


def test_an_undeclared_column_raises_value_error() -> None:
    with pytest.raises(ValueError, match="c"):
        files.csv_text(["a"], [{"a": 1, "c": 2}])


# Arrays


def _arrays() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(1)
    return {
        "weights": generator.standard_normal((3, 4, 3, 3)).astype(np.float32),
        "float64": generator.standard_normal(5),
        "images": generator.integers(0, 256, (2, 4, 4, 3), dtype=np.uint8),
        "labels": np.array([-(2**62), 3]),
        "flags": np.array([True, False]),
        "number": np.array(7, dtype=np.int64),
        "empty": np.zeros((0, 3), dtype=np.float32),
        "transposed": generator.standard_normal((3, 5)).T,
        "strided": np.arange(20)[::3],
    }


def test_arrays_are_restored_bit_for_bit(tmp_path: Path) -> None:
    arrays = _arrays()
    files.write_arrays(tmp_path / "a.safetensors", arrays)
    found = files.read_arrays(tmp_path / "a.safetensors")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert found[name].tobytes() == array.tobytes(), name


def test_only_the_named_arrays_are_read(tmp_path: Path) -> None:
    files.write_arrays(tmp_path / "a.safetensors", _arrays())
    found = files.read_arrays(tmp_path / "a.safetensors", ["number", "flags"])
    assert list(found) == ["number", "flags"]
    assert found["number"] == 7


def test_the_order_of_the_arrays_does_not_affect_the_bytes(tmp_path: Path) -> None:
    arrays = _arrays()
    files.write_arrays(tmp_path / "a", arrays)
    files.write_arrays(tmp_path / "b", dict(reversed(arrays.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_array_raises_an_error_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    files.write_arrays(path, _arrays())
    with pytest.raises(StorageError, match=re.escape(str(path)) + ".*features.99"):
        files.read_arrays(path, ["features.99"])


# Damage

READERS = {"json": files.read_json, "arrays": files.read_arrays}


def _written(kind: str, path: Path) -> bytes:
    if kind == "json":
        files.write_json(path, {"numbers": list(range(100))})
    else:
        files.write_arrays(path, _arrays())
    return path.read_bytes()


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("keep", ["nothing", "start", "half", "all but the end"])
def test_a_truncated_file_raises_an_error_that_says_what_to_do(
    tmp_path: Path, kind: str, keep: str
) -> None:
    path = tmp_path / "a.file"
    whole = _written(kind, path)
    kept = {"nothing": 0, "start": 5, "half": len(whole) // 2, "all but the end": len(whole) - 3}
    path.write_bytes(whole[: kept[keep]])
    with pytest.raises(StorageError) as caught:
        READERS[kind](path)
    message = str(caught.value)
    assert message.startswith(f"{path}: could not be read (")
    assert "Delete it and run snakemake again" in message


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("damage", ["missing", "garbage", "folder"])
def test_a_file_of_another_format_raises(tmp_path: Path, kind: str, damage: str) -> None:
    path = tmp_path / "a.file"
    if damage == "garbage":
        path.write_bytes(np.random.default_rng(0).bytes(500))
    elif damage == "folder":
        path.mkdir()
    with pytest.raises(StorageError, match=re.escape(str(path)) + ": could not be read"):
        READERS[kind](path)


# Digests


def test_text_digest_is_the_sha_256_of_the_standard() -> None:
    # FIPS 180-4's example message
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.text_digest("abc") == expected


def test_file_digest_is_the_sha_256_of_the_bytes(tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(3_000_000)
    (tmp_path / "a").write_bytes(content)
    assert files.file_digest(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_the_digest_of_a_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"a\.bin: could not be read .*again"):
        files.file_digest(tmp_path / "a.bin")


def test_the_memory_layout_does_not_affect_the_digest() -> None:
    array = np.random.default_rng(0).standard_normal((4, 6, 3)).astype(np.float32)
    wide = np.zeros((4, 12, 3), dtype=np.float32)
    wide[:, ::2] = array
    layouts = [array, np.asfortranarray(array), wide[:, ::2], array[::-1][::-1]]
    assert len({files.array_digest(layout) for layout in layouts}) == 1


def test_type_shape_and_sign_affect_the_digest() -> None:
    zeros = np.zeros(12, dtype=np.float32)
    arrays = [
        zeros,
        zeros.view(np.int32),
        zeros.view(np.float64),
        zeros.astype(">f4"),
        zeros.reshape(3, 4),
        zeros.reshape(4, 3),
        zeros.reshape(1, 12),
        -zeros,
        zeros[:0],
        zeros[:0].reshape(0, 2),
        zeros[0],
        zeros[:1],
    ]
    assert len({files.array_digest(array) for array in arrays}) == len(arrays)


@pytest.mark.parametrize("byte", [0, 17, 4 * 1728 - 1])
@pytest.mark.parametrize("bit", [0, 7])
def test_a_single_bit_changes_the_digest(byte: int, bit: int) -> None:
    array = np.random.default_rng(0).standard_normal(1728).astype(np.float32)
    other = array.copy()
    other.view(np.uint8)[byte] ^= 1 << bit
    assert files.array_digest(other) != files.array_digest(array)


# Arrays in place

SHAPES = {"images": ("U8", (3, 5)), "labels": ("I64", (3,)), "none": ("U8", (0, 5))}


def test_arrays_that_are_filled_in_place_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with files.arrays_in_place(path, SHAPES) as arrays:
        assert not path.exists()
        arrays["images"][:] = np.arange(15, dtype=np.uint8).reshape(3, 5)
        arrays["labels"][:] = [-1, 0, 2**62]
    found = files.read_arrays(path)
    assert {name: (array.dtype, array.shape) for name, array in found.items()} == {
        "images": (np.dtype(np.uint8), (3, 5)),
        "labels": (np.dtype(np.int64), (3,)),
        "none": (np.dtype(np.uint8), (0, 5)),
    }
    assert found["images"].ravel().tolist() == list(range(15))
    assert found["labels"].tolist() == [-1, 0, 2**62]


def test_arrays_in_place_continue_with_the_values_of_an_interrupted_block(tmp_path: Path) -> None:
    path, progress = tmp_path / "a.safetensors", tmp_path / "progress"
    progress.touch()
    with (
        suppress(ZeroDivisionError),
        files.arrays_in_place(path, SHAPES, progress=progress) as arrays,
    ):
        arrays["images"][1], arrays["labels"][1] = 7, 8
        raise ZeroDivisionError
    with files.arrays_in_place(path, SHAPES, progress=progress) as arrays:
        arrays["images"][2] = 9
    found = files.read_arrays(path)
    assert found["images"].tolist() == [[0] * 5, [7] * 5, [9] * 5]
    assert found["labels"].tolist() == [0, 8, 0]


def test_an_exception_while_filling_arrays_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), files.arrays_in_place(tmp_path / "a", SHAPES):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


# Arrays that are written and read item by item


def test_items_are_written_and_read_one_at_a_time(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    arrays: dict[str, np.ndarray] = {
        "bytes": generator.integers(0, 256, (3, 5), dtype=np.uint8),
        "weights": generator.standard_normal((4, 2, 3, 3)).astype(np.float32),
        "labels": np.array([-1, 0, 2**62]),
        "transposed": generator.standard_normal((6, 7, 2)).astype(np.float32).swapaxes(1, 2),
    }
    dtypes = {"bytes": "U8", "labels": "I64"}
    shapes = {name: (dtypes.get(name, "F32"), array.shape) for name, array in arrays.items()}
    path = tmp_path / "a.safetensors"
    files.write_items(path, shapes, lambda name: arrays[name])
    found = files.read_arrays(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(found[name], array), name
        stored = files.StoredArray.find(path, name)
        assert (stored.shape, stored.dtype) == (array.shape, array.dtype)
        assert np.array_equal(list(stored), array), name


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("another name", "no array b"),
        ("cut in the header", "too short for its header"),
        ("cut in the array", "too short for its arrays"),
        ("garbage", "header"),
        ("missing", "No such file"),
    ],
)
def test_a_damaged_file_has_no_items(tmp_path: Path, damage: str, problem: str) -> None:
    path = tmp_path / "a.safetensors"
    files.write_arrays(path, {"a": np.zeros((3, 4), np.float32)})
    content = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(np.random.default_rng(0).bytes(500))
    elif damage == "missing":
        path.unlink()
    elif damage.startswith("cut"):
        path.write_bytes(content[: 20 if "header" in damage else -1])
    name = "b" if damage == "another name" else "a"
    with pytest.raises(StorageError, match=rf"a\.safetensors: could not be read \(.*{problem}"):
        files.StoredArray.find(path, name)


def test_an_item_beyond_the_end_raises(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    files.write_arrays(path, {"a": np.zeros((3, 4), np.float32)})
    with pytest.raises(StorageError, match="it has 3 items, expected more than 3"):
        files.StoredArray.find(path, "a")[3]
