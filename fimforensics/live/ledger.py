"""The ledger beside a case: what is asked, which windows were frozen, which slices are there, and what they took.

A folder with an SQLite file and the answers' bytes. Bytes are on disk for sure before the ledger says so; so after any stop it
tells the truth, and what it does not tell of is pulled again. One thread writes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from fimforensics.errors import Problem
from fimforensics.live.kql import Asked, Slice, Window
from fimforensics.live.service import Body, Effort

FORMAT = 1
_DDL = """
CREATE TABLE ledger (id TEXT NOT NULL, scope TEXT NOT NULL, asked TEXT NOT NULL);
CREATE TABLE windows (
  id INTEGER PRIMARY KEY, lower INTEGER, upper INTEGER NOT NULL, state TEXT NOT NULL, expected INTEGER, reason TEXT,
  recounted TEXT, started TEXT NOT NULL, finished TEXT, requests INTEGER NOT NULL DEFAULT 0, faults TEXT NOT NULL DEFAULT '{}');
CREATE TABLE slices (
  id INTEGER PRIMARY KEY, window INTEGER NOT NULL, within INTEGER NOT NULL, low INTEGER, high INTEGER, parts TEXT NOT NULL,
  rows INTEGER NOT NULL, size INTEGER NOT NULL, depth INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, query TEXT, file TEXT,
  bytes INTEGER, sha256 TEXT, columns TEXT, got INTEGER, expected INTEGER, ids BLOB, reason TEXT,
  requests INTEGER NOT NULL DEFAULT 0, faults TEXT NOT NULL DEFAULT '{}', again INTEGER, place TEXT);
