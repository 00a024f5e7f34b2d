"""What a note is about, told so that it is found again: by what a thing is, never by its number.

Numbers change when a case is rebuilt and, of findings, with every run of the analyses. An event is known by its event key, all
else by the natural keys that the case itself tells things apart by. A finding is known by its rule and what it names; where
several have these, by its first time, and then by its sentence.
"""

from __future__ import annotations

import json
import re
import sqlite3

from fimforensics.errors import Problem
from fimforensics.queries import entities
from fimforensics.queries.events import find
from fimforensics.queries.findings_listed import of_numbers

TABLES = {"event": "events", "file": "files", "registry value": "registry_values", "content": "contents",
          "process": "processes", "account": "accounts", "host": "hosts", "finding": "findings"}
KINDS = {table: kind for kind, table in TABLES.items()}
_NAMED = ("host_id", "file_id", "registry_value_id", "process_id", "account_id", "content_id")
_ORDER = ("host", "file", "registry value", "process", "account", "content")  # of _NAMED
_KEYS = {
    "event": "SELECT json_array(lower(hex(match_key)) || '-' || ordinal) FROM events WHERE id = ? "
             "AND id < (SELECT events_end FROM case_info)",
    "host": "SELECT json_array(key) FROM hosts WHERE id = ?",
    "file": "SELECT json_array(h.key, f.key) FROM files f JOIN hosts h ON h.id = f.host_id WHERE f.id = ?",
    "registry value": "SELECT json_array(h.key, v.key, v.name) FROM registry_values v JOIN hosts h ON h.id = v.host_id "
                      "WHERE v.id = ?",
    "content": "SELECT json_array(sha256, sha1, md5, size) FROM contents WHERE id = ?",
    "process": "SELECT json_array(h.key, p.pid, p.created, p.image_key) FROM processes p JOIN hosts h ON h.id = p.host_id "
               "WHERE p.id = ?",
    "account": "SELECT json_array(name, sid, domain, account) FROM accounts WHERE id = ?",
}
_FOUND = {
    "host": "SELECT id FROM hosts WHERE key IS ?",
    "file": "SELECT f.id FROM files f JOIN hosts h ON h.id = f.host_id WHERE h.key IS ? AND f.key IS ?",
    "registry value": "SELECT v.id FROM registry_values v JOIN hosts h ON h.id = v.host_id WHERE h.key IS ? AND v.key IS ? "
                      "AND v.name IS ?",
    "process": "SELECT p.id FROM processes p JOIN hosts h ON h.id = p.host_id WHERE h.key IS ? AND p.pid IS ? "
               "AND p.created IS ? AND p.image_key IS ?",
    "account": "SELECT id FROM accounts WHERE name IS ? AND sid IS ? AND domain IS ? AND account IS ?",
}
_PARTS = {"host": 1, "file": 2, "registry value": 3, "content": 4, "process": 4, "account": 4, "event": 1, "finding": 4}
_EVENT_KEY = re.compile(r"[0-9a-f]{64}-[0-9]{1,18}").fullmatch


def key_of(connection: sqlite3.Connection, kind: str, number: int) -> str | None:
    """The natural key of a row as canonical JSON; None where the case has no such row."""
    if kind == "finding":
        row = connection.execute(f"SELECT rule, first, sentence, {', '.join(_NAMED)} FROM findings WHERE id = ?",
                                 (number,)).fetchone()
        return None if row is None else _json([row[0], row[1], _named(connection, row[3:]), row[2]])
    row = connection.execute(_KEYS[kind], (number,)).fetchone()
    return None if row is None else _json(json.loads(row[0]))


def name_of(connection: sqlite3.Connection, kind: str, number: int) -> str:
    """What the thing is called in a list of notes: an event by its time and file, a finding by its sentence, others by name."""
    if kind == "event":
        row = connection.execute("SELECT time || ' ' || computer || ' ' || change || ' ' || coalesce(path, '') FROM events_flat "
                                 "WHERE id = ?", (number,)).fetchone()
        return str(row[0]) if row else f"event {number}"
    if kind == "finding":
        found = of_numbers(connection, [number])
        return found[0].sentence if found else f"finding {number}"
    return entities.name(connection, kind, number)


