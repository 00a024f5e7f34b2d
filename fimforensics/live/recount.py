"""Which slices hold other rows than the service counts now: found by counting halves, not each slice."""

from __future__ import annotations

from itertools import groupby

from fimforensics.live.kql import Slice
from fimforensics.live.ledger import Entry
from fimforensics.live.plan import Planner


def differing(planner: Planner, held: list[Entry], each: bool = False) -> list[tuple[Entry, int]]:
    """The slices of one window that differ, each with the rows that are counted for it; `held` in order of time.

    With `each` every time is counted by itself, for a sum cannot tell rows that show late from as many that retention took.
    """
    spans = [list(group) for _, group in groupby(held, key=lambda one: (one.part.low, one.part.high))]
    if each:
        return [found for span in spans for found in _among(planner, [span])]
    return _among(planner, spans) if spans else []


def _among(planner: Planner, spans: list[list[Entry]]) -> list[tuple[Entry, int]]:
    """`spans` are slices of the same time, that only differ in their hashes, in order of time without a gap."""
    counted = planner.count(Slice(spans[0][0].part.low, spans[-1][0].part.high))["Rows"]
    if counted == sum(entry.got for span in spans for entry in span):
        return []
    if len(spans) > 1:
        middle = len(spans) // 2
        return _among(planner, spans[:middle]) + _among(planner, spans[middle:])
    if len(spans[0]) == 1:
        return [(spans[0][0], counted)]
    single = [(entry, planner.count(entry.part)["Rows"]) for entry in spans[0]]
    return [(entry, rows) for entry, rows in single if rows != entry.got]


def once(slices: list[tuple[Entry, bytes]]) -> int:
    """How many rows two slices of the same time both hold; their hashes should have parted them."""
    seen: set[bytes] = set()
    twice = 0
    for _, ids in slices:
        own = {ids[at:at + 8] for at in range(0, len(ids), 8)}
        twice += len(seen & own)
        seen |= own
    return twice
