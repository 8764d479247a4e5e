"""Tables of several files are concatenated, and floats are exact."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from normreport.errors import StorageError
from normreport.io import files
from normreport.io.tables import read_tables, write_table
from normreport.statistics import comparison


def test_rows_are_concatenated_in_the_order_of_the_files(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.csv" for name in "bca"]
    for i, path in enumerate(paths):
        files.write_csv(path, ["run", "epoch"], [{"run": i, "epoch": e} for e in range(3)])
    found = read_tables(paths)
    assert found["run"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert found["epoch"].tolist() == [0, 1, 2] * 3
    assert found.index.tolist() == list(range(9))


def test_a_csv_that_is_truncated_within_a_row_raises(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    files.write_csv(path, ["run", "x"], [{"run": 1, "x": 0.123}])
    path.write_text(path.read_text()[:-3])
    assert path.read_text() == "run,x\n1,0.1"  # a valid number, but the wrong one
    with pytest.raises(StorageError, match=r"a\.csv: could not be read \(it is truncated\)"):
        read_tables([path])


def test_csv_floats_are_restored_bit_for_bit(tmp_path: Path) -> None:
    bits = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    values = bits.view(np.float64)
    values = np.concatenate([values[np.isfinite(values)], [5e-324, -0.0, 0.1, 1 / 3]])
    files.write_csv(tmp_path / "a.csv", ["x"], [{"x": value} for value in values.tolist()])
    assert read_tables([tmp_path / "a.csv"])["x"].to_numpy().tobytes() == values.tobytes()


def test_layer_names_stay_text_and_missing_values_become_nan(tmp_path: Path) -> None:
    files.write_csv(
        tmp_path / "a.csv",
        ["layer", "std"],
        [{"layer": "features.0", "std": None}, {"layer": "features.10", "std": 0.5}],
    )
    found = read_tables([tmp_path / "a.csv"])
    assert found["layer"].tolist() == ["features.0", "features.10"]
    assert found["std"].isna().tolist() == [True, False]


def test_an_empty_table_does_not_change_the_types_of_the_others(tmp_path: Path) -> None:
    columns = ["seed", "epoch", "loss", "status"]
    rows = [{"seed": 1, "epoch": 0, "loss": 2.5, "status": "OK"}]
    files.write_csv(tmp_path / "diverged.csv", columns, [])
    files.write_csv(tmp_path / "fine.csv", columns, rows)
    alone = read_tables([tmp_path / "fine.csv"])
    pd.testing.assert_frame_equal(
        read_tables([tmp_path / "diverged.csv", tmp_path / "fine.csv"]), alone
    )


def test_empty_tables_give_an_empty_table(tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        files.write_csv(path, ["seed", "loss"], [])
    found = read_tables(paths)
    assert found.columns.tolist() == ["seed", "loss"]
    assert len(found) == 0


def test_a_column_that_is_empty_in_one_table_stays_numeric(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "a.csv", ["x"], [{"x": None}, {"x": None}])
    files.write_csv(tmp_path / "b.csv", ["x"], [{"x": 0.25}])
    found = read_tables([tmp_path / "a.csv", tmp_path / "b.csv"])["x"]
    assert found.dtype == np.float64
    assert found.iloc[2] == 0.25


@pytest.mark.parametrize(
    "content",
    [None, b"", b"a,b\n1,2,3\n4\n5,6,7,8\n", b"a,b\n\xff\xfe,2\n", b'a,b\n1,"2\n'],
    ids=["missing", "empty", "ragged", "not UTF-8", "truncated in a quote"],
)
def test_a_damaged_csv_raises_an_error_with_its_path(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=re.escape(f"{path}: could not be read (")):
        read_tables([path])


def write_example(path: Path) -> bytes:
    layers = [*(f"features.{i % 7}" for i in range(1000)), "last"]
    stds = [*(i / 3 for i in range(1000)), np.nan]
    write_table(path, {"layer": layers, "std": stds, "dead": [*range(1000), 0]})
    return path.read_bytes()


def test_parquet_is_restored_bit_for_bit_and_has_reproducible_bytes(tmp_path: Path) -> None:
    assert write_example(tmp_path / "a.parquet") == write_example(tmp_path / "b.parquet")
    found = read_tables([tmp_path / "a.parquet"])
    assert found.dtypes.astype(str).tolist() == ["str", "float64", "int64"]
    assert found["std"].to_list()[:-1] == [i / 3 for i in range(1000)]
    assert np.isnan(found["std"].iloc[-1])
    assert found["layer"].iloc[[8, 1000]].to_list() == ["features.1", "last"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_parquet_file_raises(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.parquet"
    whole = write_example(path)
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(StorageError, match=r"a\.parquet: could not be read .* rebuilds only"):
        read_tables([path])


def test_a_parquet_file_with_a_changed_bit_is_never_read_as_another_table(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    whole = write_example(path)
    expected = read_tables([path])
    for position in np.random.default_rng(0).integers(0, len(whole), 200).tolist():
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            found = read_tables([path])
        except StorageError:
            continue
        pd.testing.assert_frame_equal(found, expected)


def test_a_missing_parquet_file_raises(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"a\.parquet: could not be read"):
        read_tables([tmp_path / "a.parquet"])


def test_a_single_value_fills_its_column(tmp_path: Path) -> None:
    write_table(tmp_path / "a.parquet", {"layer": "features.0", "epoch": np.arange(3)})
    assert read_tables([tmp_path / "a.parquet"])["layer"].tolist() == ["features.0"] * 3


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_only_the_wanted_rows_and_columns_are_read(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{number}.{suffix}" for number in range(2)]
    for number, path in enumerate(paths):
        rows = [{"arm": arm, "epoch": e, "x": e + number} for arm in "ab" for e in range(4)]
        if suffix == "csv":
            files.write_csv(path, ["arm", "epoch", "x"], rows)
        else:
            write_table(path, pd.DataFrame(rows))
    found = read_tables(paths, ["arm", "x"], [[("epoch", "=", 3)], [("arm", "in", ["b"])]])
    assert found.columns.tolist() == ["arm", "x"]
    assert found["arm"].tolist() == [*"abbbb"] * 2
    assert found["x"].tolist() == [3, 0, 1, 2, 3, 4, 1, 2, 3, 4]
    assert found.index.tolist() == list(range(10))
    assert read_tables(paths, filters=[[("epoch", ">", 9)]]).columns.tolist() == [
        "arm",
        "epoch",
        "x",
    ]


def test_names_can_be_read_as_sorted_categories(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.parquet" for number in range(2)]
    for path, arms in zip(paths, ("ba", "ca"), strict=True):
        write_table(path, {"arm": list(arms), "x": [1, 2], "y": [3, 4]})
    found = read_tables(paths, ["arm", "x"], [[("y", "==", 3)]], categories=["arm"])
    assert found["arm"].tolist() == ["b", "c"]
    assert found["arm"].cat.categories.tolist() == ["a", "b", "c"]
    assert found.columns.tolist() == ["arm", "x"]


def test_an_empty_table_has_categories_without_a_name(tmp_path: Path) -> None:
    constant = [({"normalization": arm, "seed": 0}, np.ones((2, 4), np.float32)) for arm in "ab"]
    for compare in (comparison.densities, comparison.histograms):
        write_table(tmp_path / "a.parquet", {"model": "m", **compare(constant)})
        found = read_tables([tmp_path / "a.parquet"], categories=["model", "normalization"])
        assert found.empty
        assert found.dtypes[["model", "normalization"]].astype(str).tolist() == ["category"] * 2
