"""One step on: what a thing as it was at a moment led to. Nothing it gives is earlier than that moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from fimforensics.queries import trace_moments as moments
from fimforensics.queries.entities import same_content
from fimforensics.queries.trace_moments import ALL_TIME
from fimforensics.queries.trace_steps import CHANGES, COUNTED, Key, Move, Row, Visit, held, life_of, move_of, rows_of

FEW = 20  # events of one actor and thing that are all looked up


def _ahead(db: sqlite3.Connection, visit: Visit, relation: str, most: int) -> tuple[list[tuple[Row, str]], int]:
    """Rows of a relation from the visit with a time that is not before it: those that begin later, then those that go on."""
    later, fan = rows_of(db, "subject", [visit.key], relation, "first >= ?", (visit.time,), "", most)
    found = [(row, row.first) for row in later]
    if visit.time:
        on, more = rows_of(db, "subject", [visit.key], relation, "first < ? AND last >= ?", (visit.time, visit.time), "DESC",
                           most)
        for row in on:
            time = (moments.nearest(db, row.subject, relation, row.object, visit.time, row.last, False) if relation in CHANGES
                    else moments.nearest_request(db, row.subject, row.object[1], visit.time, row.last, False))
            found.append((row, time or row.last))
        fan += more
    return found, min(fan, COUNTED + 1)


def _changes(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """What the process, or an account of which no process is known, changed from then on: each version that came of it."""
    for relation in CHANGES:
        rows, fan = _ahead(db, visit, relation, most)
        for row, first in rows:
            for time in dict.fromkeys([first, *(_later(db, visit, row, first) if row.last > first else ())]):
                to = Visit(*row.object, time)
                yield move_of(row, time, time, to, fan)


def _later(db: sqlite3.Connection, visit: Visit, row: Row, first: str) -> list[str]:
    """Further times at which it changed the thing so: all where they are few, else those that began a version."""
    if row.events <= FEW:
        return moments.all_times(db, row.subject, row.relation, row.object, first)
    if visit.kind != "process":
        return []
    column, table = moments.COLUMN[row.object[0]], "file_versions" if row.object[0] == "file" else "registry_versions"
    rows = db.execute(
        f"SELECT v.since, c.change FROM (SELECT since, begun_by, process_id FROM {table} WHERE {column} = ? AND since > ? "
        f"ORDER BY since, id LIMIT {moments.ROWS}) v JOIN events e ON e.id = v.begun_by JOIN changes c ON c.id = e.change_id "
        "WHERE v.process_id = ? ORDER BY v.since", (row.object[1], first, visit.id))
    return [since for since, change in rows if moments.WORDS.get(change, "modified") == row.relation]


def _ran(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The processes that the account ran."""
    rows, fan = rows_of(db, "subject", [visit.key], "ran", "first >= ?", (visit.time,), "", most)
    for row in rows:
        time = max(moments.began(db, row.object[1], row.first), visit.time)
        yield move_of(row, time, row.first, Visit(*row.object, row.first), fan)


def _acted(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The processes through which the account or address acted."""
    rows, fan = _ahead(db, visit, "acted through", most)
    for row, time in rows:
        yield move_of(row, time, time, Visit(*row.object, time), fan)


def _became(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The processes that ran what the file then was."""
    life = life_of(db, visit)
    rows, fan = rows_of(db, "subject", [visit.key], "became", "first >= ?", (visit.time,), "", most)
    for row in rows:
        if life.until is None or row.first < life.until:
            yield move_of(row, row.first, row.first, Visit(*row.object, row.first), fan)


def _renames(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The path that the file got afterwards."""
    for one in life_of(db, visit).versions:
        if one.ended_by is None or (one.until or "") < visit.time:
            continue
        for next_ in moments.begun_by(db, visit.kind, one.ended_by):
            if next_.of != visit.id and next_.previous == one.id:
                to = Visit(visit.kind, next_.of, next_.since, next_.id)
                yield Move(visit.key, "renamed to", to.key, next_.since, next_.since, to, 1, None, next_.begun_by)


def _contents(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The contents that the file got, for where they went."""
    rows, _ = rows_of(db, "subject", [visit.key], "had", "first <= ?", (ALL_TIME,), "", most)
    had = {row.object: row for row in rows}
    versions = life_of(db, visit).versions
    times: dict[Key, str] = {}
    for one in versions:
        if one.content is not None and one.since >= visit.time and ("content", one.content) in had:
            times.setdefault(("content", one.content), one.since)
    if not versions:
        times = {key: row.first for key, row in had.items() if row.first >= visit.time}
    for key, time in times.items():
        yield Move(visit.key, "had", key, time, time, Visit(*key, time), had[key].events)


def _holders(db: sqlite3.Connection, visit: Visit, most: int) -> Iterator[Move]:
    """The files that got the content from then on."""
    same = same_content(db, visit.id)
    keys: list[Key] = [("content", one) for one in same]
    later, fan = rows_of(db, "object", keys, "had", "first >= ?", (visit.time,), "", most)
    again, more = rows_of(db, "object", keys, "had", "first < ? AND last >= ?", (visit.time, visit.time), "DESC", most)
    for row in [*later, *again]:
        yield from held(db, visit, row, same, False, min(fan + more, COUNTED + 1))


Step = Callable[[sqlite3.Connection, Visit, int], Iterator[Move]]
STEPS: dict[str, tuple[Step, ...]] = {
    "file": (_became, _renames, _contents), "registry value": (_renames,), "process": (_changes,),
    "account": (_ran, _changes, _acted), "address": (_acted,), "content": (_holders,),
}
