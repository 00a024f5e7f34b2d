"""Where else: every host that has a content, a path or a registry value, in the order in which it came there.

Asked for one thing at a time and answered from indexes. A path is looked for on every host by its comparison key, a value by its
key and name; each host's first event with it is its arrival. The mode is judged as the analysis does (`fimforensics.arrivals`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from fimforensics import arrivals, paths, places
from fimforensics.arrivals import Arrival
from fimforensics.errors import Problem
from fimforensics.queries.entities import SHORTEST_HASH, Entity, name, resolve, same_content

_HEX = frozenset("0123456789abcdef")
_FINISHED = "e.id < (SELECT events_end FROM case_info) AND e.time >= '1980' AND e.time < '2101'"
_FIRST = f"SELECT e.id FROM events e WHERE e.{{column}} = ? AND {_FINISHED} ORDER BY e.time, e.match_key, e.ordinal LIMIT 1"
_TOLD = """SELECT e.time, e.match_key, e.ordinal, h.id, h.name, c.change, coalesce(f.path, v.path), k.sha256, k.sha1, k.md5,
    e.new_data, coalesce(i.path, n.name), n.image_key, n.pid, a.name, lower(coalesce(a.account, a.name)), q.ip, qa.name
    FROM events e JOIN hosts h ON h.id = e.host_id JOIN changes c ON c.id = e.change_id LEFT JOIN files f ON f.id = e.file_id
    LEFT JOIN registry_values v ON v.id = e.registry_value_id LEFT JOIN contents k ON k.id = e.content_id
    LEFT JOIN processes n ON n.id = e.process_id LEFT JOIN process_reports g ON g.id = e.process_report_id
    LEFT JOIN images i ON i.id = g.image_id LEFT JOIN accounts a ON a.id = e.account_id
    LEFT JOIN requests q ON q.id = e.request_id LEFT JOIN accounts qa ON qa.id = q.account_id WHERE e.id = ?"""
_TABLES = {"file": "files", "registry value": "registry_values"}
_FLEET = "SELECT count(DISTINCT host_id) FROM event_counts WHERE day >= '1980' AND day < '2101'"


@dataclass(frozen=True)
class Stop:
    """One host on the way: its first event with the thing, the gap to the host before, and what it has otherwise.

    `content` is the content at that event, `data` a value's data; `differs` says that it is another than on the first host that
    tells one, and is None where it cannot be told.
    """

    host: str
    time: str
    gap_seconds: float | None
    change: str
    path: str | None
    content: str | None
    data: str | None
    process: str | None
    pid: int | None
    account: str | None
    request_account: str | None
    request_ip: str | None
    differs: bool | None
    event: int


@dataclass(frozen=True)
class Spread:
    """A content, path or value over the fleet: hosts in order of arrival, mode (`at once`, `in a chain`, None) and why.

    `others` are the hosts that have the path at which a content came first, but never this content.
    """

    kind: str
    name: str
    hosts: int
    fleet: int
    mode: str | None
    why: str
    median_gap_seconds: float | None
    stops: list[Stop]
    others: list[str]


def spread(connection: sqlite3.Connection, text: str) -> Spread:
    """The spread of what the text names: the beginning of a hash, a path, a registry key with or without a value's name.

    A host in front (`SRV-1:C:\\x.dll`) only helps to find it: all hosts are told. Problem where the case has no such thing.
    """
    kind, name, events = _named(connection, text.strip())
    if not events:
        raise Problem(f"no event of this case tells of '{text.strip()}' at a time that can be true")
    return _spread(connection, kind, name, events)


def of_content(connection: sqlite3.Connection, content: int) -> Spread:
    """The spread of one content, by its id in `contents`; without a stop where no event tells it at a time that can be true."""
    return _spread(connection, "content", name(connection, "content", content), _of_content(connection, content))


def _spread(connection: sqlite3.Connection, kind: str, name: str, events: list[int]) -> Spread:
    rows = sorted((_Row(event, *connection.execute(_TOLD, (event,)).fetchone()) for event in events), key=lambda row: row[1:4])
    whole = connection.execute(_FLEET).fetchone()[0]
    judged = arrivals.judge([_arrival(row) for row in rows], whole)
    if kind == "content" and name in arrivals.EMPTY:
        judged = arrivals.Judged(None, "It is the empty file, which links nothing.", None)
    return Spread(kind, name, len(rows), whole, judged.mode, judged.why, judged.gap, _stops(rows, kind),
                  _others(connection, rows) if kind == "content" else [])


def _named(connection: sqlite3.Connection, text: str) -> tuple[str, str, list[int]]:
    """What the text names, how it is written, and its first event on every host."""
    low = text.lower()
    if len(low) >= SHORTEST_HASH and _HEX.issuperset(low):
        found = resolve(connection, text, ("content",))
        return "content", found.name, _of_content(connection, found.id)
    kind, ids = next(((kind, ids) for kind, key, value in _readings(text)
                      if (ids := _everywhere(connection, _TABLES[kind], key, value))), ("", []))
    if not ids:
        found = resolve(connection, text, ("file", "registry value", "content"))
        if found.kind == "content":
            return "content", found.name, _of_content(connection, found.id)
        kind, key, value = _of_entity(connection, found)
        ids = _everywhere(connection, _TABLES[kind], key, value)
    events = [event for number in ids for (event,) in connection.execute(
        _FIRST.format(column="file_id" if kind == "file" else "registry_value_id"), (number,))]
    return kind, _label(connection, kind, ids), events


def _readings(text: str) -> Iterator[tuple[str, str, str | None]]:
    """What a text without a host may be: a path, a registry key, a key with a value's name (which may hold backslashes)."""
    yield "file", paths.file_key(text), None
    yield "registry value", paths.registry_key(text, None), None
    for at in [at for at, char in enumerate(text) if char == "\\" and at][-8:]:
        yield "registry value", paths.registry_key(text[:at], None), text[at + 1:].lower()


