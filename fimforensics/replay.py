"""Second readings: rejects tried again, and a whole case derived anew from its originals.

A replayed record is a new leaf at the end, at the locator of the old one; the reject stays and says which record it became.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import apsw

from fimforensics import case as cases
from fimforensics import derived, schema, sql
from fimforensics.blocks import Entities
from fimforensics.errors import Problem
from fimforensics.evidence import custody, pulls, raw
from fimforensics.evidence.leaves import leaf
from fimforensics.ingest import Options, Progress, Source, take
from fimforensics.model import Reading, Record
from fimforensics.reading import cells_of, mapping
from fimforensics.rows import Builder, Built
from fimforensics.settle import relabel, settle
from fimforensics.shapes import members, open_member
from fimforensics.store import Writer, sweep
from fimforensics.tables import identify

READABLE = range(2, schema.FORMAT + 1)  # formats that `rebuild` brings to today's
Records = set[tuple[int, int]]  # snapshot, and the record's number in it


def replay(case: Path, reading: Reading, only: Records | None = None) -> tuple[int, int]:
    """Tries every reject of finished snapshots again, or only these; how many were tried, and how many are events now."""
    cases.check_header(case)
    with cases.change(case) as db:
        if db.execute("SELECT 1 FROM snapshots WHERE state = 'unfinished'").fetchone():
            raise Problem("an ingest is not done", where=str(case),
                          hint="Go on with it first, or: fimforensics ingest CASE --abandon")
        cases.refuse_part(db, case)
        key = cases.read_key(cases.key_file(case))
        db.execute("BEGIN IMMEDIATE")
        tried, found = retry(db, key, reading, only)
        custody.add(db, "replay", {"timezone": reading.timezone, "date_order": reading.date_order},
                    f"{tried} rejects tried again, {found} are events now")
        db.execute("COMMIT")
        derived.refresh(db)
    return tried, found


def retry(db: apsw.Connection, key: bytes, reading: Reading, only: Records | None) -> tuple[int, int]:
    """The same within a transaction that is open already, without the custody entry."""
    first = sql.cell(db, "SELECT max(first_seq) FROM leaves") or 0
    tried = found = 0
    for (snapshot,) in sql.rows(db, "SELECT DISTINCT snapshot_id FROM rejects WHERE replayed_as IS NULL ORDER BY 1"):
        for seq, record in _again(db, snapshot, only):
            tried += 1
            found += record is not None and _one(db, key, seq, record, reading)
    if found:
        if settle(db):
            sweep(db)
            relabel(db)
        _count(db, first)
    return tried, found


def _again(db: apsw.Connection, snapshot: int, only: Records | None) -> Iterator[tuple[int, Record | None]]:
    """The rejects of a snapshot, each with its record as its shape reads it now; None where no record is there any more."""
    wanted = {(member, offset): seq for seq, member, offset, number in sql.rows(
        db, "SELECT r.seq, m.name, r.offset, r.record FROM rejects r JOIN members m ON m.id = r.member_id "
            "WHERE r.snapshot_id = ? AND r.replayed_as IS NULL", (snapshot,))
        if only is None or (snapshot, number) in only}
    if not wanted:
        return
    found: dict[int, Record] = {}
    with tempfile.TemporaryDirectory(prefix="fimforensics-") as folder:
        path = Path(folder) / "original"
        with path.open("wb") as stream:
            stream.writelines(raw.original(db, snapshot))
        with contextlib.suppress(Problem):  # what ended the reading then ends it now; the records before it are there
            for member in members(path):
                for record in open_member(member).records:
                    seq = wanted.get((member.name, record.offset))
                    if seq is not None:
                        found[seq] = record
    for seq in sorted(wanted.values()):
        yield seq, found.get(seq)


def _one(db: apsw.Connection, key: bytes, seq: int, record: Record, reading: Reading) -> bool:
    where = raw.place(db, seq)
    if record.values is None:
        return False
    old = where.header["reading"]
    read_as = Reading(reading.timezone or old["timezone"], reading.date_order or old["date_order"])
    entities = Entities()
    try:
        built = _builder(db, where, record.values, read_as, entities).build(record.values)
    except (ValueError, Problem):
        return False
    member = _member(db, where, read_as)
    set_id = sql.cell(db, "SELECT set_id FROM snapshots WHERE id = ?", (where.snapshot,))
    new_seq = 1 + max(sql.cell(db, f"SELECT max({column}) FROM {table}") or 0
                      for table, column in (("occurrences", "seq"), ("leaves", "first_seq"), ("rejects", "seq")))
    number = sql.cell(db, "SELECT count(*) FROM members WHERE snapshot_id = ? AND id < ? AND header NOT LIKE '%cache_of%'",
                      (where.snapshot, where.header.get("cache_of", where.member_id)))
    hashed = leaf(key, new_seq, where.snapshot, number, where.offset, where.length, record.raw, built.row_hash)
    _write(db, where, set_id, member, new_seq, built, entities, hashed)
    db.execute("UPDATE rejects SET replayed_as = ? WHERE seq = ?", (new_seq, seq))
    return True


def _builder(db: apsw.Connection, where: raw.Place, values: dict, reading: Reading, entities: Entities) -> Builder:
    header = where.header
    columns = header["columns"] or tuple(values)
    told = values.get("Type")
    table = identify([name for name in columns if name != "TableName"], told if isinstance(told, str) else None)
    apart = sql.first(db, "SELECT sha256 FROM snapshots WHERE id = ? AND partial_columns", (where.snapshot,))
    return Builder(cells_of(table, columns, header["zones"], reading), entities, map_values=mapping(table, header["columns"]),
                   none_is_null=header["none"], apart=apart[0] if apart else None)


def _member(db: apsw.Connection, where: raw.Place, reading: Reading) -> int:
    """The member under this reading: the same bytes, another header."""
    header = where.header | {"reading": {"timezone": reading.timezone, "date_order": reading.date_order},
                             "cache_of": where.header.get("cache_of", where.member_id)}
    text = json.dumps(header, sort_keys=True)
    known = sql.first(db, "SELECT id FROM members WHERE snapshot_id = ? AND name = ? AND header = ?",
                      (where.snapshot, where.member, text))
    if known is not None:
        return int(known[0])
    db.execute("INSERT INTO members (snapshot_id, name, shape, source_table, cached, header) "
               "SELECT snapshot_id, name, shape, source_table, cached, ? FROM members WHERE id = ?", (text, where.member_id))
    return db.last_insert_rowid()


def _write(db: apsw.Connection, where: raw.Place, set_id: int, member: int, seq: int, built: Built, entities: Entities,
           hashed: bytes) -> None:
    writer = Writer(db, where.snapshot, set_id)
    run = [built.event], [built.key], [built.row_hash[:8]], [(seq, where.offset, where.length, built.item)]
    writer.rows(member, ("rows", 0, 0, entities.take(), [run], [], hashed, None, None))
    writer.flush()
    time = built.event[0]
    db.execute("UPDATE snapshots SET new_events = new_events + ?, known_events = known_events + ?, rejects = rejects - 1, "
               "first_time = min(coalesce(first_time, ?3), ?3), last_time = max(coalesce(last_time, ?3), ?3) WHERE id = ?4",
               (writer.new, writer.known, time, where.snapshot))


def _count(db: apsw.Connection, before: int) -> None:
    """The case's end of events, and its digest, after records were added behind the leaf block `before`."""
    digest = sql.cell(db, "SELECT evidence_digest FROM case_info")
    leaves = sha256()
    for (data,) in db.execute("SELECT hashes FROM leaves WHERE first_seq > ? ORDER BY first_seq", (before,)):
        leaves.update(data)
    digest = sha256(f"{digest}\nreplay\n{leaves.hexdigest()}".encode()).hexdigest()
    db.execute("UPDATE case_info SET evidence_digest = ?, events_end = (SELECT coalesce(max(id), 0) + 1 FROM events)",
               (digest,))


