"""What lies around a thing in the graph of relations, as far as one look goes: for pictures that a person opens step by step.

A fan is the relations of one kind on one side of a thing. Of each the first `LOOKED` in time are looked at, through an index;
the most telling of them come first: what ran or has a finding, then by time. `among` gives the relations between things that
are shown already. Contents that are the same under several rows of `contents` are one thing, an address is one thing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from fimforensics.queries.entities import same_content
from fimforensics.queries.trace_moments import ALL_TIME
from fimforensics.queries.trace_steps import CHANGES, COUNTED, Key

LOOKED = 300  # relations of one fan that are looked at
BETWEEN = 100  # relations of one thing at each side that are looked at for those between shown things
RENAMES = 60
TOGETHER = 500  # relations of which all is asked for at once
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
    where = (f"FROM relations INDEXED BY relations_{end} WHERE {end}_kind = ? AND {end}_id IN ({_marks(numbers)}) "
             "AND relation = ? AND first <= ? AND last >= ?")
    values = (key[0], *numbers, relation, around.until, around.since)
    rows = around.db.execute(f"SELECT {_COLUMNS} {where} ORDER BY first, subject_id, object_id, basis LIMIT {LOOKED}",
                             values).fetchall()
    found = merged(_relation(around, row) for row in rows)
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


def _marks(values: Collection[object]) -> str:
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


_COLUMNS = "subject_kind, subject_id, relation, object_kind, object_id, basis, events, first, last"


def _relation(around: Around, row: tuple) -> Relation:
    one, one_id, relation, other, other_id, *rest = row
    return Relation(around.one((one, one_id)), relation, around.one((other, other_id)), *rest)


def told(around: Around, keys: Collection[Key]) -> set[Key]:
    """Those of the things that have a finding, and the files that ran."""
    found: set[Key] = set()
    for kind, column in _FINDING.items():
        numbers = sorted(number for one, number in keys if one == kind)
        if numbers:
            found |= {(kind, number) for (number,) in around.db.execute(
                f"SELECT {column} FROM findings WHERE {column} IN ({_marks(numbers)})", numbers)}
            if kind == "file":
                found |= {(kind, number) for (number,) in around.db.execute(
                    "SELECT subject_id FROM relations WHERE subject_kind = 'file' AND relation = 'became' "
                    f"AND subject_id IN ({_marks(numbers)})", numbers)}
    return found


def among(around: Around, keys: Iterable[Key]) -> tuple[list[Relation], dict[Key, int], bool]:
    """The relations between shown things; how many each thing has; and whether one may be missing.

    Of a thing BETWEEN relations at each side are looked at; one is missed only where both its ends have more.
    """
    shown = {key: around.rows(key) for key in keys}
    known = {(key[0], number) for key, numbers in shown.items() for number in numbers}
    wanted: set[int] = set()
    degrees: dict[Key, int] = {}
    busy: dict[str, set[str]] = {"subject": set(), "object": set()}
    for key, numbers in shown.items():
        degrees[key] = 0
        for end, may in (("subject", OUT), ("object", INTO)):
            some = _beside(around, key[0], numbers, end) if may.get(key[0]) else []
            degrees[key] += len(some)
            if len(some) == BETWEEN:
                busy[end].add(key[0])
            wanted.update(row for row, *other in some if tuple(other) in known)
    missed = any(_REACHED[kind] & busy["object"] for kind in busy["subject"])
    numbers = sorted(wanted)
    rows = merged(row for at in range(0, len(numbers), TOGETHER) for row in _rows(around, numbers[at:at + TOGETHER]))
    return sorted(rows, key=lambda one: (one.first, one.mark)), degrees, missed


def _rows(around: Around, numbers: Sequence[int]) -> list[Relation]:
    found = around.db.execute(f"SELECT {_COLUMNS} FROM relations WHERE id IN ({_marks(numbers)})", numbers).fetchall()
    return [_relation(around, row) for row in found]


def _beside(around: Around, kind: str, numbers: list[int], end: str) -> list[tuple[int, str, int]]:
    """The relations of a thing at one side: each's number and its other end. Most are of no use, so no more is asked of them."""
    other = "object" if end == "subject" else "subject"
    relations = [one for one in around.relations if one != "renamed to"]
    return around.db.execute(
        f"SELECT id, {other}_kind, {other}_id FROM relations INDEXED BY relations_{end} "
        f"WHERE {end}_kind = ? AND {end}_id IN ({_marks(numbers)}) "
        f"AND relation IN ({_marks(relations)}) AND first <= ? AND last >= ? LIMIT {BETWEEN}",
        (kind, *numbers, *relations, around.until, around.since)).fetchall()


# Kinds of things that relations from a kind lead to.
_REACHED = {kind: {other for other, into in INTO.items() if set(out) & set(into)} for kind, out in OUT.items()}
