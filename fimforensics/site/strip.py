"""Changes over time as strips: one a kind of change, each cut into slots whose height tells how many fell into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fimforensics import arrivals

SLOTS = 160


@dataclass(frozen=True)
class Lane:
    """One kind of change: how many events, their first and last time, and its bars as (slot, height of 20, events)."""

    change: str
    events: int
    first: str
    last: str
    bars: tuple[tuple[int, float, int], ...]


@dataclass(frozen=True)
class Strip:
    """The lanes by their first time, over one span of time; slots are counted from 0 to SLOTS - 1."""

    first: str
    last: str
    slots: int
    lanes: tuple[Lane, ...]
    left_out: int  # events with times before 1980 or after 2100


def strip(events: Sequence[tuple[str, str]]) -> Strip | None:
    """A strip of times and changes; None where there is nothing to draw."""
    dated = sorted((time, change) for time, change in events if "1980" <= time < "2101")
    if not dated:
        return None
    begin, end = arrivals.seconds(dated[0][0]), arrivals.seconds(dated[-1][0])
    lanes: dict[str, list[str]] = {}
    for time, change in dated:
        lanes.setdefault(change, []).append(time)
    slots = {change: Counter(_slot(arrivals.seconds(time), begin, end) for time in times) for change, times in lanes.items()}
    highest = max(max(counts.values()) for counts in slots.values())
    return Strip(dated[0][0], dated[-1][0], SLOTS, tuple(
        Lane(change, len(times), times[0], times[-1],
             tuple((slot, round(max(20 * (count / highest) ** 0.5, 4), 2), count)
                   for slot, count in sorted(slots[change].items())))
        for change, times in lanes.items()), len(events) - len(dated))


def _slot(moment: float, begin: float, end: float) -> int:
    return SLOTS // 2 if begin == end else min(int((moment - begin) / (end - begin) * SLOTS), SLOTS - 1)
