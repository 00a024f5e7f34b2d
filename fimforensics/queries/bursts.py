"""Bursts: which there are, and for one of them every file it hit with the last good content before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from fimforensics.errors import Problem
from fimforensics.paths import file_key, last_segment
from fimforensics.queries.freshness import need

SAME_CONTENT, SAME_NAME = "same content in many folders", "same new name in many folders"
NEW, UNKNOWN = "new", "unknown"


@dataclass(frozen=True)
class Burst:
    """A burst with names for its ids."""

    id: int
    host: str
    kind: str
    since: str
    until: str
    events: int
    paths: int
    folders: int
    renames: int
    new_extensions: int
    new_contents: int
    usual: float
    content: str | None
    process: str | None
    account: str | None
    first_event_id: int
    last_event_id: int
    sentence: str


@dataclass(frozen=True)
class HitFile:
    """A file that a burst hit, under the path it had before.

    `basis`: `hash` (the content it had when the burst began), `earlier hash` (known from before, with changes of unknown
    content since), `new` (it was not there before), `unknown`. `last_seen` is the last event that tells of that content.
    """

    path: str
    now: str | None  # where it lies after the burst, where it was renamed
    changes: str
    first: str
    first_event_id: int
    process: str | None
    account: str | None
    basis: str
    last_good: str | None
    size: int | None
    last_seen: str | None


_ALL = """
    SELECT b.id, h.name, b.kind, b.since, b.until, b.events, b.paths, b.folders, b.renames, b.new_extensions, b.new_contents,
      b.usual, coalesce(c.sha256, c.sha1, c.md5), p.name, a.name, b.first_event_id, b.last_event_id, b.sentence
    FROM bursts b JOIN hosts h ON h.id = b.host_id LEFT JOIN contents c ON c.id = b.content_id
    LEFT JOIN processes p ON p.id = b.process_id LEFT JOIN accounts a ON a.id = b.account_id
    WHERE (?1 IS NULL OR instr(lower(h.name), lower(?1))) ORDER BY b.since, h.key, b.kind, b.id"""
_EVENTS = """
    SELECT e.id, e.time, c.change, p.path, o.path, e.content_id, n.name, a.name
    FROM events e JOIN changes c ON c.id = e.change_id JOIN paths p ON p.id = e.path_id
    LEFT JOIN paths o ON o.id = e.original_path_id LEFT JOIN processes n ON n.id = e.process_id
    LEFT JOIN accounts a ON a.id = e.account_id
    WHERE e.host_id = ? AND e.time >= ? AND e.time <= ? AND e.file_id IS NOT NULL AND +e.id < (SELECT events_end FROM case_info)
    ORDER BY e.time, e.match_key, e.ordinal"""
_VERSIONS = """
    SELECT v.state, v.basis, coalesce(c.sha256, c.sha1, c.md5), v.size, CASE WHEN l.time < ?3 THEN l.time ELSE v.since END
    FROM files f JOIN file_versions v ON v.file_id = f.id JOIN events l ON l.id = v.last_event_id
    LEFT JOIN contents c ON c.id = v.content_id
    WHERE f.host_id = ?1 AND f.key = ?2 AND v.since < ?3 ORDER BY v.since DESC, v.id DESC"""
_FIRST = """
    SELECT v.before FROM files f JOIN file_versions v ON v.file_id = f.id WHERE f.host_id = ? AND f.key = ? AND v.since >= ?
    ORDER BY v.since, v.id LIMIT 1"""


def bursts(connection: sqlite3.Connection, host: str | None = None) -> list[Burst]:
    """The bursts in order of time; `host` is part of a host's name."""
    need(connection, "bursts")
    return [Burst(*row) for row in connection.execute(_ALL, (host,))]


@dataclass
class _Hit:
    path: str
    now: str | None
    changes: list[str]
    first: str
    event: int
    process: str | None
    account: str | None


def hit_files(connection: sqlite3.Connection, number: int) -> Iterator[HitFile]:
    """The files that this burst hit, in order of their first change in it; Problem where there is no such burst."""
    need(connection, "bursts", "versions")
    row = connection.execute("SELECT host_id, kind, since, until, content_id, first_event_id FROM bursts WHERE id = ?",
                             (number,)).fetchone()
    if row is None:
        raise Problem(f"there is no burst {number} in this case", hint="fimforensics bursts CASE lists them")
    host, kind, since, until, content, first = row
    for key, hit in _hits(connection, host, since, until, kind, content, first).items():
        yield HitFile(hit.path, hit.now, ", ".join(hit.changes), hit.first, hit.event, hit.process, hit.account,
                      *_last_good(connection, host, key, since))


def _hits(connection: sqlite3.Connection, host: int, since: str, until: str, kind: str, content: int | None,
          first: int) -> dict[str, _Hit]:
    """Key of the path before the burst → what was done to the file; renames are followed, temporary files are left out."""
    name = None
    if kind == SAME_NAME:
        path, = connection.execute("SELECT p.path FROM events e JOIN paths p ON p.id = e.path_id WHERE e.id = ?",
                                   (first,)).fetchone()
        name = last_segment(file_key(path))
    hits: dict[str, _Hit] = {}
    was: dict[str, str] = {}  # where a file lies now → where it lay before the burst
    for event, time, change, path, origin, its_content, process, account in connection.execute(_EVENTS, (host, since, until)):
        key = file_key(path)
        if (kind == SAME_CONTENT and its_content != content) or (name is not None and last_segment(key) != name):
            continue
        moved = change == "Renamed" and bool(origin)
        place = file_key(origin) if moved else key
        begin = was.pop(place, place) if moved else was.get(place, place)
        if moved and _temporary(place, key, hits.get(begin)):
            hits.pop(begin, None)
            begin, moved = key, False
        hit = hits.get(begin)
        if hit is None:
            hit = hits[begin] = _Hit(origin if moved else path, None, [], time, event, process, account)
        if moved:
            was[key] = begin
            hit.now = path
        if change not in hit.changes:
            hit.changes.append(change)
    return hits


def _temporary(origin: str, target: str, hit: _Hit | None) -> bool:
    """Is the rename the last step of writing `target` by way of a temporary file, as installers and editors do?"""
    return (hit is not None and hit.changes[0] == "Created") or last_segment(target) in last_segment(origin)


def _last_good(connection: sqlite3.Connection, host: int, key: str, since: str) -> tuple[str, str | None, int | None, str | None]:
    """How much is known of the content before: basis, hash, size, when it was last seen."""
    at = 0
    for at, (state, _, content, size, seen) in enumerate(connection.execute(_VERSIONS, (host, key, since)), 1):
        if at == 1 and state == "absent":
            return NEW, None, None, None
        if content is not None:
            return "hash" if at == 1 else "earlier hash", content, size, seen
    if not at:
        row = connection.execute(_FIRST, (host, key, since)).fetchone()
        if row is not None and row[0] == "absent":
            return NEW, None, None, None
    return UNKNOWN, None, None, None

