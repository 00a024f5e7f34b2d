"""How telling a step is: a number in (0, 1], of three parts that are shown with it.

    rarity    1 / (1 + log2 of the hosts that know it: the content, this program writing in this folder, this account using this
              program); where no analysis says so, 1 / (1 + log10 of how many relations the thing is in)
    fan-out   1 / (1 + log10 of how many such steps go out from the same place)
    nearness  1 / (1 + log10 of 1 + the minutes between the step and what it explains or follows from)

A step's score is the third root of their product; its rank is that times the rank of the step before it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from math import log2, log10
from typing import Any

from fimforensics import places
from fimforensics.queries.trace_steps import CHANGES, Key, Move, Visit

DEGREE = 1_000  # relations counted at the most


@dataclass(frozen=True)
class Score:
    """The parts of a score, and what they stand on: hosts that know the thing (of how many), or its relations; fan; seconds."""

    score: float
    rarity: float
    fan_out: float
    nearness: float
    hosts: int | None
    of_hosts: int
    relations: int | None
    fan: int
    seconds: float


@dataclass
class Known:
    """What was looked up for scores already, so that it is looked up once."""

    of_hosts: int
    hosts: dict[tuple, int | None] = field(default_factory=dict)
    relations: dict[Key, int] = field(default_factory=dict)
    names: set[str] | None = None  # of hosts, in short


def score(db: sqlite3.Connection, visit: Visit, move: Move, known: Known) -> Score:
    """The score of a move from a visit."""
    pair = (move.subject, move.object) if move.relation in (*CHANGES, "ran") else (move.to.key,)
    if pair not in known.hosts:
        known.hosts[pair] = _hosts(db, move, known)
    hosts, relations = known.hosts[pair], None
    if hosts is None:
        if move.to.key not in known.relations:
            known.relations[move.to.key] = _degree(db, move.to.key)
        relations = known.relations[move.to.key]
    seconds = 0.0 if visit.whole else apart(visit.time, move.time)
    rarity = 1 / (1 + (log2(max(hosts, 1)) if hosts is not None else log10(max(relations or 1, 1))))
    fan_out, nearness = 1 / (1 + log10(max(move.fan, 1))), 1 / (1 + log10(1 + seconds / 60))
    whole = round((rarity * fan_out * nearness) ** (1 / 3), 6)
    return Score(whole, round(rarity, 6), round(fan_out, 6), round(nearness, 6), hosts, known.of_hosts, relations, move.fan,
                 seconds)


def apart(one: str, other: str) -> float:
    """Seconds between two times of events."""
    return round(abs((_time(one) - _time(other)).total_seconds()), 3)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text[:26])


def _hosts(db: sqlite3.Connection, move: Move, known: Known) -> int | None:
    """On how many hosts the content is known, or the pair of program and folder, or of account and program."""
    if move.to.kind == "content":
        return _cell(db, "SELECT hosts FROM content_spread WHERE content_id = ?", move.to.id)
    if move.relation in CHANGES and move.subject[0] == "process":
        kind, number = move.object
        key = _cell(db, f"SELECT key FROM {'files' if kind == 'file' else 'registry_values'} WHERE id = ?", number) or ""
        place = places.folded(places.split(key)[0] if kind == "file" else key)
        return _pair(db, "image in folder", _image(db, move.subject[1]), place)
    if move.relation == "ran":
        if known.names is None:
            known.names = {places.short(name) for (name,) in db.execute("SELECT name FROM hosts")}
        name, domain, account = db.execute("SELECT name, domain, account FROM accounts WHERE id = ?",
                                           (move.subject[1],)).fetchone()
        return _pair(db, "account with image", places.person(name, domain, account, known.names), _image(db, move.object[1]))
    return None


def _pair(db: sqlite3.Connection, kind: str, subject: str, object_: str) -> int | None:
    return _cell(db, "SELECT hosts FROM rarity WHERE kind = ? AND subject = ? AND object = ?", kind, subject, object_)


def _image(db: sqlite3.Connection, process: int) -> str:
    key, name = db.execute("SELECT image_key, name FROM processes WHERE id = ?", (process,)).fetchone()
    return places.image(key or "") or name.lower()


def _cell(db: sqlite3.Connection, sql: str, *values: object) -> Any:
    row = db.execute(sql, values).fetchone()
    return row[0] if row else None


def _degree(db: sqlite3.Connection, key: Key) -> int:
    """In how many relations the thing is, as far as counted."""
    return sum(db.execute(f"SELECT count(*) FROM (SELECT 1 FROM relations INDEXED BY relations_{end} WHERE {end}_kind = ? "
                          f"AND {end}_id = ? LIMIT {DEGREE})", key).fetchone()[0] for end in ("subject", "object"))
