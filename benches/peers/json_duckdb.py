"""DuckDB: `read_json` of the document, its calls unnested, into `COPY … (FORMAT parquet)`, insertion order off.
Arguments: INPUT OUTPUT THREADS.
"""

import os
import sys
import time

import duckdb

from columns import MAIN_AND_SUBS, NAMES, kind, types

print(time.monotonic(), flush=True)

source, target, threads = sys.argv[1:]
texts = ", ".join(f'"{name}" VARCHAR' for name in NAMES)
call = "STRUCT(cdr VARCHAR, " + ", ".join(f"{name} STRUCT({texts})" for name in MAIN_AND_SUBS) + ")"
records = ", ".join(f"{{kind: '{kind(name)}', record: call.{name}}}" for name in MAIN_AND_SUBS)
typed = ", ".join(
    f'record."{name}"' if to == "VARCHAR" else f'TRY_CAST(record."{name}" AS {to}) AS "{name}"'
    for name, to in types(time="TIMESTAMP", number="BIGINT", text="VARCHAR").items()
)

connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
connection.execute("SET preserve_insertion_order = false")
connection.execute(f"""
    COPY (
        WITH calls AS (
            SELECT unnest(cdr_root) AS call
            FROM read_json('{source}', format = 'unstructured', columns = {{cdr_root: '{call}[]'}},
                           maximum_object_size = {os.path.getsize(source) + 1})
        ), records AS (
            SELECT unnest([{records}], max_depth := 2) FROM calls
        )
        SELECT kind AS record_kind, {typed} FROM records WHERE record IS NOT NULL
    ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
""")
