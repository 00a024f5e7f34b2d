"""What a page tells of one file or registry value beside its history: where it lies, who stands behind each version, where else.

Every answer is a bounded number of look-ups by index, so that a page costs no more in a larger case. Versions are the dicts of
`history`, with the ids added that links need.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fimforensics import paths
from fimforensics.queries.entities import same_content
from fimforensics.queries.history import against

COUNTED = 1_000  # events and hosts that are counted; beyond that "more than"
LOOKED_THROUGH = 500  # versions of a content among which other files with it are looked for
_LATEST = "2101"


@dataclass(frozen=True)
class Subject:
    """A file or registry value: its number, where it lies, and up to COUNTED + 1 of its events counted."""

    kind: str  # file, registry value
    id: int
    host_id: int
    host: str
    path: str
    key: str
    name: str | None  # of a registry value; None for a key and for files
    events: int
    host_last: str | None  # the time of the last event of its host

    @property
    def spelled(self) -> str | None:
        """A registry value's name as its path spells it."""
        return _spelled(self.path, self.name)


@dataclass(frozen=True)
class Elsewhere:
    """The same path, or key and value name, on another host: what it held last, against what is held here.

    `verdict`: `same`, `other`, `unknown`, or `gone`; None where no version is known there.
    """

    id: int
    host_id: int
    host: str
    verdict: str | None
    content_id: int | None
    hash: str | None
    data: str | None
    since: str | None


@dataclass(frozen=True)
class Beside:
    """Another file with the same content, or another value of the same key, with its last version."""

    id: int
    host_id: int
    host: str
    path: str
    since: str | None
    state: str | None
    name: str | None = None  # of a registry value; None for a key and for files
    data: str | None = None
    type: str | None = None


_OF = {"file": ("files", "file_id", "NULL"), "registry value": ("registry_values", "registry_value_id", "x.name")}
_LAST_FILE = """SELECT v.state AS state, v.content_id AS content_id, v.size AS size, v.since AS since, k.sha256 AS sha256,
    k.sha1 AS sha1, k.md5 AS md5 FROM file_versions v LEFT JOIN contents k ON k.id = v.content_id WHERE v.file_id = ?
    ORDER BY v.since DESC, v.id DESC LIMIT 1"""
_LAST_VALUE = """SELECT v.state AS state, NULL AS content_id, v.since AS since, CASE WHEN v.data_event_id IS NULL THEN NULL
    ELSE coalesce(CASE v.basis WHEN 'inferred from old value' THEN d.old_data ELSE d.new_data END, '') END AS data,
    CASE v.basis WHEN 'inferred from old value' THEN r.old_type ELSE r.new_type END AS type
    FROM registry_versions v LEFT JOIN events d ON d.id = v.data_event_id
    LEFT JOIN registry_reports r ON r.id = d.registry_report_id
    WHERE v.registry_value_id = ? ORDER BY v.since DESC, v.id DESC LIMIT 1"""


def subject(connection: sqlite3.Connection, kind: str, number: int) -> Subject | None:
    """The file or registry value of this number; None where there is none."""
    table, column, name = _OF[kind]
    row = connection.execute(f"SELECT h.id, h.name, x.path, x.key, {name} FROM {table} x JOIN hosts h ON h.id = x.host_id "
                             "WHERE x.id = ?", (number,)).fetchone()
    if row is None:
        return None
    events = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM events WHERE {column} = ? AND "
                                "id < (SELECT events_end FROM case_info) LIMIT ?)", (number, COUNTED + 1)).fetchone()[0]
    last = connection.execute("SELECT time FROM events INDEXED BY events_host WHERE host_id = ? AND time < ? AND "
                              "id < (SELECT events_end FROM case_info) ORDER BY time DESC LIMIT 1", (row[0], _LATEST)).fetchone()
    host_id, host, path, key, value = row
    return Subject(kind, number, host_id, host, path, key, value, events, last and last[0])


def last_version(connection: sqlite3.Connection, kind: str, number: int) -> dict | None:
    """The last version of a file (state, hashes, size, since) or value (state, data, type, since); None without any."""
    return next(iter(_dicts(connection, _LAST_FILE if kind == "file" else _LAST_VALUE, (number,))), None)


def linked(connection: sqlite3.Connection, kind: str, host: int, versions: Sequence[dict]) -> None:
    """Adds to each version of `history` the ids its links need: process, account, content, and files of renames."""
    table, content = ("file_versions", "v.content_id") if kind == "file" else ("registry_versions", "NULL")
    known = {number: rest for number, *rest in connection.execute(
        f"SELECT v.id, v.process_id, v.account_id, {content} FROM json_each(?) j CROSS JOIN {table} v ON v.id = j.value",
        (json.dumps([one["version"] for one in versions]),))}
    for one in versions:
        one["process_id"], one["account_id"], one["content_id"] = known[one["version"]]
        for end in ("came_from", "went_to"):
            one[end + "_id"] = _placed(connection, kind, host, one[end]) if one[end] else None


