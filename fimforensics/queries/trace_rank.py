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
    images: dict[int, str] = field(default_factory=dict)
    people: dict[int, str] = field(default_factory=dict)
    names: set[str] | None = None  # of hosts, in short


def known_of(db: sqlite3.Connection) -> Known:
    """What is known of a case at first: how many hosts it has."""
    return Known(db.execute("SELECT count(*) FROM hosts").fetchone()[0])


def score(db: sqlite3.Connection, visit: Visit, move: Move, fan: int, known: Known) -> Score:
    """The score of a move from a visit, of `fan` such moves."""
    hosts, relations = _hosts(db, move, known), None
    if hosts is None:
        if move.to.key not in known.relations:
            known.relations[move.to.key] = _degree(db, move.to.key)
        relations = known.relations[move.to.key]
    seconds = 0.0 if visit.whole else apart(visit.time, move.time)
    rarity = 1 / (1 + (log2(max(hosts, 1)) if hosts is not None else log10(max(relations or 1, 1))))
    fan_out, nearness = 1 / (1 + log10(max(fan, 1))), 1 / (1 + log10(1 + seconds / 60))
    whole = round((rarity * fan_out * nearness) ** (1 / 3), 6)
    return Score(whole, round(rarity, 6), round(fan_out, 6), round(nearness, 6), hosts, known.of_hosts, relations, fan, seconds)


def highest(visit: Visit, near: str, fan: int) -> float:
    """What no score of a move from a visit exceeds that is not nearer than this time: that of the rarest, a little more."""
    seconds = 0.0 if visit.whole else apart(visit.time, near)
    return ((1 + log10(max(fan, 1))) * (1 + log10(1 + seconds / 60))) ** (-1 / 3) + 0.000_002


def apart(one: str, other: str) -> float:
    """Seconds between two times of events."""
    return round(abs((_time(one) - _time(other)).total_seconds()), 3)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text[:26])


def _hosts(db: sqlite3.Connection, move: Move, known: Known) -> int | None:
    """On how many hosts the content is known, or the pair of program and folder, or of account and program."""
    pair: tuple[str, str, str | int]
    if move.to.kind == "content":
        pair = ("content", "", move.to.id)
    elif move.relation in CHANGES and move.subject[0] == "process":
        table, number = "files" if move.object[0] == "file" else "registry_values", move.object[1]
        key = _cell(db, f"SELECT key FROM {table} WHERE id = ?", number) or ""
        place = places.folded(places.split(key)[0] if move.object[0] == "file" else key)
        pair = ("image in folder", _image(db, move.subject[1], known), place)
    elif move.relation == "ran":
        pair = ("account with image", _person(db, move.subject[1], known), _image(db, move.object[1], known))
    else:
        return None
    if pair not in known.hosts:
        known.hosts[pair] = (_cell(db, "SELECT hosts FROM content_spread WHERE content_id = ?", pair[2]) if pair[0] == "content"
                             else _cell(db, "SELECT hosts FROM rarity WHERE kind = ? AND subject = ? AND object = ?", *pair))
    return known.hosts[pair]


def _person(db: sqlite3.Connection, account: int, known: Known) -> str:
    if account not in known.people:
        if known.names is None:
            known.names = {places.short(name) for (name,) in db.execute("SELECT name FROM hosts")}
        name, domain, alone = db.execute("SELECT name, domain, account FROM accounts WHERE id = ?", (account,)).fetchone()
        known.people[account] = places.person(name, domain, alone, known.names)
    return known.people[account]


def _image(db: sqlite3.Connection, process: int, known: Known) -> str:
    if process not in known.images:
        key, name = db.execute("SELECT image_key, name FROM processes WHERE id = ?", (process,)).fetchone()
        known.images[process] = places.image(key or "") or name.lower()
    return known.images[process]


def _cell(db: sqlite3.Connection, sql: str, *values: object) -> Any:
    row = db.execute(sql, values).fetchone()
    return row[0] if row else None


def _degree(db: sqlite3.Connection, key: Key) -> int:
    """In how many relations the thing is, as far as counted."""
    return sum(db.execute(f"SELECT count(*) FROM (SELECT 1 FROM relations INDEXED BY relations_{end} WHERE {end}_kind = ? "
                          f"AND {end}_id = ? LIMIT {DEGREE})", key).fetchone()[0] for end in ("subject", "object"))
