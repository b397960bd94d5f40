"""orjson and pyarrow: the whole document, then its records. Arguments: INPUT OUTPUT THREADS."""

import sys
import time

import orjson

from columns import kind
from records import Records

print(time.monotonic(), flush=True)

source, target, threads = sys.argv[1:]
with open(source, "rb") as file:
    document = orjson.loads(file.read())

with Records(target, threads) as records:
    for call in document["cdr_root"]:
        for name, record in call.items():
            if name != "cdr":
                records.add(kind(name), record)
