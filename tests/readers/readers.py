"""Runs the program, and reads its Parquet files with readers that are not ours.

Every reader gives the same plain rows: a dict a row, times as JSONL writes them, lists as lists,
maps as dicts, null as None. So a table can be compared with a table, whoever read it.
"""

import datetime
import json
import os
import pathlib
import subprocess

import duckdb
import polars
import pyarrow.parquet

TOP = pathlib.Path(__file__).resolve().parents[2]
TESTDATA = TOP / "testdata"
DUMPS = TESTDATA / "dumps"
TIMES = ("start", "answer", "end")


def program():
    return os.environ.get("CALLTABLE") or str(TOP / "target" / "debug" / "calltable")


def run(*arguments, stdin=None, cwd=DUMPS):
    """Runs the program in `cwd`; its output and errors come back as bytes."""
    command = [program(), *map(str, arguments)]
    return subprocess.run(command, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                          capture_output=True, cwd=cwd, timeout=300)


def done(*arguments, **more):
    """Runs the program and insists on exit code 0."""
    result = run(*arguments, **more)
    assert result.returncode == 0, f"{arguments}\n{result.stderr.decode()}"
    return result


def schema():
    """What `calltable schema --json` says: name, type, nullable, description of each column."""
    return json.loads(done("schema", "--json").stdout)


def time_text(microseconds, instant):
    """A time as JSONL writes it."""
    if microseconds is None:
        return None
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=microseconds)
    return moment.isoformat() + ("Z" if instant else "")


def jsonl_rows(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def arrow_rows(table):
    """The rows of a pyarrow table."""
    columns = {}
    for field, column in zip(table.schema, table.columns):
        if pyarrow.types.is_timestamp(field.type):
            assert field.type.unit == "us", field
            instant = field.type.tz is not None
            columns[field.name] = [time_text(v, instant) for v in column.cast("int64").to_pylist()]
        elif pyarrow.types.is_map(field.type):
            columns[field.name] = [None if v is None else dict(v) for v in column.to_pylist()]
        else:
            columns[field.name] = column.to_pylist()
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def by_pyarrow(path):
    return arrow_rows(pyarrow.parquet.read_table(path))


def duckdb_types(path):
    """Column names and DuckDB's type of each."""
    with duckdb.connect() as db:
        return {row[0]: row[1] for row in db.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()}


def by_duckdb(path):
    types = duckdb_types(path)
    times = {name for name, kind in types.items() if kind.startswith("TIMESTAMP")}
    chosen = ", ".join(f'epoch_us("{name}")' if name in times else f'"{name}"' for name in types)
    with duckdb.connect() as db:
        rows = db.execute(f"SELECT {chosen} FROM read_parquet('{path}')").fetchall()
    def plain(name, value):
        return time_text(value, "TIME ZONE" in types[name]) if name in times else value
    return [{name: plain(name, value) for name, value in zip(types, row)} for row in rows]


def by_polars(path):
    frame = polars.read_parquet(path)
    zones = {name: kind.time_zone for name, kind in frame.schema.items() if kind.base_type() == polars.Datetime}
    rows = frame.with_columns(polars.col(*zones).dt.epoch("us") if zones else []).to_dicts()
    def plain(name, value):
        if name in zones:
            return time_text(value, zones[name] is not None)
        if name == "extra" and isinstance(value, list):
            return {entry["key"]: entry["value"] for entry in value}
        return value
    return [{name: plain(name, value) for name, value in row.items()} for row in rows]


PARQUET_READERS = {"pyarrow": by_pyarrow, "DuckDB": by_duckdb, "Polars": by_polars}


def differences(got, want):
    """What differs between two tables, short enough to read: nothing where they are equal."""
    found = []
    if len(got) != len(want):
        found.append(f"{len(got)} rows, expected {len(want)}")
    for number, (one, other) in enumerate(zip(got, want), 1):
        for name in dict.fromkeys([*one, *other]):
            mine, theirs = one.get(name, "no such column"), other.get(name, "no such column")
            if mine != theirs or type(mine) is not type(theirs):
                found.append(f"row {number}, {name}: {mine!r}, expected {theirs!r}")
    return "\n".join(found[:40])
