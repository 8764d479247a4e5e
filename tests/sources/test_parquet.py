"""Parquet files as in Hugging Face data sets."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

from normreport import sources
from normreport.errors import DataError, UnreadableImageError
from normreport.sources import parquet
from normreport.sources.decoding import resize
from normreport.sources.fingerprint import files_digest
from normreport.sources.pool import Unused
from tests.sources.images import SPLIT_NAMES, load, picture, settings, styled


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


def write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def source(path: Path, **more: Any) -> dict[str, Any]:
    return {"kind": "parquet", "path": str(path), **more}


def test_images_of_all_row_groups_have_their_labels_and_class_names(tmp_path: Path) -> None:
    pq.write_table(
        described(rows(range(8)), ["even", "odd"]), tmp_path / "a.parquet", row_group_size=3
    )
    pq.write_table(described(rows(range(8, 12)), ["even", "odd"]), tmp_path / "b.parquet")
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


@hypothesis_settings(max_examples=20, deadline=None)
@given(
    train=st.sampled_from([n for n, kind in SPLIT_NAMES if kind == "train"]).flatmap(styled),
    heldout=st.sampled_from([n for n, kind in SPLIT_NAMES if kind != "train"]).flatmap(styled),
    form=st.sampled_from(["{}.parquet", "{}/0.parquet", "{}.parquet/part.0.parquet", "data/{}.PQ"]),
)
def test_splits_are_found_by_the_names_that_people_use(
    tmp_path_factory: pytest.TempPathFactory, train: str, heldout: str, form: str
) -> None:
    # The name of the source itself says nothing.
    folder = tmp_path_factory.mktemp("test")
    write(folder / form.format(train), rows(range(6)))
    write(folder / form.format(heldout), rows(range(6, 9)))
    found = sources.list_images(settings(source(folder), train=6, heldout=3))
    assert (len(found.train.labels), len((found.heldout or found.train).labels)) == (6, 3)


def test_a_third_split_is_named(tmp_path: Path) -> None:
    for name in ("train-0.parquet", "train-1.parquet", "validation-0.parquet", "extra.parquet"):
        write(tmp_path / name, rows(range(4)))
    for i in range(3):
        write(tmp_path / f"data/test-0000{i}-of-00003.parquet", rows(range(4)))
    found = sources.list_images(settings(source(tmp_path), train=8, heldout=4))
    assert found.unused == (Unused("data/test-*-of-*.parquet", 3), Unused("extra.parquet", 1))


@pytest.mark.parametrize("names", [("val", "test"), ("dev", "other")])
def test_splits_that_are_not_clear_raise(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        write(tmp_path / f"{name}.parquet", rows(range(4)))
    with pytest.raises(
        DataError, match=r"expected files of training images and of held-out"
    ) as got:
        load(source(tmp_path))
    assert all(f"'{name}.parquet'" in str(got.value) for name in names)
    assert "Set the source's train, and heldout if there is one" in str(got.value)
    assert len(load(source(tmp_path, train="."), train=6).train_labels) == 6


def test_named_splits_are_used(tmp_path: Path) -> None:
    for name, count in (("a/x-0", 3), ("a/x-1", 3), ("a/y-0", 2), ("b", 4)):
        write(tmp_path / f"{name}.parquet", rows(range(count)))
    found = sources.list_images(settings(source(tmp_path, train="a/x-*", heldout="a/y-*")))
    assert (len(found.train.labels), len((found.heldout or found.train).labels)) == (6, 2)
    assert found.unused == (Unused("b.parquet", 1),)
    assert len(sources.list_images(settings(source(tmp_path, train="a"))).train.labels) == 8
    with pytest.raises(DataError, match=r"train: expected Parquet files that match 'c', found n"):
        load(source(tmp_path, train="c"))
    with pytest.raises(DataError, match=r"a/x-0.parquet: expected each file in one split, found i"):
        load(source(tmp_path, train="a/*", heldout="a/x-0.parquet"))


def test_hidden_files_and_folders_named_like_files_are_no_data(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet/part-00000.snappy.parquet", rows(range(4)))
    write(tmp_path / "train.parquet/part-00001.snappy.parquet", rows(range(4, 8)))
    for name in ("_SUCCESS", "_metadata.parquet", "._a.parquet", ".part-0.parquet.crc",
                 "_temporary/0/part-0.parquet", "_delta_log/1.checkpoint.parquet"):  # fmt: skip
        path = tmp_path / "train.parquet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no data")
    for path in (tmp_path, tmp_path / "train.parquet"):
        assert len(load(source(path), train=6).train_labels) == 6


def test_folders_of_a_partition_have_the_labels(tmp_path: Path) -> None:
    for folder, numbers in (("label=dog", range(3)), ("label=black%20cat", range(3, 9))):
        write(tmp_path / folder / "part-0.parquet", rows(numbers).drop_columns(["label"]))
    found = load(source(tmp_path), train=6, heldout=3)
    assert found.classes == ("black cat", "dog")
    images = [*found.train_images, *found.heldout_images]
    labels = [*found.train_labels, *found.heldout_labels]
    expected = {resize(picture(i), 16).tobytes(): int(i < 3) for i in range(9)}
    assert {i.tobytes(): label for i, label in zip(images, labels, strict=True)} == expected


SWAPPED = (["cat", "dog"], ["dog", "cat"])


@pytest.mark.parametrize("names", [("a.parquet", "b.parquet"), ("train.parquet", "val.parquet")])
def test_numbers_mean_the_names_of_their_own_file(tmp_path: Path, names: tuple[str, str]) -> None:
    for number, (name, listed) in enumerate(zip(names, SWAPPED, strict=True)):
        numbers = range(10 * number, 10 * number + 4)
        write(tmp_path / name, described(rows(numbers), listed))
    found = load(source(tmp_path), train=4, heldout=4)
    assert found.classes == ("cat", "dog")
    # Even pictures are cats in the first file, and dogs in the second.
    expected = {resize(picture(i), 16).tobytes(): i % 2 for i in range(4)}
    expected |= {resize(picture(i), 16).tobytes(): 1 - i % 2 for i in range(10, 14)}
    images = [*found.train_images, *found.heldout_images]
    labels = [*found.train_labels, *found.heldout_labels]
    assert {i.tobytes(): label for i, label in zip(images, labels, strict=True)} == expected


def test_files_may_name_other_classes_and_use_names_or_numbers(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", described(rows(range(4)), ["cat", "dog"]))
    write(tmp_path / "b.parquet", described(rows(range(4, 8)), ["dog", "fox"]))
    write(tmp_path / "c.parquet", rows(range(8, 12), ["emu", "cat", "ant", "ant"]))
    found = load(source(tmp_path), train=11, heldout=1)
    assert found.classes == ("cat", "dog", "fox", "ant", "emu")
    counts = np.bincount([*found.train_labels, *found.heldout_labels])
    assert counts.tolist() == [3, 4, 2, 2, 1]


SHARDS = st.lists(
    st.tuples(
        st.permutations(["cat", "dog", "fox"]),
        st.sampled_from(["listed names", "names", "bare numbers"]),
        st.lists(st.integers(0, 2), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=3,
)


@hypothesis_settings(max_examples=25, deadline=None)
@given(shards=SHARDS)
def test_every_image_has_the_class_that_its_own_file_gives_it(
    tmp_path_factory: pytest.TempPathFactory, shards: list[tuple[list[str], str, list[int]]]
) -> None:
    folder, expected = tmp_path_factory.mktemp("any"), []
    for place, (names, form, numbers) in enumerate(shards):
        labels = [names[i] for i in numbers] if form == "names" else numbers
        table = pa.table({"image": [b""] * len(numbers), "label": labels})
        table = described(table, names) if form == "listed names" else table
        write(folder / f"{place}.parquet", table)
        expected += [str(i) if form == "bare numbers" else names[i] for i in numbers]
    forms = {form for _, form, _ in shards}
    try:
        found = parquet.list_images(settings(source(folder)).source, seed=0)
    except DataError:
        assert "bare numbers" in forms
        assert len(forms) > 1
    else:
        assert [found.classes[label] for label in found.train.labels] == expected


@pytest.mark.parametrize("names", [("a.parquet", "b.parquet"), ("train.parquet", "val.parquet")])
@pytest.mark.parametrize("other", [None, ["cat", "dog"] * 2])
def test_numbers_without_names_beside_names_raise(
    tmp_path: Path, names: tuple[str, str], other: list[str] | None
) -> None:
    write(tmp_path / names[0], rows(range(4)))
    table = rows(range(4), other) if other else described(rows(range(4)), ["cat", "dog"])
    write(tmp_path / names[1], table)
    with pytest.raises(DataError, match=rf"{names[0]}: column 'label': expected class names, as "):
        load(source(tmp_path))


def test_a_class_that_is_named_twice_raises(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", described(rows(range(4)), ["cat", "cat"]))
    with pytest.raises(DataError, match="expected class names that differ, found 'cat' twice"):
        load(source(tmp_path))


def test_hidden_labels_raise(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", described(rows(range(4)), ["cat", "dog"]))
    write(tmp_path / "test.parquet", described(rows(range(4), [-1] * 4), ["cat", "dog"]))
    with pytest.raises(DataError, match=r"test.parquet: .* found -1\. Data sets hide the label"):
        load(source(tmp_path))


def test_names_that_are_not_utf8_raise(tmp_path: Path) -> None:
    offsets = pa.py_buffer(np.arange(5, dtype=np.int32).tobytes())
    names = pa.StringArray.from_buffers(4, offsets, pa.py_buffer(b"ab\xffb"))
    write(tmp_path / "a.parquet", rows(range(4)).set_column(1, "label", names))
    with pytest.raises(DataError, match=r"a.parquet: could not be read .*utf-8"):
        load(source(tmp_path))


def test_a_class_name_with_a_lone_surrogate_is_made_printable(tmp_path: Path) -> None:
    # JSON writes it as an escape, and Python reads it.
    write(tmp_path / "a.parquet", described(rows(range(8)), ["\ud800", "b\udfff"]))
    assert load(source(tmp_path)).classes == ("\ufffd", "b\ufffd")


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
