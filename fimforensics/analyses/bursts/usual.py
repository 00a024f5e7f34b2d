"""What is usual for a host, and which of its minutes break out of it.

A minute breaks out if its different paths, folders, renames, extensions or contents never seen on the host are over a floor,
five times the host's median minute, far off by the spread of its minutes, and half as many again as its busy days know. A
host with hardly a history is measured by the minutes of the other hosts, in paths and renames alone, for all is new to it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from fimforensics.analyses.bursts.minutes import ACTIVE, DAY, Minutes

FLOORS = {"paths": 10, "folders": 8, "renames": 8, "endings": 5, "contents": 10}
TIMES, SPREADS, BUSY_DAYS, BUSIER = 5, 15, 0.2, 1.5
DAYS = 5  # days that show what a busy day is
APART = 2  # minutes between two that are one burst, at the most
FEW = 3  # paths of a minute beside a burst that still belong to it
OWN, OTHERS, NONE = None, "others", "none"


@dataclass(frozen=True)
class Window:
    """A burst's minutes, first and last, and what is usual."""

    begin: int
    end: int
    usual: float


def own_windows(host: Minutes) -> list[Window]:
    """The bursts of a host that has a history."""
    limits = {name: _limit(getattr(host, name), host.at, floor) for name, floor in FLOORS.items()}
    breaking = []
    for at in range(len(host.at)):
        for name, limit in limits.items():
            if getattr(host, name)[at] >= limit and (at >= ACTIVE or name not in ("endings", "contents")):
                breaking.append(at)
                break
    return _merged(host, breaking, host.usual())


def _limit(values: array, minutes: array, floor: int) -> float:
    middle = median(values)
    spread = median([abs(value - middle) for value in values])
    busiest: dict[int, int] = {}
    for value, at in zip(values, minutes, strict=True):
        if value > busiest.get(at // DAY, 0):
            busiest[at // DAY] = value
    days = sorted(busiest.values(), reverse=True)
    busy = days[int(BUSY_DAYS * len(days))] if len(days) >= DAYS else 0
    return max(floor, TIMES * middle, middle + SPREADS * spread, BUSIER * busy)


def _merged(host: Minutes, breaking: Sequence[int], usual: float) -> list[Window]:
    """Minutes close to each other as one burst, with what directly precedes and follows if it is more than usual."""
    found: list[list[int]] = []
    for at in breaking:
        if found and host.at[at] - host.at[found[-1][1]] <= APART:
            found[-1][1] = at
        else:
            found.append([at, at])
    windows: list[Window] = []
    for first, last in found:
        if first and _beside(host, first - 1, first, usual) and (not windows or host.at[first - 1] > windows[-1].end):
            first -= 1
        if last + 1 < len(host.at) and _beside(host, last + 1, last, usual):
            last += 1
        windows.append(Window(host.at[first], host.at[last], usual))
    return windows


def _beside(host: Minutes, at: int, edge: int, usual: float) -> bool:
    return abs(host.at[at] - host.at[edge]) == 1 and host.paths[at] >= max(FEW, 2 * usual)


class Fleet:
    """How many minutes of all hosts had how many paths and renames."""

    def __init__(self) -> None:
        self._paths: Counter[int] = Counter()
        self._renames: Counter[int] = Counter()

    def add(self, host: Minutes) -> None:
        """Counts the minutes of one host."""
        self._paths.update(host.paths)
        self._renames.update(host.renames)

    def windows(self, host: Minutes) -> tuple[list[Window], str | None]:
        """The bursts of a host with hardly a history, and whose history measured them: its own, others', or none."""
        paths, renames = _middle(self._paths, host.paths), _middle(self._renames, host.renames)
        own = host.usual()
        if len(host.at) >= ACTIVE and not (paths is not None and own > FLOORS["paths"] and own > TIMES * paths):
            return own_windows(host), OWN
        history = NONE if paths is None else OTHERS
        usual = paths if paths is not None else own
        limits = (max(FLOORS["paths"], TIMES * (paths or 0)), max(FLOORS["renames"], TIMES * (renames or 0)))
        breaking = [at for at in range(len(host.at)) if host.paths[at] >= limits[0] or host.renames[at] >= limits[1]]
        return _merged(host, breaking, usual), history


def _middle(all_of_them: Counter[int], own: array) -> float | None:
    """The median of what the other hosts have; None without other hosts."""
    mine, left = Counter(own), sum(all_of_them.values()) - len(own)
    if left <= 0:
        return None
    half, below = (left - 1) // 2, 0
    for value in sorted(all_of_them):
        below += all_of_them[value] - mine[value]
        if below > half:
            return float(value)
    return None
