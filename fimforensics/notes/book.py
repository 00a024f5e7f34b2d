"""A notes file: SQLite, bound to a case, only ever added to, each entry chained to the one before.

Triggers refuse to change or remove an entry. Whoever takes the triggers away is found out by the chain, or by the count that
SQLite keeps of all rows there ever were. A file in which something is wrong is read as far as it can be, and never written to.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from fimforensics import schema
from fimforensics.errors import Misuse, Problem
from fimforensics.evidence.custody import now, tool
from fimforensics.notes.entry import CELLS, Entry, digest

APPLICATION_ID = 0x46494D4E  # FIMN
FORMAT = 1
_MAGIC = b"SQLite format 3\0"
_TEXTS = ", ".join(f"{name} TEXT{'' if name in ('seal', 'value', 'target') else ' NOT NULL'}" for name in CELLS)
_DDL = f"""
CREATE TABLE notes_info (id INTEGER PRIMARY KEY CHECK (id = 1), notes_id TEXT NOT NULL, case_id TEXT NOT NULL,
  case_number TEXT, created TEXT NOT NULL, tool TEXT NOT NULL);
CREATE TABLE entries (id INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL UNIQUE, {_TEXTS}, merged TEXT,
  previous TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'notes are only added to'); END;
CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'notes are only added to'); END;
CREATE TRIGGER entries_are_never_replaced BEFORE INSERT ON entries
  WHEN EXISTS (SELECT 1 FROM entries WHERE id = NEW.id OR entry = NEW.entry)
  BEGIN SELECT RAISE(ABORT, 'notes are only added to'); END;
CREATE TRIGGER info_is_never_changed BEFORE UPDATE ON notes_info BEGIN SELECT RAISE(ABORT, 'notes are only added to'); END;
CREATE TRIGGER info_is_never_removed BEFORE DELETE ON notes_info BEGIN SELECT RAISE(ABORT, 'notes are only added to'); END;
"""
_SCHEMA = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
_LIST = f"SELECT id, entry, {', '.join(CELLS)}, merged, previous, hash FROM entries WHERE id > ? ORDER BY id"


@dataclass(frozen=True)
class Line:
    """An entry as a file holds it: its place, its hash as written, what it says, where it was merged from, and the chain."""

    id: int
    entry: str
    said: Entry
    merged: str | None
    previous: str
    hash: str


class Book:
    """An open notes file. `trouble` says what is wrong with it, `locked` why nothing can be added (`trouble` counts too)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        self.trouble: str | None = None
        self.locked: str | None = None
        self.notes_id = self.case_id = ""
        self._first: str | None = None
        self._stamp: str | None = None
        self._lock = threading.RLock()
        _check_header(path)
        self._writable()
        self.refresh()

    @property
    def head(self) -> str:
        """The hash that stands for all that was ever written here."""
        return self.lines[-1].hash if self.lines else self._first or ""

    @property
    def case_ids(self) -> set[str]:
        """The cases that this file was written beside."""
        return {self.case_id, *(line.said.case_id for line in self.lines)} - {""}

    def refresh(self) -> bool:
        """Takes in what another program wrote meanwhile; whether there was anything."""
        with self._lock:
            stamp = _stamp(self.path)
            if stamp == self._stamp and stamp is not None:
                return False
            before = len(self.lines)
            try:
                self.trouble = self.trouble or _cut(self.path)
                with contextlib.closing(_connect(self.path, write=False)) as connection:
                    if self.trouble:
                        connection.execute("PRAGMA writable_schema = 1")  # or SQLite would read nothing of a file that is cut
                    self._take(connection)
            except (sqlite3.Error, OSError, TypeError, ValueError) as error:
                self.trouble = self.trouble or f"it is damaged ({error})"
            self._stamp = stamp
            return len(self.lines) != before

    def append(self, entries: Sequence[tuple[Entry, str | None]]) -> list[str]:
        """Adds entries (each with where it was merged from) and gives their hashes; Problem where nothing can be added."""
        with self._lock:
            if self.locked or self.trouble:
                raise Problem(self.trouble or self.locked or "", where=str(self.path))
            try:
                with contextlib.closing(_connect(self.path, write=True)) as connection:
                    connection.execute("BEGIN IMMEDIATE")
                    self._take(connection)
                    if self.trouble:
                        raise Problem(self.trouble, where=str(self.path))
                    added = self._add(connection, entries)
                    connection.execute("COMMIT")
                    self.lines += added
            except (sqlite3.Error, TypeError, ValueError) as error:
                raise Problem(f"the note was not kept ({error})", where=str(self.path),
                              hint="See that the file can be written and that there is room") from None
            self._stamp = _stamp(self.path)
            return [line.entry for line in added]

    def _add(self, connection: sqlite3.Connection, entries: Sequence[tuple[Entry, str | None]]) -> list[Line]:
        previous, number, added = self.head, len(self.lines), []
        for said, merged in entries:
            number += 1
            line = Line(number, said.hash, said, merged, previous, digest([previous, said.hash, merged]))
            connection.execute(f"INSERT INTO entries VALUES ({', '.join('?' * (len(CELLS) + 5))})",
                               (line.id, line.entry, *astuple(said), merged, line.previous, line.hash))
            previous = line.hash
            added.append(line)
        return added

    def _writable(self) -> None:
        """Why nothing can be written here, if so: a file and its folder must both allow it (SQLite keeps a journal beside)."""
        for place in (self.path, self.path.absolute().parent):
            if not os.access(place, os.W_OK) or not place.stat().st_mode & 0o222:
                self.locked = "it may only be read, so notes are shown and none can be added"
        if self.locked is None:
            try:
                with contextlib.closing(_connect(self.path, write=True)) as connection:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("ROLLBACK")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):  # by another program for a moment
                    self.locked = f"it cannot be written ({error}), so notes are shown and none can be added"
            except sqlite3.DatabaseError:
                return  # `refresh` says what is wrong with it

    def _take(self, connection: sqlite3.Connection) -> None:
        """Reads on from the last known entry, checking each."""
        if self._first is None:
            if changed := _changed(connection):
                self.trouble = self.trouble or f"it was tampered with: its schema is not that of notes (look at {changed})"
            info = connection.execute("SELECT notes_id, case_id, created FROM notes_info").fetchone()
            if info is None:
                raise ValueError("it does not say whose notes it has")
            self.notes_id, self.case_id = info[0], info[1]
            self._first = digest(list(info))
        for row in connection.execute(_LIST, (len(self.lines),)):
            line = Line(row[0], row[1], Entry(*row[2:-3]), *row[-3:])
            self.trouble = self.trouble or self._wrong(line)
            self.lines.append(line)
        ever = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
        there = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
        if (ever[0] if ever else 0) != there or there != len(self.lines):
            most = max(ever[0] if ever else 0, len(self.lines))
            self.trouble = self.trouble or f"it was tampered with: of {most:,} entries {there:,} are left"

    def _wrong(self, line: Line) -> str | None:
        if line.said.hash != line.entry:
            return f"it was tampered with: entry {line.id} does not say what it said when it was written"
        if line.id != len(self.lines) + 1 or line.previous != self.head \
                or line.hash != digest([line.previous, line.entry, line.merged]):
            return f"it was tampered with: entry {line.id} does not follow from the one before it"
        return None


