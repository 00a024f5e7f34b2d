"""One event with everything the case knows of it: Microsoft's columns, the spellings as recorded, and its records."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from fimforensics.model import MDC
from fimforensics.queries import FINISHED
from fimforensics.schema import views


@dataclass(frozen=True)
class Occurrence:
    """One record that reports the event, and where it lies in its source."""

    seq: int
    snapshot_id: int
    source: str
    sha256: str | None
    member_id: int
    member: str
    shape: str
    offset: int
    length: int
    item_id: str | None
    rendered: bool  # the member has no bytes of records; offset is then the row's number
    encoding: str


@dataclass(frozen=True)
class Event:
    """An event as people read it (`flat`) and as Microsoft's table has it (`columns`: those that have a value, in order)."""

    id: int
    flat: dict[str, object]
    columns: list[tuple[str, object]]
    occurrences: list[Occurrence]
    occurrences_in_all: int


def event(connection: sqlite3.Connection, number: int, most: int = 10) -> Event | None:
    """The event of this id with at most `most` of its occurrences; None where no finished snapshot has reported it."""
    flat = _one(connection, "SELECT * FROM events_flat WHERE id = ?", number)
    # The view has no id of its own, and ends in its condition.
    columns = _one(connection, views()[MDC].partition(" AS ")[2] + " AND e.id = ?", number)
    if flat is None or columns is None:
        return None
    in_all = connection.execute(f"SELECT count(*) FROM occurrences o WHERE event_id = ? AND {FINISHED}", (number,)).fetchone()[0]
    return Event(number, flat, [(name, value) for name, value in columns.items() if value is not None],
                 occurrences(connection, number, most), in_all)


def occurrences(connection: sqlite3.Connection, number: int, most: int = 10) -> list[Occurrence]:
    """The first records that report the event, in the order in which they were taken in."""
    rows = connection.execute(f"""
        SELECT o.seq, o.snapshot_id, s.source, s.sha256, o.member_id, m.name, m.shape, o.offset, o.length, o.item_id, m.header
        FROM occurrences o JOIN snapshots s ON s.id = o.snapshot_id JOIN members m ON m.id = o.member_id
        WHERE o.event_id = ? AND {FINISHED} ORDER BY o.seq LIMIT ?""", (number, most))
    found = []
    for *told, header in rows:
        member = json.loads(header)
        found.append(Occurrence(*[*told, bool(member.get("rendered")), member.get("encoding") or "utf-8"]))
    return found


def _one(connection: sqlite3.Connection, sql: str, number: int) -> dict[str, object] | None:
    cursor = connection.execute(sql, (number,))
    row = cursor.fetchone()
    return None if row is None else dict(zip((name for name, *_ in cursor.description), row, strict=True))