def number_of(connection: sqlite3.Connection, kind: str, key: str) -> int | None:
    """The row that has this natural key now; None where none has, or where the key is none."""
    try:
        parts = json.loads(key)
    except ValueError:
        return None
    if kind not in TABLES or not isinstance(parts, list) or len(parts) != _PARTS[kind]:
        return None
    if kind == "finding":
        return _finding(connection, parts)
    if any(isinstance(part, (list, dict)) for part in parts):
        return None
    if kind == "event":
        found = _event(connection, str(parts[0]))
    elif kind == "content":
        found = _content(connection, parts)
    else:
        found = [number for (number,) in connection.execute(_FOUND[kind] + " ORDER BY 1 LIMIT 1", parts)]
    return found[0] if found else None


def states(connection: sqlite3.Connection) -> tuple[str, str, frozenset[str]]:
    """The case's id, the digest of its evidence, and its own and the ids of all cases that it is a part or a rebuilding of."""
    case, digest = connection.execute("SELECT case_id, evidence_digest FROM case_info").fetchone()
    came = {parent for (told,) in connection.execute("SELECT arguments FROM custody_log ORDER BY id")
            if (parent := _parent(told))}
    parts = {parent for (parent,) in connection.execute("SELECT parent_case_id FROM part")}
    return case, digest or "", frozenset({case, *came, *parts})


def _parent(arguments: str) -> str | None:
    try:
        told = json.loads(arguments)
    except ValueError:
        return None
    found = told.get("from_case") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _named(connection: sqlite3.Connection, numbers: tuple[int | None, ...]) -> list[str | None]:
    return [None if number is None else key_of(connection, kind, number) for kind, number in zip(_ORDER, numbers, strict=True)]


def _event(connection: sqlite3.Connection, key: str) -> list[int]:
    try:
        return [find(connection, key)] if _EVENT_KEY(key) else []
    except Problem:
        return []


def _content(connection: sqlite3.Connection, parts: list) -> list[int]:
    """The very row, else the first that is the same content by a hash."""
    for at, kind in enumerate(("sha256", "sha1", "md5")):
        if parts[at] is None:
            continue
        rows = connection.execute(f"SELECT id, sha256, sha1, md5, size FROM contents WHERE {kind} = ? ORDER BY id LIMIT 1000",
                                  (parts[at],)).fetchall()
        exact = [row[0] for row in rows if list(row[1:]) == parts]
        alike = [row[0] for row in rows if not any(one and two and one != two for one, two in zip(row[1:4], parts, strict=False))]
        if exact or alike:
            return exact or alike
    return [] if any(parts[:3]) else [number for (number,) in connection.execute(
        "SELECT id FROM contents WHERE sha256 IS NULL AND sha1 IS NULL AND md5 IS NULL AND size IS ? LIMIT 1", (parts[3],))]


def _finding(connection: sqlite3.Connection, parts: list) -> int | None:
    rule, first, named, sentence = parts
    if not isinstance(rule, str) or not isinstance(named, list) or len(named) != len(_NAMED):
        return None
    numbers = [None if key is None else number_of(connection, kind, str(key)) for kind, key in zip(_ORDER, named, strict=True)]
    if any(key is not None and number is None for key, number in zip(named, numbers, strict=True)):
        return None
    fits = " AND ".join(f"{column} IS ?" for column in _NAMED)
    rows = connection.execute(f"SELECT id, first, sentence FROM findings WHERE rule = ? AND {fits} ORDER BY id",
                              (rule, *numbers)).fetchall()
    for narrower in ([row for row in rows if row[1:] == (first, sentence)], [row for row in rows if row[1] == first], rows):
        if len(narrower) == 1 or (narrower and narrower[0][1:] == (first, sentence)):
            return int(narrower[0][0])
    return None
