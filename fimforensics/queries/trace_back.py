"""One step back: what led to a thing as it was at a moment. Nothing it gives is later than that moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from fimforensics.queries import trace_moments as moments
from fimforensics.queries.entities import same_content
from fimforensics.queries.trace_moments import END
from fimforensics.queries.trace_steps import CHANGES, Key, Move, Visit, held, life_of, move_of, rows_of


def _changes(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """Who changed the file or value in the life of the version, each at the last time before the moment."""
    life, seen = life_of(db, visit), set()
    for relation in CHANGES:
        rows, fan = rows_of(db, "object", [visit.key], relation, "first <= ?", (visit.time,), "DESC", most)
        for row in rows:
            time = row.last if row.last <= visit.time else moments.nearest(
                db, row.subject, relation, visit.key, max(life.since, row.first), visit.time, True) or row.first
            if time >= life.since:
                seen.add(row.subject)
                to = Visit(*row.subject, time)
                yield move_of(row, time, time, to, fan)
    for one in life.versions:  # the writer of the version itself, should it be one of too many
        if one.process is not None and one.begun_by is not None and ("process", one.process) not in seen \
                and one.since <= visit.time:
            yield from _begun(db, visit.key, one.begun_by)


def _begun(db: sqlite3.Connection, thing: Key, event: int) -> Iterator[Move]:
    row = db.execute(f"SELECT e.process_id, c.change, e.time FROM events e JOIN changes c ON c.id = e.change_id "
                     f"WHERE e.id = ? AND e.{moments.COLUMN[thing[0]]} = ? AND e.{END}", (event, thing[1])).fetchone()
    if row and row[0] is not None:
        actor = ("process", row[0])
        yield Move(actor, moments.WORDS.get(row[1], "modified"), thing, row[2], row[2], Visit(*actor, row[2]), 1, None, event)


def _renames(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The path that the file had before, and with it the version it had there."""
    for one in reversed(life_of(db, visit).versions):
        before = moments.version(db, visit.kind, one.previous) if one.previous is not None else None
        if before and before.of != visit.id and before.until == one.since <= visit.time:
            to = Visit(visit.kind, before.of, one.since, before.id)
            yield Move(to.key, "renamed to", visit.key, one.since, one.since, to, 1, None, one.begun_by)


def _contents(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The contents of the file that were elsewhere before."""
    rows, _ = rows_of(db, "subject", [visit.key], "had", "first <= ?", (visit.time,), "DESC", most)
    had = {row.object: row for row in rows}
    versions = life_of(db, visit).versions
    held = {("content", one.content): one for one in versions if one.content is not None and one.since <= visit.time}
    times = [(key, one.since) for key, one in held.items() if key in had]
    if not versions:
        times = [(key, row.first) for key, row in had.items()]
    for key, time in times:
        yield Move(visit.key, "had", key, time, time, Visit(*key, time), had[key].events)


def _ran(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The account that ran the process."""
    rows, fan = rows_of(db, "object", [visit.key], "ran", "first <= ?", (visit.time,), "DESC", most)
    for row in rows:
        time = moments.began(db, visit.id, row.first)
        yield move_of(row, time, row.first, Visit(*row.subject, time), fan)


def _became(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The file whose content, or whose path, the process ran."""
    rows, fan = rows_of(db, "object", [visit.key], "became", "first <= ?", (visit.time,), "DESC", most)
    for row in rows:
        yield move_of(row, row.first, row.first, Visit(*row.subject, row.first), fan)


def _acted(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The account and address on whose behalf the process acted."""
    rows, fan = rows_of(db, "object", [visit.key], "acted through", "first <= ?", (visit.time,), "DESC", most)
    for row in rows:
        time = row.last if row.last <= visit.time else moments.nearest_request(
            db, row.subject, visit.id, row.first, visit.time, True) or row.first
        yield move_of(row, time, time, Visit(*row.subject, time), fan)


def _holders(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The files that had the content before, each at the last time it got it."""
    same = same_content(db, visit.id)
    rows, fan = rows_of(db, "object", [("content", one) for one in same], "had", "first <= ?", (visit.time,), "DESC", most)
    for row in rows:
        yield from held(db, visit, row, same, True, fan)


Step = Callable[[sqlite3.Connection, Visit, int], Iterator[Move]]
STEPS: dict[str, tuple[Step, ...]] = {
    "file": (_changes, _renames, _contents), "registry value": (_changes, _renames), "process": (_ran, _became, _acted),
    "content": (_holders,),
}
