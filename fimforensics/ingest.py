"""Sources into a case: nothing dropped in silence, nothing taken twice, stopped at any moment and gone on with later.

Each file is one snapshot. The files of one folder, or those declared as parts, are one set: within a set equal records are
several events. A snapshot is `unfinished` until its last record is in; its rows are in no view before.
For every snapshot: records = new events + known events (one occurrence more) + rejects, or the snapshot is not finished.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import apsw

from fimforensics import case as cases
from fimforensics import derived, schema
from fimforensics.errors import Misuse, Problem, Refused
from fimforensics.evidence import custody
from fimforensics.hours import hour, missing
from fimforensics.model import CHUNK, Reading
from fimforensics.pipeline import BATCH, Task
from fimforensics.settle import relabel, settle
from fimforensics.shapes import tree
from fimforensics.store import COMMIT, Writer, chunks, marks, sweep, take_back
from fimforensics.stream import stream
from fimforensics.text import storable

COMMIT_BYTES = 64 << 20

Progress = Callable[[str, int, int, int], None]  # source, bytes done, bytes in all, records


@dataclass(frozen=True)
class Options:
    """What the operator says of an ingest."""

    reading: Reading = field(default_factory=Reading)
    parts: bool = False
    expect_sha256: str | None = None
    case_number: str | None = None
    examiner: str | None = None
    note: str | None = None
    case_key: bytes | None = None
    batch: int = BATCH


@dataclass(frozen=True)
class Taken:
    """What became of one source: the number of its snapshot, or why it was refused."""

    source: str
    snapshot: int | None = None
    already: bool = False
    read_as: str | None = None  # already there, but its times were read otherwise than the operator now says
    refused: str | None = None


@dataclass(frozen=True)
class Source:
    """One file to take, and how it is called in the case."""

    path: Path
    label: str
    group: Hashable  # files of the same group are one set
    options: Options | None = None  # where they are not those of the command


def sources(paths: Iterable[Path], parts: bool) -> tuple[list[Source], list[Taken]]:
    """The files to take, in order, and what of the given paths cannot be read.

    A folder tree that an Azure export wrote (its folders name hours) is one set; the files of any other folder are sources of their own,
    for they may well be several exports of the same changes. `parts` makes one set of everything.
    """
    found: list[Source] = []
    bad: list[Taken] = []
    for number, path in enumerate(paths):
        group = 0 if parts else number
        try:
            if path.is_dir():
                held = tree(path)
                bad += [Taken(str(path), refused=problem.line()) for problem in held.problems]
                if not held.files and not held.problems:
                    raise Refused("the folder holds no file", where=str(path), hint="Name the folder or file that holds the export")
                names = [file.relative_to(path).as_posix() for file in held.files]
                whole = parts or any(map(hour, names))
                found += [Source(file, _label(f"{path.resolve().name}/{name}"), group if whole else (group, name))
                          for file, name in zip(held.files, names, strict=True)]
            elif path.is_file():
                with path.open("rb"):
                    found.append(Source(path, _label(path.name), group))
            else:
                raise Refused("it is no file or folder" if path.exists() else "there is no such file", where=str(path),
                              hint="Name the file or folder that holds the export")
        except OSError as error:
            bad.append(Taken(str(path), refused=_unreadable(path, error).line()))
        except Problem as problem:
            bad.append(Taken(str(path), refused=problem.line()))
    return found, bad


def _label(name: str) -> str:
    """The name as a case can keep it: a file's name may be no text at all."""
    return storable(name)[0]


def _unreadable(path: Path, error: OSError) -> Refused:
    return Refused(f"cannot be read ({error.strerror or error})", where=str(path),
                   hint="See that it is there and may be read, or ingest a copy")


def ingest(case: Path, paths: list[Path], options: Options, progress: Progress = lambda *_: None) -> list[Taken]:
    """Takes sources into the case (made when there is none); what was taken, known or refused, in order of the files."""
    found, bad = sources(paths, options.parts)
    if options.expect_sha256 is not None:
        if len(found) + len(bad) != 1:
            raise Misuse("--expect-sha256 goes with one file", hint="Ingest the files one by one")
        if found:
            _expect(found[0], options.expect_sha256)
    return bad + take(case, found, options, progress)


