"""DuckDB: `read_csv` into `COPY … (FORMAT parquet)`, insertion order off. Arguments: INPUT OUTPUT THREADS."""

import sys
import time

import duckdb

from columns import types

print(time.monotonic(), flush=True)

source, target, threads = sys.argv[1:]
columns = types(time="TIMESTAMP", number="BIGINT", text="VARCHAR")

connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
connection.execute("SET preserve_insertion_order = false")
connection.execute(f"""
    COPY (
        SELECT * FROM read_csv('{source}', header = true, auto_detect = false, columns = {columns},
                               delim = ',', quote = '"', escape = '"')
    ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
""")
