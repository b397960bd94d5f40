"""The files as others see them: types, statistics, metadata, the other kinds of output, same bytes.

The table is the one of testdata/sample, the archive that README's first command converts.
"""

import csv
import io
import json
import re

import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest

from readers import PARQUET_READERS, TESTDATA, TIMES, arrow_rows, by_pyarrow, differences, done, duckdb_types, jsonl_rows, run, schema

ZONE = ("--timezone", "America/Chicago")
ROWS = {"ucm-cdrapi-csv": 84, "ucm-web-csv": 51, "nexo-csv": 18, "kazoo-csv": 32, "yeastar-csv": 20, "asterisk-csv": 24}
DICT = """source vendor format record_kind dst_kind channel_tech channel_kind dstchannel_tech dstchannel_kind lastapp
    src_trunk_name dst_trunk_name action_type cid_prefix in_route ivr disposition hangup_cause call_type amaflags""".split()
NUMBERS = {"source_offset": "int64", "sub_index": "uint32", "channel_port": "uint16", "dstchannel_port": "uint16", "port": "int32",
           "duration": "int32", "billsec": "int32", "ringsec": "int32", "nat": "bool"}
NOT_NULL = ["source", "source_offset", "vendor", "format", "record_kind"]
KINDS = ["parquet", "arrow", "arrows", "csv", "jsonl"]


def convert(folder, kind, *options, inputs="sample", name="out"):
    path = folder / f"{name}.{kind}"
    done("convert", inputs, "-o", path, *options, cwd=TESTDATA)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The sample in every kind of output."""
    folder = tmp_path_factory.mktemp("sample")
    return {kind: convert(folder, kind, *ZONE) for kind in KINDS}


@pytest.fixture(scope="module")
def wall_clock(tmp_path_factory):
    return convert(tmp_path_factory.mktemp("wall"), "parquet", inputs="dumps/cdrapi-32.csv")


@pytest.fixture(scope="module")
def columns():
    return [column["name"] for column in schema()]


@pytest.fixture(scope="module")
def rows(files):
    return by_pyarrow(files["parquet"])


def test_readme_command(tmp_path):
    output, report = tmp_path / "sample.parquet", tmp_path / "report.json"
    done("convert", TESTDATA / "sample", "-o", output, *ZONE, "--report-file", report)
    report = json.loads(report.read_bytes())
    assert report["totals"]["rejected"] == 0
    assert [entry["warnings"] for entry in report["inputs"] if entry["warnings"]] == []
    counts = {}
    for entry in report["inputs"]:
        counts[entry["format"]] = counts.get(entry["format"], 0) + entry["written"]
    assert counts == ROWS
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".json"] == ["sample.parquet"]


def test_sample_is_ordered_by_path(rows):
    sources = list(dict.fromkeys(row["source"] for row in rows))
    assert sources == sorted(sources, key=str.encode)
    assert len(sources) == sum(1 for path in (TESTDATA / "sample").rglob("*") if path.is_file())


@pytest.mark.parametrize("reader", PARQUET_READERS)
def test_all_readers_read_the_same(files, reader):
    assert not (found := differences(PARQUET_READERS[reader](files["parquet"]), jsonl_rows(files["jsonl"]))), found


def is_text(kind):
    return pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind) or pyarrow.types.is_string_view(kind)


def check_arrow_types(found, columns, zone, dictionaries):
    """The schema of schema.md; where dictionaries cannot be, dict columns are plain text."""
    assert found.names == columns
    for field in found:
        kind = field.type
        if field.name in TIMES:
            assert kind == pyarrow.timestamp("us", zone), field
        elif field.name in NUMBERS:
            assert str(kind) == NUMBERS[field.name], field
        elif field.name == "recordfiles":
            assert pyarrow.types.is_list(kind) and is_text(kind.value_type), field
        elif field.name == "extra":
            assert pyarrow.types.is_map(kind) and is_text(kind.key_type) and is_text(kind.item_type), field
        elif field.name in DICT and dictionaries:
            assert pyarrow.types.is_dictionary(kind) and kind.index_type == pyarrow.int32() and is_text(kind.value_type), field
        else:
            assert is_text(kind), field
        assert field.nullable == (field.name not in NOT_NULL), field


def test_pyarrow_types(files, wall_clock, columns):
    check_arrow_types(pyarrow.parquet.read_schema(files["parquet"]), columns, "UTC", True)
    check_arrow_types(pyarrow.parquet.read_schema(wall_clock), columns, None, True)


def test_parquet_types(files, wall_clock):
    """What any reader of Parquet sees, without Arrow's schema in the metadata."""
    for path, adjusted in ((files["parquet"], True), (wall_clock, False)):
        found = pyarrow.parquet.ParquetFile(path).schema
        for number in range(len(found)):
            column = found.column(number)
            if column.name in TIMES:
                logical = json.loads(column.logical_type.to_json())
                assert (logical["Type"], logical["timeUnit"], logical["isAdjustedToUTC"]) == ("Timestamp", "microseconds", adjusted), column
            elif column.physical_type == "BYTE_ARRAY":
                assert column.logical_type.type == "STRING", column


