"""What the templates of the case page and the event page are given: the queries' answers, made ready to be drawn."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fimforensics.errors import Problem
from fimforensics.queries.event import Event, Occurrence, event
from fimforensics.queries.summary import Summary

MOST_SHOWN = 200_000  # characters of one raw record on a page
MOST_BARS = 120

RawRecord = Callable[[sqlite3.Connection, int], bytes]

# Microsoft's columns under headings; a column stands under the first that claims it by name or beginning.
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("When and where", ("TimeGenerated", "Computer", "AzureResourceId", "Cloud", "AADTenantID", "TenantId")),
    ("What changed", ("MonitoredEntityType", "ChangeType", "File", "Original", "Registry", "Old", "New")),
    ("On whose behalf, over the network", ("Request",)),
    ("By which process and account", ("InitiatingProcessImage", "InitiatingProcess", "InitProc")),
    ("The log itself", ("",)),
)


@dataclass(frozen=True)
class HostLine:
    """One line of the table of hosts: events by kind, and the days between which there are any."""

    host_id: int
    host: str
    kinds: dict[str, int]
    events: int
    first_day: str
    last_day: str


@dataclass(frozen=True)
class Bar:
    """Some days' or hours' events in the chart, in units of a chart 100 high: kinds from the bottom up."""

    start: str
    told: str
    parts: list[tuple[str, float, float]]  # kind, y, height


def host_lines(found: Summary) -> list[HostLine]:
    """The counts by host and kind as one line a host."""
    lines: dict[int, HostLine] = {}
    for count in found.hosts:
        line = lines.get(count.host_id)
        kinds = {**(line.kinds if line else {}), count.kind: count.events}
        lines[count.host_id] = HostLine(
            count.host_id, count.host, kinds, sum(kinds.values()),
            min(count.first_day, line.first_day if line else count.first_day),
            max(count.last_day, line.last_day if line else count.last_day))
    return list(lines.values())


def kinds(found: Summary) -> list[str]:
    """The kinds of entity the case has, files first."""
    return sorted({count.kind for count in found.hosts})


def bars(found: Summary) -> list[Bar]:
    """The days, or in a short case the hours, from first to last as at most 120 bars, empty ones too: silence must show."""
    counted = [(datetime.fromisoformat(f"{hour}:00"), kind, events) for hour, kind, events in found.hours] or [
        (datetime.fromisoformat(day), kind, events) for day, kind, events in found.days]
    if not counted:
        return []
    unit = timedelta(hours=1) if found.hours else timedelta(days=1)
    first, last = counted[0][0], counted[-1][0]
    if found.hours:  # whole days, or a case of one hour would have one bar
        first, last = first.replace(hour=0), last.replace(hour=23)
    step = unit * -(-((last - first) // unit + 1) // MOST_BARS)
    sums: dict[int, dict[str, int]] = {at: {} for at in range((last - first) // step + 1)}
    for when, kind, events in counted:
        slot = sums[(when - first) // step]
        slot[kind] = slot.get(kind, 0) + events
    highest = max(sum(slot.values()) for slot in sums.values())
    return [_bar(first + at * step, step, unit, slot, highest) for at, slot in sums.items()]


def _bar(start: datetime, step: timedelta, unit: timedelta, slot: dict[str, int], highest: int) -> Bar:
    beginning, end = (_told(when, unit) for when in (start, start + step - unit))
    told = beginning if step == unit else f"{beginning} to {end}"
    total, parts, top = sum(slot.values()), [], 100.0
    for kind, events in sorted(slot.items()):
        # The whole bar grows with the square root, so that quiet days are seen beside a burst.
        height = max((total / highest) ** 0.5 * 100 * events / total, 0.5)
        top -= height
        parts.append((kind, round(top, 2), round(height, 2)))
    counts = ", ".join(f"{events:,} {kind}" for kind, events in sorted(slot.items())) or "no events"
    return Bar(beginning, f"{told}: {counts}", parts)


def _told(when: datetime, unit: timedelta) -> str:
    return f"{when:%Y-%m-%d}" if unit >= timedelta(days=1) else f"{when:%Y-%m-%d %H:00}"


@dataclass(frozen=True)
class ShownRecord:
    """An occurrence with its record's text, or with the reason why there is none."""

    at: Occurrence
    text: str | None
    more: int  # characters left out
    problem: str | None


@dataclass(frozen=True)
class EventPage:
    """An event ready to be drawn."""

    event: Event
    sections: list[tuple[str, list[tuple[str, object]]]]
    records: list[ShownRecord]


def event_page(connection: sqlite3.Connection, number: int, raw_record: RawRecord) -> EventPage | None:
    """The event's page; a record that cannot be read is told on it, and does not hide the event."""
    found = event(connection, number)
    if found is None:
        return None
    return EventPage(found, sections(found.columns), [shown(connection, at, raw_record) for at in found.occurrences])


def sections(columns: list[tuple[str, object]]) -> list[tuple[str, list[tuple[str, object]]]]:
    """The columns under their headings, in order; headings without any are left out."""
    under: dict[str, list[tuple[str, object]]] = {heading: [] for heading, _ in SECTIONS}
    for name, value in columns:
        under[next(heading for heading, beginnings in SECTIONS if name.startswith(beginnings))].append((name, value))
    return [(heading, found) for heading, found in under.items() if found]


def shown(connection: sqlite3.Connection, at: Occurrence, raw_record: RawRecord) -> ShownRecord:
    """The record's own bytes as text; bytes that are none in its encoding stay visible as escapes."""
    try:
        raw = raw_record(connection, at.seq)
    except Problem as problem:
        return ShownRecord(at, None, 0, problem.line())
    text = _decoded(raw, "utf-8" if at.rendered else at.encoding)
    return ShownRecord(at, text[:MOST_SHOWN], max(len(text) - MOST_SHOWN, 0), None)


def _decoded(raw: bytes, encoding: str) -> str:
    """The bytes as text; any that are none in the encoding become visible escapes of themselves."""
    try:
        return raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return raw.decode("utf-8", "surrogateescape")
