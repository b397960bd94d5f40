"""lxml's `iterparse` and pyarrow: one call after another, in bounded memory. Arguments: INPUT OUTPUT THREADS."""

import sys
import time

from lxml import etree

from columns import kind
from records import Records

print(time.monotonic(), flush=True)

source, target, threads = sys.argv[1:]
with Records(target, threads) as records:
    for _, call in etree.iterparse(source, tag="cdr"):
        for record in call:
            records.add(kind(record.tag), {field.tag: field.text for field in record})
        # What was read goes: the call's content, and the calls before it from the root.
        call.clear()
        while call.getprevious() is not None:
            del call.getparent()[0]
