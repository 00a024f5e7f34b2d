"""Sources into a case: nothing dropped in silence, nothing taken twice, stopped at any moment and gone on with later.

Each file is one snapshot. The files of one folder, or those declared as parts, are one set: within a set equal records are
several events. A snapshot is `unfinished` until its last record is in; its rows are in no view before.
For every snapshot: records = new events + known events (one occurrence more) + rejects, or the snapshot is not finished.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import apsw

from fimforensics import case as cases
from fimforensics import derived, sql
from fimforensics.errors import Misuse, Problem, Refused
from fimforensics.evidence import custody, pulls
from fimforensics.hours import missing
from fimforensics.pipeline import Task
from fimforensics.snapshot import Progress, Snapshot
from fimforensics.sources import Options, Source, Taken, expect, file_sha256, sources, unreadable
from fimforensics.store import marks, take_back
from fimforensics.stream import stream

__all__ = ["Options", "Progress", "Source", "Taken", "abandon", "file_sha256", "ingest", "sources", "take"]


def ingest(case: Path, paths: list[Path], options: Options, progress: Progress = lambda *_: None) -> list[Taken]:
    """Takes sources into the case (made when there is none); what was taken, known or refused, in order of the files."""
    found, bad = sources(paths, options.parts)
    if options.expect_sha256 is not None:
        if len(found) + len(bad) != 1:
            raise Misuse("--expect-sha256 goes with one file", hint="Ingest the files one by one")
        if found:
            expect(found[0], options.expect_sha256)
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
        cases.create(case, case_key=options.case_key, case_number=options.case_number, examiner=options.examiner,
                     note=options.note)
    elif first:
        cases.check_header(target)
        cases.finish_create(case)
    with cases.change(target) as db:
        cases.refuse_part(db, case)
        key = options.case_key or cases.read_key(cases.key_file(case))
        if sql.cell(db, "SELECT key_check FROM case_info") != cases.key_check(key):
            raise Problem("the key beside it is another case's", where=str(case), hint="Name the right one with --case-key")
        taken = _Ingest(db, key, options, progress, first).take(found)
        empty = db.execute("SELECT 1 FROM snapshots LIMIT 1").fetchone() is None
        if not empty:
            judge_trees(db)
            derived.refresh(db)
    if first and empty:
        target.unlink()
        if not had_key if made else options.case_key is None:
            cases.key_file(case).unlink()
    elif first:
        cases.publish(case)
    return taken


def judge_trees(db: apsw.Connection) -> None:
    """Says of every folder tree, on its first file, which hours it has no folder for; whatever order its files came in.

    And of live pulls that were incomplete, which later one made them good.
    """
    trees = "SELECT set_id FROM snapshots WHERE state = 'finished' GROUP BY set_id HAVING count(*) > 1"
    files = "SELECT source, id, truncated FROM snapshots WHERE set_id = ? AND state = 'finished' ORDER BY source, id"
    for (set_id,) in sql.rows(db, trees):
        held = sql.rows(db, files, (set_id,))
        verdict = missing(source for source, _, _ in held)
        for at, (_, number, told) in enumerate(held):
            kept = [part for part in (told or "").split("; ") if part and not part.startswith("no folder for")]
            judged = "; ".join([*kept, *([verdict] if verdict and at == 0 else [])]) or None
            if judged != told:
                db.execute("UPDATE snapshots SET truncated = ? WHERE id = ?", (judged, number))
    pulls.judge(db)


def abandon(case: Path) -> str | None:
    """Takes an unfinished snapshot back, and a first ingest's case with it when nothing else is in it; its source's name."""
    first = not case.exists()
    target = cases.partial(case) if first else case
    if not target.exists():
        raise Problem("there is no such case", where=str(case), hint="Name the case whose ingest was stopped")
    cases.check_header(target)
    with cases.change(target) as db:
        row = sql.first(db, "SELECT id, source, resume FROM snapshots WHERE state = 'unfinished'")
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
            raise unreadable(source.path, error) from None
        if known is not None:
            self.sets.setdefault(source.group, known[1])
            return Taken(str(source.path), known[0], already=True, read_as=self._otherwise(source, known[0]))
        unfinished = sql.first(self.db, "SELECT id, set_id, source, first_seq, resume, reading FROM snapshots "
                                        "WHERE state = 'unfinished'")
        number = self._begin(source) if unfinished is None else self._go_on(source, size, unfinished)
        return Taken(str(source.path), number)

    def _known(self, source: Source, size: int) -> tuple[int, int] | None:
        """The finished snapshot of the very same bytes, and its set."""
        same = sql.rows(self.db, "SELECT id, set_id, sha256 FROM snapshots WHERE state = 'finished' AND size = ?", (size,))
        if not same:
            return None
        hashed = file_sha256(source.path)
        if source.pulled is not None:  # the answer for an empty window is the same bytes each time
            own = {number for number, _ in pulls.of_ledger(self.db, source.pulled)[1]}
            same = [row for row in same if row[0] in own]
        return next(((number, set_id) for number, set_id, known in same if known == hashed), None)

    def _otherwise(self, source: Source, snapshot: int) -> str | None:
        """How a snapshot's times were read, where that is not what the operator says now."""
        said = json.loads(self._reading(source))
        read = json.loads(sql.cell(self.db, "SELECT reading FROM snapshots WHERE id = ?", (snapshot,)))
        if not any(value and value != read[name] for name, value in said.items()):
            return None
        options = ((name.replace("_", "-"), value) for name, value in read.items())
        return " and ".join(f"--{option} {value}" if value else f"no --{option}" for option, value in options)

    def _go_on(self, source: Source, size: int, unfinished: tuple) -> int:
        number, set_id, label, first_seq, text, reading = unfinished
        resume = json.loads(text)
        if resume["stored"] or resume["records"]:
            same = (size >= resume["stored"] and file_sha256(source.path, resume["stored"]) == resume["prefix"]
                    and self._unchanged(self._task(source, number, first_seq, resume), size))
        else:
            same = label == source.label
        if not same:
            raise Problem(f"the ingest of {label} is not done, and this is another source (or it changed meanwhile)",
                          where=str(source.path),
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
        proven = sql.cell(self.db, "SELECT count(*) FROM (SELECT offset, length FROM occurrences WHERE seq >= ?1 UNION ALL "
                                   "SELECT offset, length FROM rejects WHERE seq >= ?1) WHERE offset + length <= ?2",
                          (task.first_seq, task.stored))
        rows = sql.rows(self.db, "SELECT first_seq, hashes FROM leaves WHERE first_seq >= (SELECT max(first_seq) FROM leaves "
                                 "WHERE first_seq <= ?) ORDER BY first_seq", (task.first_seq + proven,))
        if not rows or proven >= task.skip:
            return True
        held, found = b"".join(row[1] for row in rows)[32 * (task.first_seq + proven - rows[0][0]):], b""
        try:
            for message in stream(replace(task, skip=proven), size):
                found += message[6] if message[0] == "rows" else b""
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
        number = (sql.cell(db, "SELECT max(id) FROM snapshots") or 0) + 1
        earlier = pulls.of_ledger(db, source.pulled)[0] if source.pulled is not None else None
        set_id = self.sets.setdefault(source.group, earlier or number)
        first = 1 + max(sql.cell(db, f"SELECT max(seq) FROM {table}") or 0 for table in ("occurrences", "rejects"))
        options = source.options or self.options
        resume = {"records": 0, "stored": 0, "prefix": sha256().hexdigest(), "marks": marks(db), "new": 0, "known": 0,
                  "rejects": 0, "first": None, "last": None}
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO snapshots (id, set_id, source, state, acquired, reading, case_number, examiner, note, tool, "
                   "first_seq, resume) VALUES (?, ?, ?, 'unfinished', ?, ?, ?, ?, ?, ?, ?, ?)",
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
        snapshot = Snapshot(self.db, number, set_id, source, resume, self.progress)
        try:
            snapshot.take(stream(task, source.path.stat().st_size), self.first)
        except OSError as error:
            self._take_back(number, resume)
            raise unreadable(source.path, error) from None
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
