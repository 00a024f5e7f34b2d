"""One snapshot while it is written: batches in, commits between them, and what closes it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from hashlib import sha256

import apsw

from fimforensics import derived, schema, sql
from fimforensics.evidence import custody, pulls
from fimforensics.settle import relabel, settle
from fimforensics.sources import Source
from fimforensics.store import COMMIT, Writer, chunks, sweep

COMMIT_BYTES = 64 << 20

Progress = Callable[[str, int, int, int], None]  # source, bytes done, bytes in all, records


class Snapshot:
    """One snapshot while it is written; `expected` is about how many records it will have, where that is known."""

    portion: int | None = None  # records of one transaction, where it is not COMMIT

    def __init__(self, db: apsw.Connection, number: int, set_id: int, source: Source, resume: dict, progress: Progress,
                 expected: int | None = None) -> None:
        self.db, self.number, self.source, self.resume, self.progress = db, number, source, resume, progress
        self.writer = Writer(db, number, set_id, expected)
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
        known = sql.first(self.db, "SELECT id FROM members WHERE snapshot_id = ? AND name = ?", (self.number, name))
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
        resume["first"] = min(filter(None, (resume["first"], message[7])), default=None)
        resume["last"] = max(filter(None, (resume["last"], message[8])), default=None)
        if self._since >= (self.portion or COMMIT) or self._bytes >= COMMIT_BYTES:
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
            with sql.sorting(db):
                db.execute(schema.late())
        digest = self._digest(end["sha256"])
        cells = self._known_at_end(end) | {"new_events": new, "known_events": known, "rejects": rejects, "resume": None}
        assigned = ", ".join(f"{name} = ?" for name in cells)
        db.execute(f"UPDATE snapshots SET {assigned} WHERE id = ?", (*cells.values(), self.number))
        db.execute("UPDATE case_info SET evidence_digest = ?, events_end = (SELECT coalesce(max(id), 0) + 1 FROM events)",
                   (digest,))
        db.execute("DELETE FROM relabelled")
        if self.source.pulled is not None:
            pulls.write(db, self.number, self.source.pulled)
        self._log(f"{end['records']} records: {new} new events, {known} known, {rejects} rejects", end["sha256"])
        db.execute("COMMIT")

    def _digest(self, source: str) -> str:
        """The case's evidence digest with this snapshot: chained over the one before, the source's hash and the leaves."""
        before, leaves = sql.cell(self.db, "SELECT evidence_digest FROM case_info"), sha256()
        for (data,) in self.db.execute("SELECT hashes FROM leaves WHERE first_seq >= "
                                       "(SELECT first_seq FROM snapshots WHERE id = ?) ORDER BY first_seq", (self.number,)):
            leaves.update(data)
        return sha256(f"{before}\n{source}\n{leaves.hexdigest()}".encode()).hexdigest()

    def _known_at_end(self, end: dict) -> dict[str, object]:
        """The cells of the snapshot's row that only a whole reading tells."""
        unknown = [name for name in end["columns"] if name not in derived.KNOWN_COLUMNS]
        same = ("size", "sha256", "sha1", "md5", "modified", "shape", "source_table", "records")
        return {
            "state": "finished", "finished": custody.now(), "duration_ms": int((time.monotonic() - self.began) * 1000),
            **{name: end[name] for name in same}, "columns_found": json.dumps(end["columns"]),
            "columns_missing": json.dumps(end["missing"]), "columns_unknown": json.dumps(unknown),
            "partial_columns": int(end["apart"]), "first_time": self.resume["first"], "last_time": self.resume["last"],
            "truncated": "; ".join(self._truncated(end["truncated"])) or None}

    def _truncated(self, told: list[str]) -> list[str]:
        """What speaks against the snapshot's being whole; a count that was proven is no cap that was met by chance."""
        pulled = self.source.pulled
        if pulled is None:
            return told
        if pulled.complete:
            return [one for one in told if not one.startswith("exactly ")]
        return [f"incomplete: {pulled.reason}", *told]

    def _log(self, result: str, subject: str) -> None:
        """The custody entry of the finished snapshot, with what the operator said of it when it was begun."""
        (said,) = sql.rows(self.db, "SELECT reading, case_number, examiner, note, set_id FROM snapshots WHERE id = ?",
                           (self.number,))
        arguments = {"source": self.source.label, "snapshot": self.number, **json.loads(said[0]),
                     **dict(zip(("case_number", "examiner", "note", "set"), said[1:], strict=True))}
        if self.source.pulled is not None:
            arguments["pulled"] = pulls.told(self.source.pulled)
        custody.add(self.db, "ingest", arguments, result, subject=subject)
