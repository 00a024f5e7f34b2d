"""From a source's bytes to batches that the case can take: read, recognise, make canonical, hash. Writes nothing.

`messages` gives plain tuples (`marshal` can carry them), so that the same generator serves in process for small sources and
in a process of its own beside the writer for large ones. In order: ("member", …) when one begins, ("chunks", …) of stored
bytes, ("rows", …) a batch of records, ("end", …) with all that is known of the source. Local numbers of entities are told in
`fimforensics.blocks`. The same task gives the same messages, which is what lets a stopped ingest go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fimforensics.blocks import Entities
from fimforensics.errors import Problem, Refused
from fimforensics.evidence.originals import Chunker
from fimforensics.evidence.originals import hashes as new_hashes
from fimforensics.model import CHUNK
from fimforensics.reading import MemberReading
from fimforensics.shapes.containers import members
from fimforensics.task import BATCH, ORIGINAL, Task, chunked, mapping

__all__ = ["BATCH", "Task", "mapping", "messages"]

CAPS = {10_000: "an old portal's cap", 30_000: "the portal's cap", 100_000: "hunting's cap", 500_000: "the query API's cap",
        1_000_000: "a search job's cap"}


def messages(task: Task) -> Iterator[tuple]:
    """Reads the source once from start to end and gives its messages; Problem and Refused say why it cannot be taken."""
    path = Path(task.path)
    before = path.stat()
    hashes = new_hashes()
    found: dict = {"partial": [], "shapes": [], "tables": [], "columns": set(), "missing": set(), "records": 0,
                   "first": None, "last": None, "apart": False}
    original, entities = Chunker(hashes), Entities(less=2 if task.frugal else 0)
    plain = None
    for number, member in enumerate(members(path)):
        if number == 0 and member.compressed:
            yield from _copy(path, Chunker(hashes, "raw"), task)
        elif number == 0:
            plain = original
        yield from MemberReading(task, member, number, plain, entities, found).messages()
    if plain is not None:
        yield from chunked(ORIGINAL, plain, task)
    if not found["shapes"]:
        raise Refused("it holds no file", where=task.label)
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or hashes.size != after.st_size:
        raise Problem("the file changed while it was read", where=task.label, hint="Ingest a copy that nobody writes to")
    yield _end(found, hashes, before.st_mtime)


def _end(found: dict, hashes: Any, modified: float) -> tuple:
    sha256, sha1, md5 = hashes.digests()
    truncated = list(found["partial"])
    if found["records"] in CAPS:
        truncated.append(f"exactly {found['records']} rows: {CAPS[found['records']]}")
    return ("end", {
        "size": hashes.size, "sha256": sha256, "sha1": sha1, "md5": md5,
        "modified": datetime.fromtimestamp(modified, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "shape": ", ".join(dict.fromkeys(found["shapes"])), "source_table": ", ".join(dict.fromkeys(found["tables"])),
        "columns": sorted(found["columns"]), "missing": sorted(found["missing"]), "truncated": truncated,
        "records": found["records"], "first": found["first"], "last": found["last"], "apart": found["apart"]})


def _copy(path: Path, chunker: Chunker, task: Task) -> Iterator[tuple]:
    """The bytes of a compressed source, as they lie on disk."""
    with path.open("rb") as stream:
        while data := stream.read(CHUNK):
            chunker.feed(chunker.seen, data)
            chunker.cut(chunker.seen)
            yield from chunked(ORIGINAL, chunker, task)
