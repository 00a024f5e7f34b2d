"""Events over time as bars, and a span of them to choose: on the case's page, and on top of the table of events.

Counts come from the rollup of whole days (in a short case of hours), so that the picture costs the same at ten million events.
Where a table is filtered by host or change, the bars are of those; by anything else they are of all events, and the page says so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fimforensics.queries.overview import overview
from fimforensics.queries.summary import days
from fimforensics.site.pages import Bar, bars, coloured

_TIMES = ("time__gte", "time__gt", "time__lt", "time__lte")
_COUNTED = ("host_id", "host_id__exact", "change_id", "change_id__exact")


@dataclass(frozen=True)
class Chart:
    """The bars, the kinds in their order, what a bar is, the chosen span, and what is counted where that is not all that fits."""

    bars: list[Bar]
    kinds: list[str]
    unit: str
    since: str
    until: str
    of_all: bool  # the table has filters that the bars do not know

    @property
    def first(self) -> str:
        """Where the first bar begins."""
        return self.bars[0].start

    @property
    def last(self) -> str:
        """Where the last bar ends."""
        return self.bars[-1].until


def chart(connection: sqlite3.Connection, arguments: Mapping[str, Sequence[str]]) -> Chart | None:
    """The bars for a table of events with these arguments; None where there are less than two."""
    told = overview(connection).summary
    by_day, by_hour = told.days, told.hours
    filters = {name: values[0] for name, values in arguments.items() if not name.startswith("_") and values}
    counted = {name.removesuffix("__exact"): value for name, value in filters.items() if name in _COUNTED and value.isdecimal()}
    others = [name for name in filters if name not in (*_TIMES, *_COUNTED)]
    if counted and not others:
        by_day, by_hour = days(connection, **{name: int(value) for name, value in counted.items()}), []
    others += [name for name in ("_search", "_where") if any(arguments.get(name, ()))]
    found = bars(by_day, by_hour)
    if len(found) < 2:
        return None
    return Chart(found, coloured({kind for _, kind, _ in by_day}), "hour" if by_hour else "day",
                 filters.get("time__gte", filters.get("time__gt", "")), filters.get("time__lt", filters.get("time__lte", "")),
                 bool(others))
