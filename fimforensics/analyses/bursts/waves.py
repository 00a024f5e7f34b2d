"""The same change set on several hosts: which bursts hit mostly the same paths on other hosts within a few days."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from fimforensics.analyses.bursts.burst import Burst

DAYS = 3
ALIKE = 0.6  # of the sketch must be in common
MOST = 1_000  # bursts that are compared by one path; beyond, it is a wave in any case


def waves(bursts: Sequence[Burst]) -> dict[int, int]:
    """Place of a burst → on how many other hosts the same files changed, where there are any."""
    by_path: dict[int, list[tuple[str, int]]] = {}
    for at, burst in enumerate(bursts):
        for number in burst.sketch:
            by_path.setdefault(number, []).append((burst.since, at))
    for listed in by_path.values():
        listed.sort()
    found = {}
    for at, burst in enumerate(bursts):
        begin, end = _moved(burst.since, -DAYS), _moved(burst.since, DAYS)
        alike: Counter[int] = Counter()
        for number in burst.sketch:
            listed = by_path[number]
            left = bisect_left(listed, (begin, 0))
            alike.update(other for since, other in listed[left:left + MOST] if since <= end)
        hosts = {bursts[other].host for other, common in alike.items() if common >= ALIKE * len(burst.sketch)} - {burst.host}
        if hosts:
            found[at] = len(hosts)
    return found


def _moved(time: str, days: int) -> str:
    return (datetime.fromisoformat(time[:19]) + timedelta(days=days)).isoformat() + time[19:]