def test_duckdb_types(files, wall_clock, columns):
    names = {"int64": "BIGINT", "int32": "INTEGER", "uint32": "UINTEGER", "uint16": "USMALLINT", "bool": "BOOLEAN"}
    for path, time in ((files["parquet"], "TIMESTAMP WITH TIME ZONE"), (wall_clock, "TIMESTAMP")):
        want = dict.fromkeys(columns, "VARCHAR")
        want |= dict.fromkeys(TIMES, time) | {name: names[kind] for name, kind in NUMBERS.items()}
        want |= {"recordfiles": "VARCHAR[]", "extra": "MAP(VARCHAR, VARCHAR)"}
        assert duckdb_types(path) == want


def test_polars_types(files, wall_clock, columns):
    names = {"int64": polars.Int64, "int32": polars.Int32, "uint32": polars.UInt32, "uint16": polars.UInt16, "bool": polars.Boolean}
    for path, zone in ((files["parquet"], "UTC"), (wall_clock, None)):
        found = polars.read_parquet_schema(path)
        assert list(found) == columns
        for name, kind in found.items():
            if name in TIMES:
                assert kind == polars.Datetime("us", zone), name
            elif name in NUMBERS:
                assert kind == names[NUMBERS[name]], name
            elif name == "recordfiles":
                assert kind == polars.List(polars.String)
            elif name != "extra":
                assert kind.base_type() in (polars.String, polars.Categorical, polars.Enum), name


def test_statistics_and_page_index(files):
    wanted = {*TIMES, "source_offset", "duration", "billsec", "record_id", "call_id", "uniqueid", "src", "dst", "dst_number",
              "source", "vendor", "format", "record_kind", "disposition", "call_type"}
    found, seen = pyarrow.parquet.ParquetFile(files["parquet"]).metadata, set()
    for group in range(found.num_row_groups):
        for number in range(found.num_columns):
            column = found.row_group(group).column(number)
            if column.path_in_schema in wanted:
                seen.add(column.path_in_schema)
                assert column.is_stats_set and column.statistics.has_min_max and column.statistics.has_null_count, column
                assert column.has_column_index and column.has_offset_index, column
    assert seen == wanted


def test_statistics_are_true(files, rows):
    found = pyarrow.parquet.ParquetFile(files["parquet"]).metadata
    for number in range(found.num_columns):
        column = found.row_group(0).column(number)
        if column.path_in_schema in ("duration", "billsec", "source_offset", "vendor", "src"):
            values = [row[column.path_in_schema] for row in rows if row[column.path_in_schema] is not None]
            statistics = column.statistics
            assert (statistics.min, statistics.max, statistics.null_count) == (min(values), max(values), len(rows) - len(values))


def test_metadata_and_compression(files):
    found = pyarrow.parquet.ParquetFile(files["parquet"]).metadata
    version = re.search(r"\d+\.\d+\.\d+", done("--version").stdout.decode())[0]
    values = [value.decode() for key, value in found.metadata.items() if key != b"ARROW:schema"]
    assert any(version in value for value in values), values
    assert any("America/Chicago" in value for value in values), values
    assert not any(str(files["parquet"].parent) in value for value in values), "a path changes the bytes"
    assert {found.row_group(0).column(number).compression for number in range(found.num_columns)} == {"ZSTD"}


@pytest.mark.parametrize("option, name", [("zstd:3", "ZSTD"), ("snappy", "SNAPPY"), ("lz4", "LZ4"), ("gzip", "GZIP"), ("none", "UNCOMPRESSED")])
def test_parquet_compressions(tmp_path, rows, option, name):
    path = convert(tmp_path, "parquet", *ZONE, "--compression", option)
    assert pyarrow.parquet.ParquetFile(path).metadata.row_group(0).column(0).compression == name
    for reader, read in PARQUET_READERS.items():
        assert not (found := differences(read(path), rows)), f"{reader}\n{found}"


def open_arrow(path):
    data = pyarrow.memory_map(str(path))
    return pyarrow.ipc.open_stream(data) if path.suffix == ".arrows" else pyarrow.ipc.open_file(data)


