"""What lies around a thing in the graph of relations, as far as one look goes: for pictures that a person opens step by step.

A fan is the relations of one kind on one side of a thing. Of each the first `LOOKED` in time are looked at, through an index;
the most telling of them come first: what ran or has a finding, then by time. Contents that are the same under several rows of
`contents` are one thing, an address is one thing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from fimforensics.queries.entities import same_content
from fimforensics.queries.trace_moments import ALL_TIME
from fimforensics.queries.trace_steps import CHANGES, COUNTED, Key

LOOKED = 300  # relations of one fan that are looked at
RENAMES = 60
RELATIONS = ("acted through", "ran", *CHANGES, "became", "renamed to", "had")
# Which relations may go out from a thing, and which may come to it.
OUT: dict[str, tuple[str, ...]] = {
    "account": ("ran", "acted through", *CHANGES), "address": ("acted through",), "process": CHANGES,
    "file": ("became", "renamed to", "had"), "registry value": (), "content": ()}
INTO: dict[str, tuple[str, ...]] = {
    "account": (), "address": (), "process": ("acted through", "ran", "became"), "file": ("renamed to", *CHANGES),
    "registry value": CHANGES, "content": ("had",)}
_FINDING = {"file": "file_id", "registry value": "registry_value_id", "process": "process_id", "account": "account_id",
            "content": "content_id"}


@dataclass(frozen=True)
class Relation:
    """An edge of the graph; `events` are rolled up in it, the first and the last at these times."""

    subject: Key
    relation: str
    object: Key
    basis: str | None
    events: int
    first: str
    last: str

    @property
    def mark(self) -> tuple:
        """What tells it from other edges."""
        return self.subject, self.relation, self.object, self.basis or ""

    def other(self, key: Key) -> Key:
        """The end that is not this one."""
        return self.object if self.subject == key else self.subject


@dataclass(frozen=True)
class Fan:
    """Relations of one kind at one side of a thing, the most telling first; `of` is how many there are, at most COUNTED + 1."""

    relation: str
    out: bool
    rows: tuple[Relation, ...]
    of: int


@dataclass
class Around:
    """A case and what a picture is narrowed to: relations, and a span of time that a relation must touch."""

    db: sqlite3.Connection
    relations: tuple[str, ...] = RELATIONS
    since: str = ""
    until: str = ALL_TIME
    contents: dict[int, int] = field(default_factory=dict)

    def one(self, key: Key) -> Key:
        """The thing under its one number: of equal rows of `contents` the smallest."""
        kind, number = key
        if kind != "content":
            return key
        if number not in self.contents:
            same = same_content(self.db, number) or [number]
            self.contents.update(dict.fromkeys(same, min(same)))
            self.contents[number] = min(same)
        return kind, self.contents[number]

    def rows(self, key: Key) -> list[int]:
        """All rows of its table that are this thing."""
        return same_content(self.db, key[1]) or [key[1]] if key[0] == "content" else [key[1]]


def fans(around: Around, key: Key) -> Iterator[Fan]:
    """All fans of a thing that have relations."""
    for out, may in ((False, INTO.get(key[0], ())), (True, OUT.get(key[0], ()))):
        for relation in may:
            if relation in around.relations:
                found = _renames(around, key, out) if relation == "renamed to" else _fan(around, key, relation, out)
                if found.rows:
                    yield found


def _fan(around: Around, key: Key, relation: str, out: bool) -> Fan:
    end = "subject" if out else "object"
    numbers = around.rows(key)
    where = (f"FROM relations INDEXED BY relations_{end} WHERE {end}_kind = ? AND {end}_id IN ({marks(numbers)}) "
             "AND relation = ? AND first <= ? AND last >= ?")
    values = (key[0], *numbers, relation, around.until, around.since)
    rows = around.db.execute(f"SELECT {COLUMNS} {where} ORDER BY first, subject_id, object_id, basis LIMIT {LOOKED}",
                             values).fetchall()
    found = merged(relation_of(around, row) for row in rows)
    of = len(found) if len(rows) < LOOKED else around.db.execute(
        f"SELECT count(*) FROM (SELECT 1 {where} LIMIT {COUNTED + 1})", values).fetchone()[0]
    telling = told(around, {row.other(key) for row in found})
    return Fan(relation, out, tuple(sorted(found, key=lambda row: row.other(key) not in telling)), of)


def merged(relations: Iterable[Relation]) -> list[Relation]:
    """Each edge once, in order: what several rows tell of it is added up."""
    found: dict[tuple, Relation] = {}
    for one in relations:
        known = found.get(one.mark)
        found[one.mark] = one if known is None else replace(
            known, events=known.events + one.events, first=min(known.first, one.first), last=max(known.last, one.last))
    return list(found.values())


def marks(values: Collection[object]) -> str:
    """Question marks for so many values of a statement."""
    return ", ".join("?" * len(values))


def _renames(around: Around, key: Key, out: bool) -> Fan:
    """The paths that a file got, or had before: told by its versions."""
    here, there = ("v", "n") if out else ("n", "v")
    rows = around.db.execute(
        f"SELECT v.file_id, n.file_id, n.since FROM file_versions {here} "
        + ("JOIN file_versions n ON n.begun_by = v.ended_by AND n.previous_id = v.id " if out
           else "JOIN file_versions v ON v.id = n.previous_id ")
        + f"WHERE {here}.file_id = ? AND {there}.file_id <> {here}.file_id AND n.since <= ? AND n.since >= ? "
        f"ORDER BY n.since, n.id LIMIT {RENAMES}", (key[1], around.until, around.since)).fetchall()
    found = merged(Relation(("file", one), "renamed to", ("file", other), None, 1, time, time) for one, other, time in rows)
    return Fan("renamed to", out, tuple(found), len(found))


COLUMNS = "subject_kind, subject_id, relation, object_kind, object_id, basis, events, first, last"


def relation_of(around: Around, row: tuple) -> Relation:
    """The edge that a row of COLUMNS tells, each end under its one number."""
    one, one_id, relation, other, other_id, *rest = row
    return Relation(around.one((one, one_id)), relation, around.one((other, other_id)), *rest)


def told(around: Around, keys: Collection[Key]) -> set[Key]:
    """Those of the things that have a finding, and the files that ran."""
    found: set[Key] = set()
    for kind, column in _FINDING.items():
        numbers = sorted(number for one, number in keys if one == kind)
        if numbers:
            found |= {(kind, number) for (number,) in around.db.execute(
                f"SELECT {column} FROM findings WHERE {column} IN ({marks(numbers)})", numbers)}
            if kind == "file":
                found |= {(kind, number) for (number,) in around.db.execute(
                    "SELECT subject_id FROM relations WHERE subject_kind = 'file' AND relation = 'became' "
                    f"AND subject_id IN ({marks(numbers)})", numbers)}
    return found
