"""One step on: what a thing as it was at a moment led to. Nothing it gives is earlier than that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from fimforensics.queries import trace_moments as moments
from fimforensics.queries.trace_moments import ALL_TIME
from fimforensics.queries.trace_steps import (
    CHANGES,
    COUNTED,
    Asked,
    Key,
    Move,
    Offer,
    Row,
    Some,
    Visit,
    counts_of,
    given,
    going_on,
    held,
    holders,
    move_of,
    rows_of,
)

REQUESTED = 200  # things of each relation looked at for what was done for one account or address


def _ahead(asked: Asked, visit: Visit, relations: Sequence[str], most: int, make: Callable[[Row], Iterator[Move]]
           ) -> Iterator[Offer]:
    """Relations from the visit at a time that is not before it: those that go on, then those that begin later."""
    later = counts_of(asked.db, visit.key, relations, visit.time)
    on = going_on(asked.db, "subject", visit.key, relations, visit.time) if visit.time else {}
    for relation in relations:
        fan, near = later.get(relation, (0, ""))
        old = on.get(relation, [])
        offer = Offer(relation, min(fan + len(old), COUNTED + 1), [], make, near,
                      partial(_load, asked, visit, relation, old[:most], most if fan else 0))
        if old:
            yield offer.loaded()
        elif fan:
            yield offer


def _load(asked: Asked, visit: Visit, relation: str, on: list[Row], most: int) -> list[Some]:
    later = rows_of(asked.db, "subject", visit.key, (relation,), ">=", visit.time, most)[relation][0] if most else []
    return [Some(row.object, max(row.first, visit.time), row) for row in (*on, *later)]


def _changes(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """What the process, or an account of which no process is known, changed from then on: each version that came of it."""
    def make(row: Row) -> Iterator[Move]:
        first = row.first if row.first >= visit.time else moments.nearest(
            asked.db, row.subject, row.relation, row.object, visit.time, row.last, False) or row.last
        yield move_of(row, first, first, Visit(*row.object, first))
        for time in _later(asked, visit, row, first) if row.last > first else ():
            yield move_of(row, time, time, Visit(*row.object, time))

    yield from _ahead(asked, visit, CHANGES, most, make) if visit.through is None else _for(asked, visit, visit.through, most)


def _for(asked: Asked, visit: Visit, actor: Key, most: int) -> Iterator[Offer]:
    """What the process changed from then on for an account or address."""
    def make(row: Row) -> Iterator[Move]:
        for time in moments.requested(asked.db, actor, visit.id, row.relation, row.object, visit.time, ALL_TIME):
            yield move_of(row, time, time, Visit(*row.object, time))

    for offer in _ahead(asked, visit, CHANGES, max(most, REQUESTED), make):
        some = [one for one in offer.loaded().some if any(make(one.of))]
        yield Offer(offer.relation, len(some), some, make)


def _later(asked: Asked, visit: Visit, row: Row, first: str) -> list[str]:
    """Further times at which it changed the thing so: all where they are few, else those that began a version."""
    if row.events <= moments.FEW:
        return moments.all_times(asked.db, row.subject, row.relation, row.object, first)
    if visit.kind != "process":
        return []
    column, table = moments.COLUMN[row.object_kind], "file_versions" if row.object_kind == "file" else "registry_versions"
    rows = asked.db.execute(
        f"SELECT v.since, c.change FROM (SELECT since, begun_by, process_id FROM {table} WHERE {column} = ? AND since > ? "
        f"ORDER BY since, id LIMIT {moments.ROWS}) v JOIN events e ON e.id = v.begun_by JOIN changes c ON c.id = e.change_id "
        "WHERE v.process_id = ? ORDER BY v.since", (row.object_id, first, visit.id))
    return list(dict.fromkeys(since for since, change in rows if moments.WORDS.get(change, "modified") == row.relation))


def _ran(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The processes that the account ran."""
    def make(row: Row) -> Iterator[Move]:
        time = max(moments.began(asked.db, row.object_id, row.first), visit.time)
        yield move_of(row, time, row.first, Visit(*row.object, row.first))

    rows, fan = rows_of(asked.db, "subject", visit.key, ("ran",), ">=", visit.time, most).get("ran", ([], 0))
    yield Offer("ran", fan, [Some(row.object, visit.time, row) for row in rows], make)


def _acted(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The processes through which the account or address acted."""
    def make(row: Row) -> Iterator[Move]:
        time = row.first if row.first >= visit.time else moments.nearest_request(
            asked.db, row.subject, row.object_id, visit.time, row.last, False) or row.last
        yield move_of(row, time, time, Visit(*row.object, time, through=row.subject))

    yield from _ahead(asked, visit, ("acted through",), most, make)


def _became(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The processes that ran what the file then was."""
    rows, fan = rows_of(asked.db, "subject", visit.key, ("became",), ">=", visit.time, most).get("became", ([], 0))
    until = asked.life(visit).until if rows else None

    def make(row: Row) -> Iterator[Move]:
        yield move_of(row, row.first, row.first, Visit(*row.object, row.first))

    yield Offer("became", fan, [Some(row.object, row.first, row) for row in rows if until is None or row.first < until], make)


def _renames(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The path that the file got afterwards."""
    found = []
    for one in asked.life(visit).versions:
        if one.ended_by is None or (one.until or "") < visit.time:
            continue
        for next_ in moments.begun_by(asked.db, visit.kind, one.ended_by):
            if next_.of != visit.id and next_.previous == one.id:
                to = Visit(visit.kind, next_.of, next_.since, next_.id)
                found.append(Move(visit.key, "renamed to", to.key, next_.since, next_.since, to, 1, None, next_.begun_by))
    yield given("renamed to", found)


def _contents(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The contents that the file got, for where they went."""
    versions = asked.life(visit).versions
    got = [one for one in versions if one.content is not None and one.since >= visit.time]
    if versions and not got:
        return
    rows, _ = rows_of(asked.db, "subject", visit.key, ("had",), ">=", "", most).get("had", ([], 0))
    had = {row.object: row for row in rows}
    times: dict[Key, str] = {}
    for one in got:
        if one.content is not None and ("content", one.content) in had:
            times.setdefault(("content", one.content), one.since)
    if not versions:
        times = {key: row.first for key, row in had.items() if row.first >= visit.time}
    yield given("had", [Move(visit.key, "had", key, time, time, Visit(*key, time), had[key].events)
                        for key, time in times.items()])


def _holders(asked: Asked, visit: Visit, most: int) -> Iterator[Offer]:
    """The files that got the content from then on."""
    same = asked.same(visit.id)
    later, fan = holders(asked, same, ">=", visit.time, most)
    known = {row.subject_id for row in later}
    again = {row.subject_id: row for one in (same if visit.time else ()) for row in
             going_on(asked.db, "object", ("content", one), ("had",), visit.time).get("had", []) if row.subject_id not in known}
    yield Offer("had", min(fan + len(again), COUNTED + 1),
                [Some(row.subject, visit.time, row) for row in (*later, *list(again.values())[:most])],
                lambda row: held(asked.db, visit, row, same, False))


Step = Callable[[Asked, Visit, int], Iterator[Offer]]
STEPS: dict[str, tuple[Step, ...]] = {
    "file": (_became, _renames, _contents), "registry value": (_renames,), "process": (_changes,),
    "account": (_ran, _changes, _acted), "address": (_acted,), "content": (_holders,),
}
