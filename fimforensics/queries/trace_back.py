"""One step back: what led to a thing as it was at a moment. Nothing it gives is later than that moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace

from fimforensics.queries import trace_moments as moments
from fimforensics.queries.trace_moments import END
from fimforensics.queries.trace_steps import (
    CHANGES,
    Asked,
    Key,
    Move,
    Offer,
    Row,
    Some,
    Visit,
    given,
    held,
    holders,
    move_of,
    rows_of,
)


def _changes(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """Who changed the file or value in the life of the version, each at the last time before the moment."""
    life = asked.life(visit)
    seen: set[Key] = set()
    writers = {("process", one.process) for one in life.versions if one.process is not None}

    def make(row: Row) -> Iterator[Move]:
        time = row.last if row.last <= visit.time else moments.nearest(
            asked.db, row.subject, row.relation, visit.key, max(life.since, row.first), visit.time, True) or row.first
        if time >= life.since:
            yield move_of(row, time, time, Visit(*row.subject, time, through=_through(row.subject, visit.key)))

    found = rows_of(asked.db, "object", visit.key, CHANGES, "<=", visit.time, most)
    for relation, (rows, fan) in found.items():
        some = [Some(row.subject, min(row.last, visit.time), row) for row in rows if row.last >= life.since]
        seen.update(one.key for one in some if one.key in writers and any(make(one.of)))
        yield Offer(relation, fan, _latest(some), make)
    begun = [move for one in life.versions if ("process", one.process) not in seen and one.since <= visit.time
             for move in _begun(asked.db, visit.key, one.process, one.begun_by)]
    for move in begun:  # the writer of the version itself, should it be one of too many
        yield replace(given(move.relation, [move]), fan=max(found.get(move.relation, ([], 1))[1], 1))


def _through(actor: Key, thing: Key) -> Key | None:
    return thing if actor[0] == "process" else None


def _begun(db: sqlite3.Connection, thing: Key, process: int | None, event: int | None) -> Iterator[Move]:
    if process is None or event is None:
        return
    row = db.execute(f"SELECT e.process_id, c.change, e.time FROM events e JOIN changes c ON c.id = e.change_id "
                     f"WHERE e.id = ? AND e.{moments.COLUMN[thing[0]]} = ? AND e.{END}", (event, thing[1])).fetchone()
    if row and row[0] is not None:
        actor = ("process", row[0])
        yield Move(actor, moments.WORDS.get(row[1], "modified"), thing, row[2], row[2],
                   Visit(*actor, row[2], through=thing), 1, None, event)


def _latest(some: list[Some]) -> list[Some]:
    return sorted(some, key=lambda one: one.near, reverse=True)


def _renames(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The path that the file had before, and with it the version it had there."""
    found = []
    life = asked.life(visit)
    inside = {one.id for one in life.versions}
    for one in reversed(life.versions):
        before = None if one.previous is None or one.previous in inside else moments.version(asked.db, visit.kind, one.previous)
        if before and before.of != visit.id and before.until == one.since <= visit.time:
            to = Visit(visit.kind, before.of, one.since, before.id)
            found.append(Move(to.key, "renamed to", visit.key, one.since, one.since, to, 1, None, one.begun_by))
    yield given("renamed to", found)


def _contents(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The contents of the file that were elsewhere before."""
    versions = asked.life(visit).versions
    held = {("content", one.content): one for one in versions if one.content is not None and one.since <= visit.time}
    if versions and not held:
        return
    rows, _ = rows_of(asked.db, "subject", visit.key, ("had",), "<=", visit.time, most).get("had", ([], 0))
    had = {row.object: row for row in rows}
    times = [(key, one.since) for key, one in held.items() if key in had]
    if not versions:
        times = [(key, row.first) for key, row in had.items()]
    yield given("had", [Move(visit.key, "had", key, time, time, Visit(*key, time), had[key].events) for key, time in times])


def _process(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The account that ran the process; the file whose content, or whose path, it ran; on whose behalf it acted."""
    found = rows_of(asked.db, "object", visit.key, ("ran", "became", "acted through"), "<=", visit.time, most)

    def ran(row: Row) -> Iterator[Move]:
        time = moments.began(asked.db, visit.id, row.first)
        yield move_of(row, time, row.first, Visit(*row.subject, time))

    def became(row: Row) -> Iterator[Move]:
        yield move_of(row, row.first, row.first, Visit(*row.subject, row.first))

    def acted(row: Row) -> Iterator[Move]:
        if visit.through is not None and not visit.whole:
            time = visit.time  # that very event is the one
        else:
            time = row.last if row.last <= visit.time else moments.nearest_request(
                asked.db, row.subject, visit.id, row.first, visit.time, True) or row.first
        yield move_of(row, time, time, Visit(*row.subject, time))

    for relation, make in (("ran", ran), ("became", became), ("acted through", acted)):
        rows, fan = found.get(relation, ([], 0))
        if rows and make is acted and visit.through is not None:
            rows = asked.requests(visit)[:most]
            fan = len(asked.requests(visit))
        yield Offer(relation, fan, _latest([Some(row.subject, min(row.last, visit.time) if make is acted else row.first, row)
                                            for row in rows]), make)


def _holders(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The files that had the content before, each at the last time it got it."""
    same = asked.same(visit.id)
    files, fan = holders(asked, same, "<=", visit.time, most)
    yield Offer("had", fan, [Some(row.subject, visit.time, row) for row in files],
                lambda row: held(asked.db, visit, row, same, True))


Step = Callable[[Asked, Visit, int], Iterator[Offer]]
STEPS: dict[str, tuple[Step, ...]] = {
    "file": (_changes, _renames, _contents), "registry value": (_changes, _renames), "process": (_process,),
    "content": (_holders,),
}
