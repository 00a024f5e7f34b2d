"""What stands around an event: its place in the chain of versions, the findings it bears, and the events nearest to it.

Before and after are meant in the order of the case: time, match key, ordinal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from fimforensics.queries import entities

MOST_SORTED = 5_000  # events of one file or process that are put in order to find the neighbours; of more the nearest in time
MOST_FINDINGS = 100
_FILE = """SELECT v.id, v.chain_id, v.state, v.basis, coalesce(c.sha256, c.sha1, c.md5) AS hash, v.size, NULL AS data, v.since,
    v.until, v.begun_by, v.ended_by, v.events, v.differs, v.before, v.file_id AS entity
    FROM file_versions v LEFT JOIN contents c ON c.id = v.content_id"""
_VALUE = """SELECT v.id, v.chain_id, v.state, v.basis, NULL AS hash, NULL AS size,
    CASE v.basis WHEN 'inferred from old value' THEN d.old_data ELSE d.new_data END AS data, v.since, v.until, v.begun_by,
    v.ended_by, v.events, v.differs, v.before, v.registry_value_id AS entity
    FROM registry_versions v LEFT JOIN events d ON d.id = v.data_event_id"""
_SHELVES = (("file", "file_id", "file_versions", _FILE), ("registry value", "registry_value_id", "registry_versions", _VALUE))
VERSION = ("number", "state", "basis", "hash", "size", "data", "since", "until", "begun_by", "ended_by", "events")


@dataclass(frozen=True)
class Place:
    """The version that an event begins or falls into; versions are dicts with VERSION, absences have no number."""

    kind: str
    entity: str
    role: str  # begins, within
    version: dict[str, object]
    versions: int  # how many were here
    before: dict[str, object] | None
    after: dict[str, object] | None
    differs: str | None  # from the content before: yes, no, unknown
    content_before: str | None  # of the first version: unknown or absent


def places(connection: sqlite3.Connection, event: int) -> list[Place]:
    """Where the event stands among the versions of its file or value; two places where a rename leads from one to another."""
    found = []
    for kind, column, table, sql in _SHELVES:
        rows = [("begins", row) for row in _dicts(connection.execute(f"{sql} WHERE v.begun_by = ? ORDER BY v.id", (event,)))]
        if not rows:
            rows = [("within", row) for row in _around(connection, event, column, sql)]
        found += [_place(connection, kind, column, table, sql, role, row) for role, row in rows]
    return found


def _around(connection: sqlite3.Connection, event: int, column: str, sql: str) -> Iterator[dict]:
    """The version that had begun last when the event came."""
    here = connection.execute(f"SELECT {column}, time, match_key, ordinal FROM events WHERE id = ?", (event,)).fetchone()
    if here is None or here[0] is None:
        return
    for row in _dicts(connection.execute(f"{sql} WHERE v.{column} = ? AND v.since <= ? AND v.begun_by IS NOT NULL "
                                         "ORDER BY v.since DESC, v.id DESC", here[:2])):
        begun = connection.execute("SELECT time, match_key, ordinal FROM events WHERE id = ?", (row["begun_by"],)).fetchone()
        if tuple(begun) <= tuple(here[1:]):  # the pages' connections give rows, which know no order
            yield row
            return


def _place(connection: sqlite3.Connection, kind: str, column: str, table: str, sql: str, role: str, row: dict) -> Place:
    """The version among those of its path or value: what was here before, even where another chain's rename came over it."""
    where, own = f"v.{column} = ? AND", (row["entity"], row["since"] or "", row["id"])

    def beside(compared: str, way: str, more: str = "") -> dict | None:
        return next(_dicts(connection.execute(f"{sql} WHERE {where} (coalesce(v.since, ''), v.id) {compared} (?, ?) {more} "
                                              f"ORDER BY v.since {way}, v.id {way} LIMIT 1", own)), None)

    counted = f"SELECT count(*) FROM {table} v WHERE {where} v.state = 'present'"
    count, = connection.execute(counted, own[:1]).fetchone()
    held = beside("<", "DESC", "AND v.state = 'present'") if row["state"] == "present" else None
    near = beside("<", "DESC"), beside(">", "ASC")
    before, after = (None if one is None else _version(connection, counted, one) for one in near)
    return Place(kind, entities.name(connection, kind, row["entity"]), role, _version(connection, counted, row), count, before,
                 after, row["differs"] if held is None else _differs(row, held), row["before"] if before is None else None)


