"""What steps in the graph are made of: visits, moves, offers, and the questions that both directions ask.

A visit is a thing at a moment; a move is a step from one visit to another, told by the relation it is. Backward nothing is
later than the visit, forward nothing earlier, and what a file was at another time does not count: its version's life bounds
the reading. Every question goes through an index and fetches at most so many, those nearest in time first. An offer holds
the rows that it fetched; the moves they stand for, which cost more questions, are made of those only that are wanted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fimforensics.queries import trace_moments as moments
from fimforensics.queries.entities import same_content
from fimforensics.queries.trace_moments import ALL_TIME, Life

CHANGES = ("created", "deleted", "modified", "renamed", "set")
THINGS = ("file", "registry value")
COUNTED = 10_000  # beyond that "more than"
SCANNED = 1_000  # relations that began before a moment, looked through for those that go on after it
ARRIVALS = 8  # of one content in one file
Key = tuple[str, int]


class Visit(NamedTuple):
    """A thing at a moment; `version` where it is known which one of a file or value; `whole` where no moment was asked about.

    `through` is by what a process was reached: forward the account or address for which it acted, so that only what it did for
    that one follows; backward the file or value that it changed, so that only those lead there for whom it did.
    """

    kind: str
    id: int
    time: str
    version: int | None = None
    whole: bool = False
    through: Key | None = None

    @property
    def key(self) -> Key:
        """The thing alone."""
        return self.kind, self.id


class Move(NamedTuple):
    """A step: subject, relation, object as the graph has them; when it happened, and the time of the event it stands on.

    `to` is the visit it leads to, in the direction of the asker; `events` how many events the relation rolls up.
    """

    subject: Key
    relation: str
    object: Key
    time: str
    seen: str
    to: Visit
    events: int
    basis: str | None = None
    event: int | None = None


class Row(NamedTuple):
    """A row of `relations`."""

    subject_kind: str
    subject_id: int
    relation: str
    object_kind: str
    object_id: int
    basis: str | None
    events: int
    first: str
    last: str

    @property
    def subject(self) -> Key:
        """The one end."""
        return self.subject_kind, self.subject_id

    @property
    def object(self) -> Key:
        """The other end."""
        return self.object_kind, self.object_id


class Some(NamedTuple):
    """What moves can be made of: to which thing they lead, and a time that none of them is nearer to the visit than."""

    key: Key
    near: str
    of: Any


@dataclass(frozen=True)
class Offer:
    """The steps of one relation from one visit, the nearest first: `make` gives the moves of one of `some`, it may be none.

    `fan` is how many such steps there are (at most COUNTED + 1). Where only the index was asked, `load` fetches `some`: then
    there are moves for sure, none nearer than `near`, and they lead to files and registry values, or to processes only.
    """

    relation: str
    fan: int
    some: list[Some]
    make: Callable[[Any], Iterable[Move]]
    near: str = ""
    load: Callable[[], list[Some]] | None = None

    def loaded(self) -> Offer:
        """The same with what it is made of."""
        return self if self.load is None else replace(self, some=self.load(), load=None)

    def moves(self) -> Iterator[Move]:
        """All of them."""
        return (move for one in self.loaded().some for move in self.make(one.of))


@dataclass(frozen=True)
class Asked:
    """A case, and what a search has asked of it already, so that it is asked once."""

    db: sqlite3.Connection
    lives: dict[Visit, Life] = field(default_factory=dict)
    contents: dict[int, list[int]] = field(default_factory=dict)
    asking: dict[tuple, list[Row]] = field(default_factory=dict)

    def life(self, visit: Visit) -> Life:
        """The versions that a visit is about."""
        found = self.lives.get(visit)
        if found is None:
            found = self.lives[visit] = (moments.whole(self.db, visit.kind, visit.id) if visit.whole else
                                         moments.life(self.db, visit.kind, visit.id, visit.time, visit.version))
        return found

    def requests(self, visit: Visit) -> list[Row]:
        """Relations of the accounts and addresses for which a process made the change through which it was reached."""
        all_of = self.asking.get(visit.key)
        if all_of is None:
            found = rows_of(self.db, "object", visit.key, ("acted through",), ">=", "", SCANNED)
            all_of = self.asking[visit.key] = found.get("acted through", ([], 0))[0]
        if not all_of or visit.through is None:
            return all_of
        asked = (visit.key, visit.through, visit.time)
        if asked not in self.asking:
            keys = moments.requesters(self.db, visit.id, visit.through, None if visit.whole else visit.time)
            self.asking[asked] = [row for row in all_of if (row.subject if row.subject_kind == "account" else (
                "address", moments.address(self.db, row.subject_id))) in keys]
        return self.asking[asked]

    def same(self, content: int) -> list[int]:
        """The rows of `contents` that are this content."""
        found = self.contents.get(content)
        if found is None:
            found = self.contents[content] = same_content(self.db, content)
        return found


def move_of(row: Row, time: str, seen: str, to: Visit) -> Move:
    """The move that a row of `relations` tells."""
    return Move(row.subject, row.relation, row.object, time, seen, to, row.events, row.basis)


def given(relation: str, moves: Sequence[Move]) -> Offer:
    """An offer of moves that are made already."""
    return Offer(relation, len(moves), [Some(move.to.key, move.time, move) for move in moves], lambda move: (move,))


def start(kind: str, number: int, back: bool) -> Visit:
    """The visit of a thing when no moment is asked about: all its time."""
    return Visit(kind, number, ALL_TIME if back else "", None, True)


def rows_of(db: sqlite3.Connection, end: str, key: Key, relations: Sequence[str], edge: str, time: str, most: int
            ) -> dict[str, tuple[list[Row], int]]:
    """Rows of relations at one end that begin before (`<`, `<=`) or after (`>=`) a moment, the nearest first; and how many."""
    order, where = "DESC" if edge[0] == "<" else "ASC", f"{end}_kind = ?1 AND {end}_id = ?2 AND first {edge} ?3 AND relation"
    source = f"FROM relations INDEXED BY relations_{end} WHERE {where}"
    sql = " UNION ALL ".join(f"SELECT * FROM (SELECT {_COLUMNS} {source} = '{relation}' ORDER BY first {order} LIMIT {most})"
                             for relation in relations)
    found: dict[str, list[Row]] = {}
    for row in db.execute(sql, (*key, time)):
        found.setdefault(row[2], []).append(Row._make(row))
    return {relation: (rows, len(rows) if len(rows) < most else db.execute(
        f"SELECT count(*) FROM (SELECT 1 {source} = '{relation}' LIMIT {COUNTED + 1})", (*key, time)).fetchone()[0])
        for relation, rows in found.items()}


def counts_of(db: sqlite3.Connection, key: Key, relations: Sequence[str], time: str) -> dict[str, tuple[int, str]]:
    """How many relations a thing begins at or after a moment, and when the first of them: told by the index alone."""
    sql = " UNION ALL ".join(
        f"SELECT '{relation}', count(*), min(first) FROM (SELECT first FROM relations INDEXED BY relations_subject WHERE "
        f"subject_kind = ?1 AND subject_id = ?2 AND relation = '{relation}' AND first >= ?3 ORDER BY first LIMIT {COUNTED + 1})"
        for relation in relations)
    return {relation: (fan, near) for relation, fan, near in db.execute(sql, (*key, time)) if fan}


def going_on(db: sqlite3.Connection, end: str, key: Key, relations: Sequence[str], time: str) -> dict[str, list[Row]]:
    """Rows of relations that began before a moment and go on at or after it; looks at SCANNED of each."""
    sql = " UNION ALL ".join(
        f"SELECT * FROM (SELECT * FROM (SELECT {_COLUMNS} FROM relations INDEXED BY relations_{end} WHERE {end}_kind = ?1 "
        f"AND {end}_id = ?2 AND relation = '{relation}' AND first < ?3 ORDER BY first DESC LIMIT {SCANNED}) WHERE last >= ?3)"
        for relation in relations)
    found: dict[str, list[Row]] = {}
    for row in db.execute(sql, (*key, time)):
        found.setdefault(row[2], []).append(Row._make(row))
    return found


_COLUMNS = "subject_kind, subject_id, relation, object_kind, object_id, basis, events, first, last"


def holders(asked: Asked, same: list[int], edge: str, time: str, most: int) -> tuple[list[Row], int]:
    """The relations of the files that had the content, one of each file, and how many there are."""
    files: dict[int, Row] = {}
    twice = fan = 0
    for one in same:
        rows, more = rows_of(asked.db, "object", ("content", one), ("had",), edge, time, most).get("had", ([], 0))
        twice, fan = twice + len(rows), fan + more
        for row in rows:
            files.setdefault(row.subject_id, row)
    return list(files.values()), min(fan - twice + len(files), COUNTED + 1)


def held(db: sqlite3.Connection, visit: Visit, row: Row, same: list[int], back: bool) -> Iterator[Move]:
    """The steps to a holder of the content: at the begins of its versions that had it, the nearest to the moment first."""
    edge, order = ("<=", "DESC") if back else (">=", "")
    known = db.execute(
        "SELECT id, since FROM (SELECT id, since, content_id FROM file_versions INDEXED BY file_versions_file WHERE file_id = ? "
        f"AND since {edge} ? ORDER BY since {order}, id {order} LIMIT {moments.ROWS}) WHERE content_id IN "
        f"({', '.join('?' * len(same))}) LIMIT {ARRIVALS}", (row.subject_id, visit.time, *same)).fetchall()
    for number, time in known or [(None, row.first)]:
        if back or time >= visit.time:  # a file that had it all along did not get it from here
            yield move_of(row, time, time, Visit(*row.subject, time, number))
