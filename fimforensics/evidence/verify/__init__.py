"""Everything in a case, checked again: is it the file that was sealed, and does all in it follow from its own originals?

In this order: file and signature, schema, SQLite's own check, digests and tree, custody log, then every record read again from
its original, every row derived and compared, every analysis computed anew. `verify` names what differs, and what it could not
check. docs/evidence.md tells what that proves, and what no file can prove of itself.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import apsw

from fimforensics import case as cases
from fimforensics.blame import FAULTS, Fault, first
from fimforensics.errors import Misuse, Problem
from fimforensics.evidence import after, beside, stamps, statement, tree
from fimforensics.evidence.verify import custody_log, part, records, sealed
from fimforensics.evidence.verify.report import LAYERS, MOST, Difference, Report
from fimforensics.parts import check as parts

__all__ = ["LAYERS", "Difference", "Options", "Report", "verify"]

_CACHE_KIB = 8 * 1024  # of pages, for SQLite's check, which looks up every entry of every index


@dataclass(frozen=True)
class Options:
    """How to verify."""

    fingerprint: str | None = None  # the key that must have signed
    root: str | None = None  # the root that must be the case's, in hexadecimal
    fast: bool = False  # without deriving the case again
    case_key: Path | None = None
    parent: Path | None = None  # the whole, of a part
    pseudonyms: bytes | None = None  # the key of a part's pseudonyms


def verify(case: Path, options: Options = Options(), progress: records.expected.Progress = lambda *_: None,
           derive: records.Derive = records.check) -> Report:
    """Checks a case; Problem only for what is no case at all or cannot be read.

    `derive` derives the case again and compares; who verifies one case over and over may keep what is derived (benchmarks).
    """
    report = Report()
    cases.inspect(case)
    named = cases.read_key(options.case_key) if options.case_key else None
    if options.parent is not None:
        cases.inspect(options.parent)
    seal = sealed.of(case, report)
    report.facts["sealed"] = seal.statement["sealed"] if seal else None
    report.facts["statement_sha256"] = seal.sha256 if seal else None
    report.facts["signers"] = list(seal.signers) if seal else []
    if seal:
        progress("file", 0, 1)
        sealed.file(case, seal, report)
    elif not beside.seal_file(case).exists():
        report.unchecked.append("file and signature: the case is not sealed")
    sealed.pinned(seal, options.fingerprint, report)
    with _opened(case, report) as connection:
        if connection is not None:
            _given(connection, options, named)
            _inside(case, connection, seal, options, report, partial(derive, progress=progress), named)
            if options.fast or not report.whole or parts.about(connection) is not None:  # else rows as derived say it already
                _references(connection, report)
    if seal and beside.custody_file(case).exists():
        _later(case, report)
    if seal and beside.stamp_file(case).exists():
        _stamp(case, report)
    return report


def _stamp(case: Path, report: Report) -> None:
    """What an authority says of when the statement was there."""
    try:
        stamp = stamps.stamped(case)
    except Problem as problem:
        report.check("time stamp", "the statement's hash in it", [Difference("time stamp", problem.what)])
        return
    assert stamp is not None
    report.check("time stamp", f"the statement's hash in it; it says {stamp.time}")
    report.facts["time_stamp"] = {"time": stamp.time, "serial": stamp.serial, "policy": stamp.policy}
    report.unchecked.append("the time stamp's signature and authority: "
                            + stamps.command(beside.stamp_file(case).name, beside.seal_file(case).name))


def _later(case: Path, report: Report) -> None:
    """What happened after the seal: its log's chain, from the statement on."""
    wrong = [Difference("later custody", line) for line in after.check(case)]
    told = after.entries(case) if not wrong else []
    how = f"the chain of hashes over {len(told)} entr{'y' if len(told) == 1 else 'ies'}, from the statement's hash on"
    if report.check("later custody", how, wrong) and told:
        report.facts["later_custody"] = {"entries": len(told), "head": told[-1]["hash"]}
        report.trust.append(f"the custody file's last entry is {told[-1]['hash']}: only who noted it knows that none was cut "
                            "off")


@contextlib.contextmanager
def _opened(case: Path, report: Report) -> Iterator[sqlite3.Connection | None]:
    """The case for reading; None where its schema is not a case's."""
    try:
        connection = cases.open_read(case)
    except Problem as problem:
        report.check("schema", "that of the format", [Difference("schema", problem.what)])
        report.unchecked.append("everything inside: nothing is read from a file of another schema")
        yield None
        return
    report.check("schema", "sqlite_schema, word for word, against the format's")
    with contextlib.closing(connection):
        yield connection