def _differs(row: dict, held: dict) -> str:
    """Does the version hold something else than the last one here: yes, no, or unknown."""
    if row["data"] is not None and held["data"] is not None:
        return "no" if row["data"] == held["data"] else "yes"
    if row["hash"] and held["hash"] and len(row["hash"]) == len(held["hash"]):
        return "no" if row["hash"] == held["hash"] else "yes"
    return "yes" if None not in (row["size"], held["size"]) and row["size"] != held["size"] else "unknown"


def _version(connection: sqlite3.Connection, counted: str, row: dict) -> dict[str, object]:
    number, = connection.execute(f"{counted} AND (coalesce(v.since, ''), v.id) <= (?, ?)",
                                 (row["entity"], row["since"] or "", row["id"])).fetchone()
    told = {name: row.get(name) for name in VERSION}
    return told | {"number": number if row["state"] == "present" else None}


def findings(connection: sqlite3.Connection, event: int) -> list[dict]:
    """The findings that stand on the event, the gravest first."""
    return list(_dicts(connection.execute(
        "SELECT f.id, f.rule, f.severity, f.sentence, f.technique FROM finding_events x JOIN findings f ON f.id = x.finding_id "
        "WHERE x.event_id = ? ORDER BY CASE f.severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 WHEN 'low' THEN 2 ELSE 3 END, "
        f"f.rule, f.id LIMIT {MOST_FINDINGS}", (event,))))


def neighbours(connection: sqlite3.Connection, event: int) -> list[dict]:
    """The event right before and right after this one: of the same file or value, of the same process, on the same host."""
    here = connection.execute("SELECT host_id, time, match_key, ordinal, file_id, registry_value_id, process_id "
                              "FROM events WHERE id = ?", (event,)).fetchone()
    asked = (("file", "file_id", here[4]), ("registry value", "registry_value_id", here[5]), ("process", "process_id", here[6]),
             ("host", "host_id", here[0]))
    found = []
    for same, column, value in asked:
        for where, compared, way in (("before", "<", "DESC"), ("after", ">", "ASC")):
            number = None if value is None else _nearest(connection, column, value, here[:4], compared, way)
            if number is not None:
                row = next(_dicts(connection.execute("SELECT id, time, change, path, value, process, pid, account "
                                                     "FROM events_flat WHERE id = ?", (number,))))
                found.append({"same": same, "where": where, **row})
    return found


def _nearest(connection: sqlite3.Connection, column: str, value: int, here: tuple, compared: str, way: str) -> int | None:
    order = f"ORDER BY time {way}, match_key {way}, ordinal {way}"
    there = f"id < (SELECT events_end FROM case_info) AND (time, match_key, ordinal) {compared} (?2, ?3, ?4)"
    on_host = f"FROM events INDEXED BY events_host WHERE host_id = ?1 AND time {compared}= ?2 AND {there} {order}"
    if column == "host_id":
        sql = f"SELECT id {on_host} LIMIT 1"
    elif len(connection.execute(f"SELECT 1 FROM events WHERE {column} = ? LIMIT ?", (value, MOST_SORTED + 1)).fetchall()) \
            <= MOST_SORTED:
        sql = f"SELECT id FROM events WHERE {column} = ?5 AND {there} {order} LIMIT 1"
    else:  # too many to put in order: the nearest among what came next on the host
        sql = f"SELECT id FROM (SELECT id, {column} AS same {on_host} LIMIT {4 * MOST_SORTED}) WHERE same = ?5 LIMIT 1"
    values = here if column == "host_id" else (*here, value)
    row = connection.execute(sql, values).fetchone()
    return row[0] if row else None


def _dicts(cursor: sqlite3.Cursor) -> Iterator[dict]:
    names = [name for name, *_ in cursor.description]
    return (dict(zip(names, row, strict=True)) for row in cursor)
