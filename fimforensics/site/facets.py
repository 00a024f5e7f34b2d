"""Facets of a very large table of events: counted from rollups, remembered, or of a sample, and then the page says so.

Up to LARGE events Datasette's own counting is quick. Beyond it, hosts and changes come from the rollup `event_counts`; accounts
and processes without a filter are counted once and remembered, for a served case does not change; everything else is counted
over the first SAMPLE rows that fit.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from datasette.database import Results
from datasette.facets import ColumnFacet

from fimforensics.site.database import is_case

LARGE = 300_000
SAMPLE = 200_000
KEPT = 200  # answers remembered of one case
_ROLLED = ("host_id", "change_id")
_INDEXED = ("account_id", "process_id")
_COLUMN = re.compile(r'\s*select \W*(\w+)\W* as value, count\(\*\) as count from')


class CountedFacet(ColumnFacet):  # type: ignore[misc]
    """Datasette's facet of a column; over many events the counts are ours."""

    ds: Any

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """As the parent gives them; `sample` in a result says over how many rows it was counted."""
        found = self.ds.databases[self.database]
        if self.table != "events" or not is_case(found) or (found.cached_table_counts or {}).get("events", 0) <= LARGE:
            return await super().facet_results()  # type: ignore[no-any-return]
        served = self.ds
        self.ds = counting = _Counting(served, self)
        try:
            results, late = await super().facet_results()
        finally:
            self.ds = served
        return [{**one, "sample": SAMPLE} if one["name"] in counting.sampled else one for one in results], late

    def filters(self) -> dict[str, str]:
        """The conditions in the address; None of them are those that choose rows in another way."""
        return {name: value for name, value in self.get_querystring_pairs() if not name.startswith("_")}

    def hidden(self) -> bool:
        """Is there a condition that is not a column's?"""
        return any(name.startswith(("_search", "_where", "_through")) and value for name, value in self.get_querystring_pairs())


class _Counting:
    """A Datasette that answers the facets' own questions from what is known."""

    def __init__(self, served: Any, facet: CountedFacet) -> None:
        self.served, self.facet = served, facet
        self.sampled: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.served, name)

    async def execute(self, name: str, sql: str, params: Any = None, **more: Any) -> Any:
        """The counts of the column that the statement groups by."""
        match = _COLUMN.match(sql)
        database, facet = self.served.databases[name], self.facet
        if match is None:
            return await self.served.execute(name, sql, params, **more)
        column, limit = match[1], facet.get_facet_size() + 1
        filters = {key.removesuffix("__exact"): value for key, value in facet.filters().items()}
        rolled = not facet.hidden() and all(key in _ROLLED and value.isdecimal() for key, value in filters.items())
        if rolled and (column in _ROLLED or (column in _INDEXED and not filters)):
            kept = database.__dict__.setdefault("_fimforensics_facets", {})
            key = (column, tuple(sorted(filters.items())), limit)
            if key not in kept:
                if len(kept) >= KEPT:
                    kept.pop(next(iter(kept)))
                kept[key] = await database.execute_fn(lambda connection: exact(connection, column, filters, limit))
            return _results(kept[key])
        rows, more_than = await database.execute_fn(lambda connection: sample(connection, column, facet.sql, params, limit))
        self.sampled |= {column} if more_than else set()
        return _results(rows)


def _results(rows: list[tuple[int, int]]) -> Results:
    return Results([{"value": value, "count": count} for value, count in rows], False, (("value",), ("count",)))


def exact(connection: sqlite3.Connection, column: str, filters: dict[str, str], limit: int) -> list[tuple[int, int]]:
    """How many events have each value: of hosts and changes under conditions on them, of accounts and processes without."""
    if column in _ROLLED:
        wheres = " AND ".join(f"{name} = {int(value):d}" for name, value in sorted(filters.items()) if name in _ROLLED)
        sql = f"SELECT {column}, sum(events) AS n FROM event_counts WHERE {wheres or '1'} GROUP BY 1 ORDER BY n DESC, 1 LIMIT ?"
    else:
        sql = (f"SELECT {column}, count(*) AS n FROM events WHERE {column} IS NOT NULL "
               "AND +id < (SELECT events_end FROM case_info) GROUP BY 1 ORDER BY n DESC, 1 LIMIT ?")
    return connection.execute(sql, (limit,)).fetchall()


def sample(connection: sqlite3.Connection, column: str, sql: str, params: Any, limit: int) -> tuple[list[tuple[int, int]], bool]:
    """How many of the first SAMPLE rows that fit have each value, and whether there are more rows than these."""
    values = dict(params) if isinstance(params, dict) else list(params or ())
    some = f"SELECT {column} AS value FROM ({sql}) LIMIT {SAMPLE}"
    rows = connection.execute(f"SELECT value, count(*) AS n FROM ({some}) GROUP BY value ORDER BY n DESC, value",
                              values).fetchall()
    more = sum(count for _, count in rows) == SAMPLE and connection.execute(
        f"SELECT 1 FROM ({sql}) LIMIT 1 OFFSET {SAMPLE}", values).fetchone() is not None
    return [(value, count) for value, count in rows if value is not None][:limit], more