def take(case: Path, found: list[Source], options: Options, progress: Progress = lambda *_: None) -> list[Taken]:
    """Takes these files into the case, which is made when there is none."""
    first = not case.exists()
    if not first:
        cases.check_header(case)
    elif not found:
        return []
    target = cases.partial(case) if first else case
    made = first and not target.exists()
    if made:
        had_key = cases.key_file(case).exists()
        cases.create(case, case_key=options.case_key, case_number=options.case_number, examiner=options.examiner, note=options.note)
    elif first:
        cases.check_header(target)
        cases.finish_create(case)
    with cases.change(target) as db:
        key = options.case_key or cases.read_key(cases.key_file(case))
        if db.execute("SELECT key_check FROM case_info").fetchone()[0] != cases.key_check(key):
            raise Problem("the key beside it is another case's", where=str(case), hint="Name the right one with --case-key")
        taken = _Ingest(db, key, options, progress, first).take(found)
        empty = db.execute("SELECT 1 FROM snapshots LIMIT 1").fetchone() is None
        if not empty:
            _judge_trees(db)
            derived.refresh(db)
    if first and empty:
        target.unlink()
        if not had_key if made else options.case_key is None:
            cases.key_file(case).unlink()
    elif first:
        cases.publish(case)
    return taken


def _judge_trees(db: apsw.Connection) -> None:
    """Says of every folder tree, on its first file, which hours it has no folder for; the same whatever order its files came in."""
    for (set_id,) in db.execute("SELECT set_id FROM snapshots WHERE state = 'finished' GROUP BY set_id HAVING count(*) > 1").fetchall():
        held = db.execute("SELECT source, id, truncated FROM snapshots WHERE set_id = ? AND state = 'finished' ORDER BY source, id", (set_id,)).fetchall()
        verdict = missing(source for source, _, _ in held)
        for at, (_, number, told) in enumerate(held):
            kept = [part for part in (told or "").split("; ") if part and not part.startswith("no folder for")]
            judged = "; ".join([*kept, *([verdict] if verdict and at == 0 else [])]) or None
            if judged != told:
                db.execute("UPDATE snapshots SET truncated = ? WHERE id = ?", (judged, number))


def abandon(case: Path) -> str | None:
    """Takes an unfinished snapshot back, and a first ingest's case with it when nothing else is in it; its source's name."""
    first = not case.exists()
    target = cases.partial(case) if first else case
    if not target.exists():
        raise Problem("there is no such case", where=str(case), hint="Name the case whose ingest was stopped")
    cases.check_header(target)
    with cases.change(target) as db:
        row = db.execute("SELECT id, source, resume FROM snapshots WHERE state = 'unfinished'").fetchone()
        if row is not None:
            db.execute("BEGIN IMMEDIATE")
            take_back(db, row[0], json.loads(row[2])["marks"])
            custody.add(db, "abandon", {"source": row[1]}, "taken back")
            db.execute("COMMIT")
        empty = db.execute("SELECT 1 FROM snapshots LIMIT 1").fetchone() is None
        if not empty and first:
            derived.refresh(db)
    if first and empty:
        target.unlink()
        cases.key_file(case).unlink(missing_ok=True)
    elif first:
        cases.publish(case)
    return row[1] if row else None


def _expect(source: Source, expected: str) -> None:
    found = file_sha256(source.path)
    if found != expected.lower():
        raise Problem(f"its SHA-256 is {found}, not the expected {expected.lower()}", where=str(source.path),
                      hint="It is not the file that was meant, or it was changed on the way")


def file_sha256(path: Path, size: int | None = None) -> str:
    """SHA-256 of a file, or of its first `size` bytes."""
    found, left = sha256(), size if size is not None else -1
    with path.open("rb") as stream_:
        while data := stream_.read(CHUNK if left < 0 else min(CHUNK, left)):
            found.update(data)
            left -= len(data) if left >= 0 else 0
            if left == 0:
                break
    return found.hexdigest()


