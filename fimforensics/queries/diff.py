"""What differs between two times, two hosts, or two cases: added, gone, changed, same, or unknown.

Both sides are states in the same order, merged like two sorted files, so that memory stays flat. Same means: both sides tell the
same content, or no event was seen while the host was reporting. What neither shows is unknown, with the reason, never same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fimforensics.queries.reporting import Host, hosts, quiet
from fimforensics.queries.state import ABSENT, FILE, UNKNOWN, State, states

CLASSES = ("changed", "added", "gone", "unknown", "same")
# Why something is unknown
NO_EVENT, ONE_HOST, BEFORE, NO_CONTENT, SILENCE = (
    "no event on one side", "host on one side only", "state unknown", "content not known", "host was not reporting")
MOST_EVENTS = 20


@dataclass(frozen=True)
class Difference:
    """One file or registry value on both sides; a side is None where nothing is known of it there.

    `why` is one of the reasons above for what is unknown, `reason` says it in words (of others: what the verdict lacks).
    Between two times, `events` are the first MOST_EVENTS of the `changes` events that began another state; between hosts, those
    that tell the two states; between cases none, since each has its own numbers, which the sides tell.
    """

    verdict: str
    host: str
    kind: str
    path: str
    before: State | None
    after: State | None
    why: str | None
    reason: str | None
    events: tuple[int, ...] = ()
    changes: int = 0


Verdict = tuple[str, str | None, str | None]  # class, why, reason


def times(connection: sqlite3.Connection, host: Host, since: str, until: str, kind: str | None = None, glob: str | None = None
          ) -> Iterator[Difference]:
    """What became of everything on a host from one time to a later one."""
    silent = quiet(connection, host, since, until)
    for one, other in _merged(states(connection, host, since, kind, glob), states(connection, host, until, kind, glob)):
        assert one is not None and other is not None
        untouched = one.event == other.event and one.version == other.version
        events = () if untouched else _events(connection, one, other, since, until)
        verdict = _unmoved(one, silent) if untouched else _verdict(one, other)
        if verdict[0] == "same" and one.version != other.version:
            verdict = ("same", None, f"changed in between, {'gone' if other.state == ABSENT else 'the same'} again at the end")
        yield Difference(verdict[0], host.name, one.kind, one.path, one, other, *verdict[1:], events[:MOST_EVENTS], len(events))


def sides(one: Iterator[State], other: Iterator[State], host: str, names: Sequence[str], events: bool) -> Iterator[Difference]:
    """What differs between two hosts, or a host in two cases: states in order; `names` tells the sides apart in sentences."""
    for left, right in _merged(one, other):
        here = left or right
        assert here is not None
        if left is None or right is None:
            verdict: Verdict = ("unknown", NO_EVENT, f"no event of it {names[0] if left is None else names[1]}")
        else:
            verdict = _verdict(left, right)
        seen = tuple(side.event for side in (left, right) if side is not None and side.event is not None) if events else ()
        yield Difference(verdict[0], host, here.kind, here.path, left, right, *verdict[1:], seen)


def cases(connection: sqlite3.Connection, there: sqlite3.Connection, names: Sequence[str], at: str, only: str | None = None,
          kind: str | None = None, glob: str | None = None) -> Iterator[Difference]:
    """What differs between two cases (`names` tells them apart), host by host; `only`: the key of the one host asked about."""
    mine, its = ({host.key: host for host in hosts(each)} for each in (connection, there))
    for key in sorted(mine | its, key=lambda key: ((mine.get(key) or its[key]).name, key)):
        one, other = mine.get(key), its.get(key)
        if only is not None and key != only:
            continue
        if one is not None and other is not None:
            yield from sides(states(connection, one, at, kind, glob), states(there, other, at, kind, glob), one.name,
                             [f"in {name}" for name in names], events=False)
        elif one is not None:
            reason = f"host {one.name} is only in {names[0]}"
            yield from (_lonely(state, None, state, reason) for state in states(connection, one, at, kind, glob))
        elif other is not None:
            reason = f"host {other.name} is only in {names[1]}"
            yield from (_lonely(None, state, state, reason) for state in states(there, other, at, kind, glob))


def _lonely(before: State | None, after: State | None, here: State, reason: str) -> Difference:
    return Difference("unknown", here.host, here.kind, here.path, before, after, ONE_HOST, reason)


def _merged(one: Iterator[State], other: Iterator[State]) -> Iterator[tuple[State | None, State | None]]:
    """Two ordered streams as one: what both have together, the rest alone."""
    left, right = next(one, None), next(other, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left.order < right.order):
            yield left, None
            left = next(one, None)
        elif left is None or right.order < left.order:
            yield None, right
            right = next(other, None)
        else:
            yield left, right
            left, right = next(one, None), next(other, None)


def _unmoved(state: State, silent: str | None) -> Verdict:
    """No event from one time to the other: the same, if the state is known at all and the host was reporting."""
    if state.state == UNKNOWN:
        return "unknown", BEFORE, state.how
    return ("same", None, None) if silent is None else ("unknown", SILENCE, silent)


def _verdict(one: State, other: State) -> Verdict:
    """The class of two sides by what they tell; same only where neither is in doubt."""
    doubts = "; ".join(dict.fromkeys(doubt for doubt in (one.doubt, other.doubt) if doubt)) or None
    if lacking := [side.how for side in (one, other) if side.state == UNKNOWN]:
        return "unknown", BEFORE, "; ".join(dict.fromkeys(lacking))
    if one.state != other.state:
        return "added" if one.state == ABSENT else "gone", None, doubts
    alike = one.state == ABSENT or equal(one, other)
    if alike is None:
        return "unknown", NO_CONTENT, "nothing tells whether the contents are equal" + (f"; {doubts}" if doubts else "")
    if not alike:
        return "changed", None, doubts
    return ("same", None, None) if doubts is None else ("unknown", SILENCE, doubts)


def equal(one: State, other: State) -> bool | None:
    """Do two present states tell the same content? None where they have nothing in common that would tell.

    Files by hash, where an algorithm that both have decides; different sizes are different contents, equal ones tell nothing.
    Registry values by data, and by type where both have one.
    """
    mine, its = one.content, other.content
    if one.kind == FILE:
        pairs = [pair for pair in ((mine.sha256, its.sha256), (mine.sha1, its.sha1), (mine.md5, its.md5)) if None not in pair]
        if not pairs:
            return False if None not in (mine.size, its.size) and mine.size != its.size else None
        return all(left == right for left, right in pairs)
    if mine.data is None or its.data is None:
        return None
    return mine.data == its.data and (None in (mine.type, its.type) or mine.type == its.type)


def _events(connection: sqlite3.Connection, one: State, other: State, since: str, until: str) -> tuple[int, ...]:
    """The events that began another state after the one time and up to the other; if none did, the last one seen."""
    table, column = (("file_versions", "file_id") if one.kind == FILE else ("registry_versions", "registry_value_id"))
    found = tuple(number for (number,) in connection.execute(
        f"SELECT e.id FROM {table} v JOIN events e ON e.id = v.begun_by WHERE v.{column} = ? AND v.since > ? AND v.since <= ? "
        "ORDER BY e.time, e.match_key, e.ordinal", (one.id, since, until)))
    return found or ((other.event,) if other.event is not None else ())
