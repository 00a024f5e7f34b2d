"""Every write of events and entities. A `Writer` takes a reading's batches and finds each event its place in the case.

An event is its match key and its ordinal among equal keys of one set (docs/case-format.md): the n-th record of a key in a set
is the n-th event of that key, whichever set told it first. Keys are looked up by their first 8 bytes, in a table that is
filled in sorted portions; the whole key is compared before two records count as the same event.
Keys whose records differ are only noted here; `fimforensics.settle` decides over all of their records when the set is whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Any

import apsw

from fimforensics import sql
from fimforensics.blocks import KINDS
from fimforensics.interner import ENTITIES, Interner, slots
from fimforensics.native import native
from fimforensics.rows import FLAGS

FLAG_TEXTS = tuple(FLAGS[at] for at in range(4))
_PREFIX = Struct(">q").unpack_from
_SLOTS = 1 << 25  # of the filter that knows which prefixes were never seen
COMMIT = 65_536  # records of one transaction

EVENT_COLUMNS = ("time", "host_id", "change_id", "file_id", "registry_value_id", "content_id", "process_id", "account_id",
                 "path_id",
                 "original_path_id", "request_id", "machine_report_id", "process_report_id", "registry_report_id", "file_type",
                 "file_size", "old_data", "new_data", "image_last_access", "billed_size", "forms", "extra", "flags")
_INSERT_EVENT = (f"INSERT INTO events (id, {', '.join(EVENT_COLUMNS)}, match_key, ordinal) "
                 f"VALUES ({', '.join('?' * (len(EVENT_COLUMNS) + 3))})")
_UPDATE_EVENT = f"UPDATE events SET {', '.join(f'{column} = ?' for column in EVENT_COLUMNS)} WHERE id = ?"


class Known:
    """What is known of one key in the current portion: how many records of the set, and the events of the case.

    Only while all events of a key say the same does it not matter which record tells of which of them.
    """

    __slots__ = ("alike", "events", "items", "told")

    def __init__(self, told: int, events: list[tuple[int, bytes]], items: dict[str, int]) -> None:
        self.told, self.events, self.items = told, events, items
        self.alike = all(check == events[0][1] for _, check in events)


class Writer:
    """Takes one snapshot's batches; `flush` before every commit."""

    def __init__(self, db: apsw.Connection, snapshot: int, set_id: int, records: int | None = None) -> None:
        """`records`: about how many there will be, where that is known."""
        self._db, self._snapshot, self._set = db, snapshot, set_id
        self._interner = Interner(db, records)
        self._portion: dict[bytes, tuple[int, bytes, str | None] | Known] = {}
        self._new_keys: list[tuple[int, int, int, int]] = []
        self._unsettled: set[int] = set()
        others = db.execute("SELECT 1 FROM snapshots WHERE id <> ? LIMIT 1", (snapshot,)).fetchone()
        self._alone = others is None  # then every event of the case is of this set
        self._fresh = self._alone and db.execute("SELECT 1 FROM occurrences LIMIT 1").fetchone() is None
        self._filter = bytearray(slots(records, _SLOTS)) if self._fresh else bytearray()
        self._next = (sql.cell(db, "SELECT max(id) FROM events") or 0) + 1
        self._placer: Any = None  # where no other snapshot can have told of an event
        if native is not None and self._fresh:
            self._placer = native.Placer(self._filter, self._next, FLAG_TEXTS)
        self.new = self.known = self.rejects = 0
        self._items_told = False
        if not self._alone:
            db.execute("CREATE INDEX IF NOT EXISTS occurrences_event ON occurrences(event_id)")

    def rows(self, member: int, message: tuple) -> None:
        """One batch of records into the case."""
        _, _, _, entities, runs, rejects, leaves, _, _ = message
        self._interner.take(entities)
        placed: list[tuple] = []
        occurred: list[tuple] = []
        for run in runs:
            if len(run) == 4:
                self._run(run, member, placed, occurred)
            elif self._placer is not None:
                self._placer.rows(*run, self._snapshot, member, self._told, self._interner.referred, placed, occurred)
            else:
                assert native is not None, "who packed it can unpack it"
                self._run(native.unpack(*run, FLAG_TEXTS), member, placed, occurred)
        self._insert(placed)
        execute = self._db.cursor().executemany
        execute("INSERT INTO occurrences VALUES (?, ?, ?, ?, ?, ?, ?)", occurred)
        execute("INSERT INTO rejects (seq, snapshot_id, member_id, record, offset, length, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((seq, self._snapshot, member, *told) for seq, *told in rejects))
        first = min((*(run[1] if len(run) == 2 else run[3][0][0] for run in runs[:1]), *(reject[0] for reject in rejects[:1])))
        self._db.execute("INSERT INTO leaves VALUES (?, ?)", (first, leaves))
        self.known += len(occurred)
        self.rejects += len(rejects)

    def _run(self, run: tuple, member: int, placed: list[tuple], occurred: list[tuple]) -> None:
        """Events that Python made, or that the native writer cannot place."""
        place, localise = self._place, self._interner.event
        for event, key, check, (seq, offset, length, item) in zip(*run, strict=True):
            number, ordinal, new = place(key, check, item)
            if new:
                placed.append((number, *localise(event), key, ordinal))
            occurred.append((seq, number, self._snapshot, member, offset, length, item))

    def _insert(self, placed: list[tuple]) -> None:
        """New events, which were counted as known ones by their occurrences."""
        self._db.cursor().executemany(_INSERT_EVENT, placed)
        self.new += len(placed)
        self.known -= len(placed)
        placed.clear()

    def _told(self, key: bytes, prefix: int) -> tuple[int, bytes, bool, dict[str, int]]:
        """What the case has of a key, for the native writer: how many events, the check of the first, are all alike, the ids."""
        self._items_told = self._placer.items
        state = self._load(key, prefix)
        return len(state.events), state.events[0][1] if state.events else b"", state.alike, state.items

    def _place(self, key: bytes, check: bytes, item: str | None) -> tuple[int, int, bool]:
        """The event of a record: its id, its ordinal, and whether it is new to the case."""
        if self._placer is not None:
            return self._placer.place(key, check, item, self._told)
        if item is not None:
            self._items_told = True
        state = self._portion.get(key)
        prefix = _PREFIX(key)[0]
        if state is None:
            slot = prefix & (len(self._filter) - 1)
            if self._fresh and not self._filter[slot]:
                self._filter[slot] = 1
                return self._add(key, prefix, check, item, 0)
            state = self._load(key, prefix)
            if not state.events:
                return self._add(key, prefix, check, item, 0)
            self._portion[key] = state
        elif type(state) is tuple:
            state = self._portion[key] = Known(1, [(state[0], state[1])], {state[2]: state[0]} if state[2] else {})
        assert isinstance(state, Known)
        if not state.alike or check != state.events[0][1]:
            self._unsettled.add(prefix)
        if item is not None:
            again = state.items.get(item)
            if again is not None:  # the same id again in one set is the same record sent twice
                return again, 0, False
        ordinal = state.told
        state.told += 1
        if ordinal < len(state.events):
            number = state.events[ordinal][0]
            if item is not None:
                state.items[item] = number
            return number, ordinal, False
        number = self._number(prefix, check, ordinal)
        state.alike = state.alike and check == state.events[0][1]
        state.events.append((number, check))
        if item is not None:
            state.items[item] = number
        return number, ordinal, True

    def _add(self, key: bytes, prefix: int, check: bytes, item: str | None, ordinal: int) -> tuple[int, int, bool]:
        number = self._number(prefix, check, ordinal)
        self._portion[key] = (number, check, item)
        return number, ordinal, True

    def _number(self, prefix: int, check: bytes, ordinal: int) -> int:
        number = self._next
        self._next = number + 1
        self._new_keys.append((prefix, number, ordinal, _PREFIX(check)[0]))
        return number

    def _load(self, key: bytes, prefix: int) -> Known:
        """What the case and the set know of a key before this portion."""
        rows = sql.rows(
            self._db, "SELECT k.event_id, k.row_check FROM event_keys k JOIN events e ON e.id = k.event_id "
                      "WHERE k.prefix = ? AND e.match_key = ? ORDER BY e.ordinal", (prefix, key))
        events = [(number, check.to_bytes(8, "big", signed=True)) for number, check in rows]
        if self._fresh:
            return Known(len(events), events, self._items(prefix, key) if events else {})
        told = sql.cell(
            self._db, "SELECT count(DISTINCT o.event_id) FROM event_keys k JOIN events e ON e.id = k.event_id "
                      "JOIN occurrences o ON o.event_id = e.id JOIN snapshots s ON s.id = o.snapshot_id "
                      "WHERE k.prefix = ? AND e.match_key = ? AND s.set_id = ?",
            (prefix, key, self._set)) if events and not self._alone else len(events)
        return Known(told, events, self._items(prefix, key) if events else {})

    def _items(self, prefix: int, key: bytes) -> dict[str, int]:
        if self._fresh and not self._items_told:
            return {}
        self._db.execute("CREATE INDEX IF NOT EXISTS occurrences_event ON occurrences(event_id)")
        return dict(self._db.execute(
            "SELECT o.item_id, o.event_id FROM event_keys k JOIN events e ON e.id = k.event_id "
            "JOIN occurrences o ON o.event_id = e.id JOIN snapshots s ON s.id = o.snapshot_id WHERE k.prefix = ? "
            "AND e.match_key = ? AND s.set_id = ? AND o.item_id IS NOT NULL", (prefix, key, self._set)))

    def flush(self) -> None:
        """Writes what was held back for sorting; the portion is forgotten."""
        if self._placer is not None:
            self._new_keys, self._unsettled = self._placer.take()
        self._new_keys.sort()
        self._db.cursor().executemany("INSERT INTO event_keys VALUES (?, ?, ?, ?)", self._new_keys)
        unsettled = ((prefix,) for prefix in sorted(self._unsettled))
        self._db.cursor().executemany("INSERT OR IGNORE INTO unsettled VALUES (?)", unsettled)
        self._new_keys.clear()
        self._unsettled.clear()
        self._portion.clear()


def take_back(db: apsw.Connection, snapshot: int, marks: dict[str, int]) -> None:
    """Removes an unfinished snapshot and all that came with it; `marks` are the greatest ids before it."""
    first = sql.cell(db, "SELECT first_seq FROM snapshots WHERE id = ?", (snapshot,))
    for kind, entity, old in sql.rows(db, "SELECT kind, entity, old FROM relabelled ORDER BY id DESC"):
        columns, _, _, label = ENTITIES[kind]
        assert label is not None
        db.execute(f"UPDATE {kind} SET {columns[label]} = ? WHERE id = ?", (old, entity))
    for statement in ("DELETE FROM occurrences WHERE seq >= ?", "DELETE FROM rejects WHERE seq >= ?",
                      "DELETE FROM leaves WHERE first_seq >= ?"):
        db.execute(statement, (first,))
    db.execute("DELETE FROM event_keys WHERE event_id > ?", (marks["events"],))
    for kind in ("events", *reversed(KINDS)):
        db.execute(f"DELETE FROM {kind} WHERE id > ?", (marks[kind],))
    for statement in ("DELETE FROM member_cache WHERE member_id IN (SELECT id FROM members WHERE snapshot_id = ?)",
                      "DELETE FROM preambles WHERE member_id IN (SELECT id FROM members WHERE snapshot_id = ?)",
                      "DELETE FROM members WHERE snapshot_id = ?", "DELETE FROM originals WHERE snapshot_id = ?",
                      "DELETE FROM snapshots WHERE id = ?"):
        db.execute(statement, (snapshot,))
    db.execute("DELETE FROM unsettled")
    db.execute("DELETE FROM relabelled")


def marks(db: apsw.Connection) -> dict[str, int]:
    """The greatest id of events and of every kind of entity."""
    return {kind: sql.cell(db, f"SELECT max(id) FROM {kind}") or 0 for kind in ("events", *KINDS)}


_USED = {
    "files": ["events.file_id"], "contents": ["events.content_id"], "paths": ["events.path_id", "events.original_path_id"],
    "registry_values": ["events.registry_value_id"], "registry_reports": ["events.registry_report_id"],
    "machine_reports": ["events.machine_report_id"], "process_reports": ["events.process_report_id"],
    "requests": ["events.request_id"],
    "processes": ["events.process_id"], "images": ["process_reports.image_id"],
    "accounts": ["events.account_id", "process_reports.account_id", "requests.account_id"], "changes": ["events.change_id"],
    "hosts": ["events.host_id"],
}


def sweep(db: apsw.Connection) -> None:
    """Removes entities that no event refers to: what a reject named, or what better records replaced."""
    for kind, places in _USED.items():
        used = " UNION ".join(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL" for table, column in
                              (place.split(".") for place in places))
        db.execute(f"DELETE FROM {kind} WHERE id NOT IN ({used})")


def chunks(db: apsw.Connection, snapshot: int, members: dict[int, int], target: int, stored: Iterable[tuple]) -> None:
    """Bytes of the original (target -1) or of a member's cache; what is there already stays."""
    if target < 0:
        db.cursor().executemany("INSERT OR IGNORE INTO originals VALUES (?, ?, ?, ?, ?)",
                                ((snapshot, offset, length, codec, data) for offset, length, codec, data, _ in stored))
    else:
        db.cursor().executemany("INSERT OR IGNORE INTO member_cache VALUES (?, ?, ?, ?)",
                                ((members[target], offset, length, data) for offset, length, _, data, _ in stored))


def update_event(db: apsw.Connection, interner: Interner, number: int, event: tuple) -> None:
    """Replaces an event's cells by better ones; its key and ordinal stay."""
    db.execute(_UPDATE_EVENT, (*interner.event(event), number))
