"""The star of a part, written from rows: one way for all events, altered or not, so that a check can write it again and compare.

An event has the number that it has in the whole. If it is not altered, it has its key and ordinal too; else its key is that of
what is left, for the key of the whole row would let anyone test guesses of what was taken out.
"""

from __future__ import annotations

from hashlib import sha256

import apsw
import orjson

from fimforensics import sql
from fimforensics.blocks import Entities
from fimforensics.cells import Cells
from fimforensics.interner import Interner
from fimforensics.model import COLUMNS, Reading
from fimforensics.rows import EXTRA, FLAG, FORMS, Builder
from fimforensics.schema import PATH_FORM_SHIFT
from fimforensics.store import EVENT_COLUMNS

_INSERT = (f"INSERT INTO events (id, {', '.join(EVENT_COLUMNS)}, match_key, ordinal) "
           f"VALUES ({', '.join('?' * (len(EVENT_COLUMNS) + 3))})")
_FORMS_AT, _EXTRA_AT, _FLAGS_AT = 20, 21, 22  # in an event's cells
_BATCH = 2_000


def row_bytes(row: list) -> bytes:
    """A canonical row as it is hashed."""
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


class Star:
    """Writes events; `done` writes what is held back."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db, self._entities, self._interner = db, Entities(), Interner(db)
        self._builders: dict[str | None, Builder] = {}
        self._plain = Builder(Cells({}, Reading()), Entities())
        self._held: list[tuple] = []
        self._altered: list[int] = []

    def plain_key(self, row: list) -> bytes:
        """The match key of a row that may merge with others."""
        return self._plain.build(dict(zip(COLUMNS, row[:FORMS], strict=True))).key

    def add(self, number: int, row: list, ordinal: int, altered: bool, apart: str | None) -> None:
        """An event by its row. `ordinal` is the whole's and counts where the event is not altered; `apart` as in its key."""
        builder = self._builders.get(apart)
        if builder is None:
            builder = self._builders[apart] = Builder(Cells({}, Reading()), self._entities, apart=apart)
        built = builder.build(dict(zip(COLUMNS, row[:FORMS], strict=True)))
        event = list(built.event)
        event[_FORMS_AT] = (event[_FORMS_AT] & ((1 << PATH_FORM_SHIFT) - 1)) | row[FORMS] << PATH_FORM_SHIFT
        event[_EXTRA_AT] = orjson.dumps(row[EXTRA], option=orjson.OPT_SORT_KEYS).decode() if row[EXTRA] else None
        event[_FLAGS_AT] = row[FLAG]
        check = int.from_bytes(sha256(row_bytes(row)).digest()[:8], "big", signed=True)
        if altered:
            ordinal = -1  # until `done`
            self._altered.append(number)
        self._held.append((number, tuple(event), built.key, ordinal, check))
        if len(self._held) >= _BATCH:
            self._write()

    def _write(self) -> None:
        self._interner.take(self._entities.take())
        localise = self._interner.event
        cursor = self._db.cursor()
        cursor.executemany(_INSERT, ((number, *localise(event), key, ordinal) for number, event, key, ordinal, _ in self._held))
        cursor.executemany("INSERT INTO event_keys VALUES (?, ?, ?, ?)", (
            (int.from_bytes(key[:8], "big", signed=True), number, ordinal, check)
            for number, _, key, ordinal, check in self._held))
        self._held.clear()

    def done(self) -> None:
        """Altered events get the first ordinals that are free among the events of their keys, in the order of their numbers."""
        self._write()
        for number in self._altered:
            key = sql.cell(self._db, "SELECT match_key FROM events WHERE id = ?", (number,))
            prefix = int.from_bytes(key[:8], "big", signed=True)
            taken = {ordinal for (ordinal,) in self._db.execute(
                "SELECT e.ordinal FROM event_keys k JOIN events e ON e.id = k.event_id WHERE k.prefix = ? AND e.match_key = ?",
                (prefix, key))}
            free = next(ordinal for ordinal in range(len(taken) + 1) if ordinal not in taken)
            self._db.execute("UPDATE events SET ordinal = ? WHERE id = ?", (free, number))
            self._db.execute("UPDATE event_keys SET ordinal = ? WHERE prefix = ? AND event_id = ?", (free, prefix, number))
        self._db.execute("DELETE FROM relabelled")
