"""Events as rows for people and programs, in the case's order: time, then match key, then ordinal."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from fimforensics.errors import Misuse, Problem
from fimforensics.queries import FINISHED

_COLUMNS = """e.id AS id, lower(hex(e.match_key)) || '-' || e.ordinal AS event_key, e.time AS time, h.name AS computer,
    c.kind AS kind,
    c.change AS change, coalesce(p.path, r.key) AS path, coalesce(r.new_name, r.old_name) AS value, e.new_data AS data,
    k.sha256 AS sha256, coalesce(i.file_name, g.name, n.name) AS process, g.pid AS pid, a.name AS account"""
_FROM = """FROM events e JOIN hosts h ON h.id = e.host_id JOIN changes c ON c.id = e.change_id
    LEFT JOIN paths p ON p.id = e.path_id LEFT JOIN registry_reports r ON r.id = e.registry_report_id
    LEFT JOIN contents k ON k.id = e.content_id
    LEFT JOIN process_reports g ON g.id = e.process_report_id LEFT JOIN processes n ON n.id = e.process_id
    LEFT JOIN images i ON i.id = g.image_id LEFT JOIN accounts a ON a.id = e.account_id"""
_KEY = re.compile(r"([0-9a-f]{64})-([0-9]+)").fullmatch
COLUMNS = ("id", "event_key", "time", "computer", "kind", "change", "path", "value", "data", "sha256", "process", "pid",
           "account", "snapshots")


@dataclass(frozen=True)
class Filter:
    """Which events; every part that is named must hold.

    Texts are found anywhere, in any case; times are UTC text, `until` is excluded.
    """

    host: str | None = None
    kind: str | None = None
    change: str | None = None
    path: str | None = None
    process: str | None = None
    account: str | None = None
    hash: str | None = None
    since: str | None = None
    until: str | None = None
    snapshot: int | None = None


_CONDITIONS = {
    "host": "e.host_id IN (SELECT id FROM hosts WHERE name LIKE ? ESCAPE '!')",
    "kind": "c.kind = ?",
    "change": "c.change = ? COLLATE NOCASE",
    "path": "(p.path LIKE ?1 ESCAPE '!' OR r.key || coalesce('\\' || coalesce(r.new_name, r.old_name), '') LIKE ?1 ESCAPE '!')",
    "process": "e.process_id IN (SELECT id FROM processes WHERE name LIKE ? ESCAPE '!')",
    "account": "e.account_id IN (SELECT id FROM accounts WHERE name LIKE ? ESCAPE '!')",
    "hash": "e.content_id IN (SELECT id FROM contents WHERE sha256 = ?1 OR sha1 = ?1 OR md5 = ?1)",
    "since": "e.time >= ?",
    "until": "e.time < ?",
    "snapshot": f"EXISTS (SELECT 1 FROM occurrences o WHERE o.event_id = e.id AND o.snapshot_id = ? AND {FINISHED})",
}
_LIKE = ("host", "path", "process", "account")


def events(connection: sqlite3.Connection, wanted: Filter, limit: int | None = None) -> Iterator[dict]:
    """The events that fit, as dicts with COLUMNS; `snapshots` are the ids of those that report the event."""
    conditions, values = ["e.id < (SELECT events_end FROM case_info)"], []
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None:
            values.append(_like(value) if name in _LIKE else value.lower() if name == "hash" else value)
            conditions.append(re.sub(r"\?1?", f"?{len(values)}", condition))
    sql = (f"SELECT {_COLUMNS}, (SELECT json_group_array(snapshot_id) FROM (SELECT DISTINCT snapshot_id FROM occurrences o "
           f"WHERE o.event_id = e.id AND {FINISHED} ORDER BY 1)) AS snapshots {_FROM} WHERE {' AND '.join(conditions)} "
           "ORDER BY e.time, e.match_key, e.ordinal")
    cursor = connection.execute(sql + (f" LIMIT {limit}" if limit is not None else ""), values)
    for row in cursor:
        found = dict(zip(COLUMNS, row, strict=True))
        found["snapshots"] = json.loads(found["snapshots"])
        yield found


def _like(text: str) -> str:
    return "%" + re.sub(r"([!%_])", r"!\1", text) + "%"


def find(connection: sqlite3.Connection, name: str) -> int:
    """The id of an event told by its id or its event key; Problem where there is none."""
    if name.isascii() and name.isdigit():
        row = connection.execute("SELECT id FROM events WHERE id = ? AND id < (SELECT events_end FROM case_info)",
                                 (int(name[:18]),)).fetchone()
    elif told := _KEY(name.lower()):
        key = bytes.fromhex(told[1])
        row = connection.execute(
            "SELECT e.id FROM event_keys k JOIN events e ON e.id = k.event_id "
            "WHERE k.prefix = ? AND e.match_key = ? AND e.ordinal = ? "
            "AND e.id < (SELECT events_end FROM case_info)",
            (int.from_bytes(key[:8], "big", signed=True), key, int(told[2][:18]))).fetchone()
    else:
        raise Misuse(f"{name!r} names no event",
                     hint="An event is named by its number or by its event key (64 hexadecimal figures, -, ordinal)")
    if row is None:
        raise Problem(f"there is no event {name} in this case")
    return row[0]
