"""A part of a case is made: chosen events with all their records, redacted where that was asked for.

An altered record leaves its bytes and its salt behind; only its place and leaf go along. The new file is
written in one go and packed at the end, so that nothing of what was withheld is left in its free space.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import apsw

from fimforensics import case as cases
from fimforensics import derived, sql
from fimforensics.errors import Problem
from fimforensics.evidence import beside, custody, raw, tree
from fimforensics.evidence.leaves import salt_of
from fimforensics.parts import alter
from fimforensics.parts.alter import Alterations
from fimforensics.parts.pieces import store_pieces
from fimforensics.parts.remains import refuse_remains
from fimforensics.parts.star import Star
from fimforensics.parts.whole import Record, Whole, chosen, records, texts, whole_of
from fimforensics.queries.events import Filter
from fimforensics.settle import Reader, best, relabel

PROOF = 31_250  # hashes of one cell
_TEXT = 500_000  # characters of one cell
Progress = Callable[[str, int, int, int], None]  # what, how much is done, of how much, records


@dataclass(frozen=True)
class Order:
    """What a part is to hold, and why."""

    wanted: Filter
    only: frozenset[int] | None = None  # ids of events
    made: Alterations = field(default_factory=Alterations)
    accept_remains: bool = False
    purpose: str | None = None
    authority: str | None = None
    note: str | None = None


@dataclass
class Counts:
    """What was kept and withheld, for the part's own row."""

    kept_events: int = 0
    withheld_events: int = 0
    kept_records: int = 0
    withheld_records: int = 0
    altered_records: int = 0


def derive(case: Path, new: Path, order: Order, key: bytes, progress: Progress = lambda *_: None) -> Counts:
    """Makes the part `new` of the case; how much was kept and withheld."""
    made = beside.new(new)
    for path in (new, cases.partial(new), beside.seal_file(new)):
        if os.path.lexists(path):
            raise Problem("it is there already", where=str(path), hint="Name a new file; nothing is overwritten")
    with cases.reading(case) as db:
        whole = whole_of(db, case, key)
        ids = chosen(db, order.wanted, order.only)
        order = _with_names(whole, ids, order)
        made.unlink(missing_ok=True)  # left by a stop
        try:
            number, examiner = db.execute("SELECT case_number, examiner FROM case_info").fetchone()
            cases.lay_out(made, None, number, examiner, order.note)
            with cases.change(made) as part:
                counts = _Writing(whole, part, order, progress).write(ids)
                if order.made and not order.accept_remains:
                    refuse_remains(part, _told(whole, ids, order.made), where=str(new))
                _pack(part)
            os.rename(made, new)
            cases.sync_folder(new)
        except (OSError, apsw.Error) as error:
            raise Problem(f"cannot be written ({getattr(error, 'strerror', None) or error})", where=str(new),
                          hint="Name a new file in a folder that is there and has room") from None
        finally:
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)
    return counts


def _with_names(whole: Whole, ids: Sequence[int], order: Order) -> Order:
    """The order with a pseudonym for every name in the chosen events."""
    made = order.made
    if not made.pseudonyms:
        return order
    names = {(column, value) for column, value in texts(whole, ids, made.pseudonyms) if value}
    return replace(order, made=alter.with_names(made, names))


def _told(whole: Whole, ids: Sequence[int], made: Alterations) -> set[str]:
    """All text that must not be in the part any more."""
    return {value for _, value in texts(whole, ids, [one.column for one in made.redactions])} | set(made.names)


def recount(part: apsw.Connection) -> None:
    """Brings what `snapshots` says of records to what the case holds."""
    part.execute(
        "UPDATE snapshots SET (records, new_events, first_seq, first_time, last_time) = (SELECT count(*), "
        "count(*) FILTER (WHERE o.seq = (SELECT min(f.seq) FROM occurrences f WHERE f.event_id = o.event_id)), "
        "min(o.seq), min(e.time), max(e.time) FROM occurrences o JOIN events e ON e.id = o.event_id "
        "WHERE o.snapshot_id = snapshots.id), rejects = 0, resume = NULL")
    part.execute("UPDATE snapshots SET known_events = records - new_events")


