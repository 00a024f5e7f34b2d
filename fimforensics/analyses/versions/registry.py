"""The chains of the registry keys and values of one host.

A value's row holds the data that was set. Where an event tells the data it replaced, and that is not what the chain had last,
somebody changed it unseen: the row before ends where it was last seen, and a row inferred from the old data leads to the event.
The values of a key end with it; those of a key that is renamed go on under the new one, where the case knows such a value. One
that no event tells of while its key is renamed again and again is given up: what became of it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import apsw

from fimforensics import sql
from fimforensics.analyses.versions.contents import Contents
from fimforensics.analyses.versions.places import Places
from fimforensics.analyses.versions.row import ABSENT, PRESENT, Row, What, Writer
from fimforensics.paths import registry_key
from fimforensics.schema import EMPTY_BIT

INFERRED = "inferred from old value"
LONG = 64  # longer data are remembered by their digest
CARRIED = 20  # renames of its key that a value goes along with, while no event tells of it; so the rows stay linear in events
_NAMED = "SELECT id FROM registry_values WHERE host_id = ? AND key = ? AND name IS ?"
Data = tuple[str | bytes, str | None]  # the data or their digest, and the type


class Registry:
    """What each key and value of the host holds at the moment; `tell` it events in order, then `end`."""

    def __init__(self, db: apsw.Connection, host: int, writer: Writer, contents: Contents) -> None:
        self._db, self._host, self._writer = db, host, writer
        self._open = Places(db)
        keys: dict[str, str] = {}  # many values have one key, and need it once
        self._keys: dict[int, str] = {
            number: keys.setdefault(key, key)
            for number, key in db.execute("SELECT id, key FROM registry_values WHERE host_id = ?", (host,))}
        self._there: dict[str, dict[int, None]] = {}  # by key: the present ones, in the order in which they came
        self._renamed: bytes | None = None

    def tell(self, what: What, event: tuple) -> None:
        """event = (host, id, time, change, value, process, account, match key, forms, new data, old data, new type, old type,
        old key, hive)."""
        repeats, self._renamed = event[7] == self._renamed, event[7] if what == What.KEY_RENAMED else None
        if what == What.KEY_RENAMED:
            self._rename(event, repeats)
        elif what == What.KEY_DELETED:
            self._delete(event)
            for value in list(self._there.get(self._keys[event[4]], ())):
                self._leave(value, event, "key deleted")
        else:
            old = _data(event[10], event[12], event[8], "Old") if what != What.KEY_CREATED else None
            if old is not None:
                self._infer(event, old)
            if what == What.VALUE_DELETED:
                self._delete(event)
            else:
                self._be(what, event)

    def end(self) -> None:
        """What is still so at the end."""
        for row in self._open.rows():
            self._close(row, None, None)
        self._there, self._keys = {}, {}

    def _be(self, what: What, event: tuple) -> None:
        """The value is there, with data that may be others."""
        row, data = self._open.get(event[4]), _data(event[9], event[11], event[8], "New")
        if row is None:
            before = "absent" if what in (What.CREATED, What.KEY_CREATED) else "unknown"
            self._begin(event, self._writer.chain(), data, None, None, before)
        elif row.state == ABSENT:
            self._close(row, event[2], event[1])
            self._begin(event, row.chain, data, row.previous, _differs(row, data))
        elif _stays(row, data, what in (What.SET, What.CREATED)):
            row.touched(event)
        else:
            number = self._close(row, event[2], event[1])
            self._begin(event, row.chain, data, number, _differs(row, data))

    def _delete(self, event: tuple) -> None:
        row = self._open.get(event[4])
        if row is None:
            self._put(Row(self._writer.chain(), event[4], ABSENT, "deleted", None, None, event, None, None, "unknown"))
        elif row.state == ABSENT:
            row.touched(event)
        else:
            self._leave(event[4], event, "deleted")

    def _leave(self, value: int, event: tuple, basis: str) -> None:
        """The present value is gone from here on."""
        row = self._open.get(value)
        assert row is not None
        number = self._close(row, event[2], event[1])
        self._put(Row(row.chain, value, ABSENT, basis, row.what, None, event, number, None, None))

    def _infer(self, event: tuple, old: Data) -> None:
        """What the event says was there before, where the chain does not know it."""
        value, row = event[4], self._open.get(event[4])
        if row is None:
            new = Row(self._writer.chain(), value, PRESENT, INFERRED, old, event[1], event, None, None, "unknown")
            new.since = None
        elif row.seen == event[2] or (row.state == PRESENT and row.what is not None and _same(row.what, old)):
            return  # at one moment the order of events is not known, so nothing is shown to have been unseen
        else:
            differs, previous = _differs(row, old), row.previous
            number = self._close(row, row.seen, None)
            if row.state == PRESENT:
                previous = number
            new = Row(row.chain, value, PRESENT, INFERRED, old, event[1], event, previous, differs, None)
            new.since = row.seen
        new.begun = new.last = new.process = new.account = None
        new.events = 0
        self._put(new)

    def _rename(self, event: tuple, repeats: bool) -> None:
        """A key moved, with the values that it had."""
        to, old = self._keys[event[4]], registry_key(event[13], event[14]) if event[13] else None
        if old is None or old == to:
            self._be(What.OTHER, event)
            return
        if repeats:
            row = self._open.get(event[4])
            assert row is not None
            row.touched(event)
            return
        moved = self._moved(old)
        targets = self._targets(to, [name for _, name in moved])
        arriving: dict[int, Row | None] = {event[4]: None}
        arriving |= {targets[name]: self._open.get(number) for number, name in moved if name in targets}
        for value in [number for number in self._there.get(to, ()) if number not in arriving]:
            self._leave(value, event, "key deleted")
        for value, row in arriving.items():
            self._arrive(value, event, row)
        for number, name in moved:
            row = self._open.get(number)
            if row is not None and name not in targets:
                self._close(row, event[2], event[1])
            self._put(Row(self._writer.chain(), number, ABSENT, "moved away", None, None, event, None, None,
                          "unknown" if row is None else None))

    def _moved(self, key: str) -> list[tuple[int, str | None]]:
        """Id and name of a renamed key itself and of its present values, in an order that is the same in every case."""
        itself = [(number, None) for (number,) in sql.rows(self._db, _NAMED, (self._host, key, None))]
        named = ((sql.cell(self._db, "SELECT name FROM registry_values WHERE id = ?", (number,)), number)
                 for number in self._there.get(key, ()))
        return [*itself, *((number, name) for name, number in sorted(one for one in named if one[0] is not None))]

    def _targets(self, key: str, names: Iterable[str | None]) -> dict[str | None, int]:
        """The values of these names that the case knows under a key."""
        return {name: number for name in names for (number,) in sql.rows(self._db, _NAMED, (self._host, key, name))}

    def _arrive(self, value: int, event: tuple, moved: Row | None) -> None:
        """The chain of `moved` goes on at this value, and whatever was here is over."""
        if (over := self._open.get(value)) is not None:
            self._close(over, event[2], event[1])
        if moved is None:
            self._put(Row(self._writer.chain(), value, PRESENT, "event only", None, None, event, None, None, "unknown"))
            return
        number = self._close(moved, event[2], event[1])
        carried = 0 if value == event[4] else moved.carried + 1  # of the key itself the event tells
        if carried > CARRIED:
            self._open.forget(value)
            self._there.get(self._keys[value], {}).pop(value, None)
            return
        if moved.state == PRESENT:
            row = Row(moved.chain, value, PRESENT, moved.basis, moved.what, moved.detail, event, number, "no", None)
        else:  # it had come back unseen
            row = Row(moved.chain, value, PRESENT, "event only", None, None, event, moved.previous, _differs(moved, None), None)
        row.carried = carried
        self._put(row)

    def _begin(self, event: tuple, chain: int, data: Data | None, previous: int | None, differs: str | None,
               before: str | None = None) -> None:
        basis, holder = ("event only", None) if data is None else ("data", event[1])
        self._put(Row(chain, event[4], PRESENT, basis, data, holder, event, previous, differs, before))

    def _put(self, row: Row) -> None:
        self._open.put(row)
        there = self._there.setdefault(self._keys[row.place], {})
        if row.state == PRESENT:
            there[row.place] = None
        else:
            there.pop(row.place, None)

    def _close(self, row: Row, until: str | None, by: int | None) -> int:
        return self._writer.write(row.chain, row.place, row.state, row.basis, row.detail if row.state == PRESENT else None,
                                  row.since, until, row.begun, row.last, by, row.process, row.account, row.previous,
                                  row.differs, row.before, row.events)


def _data(data: str | None, kind: str | None, forms: int, side: str) -> Data | None:
    """The data that an event tells; None where it tells none.

    Data proven to be empty text count, unless the type is empty text too: then the source writes so what it does not know.
    """
    if data is None:
        empty = forms & EMPTY_BIT[f"{side}ValueData"] and not forms & EMPTY_BIT[f"{side}ValueType"]
        return ("", kind) if empty else None
    return (data if len(data) <= LONG else blake2b(data.encode(), digest_size=16).digest(), kind)


def _same(one: Data, other: Data) -> bool:
    return one[0] == other[0] and (one[1] is None or other[1] is None or one[1] == other[1])


def _stays(row: Row, data: Data | None, change: bool) -> bool:
    """Does the event tell of the data that the row has?"""
    if data is not None:
        return row.what is not None and _same(row.what, data)
    return not change or row.what is None


def _differs(row: Row, data: Data | None) -> str | None:
    """Are these others than the row's (an absent row's: than the ones before it)? None where there were none."""
    if row.state == ABSENT and row.previous is None:
        return None
    if row.what is None or data is None:
        return "unknown"
    return "no" if _same(row.what, data) else "yes"