def rebuild(case: Path, new: Path, case_key: bytes | None, progress: Progress, reread: dict[int, Reading] | None = None) -> int:
    """Derives the case `new` from the originals in `case`, read as they were read then but for the snapshots in `reread`.

    When and where a source was acquired stays as it was; the new custody log begins with where the case came from. How many
    snapshots there are.
    """
    if new.exists() or cases.partial(new).exists():
        raise Problem("it is there already", where=str(new), hint="Name a new file")
    with cases.reading(case, READABLE) as connection:
        if connection.execute("PRAGMA user_version").fetchone()[0] > 2:  # before there were no parts
            cases.refuse_part(connection, case)
        try:
            with tempfile.TemporaryDirectory(prefix="fimforensics-", dir=new.absolute().parent) as folder:
                found = list(_sources(connection, Path(folder), reread or {}))
                taken = take(new, found, Options(case_key=case_key), progress)
        except OSError as error:
            raise Problem(f"cannot be written ({error.strerror})", where=str(new),
                          hint="Name a new file in a folder that has room") from None
        refused = [one.refused for one in taken if one.refused]
        if refused:
            raise Problem(f"{len(refused)} originals were refused, the first: {refused[0]}", where=str(new))
        for reading, records in _replays(connection, reread or {}).items():
            replay(new, reading, records)
        _came_from(connection, new, reread or {})
    return len(taken)


