"""What is to be known of each host's times: its days, its long gaps, its first and last event, its rows without an actor.

Times of one host come in order straight out of the index over host and time; no event's row is read. Rows that name neither
process nor account are what an agentless scan leaves: if they come in clusters at most every half day, they are observations.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import apsw

from fimforensics import sql
from fimforensics.analyses.contract import EVENTS_END, Progress

LONG = 6 * 3600.0  # seconds; no shorter gap is called a silence
SHORT = 60.0  # seconds; shorter gaps tell nothing of a rhythm
STEP = 50_000  # events between two reports of progress
CLUSTER, CADENCE = 3600.0, 12 * 3600.0  # observations of one scan lie within an hour, scans at least half a day apart
# The + keeps SQLite at the index over host and time.
_SANE = f"+e.id < {EVENTS_END} AND e.time >= '1980' AND e.time < '2101'"
_TIMES = f"SELECT e.host_id, e.time FROM events e WHERE {_SANE} ORDER BY e.host_id, e.time"
_NO_ACTOR = (f"SELECT e.host_id, e.time FROM events e NOT INDEXED WHERE {_SANE} AND e.process_id IS NULL "
             "AND e.account_id IS NULL ORDER BY e.host_id, e.time")


@dataclass
class Host:
    """A host's times. `gaps` are the lengths of those over a minute, `long` the long ones with their borders, in order."""

    id: int
    key: str
    name: str
    first: str
    last: str = ""
    gaps: array = field(default_factory=lambda: array("d"))
    short: float = 0.0  # seconds of all shorter gaps together
    long: list[tuple[str, str]] = field(default_factory=list)


@lru_cache(maxsize=1 << 12)
def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() * 86_400


def seconds(time: str) -> float:
    """Seconds of a canonical time since some day long ago, exact to the microsecond."""
    return _day(time[:10]) + int(time[11:13]) * 3600 + int(time[14:16]) * 60 + float(time[17:27])


def hosts(db: apsw.Connection, progress: Progress) -> Iterator[tuple[Host, list[list]]]:
    """Every host that has events, with its rows of the table coverage."""
    names = {number: (key, name) for number, key, name in sql.rows(db, "SELECT id, key, name FROM hosts")}
    observed = _observed(db)
    total = max(sql.cell(db, "SELECT events_end FROM case_info"), 1)
    host: Host | None = None
    days: list[list] = []
    day, before = "", 0.0
    for done, (number, time) in enumerate(db.cursor().execute(_TIMES), 1):
        now = seconds(time)
        if host is None or host.id != number:
            if host is not None:
                yield host, _ended(host, days, observed)
            host, days, day, before = Host(number, *names[number], first=time), [], "", now
        if not time.startswith(day) or not day:
            if days:
                days[-1][4] = host.last
            day = time[:10]
            days.append([number, day, 0, time, time, 0.0, 0])
        gap = now - before
        if gap < SHORT:
            host.short += gap
        else:
            host.gaps.append(gap)
            if gap >= LONG:
                host.long.append((host.last, time))
        if gap > days[-1][5]:
            days[-1][5] = round(gap, 3)
        days[-1][2] += 1
        host.last, before = time, now
        if not done % STEP:
            progress("coverage", min(done, total), total)
    if host is not None:
        yield host, _ended(host, days, observed)


def _ended(host: Host, days: list[list], observed: dict[int, dict[str, int]]) -> list[list]:
    """The host's days, whole."""
    days[-1][4] = host.last
    for day in days:
        day[6] = observed.get(host.id, {}).get(day[1], 0)
    return days


def _observed(db: apsw.Connection) -> dict[int, dict[str, int]]:
    """For each host whose rows without an actor keep the cadence of scans: how many there are on each day."""
    found: dict[int, dict[str, int]] = {}
    broken: set[int] = set()
    host, begun, before = None, 0.0, 0.0
    for number, time in db.execute(_NO_ACTOR):
        now = seconds(time)
        if number != host:
            host, begun = number, now
        elif now - before > CLUSTER:
            if now - begun < CADENCE:
                broken.add(number)
            begun = now
        elif now - begun > CADENCE / 2:
            broken.add(number)  # no scan goes on and on
        before = now
        if number not in broken:
            days = found.setdefault(number, {})
            days[time[:10]] = days.get(time[:10], 0) + 1
    return {number: days for number, days in found.items() if number not in broken}
