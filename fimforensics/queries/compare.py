"""A comparison that answers at once: the same as `diff`, but of a bounded part where there is more, which it then says.

Counts by class, reasons of what is unknown, and the first rows in the order in which people want them: what changed, came and
went, then what is unknown though something happened to it, then the rest.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fimforensics.queries import diff
from fimforensics.queries.diff import CLASSES, Difference
from fimforensics.queries.reporting import Host
from fimforensics.queries.state import known, states

ROWS = 200
THINGS = 10_000  # files and values looked at
A_HOST = 100  # what asking about one more host costs, in files and values
TOUCHED = "unknown, with events"
ORDER = ("changed", "added", "gone", TOUCHED, "unknown", "same")


@dataclass(frozen=True)
class Compared:
    """Counts of what was looked at, by class and by reason; rows; `listed` is how many rows there would be.

    `looked` of at most `things` files and values were looked at, up to and with the host `upto` where several were asked about.
    """

    counts: dict[str, int]
    whys: dict[str, int]
    again: int
    rows: tuple[Difference, ...]
    listed: int
    looked: int
    things: int
    whole: bool
    upto: str | None = None


def times(connection: sqlite3.Connection, hosts: Sequence[Host], since: str, until: str, kind: str | None, glob: str | None,
          everything: bool) -> Compared:
    """What changed on these hosts from one time to a later one."""
    sizes = known(connection, kind, glob)
    wanted = [host for host in hosts if sizes.get(host.id)]
    part: list[Host] = []
    left = THINGS
    for host in wanted:
        if left <= 0:
            break
        part.append(host)
        left -= sizes[host.id] + A_HOST
    found = (one for host in part for one in diff.times(connection, host, since, until, kind, glob))
    return _counted(found, sum(sizes[host.id] for host in wanted), everything, len(part) == len(wanted),
                    part[-1].name if part else None)


def hosts(connection: sqlite3.Connection, pair: Sequence[Host], at: str, kind: str | None, glob: str | None, everything: bool
          ) -> Compared:
    """What differs between two hosts at a time."""
    sizes = known(connection, kind, glob)
    one, other = (states(connection, host, at, kind, glob) for host in pair)
    found = diff.sides(one, other, pair[1].name, [f"on {host.name}" for host in pair], events=True)
    return _counted(found, sum(sizes.get(host.id, 0) for host in pair), everything, True, None)


def cases(connection: sqlite3.Connection, there: sqlite3.Connection, names: Sequence[str], at: str, only: str | None,
          kind: str | None, glob: str | None, everything: bool) -> Compared:
    """What differs between two cases at a time, host by host; `only` the host of this key."""
    def size(db: sqlite3.Connection) -> int:
        sizes = known(db, kind, glob)
        if only is None:
            return sum(sizes.values())
        return sum(sizes.get(number, 0) for (number,) in db.execute("SELECT id FROM hosts WHERE key = ?", (only,)))
    found = diff.cases(connection, there, names, at, only, kind, glob)
    return _counted(found, size(connection) + size(there), everything, True, None)


def _counted(found: Iterator[Difference], things: int, everything: bool, whole: bool, upto: str | None) -> Compared:
    counts, whys, listed, looked, again = Counter[str](), Counter[str](), Counter[str](), 0, 0
    kept: dict[str, list[Difference]] = {name: [] for name in ORDER if name != "same" or everything}
    for one in islice(found, THINGS):
        looked += 1
        counts[one.verdict] += 1
        again += one.verdict == "same" and one.reason is not None
        if one.verdict != "same" and one.why:
            whys[one.why] += 1
        name = TOUCHED if one.verdict == "unknown" and one.changes else one.verdict
        listed[name] += 1
        if name in kept and len(kept[name]) < ROWS:
            kept[name].append(one)
    more = next(found, None)
    rows = [one for name in kept for one in kept[name]][:ROWS]
    return Compared({name: counts[name] for name in CLASSES}, dict(sorted(whys.items())), again, tuple(rows),
                    sum(listed[name] for name in kept), looked, things, whole and more is None, upto)
