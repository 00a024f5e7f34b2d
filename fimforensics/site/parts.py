"""What several pages are made of: warnings about the analyses, sentences whose names are links, findings as lines."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from fimforensics.queries import freshness
from fimforensics.queries.findings_listed import Listed

SHORTEST = 3  # letters of a name that is made a link in a sentence
_BEFORE = re.compile(r"[\w\\/.-]").match  # a name goes on to the left
_AFTER = re.compile(r"[\w\\/-]|\.\w").match


@dataclass(frozen=True)
class Thing:
    """Something that has a page: what it is, its table and number, and its name."""

    kind: str
    table: str
    id: int
    name: str


@dataclass(frozen=True)
class Piece:
    """A part of a sentence; a name of something has that thing's table and number."""

    text: str
    table: str | None = None
    id: int | None = None


@dataclass(frozen=True)
class FindingLine:
    """A finding in a list; `things` are those that its sentence does not name."""

    id: int
    severity: str
    rule: str
    technique: str | None
    first: str
    last: str
    events: int
    sentence: tuple[Piece, ...]
    things: tuple[Thing, ...]


def warnings(connection: sqlite3.Connection, *names: str) -> tuple[str, ...]:
    """A plain sentence where some of these analyses never ran, and one where some are older than the evidence."""
    ran = freshness.states(connection)
    missing, stale = [name for name in names if name not in ran], [name for name in names if ran.get(name) == "stale"]
    told = []
    if missing:
        told.append(f"Not run on this case, so that this page lacks what they would tell: {', '.join(missing)}.")
    if stale:
        told.append(f"Older than the evidence, so that this page may lack or misstate something: {', '.join(stale)}.")
    return tuple(told)


def things(found: Listed) -> tuple[Thing, ...]:
    """All that a finding names, each once."""
    named = (("host", "hosts", found.host_id, found.host), ("file", "files", found.file_id, found.file),
             ("registry value", "registry_values", found.registry_value_id, found.registry_value),
             ("process", "processes", found.process_id, found.process), ("account", "accounts", found.account_id, found.account),
             ("content", "contents", found.content_id, found.hash))
    return tuple(Thing(kind, table, number, name or "?") for kind, table, number, name in named if number is not None)


def pieces(sentence: str, named: Iterable[Thing]) -> tuple[Piece, ...]:
    """The sentence cut at the names of things, the longest name first; a name inside a longer word is none."""
    found, at = [], 0
    for begin, end, thing in _named(sentence, [one for one in named if len(one.name) >= SHORTEST]):
        if begin >= at:
            found += [Piece(sentence[at:begin]), Piece(sentence[begin:end], thing.table, thing.id)]
            at = end
    return tuple(piece for piece in (*found, Piece(sentence[at:])) if piece.text)


def _named(sentence: str, named: Iterable[Thing]) -> list[tuple[int, int, Thing]]:
    """Where names stand: from the left, of those that begin at one place the longest first."""
    found = []
    for thing in named:
        at = sentence.find(thing.name)
        while at >= 0:
            end = at + len(thing.name)
            if not (_BEFORE(sentence[:at][-1:]) or _AFTER(sentence[end:end + 2])):
                found.append((at, end, thing))
            at = sentence.find(thing.name, at + 1)
    return sorted(found, key=lambda one: (one[0], -one[1], one[2].table))


def line(found: Listed) -> FindingLine:
    """A finding as a line of a list."""
    named = things(found)
    told = pieces(found.sentence, named)
    linked = {(piece.table, piece.id) for piece in told}
    return FindingLine(found.id, found.severity, found.rule, found.technique, found.first, found.last, found.events, told,
                       tuple(thing for thing in named if (thing.table, thing.id) not in linked))
