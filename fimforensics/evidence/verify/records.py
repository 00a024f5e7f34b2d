"""The heart of a verification: the case derived again from its originals, and every row and leaf held against it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import apsw

from fimforensics import sql
from fimforensics.evidence import tree
from fimforensics.evidence.verify import compare, expected, history, interpretation, originals
from fimforensics.evidence.verify.report import MOST, Difference, Report

# What nothing can derive: words of people, clocks, chance. The custody log and the seal alone speak for it.
TOLD: dict[str, tuple[str, ...]] = {
    "case_info": ("case_id", "tool", "created", "case_number", "examiner", "note"),
    "snapshots": ("set_id", "source", "acquired", "finished", "duration_ms", "modified", "case_number", "examiner",
                  "note", "tool"),
    "analyses": ("finished", "tool"),
    "pulls": ("ledger", "window", "scope", "cloud", "endpoint", "ingested_from", "ingested_before", "since", "until", "filters",
              "expected", "rows", "complete", "reason", "recounted", "requests", "faults", "started", "finished"),
    "slices": ("query", "expected", "requests", "cuts", "faults", "reason"),
}
_NOT_BY_ROW = ("custody_log", "digest_salt", "leaves", "analyses", "stored", "contents_stored")
_BY_KEY = ("evidence_digest",)  # columns that only the case key can check
_EVENT_OF = {"files": "file_id", "contents": "content_id", "paths": "path_id", "registry_values": "registry_value_id",
             "registry_reports": "registry_report_id", "machine_reports": "machine_report_id",
             "process_reports": "process_report_id", "requests": "request_id", "processes": "process_id",
             "accounts": "account_id", "changes": "change_id", "hosts": "host_id", "event_keys": "id"}

_INDEX = "CREATE INDEX IF NOT EXISTS main.occurrences_event ON occurrences(event_id)"  # made when the first difference is told


class Derive(Protocol):
    """What derives a case again and compares."""

    def __call__(self, case: Path, key: bytes | None, report: Report, *, recompute: bool, progress: expected.Progress) -> None:
        """`recompute`: the interpretation too, instead of trusting the seal's digests of it."""


def check(case: Path, key: bytes | None, report: Report, *, recompute: bool, progress: expected.Progress) -> None:
    """Derives the case again and compares; `recompute`: the interpretation too."""
    with expected.scratch(case, key) as derived:
        told = history.of(derived.db)
        found = list(history.misnumbered(told)) or expected.fill(derived, told, progress)
        against(derived, told, found, report, recompute)


def against(derived: expected.Expected, told: list, found: list[Difference], report: Report, recompute: bool) -> None:
    """Compares the case attached as `given` with what was derived; `found` is what was not right on the way."""
    db = derived.db
    sources = sum(isinstance(one, history.Taken) for one in told)
    report.check("originals", f"{sources:,} source{'s' * (sources != 1)} unpacked, size and hashes against what was noted when "
                              f"{'they were' if sources != 1 else 'it was'} taken", found)
    report.differ(*history.unlinked(db))
    if expected.hopeless(found):
        report.unchecked.append("records and interpretation: the originals do not give the case again as it is")
        return
    with compare.bounded(db):
        report.check("originals", "every stored cell against what reading the sources again stores", originals.stored(db))
    evidence = [one for one in tables(db) if not interpretation.is_one(one)]
    left_out = {table: columns + (() if derived.key else _BY_KEY) for table, columns in TOLD.items()}
    rows = sum(sql.cell(db, f'SELECT count(*) FROM main."{table}"') for table in evidence)
    with compare.bounded(db):
        report.check("records", f"{rows:,} rows of {len(evidence)} tables, derived again from the originals, every cell",
                     (one for table in evidence for one in compare.differences(
                         db, compare.shape(db, table, left_out.get(table, ())), "records", where)))
    _leaves(derived, report)
    if recompute:
        interpretation.check(derived, tables(db), report, where)
    else:
        report.check("interpretation", "by the digests of its tables, which the pinned seal states")


