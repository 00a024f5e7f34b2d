"""What a case is made of: its own row, its snapshots, its rejects, its custody log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from fimforensics.queries.summary import stale

_SNAPSHOT = """SELECT s.id, s.source, s.state, s.sha256, s.sha1, s.md5, s.size, s.modified, s.shape, s.source_table AS "table",
    s.records, s.new_events AS events, s.known_events AS known, s.rejects, s.truncated, s.first_time, s.last_time,
    s.set_id AS "set", s.partial_columns, s.columns_missing, s.columns_unknown, s.reading, s.acquired, s.finished, s.duration_ms,
    s.case_number, s.examiner, s.note, s.tool FROM snapshots s ORDER BY s.id"""


def _rows(cursor: sqlite3.Cursor) -> Iterator[dict]:
    names = [name for name, *_ in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def snapshots(connection: sqlite3.Connection) -> Iterator[dict]:
    """Every acquisition with all that is known of it, in order; columns and the reading as lists and objects."""
    for row in _rows(connection.execute(_SNAPSHOT)):
        for name in ("columns_missing", "columns_unknown", "reading"):
            row[name] = json.loads(row[name]) if row[name] else None
        row["partial_columns"] = bool(row["partial_columns"])
        yield row


def info(connection: sqlite3.Connection) -> dict:
    """The case in a few figures; times are those of its events, UTC."""
    found = next(_rows(connection.execute(
        "SELECT case_id, format, created, case_number, examiner, note, tool, evidence_digest, events_end FROM case_info")))
    end = found.pop("events_end")
    one = lambda sql: connection.execute(sql).fetchone()  # noqa: E731
    first, last = one(f"SELECT min(time), max(time) FROM events WHERE id < {end}")
    kinds = dict(connection.execute("SELECT c.kind, sum(n.events) FROM event_counts n JOIN changes c ON c.id = n.change_id "
                                    "GROUP BY 1 ORDER BY 1"))
    hosts = dict(connection.execute("SELECT h.name, sum(n.events) FROM event_counts n JOIN hosts h ON h.id = n.host_id "
                                    "GROUP BY h.id ORDER BY 1"))
    totals = one("SELECT count(*), count(DISTINCT set_id), coalesce(sum(records), 0), coalesce(sum(new_events), 0), "
                 "coalesce(sum(known_events), 0), coalesce(sum(rejects), 0), coalesce(sum(truncated IS NOT NULL), 0) "
                 "FROM snapshots WHERE state = 'finished'")
    live = one("SELECT count(*), coalesce(sum(complete), 0) FROM pulls")
    unfinished = one("SELECT source, resume FROM snapshots WHERE state = 'unfinished'")
    marks = json.loads(unfinished[1])["marks"] if unfinished else {}  # what is beyond came with the unfinished snapshot
    entities = {kind: one(f"SELECT count(*) FROM {kind} WHERE id <= {marks.get(kind, (1 << 63) - 1)}")[0]
                for kind in ("files", "registry_values", "processes", "accounts", "contents")}
    return found | {
        "first": first, "last": last,
        **dict(zip(("snapshots", "sets", "records", "events", "known", "rejects", "truncated"), totals, strict=True)),
        "live": live[0], "live_complete": live[1], "kinds": kinds, "hosts": hosts, **entities,
        "unfinished": unfinished[0] if unfinished else None, "stale": stale(connection)}


def rejects(connection: sqlite3.Connection, snapshot: int | None = None) -> Iterator[dict]:
    """Records that could not become events, with the reason; `record` counts from 1 in its source, `seq` in the case."""
    yield from _rows(connection.execute(
        "SELECT r.seq, r.snapshot_id AS snapshot, s.source, m.name AS member, r.record, r.offset, r.length, r.reason, "
        "r.replayed_as FROM rejects r JOIN snapshots s ON s.id = r.snapshot_id JOIN members m ON m.id = r.member_id "
        "WHERE ?1 IS NULL OR r.snapshot_id = ?1 ORDER BY r.seq", (snapshot,)))


def untold(connection: sqlite3.Connection) -> list[int]:
    """The finished snapshots whose taking no entry of the custody log tells of; those of a part were taken by the whole."""
    return [number for (number,) in connection.execute(
        "SELECT id FROM snapshots WHERE state = 'finished' AND id NOT IN "
        "(SELECT json_extract(arguments, '$.snapshot') FROM custody_log WHERE action = 'ingest') "
        "AND NOT EXISTS (SELECT 1 FROM part) ORDER BY 1")]


def custody(connection: sqlite3.Connection) -> Iterator[dict]:
    """The custody log, in order."""
    yield from _rows(connection.execute("SELECT * FROM custody_log ORDER BY id"))