def _placed(connection: sqlite3.Connection, kind: str, host: int, path: str) -> int | None:
    """The number of a file by its path; of a key that was renamed no value is sure to be the one."""
    if kind != "file":
        return None
    row = connection.execute("SELECT id FROM files WHERE host_id = ? AND key = ?", (host, paths.file_key(path))).fetchone()
    return row[0] if row else None


def elsewhere(connection: sqlite3.Connection, whose: Subject, most: int) -> tuple[list[Elsewhere], int]:
    """Other hosts with the same path, or key and value name, by name; and how many there are, counted up to COUNTED + 1."""
    table, _, name = _OF[whose.kind]
    rows = connection.execute(
        f"SELECT x.id, h.id, h.name FROM (SELECT id, name FROM hosts ORDER BY name, key) h CROSS JOIN {table} x ON "
        f"x.host_id = h.id AND x.key = ?1 AND {name} IS ?2 AND h.id <> ?3 LIMIT ?4",
        (whose.key, whose.name, whose.host_id, COUNTED + 1)).fetchall()
    here = last_version(connection, whose.kind, whose.id)
    return [_held(connection, whose.kind, here, *row) for row in rows[:most]], len(rows)


def _held(connection: sqlite3.Connection, kind: str, here: dict | None, number: int, host_id: int, host: str) -> Elsewhere:
    there = last_version(connection, kind, number)
    if there is None:
        return Elsewhere(number, host_id, host, None, None, None, None, None)
    verdict = against(here, there) if here and "present" == here["state"] == there["state"] else "unknown"
    verdict = "gone" if there["state"] == "absent" else verdict
    told = there.get("sha256") or there.get("sha1") or there.get("md5")
    return Elsewhere(number, host_id, host, verdict, there["content_id"], told, there.get("data"), there["since"])


def same_elsewhere(connection: sqlite3.Connection, file: int, content: int, most: int) -> tuple[list[Beside], bool]:
    """Other files that had the content at any time, in order of since; and whether there may be more than are told.

    They are looked for among the first LOOKED_THROUGH versions with it, for some contents lie in every corner of a fleet.
    """
    rows = connection.execute("""
        SELECT v.file_id, v.since, v.id FROM json_each(?) j CROSS JOIN file_versions v ON v.content_id = j.value
        WHERE v.file_id <> ? LIMIT ?""", (json.dumps(same_content(connection, content)), file, LOOKED_THROUGH + 1)).fetchall()
    first: dict[int, str] = {}
    for number, since, _ in sorted(rows, key=lambda row: row[1:]):
        first.setdefault(number, since)
    found = []
    for number, since in list(first.items())[:most]:
        host_id, host, path = connection.execute("SELECT h.id, h.name, f.path FROM files f JOIN hosts h ON h.id = f.host_id "
                                                 "WHERE f.id = ?", (number,)).fetchone()
        found.append(Beside(number, host_id, host, path, since, None))
    return found, len(first) > most or len(rows) > LOOKED_THROUGH


def other_values(connection: sqlite3.Connection, whose: Subject, most: int) -> tuple[list[Beside], int]:
    """The key itself and its other values on the same host, by name, with their last data; and how many there are."""
    rows = connection.execute("SELECT id, path, name FROM registry_values WHERE host_id = ? AND key = ? AND id <> ? "
                              "ORDER BY name LIMIT ?", (whose.host_id, whose.key, whose.id, COUNTED + 1)).fetchall()
    found = []
    for number, path, value in rows[:most]:
        last = last_version(connection, "registry value", number) or {}
        found.append(Beside(number, whose.host_id, whose.host, path, last.get("since"), last.get("state"), _spelled(path, value),
                            last.get("data"), last.get("type")))
    return found, len(rows)


def _spelled(path: str, name: str | None) -> str | None:
    """A value's name, which is kept in lower case, as its path spells it."""
    end = path[len(path) - len(name):] if name else ""
    return end if name and end.lower() == name else name


def ids_of(connection: sqlite3.Connection, events: Iterable[int]) -> dict[int, dict]:
    """For each event the ids of all it names: host, file, registry value, content, process, account."""
    names = "host_id, file_id, registry_value_id, content_id, process_id, account_id"
    return {row.pop("id"): row for row in _dicts(
        connection, f"SELECT e.id, {names} FROM json_each(?) j CROSS JOIN events e ON e.id = j.value",
        (json.dumps(sorted(set(events))),))}


def newest_events(connection: sqlite3.Connection, whose: Subject, most: int) -> list[dict]:
    """The newest events of a thing that has no more than COUNTED; of more none, for they would have to be sorted first."""
    if whose.events > COUNTED:
        return []
    return _dicts(connection, f"""SELECT e.id, e.time, c.change, e.process_id, p.name AS process, p.pid AS pid, e.account_id,
        a.name AS account FROM events e JOIN changes c ON c.id = e.change_id LEFT JOIN processes p ON p.id = e.process_id
        LEFT JOIN accounts a ON a.id = e.account_id WHERE e.{_OF[whose.kind][1]} = ? AND
        e.id < (SELECT events_end FROM case_info) ORDER BY e.time DESC, e.match_key DESC, e.ordinal DESC LIMIT ?""",
        (whose.id, most))


def _dicts(connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[dict]:
    cursor = connection.execute(sql, values)
    names = [told[0] for told in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
