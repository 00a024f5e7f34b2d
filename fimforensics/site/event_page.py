"""The page of an event: Microsoft's columns, its records, and what stands around it.

Around it: its place among the versions of its file or value, the findings that stand on it, and the events before and after it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from fimforensics import paths
from fimforensics.errors import Problem
from fimforensics.evidence.raw import raw_record
from fimforensics.queries import surroundings
from fimforensics.queries.event import Event, Occurrence, event
from fimforensics.queries.event_lines import EventLine, neighbours_on_host
from fimforensics.queries.findings_listed import of_numbers
from fimforensics.queries.parts import altered
from fimforensics.queries.rules import WITH_RULES
from fimforensics.site.parts import FindingLine, Thing, line, warnings
from fimforensics.site.twins import Asked

MOST_SHOWN = 200_000  # characters of one raw record on a page
MOST_FINDINGS = 20

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
class ShownRecord:
    """An occurrence with its record's text, or with the reason why there is none."""

    at: Occurrence
    text: str | None
    more: int  # characters left out
    problem: str | None


@dataclass(frozen=True)
class Place:
    """The event's place among the versions of a file or value, which has a page unless the case lost it."""

    thing: Thing | None
    place: surroundings.Place


@dataclass(frozen=True)
class EventPage:
    """An event ready to be drawn."""

    event: Event
    sections: list[tuple[str, list[tuple[str, object]]]]
    records: list[ShownRecord]
    requester: Thing | None  # the account on whose behalf it was asked for over the network
    places: tuple[Place, ...]
    findings: tuple[FindingLine, ...]
    more_findings: bool
    beside: tuple[dict, ...]  # the event before and after of the same file or value, and of the same process
    around: tuple[EventLine, ...]  # before and after on the same host
    warnings: tuple[str, ...]
    altered: tuple[dict, ...]  # of an event in a part: what was done to it


def ask(connection: sqlite3.Connection, asked: Asked) -> EventPage | None:
    """What the twin of an event's page tells."""
    return event_page(connection, asked.number)


def event_page(connection: sqlite3.Connection, number: int, raw: RawRecord = raw_record) -> EventPage | None:
    """The event's page; a record that cannot be read is told on it, and does not hide the event."""
    found = event(connection, number)
    if found is None:
        return None
    standing = surroundings.findings(connection, number)
    beside = (one for one in surroundings.neighbours(connection, number) if one["same"] != "host")
    return EventPage(
        found, sections(found.columns), [shown(connection, at, raw) for at in found.occurrences],
        _requester(connection, number), tuple(_places(connection, found)),
        tuple(line(one) for one in of_numbers(connection, [one["id"] for one in standing[:MOST_FINDINGS]])),
        len(standing) > MOST_FINDINGS, tuple(beside), tuple(neighbours_on_host(connection, number)),
        warnings(connection, *dict.fromkeys(("versions", *WITH_RULES))), tuple(altered(connection, number)))


def _requester(connection: sqlite3.Connection, number: int) -> Thing | None:
    row = connection.execute("SELECT a.id, a.name FROM events e JOIN requests q ON q.id = e.request_id "
                             "JOIN accounts a ON a.id = q.account_id WHERE e.id = ?", (number,)).fetchone()
    return Thing("account", "accounts", *row) if row else None


def _places(connection: sqlite3.Connection, found: Event) -> list[Place]:
    """Its places with the things they are of: its own, or after a rename the file of that path on its host."""
    told = []
    for place in surroundings.places(connection, found.id):
        number = found.flat["file_id"] if place.kind == "file" else found.flat["registry_value_id"]
        begun = place.entity[len(str(found.flat["computer"])) + 1:]
        if place.kind == "file":
            row = connection.execute("SELECT id FROM files WHERE host_id = ? AND key = ?",
                                     (found.flat["host_id"], paths.file_key(begun))).fetchone()
            number = row[0] if row else None
        table = "files" if place.kind == "file" else "registry_values"
        told.append(Place(Thing(place.kind, table, number, begun) if isinstance(number, int) else None, place))
    return told


def sections(columns: list[tuple[str, object]]) -> list[tuple[str, list[tuple[str, object]]]]:
    """The columns under their headings, in order; headings without any are left out."""
    under: dict[str, list[tuple[str, object]]] = {heading: [] for heading, _ in SECTIONS}
    for name, value in columns:
        under[next(heading for heading, beginnings in SECTIONS if name.startswith(beginnings))].append((name, value))
    return [(heading, found) for heading, found in under.items() if found]


def shown(connection: sqlite3.Connection, at: Occurrence, raw_of: RawRecord) -> ShownRecord:
    """The record's own bytes as text; bytes that are none in its encoding stay visible as escapes."""
    try:
        raw = raw_of(connection, at.seq)
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
