"""How much each host reported on each day: what a heat map of coverage draws, from rollups alone.

The counts come from the table of coverage; where that analysis never ran, from the counts by day that every case has, and then
silences are not known. Many days are put together, so that a map is never wider than it can be looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fimforensics.queries.coverage import Frame
from fimforensics.queries.freshness import states

MOST_COLUMNS = 120


@dataclass(frozen=True)
class Silent:
    """A silence of a host, with its events at both ends."""

    id: int
    host_id: int
    kind: str
    since: str
    until: str
    sentence: str
    last_event_id: int | None
    next_event_id: int | None


@dataclass(frozen=True)
class Line:
    """One host: events and, among them, observations of scans by column; its silences in this time."""

    id: int
    name: str
    events: int
    days_with_events: int
    first_day: str | None
    last_day: str | None
    counts: list[int]
    observations: list[int]
    silences: list[Silent]


@dataclass(frozen=True)
class Heat:
    """The map: each of `columns` begins `step` days, `inside`: does a snapshot reach there; `most`: the largest count."""

    first: str
    last: str
    step: int
    columns: list[str]
    inside: list[bool]
    most: int
    silences_known: bool
    lines: list[Line]


def heat(connection: sqlite3.Connection, at: Frame, hosts: Sequence[tuple[int, str]]) -> Heat:
    """The map of these hosts (id and name), in their order, over the whole days of the frame."""
    step = -(-len(at.days) // MOST_COLUMNS)
    columns = at.days[::step]
    inside = [any(at.inside[first:first + step]) for first in range(0, len(at.days), step)]
    known = "coverage" in states(connection)
    lines = [_line(connection, number, name, at, step, len(columns), known) for number, name in hosts]
    most = max((max(line.counts) for line in lines), default=0)
    return Heat(at.days[0], at.days[-1], step, columns, inside, most, known, lines)


def _line(connection: sqlite3.Connection, number: int, name: str, at: Frame, step: int, columns: int, known: bool) -> Line:
    rows = connection.execute(
        "SELECT day, events, observations FROM coverage WHERE host_id = ? AND day >= ? AND day <= ?" if known else
        "SELECT day, sum(events), 0 FROM event_counts WHERE host_id = ? AND day >= ? AND day <= ? GROUP BY day ORDER BY day",
        (number, at.days[0], at.days[-1])).fetchall()
    counts, observations, begin = [0] * columns, [0] * columns, date.fromisoformat(at.days[0]).toordinal()
    for day, events, observed in rows:
        column = (date.fromisoformat(day).toordinal() - begin) // step
        counts[column] += events
        observations[column] += observed
    return Line(number, name, sum(counts), len(rows), rows[0][0] if rows else None, rows[-1][0] if rows else None, counts,
                observations, silences(connection, number, at.since, at.until) if known else [])


def silences(connection: sqlite3.Connection, host: int, begin: str, end: str) -> list[Silent]:
    """A host's silences that touch this time, in its order."""
    return [Silent(*row) for row in connection.execute(
        "SELECT id, host_id, kind, since, until, sentence, last_event_id, next_event_id FROM silences "
        "WHERE host_id = ? AND since < ? AND until > ? ORDER BY since, until, kind", (host, end, begin))]


def longest(connection: sqlite3.Connection, most: int) -> tuple[int, list[Silent]]:
    """How many silences the case has, and the longest of them."""
    total = connection.execute("SELECT count(*) FROM silences").fetchone()[0]
    return total, [Silent(*row) for row in connection.execute(
        "SELECT s.id, host_id, kind, since, until, sentence, last_event_id, next_event_id FROM silences s JOIN hosts h "
        "ON h.id = s.host_id ORDER BY julianday(until) - julianday(since) DESC, h.key, since, kind LIMIT ?", (most,))]
