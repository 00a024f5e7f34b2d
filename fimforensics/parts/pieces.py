"""The bytes of a part's records, stored at the places that they have in the whole: a piece for each run of neighbours.

Between two neighbours of a run lies nothing but what separates records (blanks, commas, line ends).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

import apsw
import zstandard

from fimforensics.errors import Problem
from fimforensics.evidence import raw

_RUN, _GAP = 900_000, 8
_BETWEEN = frozenset(b" \t\r\n,")
Piece = tuple[int, int, bytes]  # offset, length (of a rendered member: rows), bytes


def store_pieces(whole: sqlite3.Connection, part: apsw.Connection, kept: Iterable[tuple[raw.Place, bytes]]) -> None:
    """Writes the bytes of these records, and of their members' preambles, into `originals` and `member_cache`."""
    press = zstandard.ZstdCompressor(level=1)
    targets: dict[tuple[bool, int], list[tuple[raw.Place, bytes]]] = {}
    members: dict[int, raw.Place] = {}
    for where, data in kept:
        targets.setdefault(_target(where), []).append((where, data))
        members.setdefault(where.member_id, where)
    for where in members.values():
        targets[_target(where)].extend(_preambles(whole, where))
    for (own, number), held in sorted(targets.items()):
        table = "member_cache" if own else "originals"
        marks = "?, ?, ?, ?" if own else "?, ?, ?, 'zstd', ?"
        pieces = _rendered(held) if held[0][0].header["rendered"] else _runs(whole, held)
        part.cursor().executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", (
            (number, offset, length, press.compress(data)) for offset, length, data in pieces))


def _target(where: raw.Place) -> tuple[bool, int]:
    own = where.cached or where.header["rendered"]
    return own, where.header.get("cache_of", where.member_id) if own else where.snapshot


def _preambles(whole: sqlite3.Connection, where: raw.Place) -> Iterator[tuple[raw.Place, bytes]]:
    """What the member's records cannot be read without; a rendered member has none in bytes."""
    if where.header["rendered"]:
        return
    for offset, length in whole.execute("SELECT offset, length FROM preambles WHERE member_id = ? ORDER BY offset",
                                        (where.member_id,)):
        place = where._replace(offset=offset, length=length)
        if length:
            yield place, raw.read_place(whole, place)


def _runs(whole: sqlite3.Connection, held: list[tuple[raw.Place, bytes]]) -> Iterator[Piece]:
    begin, run = 0, b""
    for where, data in sorted(held, key=lambda pair: (pair[0].offset, pair[0].length)):
        gap = where.offset - begin - len(run)
        if run and 0 <= gap <= _GAP and len(run) + gap + len(data) <= _RUN:
            between = _between(whole, where, gap)
            if between is not None:
                run += between + data
                continue
        if run:
            yield from _cut(begin, run)
        begin, run = where.offset, data
    if run:
        yield from _cut(begin, run)


def _cut(begin: int, run: bytes) -> Iterator[Piece]:
    """A run in pieces of a size that a cell may have."""
    for at in range(0, len(run), _RUN):
        data = run[at:at + _RUN]
        yield begin + at, len(data), data


def _between(whole: sqlite3.Connection, where: raw.Place, gap: int) -> bytes | None:
    """The bytes before a record, where they only separate records."""
    if not gap:
        return b""
    try:
        data = raw.read_place(whole, where._replace(offset=where.offset - gap, length=gap))
    except Problem:
        return None
    return data if _BETWEEN.issuperset(data) else None


def _rendered(held: list[tuple[raw.Place, bytes]]) -> Iterator[Piece]:
    """Rows of a rendered member, neighbours together."""
    rows: list[bytes] = []
    begin = size = 0
    for where, data in sorted(held, key=lambda pair: pair[0].offset):
        if rows and where.offset == begin + len(rows) and size + len(data) <= _RUN:
            rows.append(data)
            size += len(data) + 1
            continue
        if rows:
            yield begin, len(rows), b"\n".join(rows)
        begin, rows, size = where.offset, [data], len(data)
    if rows:
        yield begin, len(rows), b"\n".join(rows)
