"""The silences of a fleet: whom it concerns, since when, what others sent meanwhile, in one sentence each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import apsw

from fimforensics import sql
from fimforensics.analyses.contract import EVENTS_END
from fimforensics.analyses.coverage.hosts import LONG, Host, seconds
from fimforensics.analyses.coverage.rhythm import FACTOR, Rhythm, rhythm

SILENT, FLEET_SILENT, LATE, EARLY = "silent", "fleet silent", "begins late", "ends early"
CUT_OVERS = (  # day, what is known of it; a host that ends within WEEKS_AFTER is likely to end by it
    ("2024-11-30", "the end of collection by the Log Analytics agent (November 2024)"),
    ("2025-06-01", "the floor of June 2025 below which Windows agents send nothing (10.8760)"),
    ("2026-03-22", "the floor of March 2026 below which Windows agents send nothing (10.8799)"),
    ("2026-07-12", "the move of events to the DeviceCustom tables (July 2026)"),
)
WEEKS_AFTER = 6


@dataclass(frozen=True)
class Silence:
    """One row of silences before it has a number."""

    host: Host
    kind: str
    since: str
    until: str
    usual: float
    fleet_events: int = 0
    last_event: int | None = None
    next_event: int | None = None
    sentence: str = ""

    def row(self, number: int) -> tuple:
        """As the table has it."""
        return (number, self.host.id, self.kind, self.since, self.until, round(self.usual, 3), self.fleet_events,
                self.last_event, self.next_event, self.sentence)


def found(db: apsw.Connection, hosts: Sequence[Host]) -> Iterator[Silence]:
    """All silences, in order of host and time; `hosts` are in the order of their keys."""
    firsts, lasts = sorted(host.first for host in hosts), sorted((host.last for host in hosts), reverse=True)
    raw = [one for host in hosts if (its := rhythm(host)) is not None
           for one in _of(host, its, _middle(firsts, host.first), _middle(lasts, host.last))]
    counts = _Counts(db, sorted({border for one in raw for border in (one.since, one.until)}))
    borders = [(host, [gap[0] for gap in host.long]) for host in hosts]
    for one in raw:
        meanwhile = counts.between(one.since, one.until)
        if one.kind in (LATE, EARLY) and not meanwhile:
            continue
        others = sum(_reports(host, begins, one) for host, begins in borders if host is not one.host)
        kind = FLEET_SILENT if one.kind == SILENT and not others and len(hosts) > 1 else one.kind
        yield replace(one, kind=kind, fleet_events=meanwhile, sentence=_sentence(one, kind, meanwhile, others, len(hosts) - 1),
                      last_event=None if kind == LATE else _event(db, one.host.id, one.since, "DESC"),
                      next_event=None if kind == EARLY else _event(db, one.host.id, one.until, "ASC"))


def _middle(times: Sequence[str], own: str) -> str:
    """The middle one of the other hosts' times, in the order given (of two the first); the host's own where it is alone."""
    if len(times) < 2:
        return own
    at = (len(times) - 2) // 2
    without = own <= times[at] if times[0] <= times[-1] else own >= times[at]  # is the host itself among those up to there?
    return times[at + 1] if without else times[at]


def _of(host: Host, its: Rhythm, begin: str, end: str) -> Iterator[Silence]:
    """A late begin, the gaps that break the rhythm, an early end."""
    limit = max(LONG, FACTOR * its.usual, its.stands_out * its.longest)
    watched = seconds(host.last) - seconds(host.first) >= LONG
    if watched and seconds(host.first) - seconds(begin) >= limit:
        yield Silence(host, LATE, begin, host.first, its.usual)
    for since, until in its.silences:
        yield Silence(host, SILENT, since, until, its.usual)
    if watched and seconds(end) - seconds(host.last) >= limit:
        yield Silence(host, EARLY, host.last, end, its.usual)


class _Counts:
    """How many events of the case lie between two of these borders (sorted); each event is counted once, by the index."""

    def __init__(self, db: apsw.Connection, borders: Sequence[str]) -> None:
        count = f"SELECT count(*) FROM events e WHERE +e.id < {EVENTS_END} AND e.time "
        at = [sql.cell(db, count + "= ?", (border,)) for border in borders]
        between = [sql.cell(db, count + "> ? AND e.time < ?", pair) for pair in pairwise(borders)]
        self._at = dict(zip(borders, at, strict=True))
        self._before = dict(zip(borders, accumulate(map(sum, zip(at, between, strict=False)), initial=0), strict=False))

    def between(self, since: str, until: str) -> int:
        """Events after the one and before the other."""
        return self._before[until] - self._before[since] - self._at[since]


def _reports(host: Host, begins: list[str], one: Silence) -> bool:
    """Does this host report anything between the borders?"""
    if host.first >= one.until or host.last <= one.since:
        return False
    at = bisect_right(begins, one.since) - 1
    return at < 0 or host.long[at][1] < one.until


def _event(db: apsw.Connection, host: int, time: str, order: str) -> int:
    """The host's first or last event of this time."""
    return sql.cell(db, f"SELECT e.id FROM events e WHERE e.host_id = ? AND e.time = ? AND +e.id < {EVENTS_END} "
                        f"ORDER BY e.match_key {order}, e.ordinal {order} LIMIT 1", (host, time))


def _sentence(one: Silence, kind: str, events: int, others: int, fleet: int) -> str:
    name, since, until, long = one.host.name, clock(one.since), clock(one.until), span(seconds(one.until) - seconds(one.since))
    usual = f"it usually reports at least every {span(one.usual)}"
    sent = f"{others:,} of {fleet:,} other hosts sent {events:,} event{'s' * (events != 1)} meanwhile"
    if kind == LATE:
        return f"{name} reported nothing before {until}, {long} after half of the other hosts had begun; {usual}, and {sent}."
    if kind == EARLY:
        return (f"{name} reported nothing after {since}, {long} before half of the other hosts ended ({until}); {usual}, and "
                f"{sent}{_cut_over(one.since)}.")
    told = f"{name} reported nothing from {since} to {until} ({long}); {usual}"
    if kind == FLEET_SILENT:
        return f"{told}, but no other host reported anything either: the collection as a whole may have stopped."
    return f"{told}, and {sent}." if fleet else f"{told}; there is no other host to compare with."


def _cut_over(end: str) -> str:
    """Names what is known to have ended collection on many machines in the weeks before."""
    known = [what for day, what in CUT_OVERS if 0 <= seconds(end) - seconds(day + "T00:00:00.0000000Z") < WEEKS_AFTER * 604_800]
    return "".join(f"; that is within {WEEKS_AFTER} weeks after {what}" for what in known)


def clock(time: str) -> str:
    """`2026-10-12 08:00:05`, as sentences write times (UTC)."""
    return f"{time[:10]} {time[11:19]}"


def span(length: float) -> str:
    """A length of time in the unit that fits: `20 minutes`, `49 hours`, `12 days`."""
    for unit, size, most in (("second", 1, 120), ("minute", 60, 120), ("hour", 3600, 96), ("day", 86_400, float("inf"))):
        number = round(length / size)
        if number < most:
            return f"{number:,} {unit}{'s' * (number != 1)}"
    return "endless"
