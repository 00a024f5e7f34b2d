"""Ids for entities: what the case has is found again, what it does not have goes in.

A reading numbers the entities it meets; here each local number gets its id in the case. In a case that had no entity at all the
compiled module, where it is, knows all that came since, and nothing is looked up; the indexes for that are then made at the
end. Without it, a filter knows which entities were surely never seen, where the case had none of a kind: most are new in a
first ingest, and looking them up costs more than adding.
"""

from __future__ import annotations

import secrets
from array import array
from operator import itemgetter
from typing import Any

import apsw

from fimforensics import schema, sql
from fimforensics.blocks import KINDS
from fimforensics.native import native

_SLOTS = 1 << 24  # of the filter, for all kinds of which the case had none

# kind: columns; which of them refer to which kind; which of them tell two entities apart (all, if none is named); the label
# among the rest, of which the case keeps the first in the alphabet so that the order of sources does not matter
ENTITIES: dict[str, tuple[tuple[str, ...], dict[int, str], tuple[int, ...], int | None]] = {
    "hosts": (("key", "name"), {}, (0,), 1),
    "machine_reports": (("host_id", "tenant_id", "azure_resource_id", "aad_tenant_id", "computer", "cloud_provider",
                         "cloud_identifier", "cloud_resource_type", "source_system", "type", "is_billable"),
                        {0: "hosts"}, (), None),
    "changes": (("kind", "change", "entity"), {}, (), None),
    "accounts": (("name", "sid", "domain", "account"), {}, (), None),
    "images": (("file_name", "path", "file_type", "size", "created", "pe_timestamp", "last_write", "ls_hash", "md5", "sha256",
                "sha1", "company", "product", "product_version", "internal_name", "original_name", "description"), {}, (), None),
    "processes": (("host_id", "pid", "created", "image_key", "name", "weak"), {0: "hosts"}, (0, 1, 2, 3), 4),
    "process_reports": (("process_id", "account_id", "image_id", "pid", "name", "created", "session_id", "first_seen", "source"),
                        {0: "processes", 1: "accounts", 2: "images"}, (), None),
    "paths": (("path", "file_name"), {}, (), None),
    "files": (("host_id", "path", "key"), {0: "hosts"}, (0, 2), 1),
    "contents": (("sha256", "sha1", "md5", "size"), {}, (), None),
    "requests": (("account_id", "ip", "port", "source"), {0: "accounts"}, (), None),
    "registry_values": (("host_id", "path", "key", "name"), {0: "hosts"}, (0, 2, 3), 1),
    "registry_reports": (("key", "hive", "old_type", "old_name", "old_key", "new_type", "new_name"), {}, (), None),
}
# the kinds that an event's references are numbers of, in the order of its cells
_REFERENCES = {1: "hosts", 2: "changes", 3: "files", 4: "registry_values", 5: "contents", 6: "processes", 7: "accounts",
               8: "paths",
               9: "paths", 10: "requests", 11: "machine_reports", 12: "process_reports", 13: "registry_reports"}


def slots(records: int | None, most: int) -> int:
    """How many slots a filter needs, a power of two: `most`, or what so many records want."""
    return most if records is None else min(most, 1 << max(16, (16 * records).bit_length()))


