"""The shortest way, never against time, on which one thing led to another.

Two searches, forward from the one and backward from the other, go on layer by layer, the smaller first, until they meet in a
place that the first reached before the second left it. A place is a thing, of a file or value the life of one version. Of
several shortest ways the one that arrives first is given. Where there is none, a search that ignores time tells whether only
time forbids it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace

from fimforensics.queries import trace_moments as moments
from fimforensics.queries.entities import Entity
from fimforensics.queries.trace import changed, evidence, place, starts
from fimforensics.queries.trace_moves import moves
from fimforensics.queries.trace_steps import CHANGES, THINGS, Key, Move, Visit, start

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
    bounded = False
    for first, last, swapped in ((one, other, False), (other, one, True)):
        found, hit = _search(db, first, last, steps, True)
        bounded |= hit
        if found is not None:
            return Path(first, last, found, swapped, False, bounded)
    ignoring = any(_search(db, first, last, steps, False)[0] is not None for first, last in ((one, other), (other, one)))
    return Path(one, other, [], False, ignoring, bounded)


def _search(db: sqlite3.Connection, first: Entity, last: Entity, steps: int, timely: bool) -> tuple[list[Move] | None, bool]:
    sides = [_Side(back, [_Label(visit, 0) for visit in (
        starts(db, entity, back) if timely else [start(*key, back) for key in _things(db, entity)])])
        for entity, back in ((first, False), (last, True))]
    for side in sides:
        _take(db, side, side.frontier, timely)
    meets = _meets(sides[0].frontier, sides[1], db, timely)
    while not meets and sides[0].far + sides[1].far < steps and all(side.frontier for side in sides):
        side, there = sorted(sides, key=lambda each: (len(each.frontier), each.back))
        reached = _layer(db, side, timely)
        _take(db, side, reached, timely)
        meets = _meets(side.frontier, there, db, timely)
        if side.expanded >= EXPANDED:
            break
    bounded = any(side.bounded for side in sides)
    if not meets:
        return None, bounded
    shortest = min(one.far + other.far for one, other in meets)
    ways = [_way(db, one, other, timely) for one, other in
            sorted((pair for pair in meets if pair[0].far + pair[1].far == shortest),
                   key=lambda pair: (pair[0].visit.time, pair[1].visit.time))[:COMPARED]]
    return min(ways, key=lambda way: ([move.time for move in way[::-1]], [move.relation for move in way])), bounded


def _things(db: sqlite3.Connection, entity: Entity) -> list[Key]:
    return changed(db, entity.id) if entity.kind == "event" else [(entity.kind, entity.id)]


def _layer(db: sqlite3.Connection, side: _Side, timely: bool) -> list[_Label]:
    """Everything one step further."""
    reached: list[_Label] = []
    side.far += 1
    for label in side.frontier:
        if side.expanded >= EXPANDED:
            side.bounded = True
            break
        side.expanded += 1
        for move in moves(db, label.visit, side.back, FETCHED):
            side.bounded |= move.fan > FETCHED
            to = move.to if timely else start(*move.to.key, side.back)
            reached.append(_Label(to, side.far, move, label))
    return reached


def _take(db: sqlite3.Connection, side: _Side, reached: list[_Label], timely: bool) -> None:
    """Keeps of what was reached the places that were not, or not so early (backward: so late)."""
    side.frontier = []
    for label in sorted(reached, key=lambda one: one.visit.time, reverse=side.back):
        where = place(db, label.visit) if timely else (*label.visit.key, None, True)
        known = side.best.get(where)
        if known is None or (label.visit.time > known if side.back else label.visit.time < known):
            side.best[where] = label.visit.time
            side.labels.setdefault(label.visit.key, []).append((where, label))
            side.frontier.append(label)


def _meets(new: list[_Label], there: _Side, db: sqlite3.Connection, timely: bool) -> list[tuple[_Label, _Label]]:
    """Pairs of a forward and a backward label that fit: in one place, reached before it was left."""
    found = []
    for label in new:
        for where, other in there.labels.get(label.visit.key, ()):
            one, last = (label, other) if there.back else (other, label)
            if not timely or (one.visit.time <= last.visit.time and (
                    label.visit.whole or other.visit.whole or where == place(db, label.visit))):
                found.append((one, last))
    return found


def _way(db: sqlite3.Connection, one: _Label, other: _Label, timely: bool) -> list[Move]:
    """The steps of both halves; those of the second, found as late as can be, made as early as can be."""
    ahead: list[Move] = []
    label: _Label | None = one
    while label is not None and label.move is not None:
        ahead.insert(0, label.move)
        label = label.before
    time, label = one.visit.time, other
    while label is not None and label.move is not None and label.before is not None:
        move = _earlier(db, label.move, label.before.visit, time) if timely else label.move
        ahead.append(move)
        time, label = move.time, label.before
    return [replace(move, event=evidence(db, move, moments.ALL_TIME if at + 1 == len(ahead) else ahead[at + 1].seen))
            for at, move in enumerate(ahead)] if timely else ahead


def _earlier(db: sqlite3.Connection, move: Move, reading: Visit, time: str) -> Move:
    """The same change at the first time that is not before `time` and still in the life of the version that is read."""
    if move.relation not in CHANGES or reading.kind not in THINGS or move.event is not None:
        return move
    low = "" if reading.whole else moments.life(db, reading.kind, reading.id, reading.time, reading.version).since
    found = moments.nearest(db, move.subject, move.relation, move.object, max(low, time), move.time, False)
    return move if found is None else replace(move, time=found, seen=found)