def _of_entity(connection: sqlite3.Connection, found: Entity) -> tuple[str, str, str | None]:
    if found.kind == "file":
        return "file", connection.execute("SELECT key FROM files WHERE id = ?", (found.id,)).fetchone()[0], None
    return "registry value", *connection.execute("SELECT key, name FROM registry_values WHERE id = ?", (found.id,)).fetchone()


def _everywhere(connection: sqlite3.Connection, table: str, key: str, value: str | None) -> list[int]:
    """The ids of a path or value on every host that has one."""
    more = " AND x.name IS ?2" if table == "registry_values" else " AND ?2 IS NULL"
    return [number for (number,) in connection.execute(
        f"SELECT x.id FROM hosts h CROSS JOIN {table} x ON x.host_id = h.id AND x.key = ?1{more} ORDER BY h.key", (key, value))]


def _label(connection: sqlite3.Connection, kind: str, ids: list[int]) -> str:
    return min(path for number in ids
               for (path,) in connection.execute(f"SELECT path FROM {_TABLES[kind]} WHERE id = ?", (number,)))


def _of_content(connection: sqlite3.Connection, content: int) -> list[int]:
    """The first event on each host with this content, in whatever words its hashes are told."""
    best: dict[int, tuple] = {}
    for host, *event in connection.execute(
            "SELECT e.host_id, e.time, e.match_key, e.ordinal, e.id FROM json_each(?) j CROSS JOIN events e "
            f"ON e.content_id = j.value AND {_FINISHED}", (json.dumps(same_content(connection, content)),)):
        if host not in best or tuple(event) < best[host]:
            best[host] = tuple(event)
    return [event[3] for event in best.values()]


class _Row(NamedTuple):
    """An event as _TOLD tells it, behind its id."""

    event: int
    time: str
    match_key: bytes
    ordinal: int
    host_id: int
    host: str
    change: str
    path: str | None
    sha256: str | None
    sha1: str | None
    md5: str | None
    data: str | None
    image: str | None
    image_key: str | None
    pid: int | None
    account: str | None
    account_alone: str | None
    ip: str | None
    asked: str | None


def _arrival(row: _Row) -> Arrival:
    carried = None if row.image_key is None or row.change == "Deleted" else places.image(row.image_key) or row.image or ""
    return Arrival(arrivals.seconds(row.time), carried, row.account_alone, arrivals.is_remote(row.ip))


def _stops(rows: Sequence[_Row], kind: str) -> list[Stop]:
    """The hosts in order of arrival; of a path or value, which of them have another content or data than the first that tells."""
    known = next((row for row in rows if _tells(row, kind)), None)
    moments = [arrivals.seconds(row.time) for row in rows]
    gaps = [None, *(round(after - before, 7) for before, after in pairwise(moments))][:len(rows)]
    return [Stop(row.host, row.time, gap, row.change, row.path, row.sha256 or row.sha1 or row.md5, row.data, row.image,
                 row.pid, row.account, row.asked, row.ip, _differs(row, known, kind), row.event)
            for row, gap in zip(rows, gaps, strict=True)]


def _tells(row: _Row, kind: str) -> bool:
    return row.data is not None if kind == "registry value" else any((row.sha256, row.sha1, row.md5))


def _differs(row: _Row, known: _Row | None, kind: str) -> bool | None:
    """Is it another content or data? None where that cannot be told, and for a content's own spread."""
    if known is None or kind == "content" or not _tells(row, kind):
        return None
    if kind == "registry value":
        return row.data != known.data
    common = [one == two for one, two in zip(row[8:11], known[8:11], strict=True) if one and two]
    return not all(common) if common else None


def _others(connection: sqlite3.Connection, rows: Sequence[_Row]) -> list[str]:
    """The hosts that have the path where a content came first, but were never seen with this content."""
    if not rows or rows[0].path is None:
        return []
    having = {row.host_id for row in rows}
    found = {connection.execute("SELECT host_id FROM files WHERE id = ?", (number,)).fetchone()[0]
             for number in _everywhere(connection, "files", paths.file_key(rows[0].path), None)} - having
    return [name for number, name in connection.execute("SELECT id, name FROM hosts ORDER BY name, key") if number in found]
