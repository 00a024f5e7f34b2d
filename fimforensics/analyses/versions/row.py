"""An open row of a chain, what events can mean for it, and the writer of rows that are ended."""

from __future__ import annotations

from enum import Enum
from typing import Any

import apsw

BATCH = 4096
PRESENT, ABSENT = "present", "absent"


class What(Enum):
    """What an event says that happened; OTHER: nothing that changes contents as such (a new spelling of a name)."""

    CREATED, MODIFIED, DELETED, RENAMED, OTHER, SET, VALUE_DELETED, KEY_CREATED, KEY_DELETED, KEY_RENAMED = range(10)


class Row:
    """What a place holds at the moment, and since when.

    `what` and `detail` tell the content: a file's are content id and size, a value's are (data, type) and the event that holds
    the data. An absent row keeps those of the present row before it, `previous`, to compare what comes back. `carried`: by how
    many renames in a row it came where it is, without an event of its own.
    """

    __slots__ = ("account", "basis", "before", "begun", "carried", "chain", "detail", "differs", "events", "last", "place",
                 "previous", "process", "seen", "since", "state", "what")

    def __init__(self, chain: int, place: int, state: str, basis: str, what: Any, detail: int | None, event: tuple,
                 previous: int | None, differs: str | None, before: str | None) -> None:
        self.chain, self.place, self.state, self.basis, self.what, self.detail = chain, place, state, basis, what, detail
        self.begun: int | None = event[1]
        self.last: int | None = event[1]
        self.since: str | None = event[2]
        self.seen: str = event[2]
        self.process: int | None = event[5]
        self.account: int | None = event[6]
        self.previous, self.differs, self.before, self.events = previous, differs, before, 1
        self.carried = 0

    def touched(self, event: tuple) -> None:
        """One more event that tells of the same."""
        self.last, self.seen = event[1], event[2]
        self.events += 1
        self.carried = 0

    def cells(self) -> tuple:
        """All of it, as plain values."""
        return tuple([getattr(self, name) for name in self.__slots__])

    @classmethod
    def read(cls, cells: tuple) -> Row:
        """The row that had these cells."""
        row = cls.__new__(cls)
        for name, cell in zip(cls.__slots__, cells, strict=True):
            setattr(row, name, cell)
        return row


class Writer:
    """Appends ended rows to a table; numbers rows and chains."""

    def __init__(self, db: apsw.Connection, table: str) -> None:
        columns = {"file_versions": 18, "registry_versions": 17}[table]
        self._db, self._insert = db, f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"
        self._rows: list[tuple] = []
        self._row = self._chain = 0

    def chain(self) -> int:
        """The number of a new chain."""
        self._chain += 1
        return self._chain

    def write(self, *cells: object) -> int:
        """Takes a row without its id; gives the id."""
        self._row += 1
        self._rows.append((self._row, *cells))
        if len(self._rows) >= BATCH:
            self.flush()
        return self._row

    def flush(self) -> None:
        """Writes what was taken."""
        self._db.cursor().executemany(self._insert, self._rows)
        self._rows = []
