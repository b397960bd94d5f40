"""Polars: `read_json` of the document, its calls unnested, into `sink_parquet`. Arguments: INPUT OUTPUT THREADS.

It is told the document's type: told nothing, it takes longer.
"""

import os
import sys
import time

source, target, threads = sys.argv[1:]
os.environ["POLARS_MAX_THREADS"] = threads

import polars as pl  # noqa: E402  (reads the variable above)

from columns import MAIN_AND_SUBS, NUMBERS, TIMES, kind, types  # noqa: E402

print(time.monotonic(), flush=True)

record = pl.Struct(types(time=pl.String, number=pl.String, text=pl.String))
call = pl.Struct({"cdr": pl.String, **{name: record for name in MAIN_AND_SUBS}})
calls = pl.read_json(source, schema={"cdr_root": pl.List(call)}).lazy().explode("cdr_root").unnest("cdr_root")
records = pl.concat(
    calls.select(record_kind=pl.lit(kind(name)), record=name).filter(pl.col("record").is_not_null())
    for name in MAIN_AND_SUBS
).unnest("record")
frame = records.with_columns(
    pl.col(*TIMES).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False),
    pl.col(*NUMBERS).cast(pl.Int64, strict=False),
)
frame.sink_parquet(target, compression="zstd", compression_level=1, engine="streaming")
