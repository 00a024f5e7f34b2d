"""The reading of one member of a source: recognised, its records made rows, by the batch.

Records come from the member's shape one by one; lines of JSON that are all laid out alike go the quick way of
`fimforensics.segments`, which gives the same. Messages are told in `fimforensics.pipeline`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import BinaryIO

import zstandard

from fimforensics.blocks import Entities
from fimforensics.errors import Problem, Refused
from fimforensics.evidence.leaves import NO_ROW, leaves_of
from fimforensics.evidence.originals import Chunk, Chunker, Hashes, Tee
from fimforensics.lanes import Lanes
from fimforensics.model import CHUNK, MDC, Opened, Record
from fimforensics.months import proven
from fimforensics.native import native
from fimforensics.rows import LARGE, Builder, check_size
from fimforensics.shapes import jsonl, open_member
from fimforensics.shapes.containers import Member
from fimforensics.tables import fold_columns, identify
from fimforensics.task import ORIGINAL, Batch, Task, View, cells_of, chunked, mapping

CUT = 900_000
# Columns that the storage of a row adds: no table is told by them.
_UNTOLD = frozenset(("TableName",))


class MemberReading:
    """The reading of one member."""

    def __init__(self, task: Task, member: Member, number: int, plain: Chunker | None, entities: Entities,
                 found: dict) -> None:
        self.task, self.member, self.number, self.entities, self.found = task, member, number, entities, found
        self.where = task.label + (f" ({member.name})" if member.name else "")
        self.chunker = plain or Chunker(None)
        self.cached = plain is None
        self.target = number if self.cached else ORIGINAL
        self.builders: dict[object, Builder] = {}
        self.batch = Batch()
        self.announcement: tuple | None = None
        self.announced = False
        self.leaf = leaves_of(task.case_key, task.snapshot, number)
        self.lanes = Lanes(native, task, number)
        self.broken: str | None = None  # why the last record cannot be read
        self.rendered: list[bytes] = []
        self.rendered_from, self.rendered_bytes = 0, 0

    def _open(self) -> Opened:
        """Opened with its bytes going to the chunker; day and month in figures are settled before the first record is read."""
        def tee() -> BinaryIO:
            return Tee(self.member.open(), self.chunker)  # type: ignore[return-value]

        view = View(self.member.name, self.member.compressed, tee)
        reading = self.task.reading
        try:
            opened = open_member(view, reading)  # type: ignore[arg-type]
            if opened.text and reading.date_order is None:
                reading = proven(open_member(self.member, reading), reading, self.where)
        except (Refused, Problem) as problem:
            raise type(problem)(problem.what, where=problem.where or self.where, hint=problem.hint) from None
        self.reading = reading
        return opened

    def _builder(self, opened: Opened, record: Record, told: object) -> Builder:
        """The builder for records that say they are of table `told`; one for each that occurs."""
        values = record.values or {}
        columns = opened.columns if opened.columns is not None else tuple(values)
        table = identify([name for name in columns if name not in _UNTOLD], told if isinstance(told, str) else opened.table)
        apart = None
        names = fold_columns(columns)
        if opened.columns is not None:
            lacking = table.lacking([names.get(name, name) for name in columns])
            self.found["missing"] |= set(lacking)
            if lacking:
                self.found["apart"] = True
                apart = _sha256(self.task.path)
        if table.name not in self.found["tables"]:
            self.found["tables"].append(table.name)
        return Builder(cells_of(table, columns, opened.zones, self.reading), self.entities, none_is_null=opened.none,
                       apart=apart, map_values=mapping(table, columns if opened.columns is not None else None))

    def messages(self) -> Iterator[tuple]:
        """The member's messages."""
        opened = self._open()
        if opened.columns is not None:
            self.found["columns"] |= set(opened.columns)
        self.found["shapes"].append(opened.shape)
        if opened.arrays and native is not None:
            self.lanes.row, opened.taker = opened.columns, self._take_rows
        try:
            if isinstance(opened.records, jsonl.Lines):
                yield from self._lines(opened, opened.records)
            else:
                yield from self._records(opened, opened.records)
        except Refused:
            raise
        except Problem as problem:  # a compressed source that is cut or damaged: what came before that is kept
            if not self.announced:
                raise Refused(problem.what, where=self.where, hint=problem.hint) from None
            opened.partial = opened.partial or problem.what
        if not self.announced:
            yield self._announce(opened)
        if opened.partial or self.broken:
            self.found["partial"].append(opened.partial or f"its last record cannot be read: {self.broken}")
        self._drain(opened)
        yield from self._flush(last=True)

    def _records(self, opened: Opened, records: Iterator[Record]) -> Iterator[tuple]:
        full = 32 * (self.task.batch if opened.rendered else self.task.at_once)  # where its cells are cut depends on it
        for record in records:
            self._take(opened, record)
            if self.announcement is not None:
                yield self.announcement
                self.announcement = None
            if len(self.batch.leaves) >= full:
                yield from self._flush()

    def _lines(self, opened: Opened, records: jsonl.Lines) -> Iterator[tuple]:
        """Lines that a lane knows go through it, the others are read by their shape."""
        full = 32 * self.task.at_once
        for offset, block in records.blocks():
            at = 0
            while at < len(block):
                if self.lanes.swift is not None and self.found["records"] >= self.task.skip:
                    at, strange = self._swiftly(offset, block, at, self.task.at_once - len(self.batch.leaves) // 32)
                else:
                    strange = True
                if strange:
                    end = block.find(b"\n", at)
                    line = block[at:] if end < 0 else block[at:end]
                    yield from self._line(opened, offset + at, line)
                    at += len(line) + 1
                if len(self.batch.leaves) >= full:
                    yield from self._flush()

    def _take_rows(self, data: bytes, at: int, offset: int, between: bytes) -> int:
        """Rows of an answer through the compiled lane, but for the last of a batch: where it stopped."""
        if self.lanes.swift is not None and self.found["records"] >= self.task.skip:
            while data[at:at + 1] == b"[" and (most := self.task.at_once - len(self.batch.leaves) // 32 - 1) > 0:
                at, strange = self._swiftly(offset, data, at, most, between[1:-1])
                if strange:
                    break
                self.lanes.strange = 0
        return at

    def _swiftly(self, offset: int, block: bytes, at: int, most: int, gap: bytes = b"") -> tuple[int, bool]:
        """Records of a block through the compiled lane: where the next one begins, and whether that is for another way."""
        found, chunker, batch = self.found, self.chunker, self.batch
        if offset + at - chunker.base > CUT:
            chunker.cut(offset + at)
        seq = self.task.first_seq + found["records"]
        at, count, strange, packed, first, last = self.lanes.swift.read(block, at, offset + at, chunker.base + CUT, seq, most,
                                                                        batch.leaves, gap)
        if count:
            batch.packed(packed, seq, first, last)
            found["records"] += count
            self.broken = None
        return at, strange

    def _line(self, opened: Opened, offset: int, line: bytes) -> Iterator[tuple]:
        """One line, through the lane or by its shape."""
        found, task = self.found, self.task
        lane = self.lanes.lane
        built = lane.read(line) if lane is not None and len(line) <= LARGE else None
        if built is None or found["records"] < task.skip:
            yield from self._records(opened, jsonl.records(offset, line))
            return
        number = found["records"]
        found["records"] = number + 1
        self.broken = None
        if offset - self.chunker.base > CUT:
            self.chunker.cut(offset)
        key, row_hash, event = built
        self._add(task.first_seq + number, offset, line, key, row_hash, event, None, len(line))

    def _add(self, seq: int, offset: int, raw: bytes, key: bytes, row_hash: bytes, event: tuple, item: str | None,
             length: int) -> None:
        """An event into the batch."""
        self.batch.add(event, key, row_hash[:8], (seq, offset, length, item))
        self.batch.leaves += self.leaf(seq, offset, length, raw, row_hash)

    def _announce(self, opened: Opened) -> tuple:
        header = {"columns": opened.columns, "zones": opened.zones, "text": opened.text, "none": opened.none,
                  "rendered": opened.rendered, "encoding": opened.encoding, "delimiter": opened.delimiter,
                  "reading": asdict(self.reading)}
        table = self.found["tables"][-1] if self.found["tables"] else opened.table or MDC
        return ("member", self.number, self.member.name, opened.shape, table, int(self.cached),
                json.dumps(header, sort_keys=True),
                [(preamble.kind, preamble.offset, preamble.length) for preamble in opened.preambles])

    def _take(self, opened: Opened, record: Record) -> None:
        """One record into the batch, as an event or as a reject."""
        found, values = self.found, record.values
        told = values.get("Type") if values is not None else None
        if type(told) is not str:
            told = None
        if values is not None and told not in self.builders:
            if opened.columns is None:
                found["columns"] |= set(values)
            try:
                self.builders[told] = self._builder(opened, record, told)
            except Refused as problem:
                if not self.announced:
                    raise Refused(problem.what, where=self.where, hint=problem.hint) from None
                record = record._replace(values=None, problem=problem.what)
        if not self.announced:
            self.announced, self.announcement = True, self._announce(opened)
        number = found["records"]
        found["records"] = number + 1
        self.broken = record.problem
        if opened.rendered:
            self._render(record)
        elif record.offset - self.chunker.base > CUT:
            self.chunker.cut(record.offset)
        if number >= self.task.skip:
            self._enter(number, record, told)

    def _enter(self, number: int, record: Record, told: str | None) -> None:
        seq, problem = self.task.first_seq + number, record.problem
        if record.values is not None:
            try:
                row, key, row_hash, event, item = self.builders[told].build(record.values)
                if len(record.raw) > LARGE:
                    check_size(row)
            except ValueError as error:
                problem = str(error)
                if "no time zone stated" in problem and number == 0:
                    hint = "Say --timezone with the zone that the browser or machine had (an IANA name, UTC, or +02:00)"
                    raise Refused(f"its times carry no zone ({problem})", where=self.where, hint=hint) from None
            else:
                self._add(seq, record.offset, record.raw, key, row_hash, event, item, record.length)
                self.lanes.learn(record.values, told, self.builders[told])
        if problem is not None:
            self.batch.rejects.append((seq, number + 1, record.offset, record.length, problem))
            self.batch.leaves += self.leaf(seq, record.offset, record.length, record.raw, NO_ROW)

    def _render(self, record: Record) -> None:
        if not self.rendered:
            self.rendered_from = record.offset
        # rows that are no records keep their places, so that a record is found by its row's number
        self.rendered.extend([b""] * (record.offset - self.rendered_from - len(self.rendered)))
        self.rendered.append(record.raw)
        self.rendered_bytes += len(record.raw) + 1

    def _flush(self, last: bool = False) -> Iterator[tuple]:
        if self.rendered and (last or self.rendered_bytes > CUT):
            data = b"\n".join(self.rendered)
            yield "chunks", self.number, [tuple(Chunk(self.rendered_from, len(self.rendered), "zstd",
                                                      zstandard.ZstdCompressor(level=1).compress(data), None))]
            self.rendered, self.rendered_bytes = [], 0
        yield from chunked(self.target, self.chunker, self.task)
        batch, found = self.batch, self.found
        if batch.leaves:
            self.batch = Batch()
            if batch.times:
                found["first"] = min(filter(None, (found["first"], *batch.times)))
                found["last"] = max(filter(None, (found["last"], *batch.times)))
            yield ("rows", self.number, found["records"], self.entities.take(), batch.runs, batch.rejects, bytes(batch.leaves),
                   found["first"], found["last"])

    def _drain(self, opened: Opened) -> None:
        """What the shape left unread still belongs to the original."""
        if opened.rendered and self.cached:
            return
        with self.member.open() if self.member.compressed else open(self.task.path, "rb") as stream, contextlib.suppress(Problem):
            at = 0 if self.member.compressed else stream.seek(self.chunker.seen)
            while data := stream.read(CHUNK):
                if at + len(data) > self.chunker.seen:
                    self.chunker.feed(at, data)
                    if self.chunker.seen - self.chunker.base > CUT:
                        self.chunker.cut(self.chunker.seen)
                at += len(data)
        self.chunker.cut(self.chunker.seen)


def _sha256(path: str) -> str:
    hashes = Hashes()
    with open(path, "rb") as stream:
        while data := stream.read(CHUNK):
            hashes.update(data)
    return hashes.digests()[0]