def tables(db: apsw.Connection) -> list[str]:
    """The tables of the scratch that are compared row by row."""
    return [name for (name,) in db.execute(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")
        if name not in _NOT_BY_ROW]


def where(db: apsw.Connection, table: str, row: Any) -> dict[str, Any]:
    """Snapshot and bytes of the record that a row rests on, in the scratch; of an entity, of the first event that tells of it."""
    seq = row if table in ("occurrences", "rejects") else None
    if table == "events":
        db.execute(_INDEX)
        seq = _first(db, "SELECT min(seq) FROM main.occurrences WHERE event_id = ?", row)
    elif table in _EVENT_OF:
        db.execute(_INDEX)
        row = str(row).rsplit(", ", 1)[-1] if table == "event_keys" else row
        seq = _first(db, "SELECT min(seq) FROM main.occurrences WHERE event_id = (SELECT min(id) FROM main.events "
                         f"WHERE {_EVENT_OF[table]} = ?)", row)
    if table == "snapshots" and isinstance(row, int):
        return {"snapshot": row}
    place = sql.first(db, "SELECT snapshot_id, offset, length FROM main.occurrences WHERE seq = ?1 UNION ALL "
                          "SELECT snapshot_id, offset, length FROM main.rejects WHERE seq = ?1", (seq,)) if seq else None
    return dict(zip(("snapshot", "offset", "length"), place, strict=True)) if place else {}


def _first(db: apsw.Connection, statement: str, value: Any) -> Any:
    return sql.cell(db, statement, (value,))


def _leaves(derived: expected.Expected, report: Report) -> None:
    """The stored leaves against those of the records, where the case key is at hand; else only that there are as many."""
    db = derived.db
    different = list(_blocks(db))
    count = "SELECT coalesce(sum(length(hashes)), 0) / 32 FROM {}.leaves"
    given, right = (sql.cell(db, count.format(place)) for place in ("given", "main"))
    if not different and given != right:
        block = 1 + given if given < right else sql.cell(db, "SELECT max(first_seq) FROM given.leaves WHERE first_seq <= ?",
                                                         (1 + right,))
        different.append(Difference("records", f"there are {given:,} leaves for {right:,} records", "leaves", block))
    if derived.key is None:
        report.check("records", "as many leaves as records", different)
        report.unchecked.append("leaves against records: that takes the case key (CASE.key beside the case, or --case-key)")
        return
    if not different and _hashed(db, "given") != _hashed(db, "main"):
        held = (tree.Joined(b"".join(_blocks_of(db, place))) for place in ("given", "main"))
        wrong = (at for at, (one, other) in enumerate(zip(*held, strict=True)) if one != other)
        for at in islice(wrong, MOST):
            block = sql.cell(db, "SELECT max(first_seq) FROM given.leaves WHERE first_seq <= ?", (at + 1,))
            told = f"the leaf of record {at + 1} is not that of its bytes and row"
            different.append(Difference("records", told, "leaves", block, "hashes", **where(db, "occurrences", at + 1)))
    report.check("records", f"{right:,} leaves, from the records' bytes, rows and the case key", different)


def _blocks(db: apsw.Connection) -> Iterator[Difference]:
    """Blocks of leaves follow each other without a gap."""
    following, before = 1, None
    for first, kind, size in db.execute("SELECT first_seq, typeof(hashes), length(hashes) FROM given.leaves ORDER BY 1"):
        if kind != "blob" or size % 32 or not size:
            yield Difference("records", "it is no block of leaves", "leaves", first, "hashes")
            return
        if first != following:
            yield Difference("records", f"the block that begins with record {following} is missing", "leaves", following)
            if before is not None:
                yield Difference("records", f"it holds leaves up to record {following - 1}, the next begins with {first}",
                                 "leaves", before, "hashes")
            yield Difference("records", f"the block begins with record {first}, {following} comes next", "leaves", first,
                             "first_seq")
            return
        following, before = following + size // 32, first


def _blocks_of(db: apsw.Connection, place: str) -> Iterator[bytes]:
    return (data for (data,) in db.execute(f"SELECT hashes FROM {place}.leaves ORDER BY first_seq"))


def _hashed(db: apsw.Connection, place: str) -> bytes:
    """A hash over all leaves; how they are cut into blocks does not matter."""
    found = sha256()
    for data in _blocks_of(db, place):
        found.update(data)
    return found.digest()
