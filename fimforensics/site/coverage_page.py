"""The page of coverage: which host was reporting when, a page of hosts at a time, over the whole case or an asked time.

Hosts that never reported in the time come first, then those with silences, then all others by name. Without the analysis there is
still the map; what a silence is, only it knows.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from fimforensics.queries import coverage, heat
from fimforensics.queries.freshness import need, states
from fimforensics.queries.moments import moment
from fimforensics.site.twins import Asked
from fimforensics.text import storable

HOSTS, WINDOWS = 50, 50  # on one page
# What lies outside measures nothing; an asked time is cut to it.
EARLIEST, LATEST = "1980-01-01T00:00:00.0000000Z", "2101-01-01T00:00:00.0000000Z"


@dataclass(frozen=True)
class HostTold:
    """A host of the page: its number, and its coverage (None where the analysis never ran)."""

    id: int
    name: str
    coverage: coverage.HostCoverage | None
    silences: list[heat.Silent]


@dataclass(frozen=True)
class CoveragePage:
    """What the page tells; `hosts_in_all` fit the asked part of a name, of which those from number `start` on are shown."""

    since: str | None
    until: str | None
    narrowed: bool
    never_ran: bool
    warnings: list[str]
    hosts_in_all: int
    start: int
    never_reported: int
    windows_in_all: int
    windows: list[coverage.Window]
    truncated: list[coverage.Window]
    heat: heat.Heat | None
    hosts: list[HostTold]


def ask(connection: sqlite3.Connection, asked: Asked) -> CoveragePage:
    """The page for `host` (part of a name), `since`, `until` (as the command takes them) and `start` (hosts to leave out)."""
    ran = "coverage" in states(connection)
    since, until = (moment(connection, text, name) if (text := asked.one(name).strip()) else None for name in ("since", "until"))
    begin, end = coverage.span(connection, *(time and min(max(time, EARLIEST), LATEST) for time in (since, until)))
    at, part = coverage.frame(connection, begin, end), storable(asked.one("host"))[0].strip() or None
    warnings = need(connection, "coverage") if ran else []
    start = asked.whole("start", 0)
    if at is None:
        return CoveragePage(begin, end, bool(since or until), not ran, warnings, 0, 0, 0, 0, [], [], None, [])
    found, never, shown = _hosts(connection, part, at, start)
    told = [HostTold(number, name, coverage.of_host(connection, number, name, at) if ran else None,
                     heat.silences(connection, number, at.since, at.until) if ran else []) for number, name in shown]
    return CoveragePage(at.since, at.until, bool(since or until), not ran, warnings, found, start, never, len(at.windows),
                        at.windows[:WINDOWS], [one for one in at.windows if one.truncated][:WINDOWS],
                        heat.heat(connection, at, shown), told)


def _hosts(connection: sqlite3.Connection, part: str | None, at: coverage.Frame,
           start: int) -> tuple[int, int, list[tuple[int, str]]]:
    """How many hosts fit, how many of them never reported in the time, and those of the page."""
    rows = connection.execute("""
        SELECT h.id, h.name, EXISTS (SELECT 1 FROM events e WHERE e.host_id = h.id AND e.time >= ?1 AND e.time < ?2
                AND +e.id < (SELECT events_end FROM case_info)) AS reported
        FROM hosts h WHERE (?3 IS NULL OR instr(lower(h.name), lower(?3)))
        ORDER BY reported, EXISTS (SELECT 1 FROM silences s WHERE s.host_id = h.id AND s.since < ?2 AND s.until > ?1) DESC,
            h.name, h.key""", (at.since, at.until, part)).fetchall()
    return len(rows), sum(not row[2] for row in rows), [(number, name) for number, name, _ in rows[start:start + HOSTS]]
