"""Bursts: minutes in which far more changed on a host than its own history knows, and one content laid into many folders.

What a host does in a minute is counted in one round over the events of files; what its minutes are like decides which of them
break out. Only those are looked at again, event by event. A wave of patches is a burst, too: that the same files changed on
other hosts, by a package manager, is said with it and makes it no alarm.
"""

from __future__ import annotations

from collections.abc import Iterator

import apsw

from fimforensics import sql
from fimforensics.analyses.bursts.burst import Burst
from fimforensics.analyses.bursts.looked import looked, noted
from fimforensics.analyses.bursts.minutes import Minutes, hosts
from fimforensics.analyses.bursts.said import finding, sentence
from fimforensics.analyses.bursts.usual import Fleet, own_windows
from fimforensics.analyses.bursts.waves import waves
from fimforensics.analyses.contract import Analysis, Finding, Progress
from fimforensics.queries.rules import rules_of

_ROW = f"INSERT INTO bursts VALUES ({', '.join('?' * 18)})"


def run(db: apsw.Connection, progress: Progress) -> list[Finding]:
    """Fills the table; a finding for each burst that is one of changes, or a note in many folders."""
    found = sorted(_found(db, progress), key=lambda burst: burst.order)
    shared = waves(found)
    names = dict(sql.rows(db, "SELECT id, name FROM hosts"))
    for number, burst in enumerate(found, 1):
        told = sentence(burst, names[burst.host], shared.get(number - 1, 0), len(names))
        db.execute(_ROW, (number, *burst.row(), told))
    return list(_findings(found, names, shared))


def _findings(found: list[Burst], names: dict[int, str], shared: dict[int, int]) -> Iterator[Finding]:
    notes: dict[int, list[Burst]] = {}
    for burst in found:
        if burst.note:
            notes.setdefault(burst.host, []).append(burst)
    for at, burst in enumerate(found):
        told = finding(burst, names[burst.host], shared.get(at, 0), len(names), notes.get(burst.host, []))
        if told is not None:
            yield told


def _found(db: apsw.Connection, progress: Progress) -> Iterator[Burst]:
    """Every burst of every host; hosts without a history wait until the fleet's is known."""
    keys = dict(sql.rows(db, "SELECT id, key FROM hosts"))
    fleet, waiting = Fleet(), []
    for host in hosts(db, progress):
        fleet.add(host)
        if host.short():
            waiting.append(host)
        else:
            yield from _of(db, host, keys[host.id], own_windows(host), None)
    for host in waiting:
        windows, history = fleet.windows(host)
        yield from _of(db, host, keys[host.id], windows, history)


def _of(db: apsw.Connection, host: Minutes, key: str, windows: list, history: str | None) -> Iterator[Burst]:
    for window in windows:
        yield looked(db, host, key, window, history)
    for group in host.groups:
        yield noted(db, host, key, group, history)


ANALYSIS = Analysis(
    name="bursts",
    title="Many changes at once",
    tables=("bursts",),
    needs=(),
    run=run,
    rules=rules_of("bursts"),
)
