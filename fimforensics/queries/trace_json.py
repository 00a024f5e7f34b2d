"""A trace and a path as records with stable keys: where they start, nodes, steps, what was cut, what lies around."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from fimforensics.queries import entities
from fimforensics.queries.neighbours import Neighbour
from fimforensics.queries.trace import COUNTED, Step, Trace
from fimforensics.queries.trace_path import Path
from fimforensics.queries.trace_steps import Key, Move


def records(db: sqlite3.Connection, found: Trace, start: dict, around: Sequence[Neighbour],
            warnings: Sequence[str]) -> Iterator[dict]:
    """Dicts, each with `record`: start, node, step, cut or neighbour."""
    yield {"record": "start", "kind": found.start.kind, "id": found.start.id, "name": found.start.name, "event": start or None,
           "warnings": list(warnings), "not_followed": found.ends}
    for key in found.seen():
        yield {"record": "node", **node(found.names, key)}
    for step in found.steps:
        yield _step(db, found, step)
    for cut in found.cuts:
        yield {"record": "cut", "after": cut.after, "direction": _direction(cut.back), "relation": cut.relation,
               "shown": cut.shown, "of": min(cut.of, COUNTED), "or_more": cut.of > COUNTED}
    for one in around:
        yield {"record": "neighbour", **asdict(one)}


def path_records(db: sqlite3.Connection, found: Path, steps: int, warnings: Sequence[str]) -> Iterator[dict]:
    """Dicts, each with `record`: path, then its steps in order of time."""
    first, last = ({"kind": one.kind, "id": one.id, "name": one.name} for one in (found.first, found.last))
    yield {"record": "path", "first": first, "last": last, "swapped": found.swapped, "steps": len(found.steps) or None,
           "within": steps, "against_time": found.against_time, "bounded": found.bounded, "warnings": list(warnings)}
    names = {key: entities.name(db, *key) for move in found.steps for key in (move.subject, move.object)}
    for number, move in enumerate(found.steps, 1):
        yield {"record": "step", "number": number, **_move(db, names, move)}


def node(names: dict[Key, str], key: Key) -> dict:
    """A thing: its kind, its number in the case, its name."""
    return {"kind": key[0], "id": key[1], "name": names[key]}


def event_key(db: sqlite3.Connection, event: int | None) -> str | None:
    """The key that names an event in every case."""
    row = db.execute("SELECT lower(hex(match_key)) || '-' || ordinal FROM events WHERE id = ?", (event,)).fetchone()
    return row[0] if row else None


def _step(db: sqlite3.Connection, found: Trace, step: Step) -> dict:
    return {"record": "step", "number": step.number, "before": step.before, "direction": _direction(step.back),
            "depth": step.depth, **_move(db, found.names, step.move), "again": step.again, "rank": step.rank,
            "score": asdict(step.score)}


def _move(db: sqlite3.Connection, names: dict[Key, str], move: Move) -> dict:
    return {"time": move.time, "relation": move.relation, "from": node(names, move.subject), "to": node(names, move.object),
            "basis": move.basis, "event": move.event, "event_key": event_key(db, move.event), "events": move.events}


def _direction(back: bool) -> str:
    return "back" if back else "forward"
