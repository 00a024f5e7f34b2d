"""The open rows of one host, by place: in memory while they are few; where they are many, the older ones on disk."""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from itertools import islice

import apsw

from fimforensics import sql
from fimforensics.analyses.versions.row import Row

KEPT = 200_000  # rows in memory; one takes half a kilobyte
_TABLE = "temp.versions_open"


class Places:
    """A mapping of place to its open row. What is got from it may be changed until another row is put."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._near: dict[int, Row] = {}
        self._far = False

    def get(self, place: int | None) -> Row | None:
        """The open row of a place; None where nothing is known of it."""
        row = self._near.get(place)  # type: ignore[arg-type]  # None is no place
        if row is None and self._far and place is not None:
            found = sql.first(self._db, f"SELECT row FROM {_TABLE} WHERE place = ?", (place,))
            if found is not None:
                row = Row.read(marshal.loads(found[0]))
                self.put(row)
        return row

    def put(self, row: Row) -> None:
        """This is what its place holds now."""
        if row.place not in self._near:
            if self._far:
                self._db.execute(f"DELETE FROM {_TABLE} WHERE place = ?", (row.place,))
            if len(self._near) >= KEPT:
                self._spill()
        self._near[row.place] = row

    def forget(self, place: int) -> None:
        """Nothing is known of this place any more."""
        if self._near.pop(place, None) is None and self._far:
            self._db.execute(f"DELETE FROM {_TABLE} WHERE place = ?", (place,))

    def rows(self) -> Iterator[Row]:
        """All open rows; afterwards there are none."""
        if self._far:
            for (data,) in self._db.execute(f"SELECT row FROM {_TABLE} ORDER BY place"):
                yield Row.read(marshal.loads(data))
            self._db.execute(f"DELETE FROM {_TABLE}")  # it cannot be dropped while events are read
            self._far = False
        yield from self._near.values()
        self._near = {}

    def _spill(self) -> None:
        """Puts the half of the rows that came first where there is room."""
        self._db.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE} (place INTEGER PRIMARY KEY, row BLOB NOT NULL)")
        self._far = True
        old = list(islice(self._near, max(KEPT // 2, 1)))
        self._db.cursor().executemany(f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?)",
                                      ((place, marshal.dumps(self._near[place].cells())) for place in old))
        for place in old:
            del self._near[place]