CREATE INDEX slices_of ON slices(window, state);
"""
# state of a window: planned → pulled (proved or given up) → placed (its bytes are a file for the case) → stored (in the case)
# state of a slice: open → done, or short (kept, but fewer rows than the service counts), or cut (others stand for it)


@dataclass(frozen=True)
class Entry:
    """A slice as the ledger knows it; `within` is the window whose rows it holds, `again` the slice it stands in for."""

    id: int
    window: int
    within: int
    part: Slice
    depth: int = 0
    state: str = "open"
    query: str | None = None
    file: str | None = None
    bytes: int = 0
    sha256: str | None = None
    columns: str | None = None
    got: int = 0
    expected: int = 0
    reason: str | None = None
    requests: int = 0
    faults: str = "{}"
    again: int | None = None


_ENTRY = ("id, window, within, low, high, parts, rows, size, depth, state, query, file, bytes, sha256, columns, got, expected, "
          "reason, requests, faults, again")


def ledgers(case: Path) -> Path:
    """The folder of all ledgers of a case, beside it."""
    return case.with_name(case.name + ".collect")


def home(case: Path, scope: str, asked: Asked) -> Path:
    """The folder of the ledger for what is asked, beside the case."""
    told = json.dumps([scope, asdict(asked)], sort_keys=True)
    short = scope.strip("/").rpartition("/")[2][:40]
    return ledgers(case) / f"{short}-{asked.table}-{sha256(told.encode()).hexdigest()[:8]}"


def known(case: Path, scope: str) -> list[Asked]:
    """What ledgers beside the case say was asked of this scope, in order of their names."""
    found = []
    for path in sorted(ledgers(case).glob("*/ledger.db")):
        try:
            with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                where, text = db.execute("SELECT scope, asked FROM ledger").fetchone()
        except (sqlite3.Error, TypeError):
            continue  # none, or damaged: who names it by what it asks for is told
        if where == scope:
            told = json.loads(text)
            plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
            found.append(Asked(**plain))
    return found


class Ledger:
    """An open ledger."""

    def __init__(self, folder: Path, scope: str, asked: Asked) -> None:
        """Opens the ledger in this folder, or makes it."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(folder / "ledger.db", isolation_level=None, timeout=0)
        except (OSError, sqlite3.Error) as error:
            raise unwritable(folder, error) from None
        with self.writing():
            self.db.execute("PRAGMA synchronous = FULL")
            self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
            if self.db.execute("PRAGMA user_version").fetchone()[0] == 0:
                self.db.executescript(f"BEGIN IMMEDIATE; {_DDL} PRAGMA user_version = {FORMAT}; COMMIT;")
            self.db.execute("BEGIN IMMEDIATE")
            if self.db.execute("SELECT 1 FROM ledger").fetchone() is None:
                told = json.dumps(asdict(asked))
                self.db.execute("INSERT INTO ledger VALUES (?, ?, ?)", (str(uuid.uuid4()), scope, told))
            self.db.execute("COMMIT")
        (self.id,) = self.db.execute("SELECT id FROM ledger").fetchone()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """What SQLite cannot write is one line."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise Problem("another collect is at work on it", where=str(self.folder), hint="Wait until it is done") from None
            raise unwritable(self.folder, error) from None
        except sqlite3.DatabaseError as error:
            raise Problem(f"the ledger is damaged ({error})", where=str(self.folder),
                          hint="Move the folder away and collect anew; what is in the case stays there") from None

    def close(self) -> None:
        """Closes the file."""
        self.db.close()

    def windows(self) -> list[dict[str, Any]]:
        """All windows, oldest first."""
        found = self.db.execute("SELECT id, lower, upper, state, expected, reason, recounted, started, finished, requests, "
                                "faults FROM windows ORDER BY id")
        names = [name for name, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def window(self, number: int) -> dict[str, Any]:
        """One window."""
        return next(row for row in self.windows() if row["id"] == number)

    def begin(self, window: Window, started: str, expected: int, slices: Iterable[Slice], effort: Effort) -> int:
        """A new window with its slices, whole or not at all; its number."""
        with self.writing():
            self.db.execute("BEGIN IMMEDIATE")
            number = (self.db.execute("SELECT max(id) FROM windows").fetchone()[0] or 0) + 1
            self.db.execute("INSERT INTO windows (id, lower, upper, state, expected, started, requests, faults) "
                            "VALUES (?, ?, ?, 'planned', ?, ?, ?, ?)",
                            (number, window.lower, window.upper, expected, started, effort.requests,
                             json.dumps(effort.faults)))
            self._add(number, number, slices, 0, None)
            self.db.execute("COMMIT")
        return number

    def _add(self, window: int, within: int, slices: Iterable[Slice], depth: int, again: int | None) -> None:
        self.db.executemany(
            "INSERT INTO slices (window, within, low, high, parts, rows, size, depth, state, again) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)",
            [(window, within, part.low, part.high, json.dumps(part.parts), part.rows, part.size, depth, again)
             for part in slices])

    def again(self, window: int, found: Iterable[tuple[Entry, int]], told: dict[str, Any]) -> None:
        """Slices of earlier windows, with the rows that are counted now, are asked for once more in this one; all or none."""
        with self.writing():
            self.db.execute("BEGIN IMMEDIATE")
            for old, rows in found:
                self._add(window, old.within, [replace(old.part, rows=rows)], 0, old.id)
            self.db.execute("UPDATE windows SET recounted = ? WHERE id = ?", (json.dumps(told) if told else None, window))
            self.db.execute("COMMIT")

    def entries(self, window: int, *states: str) -> list[Entry]:
        """A window's slices in these states, by time, then in the order of their making."""
        marks = ", ".join("?" * len(states))
        rows = self.db.execute(f"SELECT {_ENTRY} FROM slices WHERE window = ? AND state IN ({marks}) ORDER BY id",
                               (window, *states))
        found = [_entry(row) for row in rows]
        return sorted(found, key=lambda one: (one.within, one.part.low or 0, one.id))

    def ids(self, entry: int) -> bytes:
        """The short hashes of a slice's row ids, 8 bytes each."""
        return self.db.execute("SELECT ids FROM slices WHERE id = ?", (entry,)).fetchone()[0] or b""

    def taken(self, entry: Entry, query: str, body: Body, expected: int, effort: Effort, short: str | None = None) -> None:
        """A slice's answer is on disk; `short` says why it is not whole."""
        requests, faults = self._effort(entry.id, effort)
        with self.writing():
            self.db.execute(
                "UPDATE slices SET state = ?, query = ?, file = ?, bytes = ?, sha256 = ?, columns = ?, got = ?, expected = ?, "
                "ids = ?, reason = ?, requests = ?, faults = ? WHERE id = ?",
                ("short" if short else "done", query, body.path.name, body.size, body.sha256, json.dumps(body.columns), body.rows,
                 expected, b"".join(body.ids), short, requests, faults, entry.id))

    def cut(self, entry: Entry, parts: Iterable[Slice], effort: Effort) -> None:
        """Smaller slices stand for this one from now on."""
        requests, faults = self._effort(entry.id, effort)
        with self.writing():
            self.db.execute("BEGIN IMMEDIATE")
            self.db.execute("UPDATE slices SET state = 'cut', requests = ?, faults = ? WHERE id = ?",
                            (requests, faults, entry.id))
            self._add(entry.window, entry.within, parts, entry.depth + 1, entry.again)
            self.db.execute("COMMIT")

    def reopen(self, entry: Entry, rows: int) -> None:
        """The service counts other rows than were taken: once more."""
        with self.writing():
            self.db.execute("UPDATE slices SET state = 'open', rows = ? WHERE id = ?", (rows, entry.id))

    def _effort(self, entry: int, effort: Effort) -> tuple[int, str]:
        requests, text = self.db.execute("SELECT requests, faults FROM slices WHERE id = ?", (entry,)).fetchone()
        faults = json.loads(text)
        for kind, number in effort.faults.items():
            faults[kind] = faults.get(kind, 0) + number
        return requests + effort.requests, json.dumps(faults, sort_keys=True)

    def mark(self, window: int, **cells: object) -> None:
        """Sets cells of a window."""
        assigned = ", ".join(f"{name} = ?" for name in cells)
        with self.writing():
            self.db.execute(f"UPDATE windows SET {assigned} WHERE id = ?", (*cells.values(), window))

    def spent(self, window: int, effort: Effort) -> None:
        """Adds what was asked beside the slices: plans and counts."""
        requests, text = self.db.execute("SELECT requests, faults FROM windows WHERE id = ?", (window,)).fetchone()
        faults = json.loads(text)
        for kind, number in effort.faults.items():
            faults[kind] = faults.get(kind, 0) + number
        self.mark(window, requests=requests + effort.requests, faults=json.dumps(faults, sort_keys=True))
        effort.requests = 0
        effort.faults.clear()

    def stored(self, window: int) -> None:
        """The case holds the window: slices pulled once more take the place of those they stand for, and the bytes may go."""
        with self.writing():
            self.db.execute("BEGIN IMMEDIATE")
            self.db.execute("UPDATE slices SET state = 'replaced' WHERE id IN (SELECT again FROM slices WHERE window = ?)",
                            (window,))
            self.db.execute("UPDATE windows SET state = 'stored' WHERE id = ?", (window,))
            self.db.execute("COMMIT")
        for path in sorted(self.folder.iterdir()):
            if path.name.startswith(("slice-", "window-")):
                path.unlink()

    def held(self, window: int) -> list[Entry]:
        """What is held of a window, from wherever it was pulled: its slices, those pulled again in place of them."""
        rows = self.db.execute(f"SELECT {_ENTRY} FROM slices WHERE within = ? AND state IN ('done', 'short') ORDER BY id",
                               (window,))
        return sorted(map(_entry, rows), key=lambda one: (one.part.low or 0, one.id))


def _entry(row: tuple) -> Entry:
    number, window, within, low, high, parts, rows, size, *rest = row
    part = Slice(low, high, tuple((one, other) for one, other in json.loads(parts)), rows, size)
    depth, state, query, file, size, hashed, columns, got, expected, reason, requests, faults, again = rest
    return Entry(number, window, within, part, depth, state, query, file, size or 0, hashed, columns, got or 0, expected or 0,
                 reason, requests, faults, again)


def unwritable(folder: Path, error: Exception) -> Problem:
    """The one line on a ledger that cannot be written."""
    return Problem(f"the ledger cannot be written ({getattr(error, 'strerror', None) or error})", where=str(folder),
                   hint="Make room or see to the folder, then run the same command again: it goes on where it stopped")


def sync_folder(folder: Path) -> None:
    """Makes renames in a folder last; systems whose folders cannot be synced need it not."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
