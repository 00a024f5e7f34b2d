"""One host as its page tells it: when it reported, who did what on it, what is said of it, and what only it does.

Everything is looked up from the host's own processes, files and rollups; no list of its events is read, however many there are.
Of a host with more processes or files than can be gone through while a page waits, the first ones are; the answer says so.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass

from fimforensics import paths, places
from fimforensics.queries import coverage, heat, overview
from fimforensics.queries.freshness import states
from fimforensics.queries.heat import Heat, Silent
from fimforensics.queries.rarity import KINDS, fleet, sentence
from fimforensics.queries.rules import ANALYSES

MOST_PROCESSES, MOST_FILES = 5_000, 10_000  # that are gone through
SHOWN = 10
MOST_COUNTED = 1_001  # events of a process of which no account is known


@dataclass(frozen=True)
class Change:
    """How often a kind of change was seen on the host."""

    change_id: int
    kind: str
    change: str
    events: int


@dataclass(frozen=True)
class Process:
    """A process of the host and its events (of an unknown account's at most MOST_COUNTED are counted)."""

    id: int
    name: str
    pid: int | None
    created: str | None
    events: int


@dataclass(frozen=True)
class Folder:
    """A folder of the host and how many files in it were changed; `begins` is how their keys begin."""

    name: str
    files: int
    begins: str


@dataclass(frozen=True)
class Burst:
    """A burst of changes, with its first event."""

    id: int
    sentence: str
    since: str
    first_event_id: int


@dataclass(frozen=True)
class Name:
    """One way in which records named the host."""

    id: int
    computer: str | None
    azure_resource_id: str | None
    cloud: str | None
    cloud_id: str | None
    tenant_id: str | None


@dataclass(frozen=True)
class Only:
    """What no other host knows, with its first event."""

    kind: str
    sentence: str
    events: int
    first: str
    event_id: int


@dataclass(frozen=True)
class Host:
    """All that the page of a host tells; lists are bounded, `*_in_all` is how many there are."""

    id: int
    name: str
    key: str
    events: int
    never_ran: list[str]
    stale: list[str]
    coverage: coverage.HostCoverage | None
    heat: Heat | None
    ends: list[int]  # ids of the first and the last event
    changes: list[Change]
    silences: list[Silent]
    bursts_in_all: int
    bursts: list[Burst]
    findings: dict[str, int]
    worst: list[overview.Named]
    processes_in_all: int
    files_in_all: int
    processes: list[Process]
    accounts: list[overview.Account]
    folders: list[Folder]
    names_in_all: int
    names: list[Name]
    peers: int  # hosts of the case that reported
    only_in_all: int
    only: list[Only]


@dataclass(frozen=True)
class _Ran:
    """A row of a process with one of its accounts."""

    process: Process
    image: str
    account: int | None


def host(connection: sqlite3.Connection, number: int) -> Host | None:
    """The host of this number, or None."""
    row = connection.execute("SELECT id, name, key FROM hosts WHERE id = ?", (number,)).fetchone()
    if row is None:
        return None
    ran = states(connection)
    at = coverage.frame(connection, *coverage.span(connection))
    changes = [Change(*one) for one in connection.execute(
        "SELECT c.id, c.kind, c.change, sum(n.events) FROM event_counts n JOIN changes c ON c.id = n.change_id "
        "WHERE n.host_id = ? GROUP BY c.id ORDER BY 4 DESC, c.kind, c.change, c.id", (number,))]
    processes, in_files = _in_all(connection, number)
    started, files, bursts = _ran(connection, number), _files(connection, number), _bursts(connection, number)
    names, only = _names(connection, number), _only(connection, number, started, files) if "rarity" in ran else []
    counts = dict(connection.execute("SELECT severity, count(*) FROM findings WHERE host_id = ? GROUP BY 1", (number,)))
    return Host(
        row[0], row[1], row[2], sum(one.events for one in changes), [name for name in ANALYSES if name not in ran],
        [name for name, state in ran.items() if state == "stale"],
        coverage.of_host(connection, number, row[1], at) if at and "coverage" in ran else None,
        heat.heat(connection, at, [(number, row[1])]) if at else None, _ends(connection, number), changes[:50],
        heat.silences(connection, number, "", "~")[:20], len(bursts), bursts[:SHOWN],
        {severity: counts.get(severity, 0) for severity in ("high", "medium", "low", "info")},
        overview.worst(connection, number), processes, in_files, _processes(started), _accounts(connection, started),
        _folders(files), len(names), names[:20], connection.execute("SELECT count(*) FROM hosts h WHERE EXISTS "
        "(SELECT 1 FROM event_counts n WHERE n.host_id = h.id)").fetchone()[0], len(only), only[:15])


def _ends(connection: sqlite3.Connection, number: int) -> list[int]:
    """The host's first and last event, clocks gone wrong left aside."""
    found = [connection.execute(
        "SELECT id FROM events WHERE host_id = ? AND time >= '1980' AND time < '2101' "
        f"AND +id < (SELECT events_end FROM case_info) ORDER BY time {order}, id {order} LIMIT 1", (number,)).fetchone()
        for order in ("ASC", "DESC")]
    return [row[0] for row in found if row]


def _in_all(connection: sqlite3.Connection, number: int) -> tuple[int, int]:
    """How many processes and files the host has."""
    one, other = (connection.execute(f"SELECT count(*) FROM {table} WHERE host_id = ?", (number,)).fetchone()[0]
                  for table in ("processes", "files"))
    return one, other


def _ran(connection: sqlite3.Connection, number: int) -> list[_Ran]:
    """The host's processes with their accounts; events as the relations count them, else counted."""
    rows = connection.execute("""
        SELECT p.id, p.name, p.pid, p.created, p.image_key, r.subject_id, coalesce(r.events, (SELECT count(*) FROM (
            SELECT 1 FROM events e WHERE e.process_id = p.id AND +e.id < (SELECT events_end FROM case_info) LIMIT ?)))
        FROM (SELECT * FROM processes WHERE host_id = ? LIMIT ?) p
        LEFT JOIN relations r ON r.object_kind = 'process' AND r.object_id = p.id AND r.relation = 'ran'""",
                              (MOST_COUNTED, number, MOST_PROCESSES))
    return [_Ran(Process(process, name, pid, created, events), places.image(image or "") or name.lower(), account)
            for process, name, pid, created, image, account, events in rows]


def _processes(started: list[_Ran]) -> list[Process]:
    """Those with most events; one that ran under two accounts is one."""
    sums: Counter[int] = Counter()
    for one in started:
        sums[one.process.id] += one.process.events
    told = {one.process.id: Process(one.process.id, one.process.name, one.process.pid, one.process.created,
                                    sums[one.process.id]) for one in started}
    return sorted((one for one in told.values() if one.events), key=lambda one: (-one.events, one.name, one.id))[:SHOWN]


def _accounts(connection: sqlite3.Connection, started: list[_Ran]) -> list[overview.Account]:
    """Those whose processes made most events on the host."""
    sums: Counter[int] = Counter()
    for one in started:
        if one.account is not None:
            sums[one.account] += one.process.events
    found = [overview.Account(account, connection.execute("SELECT name FROM accounts WHERE id = ?", (account,)).fetchone()[0],
                              events) for account, events in sums.items()]
    return sorted(found, key=lambda one: (-one.events, one.name, one.id))[:SHOWN]


def _files(connection: sqlite3.Connection, number: int) -> list[str]:
    return [key for (key,) in connection.execute("SELECT key FROM files WHERE host_id = ? LIMIT ?", (number, MOST_FILES))]


def _folders(files: list[str]) -> list[Folder]:
    """The folders in which most files were changed, names that are only chance told apart."""
    counts = Counter(paths.folder(key) for key in files)
    return [Folder(name, count, name if name.endswith(("/", "\\")) or not name else name + ("/" if name[0] == "/" else "\\"))
            for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:SHOWN] if name]


