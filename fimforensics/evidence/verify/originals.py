"""The originals' side of a verification: every cell unpacked within bounds, the source whole and with the hashes it had."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import apsw
import zstandard

from fimforensics import sql
from fimforensics.evidence.originals import hashes
from fimforensics.evidence.verify.report import MOST, Difference
from fimforensics.model import CHUNK

RENDERED = 8 * CHUNK  # bytes that a cell of a rendered member may give
HASHES = ("size", "sha256", "sha1", "md5")


def unpacked(codec: object, data: object, most: int) -> bytes | None:
    """What a stored cell gives; None where it is no such cell, or gives more than it may."""
    if codec == "raw" and isinstance(data, bytes):
        return data if len(data) <= most else None
    if codec != "zstd" or not isinstance(data, bytes):
        return None
    try:
        unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        with unpacker.stream_reader(io.BytesIO(data), read_across_frames=True) as stream:
            found = stream.read(most + 1)
    except (zstandard.ZstdError, MemoryError):
        return None
    return found if len(found) <= most else None


@dataclass
class Found:
    """A source as it lies in the case: the cells that hold it, and how many bytes they give."""

    cells: list[int] = field(default_factory=list)
    size: int = 0


def extract(db: apsw.Connection, snapshot: int, target: BinaryIO, source: Found) -> Iterator[Difference]:
    """Writes the source of a snapshot to `target`, out of the case attached as `given`; tells of cells that are not right."""
    at = 0
    for number, offset, length, codec, data in db.execute(
            "SELECT rowid, offset, length, codec, data FROM given.originals WHERE snapshot_id = ? ORDER BY offset", (snapshot,)):
        told = _cell(number, snapshot, offset, length, at)
        source.cells.append(number)
        if offset != at:
            yield told("offset", f"it begins at byte {offset}, the one before ends at {at}")
            if isinstance(offset, int) and offset > at:
                yield _missing(snapshot, at)
        found = unpacked(codec, data, CHUNK)
        if found is None:
            yield told("codec" if codec not in ("raw", "zstd") else "data", "its bytes cannot be unpacked")
            continue
        if len(found) != length:
            yield told("length", f"it gives {len(found):,} bytes instead of {length}")
        target.write(found)
        at = source.size = at + len(found)


def _cell(number: int, snapshot: int, offset: object, length: object, at: int) -> Any:
    place = offset if isinstance(offset, int) else at
    size = length if isinstance(length, int) else None

    def told(column: str, what: str) -> Difference:
        return Difference("originals", what, "originals", number, column, snapshot, place, size)

    return told


def _missing(snapshot: int, at: int) -> Difference:
    return Difference("originals", f"the bytes from {at} on are missing", "originals", f"{snapshot}, {at}", snapshot=snapshot,
                      offset=at)


def hashes_of(path: Path) -> tuple:
    """Size, SHA-256, SHA-1 and MD5 of a file."""
    found = hashes()
    with path.open("rb") as stream:
        while data := stream.read(CHUNK):
            found.update(data)
    return found.size, *found.digests()


def hashed(snapshot: int, stated: tuple, found: tuple, source: Found) -> Iterator[Difference]:
    """The source's size and hashes against what its snapshot says; where most differ, the bytes are not those that came."""
    wrong = [name for name, one, other in zip(HASHES, found, stated, strict=True) if one != other]
    if len(wrong) >= 3:
        yield Difference("originals", f"the source's bytes are not those that were taken: SHA-256 {found[1]} instead of "
                                      f"{stated[1]}", "originals", source.cells[0] if len(source.cells) == 1 else None,
                         "data" if len(source.cells) == 1 else None, snapshot)
        if isinstance(stated[0], int) and source.size < stated[0]:
            yield _missing(snapshot, source.size)
        return
    for name in wrong:
        yield Difference("originals", "the source in the case has another", "snapshots", snapshot, name, snapshot)


def stored(db: apsw.Connection) -> Iterator[Difference]:
    """Every cell of `originals` and `member_cache` against what reading the sources again stores (as `stored` in the scratch)."""
    for cached, table, owner in ((0, "originals", "snapshot_id"), (1, "member_cache", "member_id")):
        expected = {(one, offset): (length, codec, hashed_) for one, offset, length, codec, hashed_ in db.execute(
            "SELECT owner, offset, length, codec, sha256 FROM main.stored WHERE cached = ?", (cached,))}
        codec = "codec" if cached == 0 else "'zstd'"
        otherwise: dict[object, list[Difference]] = {}
        jumped = False
        same: set[object] = set()
        for at, (number, one, offset, length, how, data) in enumerate(db.execute(
                f"SELECT rowid, {owner}, offset, length, {codec}, data FROM given.{table} ORDER BY {owner}, offset"), 1):
            if number != at and not jumped:
                jumped = True
                yield Difference("originals", f"cells are numbered in the order in which they came: it is number {at}", table,
                                 number, "rowid")
            told = expected.pop((one, offset), None)
            if told is None:
                yield Difference("originals", "no reading of the sources stores it", table, number)
            elif (length, how) != told[:2]:
                yield Difference("originals", "reading the source again stores it otherwise", table, number,
                                 "length" if length != told[0] else "codec")
            elif not isinstance(data, bytes) or sha256(data).digest() != told[2]:
                otherwise.setdefault(one, []).append(Difference(
                    "originals", "reading the source again stores other bytes", table, number, "data",
                    one if not cached else None, offset, length))
            else:
                same.add(one)
        for one, found in otherwise.items():
            if one in same or not _same_content(db, table, owner, one):
                yield from found[:MOST]
        yield from (Difference("originals", f"the cell of {owner} {one} at offset {offset} is missing", table,
                               f"{one}, {offset}")
                    for one, offset in list(expected)[:MOST])


def _same_content(db: apsw.Connection, table: str, owner: str, one: object) -> bool:
    """Do the cells of one source, all packed by another zstd than ours, hold the very bytes that ours hold?

    Only asked where not one cell is as ours; of originals the source's hashes have proven the content already.
    """
    if table == "originals":
        return True
    found = sha256()
    for (data,) in db.execute(f"SELECT data FROM given.{table} WHERE {owner} = ? ORDER BY offset", (one,)):
        content = unpacked("zstd", data, RENDERED)
        if content is None:
            return False
        found.update(content)
    return sql.first(db, "SELECT content FROM main.contents_stored WHERE owner = ?", (one,)) == (found.digest(),)
