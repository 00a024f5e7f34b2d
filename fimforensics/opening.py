"""Every case that is opened is hostile input: looked at from outside first, then read with nothing but reading left in SQLite.

`inspect` asks the file system and the first 100 bytes; nothing is followed, no SQLite yet. `open_read` opens the very file
immutable, with limits, an authorizer, a budget of work that grows with the file, and compares the schema with this format's
own before any table is touched. What still goes wrong while a case is read is looked into by `fimforensics.blame`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import apsw

from fimforensics import schema
from fimforensics.errors import Problem
from fimforensics.readonly import authorize_checks

_MAGIC = b"SQLite format 3\0"
_JOURNAL_END = bytes.fromhex("d9d505f920a163d7")  # SQLite's mark behind the name of a journal over several databases
PAGE = 4096
MAX_VALUE = 4 << 20  # bytes of a row; no cell of a case is over 1 MiB, and of so long ones an event has three
# Steps of SQLite's machine: what reading a case of this size never needs, and a tree of pages that bites its own tail does.
_STEPS, _STEPS_A_BYTE, LOOK = 30_000_000, 20, 20_000
# The tables behind full text are SQLite's own; their DDL may be worded otherwise by another version of it.
_SCHEMA = """SELECT type, name, CASE WHEN name GLOB '*_fts_*' AND sql GLOB 'CREATE TABLE *' THEN 'full text' ELSE sql END
    FROM sqlite_schema WHERE sql IS NOT NULL"""
LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0, sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE, sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}
# SQLITE_DBCONFIG_…: how they stand in every connection to a case.
SWITCHES = (("DEFENSIVE", True), ("ENABLE_TRIGGER", False), ("ENABLE_LOAD_EXTENSION", False), ("TRUSTED_SCHEMA", False))


def beside(path: Path, ending: str) -> Path:
    """The file that lies beside a case under its name and this ending."""
    return path.with_name(path.name + ending)


def partial(case: Path) -> Path:
    """Where a case lies until its first ingest is done."""
    return beside(case, ".partial")


def damaged(path: Path, error: object) -> Problem:
    """What is said of a case that SQLite cannot read."""
    return Problem(f"it is damaged ({error})", where=str(path), hint="Use another copy of it")


def inspect(path: Path, formats: Iterable[int] = (schema.FORMAT,), *, writing: bool = False) -> None:
    """Problem, in one line, for everything that is not a case of these formats lying still; `writing` allows for a journal."""
    where = str(path)
    mode = _mode(path)
    if stat.S_ISLNK(mode):
        raise Problem("it is a symbolic link, not a case", where=where, hint="Name the file that it leads to")
    if not stat.S_ISREG(mode):
        raise Problem("it is a folder or a device, not a case", where=where, hint="Name the case's file")
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(number, "rb") as stream:
            head, size = stream.read(100), os.fstat(number).st_size
    except OSError as error:
        raise Problem(f"cannot be read ({error.strerror})", where=where) from None
    _check_head(path, head, formats)
    journal = beside(path, "-journal")
    if os.path.lexists(journal) and (not journal.is_file() or journal.is_symlink()):
        raise Problem("what lies beside it as its journal is none", where=str(journal), hint="Take it away")
    stopped = _stopped(journal)
    if stopped and not writing:
        raise Problem("a writer is at work on it, or was stopped in the middle", where=where,
                      hint="Run the same command again (ingest, replay, analyze, seal), or: fimforensics ingest CASE --abandon")
    if stopped:
        _check_journal(journal)
    else:
        _check_size(path, head, size)


def _stopped(journal: Path) -> bool:
    """Does the journal hold what has to be played back? When its transaction is done SQLite writes zeros to its beginning."""
    if not journal.exists():
        return False
    with journal.open("rb") as stream:
        return stream.read(1) not in (b"", b"\0")


def _mode(path: Path) -> int:
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if partial(path).exists():
            raise Problem("its first ingest is not done", where=str(path),
                          hint="Run the same ingest command again; it goes on") from None
        raise Problem("there is no such case", where=str(path),
                      hint="Make one: fimforensics ingest CASE SOURCE…") from None
    except (OSError, ValueError) as error:
        raise Problem(f"cannot be read ({getattr(error, 'strerror', None) or error})", where=str(path)) from None


def _check_head(path: Path, head: bytes, formats: Iterable[int]) -> None:
    where = str(path)
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise Problem("it is not a case (no SQLite file)", where=where,
                      hint="A source goes after the case: fimforensics ingest CASE SOURCE…")
    application, version = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
    if application != schema.APPLICATION_ID:
        raise Problem("it is a SQLite database, but not a case", where=where, hint="Name the case's file")
    if version not in formats:
        raise Problem(f"it is a case of format {version}, this program reads format {schema.FORMAT}", where=where,
                      hint="Derive it anew: fimforensics rebuild CASE NEW, with the program that made it or a later one")
    if head[18] == 2 or head[19] == 2 or os.path.lexists(beside(path, "-wal")):
        raise Problem("another program left it in WAL mode", where=where,
                      hint="Close that program, or use a copy of the original")
    size, encoding = int.from_bytes(head[16:18], "big"), int.from_bytes(head[56:60], "big")
    # after the page size: formats and reserved bytes; further on schema format, cache, vacuum, and what SQLite leaves empty
    right = (PAGE, 1, b"\1\1\0\x40\x20\x20", b"\0\0\0\4" + bytes(8), bytes(4), bytes(20))
    if (size, encoding, head[18:24], head[44:56], head[64:68], head[72:92]) != right:
        raise Problem("its header is not that of a case (page size, encoding, vacuum or reserved bytes)", where=where,
                      hint="It was changed by another program")


def _check_size(path: Path, head: bytes, size: int) -> None:
    """A file that lies still is as long as its header says; where another program wrote the header, at least whole pages."""
    told = PAGE * int.from_bytes(head[28:32], "big")
    if head[24:28] != head[92:96] or not told:
        raise Problem("its header was written by a program that this one does not know", where=str(path),
                      hint="Use another copy of it")
    if size != told:
        raise Problem(f"it is {'cut short' if size < told else 'longer than it says'}: {size:,} bytes instead of {told:,}",
                      where=str(path), hint="Use another copy of it")


def _check_journal(journal: Path) -> None:
    """A journal of ours never names another file; SQLite deletes the one that is named."""
    with journal.open("rb") as stream:
        stream.seek(max(journal.stat().st_size - len(_JOURNAL_END), 0))
        if stream.read() == _JOURNAL_END:
            raise Problem("its journal names another file: no writer of cases left it", where=str(journal),
                          hint="Use another copy of the case")


def open_read(path: Path, formats: Iterable[int] = (schema.FORMAT,)) -> sqlite3.Connection:
    """A connection that can do nothing but read; a journal left by a killed writer is named, not touched."""
    inspect(path, formats)
    try:
        connection = sqlite3.connect(path.absolute().as_uri() + "?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise damaged(path, error) from None
    try:
        harden(connection, path.stat().st_size)
        check_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_quick(path: Path) -> apsw.Connection:
    """A further connection, as strict, to a case that `open_read` has open: without locks, many rows come twice as quick.

    apsw.Error where SQLite cannot open it.
    """
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOMUTEX
    connection = apsw.Connection(path.absolute().as_uri() + "?mode=ro&immutable=1", flags=flags)
    for limit, value in LIMITS.items():
        connection.limit(limit, value)
    for name, on in SWITCHES:
        connection.config(getattr(apsw, f"SQLITE_DBCONFIG_{name}"), on)
    connection.authorizer = authorize_checks
    spent = budget(path.stat().st_size)
    connection.set_progress_handler(lambda: bool(spent()), LOOK)
    return connection


def harden(connection: sqlite3.Connection, size: int) -> None:
    """Takes everything but reading from a connection to a case of `size` bytes, for good."""
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA trusted_schema = 0")
    for name, on in SWITCHES:
        number = getattr(sqlite3, f"SQLITE_DBCONFIG_{name}", None)  # Python 3.12 and later
        if number is not None:
            with contextlib.suppress(sqlite3.Error):  # a SQLite that lacks it
                connection.setconfig(number, on)  # type: ignore[attr-defined,unused-ignore]
    connection.set_authorizer(authorize_checks)
    connection.set_progress_handler(budget(size), LOOK)


def budget(size: int, steps: int = _STEPS) -> Callable[[], int]:
    """A progress handler, to be asked every LOOK steps, that ends what takes more than a case of `size` bytes can need."""
    left = (steps + _STEPS_A_BYTE * size) // LOOK

    def spent() -> int:
        nonlocal left
        left -= 1
        return int(left < 0)

    return spent


def check_schema(connection: Any, path: Path, *, unfinished: bool = False) -> None:
    """The file's DDL must be ours, before any table is touched: a crafted view or trigger is no evidence.

    `unfinished` allows for indexes that are made when the first ingest is done.
    """
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        found = set(connection.execute(_SCHEMA).fetchall())
    except (sqlite3.DatabaseError, MemoryError, UnicodeError) as error:
        raise damaged(path, error) from None
    expected = _expected(version)
    found = {_now(row) if row[-1] == schema.FORMER.get(row[1]) else row for row in found}
    wrong = found ^ (expected & found if unfinished and expected - found <= _late() else expected)
    if wrong:
        name = sorted(str(row[1]) for row in wrong)[0]
        raise Problem(f"its schema is not that of a case (look at {name})", where=str(path),
                      hint="It was changed by another program")


@cache
def _expected(version: int) -> frozenset[tuple]:
    """The schema of a case of this format, as (type, name, DDL)."""
    later = frozenset().union(*(names for number, names in schema.ADDED.items() if number > version))
    with contextlib.closing(sqlite3.connect(":memory:")) as plain:
        plain.executescript(schema.ddl() + schema.late())
        return frozenset(row for row in plain.execute(_SCHEMA) if row[1] not in later)


@cache
def _now(former: tuple) -> tuple:
    """The row of the schema that took the place of a former one of the same name."""
    return next(row for row in _expected(schema.FORMAT) if row[:2] == former[:2])


@cache
def _late() -> frozenset[tuple]:
    """The indexes that may be missing before the first ingest is done."""
    with contextlib.closing(sqlite3.connect(":memory:")) as plain:
        plain.executescript(schema.ddl())
        early = set(plain.execute(_SCHEMA))
        plain.executescript(schema.late())
        return frozenset(set(plain.execute(_SCHEMA)) - early)