def _bursts(connection: sqlite3.Connection, number: int) -> list[Burst]:
    return [Burst(*row) for row in connection.execute(
        "SELECT id, sentence, since, first_event_id FROM bursts WHERE host_id = ? ORDER BY events DESC, since, kind, id",
        (number,))]


def _names(connection: sqlite3.Connection, number: int) -> list[Name]:
    return [Name(*row) for row in connection.execute(
        "SELECT id, computer, azure_resource_id, cloud_provider, cloud_identifier, tenant_id FROM machine_reports "
        "WHERE host_id = ? ORDER BY computer, azure_resource_id, id", (number,))]


def _only(connection: sqlite3.Connection, number: int, started: list[_Ran], files: list[str]) -> list[Only]:
    """The pairs that only this host knows, those with fewest events first; none where it is the only host."""
    whole, found = fleet(connection), []
    # The index is named: SQLite would rather go through all that is known on one host, or all of this host's events.
    asked = ("SELECT r.subject, r.object, r.events, r.first_event_id, r.first FROM rarity r INDEXED BY rarity_subject "
             "CROSS JOIN events e ON e.id = r.first_event_id WHERE r.kind = ? AND r.subject = ? {} AND r.hosts = 1 "
             "AND +e.host_id = ?")
    for kind, *pair in _pairs(connection, started, files):
        for told, place, events, event, first in connection.execute(
                asked.format("AND r.object = ?" if len(pair) == 2 else ""), (kind, *pair, number)):
            of, said = sentence(whole, kind, told, place, 1, first)
            if of > 1:
                found.append(Only(kind, said, events, first, event))
    return sorted(found, key=lambda one: (KINDS.index(one.kind), one.events, one.first, one.sentence))


def _pairs(connection: sqlite3.Connection, started: list[_Ran], files: list[str]) -> set[tuple[str, ...]]:
    """What the host may be alone with, as rarity spells it: programs (anywhere), accounts with programs, endings in folders."""
    hosts = {places.short(name) for (name,) in connection.execute("SELECT name FROM hosts")}
    accounts = {number: places.person(name, domain, account, hosts) for number in {one.account for one in started}
                for name, domain, account in connection.execute(
                    "SELECT name, domain, account FROM accounts WHERE id = ?", (number,))}
    found: set[tuple[str, ...]] = {(KINDS[0], one.image) for one in started}
    found |= {(KINDS[1], accounts[one.account], one.image) for one in started if one.account in accounts}
    for key in files:
        place, extension = places.split(key)
        found.add((KINDS[2], places.ending(key, extension), places.folded(place)))
    return found
