"""Coverage: which host was reporting when, and could a change have been seen at all.

Days are counted from the table of coverage, the edges of the asked time by the index over host and time. A day on which no
snapshot could hold anything is outside: nothing is known of it, which is not the same as that nothing was reported.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from fimforensics.queries.freshness import need

EARLIEST, LATEST = "1980", "2101"  # times outside are kept as evidence, and measure nothing
NONE, OUTSIDE, LEVELS = "·", "?", "▁▂▃▄▅▆▇█"
SCAN = 3600  # seconds within which the rows of one scan lie
NEVER = "never reported in this time"
FEW = 6  # events; fewer make no rhythm


@dataclass(frozen=True)
class Window:
    """A snapshot's own time: what it can tell lies between its first and its last event."""

    id: int
    source: str
    first: str
    last: str
    truncated: str | None


@dataclass(frozen=True)
class Silence:
    """A silence that touches the asked time; `snapshots` reach over all of it, `truncated` end, begin or are cut in it."""

    kind: str
    since: str
    until: str
    usual_gap_seconds: float | None
    fleet_events: int
    last_event_id: int | None
    next_event_id: int | None
    sentence: str
    snapshots: list[int]
    truncated: list[int]


@dataclass(frozen=True)
class Scan:
    """An observation without actor: what it found was changed at some time after `since` (None: nobody looked before)."""

    seen: str
    since: str | None
    rows: int


@dataclass(frozen=True)
class HostCoverage:
    """One host in the asked time. `strip`: one sign a day, see NONE, OUTSIDE and LEVELS (against its own busiest day)."""

    host: str
    first: str | None
    last: str | None
    events: int
    days: int
    days_with_events: int
    days_outside_snapshots: int
    longest_gap_seconds: float
    observations: int
    verdict: str
    strip: str
    silences: list[Silence]
    scans: list[Scan]


@dataclass(frozen=True)
class Coverage:
    """The asked time (until is excluded), the snapshots that reach into it, and the hosts: those that never reported first."""

    since: str | None
    until: str | None
    windows: list[Window]
    hosts: list[HostCoverage]
    warnings: list[str]


@dataclass(frozen=True)
class Frame:
    """The asked time (until is excluded), its UTC days, of each whether any snapshot reaches there, and those snapshots."""

    since: str
    until: str
    days: list[str]
    inside: list[bool]
    windows: list[Window]


def coverage(connection: sqlite3.Connection, host: str | None = None, since: str | None = None,
             until: str | None = None) -> Coverage:
    """All hosts of the case (`host` is part of a name) in the asked time; without one, from the first to the last event."""
    warnings = need(connection, "coverage")
    begin, end = span(connection, since, until)
    at = frame(connection, begin, end)
    if at is None:
        return Coverage(begin, end, [], [], warnings)
    found = [of_host(connection, number, name, at) for number, name in connection.execute(
        "SELECT id, name FROM hosts WHERE ?1 IS NULL OR instr(lower(name), lower(?1)) ORDER BY name, key", (host,)).fetchall()]
    return Coverage(begin, end, at.windows, sorted(found, key=lambda one: one.events > 0), warnings)


def span(connection: sqlite3.Connection, since: str | None = None, until: str | None = None) -> tuple[str | None, str | None]:
    """The asked time, where it is open from the first event to just after the last; None where there is none."""
    return since or _edge(connection, "ASC"), until or _after(_edge(connection, "DESC"))


def frame(connection: sqlite3.Connection, begin: str | None, end: str | None) -> Frame | None:
    """The days and snapshots between two times; None where nothing lies between them."""
    if begin is None or end is None or begin >= end:
        return None
    windows = [Window(*row) for row in connection.execute(
        "SELECT id, source, first_time, last_time, truncated FROM snapshots WHERE state = 'finished' AND first_time IS NOT NULL "
        "AND first_time < ? AND last_time >= ? ORDER BY first_time, last_time, source, id", (end, begin))]
    days = _days(begin, end)
    return Frame(begin, end, days, [any(one.first[:10] <= day <= one.last[:10] for one in windows) for day in days], windows)


def _edge(connection: sqlite3.Connection, order: str) -> str | None:
    row = connection.execute("SELECT time FROM events WHERE time >= ? AND time < ? AND +id < (SELECT events_end FROM case_info) "
                             f"ORDER BY time {order} LIMIT 1", (EARLIEST, LATEST)).fetchone()
    return row[0] if row else None


def _after(time: str | None) -> str | None:
    """The first instant after a canonical time."""
    if time is None:
        return None
    ticks = int(time[20:27]) + 1
    if ticks < 10_000_000:
        return f"{time[:20]}{ticks:07}Z"
    return (datetime.fromisoformat(time[:19]) + timedelta(seconds=1)).isoformat() + ".0000000Z"


def _days(begin: str, end: str) -> list[str]:
    """The UTC days that the time touches."""
    first, last = date.fromisoformat(begin[:10]), date.fromisoformat(end[:10])
    if end[11:] == "00:00:00.0000000Z":
        last -= timedelta(days=1)
    return [(first + timedelta(days=at)).isoformat() for at in range((last - first).days + 1)]


