"""Whole files or none, the same bytes every time, exact numbers back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from normreport.errors import StorageError
from normreport.io import files

# Doubles whose shortest exact text is easy to get wrong.
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


def _hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Whole or nothing


def test_a_block_that_ends_well_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with files.atomic(path) as temporary:
        assert temporary.parent == path.parent  # a rename within one file system
        temporary.write_text("whole")
        assert not path.exists()
    assert _hidden(path.parent) == ["a.txt"]
    assert path.read_text() == "whole"
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_neither_a_file_nor_a_trace_of_one(
    tmp_path: Path, exception: type[BaseException]
) -> None:
    def interrupted() -> None:
        with files.atomic(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise exception("stop")

    with pytest.raises(exception, match="stop"):
        interrupted()
    assert _hidden(tmp_path) == []


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt])
def test_an_exception_keeps_the_old_file_as_it_was(
    tmp_path: Path, exception: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted() -> None:
        with files.atomic(path) as temporary:
            temporary.write_text("half")
            raise exception

    with pytest.raises(exception):
        interrupted()
    assert _hidden(tmp_path) == ["a.txt"]
    assert path.read_text() == "old"


def test_a_killed_process_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    program = (
        "import os, signal, sys; from pathlib import Path; from normreport.io.files import atomic\n"
        "with atomic(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    # What it left is removed by the next one that writes the file.
    assert len(_hidden(tmp_path)) == 2
    files.write_text(path, "new")
    assert _hidden(tmp_path) == ["a.txt"]


def test_two_that_write_the_same_file_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with files.atomic(path) as first:
        first.write_text("first")
        files.write_text(path, "second")
        assert first.exists()
    assert path.read_text() == "first"
    assert _hidden(tmp_path) == ["a.txt"]


def _half_written(path: Path, progress: Path) -> Path:
    """Fail to write a file, and give the path of what was written."""
    with suppress(ZeroDivisionError), files.atomic(path, progress=progress) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    return temporary


def test_what_is_unfinished_is_kept_and_given_again_while_there_is_progress(
    tmp_path: Path,
) -> None:
    path, progress = tmp_path / "a.txt", tmp_path / "progress"
    assert not _half_written(path, progress).exists()
    progress.touch()
    first = _half_written(path, progress)
    assert not path.exists()
    with files.atomic(path, progress=progress) as again:
        assert (again, again.read_text()) == (first, "half")
        again.write_text("whole")
    assert _hidden(tmp_path) == ["a.txt", "progress"]
    assert path.read_text() == "whole"


def test_what_is_unfinished_is_removed_where_nothing_tells_of_it(tmp_path: Path) -> None:
    path, progress = tmp_path / "a.txt", tmp_path / "progress"
    progress.touch()
    first = _half_written(path, progress)
    progress.unlink()
    with files.atomic(path, progress=progress) as another:
        assert not first.exists()
        assert another.read_bytes() == b""
    assert _hidden(tmp_path) == ["a.txt"]


def test_what_another_is_writing_is_not_given_away(tmp_path: Path) -> None:
    path, progress = tmp_path / "a.txt", tmp_path / "progress"
    progress.touch()
    with files.atomic(path, progress=progress) as first:
        first.write_text("first")
        with files.atomic(path, progress=progress) as second:
            assert second != first
            assert second.read_bytes() == b""
    assert _hidden(tmp_path) == ["a.txt", "progress"]


WRITERS = {
    "write_bytes": "files.write_bytes(path, b'x' * 100_000)",
    "write_text": "files.write_text(path, 'x' * 100_000)",
    "write_json": "files.write_json(path, list(range(100_000)))",
    "write_csv": "files.write_csv(path, ['a'], [{'a': i} for i in range(100_000)])",
    "write_arrays": "files.write_arrays(path, {'a': np.zeros(100_000)})",
    "arrays_in_place": "with files.arrays_in_place(path, {'a': ('U8', (100_000,))}): pass",
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_disk_that_takes_no_more_ends_in_a_message_that_names_the_file(
    tmp_path: Path, writer: str
) -> None:
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
    assert _hidden(tmp_path) == ["a.file"]
    assert path.read_text() == "old"


@pytest.fixture
def folder_of_others() -> Iterator[Path]:
    """Give a folder that may not be written, as a user who is not root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.txt").write_text("old")
        Path(folder).chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(user)
            Path(folder).chmod(0o755)


def test_a_folder_that_may_not_be_written_ends_in_a_message(folder_of_others: Path) -> None:
    path = folder_of_others / "a.txt"
    with pytest.raises(StorageError) as caught:
        files.write_text(path, "new")
    assert str(caught.value).startswith(f"{path}: could not be written (Permission denied)")
    assert "mend the permissions and run the same command again" in str(caught.value)
    assert _hidden(folder_of_others) == ["a.txt"]
    assert path.read_text() == "old"


