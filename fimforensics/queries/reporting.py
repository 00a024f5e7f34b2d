"""When a host was reporting, as far as its events show it, so that no silence is taken for innocence.

A table of changes has no heartbeat. A host is taken to report from its first event to its last one but for the silences that the
analysis `coverage` found, and after its last event for as long as it usually is quiet. Where that analysis never ran, its first
and last event are all there is to go by.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median_low

from fimforensics.queries.moments import EARLIEST, LATEST

END = "~"  # sorts after every time: as things stood when last heard of


@dataclass(frozen=True)
class Host:
    """A host, its first and last event (None where none has a usable time), and when it was silent (ordered, apart)."""

    id: int
    key: str
    name: str
    first: str | None
    last: str | None
    usual_seconds: float = 0.0  # how long it is quiet on an ordinary day
    silences: tuple[tuple[str, str], ...] = field(default=())

    def gap(self, since: str, until: str) -> str | None:
        """Why the host may have changed unseen from `since` to `until`, as a sentence's part; None where it was reporting.

        END as `until` asks for no more than up to its last event.
        """
        if self.first is None or self.last is None:
            return f"no event of {self.name} has a usable time"
        if until == END:
            until = max(self.last, since)
        if since < self.first:
            return f"no event of {self.name} before {told(self.first)}"
        if until > self.last and seconds(self.last, until) > self.usual_seconds:
            return f"no event of {self.name} after {told(self.last)}"
        at = bisect_right(self.silences, (since, "~")) - 1
        for begun, ended in self.silences[max(at, 0):at + 2]:
            if begun < until and since < ended:
                return f"{self.name} was silent from {told(begun)} to {told(ended)}"
        return None


def told(time: str) -> str:
    """A time as sentences have it: `2026-10-12 08:00:05`."""
    return f"{time[:10]} {time[11:19]}"


def seconds(since: str, until: str) -> float:
    """From one time of a case to another."""
    return (datetime.fromisoformat(until[:26]) - datetime.fromisoformat(since[:26])).total_seconds()


def hosts(connection: sqlite3.Connection, only: Iterable[int] | None = None) -> list[Host]:
    """The hosts with events (those of these ids, when told), by name and key, with what is known of their silences."""
    wanted = None if only is None else set(only)
    found = [_host(connection, *row) for row in connection.execute("SELECT id, key, name FROM hosts ORDER BY name, key")
             if wanted is None or row[0] in wanted]
    return [host for host in found if host is not None]


def _host(connection: sqlite3.Connection, number: int, key: str, name: str) -> Host | None:
    span = ("SELECT time FROM events WHERE host_id = ? AND time >= ? AND time < ? AND id < (SELECT events_end FROM case_info) "
            "ORDER BY time {} LIMIT 1")
    first = connection.execute(span.format("ASC"), (number, EARLIEST, LATEST)).fetchone()
    last = connection.execute(span.format("DESC"), (number, EARLIEST, LATEST)).fetchone()
    if first is None and connection.execute("SELECT 1 FROM events WHERE host_id = ? AND id < (SELECT events_end FROM case_info) "
                                            "LIMIT 1", (number,)).fetchone() is None:
        return None
    gaps = [gap for (gap,) in connection.execute("SELECT longest_gap_seconds FROM coverage WHERE host_id = ?", (number,))]
    silences = connection.execute("SELECT since, until FROM silences WHERE host_id = ? ORDER BY since, until", (number,))
    return Host(number, key, name, first[0] if first else None, last[0] if last else None,
                median_low(gaps) if gaps else 0.0, _apart(silences))


def _apart(stretches: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Ordered stretches of time with those that overlap made one."""
    made: list[tuple[str, str]] = []
    for since, until in stretches:
        if made and since < made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], until))
        else:
            made.append((since, until))
    return tuple(made)


def quiet(connection: sqlite3.Connection, host: Host, since: str, until: str) -> str | None:
    """Why nothing shows that the host reported all the way from `since` to `until`; None where it did.

    More than `gap`: at least one event must lie in the time asked about, or around it no further apart than is usual.
    """
    if (why := host.gap(since, until)) is not None or since == until or until == END:
        return why
    around = ("SELECT {}(time) FROM events WHERE host_id = ? AND time {} ? AND time >= ? AND time < ? "
              "AND id < (SELECT events_end FROM case_info)")
    before, after = (connection.execute(around.format(*how), (host.id, since, EARLIEST, LATEST)).fetchone()[0]
                     for how in (("max", "<"), ("min", ">=")))
    if after is None or before is None or after <= until or seconds(before, after) <= host.usual_seconds:
        return None
    return f"no event of {host.name} between {told(before)} and {told(after)}"
