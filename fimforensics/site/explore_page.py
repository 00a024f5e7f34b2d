"""The explorer's picture, grown from what its address asks for: roots, a trace, a way between two things, what is expanded.

Everything is found in one order, so that equal addresses on equal cases give equal pictures. All relations between shown things
are drawn, at most `MOST` in all; the page says where something is left out. A thing stands right of what led to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fimforensics.errors import Misuse
from fimforensics.queries import entities, freshness
from fimforensics.queries import graph_near as near
from fimforensics.queries import trace as traces
from fimforensics.queries import trace_path as paths
from fimforensics.queries.entities import Entity
from fimforensics.queries.graph_among import among
from fimforensics.queries.graph_near import Around, Relation
from fimforensics.queries.trace_moments import ALL_TIME
from fimforensics.queries.trace_steps import Key
from fimforensics.site.beginnings import Beginning, beginnings
from fimforensics.site.explore_asked import OPENED, State, Unclear, asked_for, written
from fimforensics.site.trace_page import CANDIDATES, Thing, said, thing
from fimforensics.site.twins import Asked

MOST = 500  # relations in one picture
GONE = "(gone)"


@dataclass(frozen=True)
class More:
    """What an expanded thing has beyond what is shown of one relation; `query` shows more of it."""

    relation: str
    out: bool
    hidden: int
    query: str


@dataclass(frozen=True)
class Node:
    """A thing in the picture; `links` are its relations as far as counted, `time` when the first that led here was."""

    thing: Thing
    parent: Key | None
    column: int
    time: str
    start: bool
    opened: bool
    pinned: bool
    place: tuple[int, int] | None
    picked: int  # 1 and 2: the ends of a way
    links: int
    more: tuple[More, ...] = ()

    @property
    def key(self) -> Key:
        """The thing's kind and number."""
        return self.thing.kind, self.thing.id


@dataclass(frozen=True)
class Edge:
    """A relation in the picture: `tree` where by it its further end was found, `way` where it is on the asked way."""

    relation: Relation
    tree: bool
    way: bool

    def events(self) -> str:
        """The conditions on the table of events by which those are found that it rolls up; '' where a table cannot tell."""
        ends = (self.relation.subject, self.relation.object)
        if self.relation.relation in ("became", "renamed to", "acted through"):
            return ""
        return "&".join(f"{kind.replace(' ', '_')}_id={number}" for kind, number in ends)


