"""Events as rows for people and programs, in the case's order (time, then match key, then ordinal) or by host and path."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fimforensics import paths
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
ORDERS = {
    "time": "e.time, e.match_key, e.ordinal", "newest": "e.time DESC, e.match_key DESC, e.ordinal DESC",
    "path": "h.name COLLATE NOCASE, h.key, coalesce(p.path, r.key) COLLATE NOCASE, coalesce(r.new_name, r.old_name) "
            "COLLATE NOCASE, e.time, e.match_key, e.ordinal"}
SHORTEST_HASH = 8
_WHOLE = (32, 40, 64)  # figures of a whole MD5, SHA-1, SHA-256
_FIGURES = re.compile("[0-9a-f]+").fullmatch


@dataclass(frozen=True)
class Filter:
    """Which events; every part that is named must hold.

    Texts are found anywhere, in any case; one that holds `*` or `?` is a pattern for the whole. A path may be that of a
    registry key with any spelling of its hive. An account ran the process, or asked for the change over the network. A hash
    may be its first figures, eight at least. Times are UTC text, `until` is
    excluded. A finding is its number or the name of its rule; a subscription is its id.
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
    finding: str | None = None
    subscription: str | None = None


_CONDITIONS = {
    "host": "e.host_id IN (SELECT id FROM hosts WHERE name LIKE ? ESCAPE '!')",
    "kind": "c.kind = ?",
    "change": "c.change = ? COLLATE NOCASE",
    "path": "(p.path LIKE ?1 ESCAPE '!' OR r.key || coalesce('\\' || coalesce(r.new_name, r.old_name), '') LIKE ?1 ESCAPE '!')",
    "key": "e.registry_value_id IN (SELECT id FROM registry_values WHERE key || coalesce('\\' || name, '') LIKE ? ESCAPE '!')",
    "process": "e.process_id IN (SELECT id FROM processes WHERE name LIKE ?1 ESCAPE '!' OR image_key LIKE ?1 ESCAPE '!')",
    "account": "e.account_id IN (SELECT id FROM accounts WHERE name LIKE ?1 ESCAPE '!' OR sid LIKE ?1 ESCAPE '!')",
    "behalf": "(e.account_id IN (SELECT id FROM accounts WHERE name LIKE ?1 ESCAPE '!' OR sid LIKE ?1 ESCAPE '!') OR "
              "e.request_id IN (SELECT id FROM requests WHERE account_id IN (SELECT id FROM accounts WHERE name LIKE ?1 "
              "ESCAPE '!' OR sid LIKE ?1 ESCAPE '!')))",
    "hash": "e.content_id IN (SELECT id FROM contents WHERE sha256 = ?1 OR sha1 = ?1 OR md5 = ?1)",
    "prefix": "e.content_id IN (SELECT id FROM contents WHERE sha256 >= ?1 AND sha256 < ?1 || 'g' UNION "
              "SELECT id FROM contents WHERE sha1 >= ?1 AND sha1 < ?1 || 'g' UNION "
              "SELECT id FROM contents WHERE md5 >= ?1 AND md5 < ?1 || 'g')",
    "since": "e.time >= ?",
    "until": "e.time < ?",
    "snapshot": f"EXISTS (SELECT 1 FROM occurrences o WHERE o.event_id = e.id AND o.snapshot_id = ? AND {FINISHED})",
    "finding": "e.id IN (SELECT event_id FROM finding_events WHERE finding_id = ?)",
    "rule": "e.id IN (SELECT event_id FROM finding_events WHERE finding_id IN (SELECT id FROM findings WHERE rule = ?))",
    "subscription": "e.host_id IN (SELECT host_id FROM machine_reports WHERE azure_resource_id LIKE ? ESCAPE '!')",
}


# What picks few events goes by its own index, and puts these in order; SQLite would else walk through all in order of time.
_SELECTIVE = ("key", "process", "account", "hash", "prefix", "finding", "rule")


def like(text: str) -> str:
    """The pattern for LIKE (escape `!`) that finds the text anywhere; with `*` or `?` in it, a pattern for the whole."""
    escaped = re.sub(r"([!%_])", r"!\1", text)
    if "*" in text or "?" in text:
        return escaped.replace("*", "%").replace("?", "_")
    return f"%{escaped}%"


def _conditions(wanted: Filter) -> Iterator[tuple[str, object]]:
    """The conditions of the filter, each with the value it takes."""
    plain: Callable[[str], object] = lambda text: text  # noqa: E731
    ways = dict.fromkeys(("host", "process", "account"), like) | {"subscription": lambda text: like(f"/subscriptions/{text}/*")}
    for name in Filter.__dataclass_fields__:
        value = getattr(wanted, name)
        if value is None:
            continue
        if name == "path":
            key = paths.registry_key(value, None)
            yield ("key", like(key)) if paths.hive_head(value) else ("path", like(value))
        elif name == "hash":
            yield _hash_condition(value.lower())
        elif name == "finding":
            yield ("finding", int(value)) if value.isdigit() else ("rule", value)
        else:
            yield name, ways.get(name, plain)(value)


def _hash_condition(value: str) -> tuple[str, object]:
    """A whole hash stays one: the first 32 figures of a SHA-256 are no MD5."""
    if not _FIGURES(value):
        raise Misuse(f"{value!r} is no hash", hint="Write hexadecimal figures, 8 at least")
    if len(value) in _WHOLE:
        return "hash", value
    if len(value) < SHORTEST_HASH:
        raise Misuse(f"{value} is too little of a hash", hint=f"Write {SHORTEST_HASH} figures at least")
    return "prefix", value


def events(connection: sqlite3.Connection, wanted: Filter, limit: int | None = None, order: str = "time") -> Iterator[dict]:
    """The events that fit, as dicts with COLUMNS; `snapshots` are the ids of those that report the event."""
    conditions, values, way = ["e.id < (SELECT events_end FROM case_info)"], [], ORDERS[order]
    for name, value in _conditions(wanted):
        name = "behalf" if name == "account" and _asks_for_others(connection, value) else name
        values.append(value)
        conditions.append(re.sub(r"\?1?", f"?{len(values)}", _CONDITIONS[name]))
        if name in _SELECTIVE:
            way = "+" + ORDERS[order]
    sql = (f"SELECT {_COLUMNS}, (SELECT json_group_array(snapshot_id) FROM (SELECT DISTINCT snapshot_id FROM occurrences o "
           f"WHERE o.event_id = e.id AND {FINISHED} ORDER BY 1)) AS snapshots {_FROM} WHERE {' AND '.join(conditions)} "
           f"ORDER BY {way}")
    cursor = connection.execute(sql + (f" LIMIT {limit}" if limit is not None else ""), values)
    for row in cursor:
        found = dict(zip(COLUMNS, row, strict=True))
        found["snapshots"] = json.loads(found["snapshots"])
        yield found


def _asks_for_others(connection: sqlite3.Connection, account: object) -> bool:
    """Did anything happen on behalf of such an account over the network? Those events have no index, and are rarely asked for."""
    return connection.execute("SELECT 1 FROM requests WHERE account_id IN (SELECT id FROM accounts WHERE name LIKE ?1 ESCAPE '!' "
                              "OR sid LIKE ?1 ESCAPE '!') LIMIT 1", (account,)).fetchone() is not None


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
