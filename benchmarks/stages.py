"""Where the time of an ingest goes: microseconds of CPU a record, stage by stage, in one process.

Each stage runs as ingest runs it, with a clock around it, so the sum is a little more than an ingest takes; entities are those
of the records' columns, keys the table that knows events again. The compiled lane makes leaves along with rows.
"""

from __future__ import annotations

import contextlib
import gc
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any
from unittest.mock import patch

from fimforensics import derived, ingest, reading, store
from fimforensics.evidence import originals
from fimforensics.pipeline import messages
from fimforensics.reading import MemberReading as Member
from fimforensics.segments import Lane
from fimforensics.shapes import jsonl

ORDER = ("read and split", "hash and compress", "rows, keys, events", "leaves", "entities", "placing and inserts", "key table",
         "indexes and full text", "the rest")


def stages(source: Path, records: int) -> Iterator[str]:
    """A line for each stage over the first `records` records of a source."""
    with tempfile.TemporaryDirectory(prefix="fimforensics-stages-") as folder:
        head = Path(folder, "head.jsonl")
        with source.open("rb") as lines, head.open("wb") as out:
            out.writelines(islice(lines, records))
        gc.disable()  # as ingest does while it reads beside
        spent = _spent(head, Path(folder, "case.db"))
        gc.enable()
    yield f"microseconds of CPU a record, one process, first {records:,} records:"
    for name in ORDER:
        yield f"  {name:24}{spent[name] / records * 1e6:7.2f}"
    yield f"  {'all':24}{sum(spent.values()) / records * 1e6:7.2f}"


def _spent(source: Path, case: Path) -> dict[str, float]:
    """Seconds by stage, of one ingest."""
    spent: dict[str, float] = defaultdict(float)
    inner = [0.0]  # what stages within the current one took

    def clocked(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def timed(*args: Any, **named: Any) -> Any:
            began, outer = process_time(), inner[0]
            inner[0] = 0.0
            try:
                return call(*args, **named)
            finally:
                whole = process_time() - began
                spent[name], inner[0] = spent[name] + whole - inner[0], outer + whole
        return timed

    def blocks(lines: jsonl.Lines) -> Iterator[tuple[int, bytes]]:
        found = clocked("read and split", whole_blocks(lines).__next__)
        with contextlib.suppress(StopIteration):
            while True:
                yield found()

    whole_blocks, leaves_of, began = jsonl.Lines.blocks, reading.leaves_of, process_time()
    with (patch.object(jsonl.Lines, "blocks", blocks),
          patch.object(reading, "leaves_of", lambda *args: clocked("leaves", leaves_of(*args))),
          patch.object(originals.Chunker, "_make", clocked("hash and compress", originals.Chunker._make)),
          patch.object(Lane, "read", clocked("rows, keys, events", Lane.read)),
          patch.object(Member, "_swiftly", clocked("rows, keys, events", Member._swiftly)),
          patch.object(store.Interner, "take", clocked("entities", store.Interner.take)),
          patch.object(store.Writer, "rows", clocked("placing and inserts", store.Writer.rows)),
          patch.object(store.Writer, "flush", clocked("key table", store.Writer.flush)),
          patch.object(derived, "refresh", clocked("indexes and full text", derived.refresh)),
          patch.object(ingest, "stream", lambda task, size: messages(task))):
        ingest.ingest(case, [source], ingest.Options())
    spent["the rest"] += process_time() - began - sum(spent.values())
    with sqlite3.connect(case) as db:
        assert db.execute("SELECT count(*) FROM occurrences").fetchone()[0], "nothing was ingested"
    return spent
