"""The shortest way, never against time, on which one thing led to another.

Two searches, forward from the one and backward from the other, go on layer by layer, the smaller first, until they meet in a
place that the first reached before the second left it. A place is a thing, of a file or value the life of one version. Of
several shortest ways the one with the fewest steps through equal content is given, and of those the one that arrives first.
Where there is none, a search that ignores time tells whether only time forbids it.
"""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import dataclass, field

from fimforensics.queries import trace_moments as moments
from fimforensics.queries.entities import Entity
from fimforensics.queries.trace import changed, evidence, place, starts
from fimforensics.queries.trace_moves import offers
from fimforensics.queries.trace_steps import CHANGES, THINGS, Asked, Key, Move, Visit, start

STEPS = 8
EXPANDED = 600  # things looked at in one search
FETCHED = 200  # neighbours of each relation
COMPARED = 20  # ways of equal length that are compared by when they arrive


@dataclass(frozen=True)
class Path:
    """The steps in order of time from `first` to `last`; none where no way was found, and then why.

    `swapped`: the second thing led to the first. `against_time`: there is a way, were it not for time. `bounded`: more lies
    around them than was looked at, so that a way may have been missed.
    """

    first: Entity
    last: Entity
    steps: list[Move]
    swapped: bool
    against_time: bool
    bounded: bool


@dataclass(frozen=True)
class _Label:
    """A place reached: by which step from which label, after how many."""

    visit: Visit
    far: int
    move: Move | None = None
    before: _Label | None = None


@dataclass
class _Side:
    """One of the two searches."""

    back: bool
    frontier: list[_Label]
    far: int = 0
    best: dict[tuple, str] = field(default_factory=dict)
    labels: dict[Key, list[tuple[tuple, _Label]]] = field(default_factory=dict)
    bounded: bool = False
    expanded: int = 0


def path(db: sqlite3.Connection, one: Entity, other: Entity, steps: int = STEPS) -> Path:
    """How the one led to the other, or the other to the one, within so many steps."""
    bounded, asked = False, Asked(db)
    for first, last, swapped in ((one, other, False), (other, one, True)):
        found, hit = _search(asked, first, last, steps, True)
        bounded |= hit
        if found is not None:
            return Path(first, last, found, swapped, False, bounded)
    ignoring = any(_search(asked, first, last, steps, False)[0] is not None for first, last in ((one, other), (other, one)))
    return Path(one, other, [], False, ignoring, bounded)


def _search(asked: Asked, first: Entity, last: Entity, steps: int, timely: bool) -> tuple[list[Move] | None, bool]:
    sides = [_Side(back, [_Label(visit, 0) for visit in (
        starts(asked.db, entity, back) if timely else [start(*key, back) for key in _things(asked.db, entity)])])
        for entity, back in ((first, False), (last, True))]
    for side in sides:
        _take(asked, side, side.frontier, timely)
    meets = _meets(sides[0].frontier, sides[1], asked, timely)
    while not meets and sides[0].far + sides[1].far < steps and all(side.frontier for side in sides):
        side, there = sorted(sides, key=lambda each: (len(each.frontier), each.back))
        reached = _layer(asked, side, timely)
        _take(asked, side, reached, timely)
        meets = _meets(side.frontier, there, asked, timely)
        if side.expanded >= EXPANDED:
            break
    bounded = any(side.bounded for side in sides)
    if not meets:
        return None, bounded
    shortest = min(one.far + other.far for one, other in meets)
    ways = [_way(asked, one, other, timely) for one, other in
            sorted((pair for pair in meets if pair[0].far + pair[1].far == shortest),
                   key=lambda pair: (_alike(pair[0]) + _alike(pair[1]), pair[0].visit.time, pair[1].visit.time))[:COMPARED]]
    return min(ways, key=lambda way: (sum(move.relation == "had" for move in way), [move.time for move in way[::-1]],
                                      [move.relation for move in way])), bounded


def _alike(label: _Label) -> int:
    """On how many steps nobody was seen to do anything: two things only had the same content."""
    here = label.move is not None and label.move.relation == "had"
    return here + (_alike(label.before) if label.before is not None else 0)


