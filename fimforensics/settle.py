"""Keys whose records differ: which record tells of which event, and what is best said of each event.

Decided over all records of a key at once, read again from the originals, so that the order in which sources came, and the order
of records within them, cannot matter. Within a set the records of a key are sorted by what they say, coarse things first; the
n-th tells of the n-th event. An event's cell is the best over its records: text over '' over nothing, finer time over
coarser, a full path over a folder; of two equally good, the greater.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha256
from itertools import groupby
from typing import Any

import apsw
import orjson

from fimforensics import paths, sql, times
from fimforensics.blocks import Entities
from fimforensics.cells import Cells
from fimforensics.errors import Problem
from fimforensics.evidence import raw
from fimforensics.model import COLUMNS, TIME, Reading
from fimforensics.reading import cells_of, mapping
from fimforensics.rows import EXTRA, FLAG, FORMS, Builder
from fimforensics.schema import PATH_FORM_SHIFT
from fimforensics.store import Interner, update_event
from fimforensics.tables import TABLES, identify

_TIMES = frozenset(at for at, kind in enumerate(COLUMNS.values()) if kind == TIME)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.([0-9]{1,7}))?Z?").fullmatch
_EXTRA_TIMES = frozenset(name for table in TABLES for name in (*table.times, *table.times.values()))
_FORMS_AT, _EXTRA_AT, _FLAGS_AT = 20, 21, 22  # in an event's cells


def best(rows: list[list]) -> list:
    """One row out of several of the same event; the same whatever their order."""
    merged = [max((row[at] for row in rows), key=partial(_rank, at)) for at in range(FORMS)]
    forms = [row[FORMS] for row in rows]
    extra: dict[str, object] = {}
    for row in rows:
        for name, value in (row[EXTRA] or {}).items():
            if name not in extra or _extra_rank(value) > _extra_rank(extra[name]):
                extra[name] = value
    flags = sorted({flag for row in rows if row[FLAG] for flag in row[FLAG].split(", ")})
    form = min(form & 3 for form in forms) | min(form >> 2 for form in forms) << 2
    return [*merged, form, extra or None, ", ".join(flags) or None]


def _rank(at: int, cell: object) -> tuple:
    if cell is None:
        return (0,)
    if cell == "":
        return (1,)
    if at in _TIMES:
        return 2, times.digits(str(cell)), cell
    return 2, 0, cell


def _extra_rank(value: object) -> tuple[bool, int, str]:
    """What is no text was not made text by an exporter; a time of one form says most where it has the most figures."""
    iso = _ISO(value) if isinstance(value, str) else None
    return not isinstance(value, str), len((iso[1] or "").rstrip("0")) + 1 if iso else 0, str(value)


def coarse(row: list) -> bytes:
    """What a row says when everything is left out that another shape may have lost; equal for one event in all shapes."""
    cells = [cell[:23] if at in _TIMES and cell else None if cell == "" else cell for at, cell in enumerate(row[:FORMS])]
    extra = sorted((name, str(cell).lower()) for name, cell in (row[EXTRA] or {}).items()
                   if cell != "" and name not in _EXTRA_TIMES)
    return orjson.dumps([cells, extra])


class Reader:
    """Reads records again and makes rows of them; on any connection that has `execute`."""

    def __init__(self, db: Any) -> None:
        self._db, self._bytes = db, raw.Bytes(db)
        self._builders: dict[tuple, Builder] = {}
        self._headers: dict[int, tuple] = {}

    def row(self, seq: int) -> list:
        """The row of record `seq`."""
        where = raw.place(self._db, seq)
        return self.read(where, self._bytes.read(where))

    def read(self, where: raw.Place, data: bytes) -> list:
        """The row of the record at this place, which has these bytes."""
        found, problem = raw.values(where, data)
        if found is None:
            raise Problem(f"record {where.seq} gave an event once and now cannot be read ({problem})",
                          hint="Run: fimforensics verify CASE")
        told = found.get("Type")
        key = where.member_id, told if isinstance(told, str) else None
        builder = self._builders.get(key)
        if builder is None:
            header = where.header
            columns = header["columns"] or tuple(found)
            table = identify([name for name in columns if name != "TableName"], key[1])
            cells = cells_of(table, columns, header["zones"], Reading(**header["reading"]))
            builder = self._builders[key] = Builder(cells, Entities(), map_values=mapping(table, header["columns"]),
                                                    none_is_null=header["none"])
        return builder.build(found).row


def settle(db: apsw.Connection) -> int:
    """Settles every key noted as unsettled; how many there were."""
    prefixes: list[int] = [prefix for (prefix,) in sql.rows(db, "SELECT prefix FROM unsettled ORDER BY prefix")]
    if not prefixes:
        return 0
    reader, entities = Reader(db), Entities()
    interner = Interner(db)
    writer = Builder(Cells({}, Reading()), entities)
    for prefix in prefixes:
        found = sql.rows(db, "SELECT e.match_key, e.id FROM event_keys k JOIN events e ON e.id = k.event_id WHERE k.prefix = ? "
                             "ORDER BY e.match_key, e.ordinal", (prefix,))
        for _, events in groupby(found, key=lambda row: row[0]):
            for number, row in _assign(db, reader, [number for _, number in events], prefix):
                _replace(db, writer, interner, entities, number, row, prefix)
    db.execute("DELETE FROM unsettled")
    return len(prefixes)


def _assign(db: apsw.Connection, reader: Reader, events: list[int], prefix: int) -> Iterator[tuple[int, list]]:
    """Gives every record of one key its event, and every event its best row."""
    marks = ", ".join("?" * len(events)) if len(events) < 500 else f"SELECT event_id FROM event_keys WHERE prefix = {prefix}"
    told = sql.rows(db, "SELECT o.seq, o.event_id, s.set_id, o.item_id FROM occurrences o "
                        "JOIN snapshots s ON s.id = o.snapshot_id "
                        f"WHERE o.event_id IN ({marks}) ORDER BY s.set_id, o.seq", events if len(events) < 500 else ())
    held = set(events)
    rows: dict[int, list[list]] = defaultdict(list)
    for _, records in groupby((record for record in told if record[1] in held), key=lambda record: record[2]):
        slots: dict[object, list[tuple[int, int, list]]] = defaultdict(list)
        for seq, event, _, item in records:
            slots[item if item is not None else seq].append((seq, event, reader.row(seq)))
        ordered = sorted(slots.values(), key=lambda slot: _order(slot))
        for number, slot in zip(events, ordered, strict=False):
            for seq, event, row in slot:
                rows[number].append(row)
                if event != number:
                    db.execute("UPDATE occurrences SET event_id = ? WHERE seq = ?", (number, seq))
    for number in events:
        yield number, best(rows[number])


def _order(slot: list[tuple[int, int, list]]) -> tuple[bytes, bytes, int]:
    merged = best([row for _, _, row in slot])
    return coarse(merged), orjson.dumps(merged, option=orjson.OPT_SORT_KEYS), min(seq for seq, _, _ in slot)


def _replace(db: apsw.Connection, writer: Builder, interner: Interner, entities: Entities, number: int, row: list,
             prefix: int) -> None:
    built = writer.build(dict(zip(COLUMNS, row[:FORMS], strict=True)))
    event = list(built.event)
    event[_FORMS_AT] = (event[_FORMS_AT] & ((1 << PATH_FORM_SHIFT) - 1)) | row[FORMS] << PATH_FORM_SHIFT
    event[_EXTRA_AT] = orjson.dumps(row[EXTRA], option=orjson.OPT_SORT_KEYS).decode() if row[EXTRA] else None
    event[_FLAGS_AT] = row[FLAG]
    interner.take(entities.take())
    update_event(db, interner, number, tuple(event))
    check = sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).digest()[:8]
    db.execute("UPDATE event_keys SET row_check = ? WHERE prefix = ? AND event_id = ?",
               (int.from_bytes(check, "big", signed=True), prefix, number))


def relabel(db: apsw.Connection) -> None:
    """Labels anew from the records of events alone: a reject, or a record that a better one replaced, may have told another."""
    reports = db.execute("SELECT host_id, coalesce(computer, '') <> '', computer, azure_resource_id, cloud_identifier "
                         "FROM machine_reports")
    _label(db, "hosts", "name", ((host, computer if named else paths.last_segment(resource or cloud or "") or "(unknown machine)")
                                 for host, named, computer, resource, cloud in reports))
    told = db.execute("SELECT g.process_id, i.file_name, g.name, i.path, g.pid FROM process_reports g "
                      "LEFT JOIN images i ON i.id = g.image_id WHERE g.process_id IS NOT NULL")
    _label(db, "processes", "name", ((process, file_name or name or paths.last_segment(path or "") or f"pid {pid}")
                                     for process, file_name, name, path, pid in told))
    _label(db, "files", "path", db.execute("SELECT DISTINCT e.file_id, p.path FROM events e JOIN paths p ON p.id = e.path_id "
                                           "WHERE e.file_id IS NOT NULL"))
    keys = db.execute("SELECT DISTINCT e.registry_value_id, coalesce(r.key, r.old_key, ''), coalesce(r.new_name, r.old_name) "
                      "FROM events e JOIN registry_reports r ON r.id = e.registry_report_id "
                      "WHERE e.registry_value_id IS NOT NULL")
    _label(db, "registry_values", "path", ((value, f"{key}\\{name}" if name else key) for value, key, name in keys))


def _label(db: apsw.Connection, kind: str, column: str, told: Iterable[tuple[int, str]]) -> None:
    """Gives every entity the first in the alphabet of the labels told of it."""
    first: dict[int, str] = {}
    for number, label in told:
        if number not in first or label < first[number]:
            first[number] = label
    db.cursor().executemany(f"UPDATE {kind} SET {column} = ?1 WHERE id = ?2 AND {column} <> ?1",
                            ((label, number) for number, label in sorted(first.items())))