class Interner:
    """Gives the entities of one reading their ids in the case: those it has, and new ones."""

    def __init__(self, db: apsw.Connection, records: int | None = None) -> None:
        """`records`: about how many there will be, where that is known."""
        self._db = db
        self.ids: dict[str, array] = {kind: array("q") for kind in KINDS}
        self._sql = {kind: _statements(kind) for kind in KINDS}
        self._next = {kind: (sql.cell(db, f"SELECT max(id) FROM {kind}") or 0) + 1 for kind in KINDS}
        self._filters: dict[str, bytearray] = {}
        self._seen: Any = None  # the compiled module's memory of all entities
        if native is not None and all(following == 1 for following in self._next.values()):
            self._seen = native.Seen(secrets.token_bytes(32))
        else:
            with sql.sorting(db):
                db.execute(schema.script("sought"))
            seen = bytearray(slots(records, _SLOTS)) if any(following == 1 for following in self._next.values()) else bytearray()
            self._filters = {kind: seen for kind, following in self._next.items() if following == 1}
        self.referred = tuple(self.ids[kind] for kind in _REFERENCES.values())  # what an event's numbers are in the case

    def take(self, taken: list[list[tuple]]) -> None:
        """The new entities of a batch, kind by kind; their local numbers are known from now on."""
        intern = self._intern if self._seen is None else self._remember
        for kind, rows in zip(KINDS, taken, strict=True):
            if rows:
                intern(kind, rows)

    def _remember(self, kind: str, rows: list[tuple]) -> None:
        """The same as `_intern`, by what the compiled module remembers."""
        columns, references, keys, label = ENTITIES[kind]
        referred = tuple(self.ids[references[at]] if at in references else None for at in range(len(columns)))
        ids, new, labelled, following = self._seen.take(
            KINDS.index(kind), rows, referred, keys, -1 if label is None else label, self._next[kind])
        self._insert(kind, new)
        self._next[kind] = following
        self.ids[kind].frombytes(ids)
        for number, text in labelled:
            assert label is not None
            known = sql.cell(self._db, f"SELECT {columns[label]} FROM {kind} WHERE id = ?", (number,))
            self._relabel(kind, number, known, text)

    def _intern(self, kind: str, rows: list[tuple]) -> None:
        """Ids for a batch's entities of one kind. What the filter never saw is new, and goes in with the others at the end."""
        _, references, keys, label = ENTITIES[kind]
        identity = itemgetter(*keys) if keys else tuple
        filter_, found_ids, following = self._filters.get(kind), self.ids[kind], self._next[kind]
        new: list[tuple] = []
        fresh: dict[object, int] = {}
        for row in rows:
            if references:
                cells = list(row)
                for at, other in references.items():
                    if cells[at] is not None:
                        cells[at] = self.ids[other][cells[at]]
                row = tuple(cells)
            if filter_ is not None:
                told = identity(row)
                slot = hash((kind, told)) & (len(filter_) - 1)
                if not filter_[slot]:
                    filter_[slot] = 1
                    fresh[told] = following
                    new.append((following, *row))
                    found_ids.append(following)
                    following += 1
                    continue
                if label is None and told in fresh:
                    found_ids.append(fresh[told])
                    continue
                if told in fresh:  # its label may have to change
                    self._insert(kind, new)
            number = self._find(kind, row, keys, label)
            if number is None:
                self._insert(kind, [(following, *row)])
                number, following = following, following + 1
            found_ids.append(number)
        self._insert(kind, new)
        self._next[kind] = following

    def _insert(self, kind: str, rows: list[tuple]) -> None:
        self._db.cursor().executemany(self._sql[kind][1], rows)
        rows.clear()

    def _find(self, kind: str, row: tuple, keys: tuple[int, ...], label: int | None) -> int | None:
        """The id of an entity that the case has; its label is brought to the first in the alphabet."""
        known = self._db.execute(self._sql[kind][0], [row[at] for at in keys] if keys else row).fetchone()
        if known is None:
            return None
        if label is not None:
            self._relabel(kind, known[0], known[1], row[label])
        return known[0]

    def _relabel(self, kind: str, number: int, known: str, told: str) -> None:
        """The label that comes first in the alphabet stays."""
        if told < known:
            self._db.execute("INSERT INTO relabelled (kind, entity, old) VALUES (?, ?, ?)", (kind, number, known))
            self._db.execute(self._sql[kind][2], (told, number))

    def event(self, event: tuple) -> tuple:
        """The event with the case's ids for local numbers."""
        referred = zip(self.referred, event[1:14], strict=True)
        return (event[0], *[None if number is None else ids[number] for ids, number in referred], *event[14:])


def _statements(kind: str) -> tuple[str, str, str]:
    columns, _, keys, label = ENTITIES[kind]
    compared = [columns[at] for at in keys] if keys else columns
    find = f"SELECT id, {columns[label] if label is not None else 'NULL'} FROM {kind} WHERE " + " AND ".join(
        f"{column} IS ?" for column in compared)
    insert = f"INSERT INTO {kind} (id, {', '.join(columns)}) VALUES ({', '.join('?' * (len(columns) + 1))})"
    return find, insert, f"UPDATE {kind} SET {columns[label]} = ? WHERE id = ?" if label is not None else ""