def _things(db: sqlite3.Connection, entity: Entity) -> list[Key]:
    return changed(db, entity.id) if entity.kind == "event" else [(entity.kind, entity.id)]


def _layer(asked: Asked, side: _Side, timely: bool) -> list[_Label]:
    """Everything one step further."""
    reached: list[_Label] = []
    side.far += 1
    for label in side.frontier:
        if side.expanded >= EXPANDED:
            side.bounded = True
            break
        side.expanded += 1
        for offer in offers(asked, label.visit, side.back, FETCHED):
            side.bounded |= offer.fan > FETCHED
            for move in offer.moves():
                to = move.to if timely else start(*move.to.key, side.back)._replace(through=move.to.through)
                reached.append(_Label(to, side.far, move, label))
    return reached


def _take(asked: Asked, side: _Side, reached: list[_Label], timely: bool) -> None:
    """Keeps of what was reached the places that were not, or not so early (backward: so late)."""
    side.frontier = []
    for label in sorted(reached, key=lambda one: one.visit.time, reverse=side.back):
        where = place(asked, label.visit)
        known = side.best.get(where)
        if known is None or (label.visit.time > known if side.back else label.visit.time < known):
            side.best[where] = label.visit.time
            side.labels.setdefault(label.visit.key, []).append((where, label))
            side.frontier.append(label)


def _meets(new: list[_Label], there: _Side, asked: Asked, timely: bool) -> list[tuple[_Label, _Label]]:
    """Pairs of a forward and a backward label that fit: in one place, reached before it was left."""
    found = []
    for label in new:
        for where, other in there.labels.get(label.visit.key, ()):
            one, last = (label, other) if there.back else (other, label)
            if one.visit.kind == "process":
                fits = _acts_for(asked, one.visit.through, last.visit)
            else:
                fits = label.visit.whole or other.visit.whole or where == place(asked, label.visit)
            if fits and (not timely or one.visit.time <= last.visit.time):
                found.append((one, last))
    return found


def _acts_for(asked: Asked, actor: Key | None, later: Visit) -> bool:
    """Did the process do what leads on for the account or address on whose behalf it was reached, if that is how it was?"""
    return actor is None or later.through is None or any(row.subject == actor for row in asked.requests(later))


def _way(asked: Asked, one: _Label, other: _Label, timely: bool) -> list[Move]:
    """The steps of both halves; those of the second, found as late as can be, made as early as can be."""
    ahead: list[Move] = []
    label: _Label | None = one
    while label is not None and label.move is not None:
        ahead.insert(0, label.move)
        label = label.before
    time, label = one.visit.time, other
    while label is not None and label.move is not None and label.before is not None:
        actor = ahead[-1].subject if ahead and ahead[-1].relation == "acted through" else None
        move = _earlier(asked, label.move, label.before.visit, time, actor) if timely else label.move
        ahead.append(move)
        time, label = move.time, label.before
    for at, (move, next_) in enumerate(list(itertools.pairwise(ahead))):
        if move.relation == "acted through":  # who asked for a change and the change are one event
            ahead[at] = move._replace(time=next_.time, seen=next_.time)
    return [move._replace(event=evidence(asked, move, moments.ALL_TIME if at + 1 == len(ahead) else ahead[at + 1].seen))
            for at, move in enumerate(ahead)] if timely else ahead


def _earlier(asked: Asked, move: Move, reading: Visit, time: str, actor: Key | None) -> Move:
    """The same change, for the same account or address, at the first time not before `time` in the life of the version read."""
    if move.relation not in CHANGES or reading.kind not in THINGS or move.event is not None:
        return move
    low = "" if reading.whole else asked.life(reading).since
    if actor is not None:
        found = next(iter(moments.requested(asked.db, actor, move.subject[1], move.relation, move.object, max(low, time),
                                            move.time)), None)
    else:
        found = moments.nearest(asked.db, move.subject, move.relation, move.object, max(low, time), move.time, False)
    return move if found is None else move._replace(time=found, seen=found)
