"""Some events as lines of a table: what changed, by whom, and the ids of all that is named, so that each can be a link."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

_LINES = """
    SELECT e.id, e.time, h.id, h.name, c.change, c.kind, e.file_id, e.registry_value_id, coalesce(p.path, f.path, v.path, r.key),
      e.content_id, coalesce(k.sha256, k.sha1, k.md5), e.process_id, n.name, n.pid, e.account_id, a.name
    FROM events e JOIN hosts h ON h.id = e.host_id JOIN changes c ON c.id = e.change_id LEFT JOIN paths p ON p.id = e.path_id
    LEFT JOIN files f ON f.id = e.file_id LEFT JOIN registry_values v ON v.id = e.registry_value_id
    LEFT JOIN registry_reports r ON r.id = e.registry_report_id LEFT JOIN contents k ON k.id = e.content_id
    LEFT JOIN processes n ON n.id = e.process_id LEFT JOIN accounts a ON a.id = e.account_id
    WHERE e.id IN ({marks}) AND e.id < (SELECT events_end FROM case_info) ORDER BY e.time, e.match_key, e.ordinal"""


@dataclass(frozen=True)
class EventLine:
    """One event in a table."""

    id: int
    time: str
    host_id: int
    host: str
    change: str
    kind: str
    file_id: int | None
    registry_value_id: int | None
    name: str | None  # the path, or the key and the value's name
    content_id: int | None
    hash: str | None
    process_id: int | None
    process: str | None
    pid: int | None
    account_id: int | None
    account: str | None


def event_lines(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[EventLine]:
    """The events of these ids that are finished, in the order of the case."""
    rows = connection.execute(_LINES.format(marks=", ".join("?" * len(numbers))), tuple(numbers))
    return [EventLine(*row) for row in rows]


def neighbours_on_host(connection: sqlite3.Connection, event: int, most: int = 5) -> list[EventLine]:
    """The event among those right before and after it on its host, in order of time, at most so many on each side."""
    here = connection.execute("SELECT host_id, time, match_key, ordinal FROM events WHERE id = ?", (event,)).fetchone()
    found = [event]
    for compared, way in (("<", "DESC"), (">", "ASC")):
        found += [number for (number,) in connection.execute(
            f"SELECT id FROM events INDEXED BY events_host WHERE host_id = ?1 AND time {compared}= ?2 "
            f"AND id < (SELECT events_end FROM case_info) AND (time, match_key, ordinal) {compared} (?2, ?3, ?4) "
            f"ORDER BY time {way}, match_key {way}, ordinal {way} LIMIT {most}", here)]
    return event_lines(connection, found)
