"""The graph explorer: what led to a thing and what came of it, or how one thing led to another, asked as the commands ask it.

The address holds all that is asked for. Where a time or a relation narrows the answer, a step stays that fits or that lies on
the way to one that does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fimforensics.errors import Misuse
from fimforensics.queries import entities, freshness, trace_words
from fimforensics.queries import trace as traces
from fimforensics.queries import trace_path as paths
from fimforensics.queries import trace_start as starts
from fimforensics.queries.ambiguous import Ambiguous
from fimforensics.queries.entities import Entity
from fimforensics.queries.moments import moment
from fimforensics.queries.neighbours import MINUTES, neighbours
from fimforensics.queries.search import TABLES
from fimforensics.queries.trace_steps import Key, Move
from fimforensics.site.beginnings import Beginning, beginnings
from fimforensics.site.twins import Asked

KINDS = ("event", "file", "registry value", "process", "account", "content", "address")
DIRECTIONS = ("both", "back", "forward")
DEEPEST, MOST = 12, 300
LOOKED = 120  # steps looked through for those that fit
CANDIDATES = 20
CUTS = 12


@dataclass(frozen=True)
class Thing:
    """A thing of the case: its page is at `table` and `id`; `written` names it in an address, `short` in a picture."""

    kind: str
    id: int
    name: str
    table: str
    short: str
    host: str
    written: str


@dataclass(frozen=True)
class Line:
    """A step in order: `before` … the thing … `after` is the sentence. `fits` is False for those on the way to one that fits."""

    number: int
    follows: int
    direction: str
    depth: int
    time: str
    relation: str
    before: str
    thing: Thing
    after: str
    basis: str
    event: int | None
    events: int
    why: str
    again: int | None
    fits: bool = True


@dataclass(frozen=True)
class Near:
    """A change on the same host near in time, and why it is told."""

    event: int
    time: str
    change: str
    name: str
    by: str
    why: str


@dataclass(frozen=True)
class TracePage:
    """Everything the page draws; without `start` nothing is asked yet, or `candidates` are what the name may mean."""

    of: str
    to: str
    direction: str
    depth: int
    limit: int
    since: str | None
    until: str | None
    relation: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    unclear: str | None = None
    candidates: tuple[Thing, ...] = ()
    candidates_in_all: int = 0
    start: Thing | None = None  # of an event what it changed, as it was then
    from_event: int | None = None
    end: Thing | None = None
    event: dict[str, object] | None = None
    steps: tuple[Line, ...] = ()
    looked: int = 0  # steps, where times or a relation narrow the answer; `bounded` where there are more
    bounded: bool = False
    cuts: tuple[str, ...] = ()
    more_cuts: int = 0
    not_followed: int = 0
    around: tuple[Near, ...] = ()
    around_minutes: int = MINUTES
    path: str | None = None
    beginnings: tuple[Beginning, ...] = ()  # where nothing is asked


def ask(connection: sqlite3.Connection, asked: Asked) -> TracePage:
    """The answer to an address."""
    direction = asked.one("direction", "both")
    if direction not in DIRECTIONS:
        raise Misuse(f"direction is {direction!r}", hint="It is back, forward or both")
    relation = tuple(one for one in trace_words.RELATIONS if one in asked.arguments.get("relation", ()))
    since, until = (moment(connection, asked.one(name).strip(), name) if asked.one(name).strip() else None
                    for name in ("since", "until"))
    page = TracePage(asked.one("of").strip(), asked.one("to").strip(), direction, asked.whole("depth", traces.DEPTH, 1, DEEPEST),
                     asked.whole("limit", traces.LIMIT, 1, MOST), since, until, relation)
    if not page.of:
        return replace(page, beginnings=beginnings(connection))
    page = replace(page, warnings=tuple(freshness.need(connection, "versions", "relations")))
    found = []
    for name in (page.of, page.to) if page.to else (page.of,):
        try:
            found.append(entities.resolve(connection, name, KINDS))
        except Ambiguous as several:
            return replace(page, unclear=name, candidates_in_all=len(several.found), candidates=tuple(
                thing(key, entities.name(connection, *key)) for key in several.found[:CANDIDATES]))
    return _path(connection, page, *found) if page.to else _trace(connection, page, found[0])


def thing(key: Key, name: str) -> Thing:
    """A thing by its kind and number."""
    kind, number = key
    return Thing(kind, number, name, TABLES[kind], trace_words.short(kind, name), trace_words.host(kind, name),
                 f"{kind.removeprefix('registry ')}#{number}")


def _trace(connection: sqlite3.Connection, page: TracePage, begin: Entity) -> TracePage:
    narrowed = bool(page.since or page.until or page.relation)
    found = traces.trace(connection, begin, back=page.direction != "forward", forward=page.direction != "back", depth=page.depth,
                         limit=max(page.limit, LOOKED) if narrowed else page.limit)
    fits = [one.number for one in found.steps if _fits(page, one.move)][:page.limit]
    kept = _with_ways(found.steps, fits)
    event = starts.standing_event(connection, begin)
    lines = tuple(_line(found, step, step.number in set(fits)) for step in _ordered(found.steps) if step.number in kept)
    near = neighbours(connection, event) if event is not None else []
    first = found.things[0] if found.things else (begin.kind, begin.id)
    return replace(
        page, start=thing(first, found.names.get(first, begin.name)), from_event=begin.id if begin.kind == "event" else None,
        event=starts.told(connection, event) if event is not None else None, steps=lines,
        looked=len(found.steps) if narrowed else 0, bounded=narrowed and bool(found.cuts or found.ends),
        not_followed=0 if narrowed else found.ends, more_cuts=0 if narrowed else max(len(found.cuts) - CUTS, 0),
        cuts=() if narrowed else tuple(trace_words.cut(found, one) for one in found.cuts[:CUTS]),
        around=tuple(Near(one.event, one.time, one.change, one.name, one.process or one.account or "", one.why) for one in near))


def _fits(page: TracePage, move: Move) -> bool:
    return ((page.since is None or move.time >= page.since) and (page.until is None or move.time <= page.until)
            and (not page.relation or move.relation in page.relation))


def _with_ways(steps: list[traces.Step], fits: Iterable[int]) -> set[int]:
    """The steps that fit and all before them."""
    kept: set[int] = set()
    for number in fits:
        while number and number not in kept:
            kept.add(number)
            number = steps[number - 1].before
    return kept


def _ordered(steps: list[traces.Step]) -> list[traces.Step]:
    """Back, then forward, each step under the one it belongs to: back the later first, forward the earlier."""
    below: dict[tuple[bool, int], list[traces.Step]] = {}
    for step in steps:
        below.setdefault((step.back, step.before), []).append(step)
    found: list[traces.Step] = []
    for back in (True, False):
        waiting = [step for step in _stacked(below.get((back, 0), []), back)]
        while waiting:
            found.append(waiting.pop())
            waiting += _stacked(below.get((back, found[-1].number), []), back)
    return found


def _stacked(steps: list[traces.Step], back: bool) -> list[traces.Step]:
    ahead = sorted(steps, key=lambda step: step.number, reverse=True)
    return sorted(ahead, key=lambda step: step.move.time, reverse=not back)


def _line(found: traces.Trace, step: traces.Step, fits: bool) -> Line:
    move = step.move
    before, after = trace_words.around(move, step.back)
    return Line(step.number, step.before, "back" if step.back else "forward", step.depth, move.time, move.relation, before,
                thing(move.to.key, found.names[move.to.key]), after, trace_words.basis(move), move.event, move.events,
                trace_words.why(step.score), step.again, fits)


def _path(connection: sqlite3.Connection, page: TracePage, one: Entity, other: Entity) -> TracePage:
    """How the one led to the other, each step told of the one before."""
    if (one.kind, one.id) == (other.kind, other.id):
        raise Misuse(f"both names mean {one.kind} {one.name}")
    found = paths.path(connection, one, other)
    first = (found.first.kind, found.first.id)
    ends = traces.changed(connection, first[1]) if first[0] == "event" else [first]
    here = next((key for key in ends if found.steps and key in (found.steps[0].subject, found.steps[0].object)), first)
    begin, lines = here, []
    for number, move in enumerate(found.steps, 1):
        there = move.object if move.subject == here else move.subject
        content = move.relation == "had" and there == move.subject
        words = "came to" if content else trace_words.label(move.relation)
        lines.append(Line(number, number - 1, "forward", number, move.time, move.relation, words,
                          thing(there, entities.name(connection, *there)), "", trace_words.basis(move), move.event, move.events,
                          "", None))
        here = there
    return replace(page, start=thing(begin, entities.name(connection, *begin)), steps=tuple(lines),
                   end=thing((found.last.kind, found.last.id), found.last.name), path=said(found))


def said(found: paths.Path) -> str:
    """A way, or why there is none, as a sentence."""
    first, last = (f"{one.kind} {one.name}" for one in (found.first, found.last))
    missed = " Some things on the way have more neighbours than were looked at: " if found.bounded else ""
    if found.steps:
        count = f"{len(found.steps)} step{'s' if len(found.steps) > 1 else ''}"
        other = ", and not the other way round" if found.swapped else ""
        told = f"{first[0].upper()}{first[1:]} led to {last} in {count}{other}."
        return told + (f"{missed}there may be an earlier way." if missed else "")
    none = "They are connected, but only against time." if found.against_time else "There is no connection."
    return (f"No way was found from {first} to {last} or back within {paths.STEPS} steps. {none}"
            + (f"{missed}there may be a way that was missed." if missed else ""))
