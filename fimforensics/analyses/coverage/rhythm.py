"""When is a gap a silence? When it is far longer than what this host's pauses are otherwise.

Gaps are weighed by the time they take, for most events come in bunches and their countless tiny gaps say nothing. A gap is a
silence if it lasts 6 hours and twice what the host usually pauses, and if it and the few others like it stand out: more than
twice as long as any gap after them, three times on a host whose pauses differ much. So a weekend, a night, a daily report
are rhythm as soon as they come again, and one missed daily report is no silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fimforensics.analyses.coverage.hosts import LONG, Host, seconds

FACTOR, STANDS_OUT, IRREGULAR = 2.0, 2.05, 3.0
MOST = 10  # silences of one host; more of them are its rhythm
MANY, ALIKE, ALIKE_OF_FEW = 30, 2.0, 1.25  # gaps; how many times longer than the short pause the usual one is on a regular host
FEWEST = 8  # other gaps over a minute that a rhythm needs
WATCHED = 0.1  # of the silence: how long the rhythm must have been seen
LONGER, SHORTER = 0.25, 0.75  # of the time: pauses longer than the usual one take that much; than a short one, that much
WEEK = 7 * 86_400


@dataclass(frozen=True)
class Rhythm:
    """`usual`: three quarters of the time the next event is no farther than that; `longest`: of the gaps that are no silence."""

    usual: float
    longest: float
    stands_out: float  # how many times longer than that a silence must be
    silences: tuple[tuple[str, str], ...]


def rhythm(host: Host) -> Rhythm | None:
    """The host's rhythm, and its gaps that break it; None where it has too few events to have one."""
    gaps = sorted(host.gaps, reverse=True)
    if len(gaps) < FEWEST:
        return None
    count = _breaking(gaps, host.short)
    limit = gaps[count - 1] if count else float("inf")
    silent = [gap for gap in host.long if seconds(gap[1]) - seconds(gap[0]) >= limit - 1e-3]
    silent = [gap for gap in silent if not any(_week_apart(gap, other) for other in host.long)]
    return Rhythm(usual(gaps[count:], host.short), gaps[count], _stands_out(gaps[count:], host.short), tuple(silent))


def _breaking(gaps: Sequence[float], short: float) -> int:
    """How many of the gaps, the longest first, break the rhythm of the others."""
    found = 0
    for count in range(1, min(MOST, len(gaps) - FEWEST) + 1):
        gap, others = gaps[count - 1], sum(gaps[count:]) + short
        if gap < LONG:
            break
        if gap >= STANDS_OUT * gaps[count] and others >= WATCHED * gap:
            limit = max(FACTOR * usual([*gaps[:count - 1], *gaps[count:]], short), _stands_out(gaps[count:], short) * gaps[count])
            found = count if gap >= limit else found
    return found


def _stands_out(gaps: Sequence[float], short: float) -> float:
    """Few gaps look regular by chance: they must differ less."""
    alike = ALIKE if len(gaps) >= MANY else ALIKE_OF_FEW
    return STANDS_OUT if usual(gaps, short) <= alike * usual(gaps, short, SHORTER) else IRREGULAR


def usual(gaps: Sequence[float], short: float, share: float = LONGER) -> float:
    """The pause that only this share of the time exceeds; `gaps` are sorted, the longest first."""
    room = share * (sum(gaps) + short)
    for gap in gaps:
        room -= gap
        if room < 0:
            return gap
    return gaps[-1] if gaps else 0.0


def _week_apart(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Did the host pause at the same hours a week before or after?"""
    slack = 0.2 * (seconds(one[1]) - seconds(one[0]))
    return all(abs(abs(seconds(mine) - seconds(its)) - WEEK) <= slack for mine, its in zip(one, other, strict=True))
