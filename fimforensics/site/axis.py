"""A time axis for pictures of milliseconds or of years: to scale, but for long gaps cut short and short spans kept visible.

Moments are whole units of 100 ns, so that a picture is the same on every machine. A gap is cut only where without it half of the
other spans would be too narrow to see; where it is cut, the picture shows a mark.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

SECOND = 10_000_000  # units
CUT = 26.0  # width of a gap that is cut short
NARROW, LEAST = 14.0, 2.5  # the middle span should have this width, and every span that
LONG = 8  # times the middle span: what may be cut
MOST_CUTS = 12
APART = 88.0  # between two labels
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Axis:
    """The moments at which anything happens and their places from left to right; `cuts` are the numbers of cut gaps."""

    moments: tuple[int, ...]
    places: tuple[float, ...]
    cuts: tuple[int, ...]
    widened: bool  # some span is drawn wider than it is

    def x(self, moment: int) -> float:
        """The place of a moment, between its neighbours in proportion."""
        at = bisect_right(self.moments, moment) - 1
        if at < 0:
            return self.places[0]
        if at >= len(self.moments) - 1:
            return self.places[-1]
        share = (moment - self.moments[at]) / (self.moments[at + 1] - self.moments[at])
        return round(self.places[at] + share * (self.places[at + 1] - self.places[at]), 1)

    def labels(self) -> list[int]:
        """The numbers of the moments to write out: the first, the last, and between them as many as have room."""
        told = [0]
        for at in range(1, len(self.moments)):
            if self.places[at] - self.places[told[-1]] >= APART and self.places[-1] - self.places[at] >= APART:
                told.append(at)
        last = len(self.moments) - 1
        return told if last == 0 or self.places[last] - self.places[0] < APART else [*told, last]


def moment(time: str) -> int:
    """A canonical time as units of 100 ns since 1970."""
    span = datetime.fromisoformat(time[:19]) - _EPOCH
    return (span.days * 86_400 + span.seconds) * SECOND + int(time[20:-1].ljust(7, "0")[:7] or 0)


def axis(moments: Iterable[int], left: float, right: float) -> Axis:
    """The axis of these moments (one at least) between two places."""
    points = tuple(sorted(set(moments)))
    gaps = [after - before for before, after in pairwise(points)]
    if not gaps:
        return Axis(points, (left,), (), False)
    cuts = _cuts(gaps, right - left)
    rest = sum(gap for at, gap in enumerate(gaps) if at not in cuts)
    room = right - left - CUT * len(cuts)
    least = min(LEAST, room / (2 * len(gaps)))
    widths = [CUT if at in cuts else gap / rest * room for at, gap in enumerate(gaps)]
    widened = {at for at, width in enumerate(widths) if at not in cuts and width < least}
    ample = sum(width for at, width in enumerate(widths) if at not in cuts and at not in widened)
    scale = (room - least * len(widened)) / ample
    places, here = [left], left
    for at, width in enumerate(widths):
        here += width if at in cuts else least if at in widened else width * scale
        places.append(here)
    return Axis(points, tuple(round(place, 1) for place in places), tuple(sorted(cuts)), bool(widened))


def _cuts(gaps: list[int], room: float) -> set[int]:
    """The longest gaps, one after the other, until the middle one of the rest is wide enough to see."""
    cuts: set[int] = set()
    by_length = sorted(range(len(gaps)), key=lambda at: (gaps[at], -at))
    while len(by_length) > 1:
        middle, longest = gaps[by_length[(len(by_length) - 1) // 2]], by_length[-1]
        share = middle / sum(gaps[at] for at in by_length) * (room - CUT * len(cuts))
        if share >= NARROW or gaps[longest] < LONG * middle:
            break
        cuts.add(by_length.pop())
    return cuts if len(cuts) <= MOST_CUTS else set()  # where so many would be cut, they are the rule


def label(time: str) -> tuple[str, str]:
    """A canonical time as two short lines: the day, and the time of day with milliseconds where it has a fraction."""
    fraction = time[20:23] if time[20:27].strip("0Z") else ""
    return time[:10], time[11:19] + (f".{fraction}" if fraction else "")
