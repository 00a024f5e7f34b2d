"""When something happened, as exactly as indexes can tell it in bounded time.

A relation is rolled up: its first and last are times of events, what lies between them is looked up by key, in at most
`LOOKED_AT` events. Where that is not enough, the first (or last) stands for it: true, if not the nearest. A version's life
says for how long a writing matters: the version itself, and those beside it of which nobody knows that they differ.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

LOOKED_AT = 500  # events looked at for one moment
FEW = 20  # events of one actor and thing that are all looked up
ROWS = 60  # versions of one thing looked at from one moment
ALL_TIME = "9999-99"  # after every time, as text
SANE = "1980"  # a process created before that has no time of creation
END = "id < (SELECT events_end FROM case_info)"
# The recorded word of a change → the relation; every other word is `modified`.
WORDS = {"Created": "created", "Modified": "modified", "Renamed": "renamed", "Deleted": "deleted", "RegistryValueSet": "set",
         "RegistryKeyCreated": "created", "RegistryKeyDeleted": "deleted", "RegistryValueDeleted": "deleted",
         "RegistryKeyRenamed": "renamed"}
COLUMN = {"file": "file_id", "registry value": "registry_value_id", "process": "process_id", "account": "account_id",
          "content": "content_id"}
_INDEX = {"file": "events_file", "registry value": "events_registry_value", "process": "events_process"}
_WHENS = " ".join(f"WHEN '{word}' THEN '{relation}'" for word, relation in WORDS.items())
_WORD = f"CASE c.change {_WHENS} ELSE 'modified' END"
_VERSIONS = {"file": "file_versions", "registry value": "registry_versions"}


class Version(NamedTuple):
    """A row of the versions tables; `of` is its file or registry value."""

    id: int
    of: int
    state: str
    content: int | None
    since: str
    until: str | None
    begun_by: int | None
    ended_by: int | None
    previous: int | None
    differs: str | None
    process: int | None


@dataclass(frozen=True)
class Life:
    """Versions of one thing not known to differ, around one moment: since when, until when (None: still), in order of time."""

    since: str
    until: str | None
    versions: tuple[Version, ...]


def _select(kind: str) -> str:
    content = "content_id" if kind == "file" else "NULL"
    return (f"SELECT id, {COLUMN[kind]}, state, {content}, since, until, begun_by, ended_by, previous_id, differs, process_id "
            f"FROM {_VERSIONS[kind]} ")


_ONE = {kind: _select(kind) + "WHERE id = ?" for kind in _VERSIONS}
_BEFORE = {kind: _select(kind) + f"WHERE {COLUMN[kind]} = ? AND since <= ? ORDER BY since DESC, id DESC LIMIT {ROWS}"
           for kind in _VERSIONS}
_AFTER = {kind: _select(kind) + f"WHERE {COLUMN[kind]} = ? AND since >= ? ORDER BY since, id LIMIT {ROWS}" for kind in _VERSIONS}


def version(db: sqlite3.Connection, kind: str, number: int) -> Version | None:
    """The version of this number."""
    row = db.execute(_ONE[kind], (number,)).fetchone()
    return Version(*row) if row else None


def begun_by(db: sqlite3.Connection, kind: str, event: int) -> list[Version]:
    """The versions that an event begins: of a rename there may be one at each path."""
    return [Version(*row) for row in db.execute(_select(kind) + "WHERE begun_by = ? ORDER BY id LIMIT 4", (event,))]


def whole(db: sqlite3.Connection, kind: str, number: int) -> Life:
    """All that is known of a file or value: for when no moment was asked about. Of very many versions the last."""
    rows = db.execute(_select(kind) + f"WHERE {COLUMN[kind]} = ? AND since IS NOT NULL ORDER BY since DESC, id DESC LIMIT {ROWS}",
                      (number,)).fetchall()
    return Life("", None, tuple(Version(*row) for row in reversed(rows)))


def life(db: sqlite3.Connection, kind: str, number: int, time: str, known: int | None = None) -> Life:
    """The versions that a writing at, or a reading of, this moment is about; `known` is the version where the asker knows it.

    It goes on over a border only where both sides lie in one file, touch, and are not known to differ.
    """
    here = version(db, kind, known) if known is not None else None
    rows = map(Version._make, db.execute(_BEFORE[kind], (number, time if here is None else here.since)))
    here = next(rows, None) if here is None else here
    if here is None:
        return Life("", None, ())
    first, found = here, [here]
    for row in rows:
        if _goes_on(row, first):
            first = row
            found.insert(0, row)
        elif row.id != here.id and (row.since, row.id) < (here.since, here.id):
            break
    last = here
    for row in map(Version._make, db.execute(_AFTER[kind], (number, here.since))):
        if _goes_on(last, row):
            last = row
            found.append(row)
        elif row.since > last.since:
            break
    return Life(first.since, last.until, tuple(found))


def _goes_on(one: Version, next_: Version) -> bool:
    return (next_.previous == one.id and next_.of == one.of and one.until == next_.since and next_.differs != "yes"
            and next_.state == one.state)


def began(db: sqlite3.Connection, process: int, first: str) -> str:
    """When a process began: its time of creation, unless that is unknown or later than an event; then `first`, when it ran."""
    row = db.execute("SELECT created FROM processes WHERE id = ?", (process,)).fetchone()
    created = seven(row[0]) if row and row[0] is not None and row[0] >= SANE else None
    return first if created is None or created > first or db.execute(_BEFORE_IT, (process, SANE, created)).fetchone() else created


_BEFORE_IT = ("SELECT 1 FROM relations INDEXED BY relations_subject WHERE subject_kind = 'process' AND subject_id = ?1 "
              "AND relation IN ('created', 'deleted', 'modified', 'renamed', 'set') AND first >= ?2 AND first < ?3 LIMIT 1")


def seven(time: str) -> str:
    """A time with seven decimals, as events have it, so that times compare as text."""
    head, _, decimals = time.rstrip("Z").partition(".")
    return f"{head}.{decimals.ljust(7, '0')}Z"


def _told(actor: str, thing: str) -> str:
    """SQL: the times at which an actor changed a thing so; looks at LOOKED_AT events of the thing."""
    return (f"FROM (SELECT time, change_id, {COLUMN[actor]} AS actor FROM events INDEXED BY {_INDEX[thing]} "
            f"WHERE {COLUMN[thing]} = ? AND {END} LIMIT {LOOKED_AT}) e JOIN changes c ON c.id = e.change_id "
            f"WHERE actor = ? AND {_WORD} = ?")


def nearest(db: sqlite3.Connection, actor: tuple[str, int], relation: str, thing: tuple[str, int], low: str, high: str,
            back: bool) -> str | None:
    """The last (back) or first time in [low, high] at which the actor changed the thing so; None where none was found."""
    best = "max" if back else "min"
    row = db.execute(f"SELECT {best}(time) {_told(actor[0], thing[0])} AND time BETWEEN ? AND ?",
                     (thing[1], actor[1], relation, low, high)).fetchone()
    return row[0]


def all_times(db: sqlite3.Connection, actor: tuple[str, int], relation: str, thing: tuple[str, int], after: str) -> list[str]:
    """The times after this one at which the actor changed the thing so, in order."""
    rows = db.execute(f"SELECT DISTINCT time {_told(actor[0], thing[0])} AND time > ? ORDER BY 1",
                      (thing[1], actor[1], relation, after))
    return [time for (time,) in rows]


def nearest_request(db: sqlite3.Connection, actor: tuple[str, int], process: int, low: str, high: str, back: bool) -> str | None:
    """The same for a request account or address that acted through the process."""
    best = "max" if back else "min"
    row = db.execute(
        f"SELECT {best}(time) FROM (SELECT time, request_id FROM events INDEXED BY events_process WHERE process_id = ? "
        f"AND {END} LIMIT {LOOKED_AT}) e JOIN requests r ON r.id = e.request_id WHERE {_REQUEST[actor[0]]} "
        "AND time BETWEEN ? AND ?", (process, actor[1], low, high)).fetchone()
    return row[0]


def requested(db: sqlite3.Connection, actor: tuple[str, int], process: int, relation: str, thing: tuple[str, int], low: str,
              high: str) -> list[str]:
    """The times in [low, high] at which a process changed a thing so for a request account or address: the first FEW."""
    rows = db.execute(
        f"SELECT DISTINCT time FROM (SELECT time, change_id, process_id, request_id FROM events INDEXED BY {_INDEX[thing[0]]} "
        f"WHERE {COLUMN[thing[0]]} = ? AND {END} LIMIT {LOOKED_AT}) e JOIN changes c ON c.id = e.change_id JOIN requests r "
        f"ON r.id = e.request_id WHERE {_REQUEST[actor[0]]} AND process_id = ? AND {_WORD} = ? AND time BETWEEN ? AND ? "
        f"ORDER BY 1 LIMIT {FEW}", (thing[1], actor[1], process, relation, low, high))
    return [time for (time,) in rows]


def requesters(db: sqlite3.Connection, process: int, thing: tuple[str, int], time: str | None) -> set[tuple[str, int | str]]:
    """For whom a process changed a thing at a moment, or (None) at any: accounts by number, addresses as they are written."""
    if time is None:
        source = f"{_INDEX[thing[0]]} WHERE {COLUMN[thing[0]]} = ?1"
    else:
        source = "events_host WHERE host_id = (SELECT host_id FROM processes WHERE id = ?2) AND time = ?3"
    rows = db.execute(
        f"SELECT DISTINCT r.account_id, r.ip FROM (SELECT * FROM events INDEXED BY {source} AND {END} LIMIT {LOOKED_AT}) e "
        f"JOIN requests r ON r.id = e.request_id WHERE e.{COLUMN[thing[0]]} = ?1 AND e.process_id = ?2",
        (thing[1], process, *(() if time is None else (time,)))).fetchall()
    return {(kind, one) for row in rows for kind, one in zip(("account", "address"), row, strict=True) if one is not None}


def address(db: sqlite3.Connection, number: int) -> str | None:
    """An address as it is written."""
    row = db.execute("SELECT ip FROM requests WHERE id = ?", (number,)).fetchone()
    return row[0] if row else None


_REQUEST = {"account": "r.account_id = ?", "address": "r.ip = (SELECT ip FROM requests WHERE id = ?)"}


def event_of(db: sqlite3.Connection, process: int, low: str, high: str) -> tuple[int, str] | None:
    """The first event of a process within [low, high], and its time; looks at so many of its events at the most."""
    row = db.execute(
        f"SELECT id, time FROM (SELECT id, time, match_key, ordinal FROM events INDEXED BY events_process WHERE process_id = ? "
        f"AND {END} LIMIT {LOOKED_AT}) WHERE time BETWEEN ? AND ? ORDER BY time, match_key, ordinal LIMIT 1",
        (process, low, high)).fetchone()
    return row


def event_at(db: sqlite3.Connection, relation: str, subject: tuple[str, int], object_: tuple[str, int], time: str,
             same: list[int]) -> int | None:
    """The event at exactly this time on which a step stands: the first of the case's order; `same` are the rows of its content.

    Looked up by host and time. None where too many events share that time, or the relation was inherited with a version.
    """
    kind, number = subject if object_[0] == "content" else object_
    condition, values = _condition(relation, subject, object_, same)
    row = db.execute(
        f"SELECT e.id FROM (SELECT * FROM events INDEXED BY events_host WHERE host_id = (SELECT host_id FROM {_TABLE[kind]} "
        f"WHERE id = ?) AND time = ? AND {END} LIMIT {LOOKED_AT}) e JOIN changes c ON c.id = e.change_id LEFT JOIN requests r "
        f"ON r.id = e.request_id WHERE {condition} ORDER BY e.match_key, e.ordinal LIMIT 1", (number, time, *values)).fetchone()
    return row[0] if row else None


_TABLE = {"file": "files", "registry value": "registry_values", "process": "processes"}


def _condition(relation: str, subject: tuple[str, int], object_: tuple[str, int], same: list[int]) -> tuple[str, list]:
    """What holds for the events of a relation."""
    if relation == "acted through":
        return f"{_REQUEST[subject[0]]} AND e.process_id = ?", [subject[1], object_[1]]
    if relation == "had":
        among = f"content_id IN ({', '.join('?' * len(same))})"
        begun = f"EXISTS (SELECT 1 FROM file_versions v WHERE v.begun_by = e.id AND v.file_id = ? AND v.{among})"
        return f"(e.{among} AND e.file_id = ? OR {begun})", [*same, subject[1], subject[1], *same]
    words = "" if relation == "ran" else f" AND {_WORD} = '{relation}'"
    return f"e.{COLUMN[subject[0]]} = ? AND e.{COLUMN[object_[0]]} = ?{words}", [subject[1], object_[1]]
