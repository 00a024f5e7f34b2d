"""What the page of a case tells beside its summary: what was analysed, the worst findings, what is unusual, who is busiest.

These look at whole tables, so an answer is kept for as long as the case's evidence, snapshots and analyses stay as they are.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from itertools import islice, takewhile

from fimforensics.queries import findings, heat, rarity, summary
from fimforensics.queries.coverage import frame, span
from fimforensics.queries.freshness import states
from fimforensics.queries.heat import Heat, Silent
from fimforensics.queries.parts import part
from fimforensics.queries.remembered import remembered
from fimforensics.queries.rules import ANALYSES

# The analyses that the pages rest on, in the order in which they run.
MOST_HOSTS, MOST_FINDINGS, MOST_SILENCES, MOST_UNUSUAL, MOST_BUSY = 60, 10, 5, 10, 10
_PLACEHOLDER = re.compile(r"[<#]")


@dataclass(frozen=True)
class Named:
    """A finding as the page of a case lists it."""

    id: int
    severity: str
    first: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class Unusual:
    """A program that writes in a folder on one host only, with the first event of it."""

    sentence: str
    image: str
    folder: str
    events: int
    first: str
    host_id: int
    host: str
    event_id: int
    process_id: int | None


@dataclass(frozen=True)
class Account:
    """An account and how many events its processes made."""

    id: int
    name: str
    events: int


@dataclass(frozen=True)
class Folder:
    """A folder or registry key, what is chance in its name folded; `begins` is how the keys of what lies there begin."""

    name: str
    events: int
    registry: bool
    begins: str


@dataclass(frozen=True)
class Overview:
    """All of it; lists are bounded, and in a fixed order."""

    summary: summary.Summary
    accounts: int
    truncated: int  # snapshots that are probably not the whole
    rejects: int
    analysed: str | None  # when an analysis last ran
    never_ran: list[str]
    stale: list[str]
    heat: Heat | None
    silences_in_all: int
    silences: list[Silent]
    findings: dict[str, int]
    worst: list[Named]
    fleet: int  # hosts that could know what another one does
    unusual: list[Unusual]
    busy_accounts: list[Account]
    busy_folders: list[Folder]
    part: dict | None  # what a part of another case says of itself


def overview(connection: sqlite3.Connection) -> Overview:
    """The case as its page tells it."""
    return remembered(connection, "overview", _asked)


def _asked(connection: sqlite3.Connection) -> Overview:
    ran, known = states(connection), summary.summary(connection)
    at = frame(connection, *span(connection))
    accounts, = connection.execute("SELECT count(*) FROM accounts").fetchone()
    cut, rejects = connection.execute(
        "SELECT count(CASE WHEN truncated IS NOT NULL THEN 1 END), coalesce(sum(rejects), 0) FROM snapshots "
        "WHERE state = 'finished'").fetchone()
    analysed, = connection.execute("SELECT max(finished) FROM analyses WHERE name <> 'counts and full text'").fetchone()
    silent, silences = heat.longest(connection, MOST_SILENCES)
    return Overview(
        known, accounts, cut, rejects, analysed, [name for name in ANALYSES if name not in ran], known.stale,
        heat.heat(connection, at, hosts(connection, MOST_HOSTS)) if at else None, silent, silences,
        findings.counts(connection), worst(connection), rarity.fleet(connection).hosts if "rarity" in ran else 0,
        unusual(connection), busy_accounts(connection), busy_folders(connection),
        part(connection))


def hosts(connection: sqlite3.Connection, most: int) -> list[tuple[int, str]]:
    """Id and name of the first hosts: those with silences, then those with findings (the worst first), then by name."""
    return connection.execute("""
        SELECT h.id, h.name FROM hosts h WHERE EXISTS (SELECT 1 FROM event_counts n WHERE n.host_id = h.id)
        ORDER BY EXISTS (SELECT 1 FROM silences s WHERE s.host_id = h.id) DESC,
            EXISTS (SELECT 1 FROM findings f WHERE f.host_id = h.id AND f.severity = 'high') DESC,
            EXISTS (SELECT 1 FROM findings f WHERE f.host_id = h.id AND f.severity = 'medium') DESC,
            EXISTS (SELECT 1 FROM findings f WHERE f.host_id = h.id) DESC, h.name, h.key LIMIT ?""", (most,)).fetchall()


def worst(connection: sqlite3.Connection, host: int | None = None, most: int = MOST_FINDINGS) -> list[Named]:
    """The worst findings, of all hosts or one; in the order of `findings.findings`."""
    found: list[Named] = []
    for severity in findings.SEVERITIES:
        if len(found) < most:
            # Only what orders them is read of all; the rest of the few that are shown.
            rows = connection.execute(f"""
                SELECT id FROM findings f WHERE severity = ? {'' if host is None else 'AND host_id = ?'}
                ORDER BY first, (SELECT key FROM hosts h WHERE h.id = f.host_id), rule, sentence, id LIMIT ?""",
                                      (severity, *(() if host is None else (host,)), most - len(found))).fetchall()
            found += [Named(*connection.execute("SELECT id, severity, first, rule, sentence FROM findings WHERE id = ?",
                                                row).fetchone()) for row in rows]
    return found


def unusual(connection: sqlite3.Connection) -> list[Unusual]:
    """Programs that write in a folder on one host only, the fewest events first; none where there is only one host."""
    told = islice(takewhile(lambda one: one.hosts == 1, rarity.rare(connection, rarity.KINDS[0], limit=4 * MOST_UNUSUAL)),
                  4 * MOST_UNUSUAL)
    rare = [one for one in told if one.of > 1][:MOST_UNUSUAL]
    found = []
    for one in rare:
        host, process = connection.execute("SELECT host_id, process_id FROM events WHERE id = ?", (one.first_event,)).fetchone()
        found.append(Unusual(one.sentence, one.subject, one.object, one.events or 0, one.first, host, one.host, one.first_event,
                             process))
    return found


def busy_accounts(connection: sqlite3.Connection) -> list[Account]:
    """The accounts whose processes made most events."""
    return [Account(*row) for row in connection.execute("""
        WITH counted AS (SELECT account_id, count(*) AS events FROM events
            WHERE account_id IS NOT NULL AND +id < (SELECT events_end FROM case_info) GROUP BY account_id)
        SELECT a.id, a.name, n.events FROM counted n JOIN accounts a ON a.id = n.account_id
        ORDER BY n.events DESC, a.name, a.id LIMIT ?""", (MOST_BUSY,))]


def busy_folders(connection: sqlite3.Connection) -> list[Folder]:
    """The folders and registry keys in which known programs changed most."""
    return [Folder(name, events, name.startswith("hk"), _PLACEHOLDER.split(name)[0]) for name, events in connection.execute(
        "SELECT object, sum(events) AS events FROM rarity WHERE kind = ? GROUP BY object ORDER BY events DESC, object LIMIT ?",
        (rarity.KINDS[0], MOST_BUSY))]
