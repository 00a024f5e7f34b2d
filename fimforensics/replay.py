"""Second readings: rejects tried again, and a whole case derived anew from its originals.

A replayed record is a new leaf at the end, at the locator of the old one; the reject stays and says which record it became.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import apsw

from fimforensics import case as cases
from fimforensics import derived
from fimforensics.blocks import Cells, Entities
from fimforensics.errors import Problem
from fimforensics.evidence import custody, raw
from fimforensics.evidence.leaves import leaf
from fimforensics.ingest import Options, Progress, Source, take
from fimforensics.model import Reading
from fimforensics.pipeline import mapping
from fimforensics.rows import Builder, Built
from fimforensics.settle import settle
from fimforensics.store import Writer, sweep
from fimforensics.tables import fold_columns, identify


def replay(case: Path, reading: Reading) -> tuple[int, int]:
    """Tries every reject of finished snapshots again; how many were tried, and how many are events now."""
    cases.check_header(case)
    with cases.change(case) as db:
        if db.execute("SELECT 1 FROM snapshots WHERE state = 'unfinished'").fetchone():
            raise Problem("an ingest is not done", where=str(case), hint="Go on with it first, or: fimforensics ingest CASE --abandon")
        key = cases.read_key(cases.key_file(case))
        rejects = [row[0] for row in db.execute("SELECT seq FROM rejects WHERE replayed_as IS NULL ORDER BY seq")]
        db.execute("BEGIN IMMEDIATE")
        found = sum(_one(db, key, seq, reading) for seq in rejects)
        if found:
            if settle(db):
                sweep(db)
            _count(db)
        custody.add(db, "replay", {"timezone": reading.timezone, "date_order": reading.date_order},
                    f"{len(rejects)} rejects tried again, {found} are events now")
        db.execute("COMMIT")
        derived.refresh(db)
    return len(rejects), found


def _one(db: apsw.Connection, key: bytes, seq: int, reading: Reading) -> bool:
    where = raw.place(db, seq)
    data = raw.read_place(db, where)
    values, _ = raw.values(where, data)
    if values is None:
        return False
    old = where.header["reading"]
    read_as = Reading(reading.timezone or old["timezone"], reading.date_order or old["date_order"])
    entities = Entities()
    try:
        built = _builder(db, where, values, read_as, entities).build(values)
    except (ValueError, Problem):
        return False
    member = _member(db, where, read_as)
    set_id, first = db.execute("SELECT set_id, first_seq FROM snapshots WHERE id = ?", (where.snapshot,)).fetchone()
    new_seq = 1 + max(db.execute("SELECT max(seq) FROM occurrences").fetchone()[0] or 0, db.execute("SELECT max(first_seq) FROM leaves").fetchone()[0],
                      db.execute("SELECT max(seq) FROM rejects").fetchone()[0])
    number = db.execute("SELECT count(*) FROM members WHERE snapshot_id = ? AND id < ? AND header NOT LIKE '%cache_of%'",
                        (where.snapshot, where.header.get("cache_of", where.member_id))).fetchone()[0]
    hashed = leaf(key, new_seq, where.snapshot, number, where.offset, where.length, data, built.row_hash)
    _write(db, where, set_id, member, new_seq, built, entities, hashed)
    db.execute("UPDATE rejects SET replayed_as = ? WHERE seq = ?", (new_seq, seq))
    return True


def _builder(db: apsw.Connection, where: raw.Place, values: dict, reading: Reading, entities: Entities) -> Builder:
    header = where.header
    columns = header["columns"] or tuple(values)
    told = values.get("Type")
    table = identify([name for name in columns if name != "TableName"], told if isinstance(told, str) else None)
    names = fold_columns(columns)
    zones = {names.get(name, name): zone for name, zone in header["zones"].items()}
    zones |= {table.times[name]: zone for name, zone in zones.items() if name in table.times}
    apart = db.execute("SELECT sha256 FROM snapshots WHERE id = ? AND partial_columns", (where.snapshot,)).fetchone()
    return Builder(Cells(zones, reading), entities, map_values=mapping(table, header["columns"]), none_is_null=header["none"],
                   apart=apart[0] if apart else None)


def _member(db: apsw.Connection, where: raw.Place, reading: Reading) -> int:
    """The member under this reading: the same bytes, another header."""
    header = where.header | {"reading": {"timezone": reading.timezone, "date_order": reading.date_order},
                             "cache_of": where.header.get("cache_of", where.member_id)}
    text = json.dumps(header, sort_keys=True)
    known = db.execute("SELECT id FROM members WHERE snapshot_id = ? AND name = ? AND header = ?", (where.snapshot, where.member, text)).fetchone()
    if known:
        return known[0]
    db.execute("INSERT INTO members (snapshot_id, name, shape, source_table, cached, header) SELECT snapshot_id, name, shape, source_table, cached, ? "
               "FROM members WHERE id = ?", (text, where.member_id))
    return db.last_insert_rowid()


def _write(db: apsw.Connection, where: raw.Place, set_id: int, member: int, seq: int, built: Built, entities: Entities, hashed: bytes) -> None:
    writer = Writer(db, where.snapshot, set_id)
    writer.rows(member, ("rows", 0, 0, entities.take(), [built.event], [built.key], [built.row_hash[:8]],
                         [(seq, where.offset, where.length, built.item)], [], hashed, None, None))
    writer.flush()
    time = built.event[0]
    db.execute("UPDATE snapshots SET new_events = new_events + ?, known_events = known_events + ?, rejects = rejects - 1, "
               "first_time = min(coalesce(first_time, ?3), ?3), last_time = max(coalesce(last_time, ?3), ?3) WHERE id = ?4",
               (writer.new, writer.known, time, where.snapshot))


def _count(db: apsw.Connection) -> None:
    """The case's end of events and its digest after records were added."""
    before = db.execute("SELECT evidence_digest FROM case_info").fetchone()[0]
    last = db.execute("SELECT hashes FROM leaves ORDER BY first_seq DESC LIMIT 1").fetchone()[0]
    digest = sha256(f"{before}\nreplay\n{sha256(last).hexdigest()}".encode()).hexdigest()
    db.execute("UPDATE case_info SET evidence_digest = ?, events_end = (SELECT coalesce(max(id), 0) + 1 FROM events)", (digest,))


