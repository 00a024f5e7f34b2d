"""One step from a visit, in the direction that is asked for."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from fimforensics.queries import trace_back, trace_forward
from fimforensics.queries.trace_steps import Move, Visit


def moves(db: sqlite3.Connection, visit: Visit, back: bool, most: int) -> list[Move]:
    """The steps from a visit, of each relation at most `most`, nearest in time first; `fan` tells how many there are."""
    steps = (trace_back.STEPS if back else trace_forward.STEPS).get(visit.kind, ())
    found: list[Move] = []
    for step in steps:
        group = list(step(db, visit, most))
        found += [move if move.fan else replace(move, fan=len(group)) for move in group]
    return found