@dataclass(frozen=True)
class ExplorePage:
    """Everything the page draws; nothing of it where nothing is asked, or a name may mean several things."""

    state: State
    warnings: tuple[str, ...] = ()
    unclear: Unclear | None = None
    candidates: tuple[Thing, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    truncated: bool = False  # there are more relations than MOST
    missed: bool = False  # relations between two busy things may be missing
    way: str | None = None
    on: Node | None = None
    beginnings: tuple[Beginning, ...] = ()  # where nothing is asked

    def times(self) -> list[str]:
        """The times at which relations begin, each once."""
        return sorted({edge.relation.first for edge in self.edges})

    def names(self) -> dict[Key, Thing]:
        """The things by their keys."""
        return {node.key: node.thing for node in self.nodes}


@dataclass
class _Growing:
    """The picture while it grows: places of things by the order in which they were found."""

    around: Around
    state: State
    found: dict[Key, tuple[Key | None, int, str]] = field(default_factory=dict)  # parent, column, time
    edges: dict[tuple, Edge] = field(default_factory=dict)
    more: dict[Key, tuple[More, ...]] = field(default_factory=dict)
    truncated: bool = False

    def add(self, key: Key, parent: Key | None, column: int, time: str = "") -> bool:
        """A thing, unless it is left out; False where it is."""
        if key in self.state.leave:
            return False
        self.found.setdefault(key, (parent, column, time))
        return True

    def adopts(self, here: Key, there: Key) -> bool:
        """May a further root, from which nothing was found yet, hang on a thing that leads to it?"""
        return (there != next(iter(self.found)) and there != here and self.found[there][0] is None
                and all(parent != there for parent, _, _ in self.found.values()))

    def join(self, relation: Relation, here: Key, right: bool, way: bool = False) -> None:
        """What a relation leads to from a thing of the picture, and the relation."""
        there = relation.other(here)
        if here not in self.found or (relation.mark not in self.edges and len(self.edges) >= MOST):
            self.truncated |= here in self.found
            return
        place = (here, self.found[here][1] + (1 if right else -1), relation.first)
        new = there not in self.found or self.adopts(here, there)
        if new and there in self.found:
            self.found[there] = place
        if self.add(there, *place):
            known = self.edges.get(relation.mark)
            self.edges[relation.mark] = Edge(relation, new or (known is not None and known.tree),
                                             way or (known is not None and known.way))


def ask(connection: sqlite3.Connection, asked: Asked) -> ExplorePage:
    """The picture of an address."""
    state, several = asked_for(connection, asked)
    if several is not None:
        return ExplorePage(state, unclear=several, candidates=tuple(
            thing(key, entities.name(connection, *key)) for key in several.found[:CANDIDATES]))
    if not (state.of or state.trace or state.pin or state.pick):
        return ExplorePage(state, beginnings=beginnings(connection))
    around = Around(connection, state.relation or near.RELATIONS, state.since or "", state.until or ALL_TIME)
    state = _known(around, state)
    growing = _Growing(around, state)
    for key in state.of:
        growing.add(key, None, 0)
    _trace(growing)
    waiting = _open(growing, state.open)
    for key in (*state.pick, *(key for key, _ in state.pin)):  # where nothing shown leads to them any more
        growing.add(key, None, 0)
    told = _way(growing)
    _open(growing, waiting)
    relations, degrees, missed = among(around, growing.found)
    _between(growing, relations)
    nodes = tuple(_node(growing, key, degrees[key]) for key in growing.found)
    return ExplorePage(
        _pruned(state, growing), tuple(freshness.need(connection, "versions", "relations")), nodes=nodes,
        edges=tuple(growing.edges.values()), truncated=growing.truncated, missed=missed, way=told,
        on=next((node for node in nodes if node.key == state.on), None))


def _known(around: Around, state: State) -> State:
    """The state with each thing under its one number; Misuse for a thing that the case does not have."""
    for key in (*state.of, *(key for key, _ in (*state.open, *state.pin)), *state.pick):
        if entities.name(around.db, *key) == GONE:
            raise Misuse(f"there is no {written(key)} in this case")
    one = around.one
    return replace(state, of=tuple(dict.fromkeys(map(one, state.of))), pick=tuple(dict.fromkeys(map(one, state.pick))),
                   open=tuple({one(key): most for key, most in state.open}.items()),
                   pin=tuple({one(key): place for key, place in state.pin}.items()),
                   leave=tuple(map(one, state.leave)), on=one(state.on) if state.on else None)


def _trace(growing: _Growing) -> None:
    """The steps of the trace that is taken in, as far as they fit, with those on the way to one that fits."""
    state, around = growing.state, growing.around
    if state.trace is None:
        return
    db = around.db
    found = traces.trace(db, Entity(*state.trace, entities.name(db, *state.trace)), back=state.direction != "forward",
                         forward=state.direction != "back", depth=state.depth, limit=state.limit)
    for key in found.things:
        growing.add(around.one(key), None, 0)
    wanted: set[int] = set()
    for step in found.steps:
        number = step.number if (step.move.relation in around.relations
                                 and around.since <= step.move.time <= around.until) else 0
        while number and number not in wanted:
            wanted.add(number)
            number = found.steps[number - 1].before
    for step in found.steps:
        if step.number in wanted:
            relation = _moved(around, step.move)
            here = around.one(found.steps[step.before - 1].move.to.key) if step.before else next(
                (one for one in map(around.one, found.things) if one in (relation.subject, relation.object)), None)
            if here is not None and here != around.one(step.move.to.key):
                growing.join(relation, here, not step.back)


def _moved(around: Around, move: paths.Move) -> Relation:
    return Relation(around.one(move.subject), move.relation, around.one(move.object), move.basis, move.events, move.time,
                    move.time)


def _way(growing: _Growing) -> str | None:
    """The shortest way between the two picked things, and what is said of it."""
    if len(growing.state.pick) < 2:
        return None
    db = growing.around.db
    one, other = (Entity(*key, entities.name(db, *key)) for key in growing.state.pick[:2])
    found = paths.path(db, one, other)
    here = (found.first.kind, found.first.id)
    for move in found.steps:
        relation = _moved(growing.around, move)
        growing.join(relation, here, True, way=True)
        here = relation.other(here)
    return said(found)


def _open(growing: _Growing, waiting: Iterable[tuple[Key, int]]) -> list[tuple[Key, int]]:
    """What the expanded things lead to, and what leads to them; gives those that are not in the picture."""
    waiting = list(waiting)
    while ready := [one for one in waiting if one[0] in growing.found]:
        for key, most in ready:
            more = []
            for fan in near.fans(growing.around, key):
                shown = [row for row in fan.rows if row.other(key) not in growing.state.leave][:most]
                for relation in shown:
                    growing.join(relation, key, fan.out or (fan.relation == "had" and key[0] == "content"))
                left = sum(row.other(key) in growing.state.leave for row in fan.rows)
                if (hidden := fan.of - len(shown) - left) > 0:
                    more.append(More(fan.relation, fan.out, hidden, growing.state.opened(key, min(most + 4 * OPENED, 200))))
            growing.more[key] = tuple(more)
        waiting = [one for one in waiting if one not in ready]
    return waiting


def _between(growing: _Growing, relations: Iterable[Relation]) -> None:
    """All other relations between shown things; of those shown already what is known of them in full."""
    for relation in relations:
        known = growing.edges.get(relation.mark)
        if known is not None:
            growing.edges[relation.mark] = replace(known, relation=relation)
        elif len(growing.edges) < MOST:
            growing.edges[relation.mark] = Edge(relation, False, False)
        else:
            growing.truncated = True


def _node(growing: _Growing, key: Key, links: int) -> Node:
    state = growing.state
    parent, column, time = growing.found[key]
    pins = dict(state.pin)
    return Node(thing(key, entities.name(growing.around.db, *key)), parent, column, time, parent is None, key in dict(state.open),
                key in pins, pins.get(key), state.pick.index(key) + 1 if key in state.pick else 0, links,
                growing.more.get(key, ()))


def _pruned(state: State, growing: _Growing) -> State:
    """The state without expanded things that are not in the picture any more, so that links do not carry them on."""
    return replace(state, open=tuple(one for one in state.open if one[0] in growing.found),
                   on=state.on if state.on in growing.found else None)
