"""The case as it must be: derived again from its own originals, by the same reading and writing that made it.

A scratch case is made beside (in memory, for a small one), with the case under test attached as `given`, which nothing writes.
Every source is taken out of it and ingested anew in the order of its history; replays are repeated where they were. What the
sources' bytes alone decide then lies row for row in `main`, ids included, and `compare` holds the two against each other.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw

from fimforensics import derived, schema, sql
from fimforensics.analyses import ANALYSES
from fimforensics.analyze import run_one
from fimforensics.case import key_check
from fimforensics.errors import Problem
from fimforensics.evidence.verify import history, originals, pulls
from fimforensics.evidence.verify.report import Difference
from fimforensics.ingest import judge_trees
from fimforensics.replay import retry
from fimforensics.snapshot import Snapshot
from fimforensics.sources import Source
from fimforensics.store import marks
from fimforensics.stream import stream
from fimforensics.task import Task

Progress = Callable[[str, int, int], None]  # what is read, how much is done, of how much
IN_MEMORY = 8 << 20  # bytes of a case that is small
_CACHE_KIB = 12 * 1024
_NO_KEY = bytes(32)


class Expected:
    """The scratch case; `db` is its connection."""

    def __init__(self, db: apsw.Connection, key: bytes | None) -> None:
        self.db, self.key = db, key
        self.analysed: set[str] = set()

    def interpret(self, names: set[str]) -> None:
        """Counts, full text, and these analyses, computed from what was derived; what was computed before stays."""
        if "" not in self.analysed:
            derived.refresh(self.db, indexes=False)
            self.analysed.add("")
        digest = sql.cell(self.db, "SELECT evidence_digest FROM main.case_info")
        for number, analysis in enumerate(ANALYSES, 1):
            needed = analysis.name in names or any(analysis.name in one.needs for one in ANALYSES if one.name in names)
            if needed and analysis.name not in self.analysed:
                self.db.execute(schema.late())
                run_one(self.db, number, analysis, digest, lambda *_: None)
                self.analysed.add(analysis.name)


class _Again(Snapshot):
    """A snapshot written once more: its bytes are in the case already, so only their hashes are kept."""

    portion = 1 << 14

    def __init__(self, *told: Any) -> None:
        super().__init__(*told)
        self._contents: dict[int, Any] = {}  # of members that are kept beside the original

    def _chunks(self, message: tuple) -> None:
        _, target, stored = message
        owner, cached = (self.number, 0) if target < 0 else (self.members[target], 1)
        self.db.cursor().executemany(
            "INSERT OR IGNORE INTO stored VALUES (?, ?, ?, ?, ?, ?)",
            ((cached, owner, offset, length, codec, sha256(data).digest()) for offset, length, codec, data, _ in stored))
        if not cached:
            self.resume["stored"], self.resume["prefix"] = stored[-1][0] + stored[-1][1], stored[-1][4]
            return
        content = self._contents.setdefault(owner, sha256())
        for _, _, _, data, _ in stored:
            content.update(originals.unpacked("zstd", data, originals.RENDERED) or b"")
        self.db.execute("INSERT OR REPLACE INTO contents_stored VALUES (?, ?)", (owner, content.digest()))


@contextlib.contextmanager
def scratch(case: Path, key: bytes | None) -> Iterator[Expected]:
    """An empty scratch case with the case attached as `given`; gone at the end."""
    with contextlib.ExitStack() as stack:
        place = ":memory:"
        if case.stat().st_size > IN_MEMORY:
            place = str(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fimforensics-"))) / "scratch")
        db = apsw.Connection(place, flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI)
        stack.callback(db.close)
        db.execute(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_CACHE_KIB}; "
                   "PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = OFF; PRAGMA temp_store = FILE; PRAGMA mmap_size = 0")
        for name, on in (("DEFENSIVE", 0), ("TRUSTED_SCHEMA", 0), ("ENABLE_TRIGGER", 0), ("ENABLE_LOAD_EXTENSION", 0)):
            db.config(getattr(apsw, f"SQLITE_DBCONFIG_{name}"), on)
        db.execute(f"BEGIN; {schema.ddl()} COMMIT; DROP TABLE originals; DROP TABLE member_cache; "
                   "CREATE TABLE stored (cached, owner, offset, length, codec, sha256, PRIMARY KEY (cached, owner, offset)); "
                   "CREATE TABLE contents_stored (owner PRIMARY KEY, content)")
        attach(db, case)
        yield Expected(db, key)


def attach(db: apsw.Connection, case: Path) -> None:
    """The case under test, as `given`: immutable, and never written."""
    db.execute("ATTACH ? AS given", (case.absolute().as_uri() + "?mode=ro&immutable=1",))


def fill(expected: Expected, told: list[history.Taken | history.Replayed], progress: Progress) -> list[Difference]:
    """Derives the whole case into the scratch; what was not right on the way. See `hopeless`."""
    db, key = expected.db, expected.key or _NO_KEY
    db.execute("INSERT INTO main.case_info SELECT 1, case_id, ?, tool, created, case_number, examiner, note, 1, '', "
               "coalesce(?, key_check) FROM given.case_info LIMIT 1", (schema.FORMAT, key_check(key) if expected.key else None))
    found: list[Difference] = []
    with tempfile.TemporaryDirectory(prefix="fimforensics-") as folder:
        for one in told:
            if isinstance(one, history.Replayed):
                db.execute("BEGIN IMMEDIATE")
                retry(db, key, one.reading, set(one.records))
                db.execute("COMMIT")
                continue
            found += _take(db, key, one, Path(folder) / "source", progress)
            if hopeless(found):
                return found
    judge_trees(db)
    return found


def hopeless(found: list[Difference]) -> bool:
    """Do these differences mean that the originals cannot give the case again?"""
    return any(one.table == "originals" or one.layer == "records" for one in found)


def _take(db: apsw.Connection, key: bytes, one: history.Taken, path: Path, progress: Progress) -> list[Difference]:
    """One source, ingested again; what is not right with its original, or why it cannot be read as it was."""
    stored = originals.Found()
    with path.open("wb") as target:
        found = list(originals.extract(db, one.number, target, stored))
    if hopeless(found):
        return [*found, *originals.hashed(one.number, one.hashes, originals.hashes_of(path), stored)]
    number = one.number
    first = 1 + max(sql.cell(db, f"SELECT max(seq) FROM {table}") or 0 for table in ("occurrences", "rejects"))
    resume = {"records": 0, "stored": 0, "prefix": "", "marks": marks(db), "new": 0, "known": 0, "rejects": 0, "first": None,
              "last": None}
    acquired, tool, case_number, examiner, note = one.told
    reading = json.dumps({"timezone": one.reading.timezone, "date_order": one.reading.date_order})
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO snapshots (id, set_id, source, state, acquired, reading, case_number, examiner, note, tool, "
               "first_seq, resume) VALUES (?, ?, ?, 'unfinished', ?, ?, ?, ?, ?, ?, ?, '{}')",
               (number, one.set_id, one.source, acquired, reading, case_number, examiner, note, tool, first))
    task = Task(path=str(path), label=one.source, snapshot=number, first_seq=first, case_key=key, reading=one.reading,
                frugal=True)
    source = Source(path, one.source, 0, pulled=pulls.again(db, number, path))
    snapshot = _Again(db, number, one.set_id, source, resume,
                      lambda label, done, size, _: progress(label, done, size), one.records)
    try:
        snapshot.take(stream(task, stored.size), first=True)
    except Problem as problem:
        db.execute("ROLLBACK" if db.in_transaction else "SELECT 1")
        found += originals.hashed(number, one.hashes, originals.hashes_of(path), stored)
        return found if hopeless(found) else [
            *found, Difference("records", f"the source cannot be read again as it was ({problem.what})", "snapshots", number,
                               snapshot=number)]
    pulls.count(db, number)
    read = sql.rows(db, f"SELECT {', '.join(originals.HASHES)} FROM main.snapshots WHERE id = ?", (number,))[0]
    return [*found, *originals.hashed(number, one.hashes, read, stored)]