class _Ingest:
    """One command's work on an open case."""

    def __init__(self, db: apsw.Connection, key: bytes, options: Options, progress: Progress, first: bool) -> None:
        self.db, self.key, self.options, self.progress, self.first = db, key, options, progress, first
        self.sets: dict[Hashable, int] = {}

    def take(self, found: list[Source]) -> list[Taken]:
        """Takes the sources one after the other; a refused one does not stop the others."""
        taken: list[Taken] = []
        for source in found:
            try:
                taken.append(self._one(source))
            except Refused as refusal:
                taken.append(Taken(str(source.path), refused=refusal.line()))
        return taken

    def _one(self, source: Source) -> Taken:
        try:
            size = source.path.stat().st_size
            known = self._known(source, size)
        except OSError as error:
            raise _unreadable(source.path, error) from None
        if known is not None:
            self.sets.setdefault(source.group, known[1])
            return Taken(str(source.path), known[0], already=True, read_as=self._otherwise(source, known[0]))
        unfinished = self.db.execute("SELECT id, set_id, source, first_seq, resume, reading FROM snapshots WHERE state = 'unfinished'").fetchone()
        if unfinished is not None:
            number = self._go_on(source, size, unfinished)
        else:
            number = self._begin(source)
        return Taken(str(source.path), number)

    def _known(self, source: Source, size: int) -> tuple[int, int] | None:
        """The finished snapshot of the very same bytes, and its set."""
        same = self.db.execute("SELECT id, set_id, sha256 FROM snapshots WHERE state = 'finished' AND size = ?", (size,)).fetchall()
        if not same:
            return None
        hashed = file_sha256(source.path)
        return next(((number, set_id) for number, set_id, known in same if known == hashed), None)

    def _otherwise(self, source: Source, snapshot: int) -> str | None:
        """How a snapshot's times were read, where that is not what the operator says now."""
        said = json.loads(self._reading(source))
        read = json.loads(self.db.execute("SELECT reading FROM snapshots WHERE id = ?", (snapshot,)).fetchone()[0])
        if not any(value and value != read[name] for name, value in said.items()):
            return None
        return " and ".join(f"--{name.replace('_', '-')} {value}" if value else f"no --{name.replace('_', '-')}" for name, value in read.items())

    def _go_on(self, source: Source, size: int, unfinished: tuple) -> int:
        number, set_id, label, first_seq, text, reading = unfinished
        resume = json.loads(text)
        if resume["stored"] or resume["records"]:
            same = (size >= resume["stored"] and file_sha256(source.path, resume["stored"]) == resume["prefix"]
                    and self._unchanged(self._task(source, number, first_seq, resume), size))
        else:
            same = label == source.label
        if not same:
            raise Problem(f"the ingest of {label} is not done, and this is another source (or it changed meanwhile)", where=str(source.path),
                          hint="Run the first command again with the file as it was, or: fimforensics ingest CASE --abandon")
        if reading != self._reading(source):
            raise Problem(f"the ingest of {label} is not done, and was begun with another reading of its times ({reading})",
                          where=str(source.path), hint="Run the first command again, or: fimforensics ingest CASE --abandon")
        self.sets.setdefault(source.group, set_id)
        return self._run(source, number, set_id, first_seq, resume)

    def _unchanged(self, task: Task, size: int) -> bool:
        """Do the records that the case holds beyond the stored bytes still stand in the source? Their leaves prove it."""
        if task.stored == size:
            return True
        proven = self.db.execute(
            "SELECT count(*) FROM (SELECT offset, length FROM occurrences WHERE seq >= ?1 UNION ALL "
            "SELECT offset, length FROM rejects WHERE seq >= ?1) WHERE offset + length <= ?2", (task.first_seq, task.stored)).fetchone()[0]
        rows = self.db.execute("SELECT first_seq, hashes FROM leaves WHERE first_seq >= (SELECT max(first_seq) FROM leaves "
                               "WHERE first_seq <= ?) ORDER BY first_seq", (task.first_seq + proven,)).fetchall()
        if not rows or proven >= task.skip:
            return True
        held, found = b"".join(row[1] for row in rows)[32 * (task.first_seq + proven - rows[0][0]):], b""
        try:
            for message in stream(replace(task, skip=proven), size):
                found += message[9] if message[0] == "rows" else b""
                if len(found) >= len(held):
                    break
        except Problem:
            return False
        return found[:len(held)] == held

    def _reading(self, source: Source) -> str:
        """How the operator says that the source's times are to be read, as the case keeps it."""
        reading = (source.options or self.options).reading
        return json.dumps({"timezone": reading.timezone, "date_order": reading.date_order})

    def _begin(self, source: Source) -> int:
        db = self.db
        number = (db.execute("SELECT max(id) FROM snapshots").fetchone()[0] or 0) + 1
        set_id = self.sets.setdefault(source.group, number)
        first = 1 + max(db.execute("SELECT max(seq) FROM occurrences").fetchone()[0] or 0, db.execute("SELECT max(seq) FROM rejects").fetchone()[0] or 0)
        options = source.options or self.options
        resume = {"records": 0, "stored": 0, "prefix": sha256().hexdigest(), "marks": marks(db), "new": 0, "known": 0, "rejects": 0,
                  "first": None, "last": None}
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO snapshots (id, set_id, source, state, acquired, reading, case_number, examiner, note, tool, first_seq, resume) "
                   "VALUES (?, ?, ?, 'unfinished', ?, ?, ?, ?, ?, ?, ?, ?)",
                   (number, set_id, source.label, custody.now(), self._reading(source),
                    options.case_number, options.examiner, options.note, custody.tool(), first, json.dumps(resume)))
        return self._run(source, number, set_id, first, resume)

    def _task(self, source: Source, number: int, first_seq: int, resume: dict) -> Task:
        return Task(path=str(source.path), label=str(source.path), snapshot=number, first_seq=first_seq, case_key=self.key,
                    reading=(source.options or self.options).reading, batch=self.options.batch, skip=resume["records"],
                    stored=resume["stored"], prefix=resume["prefix"])

    def _run(self, source: Source, number: int, set_id: int, first_seq: int, resume: dict) -> int:
        """Reads the source into its snapshot; on a refusal the case is as it was, on a stop it can go on."""
        if not self.db.in_transaction:
            self.db.execute("BEGIN IMMEDIATE")
        task = self._task(source, number, first_seq, resume)
        snapshot = _Snapshot(self.db, number, set_id, source, resume, self.progress)
        try:
            snapshot.take(stream(task, source.path.stat().st_size), self.first)
        except OSError as error:
            self._take_back(number, resume)
            raise _unreadable(source.path, error) from None
        except Problem as problem:
            self._take_back(number, resume)
            raise Refused(problem.what, where=problem.where, hint=problem.hint) from None
        except KeyboardInterrupt:
            snapshot.stop()
            raise
        return number

    def _take_back(self, number: int, resume: dict) -> None:
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        if self.db.execute("SELECT 1 FROM snapshots WHERE id = ?", (number,)).fetchone():
            self.db.execute("BEGIN IMMEDIATE")
            take_back(self.db, number, resume["marks"])
            self.db.execute("COMMIT")