def create(path: Path, case_id: str, case_number: str | None) -> None:
    """Makes an empty notes file of this case; Problem where it cannot be made. Nothing is ever overwritten."""
    fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.new")
    try:
        with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; "
                                     f"BEGIN; {_DDL} COMMIT;")
            connection.execute("INSERT INTO notes_info VALUES (1, ?, ?, ?, ?, ?)",
                               (str(uuid.uuid4()), case_id, case_number, now(), tool()))
        if path.exists():
            raise FileExistsError(0, "it is there already")
        os.replace(fresh, path)
    except (OSError, sqlite3.Error) as error:
        raise Problem(f"notes cannot be kept there ({getattr(error, 'strerror', None) or error})", where=str(path),
                      hint="Name a file in a folder that can be written: --notes FILE") from None
    finally:
        fresh.unlink(missing_ok=True)


def beside(case: Path) -> Path:
    """Where a case's notes lie unless another file is named: `CASE.notes.db`, as its key lies in `CASE.key`."""
    return case.with_name(case.name + ".notes.db")


def _check_header(path: Path) -> None:
    where = str(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(100)
    except OSError as error:
        raise Problem(f"cannot be read ({error.strerror})", where=where) from None
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise Problem("it is no notes file (no SQLite file)", where=where, hint="Nothing was changed. Name another: --notes FILE")
    application, version = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
    if application == schema.APPLICATION_ID:
        raise Misuse("it is a case, no notes file", where=where, hint="The case goes first: fimforensics serve CASE --notes")
    if application != APPLICATION_ID:
        raise Problem("it is a SQLite database, but no notes file", where=where,
                      hint="Nothing was changed. Name another: --notes FILE")
    if version != FORMAT:
        raise Problem(f"it has notes of format {version}, this program knows format {FORMAT}", where=where,
                      hint="Nothing was changed. Use a later program")


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path.absolute().as_uri() + ("?mode=rw" if write else "?mode=ro"), uri=True, isolation_level=None,
                                 timeout=5)
    connection.execute("PRAGMA trusted_schema = 0")
    if write:
        connection.execute("PRAGMA synchronous = FULL")
    else:
        connection.execute("PRAGMA query_only = 1")
    return connection


def _stamp(path: Path) -> str | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return json.dumps([told.st_ino, told.st_size, told.st_mtime_ns])


def _cut(path: Path) -> str | None:
    """What is to be said of a file that is shorter than its header says."""
    with path.open("rb") as stream:
        head = stream.read(32)
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    size, whole = path.stat().st_size, (65536 if page == 1 else page) * pages
    return f"it is cut off: it has {size:,} of {whole:,} bytes" if size < whole else None


def _changed(connection: sqlite3.Connection) -> str | None:
    """The name of something in the file's schema that is not ours, or that is missing."""
    with contextlib.closing(sqlite3.connect(":memory:")) as plain:
        plain.executescript(_DDL)
        other = set(connection.execute(_SCHEMA)) ^ set(plain.execute(_SCHEMA))
    return sorted(str(row[1]) for row in other)[0] if other else None
