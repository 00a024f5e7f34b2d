"""What the template of the case page is given: the queries' answers, made ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_BARS = 120
COLOURS = 3  # of kinds in the chart
OTHERS = "other kinds"
Counts = Sequence[tuple[str, str, int]]  # day or hour, kind, events


@dataclass(frozen=True)
class Bar:
    """Some days' or hours' events in the chart, in units of a chart 100 high: kinds from the bottom up."""

    start: str
    until: str  # where the next one starts
    told: str
    events: int
    parts: list[tuple[str, float, float]]  # kind, y, height


def coloured(told: set[str]) -> list[str]:
    """Kinds of entities, files first; where there are more than a chart has colours, those but files and registry are one."""
    return sorted(told) if len(told) <= COLOURS else [*sorted(told & {"file", "registry"}), OTHERS]


def bars(days: Counts, hours: Counts) -> list[Bar]:
    """The days, or in a short case the hours, from first to last as at most 120 bars, empty ones too: silence must show."""
    counted = [(datetime.fromisoformat(f"{hour}:00"), kind, events) for hour, kind, events in hours] or [
        (datetime.fromisoformat(day), kind, events) for day, kind, events in days]
    if not counted:
        return []
    unit = timedelta(hours=1) if hours else timedelta(days=1)
    first, last = counted[0][0], counted[-1][0]
    if hours:  # whole days, or a case of one hour would have one bar
        first, last = first.replace(hour=0), last.replace(hour=23)
    step = unit * -(-((last - first) // unit + 1) // MOST_BARS)
    shown = coloured({kind for _, kind, _ in counted})
    sums: dict[int, dict[str, int]] = {at: {} for at in range((last - first) // step + 1)}
    for when, kind, events in counted:
        slot, kind = sums[(when - first) // step], kind if kind in shown else OTHERS
        slot[kind] = slot.get(kind, 0) + events
    highest = max(sum(slot.values()) for slot in sums.values())
    return [_bar(first + at * step, step, unit, slot, highest) for at, slot in sums.items()]


def _bar(start: datetime, step: timedelta, unit: timedelta, slot: dict[str, int], highest: int) -> Bar:
    beginning, end = (_told(when, unit) for when in (start, start + step - unit))
    told = beginning if step == unit else f"{beginning} to {end}"
    total, parts, top = sum(slot.values()), [], 100.0
    for kind, events in sorted(slot.items()):
        # The whole bar grows with the square root, so that quiet days are seen beside a burst.
        height = max((total / highest) ** 0.5 * 100 * events / total, 0.5)
        top -= height
        parts.append((kind, round(top, 2), round(height, 2)))
    counts = ", ".join(f"{events:,} {kind}" for kind, events in sorted(slot.items())) or "no events"
    return Bar(beginning.replace(" ", "T"), _told(start + step, unit).replace(" ", "T"), f"{told}: {counts}", total, parts)


def _told(when: datetime, unit: timedelta) -> str:
    return f"{when:%Y-%m-%d}" if unit >= timedelta(days=1) else f"{when:%Y-%m-%d %H:00}"