class _Snapshot:
    """One snapshot while it is written."""

    def __init__(self, db: apsw.Connection, number: int, set_id: int, source: Source, resume: dict, progress: Progress) -> None:
        self.db, self.number, self.source, self.resume, self.progress = db, number, source, resume, progress
        self.writer = Writer(db, number, set_id)
        self.members: dict[int, int] = {}
        self.size = source.path.stat().st_size
        self.began = time.monotonic()
        self._since = self._bytes = 0

    def take(self, messages: Iterable[tuple], first: bool) -> None:
        """All messages of the reading, then what closes the snapshot."""
        for message in messages:
            kind = message[0]
            if kind == "rows":
                self._rows(message)
            elif kind == "chunks":
                self._chunks(message)
            elif kind == "member":
                self._member(message)
            else:
                self._finish(message[1], first)
            self.progress(self.source.label, self.resume["stored"], self.size, self.resume["records"])

    def _member(self, message: tuple) -> None:
        _, at, name, shape, table, cached, header, preambles = message
        known = self.db.execute("SELECT id FROM members WHERE snapshot_id = ? AND name = ?", (self.number, name)).fetchone()
        if known is not None:
            self.members[at] = known[0]
            return
        self.db.execute("INSERT INTO members (snapshot_id, name, shape, source_table, cached, header) VALUES (?, ?, ?, ?, ?, ?)",
                        (self.number, name, shape, table, cached, header))
        self.members[at] = self.db.last_insert_rowid()
        self.db.cursor().executemany("INSERT INTO preambles (member_id, kind, offset, length) VALUES (?, ?, ?, ?)",
                                     ((self.members[at], *preamble) for preamble in preambles))

    def _chunks(self, message: tuple) -> None:
        _, target, stored = message
        chunks(self.db, self.number, self.members, target, stored)
        self._bytes += sum(len(chunk[3]) for chunk in stored)
        if target < 0:
            self.resume["stored"], self.resume["prefix"] = stored[-1][0] + stored[-1][1], stored[-1][4]

    def _rows(self, message: tuple) -> None:
        writer, resume = self.writer, self.resume
        writer.rows(self.members[message[1]], message)
        self._since += message[2] - resume["records"]
        resume["records"] = message[2]
        resume["first"] = min(filter(None, (resume["first"], message[10])), default=None)
        resume["last"] = max(filter(None, (resume["last"], message[11])), default=None)
        if self._since >= COMMIT or self._bytes >= COMMIT_BYTES:
            self._commit()
            self.db.execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self.writer.flush()
        resume, writer = self.resume, self.writer
        for name in ("new", "known", "rejects"):
            resume[name] += getattr(writer, name)
            setattr(writer, name, 0)
        self.db.execute("UPDATE snapshots SET resume = ? WHERE id = ?", (json.dumps(resume), self.number))
        self.db.execute("COMMIT")
        self._since = self._bytes = 0

    def stop(self) -> None:
        """Ctrl-C: what is whole stays."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    def _finish(self, end: dict, first: bool) -> None:
        """Closes the snapshot in one transaction with all that depends on it."""
        db, resume, writer = self.db, self.resume, self.writer
        writer.flush()
        new, known, rejects = (resume[name] + getattr(writer, name) for name in ("new", "known", "rejects"))
        if new + known + rejects != end["records"]:
            raise RuntimeError(f"{end['records']} records, but {new} new events, {known} known ones and {rejects} rejects")
        changed = settle(db)
        if changed or rejects:
            sweep(db)
            relabel(db)
        if not first:
            db.execute(schema.script("late"))
        unknown = [name for name in end["columns"] if name not in derived.KNOWN_COLUMNS]
        before = db.execute("SELECT evidence_digest FROM case_info").fetchone()[0]
        leaves = sha256()
        for (data,) in db.execute("SELECT hashes FROM leaves WHERE first_seq >= (SELECT first_seq FROM snapshots WHERE id = ?) ORDER BY first_seq", (self.number,)):
            leaves.update(data)
        digest = sha256(f"{before}\n{end['sha256']}\n{leaves.hexdigest()}".encode()).hexdigest()
        cells = {
            "state": "finished", "finished": custody.now(), "duration_ms": int((time.monotonic() - self.began) * 1000),
            "size": end["size"], "sha256": end["sha256"], "sha1": end["sha1"], "md5": end["md5"], "modified": end["modified"],
            "shape": end["shape"], "source_table": end["source_table"], "columns_found": json.dumps(end["columns"]),
            "columns_missing": json.dumps(end["missing"]), "columns_unknown": json.dumps(unknown), "partial_columns": int(end["apart"]),
            "first_time": resume["first"], "last_time": resume["last"], "records": end["records"], "new_events": new, "known_events": known,
            "rejects": rejects, "truncated": "; ".join(end["truncated"]) or None, "resume": None}
        db.execute(f"UPDATE snapshots SET {', '.join(f'{name} = ?' for name in cells)} WHERE id = ?", (*cells.values(), self.number))
        db.execute("UPDATE case_info SET evidence_digest = ?, events_end = (SELECT coalesce(max(id), 0) + 1 FROM events)", (digest,))
        db.execute("DELETE FROM relabelled")
        said = db.execute("SELECT reading, case_number, examiner, note, set_id FROM snapshots WHERE id = ?", (self.number,)).fetchone()
        custody.add(db, "ingest", {"source": self.source.label, "snapshot": self.number, **json.loads(said[0]), "case_number": said[1],
                                   "examiner": said[2], "note": said[3], "set": said[4]},
                    f"{end['records']} records: {new} new events, {known} known, {rejects} rejects", subject=end["sha256"])
        db.execute("COMMIT")