def test_a_file_where_a_folder_must_be_ends_in_a_message(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    path = tmp_path / "results" / "a.json"
    with pytest.raises(StorageError, match=re.escape(f"{path}: could not be written")):
        files.write_json(path, 1)


# JSON


def test_equal_values_are_the_same_json() -> None:
    a = {"b": [1, {"z": 1, "y": None}], "a": "ä"}
    b = {"a": "ä", "b": [1, {"y": None, "z": 1}]}
    assert files.canonical_json(a) == files.canonical_json(b)
    assert files.canonical_json(a) == '{"a":"ä","b":[1,{"y":null,"z":1}]}'


def test_indented_json_holds_the_same_value() -> None:
    value = {"b": [1, 2.5, None], "a": {"c": True}}
    text = files.canonical_json(value, indent=1)
    assert json.loads(text) == value
    assert text.splitlines()[1] == ' "a": {'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_json_never_holds_a_number_that_is_not_finite(tmp_path: Path, number: float) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(path, {"a": [1.0, {"b": number}]})
    assert path.read_text() == "old"


def test_json_comes_back_as_it_was(tmp_path: Path) -> None:
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
def test_floats_come_back_from_csv_bit_for_bit(tmp_path: Path, kind: type) -> None:
    values = _doubles(2000)
    path = tmp_path / "a.csv"
    files.write_csv(path, ["x"], [{"x": kind(value)} for value in values])
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    back = np.array([float(row["x"]) for row in rows])
    assert back.tobytes() == np.array(values).tobytes()
    read = pd.read_csv(path)["x"].to_numpy()
    assert read.tobytes() == np.array(values).tobytes()


def test_csv_has_the_columns_in_their_order_and_unix_lines() -> None:
    rows: list[dict[str, Any]] = [{"b": 1, "a": "x"}, {"a": 'with "quotes", and\nlines', "b": None}]
    assert files.csv_text(["a", "b"], rows) == 'a,b\nx,1\n"with ""quotes"", and\nlines",\n'


def test_a_missing_value_is_an_empty_cell() -> None:
    assert files.csv_text(["a", "b"], [{"a": None, "b": 0.0}, {"b": 2}]) == "a,b\n,0.0\n,2\n"


def test_a_column_that_was_not_announced_is_a_bug() -> None:
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


def test_arrays_come_back_bit_for_bit(tmp_path: Path) -> None:
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


def test_the_same_arrays_are_the_same_bytes_whatever_their_order(tmp_path: Path) -> None:
    arrays = _arrays()
    files.write_arrays(tmp_path / "a", arrays)
    files.write_arrays(tmp_path / "b", dict(reversed(arrays.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_array_that_the_file_lacks_is_named(tmp_path: Path) -> None:
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
def test_a_truncated_file_ends_in_a_message_that_says_what_to_do(
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
def test_a_file_that_is_none_of_ours_ends_in_a_message(
    tmp_path: Path, kind: str, damage: str
) -> None:
    path = tmp_path / "a.file"
    if damage == "garbage":
        path.write_bytes(np.random.default_rng(0).bytes(500))
    elif damage == "folder":
        path.mkdir()
    with pytest.raises(StorageError, match=re.escape(str(path)) + ": could not be read"):
        READERS[kind](path)


# Digests


def test_a_digest_is_the_sha_256_of_the_standard() -> None:
    # FIPS 180-4's example message
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.text_digest("abc") == expected


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(3_000_000)
    (tmp_path / "a").write_bytes(content)
    assert files.file_digest(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_the_digest_of_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"a\.bin: could not be read .*again"):
        files.file_digest(tmp_path / "a.bin")


def test_equal_arrays_have_the_same_digest_whatever_their_layout_in_memory() -> None:
    array = np.random.default_rng(0).standard_normal((4, 6, 3)).astype(np.float32)
    wide = np.zeros((4, 12, 3), dtype=np.float32)
    wide[:, ::2] = array
    layouts = [array, np.asfortranarray(array), wide[:, ::2], array[::-1][::-1]]
    assert len({files.array_digest(layout) for layout in layouts}) == 1


def test_a_digest_tells_types_shapes_and_signs_apart() -> None:
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
def test_a_digest_changes_with_a_single_bit(byte: int, bit: int) -> None:
    array = np.random.default_rng(0).standard_normal(1728).astype(np.float32)
    other = array.copy()
    other.view(np.uint8)[byte] ^= 1 << bit
    assert files.array_digest(other) != files.array_digest(array)


SHAPES = {"images": ("U8", (3, 5)), "labels": ("I64", (3,)), "none": ("U8", (0, 5))}


def test_arrays_that_are_filled_in_place_are_those_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with files.arrays_in_place(path, SHAPES) as arrays:
        assert not path.exists()
        arrays["images"][:] = np.arange(15, dtype=np.uint8).reshape(3, 5)
        arrays["labels"][:] = [-1, 0, 2**62]
    found = files.read_arrays(path)
    assert {name: (array.dtype, array.shape) for name, array in found.items()} == {
        "images": (np.uint8, (3, 5)),
        "labels": (np.int64, (3,)),
        "none": (np.uint8, (0, 5)),
    }
    assert found["images"].ravel().tolist() == list(range(15))
    assert found["labels"].tolist() == [-1, 0, 2**62]


def test_arrays_hold_what_was_put_there_before(tmp_path: Path) -> None:
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


def test_arrays_that_are_not_filled_to_the_end_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), files.arrays_in_place(tmp_path / "a", SHAPES):
        raise ZeroDivisionError
    assert _hidden(tmp_path) == []
