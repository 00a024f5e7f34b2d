"""A model of versions that knows nothing of how they are made: it keeps the whole world, what lies at each place, event by event.

It is slow and plain; the laws compare its rows with those of the analysis.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Thing:
    """What lies at a place: `told` is what is known of it, `number` tells two rows apart that look alike."""

    chain: int
    there: bool
    basis: str
    told: tuple  # a file: hashes and size; a value: data and the key of the event that holds them
    since: str | None
    begun: str | None
    seen: str
    previous: tuple | None = None
    differs: str | None = None
    before: str | None = None
    number: int = 0
    left: tuple = (None, None, None)  # of an absent thing: what was told of it before


@dataclass
class World:
    """All places of all hosts, and the rows that are over."""

    things: dict[tuple, Thing] = field(default_factory=dict)
    over: list[tuple] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    last: dict[int, str | None] = field(default_factory=dict)
    chains: int = 0

    def new(self, place: tuple, thing: Thing, event: dict | None) -> None:
        """Something begins here; without an event nobody saw it."""
        number = len(self.counts)
        self.counts[number], self.last[number] = (1, event["key"]) if event else (0, None)
        self.things[place] = replace(thing, number=number)

    def touch(self, place: tuple, event: dict) -> None:
        """It is as it was."""
        thing = self.things[place]
        self.counts[thing.number] += 1
        self.last[thing.number] = event["key"]
        self.things[place] = replace(thing, seen=event["time"])

    def end(self, place: tuple, until: str | None, by: str | None) -> tuple | None:
        """It is over; gives what the next row of its chain has as its previous one."""
        thing = self.things.pop(place)
        self.over.append((place, thing, until, by))
        return (thing.since, place[1]) if thing.there else thing.previous

    def chain(self) -> int:
        """A new chain."""
        self.chains += 1
        return self.chains

    def leave(self, place: tuple, fresh: Thing, basis: str, event: dict) -> None:
        """What is present here is gone from here on; where nothing was known, or it was gone, that is all there is to say."""
        thing = self.things.get(place)
        gone = replace(fresh, there=False, basis=basis, told=(None, None, None))
        if thing is None:
            self.new(place, replace(gone, chain=self.chain(), before="unknown"), event)
        elif not thing.there:
            self.touch(place, event)
        else:
            previous = self.end(place, event["time"], event["key"])
            self.new(place, replace(gone, chain=thing.chain, previous=previous, left=thing.told), event)

    def rows(self) -> list[tuple]:
        """All rows by place, those of a place in order, chains numbered as they are met."""
        for place in list(self.things):
            self.end(place, None, None)
        chains: dict[int, int] = {}
        return [(chains.setdefault(thing.chain, len(chains)), *place, "present" if thing.there else "absent", thing.basis,
                 *thing.told, thing.since, until, thing.begun, self.last[thing.number], by, *(thing.previous or (None, None)),
                 thing.differs, thing.before, self.counts[thing.number])
                for place, thing, until, by in sorted(self.over, key=lambda row: row[0])]


# ---- files

def same(one: tuple, other: tuple) -> str:
    """Of two (sha256, sha1, size): yes, no or unknown."""
    pairs = [(a, b) for a, b in zip(one[:2], other[:2], strict=True) if a and b]
    if pairs:
        return "yes" if all(a == b for a, b in pairs) else "no"
    return "no" if None not in (one[2], other[2]) and one[2] != other[2] else "unknown"


def differs(thing: Thing, told: tuple, previous: tuple | None) -> str | None:
    """What the row after this thing says."""
    if previous is None:
        return None
    return {"yes": "no", "no": "yes"}.get(same(thing.told if thing.there else thing.left, told), "unknown")


def basis(told: tuple) -> str:
    """How the content is known."""
    return "hash" if told[0] or told[1] else "event only" if told[2] is None else "size"


def file_world(events: Iterable[dict]) -> World:
    """The world after these events of files, in order."""
    world, before = World(), None
    for event in events:
        here, was = (event["host"], event["place"]), (event["host"], event["was"]) if event["was"] in event["known"] else None
        fresh = Thing(0, True, basis(event["told"]), event["told"], event["time"], event["key"], event["time"])
        moves = event["change"] == "Renamed" and was != here
        repeats, before = before == (here[0], event["match"]) and moves, (here[0], event["match"])
        if repeats:
            for place in [here] if was is None else [here, was]:
                world.touch(place, event)
        elif moves:
            _move(world, event, fresh, here, was)
        elif event["change"] == "Deleted":
            world.leave(here, fresh, "deleted", event)
        else:
            _be(world, event, fresh, here)
    return world


def _be(world: World, event: dict, fresh: Thing, here: tuple) -> None:
    told, thing = event["told"], world.things.get(here)
    if thing is None:
        first = "absent" if event["change"] == "Created" else "unknown"
        world.new(here, replace(fresh, chain=world.chain(), before=first), event)
        return
    alike = same(thing.told, told) == "yes" if told[0] or told[1] else (
        None in (told[2], thing.told[2]) or told[2] == thing.told[2] if event["change"] == "Renamed"
        else basis(thing.told) != "hash" and thing.told[2] == told[2])
    if thing.there and alike:
        world.touch(here, event)
    else:
        previous = world.end(here, event["time"], event["key"])
        world.new(here, replace(fresh, chain=thing.chain, previous=previous, differs=differs(thing, told, previous)), event)


def _move(world: World, event: dict, fresh: Thing, here: tuple, was: tuple | None) -> None:
    source, told = world.things.get(was or ()), event["told"]
    if here in world.things:
        world.end(here, event["time"], event["key"])
    if source is None:
        world.new(here, replace(fresh, chain=world.chain(), before="unknown"), event)
    else:
        previous = world.end(was or (), event["time"], event["key"])
        carried = source.there and (same(source.told, told) == "yes" if told[0] or told[1] else
                                    None in (source.told[2], told[2]) or source.told[2] == told[2])
        if carried and not (told[0] or told[1]):
            told = (*source.told[:2], source.told[2] if told[2] is None else told[2])
        world.new(here, replace(fresh, chain=source.chain, told=told, basis=basis(told), previous=previous,
                                differs="no" if carried else differs(source, told, previous)), event)
    if was is not None:
        world.new(was, replace(fresh, there=False, basis="moved away", told=(None, None, None), chain=world.chain(),
                               before=None if source else "unknown"), event)


# ---- registry: a place is (host, "key|name"), `told` is (data, event that holds them, nothing)

def registry_world(events: Iterable[dict]) -> World:
    """The world after these events of registry keys and values, in order."""
    world, before = World(), None
    for event in events:
        here = (event["host"], f"{event['of']}|{event['name']}")
        told = (event["data"], event["key"] if event["data"] else None, None)
        fresh = Thing(0, True, "data" if event["data"] else "event only", told, event["time"], event["key"], event["time"])
        moves = event["change"] == "RegistryKeyRenamed" and event["was"] not in (None, event["of"])
        repeats, before = before == (here[0], event["match"]) and moves, (here[0], event["match"])
        if event["old"] and not repeats:
            _reveal(world, event, here)
        if repeats:
            world.touch(here, event)
        elif moves:
            _move_key(world, event, fresh, here)
        elif event["change"] in ("RegistryValueDeleted", "RegistryKeyDeleted"):
            world.leave(here, fresh, "deleted", event)
            for place in _present(world, here[0], event["of"]) if event["change"] == "RegistryKeyDeleted" else ():
                world.leave(place, fresh, "key deleted", event)
        else:
            _set(world, event, fresh, here)
    return world


def _present(world: World, host: str, key: str) -> list[tuple]:
    return [place for place, thing in world.things.items() if place[0] == host and place[1].startswith(key + "|") and thing.there]


def _data_differ(thing: Thing, data: str | None, previous: tuple | None) -> str | None:
    known = (thing.told if thing.there else thing.left)[0]
    return None if previous is None else "unknown" if None in (known, data) else "no" if known == data else "yes"


def _reveal(world: World, event: dict, here: tuple) -> None:
    thing = world.things.get(here)
    told = Thing(0, True, "inferred from old value", (event["old"], event["key"], None), None, None, event["time"],
                 before="unknown")
    if thing is None:
        world.new(here, replace(told, chain=world.chain()), None)
    elif thing.seen < event["time"] and not (thing.there and thing.told[0] == event["old"]):
        previous = world.end(here, thing.seen, None)
        world.new(here, replace(told, chain=thing.chain, since=thing.seen, previous=previous, before=None,
                                differs=_data_differ(thing, event["old"], previous)), None)


def _set(world: World, event: dict, fresh: Thing, here: tuple) -> None:
    thing, data = world.things.get(here), event["data"]
    if thing is None:
        first = "absent" if event["change"] == "RegistryKeyCreated" else "unknown"
        world.new(here, replace(fresh, chain=world.chain(), before=first), event)
    elif thing.there and (thing.told[0] == data if data or event["change"] in ("RegistryValueSet", "Scanned") else True):
        world.touch(here, event)
    else:
        previous = world.end(here, event["time"], event["key"])
        world.new(here, replace(fresh, chain=thing.chain, previous=previous, differs=_data_differ(thing, data, previous)), event)


def _move_key(world: World, event: dict, fresh: Thing, here: tuple) -> None:
    host, to, old = here[0], event["of"], event["was"]
    present = _present(world, host, old)
    sources = [place for place in event["known"] if place in present or place == (host, old + "|")]
    target = {place: (host, to + place[1][len(old):]) for place in sources}
    arriving = {target[place]: place for place in sources if target[place] in event["known"]}
    for place in _present(world, host, to):
        if place not in arriving and place != here:
            world.leave(place, fresh, "key deleted", event)
    things = dict(world.things)
    for place in sources:
        previous = world.end(place, event["time"], event["key"]) if place in things else None
        if place in things and target[place] in event["known"]:
            thing = things[place]
            if target[place] in world.things:
                world.end(target[place], event["time"], event["key"])
            kept = {"told": thing.told, "basis": thing.basis, "differs": "no"} if thing.there else {
                "differs": None if previous is None else "unknown"}
            world.new(target[place], replace(fresh, chain=thing.chain, previous=previous, **kept), event)
        world.new(place, replace(fresh, there=False, basis="moved away", told=(None, None, None), chain=world.chain(),
                                 before=None if place in things else "unknown"), event)
    if arriving.get(here) not in things:
        if here in world.things:
            world.end(here, event["time"], event["key"])
        world.new(here, replace(fresh, chain=world.chain(), before="unknown"), event)
