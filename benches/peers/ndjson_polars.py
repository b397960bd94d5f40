"""Polars: `scan_ndjson` into `sink_parquet`, streaming. Arguments: INPUT OUTPUT THREADS.

Numbers are strings in these objects, and Polars takes strings for strings only: they are read as text, and
cast.
"""

import os
import sys
import time

source, target, threads = sys.argv[1:]
os.environ["POLARS_MAX_THREADS"] = threads

import polars as pl  # noqa: E402  (reads the variable above)

from columns import NUMBERS, TIMES, types  # noqa: E402

print(time.monotonic(), flush=True)

schema = types(time=pl.String, number=pl.String, text=pl.String)
frame = pl.scan_ndjson(source, schema=schema).with_columns(
    pl.col(*TIMES).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False),
    pl.col(*NUMBERS).cast(pl.Int64),
)
frame.sink_parquet(target, compression="zstd", compression_level=1, engine="streaming")
