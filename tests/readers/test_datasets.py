"""Folders of parts, read as hive datasets by pyarrow, DuckDB and Polars: the rows and values of one file."""

import duckdb
import polars
import pyarrow.dataset
import pytest

from readers import TESTDATA, done

SAMPLE = [str(TESTDATA / "sample"), "--timezone", "America/Chicago"]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    path = tmp_path_factory.mktemp("one") / "all.parquet"
    done("convert", *SAMPLE, "-o", str(path))
    return path


def dataset(folder, *options):
    done("convert", *SAMPLE, "-o", str(folder), *options)
    return folder


def rows(relation):
    return sorted(relation.fetchall(), key=str)


ROW = "source, source_offset, src, dst, billsec, duration, vendor, call_type"


def test_partitions_by_value(one, tmp_path):
    folder = dataset(tmp_path / "by", "--partition-by", "vendor,call_type")
    glob = f"{folder}/**/*.parquet"
    expected = rows(duckdb.sql(f"select {ROW} from '{one}'"))
    assert len(expected) == 229
    assert rows(duckdb.sql(f"select {ROW} from read_parquet('{glob}', hive_partitioning = true)")) == expected

    names = [name.strip('" ') for name in ROW.split(",")]
    frame = polars.read_parquet(f"{folder}/**/*.parquet", hive_partitioning=True).select(names)
    frame = frame.with_columns(polars.col(polars.Categorical).cast(polars.String))
    assert sorted(frame.rows(), key=lambda row: str(row[:2])) == sorted(
        polars.read_parquet(one).select(names).with_columns(polars.col(polars.Categorical).cast(polars.String)).rows(),
        key=lambda row: str(row[:2]),
    )

    hive = pyarrow.dataset.HivePartitioning.discover(infer_dictionary=True)
    table = pyarrow.dataset.dataset(folder, format="parquet", partitioning=hive).to_table(columns=names)
    there = pyarrow.dataset.dataset(one, format="parquet").to_table(columns=names)
    key = lambda row: str((row["source"], row["source_offset"]))
    assert sorted(table.to_pylist(), key=key) == sorted(there.to_pylist(), key=key)


def test_partitions_by_time(one, tmp_path):
    folder = dataset(tmp_path / "by", "--partition-by", "year,month,date")
    glob = f"{folder}/**/*.parquet"
    parts = f"read_parquet('{glob}', hive_partitioning = true)"
    wrong = f"""
        select count(*) from {parts}
        where year(timezone('America/Chicago', "start")) <> year
           or month(timezone('America/Chicago', "start")) <> month
           or timezone('America/Chicago', "start")::date <> date
    """
    assert duckdb.sql(wrong).fetchall() == [(0,)]
    assert duckdb.sql(f"select count(*) from {parts}").fetchall() == [(229,)]
    assert len(rows(duckdb.sql(f"select distinct date from {parts}"))) == 10


def test_readers_pass_over_the_manifest(tmp_path):
    folder = dataset(tmp_path / "parts", "--max-file-rows", "50")
    assert (folder / "_manifest.json").exists()
    assert pyarrow.dataset.dataset(folder, format="parquet").count_rows() == 229
    assert polars.scan_parquet(folder / "*.parquet").select(polars.len()).collect().item() == 229
    assert duckdb.sql(f"select count(*) from '{folder}/*.parquet'").fetchall() == [(229,)]


def test_an_appended_dataset_is_one_dataset(one, tmp_path):
    folder = tmp_path / "by"
    for year in sorted((TESTDATA / "sample").iterdir()):
        done("convert", str(year), *SAMPLE[1:], "-o", str(folder), "--append", "--partition-by", "year")
    glob = f"{folder}/**/*.parquet"
    expected = rows(duckdb.sql(f"select {ROW} from '{one}'"))
    assert rows(duckdb.sql(f"select {ROW} from read_parquet('{glob}', hive_partitioning = true)")) == expected
    done("convert", *SAMPLE, "-o", str(folder), "--append", "--partition-by", "year")
    assert len(rows(duckdb.sql(f"select 1 from '{glob}'"))) == 229
