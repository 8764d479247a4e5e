"""Parquet files as in Hugging Face data sets."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from normreport.errors import DataError, UnreadableImageError
from normreport.sources import parquet
from normreport.sources.decoding import resize
from normreport.sources.fingerprint import files_digest
from tests.sources.images import load, picture, settings


def content(number: int) -> bytes:
    buffer = io.BytesIO()
    picture(number).save(buffer, "PNG")
    return buffer.getvalue()


def rows(numbers: range, labels: Any = None) -> pa.Table:
    images = [{"bytes": content(i), "path": f"{i}.png"} for i in numbers]
    return pa.table({"image": images, "label": labels or [i % 2 for i in numbers]})


def described(table: pa.Table, names: list[str]) -> pa.Table:
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    text = json.dumps({"info": {"features": features}})
    return table.replace_schema_metadata({"huggingface": text})


def source(path: Path, **more: Any) -> dict[str, Any]:
    return {"kind": "parquet", "path": str(path), **more}


def test_images_of_all_row_groups_have_their_labels_and_class_names(tmp_path: Path) -> None:
    pq.write_table(
        described(rows(range(8)), ["even", "odd"]), tmp_path / "a.parquet", row_group_size=3
    )
    pq.write_table(rows(range(8, 12)), tmp_path / "b.parquet")
    found = load(source(tmp_path), train=8, heldout=4)
    assert found.classes == ("even", "odd")
    images = [*found.train_images, *found.heldout_images]
    labels = [*found.train_labels, *found.heldout_labels]
    expected = {resize(picture(i), 16).tobytes(): i % 2 for i in range(12)}
    assert {i.tobytes(): label for i, label in zip(images, labels, strict=True)} == expected


def test_each_row_group_is_read_once_per_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(rows(range(40)), tmp_path / "a.parquet", row_group_size=10)
    read = []
    original = parquet._RowReader._read_group

    def counted(self: Any, path: Path, group: int) -> Any:
        read.append(group)
        return original(self, path, group)

    monkeypatch.setattr(parquet._RowReader, "_read_group", counted)
    load(source(tmp_path / "a.parquet"), train=30, heldout=10, threads=1)
    assert len(read) <= 8  # four for each split
    assert len(set(read)) == 4


@pytest.mark.parametrize(
    ("train", "heldout"),
    [
        ("train-00000-of-00001.parquet", "validation-00000-of-00001.parquet"),
        ("train/0000.parquet", "test/0000.parquet"),
        ("data/train-0.parquet", "data/eval-0.parquet"),
    ],
)
def test_training_and_held_out_files_are_separate(tmp_path: Path, train: str, heldout: str) -> None:
    for name, numbers in ((train, range(6)), (heldout, range(6, 9))):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows(numbers), path)
    found = load(source(tmp_path), train=6, heldout=3)
    expected = {resize(picture(i), 16).tobytes() for i in range(6, 9)}
    assert {image.tobytes() for image in found.heldout_images} == expected


def test_columns_may_have_other_names_with_bytes_and_class_names(tmp_path: Path) -> None:
    table = pa.table({"png": [content(i) for i in range(6)], "what": ["b", "a", "c"] * 2})
    pq.write_table(table, tmp_path / "x.parquet")
    path = tmp_path / "x.parquet"
    found = load(source(path, image_column="png", label_column="what"))
    assert found.classes == ("a", "b", "c")
    with pytest.raises(
        DataError, match=r"image_column is 'image', but there is no such column\. Known: "
    ):
        load(source(path))


def test_a_missing_file_another_format_or_invalid_labels_raise(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="none: expected a Parquet file or a folder with Parquet files"
    ):
        load(source(tmp_path / "none"))
    with pytest.raises(DataError, match="expected a Parquet file or a folder with Parquet files"):
        load(source(tmp_path))
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 broken")
    with pytest.raises(DataError, match=r"x.parquet: could not be read \("):
        load(source(path))
    for labels, found in (
        ([None] * 4, "NoneType"),
        ([0.5] * 4, "float"),
        ([0, 1, None, 1], "NoneT"),
    ):
        pq.write_table(rows(range(4), labels), path)
        with pytest.raises(DataError, match=f"'label': expected one whole number or name.*{found}"):
            load(source(path))
    pq.write_table(described(rows(range(4), [0, 1, 2, 3]), ["a", "b"]), path)
    with pytest.raises(DataError, match="one of the 2 classes that the file names, found 2"):
        load(source(path))


def test_a_row_without_an_image_raises_or_is_skipped(tmp_path: Path) -> None:
    images = [content(i) for i in range(7)] + [b"", None]
    table = pa.table({"image": images, "label": [0, 1, 2] * 3})
    path = tmp_path / "x.parquet"
    pq.write_table(table, path)
    with pytest.raises(
        UnreadableImageError, match=r"row 7 of row group 0 of x.parquet: this image"
    ):
        load(source(path), train=7)
    found = load(source(path, skip_unreadable=True), train=5)
    assert {image.image for image in found.skipped} <= {
        f"row {i} of row group 0 of x.parquet" for i in (7, 8)
    }
    with pytest.raises(DataError, match="of the source cannot be read, and no others"):
        load(source(path, skip_unreadable=True), train=7)


def test_a_new_file_changes_the_fingerprint(tmp_path: Path) -> None:
    pq.write_table(rows(range(4)), tmp_path / "a.parquet")
    parquet_settings = settings(source(tmp_path)).source
    before = files_digest(parquet_settings)
    (tmp_path / "README.md").write_text("about")
    assert files_digest(parquet_settings) == before
    pq.write_table(rows(range(4)), tmp_path / "b.parquet")
    assert files_digest(parquet_settings) != before


def test_the_number_of_threads_does_not_affect_the_result(tmp_path: Path) -> None:
    pq.write_table(rows(range(40)), tmp_path / "a.parquet", row_group_size=7)
    one, many = (load(source(tmp_path), train=20, heldout=9, threads=t) for t in (1, 6))
    assert np.array_equal(one.train_images, many.train_images)
