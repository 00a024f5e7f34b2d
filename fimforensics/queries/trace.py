"""What led to a thing and what it led to, step by step, never against time, the most telling first.

A step is taken from a queue ordered by rank (`trace_rank`), shown, and what it leads to is put into the queue, until as many
steps are shown as were asked for. What was left in the queue or never fetched is told as cut. Each step fetches at most so
many neighbours through an index, so that the time does not grow with the case.
"""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fimforensics.queries import entities
from fimforensics.queries import trace_moments as moments
from fimforensics.queries.entities import Entity
from fimforensics.queries.trace_moves import moves
from fimforensics.queries.trace_rank import Known, Score, score
from fimforensics.queries.trace_steps import COUNTED, THINGS, Key, Move, Visit, start

LIMIT, DEPTH = 28, 6  # so that a trace with all around it fits one screen
FETCHED = 40  # neighbours fetched of each relation at each step, unless more are to be shown
MOST_FETCHED = 1_000


@dataclass(frozen=True)
class Step:
    """A shown step: its number, that of the step before it (0: the start), its direction, and how far from the start it is."""

    number: int
    before: int
    back: bool
    depth: int
    move: Move
    score: Score
    rank: float
    again: int | None = None  # the step at which the same thing was reached already


@dataclass(frozen=True)
class Cut:
    """Steps of one relation from one place that are not shown; `of` is COUNTED + 1 where there are more than counted."""

    after: int
    back: bool
    relation: str
    shown: int
    of: int


@dataclass(frozen=True)
class Trace:
    """The result: where it starts (an event stands for the thing it changed), the steps in order of rank, and what is cut."""

    start: Entity
    things: tuple[Key, ...]
    event: int | None
    steps: list[Step]
    cuts: list[Cut]
    ends: int  # things at the greatest depth that were not followed
    names: dict[Key, str]

    def seen(self) -> Iterator[Key]:
        """Everything in it, each once, in order of its steps."""
        return iter(dict.fromkeys([*self.things, *(end for step in self.steps for end in (step.move.subject, step.move.object))]))


@dataclass
class _Search:
    """What a trace holds while it grows."""

    db: sqlite3.Connection
    most: int
    known: Known
    queue: list[tuple] = field(default_factory=list)
    reached: dict[tuple, tuple[str, int]] = field(default_factory=dict)  # a visit → its best time, and its step
    told: set[tuple] = field(default_factory=set)
    fans: dict[tuple, int] = field(default_factory=dict)
    names: dict[Key, str] = field(default_factory=dict)
    counter: Iterator[int] = field(default_factory=itertools.count)

    def name(self, key: Key) -> str:
        """The name of a thing, looked up once."""
        if key not in self.names:
            self.names[key] = entities.name(self.db, *key)
        return self.names[key]


def trace(db: sqlite3.Connection, entity: Entity, *, back: bool = True, forward: bool = True, depth: int = DEPTH,
          limit: int = LIMIT) -> Trace:
    """The trace of an entity, at most `limit` steps and `depth` of them from the start."""
    search = _Search(db, min(max(FETCHED, limit), MOST_FETCHED),
                     Known(db.execute("SELECT count(*) FROM hosts").fetchone()[0]))
    event = entity.id if entity.kind == "event" else None
    things = changed(db, event) if event is not None else [(entity.kind, entity.id)]
    steps: list[Step] = []
    ends = 0
    for direction in [one for one, wanted in ((True, back), (False, forward)) if wanted]:
        for visit in starts(db, entity, direction):
            _reach(search, visit, direction, 0)
            _expand(search, visit, direction, 0, 0, 1.0, frozenset())
    while search.queue and len(steps) < limit:
        *_, move, direction, before, far, points, rank, skip = heapq.heappop(search.queue)
        again = _again(search, move, direction)
        step = Step(len(steps) + 1, before, direction, far, move, points, rank, again)
        if (direction, before, move.subject, move.relation, move.object) in search.told and again is not None:
            continue
        search.told.add((direction, before, move.subject, move.relation, move.object))
        steps.append(step)
        if again is None:
            _reach(search, move.to, direction, step.number)
            if far < depth:
                _expand(search, move.to, direction, step.number, far, rank, skip)
            else:
                ends += bool(moves(db, move.to, direction, 1))
    steps = [replace(step, move=replace(step.move, event=evidence(db, step.move, _high(steps, step)))) for step in steps]
    found = Trace(entity, tuple(things), event, steps, _cuts(search, steps), ends, {})
    return replace(found, names={key: search.name(key) for key in found.seen()})


