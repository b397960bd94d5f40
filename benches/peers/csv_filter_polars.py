"""Polars: `scan_csv` and `filter` into `sink_parquet`, streaming. Arguments: INPUT OUTPUT THREADS WHICH.

Times are read as text, and by their format where a row has passed the filter.
"""

import os
import sys
import time

source, target, threads, which = sys.argv[1:]
os.environ["POLARS_MAX_THREADS"] = threads

import polars as pl  # noqa: E402  (reads the variable above)

from columns import TIMES, types  # noqa: E402

print(time.monotonic(), flush=True)

condition = {
    "caller": pl.col("src").str.starts_with("53") & pl.col("billsec").is_between(8, 60),
    "rare": pl.col("src") == "5219",
}[which]
schema = types(time=pl.String, number=pl.Int64, text=pl.String)
frame = pl.scan_csv(source, schema=schema).filter(condition).with_columns(
    pl.col(*TIMES).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us")
)
frame.sink_parquet(target, compression="zstd", compression_level=1, engine="streaming")