def _replays(connection: sqlite3.Connection, reread: dict[int, Reading]) -> dict[Reading, Records]:
    """Which rejects became events by replays, and by which reading; a snapshot is named by its place among the finished."""
    found: dict[Reading, Records] = {}
    for number, record, place, header in connection.execute(
            "SELECT r.snapshot_id, r.record, (SELECT count(*) FROM snapshots s WHERE s.state = 'finished' "
            "AND s.id <= r.snapshot_id), m.header FROM rejects r JOIN occurrences o ON o.seq = r.replayed_as "
            "JOIN members m ON m.id = o.member_id ORDER BY r.replayed_as"):
        if number not in reread:
            found.setdefault(Reading(**json.loads(header)["reading"]), set()).add((place, record))
    return found


_KEPT = ("acquired", "modified", "case_number", "examiner", "note")


def _came_from(connection: sqlite3.Connection, new: Path, reread: dict[int, Reading]) -> None:
    """Brings over what only the old case knows of its sources, and tells in the log where the new case came from."""
    told = f"SELECT {', '.join(_KEPT)}, sha256, source FROM snapshots WHERE state = 'finished'"
    keep = f"UPDATE snapshots SET {', '.join(f'{name} = ?' for name in _KEPT)} WHERE sha256 = ? AND source = ?"
    again = {str(number): [reading.timezone, reading.date_order] for number, reading in reread.items()}
    with cases.change(new) as db:
        db.execute("BEGIN IMMEDIATE")
        for cells in connection.execute(told):
            db.execute(keep, cells)
        row = connection.execute("SELECT case_id, case_number, examiner, note, evidence_digest FROM case_info").fetchone()
        db.execute("UPDATE case_info SET case_number = ?, examiner = ?, note = ?", row[1:4])
        last = connection.execute("SELECT count(*), max(hash) FILTER (WHERE id = (SELECT max(id) FROM custody_log)) "
                                  "FROM custody_log").fetchone()
        custody.add(db, "rebuild", {"from_case": row[0], "custody_entries": last[0], "custody_hash": last[1],
                                    "evidence_digest": row[4], "read_again": again},
                    "derived anew from the originals of that case")
        db.execute("COMMIT")


def _sources(connection: sqlite3.Connection, folder: Path, reread: dict[int, Reading]) -> Iterator[Source]:
    rows = connection.execute("SELECT id, set_id, source, reading, case_number, examiner, note FROM snapshots "
                              "WHERE state = 'finished' ORDER BY id").fetchall()
    if unknown := reread.keys() - {row[0] for row in rows}:
        raise Problem(f"there is no snapshot {min(unknown)} in this case", hint="fimforensics snapshots CASE lists them")
    for number, set_id, label, reading, case_number, examiner, note in rows:
        path = folder / str(number)
        with path.open("wb") as stream:
            stream.writelines(raw.original(connection, number))
        told = reread.get(number, Reading(**json.loads(reading)))
        options = Options(reading=told, case_number=case_number, examiner=examiner, note=note)
        yield Source(path, label, set_id, options, pulls.read(connection, number))