def changed(db: sqlite3.Connection, event: int) -> list[Key]:
    """The file or registry value that an event changed."""
    row = db.execute("SELECT file_id, registry_value_id FROM events WHERE id = ?", (event,)).fetchone() or (None, None)
    return [(kind, number) for kind, number in zip(THINGS, row, strict=True) if number is not None]


def starts(db: sqlite3.Connection, entity: Entity, back: bool) -> list[Visit]:
    """Where a search from an entity begins: what an event changed, at its time; everything else in all its time."""
    if entity.kind != "event":
        return [start(entity.kind, entity.id, back)]
    time = db.execute("SELECT time FROM events WHERE id = ?", (entity.id,)).fetchone()[0]
    found = []
    for kind, number in changed(db, entity.id):
        versions = [one.id for one in moments.begun_by(db, kind, entity.id) if one.of == number]
        found.append(Visit(kind, number, time, versions[-1] if versions else None))
    return found


def place(db: sqlite3.Connection, visit: Visit) -> tuple:
    """What counts as one and the same place of a search: a thing, of a file or value the life of one version."""
    if visit.kind not in THINGS or visit.whole:
        return (*visit.key, None, visit.whole)
    life = moments.life(db, visit.kind, visit.id, visit.time, visit.version)
    return (*visit.key, life.versions[0].id if life.versions else None, False)


def evidence(db: sqlite3.Connection, move: Move, high: str) -> int | None:
    """The event on which a step stands; `high` is the latest time it may have."""
    if move.event is not None:
        return move.event
    if move.relation == "became":
        row = moments.event_of(db, move.object[1], move.seen, high)
        return row[0] if row else None
    return moments.event_at(db, move.relation, move.subject, move.object, move.seen)


def _high(steps: list[Step], step: Step) -> str:
    """Backward, what a step stands on is not later than the step it explains."""
    if not step.back or not step.before:
        return moments.ALL_TIME
    return steps[step.before - 1].move.to.time


def _better(time: str, than: str, back: bool) -> bool:
    return time > than if back else time < than


def _reach(search: _Search, visit: Visit, back: bool, step: int) -> None:
    search.reached[(back, *place(search.db, visit))] = visit.time, step


def _again(search: _Search, move: Move, back: bool) -> int | None:
    """The step that reached the same place at a moment from which one sees as much."""
    known = search.reached.get((back, *place(search.db, move.to)))
    if known is None and move.to.kind in THINGS:
        known = search.reached.get((back, *move.to.key, None, True))
    return None if known is None or _better(move.to.time, known[0], back) else known[1]


def _expand(search: _Search, visit: Visit, back: bool, number: int, far: int, rank: float, skip: frozenset[Key]) -> None:
    """Puts the steps from a visit into the queue; not those that go straight back, nor contents that are nowhere else.

    `skip` are the things that the step before already told: where it came from, and that by another path.
    """
    times: Counter[tuple] = Counter()
    found = moves(search.db, visit, back, search.most)
    told = frozenset({visit.key, *(move.to.key for move in found if move.relation == "renamed to")})
    kept, fewer = [], Counter[tuple]()
    for move in found:
        if move.to.key in skip or (move.to.kind == "content" and not _elsewhere(search, move, told, back)):
            fewer[move.relation, move.to.kind] += 1
        else:
            kept.append(move)
    for move in kept:
        fan = max(move.fan - fewer[move.relation, move.to.kind], 1)
        search.fans.setdefault((number, back, move.relation, move.to.kind), fan)
        edge = (move.subject, move.relation, move.object)
        times[edge] += 1
        points = score(search.db, visit, replace(move, fan=fan), search.known)
        mine = round(rank * points.score / times[edge], 9)
        tie = (points.seconds, move.relation, search.name(move.to.key), move.to.time, next(search.counter))
        heapq.heappush(search.queue, (-mine, *tie, move, back, number, far + 1, points, mine, told))


def _elsewhere(search: _Search, move: Move, told: frozenset[Key], back: bool) -> bool:
    return any(one.to.key not in told for one in moves(search.db, move.to, back, len(told) + 2))


def _cuts(search: _Search, steps: list[Step]) -> list[Cut]:
    """What is not shown, the most first."""
    shown: dict[tuple, set[Key]] = {}
    for step in steps:
        shown.setdefault((step.before, step.back, step.move.relation, step.move.to.kind), set()).add(step.move.to.key)
    found = [Cut(number, back, relation, len(shown.get((number, back, relation, kind), ())), fan)
             for (number, back, relation, kind), fan in search.fans.items()]
    return sorted((cut for cut in found if cut.shown < cut.of), key=lambda cut: (cut.shown - cut.of, cut.after, cut.relation))


__all__ = ["COUNTED", "DEPTH", "LIMIT", "Cut", "Step", "Trace", "trace"]
