"""What a case holds, in one look: its events by host and kind and day, where they came from, what is missing.

Counts come from the rollup `event_counts`, so the look costs the same at a million events; only those by hour, which no rollup
has, are counted from the events, and only where they are few.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta

LATEST = "2101"  # a time beyond is a "never" (9999), kept as evidence and no measure of when the case ends

DAYS_BY_HOUR = 3
MOST_COUNTED = 100_000  # events that may be counted by hour while a page is waited for


@dataclass(frozen=True)
class Facts:
    """The case's own row, and the first and last time of its events."""

    case_id: str
    case_number: str | None
    examiner: str | None
    note: str | None
    created: str
    tool: str
    format: int
    events: int
    hosts: int
    sources: int
    first_time: str | None
    last_time: str | None
    odd_times: int  # events whose year is before 1980 or after 2100


@dataclass(frozen=True)
class HostCount:
    """One host's events of one kind, with the first and last day that has any."""

    host_id: int
    host: str
    kind: str
    events: int
    first_day: str
    last_day: str


@dataclass(frozen=True)
class ChangeCount:
    """How often one kind of change was seen, and on how many hosts; `entity` is the kind as the source spelled it."""

    change_id: int
    kind: str
    change: str
    entity: str | None
    events: int
    hosts: int


@dataclass(frozen=True)
class Source:
    """One snapshot: what was taken in from one source, and why it may not be the whole of it."""

    id: int
    source: str
    state: str
    shape: str | None
    table: str | None
    sha256: str | None
    records: int
    new_events: int
    known_events: int
    rejects: int
    first_time: str | None
    last_time: str | None
    partial_columns: bool
    truncated: str | None


@dataclass(frozen=True)
class RejectCount:
    """Records of one source that could not become events, for one reason."""

    snapshot_id: int
    source: str
    reason: str
    records: int
    replayed: int
    first_seq: int


@dataclass(frozen=True)
class Summary:
    """All of it; lists in a fixed order."""

    facts: Facts
    hosts: list[HostCount]
    changes: list[ChangeCount]
    days: list[tuple[str, str, int]]  # day, kind, events
    hours: list[tuple[str, str, int]]  # the same by hour (2026-09-04T07) where all lies within a few days, else nothing
    sources: list[Source]  # those of which something must be said come first; facts.sources is how many there are
    rejects: list[RejectCount]
    stale: list[str]  # what was computed from older evidence than the case holds

    @property
    def unfinished(self) -> list[Source]:
        """Snapshots whose ingest has not come to its end; their events are shown nowhere."""
        return [source for source in self.sources if source.state != "finished"]


def summary(connection: sqlite3.Connection, most: int = 12) -> Summary:
    """The case in one look, with at most `most` sources and reasons for rejected records."""
    by_day = days(connection)
    return Summary(facts(connection), hosts(connection), changes(connection), by_day, hours(connection, by_day),
                   sources(connection, most), reject_reasons(connection, most), stale(connection))


def stale(connection: sqlite3.Connection) -> list[str]:
    """The names of what was computed from older evidence than the case now holds."""
    return [name for (name,) in connection.execute(
        "SELECT a.name FROM analyses a, case_info c WHERE a.evidence_digest <> c.evidence_digest ORDER BY 1")]


def facts(connection: sqlite3.Connection) -> Facts:
    """The case's own row and the span of its events; a time after 2100 or before 1980 does not stretch the span."""
    case_id, number, examiner, note, created, tool, version, end = connection.execute(
        "SELECT case_id, case_number, examiner, note, created, tool, format, events_end FROM case_info").fetchone()
    events, seen = connection.execute("SELECT coalesce(sum(events), 0), count(DISTINCT host_id) FROM event_counts").fetchone()
    taken = connection.execute("SELECT count(*) FROM snapshots").fetchone()[0]
    odd = connection.execute("SELECT coalesce(sum(events), 0) FROM event_counts WHERE day < '1980' OR day >= ?",
                             (LATEST,)).fetchone()[0]
    span = "SELECT time FROM events WHERE time >= '1980' AND time < ? AND id < ? ORDER BY time {} LIMIT 1"
    first = connection.execute(span.format("ASC"), (LATEST, end)).fetchone()
    last = connection.execute(span.format("DESC"), (LATEST, end)).fetchone()
    return Facts(case_id, number, examiner, note, created, tool, version, events, seen, taken,
                 first[0] if first else None, last[0] if last else None, odd)


