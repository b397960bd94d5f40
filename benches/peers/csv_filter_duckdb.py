"""DuckDB: `read_csv` with a WHERE into `COPY … (FORMAT parquet)`, insertion order off. Arguments: INPUT
OUTPUT THREADS WHICH.
"""

import sys
import time

import duckdb

from columns import types

print(time.monotonic(), flush=True)

source, target, threads, which = sys.argv[1:]
condition = {
    "caller": "starts_with(src, '53') AND billsec BETWEEN 8 AND 60",
    "rare": "src = '5219'",
}[which]
columns = types(time="TIMESTAMP", number="BIGINT", text="VARCHAR")

connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
connection.execute("SET preserve_insertion_order = false")
connection.execute(f"""
    COPY (
        SELECT * FROM read_csv('{source}', header = true, auto_detect = false, columns = {columns},
                               delim = ',', quote = '"', escape = '"')
        WHERE {condition}
    ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
""")
