"""The custody log's side of a verification: its chain, and what it tells of every snapshot against what the snapshot says."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from fimforensics.evidence import custody, pulls
from fimforensics.evidence.verify.report import MOST, Difference, Report
from fimforensics.evidence.verify.sealed import Seal

_COLUMNS = ", ".join(custody.CELLS)
# what an entry `ingest` tells of its snapshot, by the names in its arguments
_TOLD = {"source": "source", "case_number": "case_number", "examiner": "examiner", "note": "note", "set": "set_id"}


def check(connection: sqlite3.Connection, seal: Seal | None, report: Report) -> None:
    """The chain, its head in the seal, and every snapshot's entry."""
    found = list(_chain(connection, seal))
    is_part = connection.execute("SELECT 1 FROM part").fetchone() is not None  # the whole's log tells of its snapshots
    snapshots = list(_snapshots(connection)) if not found and not is_part else []
    report.check("custody", "the chain of hashes over all entries" + (", its head against the statement" if seal else ""), found)
    report.check("custody", "what each entry tells of a snapshot, against the snapshot", snapshots)


def _chain(connection: sqlite3.Connection, seal: Seal | None) -> Iterator[Difference]:
    previous, expected, told = custody.FIRST, 1, 0
    for number, hashed, *cells in connection.execute(f"SELECT id, hash, {_COLUMNS} FROM custody_log ORDER BY id"):
        if number != expected and told < MOST:
            yield Difference("custody", f"entry {expected} is missing", "custody_log", expected)
            told += 1
        try:
            follows, fits = cells[-1] == previous, custody.entry_hash(cells) == hashed
        except (TypeError, ValueError):  # a cell that is no text
            follows = fits = False
        if not fits and told < MOST:
            yield Difference("custody", "the entry does not have its hash: a cell of it was changed", "custody_log", number)
            told += 1
        elif not follows and told < MOST:
            yield Difference("custody", "the entry does not follow from the one before", "custody_log", number, "previous")
            told += 1
        previous, expected = hashed, number + 1
    if seal and (previous if expected > 1 else None, expected - 1) != (
            seal.statement["custody"].get("head"), seal.statement["custody"].get("entries")):
        yield Difference("digests", f"the custody log's head is {previous} after {expected - 1} entries, when sealed it was "
                                    f"{seal.statement['custody'].get('head')} after {seal.statement['custody'].get('entries')}",
                         "custody_log")


def _snapshots(connection: sqlite3.Connection) -> Iterator[Difference]:
    """Differences between a snapshot and the last entry that tells of its taking."""
    entries: dict[object, tuple[int, dict, object]] = {}
    for number, arguments, subject in connection.execute(
            "SELECT id, arguments, object FROM custody_log WHERE action = 'ingest' ORDER BY id"):
        try:
            told = json.loads(arguments)
            entries[told["snapshot"]] = number, told, subject
        except (ValueError, TypeError, KeyError):
            yield Difference("custody", "what the entry tells cannot be read", "custody_log", number, "arguments")
    names = ("id", "source", "case_number", "examiner", "note", "set_id", "reading", "sha256")
    for cells in connection.execute(f"SELECT {', '.join(names)} FROM snapshots WHERE state = 'finished' ORDER BY id"):
        row = dict(zip(names, cells, strict=True))
        if row["id"] not in entries:
            yield Difference("custody", "no entry of the custody log tells of its taking", "snapshots", row["id"])
            continue
        number, told, subject = entries[row["id"]]
        wrong = [column for name, column in _TOLD.items() if told.get(name) != row[column]]
        wrong += ["sha256"] if subject != row["sha256"] else []
        if _reading(row["reading"]) != (told.get("timezone"), told.get("date_order")):
            wrong.append("reading")
        for column in wrong:
            yield Difference("custody", f"entry {number} of the custody log tells otherwise", "snapshots", row["id"], column,
                             row["id"])
        if _pulled(connection, row["id"]) != told.get("pulled"):
            yield Difference("custody", f"entry {number} of the custody log tells otherwise", "pulls", row["id"], None, row["id"])


def _pulled(connection: sqlite3.Connection, snapshot: int) -> object:
    """What an entry must tell of a snapshot's pull; None of one that came from a file."""
    try:
        found = pulls.read(connection, snapshot)
        return None if found is None else pulls.told(found)
    except (TypeError, ValueError):  # cells of a kind that no pull has
        return "not to be read"


def _reading(text: object) -> tuple[object, object]:
    try:
        told = json.loads(text)  # type: ignore[arg-type]
        return told.get("timezone"), told.get("date_order")
    except (ValueError, TypeError, AttributeError):
        return "?", "?"
