"""What was done to a case, out of the case: its sources in order, and the replays between them, to be repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import apsw

from fimforensics import sql
from fimforensics.evidence.verify.report import Difference
from fimforensics.model import Reading

_SNAPSHOTS = ("SELECT id, set_id, source, reading, first_seq, acquired, tool, case_number, examiner, note, size, sha256, sha1, "
              "md5, records FROM given.snapshots WHERE state = 'finished' ORDER BY id")
_REPLAYED = ("SELECT r.replayed_as, r.snapshot_id, r.record, m.header FROM given.rejects r "
             "JOIN given.occurrences o ON o.seq = r.replayed_as JOIN given.members m ON m.id = o.member_id ORDER BY 1")
_LINKS = ("SELECT r.seq, r.replayed_as, o.member_id, o.seq IS NOT NULL FROM given.rejects r "
          "LEFT JOIN given.occurrences o ON o.seq = r.replayed_as LEFT JOIN given.members m ON m.id = o.member_id "
          "WHERE r.replayed_as IS NOT NULL AND m.id IS NULL")
# Records that a replay made of rejects, and the rejects that say that they became none.
_REMADE = ("SELECT o.snapshot_id, m.name, o.offset FROM given.members m CROSS JOIN given.occurrences o ON o.member_id = m.id "
           "WHERE m.header LIKE '%\"cache_of\"%'")
_SILENT = ("SELECT r.seq, r.snapshot_id, m.name, r.offset FROM given.rejects r JOIN given.members m ON m.id = r.member_id "
           "WHERE r.replayed_as IS NULL ORDER BY 1")
_LONGEST = 1 << 16  # characters of a source's name


@dataclass(frozen=True)
class Taken:
    """One source as it was taken."""

    number: int
    set_id: int
    source: str
    reading: Reading
    first_seq: int
    told: tuple  # acquired, tool, case number, examiner, note: nothing can derive them
    hashes: tuple  # size, SHA-256, SHA-1, MD5
    records: int | None = field(compare=False)  # as the case says: it only sizes what is kept in memory


@dataclass(frozen=True)
class Replayed:
    """Rejects that became events by one replay: (snapshot, number of the record) of each."""

    reading: Reading
    records: frozenset[tuple[int, int]]


def of(db: apsw.Connection) -> list[Taken | Replayed]:
    """The history of the case attached as `given`, in order."""
    taken = [Taken(number, set_id, source, Reading(**json.loads(reading)), first_seq, tuple(rest[:5]), tuple(rest[5:9]),
                   rest[9] if isinstance(rest[9], int) and rest[9] >= 0 else None)
             for number, set_id, source, reading, first_seq, *rest in db.execute(_SNAPSHOTS)]
    found: list[Taken | Replayed] = []
    replays = list(_replays(db))
    for one in taken:
        while replays and replays[0][0] < one.first_seq:
            found.append(replays.pop(0)[1])
        found.append(one)
    return found + [replayed for _, replayed in replays]


def _replays(db: apsw.Connection) -> Iterator[tuple[int, Replayed]]:
    """Each replay with the seq of its first record; where two followed each other, the custody log tells them apart."""
    begins = [seq for (seq,) in db.execute("SELECT first_seq FROM given.snapshots WHERE state = 'finished' ORDER BY id")]
    rows = sql.rows(db, _REPLAYED)
    counts = [count for count in map(_made, db.execute(
        "SELECT result FROM given.custody_log WHERE action = 'replay' ORDER BY id")) if count]
    ends, total = set(), 0
    for count in counts if sum(counts) == len(rows) else []:
        total += count
        ends.add(total)
    held: list[tuple[int, int, int]] = []
    before: Any = None
    for at, (seq, snapshot, record, header) in enumerate(rows):
        reading = Reading(**json.loads(header)["reading"])
        part = reading, sum(begin < seq for begin in begins)
        if held and (part != before or at in ends):
            yield held[0][0], Replayed(before[0], frozenset((one, other) for _, one, other in held))
            held = []
        held.append((seq, snapshot, record))
        before = part
    if held:
        yield held[0][0], Replayed(before[0], frozenset((one, other) for _, one, other in held))


def _made(row: tuple) -> int:
    """How many events a replay made, by its entry in the custody log."""
    try:
        return int(str(row[0]).split("tried again, ")[1].split()[0])
    except (IndexError, ValueError):
        return 0


def unlinked(db: apsw.Connection) -> Iterator[Difference]:
    """Replayed rejects and the records they became name each other; where one is missing, the replay cannot be repeated."""
    for reject, seq, member, found in sql.rows(db, _LINKS + " ORDER BY 1"):
        if found:
            yield Difference("records", f"the row is missing: reject {reject} became a record of it", "members", member)
        else:
            yield Difference("records", f"the row is missing: reject {reject} became this record", "occurrences", seq)
    remade = set(sql.rows(db, _REMADE))
    for reject, *place in db.execute(_SILENT) if remade else ():
        if tuple(place) in remade:
            yield Difference("records", "a replay made a record of it, and it does not say so", "rejects", reject, "replayed_as")


def misnumbered(history: list[Taken | Replayed]) -> Iterator[Difference]:
    """Snapshots are numbered without a gap, and named as a source can be."""
    for at, one in enumerate((one for one in history if isinstance(one, Taken)), 1):
        if one.number != at:
            yield Difference("records", f"snapshot number {at} has the id {one.number}", "snapshots", one.number, "id")
        if len(one.source) > _LONGEST:
            yield Difference("records", "no source has so long a name", "snapshots", one.number, "source")
