"""Logical digests: two cases are the same case when these are equal, whatever their ids, their order of ingest and their clocks.

Every row is written with the natural keys of what it refers to, as a canonical JSON array on a line of its own; the lines of a
table are sorted by those keys, and the SHA-256 goes over them. `events_digest` is of what happened alone, so that the same
changes out of other shapes or other portions give the same; `case_digest` is of all the evidence, where it lies in its
sources too. `root` is the tree over the leaves and depends on the order of ingest and the case's key.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from hashlib import sha256

from fimforensics.evidence.leaves import root
from fimforensics.model import COLUMNS
from fimforensics.schema import PATH_FORM_SHIFT, column_expression, joins

_EVENT = "lower(hex(e.match_key)), e.ordinal"
_EVENTS = (f"SELECT {_EVENT}, {', '.join(column_expression(name) for name in COLUMNS)}, e.forms >> {PATH_FORM_SHIFT}, "
           "e.extra, e.flags, h.key, h.name, f.key, f.path, v.key, v.name, v.path, n.pid, n.created, n.image_key, n.name, "
           f"n.weak, a.name {joins()} JOIN hosts h ON h.id = e.host_id LEFT JOIN files f ON f.id = e.file_id "
           "LEFT JOIN registry_values v ON v.id = e.registry_value_id LEFT JOIN processes n ON n.id = e.process_id "
           "WHERE e.id < (SELECT events_end FROM case_info) ORDER BY e.match_key, e.ordinal")
_SET = "(SELECT group_concat(sha256, ' ') FROM (SELECT x.sha256 FROM snapshots x WHERE x.set_id = s.set_id ORDER BY 1))"
_SOURCES = (
    f"SELECT s.sha256, s.source, {_SET}, s.size, s.sha1, s.md5, s.shape, s.source_table, s.reading, s.columns_found, "
    "s.columns_missing, s.columns_unknown, s.partial_columns, s.first_time, s.last_time, s.records, s.rejects, s.truncated "
    "FROM snapshots s WHERE s.state = 'finished' ORDER BY s.sha256, s.source",
    "SELECT s.sha256, s.source, m.name, m.shape, m.source_table, m.cached, "
    "CASE WHEN json_extract(m.header, '$.cache_of') IS NULL THEN m.header ELSE json_remove(m.header, '$.cache_of') END "
    "FROM members m "
    "JOIN snapshots s ON s.id = m.snapshot_id WHERE s.state = 'finished' ORDER BY 1, 2, 3, 7",
    "SELECT s.sha256, s.source, m.name, p.kind, p.offset, p.length FROM preambles p JOIN members m ON m.id = p.member_id "
    "JOIN snapshots s ON s.id = m.snapshot_id WHERE s.state = 'finished' ORDER BY 1, 2, 3, 5",
    # Of several events of one key that say the same it does not matter which a record tells of: so the row, not the ordinal.
    "SELECT s.sha256, s.source, m.name, o.offset, o.length, o.item_id, lower(hex(e.match_key)), k.row_check "
    "FROM occurrences o JOIN events e ON e.id = o.event_id JOIN event_keys k ON k.event_id = e.id "
    "JOIN members m ON m.id = o.member_id JOIN snapshots s ON s.id = o.snapshot_id "
    "WHERE s.state = 'finished' ORDER BY 1, 2, 3, 4, 5",
    "SELECT s.sha256, s.source, m.name, r.record, r.offset, r.length, r.reason FROM rejects r "
    "JOIN members m ON m.id = r.member_id JOIN snapshots s ON s.id = r.snapshot_id "
    "WHERE s.state = 'finished' ORDER BY 1, 2, 3, 5",
)


def digests(connection: sqlite3.Connection) -> dict[str, str]:
    """`root`, `events_digest` and `case_digest`, in hexadecimal; looks at every row of the evidence."""
    events = _digest(connection.execute(_EVENTS))
    parts = [events, *(_digest(connection.execute(sql)) for sql in _SOURCES)]
    return {"root": leaves_root(connection), "events_digest": events,
            "case_digest": sha256("\n".join(parts).encode()).hexdigest()}


def leaves_root(connection: sqlite3.Connection) -> str:
    """The root over all leaves, in the order in which records were accepted."""
    return root(data[at:at + 32] for (data,) in connection.execute("SELECT hashes FROM leaves ORDER BY first_seq")
                for at in range(0, len(data), 32)).hex()


def _digest(rows: Iterable[tuple]) -> str:
    found = sha256()
    for row in rows:
        found.update(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n")
    return found.hexdigest()