def hosts(connection: sqlite3.Connection) -> list[HostCount]:
    """Events by host and kind, hosts by name."""
    rows = connection.execute("""
        WITH counted AS (SELECT host_id, change_id, sum(events) AS events, min(day) AS first, max(day) AS last
                         FROM event_counts GROUP BY host_id, change_id)
        SELECT n.host_id, h.name, c.kind, sum(n.events), min(n.first), max(n.last)
        FROM counted n JOIN hosts h ON h.id = n.host_id JOIN changes c ON c.id = n.change_id
        GROUP BY n.host_id, c.kind ORDER BY h.name, n.host_id, c.kind""")
    return [HostCount(*row) for row in rows]


def changes(connection: sqlite3.Connection) -> list[ChangeCount]:
    """Events by change, the most frequent first."""
    rows = connection.execute("""
        WITH counted AS (SELECT host_id, change_id, sum(events) AS events FROM event_counts GROUP BY host_id, change_id)
        SELECT c.id, c.kind, c.change, c.entity, sum(n.events) AS total, count(*)
        FROM counted n JOIN changes c ON c.id = n.change_id
        GROUP BY c.id ORDER BY total DESC, c.kind, c.change, c.id""")
    return [ChangeCount(*row) for row in rows]


def days(connection: sqlite3.Connection, host_id: int | None = None, change_id: int | None = None) -> list[tuple[str, str, int]]:
    """Events by UTC day and kind, in order, of all or of a host or change; days without any are not listed."""
    wheres = [f"{name} = {value:d}" for name, value in (("host_id", host_id), ("change_id", change_id)) if value is not None]
    rows = connection.execute(f"""
        WITH counted AS (SELECT day, change_id, sum(events) AS events FROM event_counts
                         WHERE {' AND '.join(wheres) or '1'} GROUP BY day, change_id)
        SELECT n.day, c.kind, sum(n.events) FROM counted n JOIN changes c ON c.id = n.change_id
        WHERE n.day >= '1980' AND n.day < ? GROUP BY n.day, c.kind ORDER BY n.day, c.kind""", (LATEST,))
    return [(day, kind, events) for day, kind, events in rows]


def hours(connection: sqlite3.Connection, by_day: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """Events by UTC hour and kind, in order, where they are few and lie within three days; else nothing."""
    if not by_day or sum(events for *_, events in by_day) > MOST_COUNTED:
        return []
    first, last = (date.fromisoformat(by_day[at][0]) for at in (0, -1))
    if (last - first).days >= DAYS_BY_HOUR:
        return []
    rows = connection.execute("""
        SELECT substr(e.time, 1, 13) AS hour, c.kind, count(*) FROM events e JOIN changes c ON c.id = e.change_id
        WHERE e.time >= ? AND e.time < ? AND e.id < (SELECT events_end FROM case_info)
        GROUP BY hour, c.kind ORDER BY hour, c.kind""", (first.isoformat(), (last + timedelta(days=1)).isoformat()))
    return [(hour, kind, events) for hour, kind, events in rows]


def sources(connection: sqlite3.Connection, most: int = 12) -> list[Source]:
    """At most so many snapshots: the unfinished, cut and partly rejected ones first, then in the order of taking."""
    rows = connection.execute("""
        SELECT id, source, state, shape, source_table, sha256, records, new_events, known_events, rejects, first_time,
               last_time, partial_columns, truncated FROM snapshots
        ORDER BY state = 'finished', truncated IS NULL, partial_columns = 0, rejects = 0, id LIMIT ?""", (most,))
    return [Source(*[*told, bool(partial), truncated or None]) for *told, partial, truncated in rows]


def reject_reasons(connection: sqlite3.Connection, most: int = 12) -> list[RejectCount]:
    """Why records were rejected, by source and reason, the most frequent first."""
    rows = connection.execute("""
        SELECT r.snapshot_id, s.source, r.reason, count(*) AS total, count(r.replayed_as), min(r.seq)
        FROM rejects r JOIN snapshots s ON s.id = r.snapshot_id
        GROUP BY r.snapshot_id, r.reason ORDER BY total DESC, r.snapshot_id, r.reason LIMIT ?""", (most,))
    return [RejectCount(*row) for row in rows]
