"""A trace and a path as lines for people: one screen, the start first, then a tree of steps with times, then what lies around."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from fimforensics.queries import entities
from fimforensics.queries.entities import Entity
from fimforensics.queries.neighbours import MINUTES, Neighbour
from fimforensics.queries.trace import Cut, Step, Trace
from fimforensics.queries.trace_path import Path
from fimforensics.queries.trace_steps import Key, Move
from fimforensics.queries.trace_words import many, why
from fimforensics.text import visible

WIDTH = 140
CUTS = 3  # lines about what is cut


def fit(text: str, width: int) -> str:
    """The text, made visible, shortened in its middle to a width."""
    text = visible(text)
    return text if len(text) <= width else f"{text[:(width - 1) // 2]}…{text[len(text) - (width - 1 - (width - 1) // 2):]}"


def clock(time: object) -> str:
    """A time as people read it: UTC, to the millisecond."""
    return visible(str(time))[:23].replace("T", " ").rstrip("Z")


def lines(found: Trace, start: dict, around: Sequence[Neighbour], direction: str, depth: int) -> Iterator[str]:
    """The whole trace."""
    host = str(start.get("host") or "")
    yield from head(found.start, start)
    for back, title, none in ((True, "What led to it, later first:", "Nothing that is known led to it."),
                              (False, "What it led to:", "Nothing that is known came of it.")):
        if direction in ("both", "back" if back else "forward"):
            tree = list(_tree(found, back, host))
            yield title if tree else none
            yield from tree
    yield from _cut(found, host, depth)
    if around:
        yield f"Around it on the same host, within {MINUTES} minutes:"
        yield from (_neighbour(one, host) for one in around)


def head(entity: Entity, start: dict) -> Iterator[str]:
    """What the trace begins with: three to six lines."""
    yield fit(f"{entity.kind.capitalize()} {entity.name}", WIDTH)
    if not start:
        return
    what = start["path"] or "\\".join(str(part) for part in (start["key"], start["value"]) if part) or ""
    whole = f" {what}" if entity.kind not in ("file", "registry value") else ""
    yield fit(f"  {clock(start['time'])} UTC on {start['host']}: {start['change']}{whole} (event {start['event']})", WIDTH)
    pid = "" if start["pid"] is None else f"[{start['pid']}]"
    began = f" since {clock(start['created'])}" if start["created"] else ""
    image = start["image"] or start["process"]
    by = f"{image}{pid}{began}" if image else "a process that is not told"
    yield fit(f"  by {by}, account {start['account'] or 'unknown'}", WIDTH)
    if start["request_account"] or start["request_address"]:
        asked = start["request_account"] or "an unknown account"
        yield fit(f"  on behalf of {asked} from {start['request_address'] or 'an unknown address'}", WIDTH)
    for name in ("command", "old_path", "data", "old_data"):
        if start[name] not in (None, ""):
            yield fit(f"  {name.replace('_', ' ')}: {start[name]}", WIDTH)
    digest = start["sha256"] or start["sha1"] or start["md5"]
    if digest:
        yield f"  content: {visible(str(digest))}"


def _tree(found: Trace, back: bool, host: str) -> Iterator[str]:
    """The steps in one direction, each under the one it belongs to, in order of time."""
    below: dict[int, list[Step]] = {}
    for step in found.steps:
        if step.back == back:
            below.setdefault(step.before, []).append(step)
    waiting = _ordered(below.get(0, []), back)
    while waiting:
        step = waiting.pop()
        yield _line(found, step, host)
        waiting += _ordered(below.get(step.number, []), back)


def _ordered(steps: list[Step], back: bool) -> list[Step]:
    """For a stack: the step to print first is the last."""
    ahead = sorted(steps, key=lambda step: step.number, reverse=True)
    return sorted(ahead, key=lambda step: step.move.time, reverse=not back)


def _line(found: Trace, step: Step, host: str) -> str:
    because = _why(step)
    begin = f"{clock(step.move.time)}  {'  ' * (step.depth - 1)}"
    return begin + fit(_told(found, step, host), WIDTH - len(begin) - len(because)) + because


def _told(found: Trace, step: Step, host: str) -> str:
    move, to = step.move, short(found.names[step.move.to.key], step.move.to.key, host)
    again = " (followed elsewhere here)" if step.again else ""
    content = move.relation == "had"
    if step.back:
        said = (f"it had content {to}, which was elsewhere before" if content and move.to.key == move.object else
                f"{to} had it" if content else f"{to} was {move.relation} it" if move.relation == "renamed to" else
                f"{to} {move.relation} it")
        return f"← {said}{_basis(move)}{again}"
    said = (f"had content {to}, which came elsewhere" if content and move.to.key == move.object else
            f"came to {to}" if content else f"was renamed to {to}" if move.relation == "renamed to" else f"{move.relation} {to}")
    return f"→ {said}{_basis(move)}{again}"


def _basis(move: Move) -> str:
    return f" (by {move.basis})" if move.basis and move.relation == "became" else f" ({move.basis})" if move.basis else ""


def _why(step: Step) -> str:
    """Why it stands so high, in few words."""
    told = why(step.score)
    return f"  · {told}" if told else ""


def short(name: str, key: Key, host: str) -> str:
    """A name without its host where that is the start's, and without a process's time of creation; a hash in part."""
    if key[0] == "content":
        return name[:16] + "…" if len(name) > 16 else name
    if host and name.startswith(host + ":"):
        name = name[len(host) + 1:]
    return name.rpartition("]@")[0] + "]" if key[0] == "process" and "]@" in name else name


def _cut(found: Trace, host: str, depth: int) -> Iterator[str]:
    """What was cut, the most first."""
    for cut in found.cuts[:CUTS]:
        yield fit("Not all is shown: " + cut_told(found, cut, host), WIDTH)
    if len(found.cuts) > CUTS:
        yield f"Not all is shown: so it is at {len(found.cuts) - CUTS:,} other places; --limit shows more, --json names them."
    if found.ends:
        yield f"Not followed: {found.ends:,} of the steps above are {depth} away from the start and go on; --depth shows further."


def cut_told(found: Trace, cut: Cut, host: str) -> str:
    """A cut in plain words."""
    step = found.steps[cut.after - 1] if cut.after else None
    thing = short(found.names[step.move.to.key], step.move.to.key, host) if step else short(found.start.name, (
        found.start.kind, found.start.id), host)
    way = "before" if cut.back else "after"
    return (f"{cut.shown:,} of {many(cut.of)} steps {way} {fit(thing, 60)} by “{cut.relation}”: "
            "the most telling of the nearest in time.")


def _neighbour(one: Neighbour, host: str) -> str:
    by = short(one.process, ("process", 0), host) if one.process else one.account or "unknown"
    end = f"  · {one.why}"
    begin = f"{clock(one.time)}  {fit(by, 40)} {visible(one.change)} "
    return begin + fit(short(one.name, (one.kind, 0), host), WIDTH - len(begin) - len(end)) + end


def path_lines(db: sqlite3.Connection, found: Path, steps: int) -> Iterator[str]:
    """A path, or why there is none."""
    first, last = (fit(f"{one.kind} {one.name}", WIDTH // 2 - 10) for one in (found.first, found.last))
    if found.steps:
        count = f"{len(found.steps)} step{'s' if len(found.steps) > 1 else ''}"
        yield f"{first[0].upper()}{first[1:]} led to"
        yield f"{last} in {count}{', and not the other way round' if found.swapped else ''}:"
    for move in found.steps:
        one, other = (fit(entities.name(db, *key), (WIDTH - 45) // 2) for key in (move.subject, move.object))
        word = "had content" if move.relation == "had" else "was renamed to" if move.relation == "renamed to" else move.relation
        yield f"{clock(move.time)}  {one} {word} {other}{_basis(move)}" + (f" (event {move.event})" if move.event else "")
    if not found.steps:
        yield f"No way was found from {first}"
        yield f"to {last} or back within {steps} steps" + (
            ": they are connected, but only against time." if found.against_time else ": no connection.")
    if found.bounded:
        yield "Some things on the way have more neighbours than were looked at: " + (
            "there may be an earlier way." if found.steps else "there may be a way that was missed.")
