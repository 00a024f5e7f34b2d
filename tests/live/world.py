"""Worlds to collect from: many changes, of which a great part is one row over and over in one instant, and rows that come late.

Also the judgement: what the case holds against what the server holds, as multisets of whole rows, column by column where they
differ. Nothing is compared by a hash or a count alone.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson

from benchmarks.generate import lines
from fimforensics.model import MDC
from tests.live.store import MDC_VISIBLE, Store

INSTANT = "2026-09-14T03:00:00.1234567Z"
NASTY = ('C:\\Temp\\"quoted" \'it\'\'s\'.txt', "C:\\Temp\\\u202egnp.exe", "C:\\Temp\\tab\there", "/tmp/new\nline",
         "C:\\Temp\\=cmd()", "/tmp/é😀",
         "/tmp/\x1b[31mred", "/tmp/<script>", "/tmp/ends with\\", "/tmp/{\"a\": [1, null]}")
Row = tuple[object, ...]


@dataclass(frozen=True)
class Size:
    """How large a world is: all rows, those of the one instant, and the share that comes late."""

    rows: int = 200_000
    identical: int = 20_000
    late: float = 0.02  # of all rows: half can be seen only in the middle of a pull, half come in after it began


def build(size: Size, seed: int = 7, path: Path | str = ":memory:") -> Store:
    """A store with a world in it; the seed decides the rows. `scatter` then decides what comes late."""
    store = Store(path, seed)
    store.create()
    rows = _rows(size, seed)
    while portion := list(islice(rows, 20_000)):
        store.add(portion)
    return store


def _rows(size: Size, seed: int) -> Iterator[dict[str, object]]:
    made, rng = lines(size.rows - size.identical, seed), random.Random(seed)
    for number, line in enumerate(made):
        row = orjson.loads(line)
        if number % 400 == 0:
            path = rng.choice(NASTY)
            row |= {"MonitoredEntityType": "File", "ChangeType": "Created", "FilePath": path,
                    "FileName": path.rpartition("/" if path[0] == "/" else "\\")[2]}
        yield row
    if size.identical:
        same = next(row for row in map(orjson.loads, lines(500, seed + 1)) if row["MonitoredEntityType"] == "File")
        yield from (same | {"TimeGenerated": INSTANT} for _ in range(size.identical))


def scatter(store: Store, size: Size, seed: int, requests: int, now: str) -> int:
    """Spreads the times at which rows came in, and makes some late. Gives how many are late.

    Half of the late ones came in before and can be seen only after up to `requests` answers, half come in after `now`.
    """
    spread, half, all_of_them = f"hash(\"__h_ItemId\", {seed})", round(size.late * 5000), round(size.late * 10000)
    store.connection.execute(
        f'UPDATE "{MDC}" SET "__h_visible" = CASE WHEN {spread} % 10000 < {half} THEN {spread} // 10000 % {requests} ELSE 0 END, '
        f'"__h_ingestion" = CASE WHEN {spread} % 10000 BETWEEN {half} AND {all_of_them - 1} '
        f"THEN make_timestamp_ns(epoch_ns(TIMESTAMP_NS '{now}') + ({spread} // 10000 % 60000000000)::BIGINT) "
        'ELSE make_timestamp_ns(epoch_ns("TimeGenerated") + 30000000000 + '
        f'({spread} // 10000 % 300000000000)::BIGINT) END')
    return store.connection.execute(
        f"SELECT count(*) FROM \"{MDC}\" WHERE __h_visible > 0 OR __h_ingestion >= TIMESTAMP_NS '{now}'").fetchall()[0][0]


def held_by_server(store: Store, where: str = "true") -> Counter[Row]:
    """The server's rows, as the API would give them."""
    cells = ", ".join(f"left(strftime(\"{name}\", '%Y-%m-%dT%H:%M:%S.%n'), 27) || 'Z'" if kind == "datetime" else f'"{name}"'
                      for name, kind in MDC_VISIBLE.items())
    found = store.connection.execute(f'SELECT {cells} FROM "{MDC}" WHERE {where}')
    counted: Counter[Row] = Counter()
    while portion := found.fetchmany(10_000):
        counted.update(portion)
    return counted


def held_by_case(case: Path) -> Counter[Row]:
    """The case's rows, through its view under Microsoft's name."""
    cells = ", ".join(f'"{name}"' for name in MDC_VISIBLE)
    with closing(sqlite3.connect(f"file:{case}?mode=ro", uri=True)) as connection:
        return Counter(connection.execute(f'SELECT {cells} FROM "{MDC}"'))


@dataclass(frozen=True)
class Difference:
    """How two multisets of rows differ."""

    missing: int  # rows of the server that the case lacks
    twice: int  # rows that the case has and the server has not, or not so often
    columns: dict[str, int]  # values of a column that differ as multisets, over the rows that differ

    def __bool__(self) -> bool:
        return bool(self.missing or self.twice)


def difference(server: Counter[Row], case: Counter[Row]) -> Difference:
    """What one has and the other has not."""
    lacking, over = server - case, case - server
    columns = {}
    for at, name in enumerate(MDC_VISIBLE):
        mine, theirs = (Counter(row[at] for row in rows.elements()) for rows in (lacking, over))
        if differing := (mine - theirs).total() + (theirs - mine).total():
            columns[name] = differing
    return Difference(lacking.total(), over.total(), columns)