@pytest.mark.parametrize("kind", ["arrow", "arrows"])
@pytest.mark.parametrize("compression", [None, "zstd", "lz4", "none"])
def test_arrow(tmp_path, files, rows, columns, kind, compression):
    path = convert(tmp_path, kind, *ZONE, "--compression", compression) if compression else files[kind]
    reader = open_arrow(path)
    check_arrow_types(reader.schema, columns, "UTC", kind == "arrows")
    assert not (found := differences(arrow_rows(reader.read_all()), rows)), found


def test_jsonl(files, rows, columns):
    lines = jsonl_rows(files["jsonl"])
    assert all(list(line) == columns for line in lines)
    assert not (found := differences(lines, rows)), found


def test_csv(files, rows, columns):
    data = files["csv"].read_bytes()
    assert b"\r" not in data and data.endswith(b"\n")
    header, *lines = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    assert header == columns
    def text(name, value):
        if value is None:
            return ""
        if name == "recordfiles":
            return "@".join(value)
        if name == "nat":
            return "true" if value else "false"
        return value if name == "extra" else str(value)
    got = [dict(zip(columns, line)) for line in lines]
    for row in got:
        row["extra"] = json.loads(row["extra"]) if row["extra"] else ""
    want = [{name: text(name, value) for name, value in row.items()} for row in rows]
    assert not (found := differences(got, want)), found


@pytest.mark.parametrize("kind", KINDS)
def test_same_bytes_for_any_number_of_threads(tmp_path, files, kind):
    options = [*ZONE, *(("--row-group-rows", "50") if kind == "parquet" else ())]
    paths = [convert(tmp_path, kind, *options, "--threads", threads, name=f"threads-{threads}") for threads in ("1", "2", "8")]
    paths.append(convert(tmp_path, kind, *options, "--memory", "64M", name="little-memory"))
    if kind != "parquet":
        paths.append(files[kind])
    assert len({path.read_bytes() for path in paths}) == 1


def test_row_groups(tmp_path, rows):
    path = convert(tmp_path, "parquet", *ZONE, "--row-group-rows", "50")
    found = pyarrow.parquet.ParquetFile(path).metadata
    assert [found.row_group(group).num_rows for group in range(found.num_row_groups)] == [50, 50, 50, 50, 29]
    for reader, read in PARQUET_READERS.items():
        assert not (difference := differences(read(path), rows)), f"{reader}\n{difference}"


def test_columns_are_those_asked_for_in_that_order(tmp_path, rows):
    names = ["end", "extra", "recordfiles", "src", "vendor", "duration"]
    path = convert(tmp_path, "parquet", *ZONE, "--columns", ",".join(names))
    want = [{name: row[name] for name in names} for row in rows]
    for reader, read in PARQUET_READERS.items():
        got = read(path)
        assert list(got[0]) == names
        assert not (found := differences(got, want)), f"{reader}\n{found}"


def test_an_empty_table_has_the_whole_schema(tmp_path, columns):
    path = convert(tmp_path, "parquet", inputs="dumps/cdrapi-header-only.csv")
    check_arrow_types(pyarrow.parquet.read_schema(path), columns, None, True)
    for read in PARQUET_READERS.values():
        assert read(path) == []


def test_inspect_agrees_with_convert(tmp_path):
    """`inspect --json` has the report's counts, and exits as convert would."""
    for dump, code in (("cdrapi-32.csv", 0), ("cdrapi-bad-values.csv", 4), ("login-page.csv", 1)):
        report = tmp_path / "report.json"
        converted = run("convert", dump, "-o", tmp_path / "out.jsonl", "--report-file", report, "--overwrite")
        result = run("inspect", dump, "--json")
        assert (converted.returncode, result.returncode) == (code, code), result.stderr.decode()
        [found], [want] = json.loads(result.stdout), json.loads(report.read_bytes())["inputs"]
        for name in ("source", "format", "encoding", "bytes", "records", "rejected", "date_order"):
            assert found[name] == want[name], (dump, name)
        assert {"columns", "start_min", "start_max", "by_reason", "first_rows"} <= set(found)


def test_small_commands_as_json():
    [channel] = json.loads(done("channel", "PJSIP/trunk_1/5550100", "--json").stdout)
    assert channel == {"name": "PJSIP/trunk_1/5550100", "tech": "PJSIP", "kind": "trunk_out", "peer": None, "trunk": "trunk_1", "dialed": "5550100", "port": None}
    formats = {entry["name"] for entry in json.loads(done("formats", "--json").stdout)}
    assert set(ROWS) <= formats
    assert [column["name"] for column in schema() if not column["nullable"]] == NOT_NULL
    for shell in ("bash", "zsh", "fish"):
        assert b"calltable" in done("completions", shell).stdout
    assert b".TH" in done("man").stdout