def of_host(connection: sqlite3.Connection, number: int, name: str, at: Frame) -> HostCoverage:
    """One host in the time of the frame; the analysis `coverage` must have been run."""
    begin, end, days, inside, windows = at.since, at.until, at.days, at.inside, at.windows
    by_day = {day: (events, gap, observed) for day, events, gap, observed in connection.execute(
        "SELECT day, events, longest_gap_seconds, observations FROM coverage WHERE host_id = ? AND day >= ? AND day <= ?",
        (number, days[0], days[-1]))}
    counts = {day: events for day, (events, _, _) in by_day.items()}
    for day in {days[0], days[-1]} & set(counts):  # the asked time may begin or end within them
        counts[day] = _count(connection, number, max(begin, day), min(end, day + "U"))
    edges = [connection.execute("SELECT time FROM events WHERE host_id = ? AND time >= ? AND time < ? "
                                f"AND +id < (SELECT events_end FROM case_info) ORDER BY time {order} LIMIT 1",
                                (number, begin, end)).fetchone() for order in ("ASC", "DESC")]
    first, last = (row[0] if row else None for row in edges)
    silences, events = _silences(connection, number, begin, end, windows), sum(counts.values())
    scans = _scans(connection, number, begin, end) if any(row[2] for row in by_day.values()) else []
    observations = sum(scan.rows for scan in scans)
    return HostCoverage(
        name, first, last, events, len(days), sum(map(bool, counts.values())), inside.count(False),
        max((gap for _, gap, _ in by_day.values()), default=0.0), observations, _verdict(events, observations, silences),
        _strip([counts.get(day, 0) for day in days], inside), silences, scans)


def _count(connection: sqlite3.Connection, host: int, begin: str, end: str) -> int:
    """The events between two times; `U` follows `T`, so a day and `U` is that day's end."""
    found: int = connection.execute("SELECT count(*) FROM events WHERE host_id = ? AND time >= ? AND time < ? "
                                    "AND +id < (SELECT events_end FROM case_info)", (host, begin, end)).fetchone()[0]
    return found


def _strip(counts: Sequence[int], inside: Sequence[bool]) -> str:
    """One sign a day, its height by the logarithm of the count against that of the busiest day."""
    most = max(counts, default=0).bit_length()
    return "".join(LEVELS[max(0, count.bit_length() * len(LEVELS) // most - 1)] if count else NONE if known else OUTSIDE
                   for count, known in zip(counts, inside, strict=True))


def _silences(connection: sqlite3.Connection, host: int, begin: str, end: str, windows: Sequence[Window]) -> list[Silence]:
    found = []
    for kind, since, until, usual, sent, last, then, sentence in connection.execute(
            "SELECT kind, since, until, usual_gap_seconds, fleet_events, last_event_id, next_event_id, sentence FROM silences "
            "WHERE host_id = ? AND since < ? AND until > ? ORDER BY since, until, kind", (host, end, begin)):
        whole = [one.id for one in windows if one.first <= since and one.last >= until]
        cut = [one.id for one in windows if one.truncated and one.first < until and one.last > since]
        found.append(Silence(kind, since, until, usual, sent, last, then, sentence, whole, cut))
    return found


def _scans(connection: sqlite3.Connection, host: int, begin: str, end: str) -> list[Scan]:
    """The observations in the asked time, with their rows in it; the last one before it bounds the first."""
    scans: list[Scan] = []
    last = None
    for (time,) in connection.execute(
            "SELECT time FROM events WHERE host_id = ? AND time >= ? AND time < ? AND process_id IS NULL AND account_id IS NULL "
            "AND +id < (SELECT events_end FROM case_info) ORDER BY time", (host, EARLIEST, end)):
        if last is None or _seconds(last, time) > SCAN:
            scans.append(Scan(time, scans[-1].seen if scans else None, 0))
        if time >= begin:
            scans[-1] = replace(scans[-1], rows=scans[-1].rows + 1)
        last = time
    return [scan for scan in scans if scan.rows]


def _seconds(one: str, other: str) -> float:
    return (datetime.fromisoformat(other[:19]) - datetime.fromisoformat(one[:19])).total_seconds()


def _verdict(events: int, observations: int, silences: Sequence[Silence]) -> str:
    """In a few words: could a change on this host have been seen?"""
    if not events:
        return NEVER
    told = []
    breaks = [one for one in silences if one.kind in ("silent", "fleet silent")]
    if breaks:
        longest = max(_seconds(one.since, one.until) for one in breaks)
        told.append(f"silent {'once' if len(breaks) == 1 else f'{len(breaks)} times'}, up to {round(longest / 3600):,} hours")
    told += sorted({one.kind for one in silences} & {"begins late", "ends early"})
    if observations == events:
        told.append("looked at now and then only")
    elif observations:
        told.append("looked at now and then, too")
    if not told:
        told.append("too few events to tell" if events < FEW else "no silence found")
    return "; ".join(told)
