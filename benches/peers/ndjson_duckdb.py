"""DuckDB: `read_ndjson` into `COPY … (FORMAT parquet)`, insertion order off. Arguments: INPUT OUTPUT THREADS.

Times are read as text, and cast: some are empty, which DuckDB takes for no time and no null.
"""

import sys
import time

import duckdb

from columns import types

print(time.monotonic(), flush=True)

source, target, threads = sys.argv[1:]
columns = types(time="VARCHAR", number="BIGINT", text="VARCHAR")
typed = ", ".join(
    f'TRY_CAST("{name}" AS {to}) AS "{name}"' if to == "TIMESTAMP" else f'"{name}"'
    for name, to in types(time="TIMESTAMP", number="BIGINT", text="VARCHAR").items()
)

connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
connection.execute("SET preserve_insertion_order = false")
connection.execute(f"""
    COPY (
        SELECT {typed} FROM read_ndjson('{source}', columns = {columns})
    ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
""")
