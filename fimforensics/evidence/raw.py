"""From the case back to the byte: a source as it lay on disk, and the raw record of an event at its locator.

Works on any connection that has `execute`. Decompression never trusts a declared length: no cell gives more than it may.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import zstandard

from fimforensics.errors import Problem
from fimforensics.model import CHUNK, MAX_FIELD
from fimforensics.shapes import strict_json
from fimforensics.shapes.lines import decode

_WINDOW = 1 << 23  # bytes that unpacking may look back
_HELD = 4  # unpacked pieces that are remembered
_LARGEST = 8 * CHUNK  # bytes that one cell may give; a cell of a rendered member may be over CHUNK


class Place(NamedTuple):
    """Where a record lies: the locator, and what is needed to read it."""

    seq: int
    snapshot: int
    source: str
    member_id: int
    member: str
    shape: str
    cached: bool
    header: dict
    offset: int
    length: int


def unpack(codec: str, data: bytes) -> bytes:
    """A stored cell's bytes."""
    if codec == "raw":
        return data
    try:
        with zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(data) as stream:
            found = stream.read(_LARGEST + 1)
    except (zstandard.ZstdError, MemoryError) as error:
        raise Problem(f"a stored part of an original cannot be unpacked ({error})",
                      hint="Run: fimforensics verify CASE") from None
    if len(found) > _LARGEST:
        raise Problem("a stored part of an original unpacks to more than a case holds in one piece",
                      hint="Run: fimforensics verify CASE")
    return found


def original(connection: Any, snapshot: int) -> Iterator[bytes]:
    """The source of a snapshot byte for byte, piece by piece."""
    stored = connection.execute("SELECT codec, data FROM originals WHERE snapshot_id = ? ORDER BY offset", (snapshot,))
    for codec, data in stored:
        yield unpack(codec, data)


def place(connection: Any, seq: int) -> Place:
    """The locator of record `seq`, an event's occurrence or a reject; Problem where there is none."""
    row = connection.execute(
        "SELECT r.seq, r.snapshot_id, s.source, m.id, m.name, m.shape, m.cached, m.header, r.offset, r.length FROM "
        "(SELECT seq, snapshot_id, member_id, offset, length FROM occurrences WHERE seq = ?1 UNION ALL "
        "SELECT seq, snapshot_id, member_id, offset, length FROM rejects WHERE seq = ?1) r "
        "JOIN members m ON m.id = r.member_id JOIN snapshots s ON s.id = r.snapshot_id", (seq,)).fetchone()
    if row is None:
        raise Problem(f"there is no record {seq} in this case")
    *told, cached, header, offset, length = row
    return Place._make((*told, bool(cached), json.loads(header), offset, length))


def raw_record(connection: Any, seq: int) -> bytes:
    """The bytes of record `seq` as they lay in the source's (decompressed) member; of a rendered member its canonical JSON."""
    if connection.execute("SELECT 1 FROM part_records WHERE seq = ? AND salt IS NULL", (seq,)).fetchone():
        raise Problem(f"record {seq} was altered, so its bytes are not in this part", hint="The whole case has them")
    return read_place(connection, place(connection, seq))


def read_place(connection: Any, where: Place) -> bytes:
    """The bytes at a locator."""
    return Bytes(connection).read(where)


class Bytes:
    """The bytes at locators, one after the other: what was unpacked last is remembered."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._held: dict[tuple[str, int, int], bytes] = {}
        self._rows: tuple[tuple[str, int, int] | None, list[bytes]] = (None, [])

    def read(self, where: Place) -> bytes:
        """The bytes at a locator; Problem where they are not all there."""
        if where.header["rendered"]:
            return self._rendered(where)
        table, column, number = "originals", "snapshot_id", where.snapshot
        if where.cached:
            table, column, number = "member_cache", "member_id", where.header.get("cache_of", where.member_id)
        end, parts = where.offset + where.length, []
        for (offset,) in self._connection.execute(
                f"SELECT offset FROM {table} WHERE {column} = ?1 AND offset < ?3 AND offset >= "
                f"(SELECT max(offset) FROM {table} WHERE {column} = ?1 AND offset <= ?2) ORDER BY offset",
                (number, where.offset, end)).fetchall():
            parts.append(self._piece(table, column, number, offset)[max(where.offset - offset, 0):end - offset])
        found = b"".join(parts)
        if len(found) != where.length:
            raise Problem(f"the bytes of record {where.seq} are not all there", hint="Run: fimforensics verify CASE")
        return found

    def _piece(self, table: str, column: str, number: int, offset: int) -> bytes:
        place = table, number, offset
        found = self._held.get(place)
        if found is None:
            codec = "codec" if table == "originals" else "'zstd'"
            found = unpack(*self._connection.execute(f"SELECT {codec}, data FROM {table} WHERE {column} = ? AND offset = ?",
                                                     (number, offset)).fetchone())
            if len(self._held) >= _HELD:
                self._held.pop(next(iter(self._held)))
            self._held[place] = found
        return found

    def _rendered(self, where: Place) -> bytes:
        number = where.header.get("cache_of", where.member_id)
        row = self._connection.execute("SELECT offset FROM member_cache WHERE member_id = ? AND offset <= ? "
                                       "ORDER BY offset DESC LIMIT 1", (number, where.offset)).fetchone()
        place = ("member_cache", number, row[0]) if row else None
        if place is not None and self._rows[0] != place:
            self._rows = place, self._piece("member_cache", "member_id", number, row[0]).split(b"\n")
        lines = self._rows[1] if place is not None else []
        if not row or where.offset - row[0] >= len(lines):
            raise Problem(f"the rendered form of record {where.seq} is not there", hint="Run: fimforensics rebuild CASE NEW")
        return lines[where.offset - row[0]]


def values(where: Place, raw: bytes) -> tuple[dict[str, object] | None, str | None]:
    """A record's values read again from its bytes, or the problem that it has."""
    columns = where.header["columns"]
    if where.header["text"] and not where.header["rendered"]:
        csv.field_size_limit(MAX_FIELD)
        lines = io.StringIO(decode(raw, where.header["encoding"]), newline="\n")
        try:
            cells = next(csv.reader(lines, delimiter=where.header["delimiter"], strict=True), [])
        except csv.Error as error:
            return None, f"cannot be read as delimited text ({error})"
        if len(cells) != len(columns):
            return None, f"{len(cells)} cells for {len(columns)} columns"
        return {name: cell or None for name, cell in zip(columns, cells, strict=True)}, None
    if raw[:1] == b"[":
        wrapped, problem = strict_json.parse(b'{"row":' + raw + b"}")
        row = wrapped["row"] if wrapped else None
        if not isinstance(row, list) or len(row) != len(columns):
            return None, problem or "the row has another number of cells than there are columns"
        return dict(zip(columns, row, strict=True)), None
    return strict_json.parse(raw)
