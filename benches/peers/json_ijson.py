"""ijson and pyarrow: one call after another, in bounded memory. Arguments: INPUT OUTPUT THREADS.

`yajl2_c`, which `items` takes by itself where it is there, is the fastest of ijson's backends.
"""

import sys
import time

import ijson.backends.yajl2_c as ijson

from columns import kind
from records import Records

print(time.monotonic(), flush=True)

source, target, threads = sys.argv[1:]
with open(source, "rb") as file, Records(target, threads) as records:
    for call in ijson.items(file, "cdr_root.item"):
        for name, record in call.items():
            if name != "cdr":
                records.add(kind(name), record)