def _inside(case: Path, connection: sqlite3.Connection, seal: sealed.Seal | None, options: Options, report: Report,
            derive: Callable[..., None], named: bytes | None) -> None:
    """All that is checked within the database."""
    unfinished = None
    with _faults(connection, report, "integrity"):
        unfinished = connection.execute("SELECT 1 FROM snapshots WHERE state = 'unfinished'").fetchone()
    if unfinished:
        raise Problem("an ingest into it is not done", where=str(case),
                      hint="Go on with it first, or: fimforensics ingest CASE --abandon")
    with ThreadPoolExecutor(1) as beside_it:
        integrity = beside_it.submit(_integrity, case)
        with _faults(connection, report, "digests"):
            if seal:
                sealed.tables(case, connection, seal, report)
        report.check("integrity", "SQLite's integrity_check, in full", integrity.result())
    with _faults(connection, report, "tree"):
        leaves = statement.all_leaves(connection)
        root = tree.root(leaves).hex()
        report.facts |= {"root": root, "leaves": len(leaves)}
        if seal:
            sealed.roots(leaves, root, connection, seal, report)
        del leaves
        if options.root is not None:
            differs = [] if options.root == root else [Difference("tree", f"the root is {root}, not {options.root}")]
            report.check("tree", "the root against the one that was given", differs)
    with _faults(connection, report, "custody"):
        custody_log.check(connection, seal, report)
    if options.fast:
        report.unchecked.append("records and interpretation: --fast leaves out deriving them again from the originals")
        return
    with _faults(connection, report, "records"):
        trusted = seal is not None and options.fingerprint is not None and report.whole
        if parts.about(connection) is not None:
            part.check(case, connection, report, records.where, parent=options.parent, pseudonyms=options.pseudonyms,
                       recompute=not trusted)
            return
        derive(case, named or _key(case, connection, report), report, recompute=not trusted)


def _integrity(case: Path) -> list[Difference]:
    """SQLite's own check of every page and index, on a connection of its own."""
    with contextlib.closing(cases.open_read(case)) as connection:
        try:
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            told = [line for (line,) in connection.execute(f"PRAGMA integrity_check({MOST})") if line != "ok"]
        except sqlite3.Error as error:
            told = [error]
    return [Difference("integrity", str(line)) for line in told]


def _references(connection: sqlite3.Connection, report: Report) -> None:
    """Every reference leads to a row."""
    with _faults(connection, report, "integrity"):
        found: list[Difference] = []
        for table, row, parent, number in connection.execute("PRAGMA foreign_key_check").fetchmany(MOST):
            found.append(Difference("integrity", f"it refers to a row of {parent} that is not there", table, row))
            found += _parents(connection, table, row, parent, number)
        report.check("integrity", "that every reference leads to a row", found)


def _parents(connection: sqlite3.Connection, table: str, row: int | None, parent: str, number: int) -> Iterator[Difference]:
    """The row that is referred to and is not there."""
    columns = [told[3] for told in connection.execute(f'PRAGMA foreign_key_list("{table}")') if told[0] == number]
    if len(columns) == 1 and row is not None:
        for (missing,) in connection.execute(f'SELECT "{columns[0]}" FROM "{table}" WHERE rowid = ?', (row,)):
            if isinstance(missing, int):
                yield Difference("integrity", f"the row is missing: row {row} of {table} refers to it", parent, missing)


@contextlib.contextmanager
def _faults(connection: sqlite3.Connection, report: Report, layer: str) -> Iterator[None]:
    """What goes wrong because the case holds what no case holds is a difference, not a failure of the program."""
    try:
        yield
    except (sqlite3.Error, apsw.Error, Problem, *FAULTS) as error:
        blamed = first(connection)
        if blamed is None and not isinstance(error, sqlite3.DatabaseError | apsw.Error | Problem) and report.whole:
            raise
        told = blamed or Fault(error.what if isinstance(error, Problem) else str(error))
        report.check(layer, "not to the end", [Difference(layer, told.what, told.table, told.row, told.column)])
        report.unchecked.append(f"the rest of {layer}: the case holds what no case holds")


def _key(case: Path, connection: sqlite3.Connection, report: Report) -> bytes | None:
    """The case key, where it lies beside the case and is the case's."""
    path = cases.key_file(case)
    if not path.exists():
        return None
    key = cases.read_key(path)
    if _checks(connection) != cases.key_check(key):
        report.differ(Difference("records", f"{path.name} is not the key of this case", "case_info", 1, "key_check"))
        return None
    return key


def _checks(connection: sqlite3.Connection) -> object:
    """What the case remembers of its key."""
    told = connection.execute("SELECT key_check FROM case_info").fetchone()
    return told[0] if told else None


def _given(connection: sqlite3.Connection, options: Options, named: bytes | None) -> None:
    """Problem for a key or a whole that was named and has nothing to do with this case."""
    with contextlib.suppress(sqlite3.Error):  # a damaged case, which the layers tell of
        if named is not None and _checks(connection) != cases.key_check(named):
            raise Problem("it is another case's key", where=str(options.case_key), hint="Name the right one, or leave it out")
        if options.parent is not None and connection.execute("SELECT 1 FROM part").fetchone() is None:
            raise Misuse("--parent goes with a part, and this case is none", hint="Verify each case by itself")
