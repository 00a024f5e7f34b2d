"""What led to a thing and what it led to, step by step, never against time, the most telling first.

A step is taken from a queue ordered by rank (`trace_rank`), shown, and what it leads to is put into the queue, until as many
steps are shown as were asked for. What was left in the queue or never fetched is told as cut. Each step fetches at most so
many neighbours through an index, and waits in the queue by the highest rank that one of them may have: only those that may be
the next are looked at closer. So the time does not grow with the case.
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
from fimforensics.queries.trace_moves import offers
from fimforensics.queries.trace_rank import Known, Score, highest, known_of, score
from fimforensics.queries.trace_steps import CHANGES, COUNTED, THINGS, Asked, Key, Move, Offer, Visit, start

LIMIT, DEPTH = 28, 6  # so that a trace with all around it fits one screen
FETCHED = 40  # neighbours fetched of each relation at each step, unless more are to be shown
MOST_FETCHED = 1_000
_ENDS = {**dict.fromkeys(CHANGES, frozenset(THINGS)), "acted through": frozenset({"process"})}  # where they lead to forward


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
class _Open:
    """An offer in the queue: the place it goes out from, and how far its moves have been made."""

    offer: Offer
    visit: Visit
    back: bool
    number: int
    far: int
    rank: float
    fan: int
    told: frozenset[Key]
    made: int = 0
    found: bool = False
    times: Counter[tuple] = field(default_factory=Counter)


@dataclass
class _Search:
    """What a trace holds while it grows."""

    asked: Asked
    most: int
    known: Known
    queue: list[tuple] = field(default_factory=list)
    reached: dict[tuple, tuple[str, int]] = field(default_factory=dict)  # a visit → its best time, and its step
    told: set[tuple] = field(default_factory=set)
    fans: list[_Open] = field(default_factory=list)
    names: dict[Key, str] = field(default_factory=dict)
    counter: Iterator[int] = field(default_factory=itertools.count)

    def name(self, key: Key) -> str:
        """The name of a thing, looked up once."""
        if key not in self.names:
            self.names[key] = entities.name(self.asked.db, *key)
        return self.names[key]


def trace(db: sqlite3.Connection, entity: Entity, *, back: bool = True, forward: bool = True, depth: int = DEPTH,
          limit: int = LIMIT) -> Trace:
    """The trace of an entity, at most `limit` steps and `depth` of them from the start."""
    search = _Search(Asked(db), min(max(FETCHED, limit), MOST_FETCHED), known_of(db))
    event = entity.id if entity.kind == "event" else None
    things = changed(db, event) if event is not None else [(entity.kind, entity.id)]
    steps: list[Step] = []
    ends = 0
    for direction in [one for one, wanted in ((True, back), (False, forward)) if wanted]:
        for visit in starts(db, entity, direction):
            _reach(search, visit, direction, 0)
            _expand(search, visit, direction, 0, 0, 1.0, frozenset())
    while len(steps) < limit and (best := _best(search)):
        move, points, rank, out = best
        again = _again(search, move, out.back)
        if (told := (out.back, out.number, move.subject, move.relation, move.object)) in search.told and again is not None:
            continue
        search.told.add(told)
        event = evidence(search.asked, move, steps[out.number - 1].move.to.time if out.back and out.number else moments.ALL_TIME)
        steps.append(Step(len(steps) + 1, out.number, out.back, out.far + 1, move._replace(event=event), points, rank, again))
        if again is None:
            _reach(search, move.to, out.back, len(steps))
            if out.far + 1 < depth:
                _expand(search, move.to, out.back, len(steps), out.far + 1, rank, out.told)
            else:
                ends += any(any(offer.moves()) for offer in offers(search.asked, move.to, out.back, 1))
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


def place(asked: Asked, visit: Visit) -> tuple:
    """What counts as one and the same place of a search: a thing, of a file or value the life of one version.

    Of a process, too, for whom it acted, as far as that was on the way.
    """
    if visit.through is not None:
        back = visit.through[0] in THINGS
        return (*visit.key, tuple(row.subject for row in asked.requests(visit)) if back else visit.through, visit.whole)
    if visit.kind not in THINGS or visit.whole:
        return (*visit.key, None, visit.whole)
    life = asked.life(visit)
    return (*visit.key, life.versions[0].id if life.versions else None, False)


def evidence(asked: Asked, move: Move, high: str) -> int | None:
    """The event on which a step stands; `high` is the latest time it may have."""
    if move.event is not None:
        return move.event
    if move.relation == "became":
        row = moments.event_of(asked.db, move.object[1], move.seen, high)
        return row[0] if row else None
    same = asked.same(move.object[1]) if move.relation == "had" else []
    return moments.event_at(asked.db, move.relation, move.subject, move.object, move.seen, same)


def _better(time: str, than: str, back: bool) -> bool:
    return time > than if back else time < than


def _reach(search: _Search, visit: Visit, back: bool, step: int) -> None:
    search.reached[(back, *place(search.asked, visit))] = visit.time, step


def _again(search: _Search, move: Move, back: bool) -> int | None:
    """The step that reached the same place at a moment from which one sees as much."""
    known = search.reached.get((back, *place(search.asked, move.to)))
    if known is None and move.to.kind in THINGS:
        known = search.reached.get((back, *move.to.key, None, True))
    return None if known is None or _better(move.to.time, known[0], back) else known[1]


def _expand(search: _Search, visit: Visit, back: bool, number: int, far: int, rank: float, skip: frozenset[Key]) -> None:
    """Puts the offers from a visit into the queue; not what goes straight back, nor contents that are nowhere else.

    `skip` are the things that the step before already told: where it came from, and that by another path.
    """
    found = list(offers(search.asked, visit, back, search.most))
    told = frozenset({visit.key, *(one.key for offer in found if offer.relation == "renamed to" for one in offer.some)})
    kinds = {kind for kind, _ in skip}
    for offer in found:
        if offer.load is not None and not kinds & _ENDS[offer.relation]:
            search.fans.append(_Open(offer, visit, back, number, far, rank, offer.fan, told))
            _put_back(search, search.fans[-1])
            continue
        offer = offer.loaded()
        some = [one for one in offer.some if one.key not in skip
                and (one.key[0] != "content" or _elsewhere(search, one.of, told, back))]
        if some:
            fan = max(offer.fan - len(offer.some) + len(some), 1)
            out = _Open(replace(offer, some=some), visit, back, number, far, rank, fan, told)
            search.fans.append(out)
            _put_back(search, out)


def _elsewhere(search: _Search, move: Move, told: frozenset[Key], back: bool) -> bool:
    return any(any(offer.make(one.of)) for offer in offers(search.asked, move.to, back, len(told) + 2)
               for one in offer.some if one.key not in told)


def _put_back(search: _Search, out: _Open) -> None:
    """Queues an offer by the highest rank that the next of its moves may have, before moves of that rank."""
    if out.offer.load is not None or out.made < len(out.offer.some):
        near = out.offer.near if out.offer.load is not None else out.offer.some[out.made].near
        bound = out.rank * highest(out.visit, near, out.fan)
        heapq.heappush(search.queue, (-bound, 0, next(search.counter), out))


def _best(search: _Search) -> tuple[Move, Score, float, _Open] | None:
    """The move of the highest rank; only those are made that may have it."""
    while search.queue:
        _, made, *_, last = heapq.heappop(search.queue)
        if made:
            return last
        _make(search, last)
        _put_back(search, last)
    return None


def _make(search: _Search, out: _Open) -> None:
    """Makes the next moves of an offer and queues them by their rank."""
    if out.offer.load is not None:
        out.offer = out.offer.loaded()
        return
    one = out.offer.some[out.made]
    out.made += 1
    for move in out.offer.make(one.of):
        out.found = True
        edge = (move.subject, move.relation, move.object)
        out.times[edge] += 1
        points = score(search.asked.db, out.visit, move, out.fan, search.known)
        rank = round(out.rank * points.score / out.times[edge], 9)
        tie = (points.seconds, move.relation, search.name(move.to.key), move.to.time, not out.back, out.number,
               next(search.counter))
        heapq.heappush(search.queue, (-rank, 1, *tie, (move, points, rank, out)))


def _cuts(search: _Search, steps: list[Step]) -> list[Cut]:
    """What is not shown, the most first."""
    shown: dict[tuple, set[Key]] = {}
    for step in steps:
        shown.setdefault((step.before, step.back, step.move.relation), set()).add(step.move.to.key)
    fans: dict[tuple, int] = {}
    for out in search.fans:
        if out.found or out.offer.load is not None or any(any(out.offer.make(one.of)) for one in out.offer.some[out.made:]):
            fans.setdefault((out.number, out.back, out.offer.relation), out.fan)
    found = [Cut(number, back, relation, len(shown.get((number, back, relation), ())), fan)
             for (number, back, relation), fan in fans.items()]
    return sorted((cut for cut in found if cut.shown < cut.of), key=lambda cut: (cut.shown - cut.of, cut.after, cut.relation))


__all__ = ["COUNTED", "DEPTH", "LIMIT", "Cut", "Step", "Trace", "trace"]
