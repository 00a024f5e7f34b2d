"""What the explorer is asked for, out of its address and back into one: the address holds the whole state of the picture.

`of` are the things it begins with (`begin`: expanded, too), `trace` one whose trace is taken in, `open` those that are expanded
(`process#7`, or with how many of each relation: `process#7*40`), `pin` those that stay (`file#3`, or at a place:
`file#3@480,120`), `pick` the two ends of a way, `leave` what is left out, `on` the thing that is told beside. `since`, `until`,
`relation` narrow, `at` is the slider.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from fimforensics.errors import Misuse
from fimforensics.queries import entities
from fimforensics.queries import trace as traces
from fimforensics.queries.ambiguous import Ambiguous
from fimforensics.queries.graph_near import RELATIONS
from fimforensics.queries.moments import moment
from fimforensics.queries.trace_steps import Key
from fimforensics.site.twins import Asked

KINDS = ("event", "file", "registry value", "process", "account", "content", "address")
MOST_ROOTS, MOST_OPEN, MOST_PINS, MOST_LEFT = 40, 60, 60, 60
OPENED, MOST_OPENED = 12, 200  # of each relation
HOST_FINDINGS = 6  # of a host, whose things are shown
FAR = 40_000  # where a thing may be put
_THING = r"(file|value|process|account|content|address)#([0-9]{1,18})"
_PINNED = re.compile(_THING + r"(?:@(-?[0-9]{1,5}),(-?[0-9]{1,5}))?")
_OPENED = re.compile(_THING + r"(?:\*([0-9]{1,4}))?")
Place = tuple[int, int]


@dataclass(frozen=True)
class State:
    """The state of a picture. Everything is in the order in which it was asked for."""

    of: tuple[Key, ...] = ()
    trace: Key | None = None
    direction: str = "both"
    depth: int = traces.DEPTH
    limit: int = traces.LIMIT
    open: tuple[tuple[Key, int], ...] = ()
    pin: tuple[tuple[Key, Place | None], ...] = ()
    pick: tuple[Key, ...] = ()
    leave: tuple[Key, ...] = ()
    since: str | None = None
    until: str | None = None
    relation: tuple[str, ...] = ()
    at: str | None = None
    on: Key | None = None

    def query(self, **other: object) -> str:
        """The query string of this state, with some of it otherwise. What stays is written once, for a page asks often."""
        parts = self._written
        if other:
            changed = replace(self, **other)  # type: ignore[arg-type]
            parts = {**parts, **{name: _encoded(changed, name) for name in other}}
        return "&".join(part for part in parts.values() if part)

    @cached_property
    def _written(self) -> dict[str, str]:
        return {name: _encoded(self, name) for name in PARTS}

    def arguments(self) -> list[tuple[str, str]]:
        """The arguments of its address, for forms."""
        return [pair for part in PARTS.values() for pair in part(self)]

    def begun(self, key: Key) -> str:
        """The address with one thing more to begin with, expanded."""
        return self.query(of=(*self.of, key), open=(*self.open, (key, OPENED)))

    def opened(self, key: Key, most: int = OPENED) -> str:
        """The address with the thing expanded, to so many of each relation."""
        return self.query(open=(*(one for one in self.open if one[0] != key), (key, most)))

    def closed(self, key: Key) -> str:
        """The address with the thing collapsed."""
        return self.query(open=tuple(one for one in self.open if one[0] != key))

    def pinned(self, key: Key, on: bool) -> str:
        """The address with the thing pinned or not."""
        rest = tuple(one for one in self.pin if one[0] != key)
        return self.query(pin=(*rest, (key, None)) if on else rest)

    def picked(self, key: Key) -> str:
        """The address with the thing as an end of a way, or no end any more."""
        if key in self.pick:
            return self.query(pick=tuple(one for one in self.pick if one != key))
        return self.query(pick=(*self.pick[:1], key))

    def left(self, key: Key) -> str:
        """The address without the thing."""
        return self.query(leave=(*self.leave, key), of=tuple(one for one in self.of if one != key),
                          open=tuple(one for one in self.open if one[0] != key), on=None if self.on == key else self.on,
                          pin=tuple(one for one in self.pin if one[0] != key), pick=tuple(one for one in self.pick if one != key))


# What each argument holds, in the order of an address; what belongs to a trace goes with it.
PARTS: dict[str, Callable[[State], Iterable[tuple[str, str]]]] = {
    "of": lambda state: (("of", written(key)) for key in state.of),
    "trace": lambda state: _trace(state) if state.trace else (),
    "open": lambda state: (("open", written(key) + (f"*{most}" if most != OPENED else "")) for key, most in state.open),
    "pin": lambda state: (("pin", written(key) + (f"@{place[0]},{place[1]}" if place else "")) for key, place in state.pin),
    "pick": lambda state: (("pick", written(key)) for key in state.pick),
    "leave": lambda state: (("leave", written(key)) for key in state.leave),
    "since": lambda state: (("since", state.since),) if state.since else (),
    "until": lambda state: (("until", state.until),) if state.until else (),
    "relation": lambda state: (("relation", one) for one in state.relation),
    "at": lambda state: (("at", state.at),) if state.at else (),
    "on": lambda state: (("on", written(state.on)),) if state.on else (),
}


def _trace(state: State) -> Iterator[tuple[str, str]]:
    assert state.trace is not None
    yield "trace", written(state.trace)
    yield from ((name, str(value)) for name, value, usual in (
        ("direction", state.direction, "both"), ("depth", state.depth, traces.DEPTH), ("limit", state.limit, traces.LIMIT))
        if value != usual)


def _encoded(state: State, name: str) -> str:
    return urlencode(list(PARTS[name](state)))


def written(key: Key) -> str:
    """A thing as it stands in an address."""
    return f"{key[0].removeprefix('registry ')}#{key[1]}"


@dataclass(frozen=True)
class Unclear:
    """A name that may mean several things, and which; the rest of the state does without it."""

    name: str
    found: tuple[Key, ...]
    for_trace: bool


def asked_for(connection: sqlite3.Connection, asked: Asked) -> tuple[State, Unclear | None]:
    """The state that an address holds, and a name in it that may mean several things; Misuse for what is none."""
    of: list[Key] = []
    begun: entities.Entity | None = None
    unclear: Unclear | None = None
    expanded: list[Key] = []
    for argument in ("of", "begin", "trace"):
        for name in (name.strip() for name in asked.arguments.get(argument, [])[:MOST_ROOTS] if name.strip()):
            try:
                found = things_of(connection, name) if argument != "trace" else []
                of += found
                expanded += found if argument == "begin" else []
                begun = entities.resolve(connection, name, KINDS) if argument == "trace" else begun
            except Ambiguous as several:
                unclear = Unclear(name, several.found, argument == "trace")
    direction = asked.one("direction", "both")
    if direction not in ("both", "back", "forward"):
        raise Misuse(f"direction is {direction!r}", hint="It is back, forward or both")
    since, until, at = (moment(connection, asked.one(name).strip(), name) if asked.one(name).strip() else None
                        for name in ("since", "until", "at"))
    opened = [(_key(one), max(1, min(MOST_OPENED, int(one[3] or OPENED)))) for one in _told(_OPENED, asked, "open", MOST_OPEN)]
    pins = [(_key(one), _place(one[3], one[4])) for one in _told(_PINNED, asked, "pin", MOST_PINS)]
    picks, left, on = ([_key(one) for one in _told(_PINNED, asked, name, most)]
                       for name, most in (("pick", 2), ("leave", MOST_LEFT), ("on", 1)))
    of_each = {**dict(opened), **{key: OPENED for key in expanded if key not in dict(opened)}}
    state = State(tuple(dict.fromkeys(of)), (begun.kind, begun.id) if begun else None, direction,
                 asked.whole("depth", traces.DEPTH, 1, 12), asked.whole("limit", traces.LIMIT, 1, 300),
                 tuple(of_each.items()), tuple(dict(pins).items()), tuple(dict.fromkeys(picks)), tuple(dict.fromkeys(left)),
                 since, until, tuple(one for one in RELATIONS if one in asked.arguments.get("relation", ())), at,
                 on[0] if on else None)
    return state, unclear


def things_of(connection: sqlite3.Connection, name: str) -> list[Key]:
    """What a name means in the graph: of an event what it changed, the process and the account, of a finding what it names."""
    if re.fullmatch(r"finding#[0-9]{1,18}", name):
        row = connection.execute("SELECT process_id, account_id, file_id, registry_value_id, content_id FROM findings "
                                 "WHERE id = ?", (int(name[8:]),)).fetchone()
        if row is None:
            raise Misuse(f"there is no {name} in this case")
        return [(kind, number) for kind, number in zip(("process", "account", "file", "registry value", "content"), row,
                                                       strict=True) if number is not None]
    found = entities.resolve(connection, name, (*KINDS, "host"))
    if found.kind == "host":
        return _on_host(connection, found)
    if found.kind != "event":
        return [(found.kind, found.id)]
    row = connection.execute("SELECT process_id, account_id FROM events WHERE id = ?", (found.id,)).fetchone()
    by = [(kind, number) for kind, number in zip(("process", "account"), row, strict=True) if number is not None]
    return [*traces.changed(connection, found.id), *by]


def _on_host(connection: sqlite3.Connection, host: entities.Entity) -> list[Key]:
    """The processes, or else files and values, of its gravest findings: a host is no thing of the graph, everything is on it."""
    rows = connection.execute(
        "SELECT process_id, file_id, registry_value_id FROM findings WHERE host_id = ? ORDER BY CASE severity WHEN 'high' THEN 0 "
        f"WHEN 'medium' THEN 1 WHEN 'low' THEN 2 ELSE 3 END, first, id LIMIT {HOST_FINDINGS}", (host.id,)).fetchall()
    found = [next(((kind, number) for kind, number in zip(("process", "file", "registry value"), row, strict=True)
                   if number is not None), None) for row in rows]
    if not any(found):
        raise Misuse(f"'{host.name}' is a host without findings", hint=f"Name something on it: {host.name}:PATH, or a process")
    return list(dict.fromkeys(key for key in found if key is not None))


def _told(form: re.Pattern[str], asked: Asked, name: str, most: int) -> list[re.Match[str]]:
    found = []
    for text in asked.arguments.get(name, [])[:most]:
        if text.strip():
            match = form.fullmatch(text.strip())
            if match is None:
                raise Misuse(f"{name} is {text[:80]!r}", hint="It is a thing by its kind and number, such as file#12")
            found.append(match)
    return found


def _key(match: re.Match[str]) -> Key:
    return "registry value" if match[1] == "value" else match[1], int(match[2])


def _place(x: str | None, y: str | None) -> Place | None:
    return None if x is None or y is None else (max(-FAR, min(FAR, int(x))), max(-FAR, min(FAR, int(y))))
