"""The case that a part is made of: its leaves, root and statement, the events that fit, and their records read again.

Each record's leaf is computed anew and compared, so that no part is made of a case that was changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fimforensics import case as cases
from fimforensics import sql
from fimforensics.errors import Problem
from fimforensics.evidence import beside, raw, statement, tree
from fimforensics.evidence.leaves import leaf
from fimforensics.parts import alter
from fimforensics.parts.star import row_bytes
from fimforensics.queries.events import Filter, events
from fimforensics.settle import Reader


@dataclass(frozen=True)
class Whole:
    """The case that a part is made of, while it is read."""

    db: sqlite3.Connection
    path: Path
    key: bytes
    leaves: tree.Joined
    root: str
    file_sha256: str
    statement: str | None
    signature: str | None


@dataclass(frozen=True)
class Record:
    """A record that goes along, read again."""

    where: raw.Place
    member: int  # its number in the leaf
    item: str | None
    data: bytes
    row: list


def refuse_part(db: sqlite3.Connection, case: Path) -> None:
    """Problem where the case is a part itself."""
    if db.execute("SELECT 1 FROM part").fetchone():
        raise Problem("it is a part itself", where=str(case), hint="Make the part of the whole case")


def whole_of(db: sqlite3.Connection, case: Path, key: bytes) -> Whole:
    """The case with its statement, if it is sealed; Problem where no part can be made of it."""
    refuse_part(db, case)
    if db.execute("SELECT 1 FROM snapshots WHERE state = 'unfinished'").fetchone():
        raise Problem("an ingest into it is not done", where=str(case),
                      hint="Run the same ingest command again, or: fimforensics ingest CASE --abandon")
    if sql.cell(db, "SELECT key_check FROM case_info") != cases.key_check(key):
        raise Problem("the key beside it is another case's", where=str(case), hint="Name the right one with --case-key")
    leaves = statement.all_leaves(db)
    root, told, signature, hashed = tree.root(leaves).hex(), None, None, str(statement.file_facts(case)["sha256"])
    if beside.seal_file(case).exists():
        found, data = statement.read(beside.seal_file(case))
        if (found["tree"]["root"], found["tree"]["leaves"], found["file"]["sha256"]) != (root, len(leaves), hashed):
            raise Problem("it is not what was sealed", where=str(case), hint="Run: fimforensics verify CASE")
        told = data.decode()
        signature = "".join(path.read_text("ascii", "replace") for path in beside.signature_files(case)) or None
    return Whole(db, case, key, leaves, root, hashed, told, signature)


def chosen(db: sqlite3.Connection, wanted: Filter, only: frozenset[int] | None) -> list[int]:
    """The ids of the events that fit, rising; Problem where none does."""
    found = sorted(row["id"] for row in events(db, wanted) if only is None or row["id"] in only)
    if not found:
        raise Problem("no event fits, so there is no part to make",
                      hint="fimforensics events CASE with the same filters shows them")
    return found


def records(whole: Whole, reader: Reader, data_of: raw.Bytes, event: int) -> list[Record]:
    """All records of an event, read again; Problem where one is not what its leaf says."""
    found = []
    for seq, item in whole.db.execute("SELECT seq, item_id FROM occurrences WHERE event_id = ? ORDER BY seq", (event,)):
        where = raw.place(whole.db, seq)
        data = data_of.read(where)
        row = reader.read(where, data)
        member = sql.cell(whole.db, "SELECT count(*) FROM members WHERE snapshot_id = ? AND id < ? AND header NOT LIKE "
                                    "'%cache_of%'", (where.snapshot, where.header.get("cache_of", where.member_id)))
        told = leaf(whole.key, seq, where.snapshot, member, where.offset, where.length, data, sha256(row_bytes(row)).digest())
        if told != whole.leaves[seq - 1]:
            raise Problem(f"record {seq} of event {event} is not what its leaf says: the case was changed", where=str(whole.path),
                          hint="Run: fimforensics verify CASE")
        found.append(Record(where, member, item, data, row))
    return found


def texts(whole: Whole, ids: Sequence[int], columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The text in these columns of all records of these events."""
    reader, data_of = Reader(whole.db), raw.Bytes(whole.db)
    for event in ids:
        for record in records(whole, reader, data_of, event):
            for column in columns:
                value = alter.cell(record.row, column)
                if isinstance(value, str):
                    yield column, value