def rebuild(case: Path, new: Path, case_key: bytes | None, progress: Progress) -> int:
    """Derives the case `new` from the originals in `case`, read as they were read then; how many snapshots it has."""
    cases.check_header(case)
    if new.exists() or cases.partial(new).exists():
        raise Problem("it is there already", where=str(new), hint="Name a new file")
    with cases.reading(case) as connection:
        try:
            with tempfile.TemporaryDirectory(prefix="fimforensics-", dir=new.absolute().parent) as folder:
                found = list(_sources(connection, Path(folder)))
                taken = take(new, found, Options(case_key=case_key), progress)
        except OSError as error:
            raise Problem(f"cannot be written ({error.strerror})", where=str(new),
                          hint="Name a new file in a folder that has room") from None
    refused = [one.refused for one in taken if one.refused]
    if refused:
        raise Problem(f"{len(refused)} originals were refused, the first: {refused[0]}", where=str(new))
    return len(taken)


def _sources(connection: object, folder: Path) -> Iterator[Source]:
    rows = connection.execute("SELECT id, set_id, source, reading, case_number, examiner, note FROM snapshots WHERE state = 'finished' "  # type: ignore[attr-defined]
                              "ORDER BY id").fetchall()
    for number, set_id, label, reading, case_number, examiner, note in rows:
        path = folder / str(number)
        with path.open("wb") as stream:
            stream.writelines(raw.original(connection, number))
        yield Source(path, label, set_id, Options(reading=Reading(**json.loads(reading)), case_number=case_number, examiner=examiner, note=note))
