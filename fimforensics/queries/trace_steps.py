"""What steps in the graph are made of: visits, moves, and the questions that both directions ask.

A visit is a thing at a moment; a move is a step from one visit to another, told by the relation it is. Backward nothing is
later than the visit, forward nothing earlier, and what a file was at another time does not count: its version's life bounds
the reading. Every question goes through an index and fetches at most so many, those nearest in time first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fimforensics.queries import trace_moments as moments
from fimforensics.queries.trace_moments import ALL_TIME, Life

CHANGES = ("created", "deleted", "modified", "renamed", "set")
THINGS = ("file", "registry value")
COUNTED = 10_000  # beyond that "more than"
ARRIVALS = 8  # of one content in one file
Key = tuple[str, int]


@dataclass(frozen=True)
class Visit:
    """A thing at a moment; `version` where it is known which one of a file or value; `whole` where no moment was asked about."""

    kind: str
    id: int
    time: str
    version: int | None = None
    whole: bool = False

    @property
    def key(self) -> Key:
        """The thing alone."""
        return self.kind, self.id


@dataclass(frozen=True)
class Move:
    """A step: subject, relation, object as the graph has them; when it happened, and the time of the event it stands on.

    `to` is the visit it leads to, in the direction of the asker; `fan` how many such steps there are from where it starts (at
    most COUNTED + 1), `events` how many events the relation rolls up.
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
    fan: int = 0


class Row(NamedTuple):
    """A row of `relations`."""

    subject: Key
    relation: str
    object: Key
    basis: str | None
    events: int
    first: str
    last: str


def move_of(row: Row, time: str, seen: str, to: Visit, fan: int) -> Move:
    """The move that a row of `relations` tells."""
    return Move(row.subject, row.relation, row.object, time, seen, to, row.events, row.basis, None, max(fan, 1))


def start(kind: str, number: int, back: bool) -> Visit:
    """The visit of a thing when no moment is asked about: all its time."""
    return Visit(kind, number, ALL_TIME if back else "", None, True)


def rows_of(db: sqlite3.Connection, end: str, keys: list[Key], relation: str, where: str, values: tuple, order: str, most: int
          ) -> tuple[list[Row], int]:
    """Rows of a relation at one end, and how many there are (at most COUNTED + 1)."""
    rows, fan = [], 0
    for kind, number in keys:
        source = f"FROM relations INDEXED BY relations_{end} WHERE {end}_kind = ? AND {end}_id = ? AND relation = ? AND {where}"
        here = db.execute("SELECT subject_kind, subject_id, relation, object_kind, object_id, basis, events, first, last "
                          f"{source} ORDER BY first {order} LIMIT {most}", (kind, number, relation, *values)).fetchall()
        rows += [Row((row[0], row[1]), row[2], (row[3], row[4]), *row[5:]) for row in here]
        fan += len(here) if len(here) < most else db.execute(
            f"SELECT count(*) FROM (SELECT 1 {source} LIMIT {COUNTED + 1})", (kind, number, relation, *values)).fetchone()[0]
    return rows, min(fan, COUNTED + 1)


def life_of(db: sqlite3.Connection, visit: Visit) -> Life:
    """The versions that a visit is about."""
    if visit.whole:
        return moments.whole(db, visit.kind, visit.id)
    return moments.life(db, visit.kind, visit.id, visit.time, visit.version)


def held(db: sqlite3.Connection, visit: Visit, row: Row, same: list[int], back: bool, fan: int) -> Iterator[Move]:
    """The steps to a holder of the content: at the begins of its versions that had it, the nearest to the moment first."""
    edge, order = ("<=", "DESC") if back else (">=", "")
    known = db.execute(
        "SELECT id, since FROM (SELECT id, since, content_id FROM file_versions INDEXED BY file_versions_file WHERE file_id = ? "
        f"AND since {edge} ? ORDER BY since {order}, id {order} LIMIT {moments.ROWS}) WHERE content_id IN "
        f"({', '.join(map(str, same))}) LIMIT {ARRIVALS}", (row.subject[1], visit.time)).fetchall()
    for number, time in known or [(None, row.first)]:
        if back or time >= visit.time:  # a file that had it all along did not get it from here
            yield move_of(row, time, time, Visit(*row.subject, time, number), fan)