class _Writing:
    """The writing of one part."""

    def __init__(self, whole: Whole, part: apsw.Connection, order: Order, progress: Progress) -> None:
        self.whole, self.part, self.order, self.progress = whole, part, order, progress
        self.reader, self.data_of = Reader(whole.db), raw.Bytes(whole.db)
        self.kept: dict[int, tuple[Record, list[int]]] = {}  # by seq; bytes and row are dropped where they are not needed

    def write(self, ids: Sequence[int]) -> Counts:
        """Everything, in one transaction."""
        part = self.part
        part.execute("BEGIN IMMEDIATE")
        star = Star(part)
        for at, event in enumerate(ids):
            self._event(star, event)
            if at % 256 == 0:
                self.progress("events", at, len(ids), len(self.kept))
        star.done()
        relabel(part)
        counts = self._counts(len(ids))
        self._sources()
        self._proof(counts)
        self._log(counts)
        part.execute("COMMIT")
        derived.refresh(part)
        return counts

    def _event(self, star: Star, event: int) -> None:
        whole, made = self.whole, self.order.made
        found = records(whole, self.reader, self.data_of, event)
        touched = {record.where.seq: alter.altered(record.row, made)[1] for record in found}
        told = found[0].row if len(found) == 1 else best([record.row for record in found])
        row, changed = alter.altered(told, made)
        key, ordinal, own = whole.db.execute(
            "SELECT e.match_key, e.ordinal, CASE WHEN s.partial_columns THEN s.sha256 END FROM events e "
            "JOIN snapshots s ON s.id = ? WHERE e.id = ?",
            (found[0].where.snapshot, event)).fetchone()
        star.add(event, row, ordinal, bool(changed), own if own and key != star.plain_key(told) else None)
        for record in found:
            where, numbers = record.where, touched[record.where.seq]
            salt = None if numbers else salt_of(whole.key, where.seq)
            self.part.execute("INSERT INTO occurrences VALUES (?, ?, ?, ?, ?, ?, ?)",
                              (where.seq, event, where.snapshot, where.member_id, where.offset, where.length, record.item))
            self.part.execute("INSERT INTO part_records VALUES (?, ?, ?, ?)",
                              (where.seq, record.member, salt, json.dumps(numbers) if numbers else None))
            self.kept[where.seq] = (Record(where, record.member, None, b"" if numbers else record.data, []), numbers)

    def _counts(self, events_kept: int) -> Counts:
        total = sql.cell(self.whole.db, "SELECT count(*) FROM events WHERE id < (SELECT events_end FROM case_info)")
        return Counts(events_kept, total - events_kept, len(self.kept), len(self.whole.leaves) - len(self.kept),
                      sum(1 for _, numbers in self.kept.values() if numbers))

    def _sources(self) -> None:
        """Snapshots, members, preambles, and the bytes of the records that are as they were."""
        whole, part = self.whole.db, self.part
        places = [record.where for record, _ in self.kept.values()]
        members = {where.member_id for where in places} | {where.header.get("cache_of", where.member_id) for where in places}
        for table, ids in (("snapshots", {where.snapshot for where in places}), ("members", members)):
            for number in sorted(ids):
                cells = whole.execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone()
                part.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(cells))})", cells)
        for number in sorted(members):
            for cells in whole.execute("SELECT * FROM preambles WHERE member_id = ? ORDER BY id", (number,)):
                part.execute("INSERT INTO preambles VALUES (?, ?, ?, ?, ?)", cells)
        store_pieces(whole, part, [(record.where, record.data) for record, numbers in self.kept.values() if not numbers])
        self._recount()

    def _recount(self) -> None:
        """What a snapshot says of its records is true of the part; what the whole has stands in `part_snapshots`."""
        part, whole = self.part, self.whole.db
        for number, told, rejects in whole.execute("SELECT id, records, rejects FROM snapshots ORDER BY id").fetchall():
            own = [(seq, numbers) for seq, (record, numbers) in self.kept.items() if record.where.snapshot == number]
            if own:
                part.execute("INSERT INTO part_snapshots VALUES (?, ?, ?, ?, ?)", (
                    number, told, rejects, len(own), sum(1 for _, numbers in own if numbers)))
        recount(part)

    def _proof(self, counts: Counts) -> None:
        """The leaves that go along, the way from them to the whole's root, and the part's own row."""
        whole, part, seqs = self.whole, self.part, sorted(self.kept)
        runs: list[list[int]] = []
        for seq in seqs:
            if runs and runs[-1][-1] == seq - 1 and len(runs[-1]) < PROOF:
                runs[-1].append(seq)
            else:
                runs.append([seq])
        part.cursor().executemany("INSERT INTO leaves VALUES (?, ?)",
                                  ((run[0], b"".join(whole.leaves[seq - 1] for seq in run)) for run in runs))
        proof = tree.multiproof(whole.leaves, [seq - 1 for seq in seqs])
        part.cursor().executemany("INSERT INTO part_proof (hashes) VALUES (?)",
                                  ((b"".join(proof[at:at + PROOF]),) for at in range(0, len(proof), PROOF)))
        said = {name: value for name, value in asdict(self.order.wanted).items() if value is not None}
        if self.order.only is not None:
            said["events"] = sorted(self.order.only)
        parent = sql.cell(whole.db, "SELECT case_id FROM case_info")
        part.execute(f"INSERT INTO part VALUES ({', '.join('?' * 14)})", (
            1, custody.now(), parent, whole.root, len(whole.leaves), whole.file_sha256,
            sha256(whole.statement.encode()).hexdigest() if whole.statement else None, whole.signature,
            json.dumps(said, sort_keys=True, ensure_ascii=False), counts.kept_events, counts.withheld_events,
            counts.kept_records, counts.withheld_records, counts.altered_records))
        part.cursor().executemany("INSERT INTO part_statement (text) VALUES (?)", (
            (whole.statement[at:at + _TEXT],) for at in range(0, len(whole.statement or ""), _TEXT)) if whole.statement else ())
        digest = sha256(f"part\n{whole.root}\n".encode() + b"".join(whole.leaves[seq - 1] for seq in seqs)).hexdigest()
        part.execute("UPDATE case_info SET evidence_digest = ?, events_end = (SELECT max(id) + 1 FROM events)", (digest,))

    def _log(self, counts: Counts) -> None:
        """The redaction log, and the first entry of the part's custody log."""
        order, made, now = self.order, self.order.made, custody.now()
        rules: list[tuple[str, str, str | None, str | None]] = [
            (one.column, "redacted", one.code, one.basis) for one in made.redactions]
        rules += [(column, "pseudonym", None, order.authority) for column in made.pseudonyms]
        rules += [("*", "pseudonym", None, order.authority)] if made.pseudonyms else []
        for number, rule in enumerate(rules, 1):
            touched = sum(1 for _, numbers in self.kept.values() if number in numbers)
            self.part.execute("INSERT INTO redactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                              (number, *rule, touched, custody.actor(), now))
        custody.add(self.part, "derive", {
            "parent": self.whole.path.name, "parent_root": self.whole.root, "parent_file_sha256": self.whole.file_sha256,
            "parent_sealed": self.whole.statement is not None, "authority": order.authority, **asdict(counts)},
            f"a part: {counts.kept_events} events kept, {counts.withheld_events} withheld; {counts.kept_records} records kept, "
            f"{counts.withheld_records} withheld, {counts.altered_records} altered", purpose=order.purpose,
            subject=self.whole.file_sha256)


def _pack(part: apsw.Connection) -> None:
    """Writes the file anew, so that no page holds what a table no longer does."""
    part.limit(apsw.SQLITE_LIMIT_ATTACHED, 1)  # VACUUM attaches the new file to itself
    part.execute("VACUUM")
