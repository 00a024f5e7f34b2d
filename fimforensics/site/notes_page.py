"""The page of all notes of a case, the latest first, narrowed by what one asks for; and the same as CSV, entry by entry."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fimforensics.notes.told import Said, Told
from fimforensics.queries.subjects import KINDS, TABLES
from fimforensics.site.desk import Noted
from fimforensics.site.twins import Asked

PAGE = 50
STATES = {"starred": "starred", "differ": "people differ", "comments": "with comments", "missing": "not in this case",
          "retracted": "with something taken back"}
COLUMNS = ("time", "actor", "kind", "number", "name", "action", "value", "taken_back", "machine", "case_id", "evidence_digest",
           "seal", "subject", "entry", "target", "hash")


@dataclass(frozen=True)
class NoteLine:
    """What is said of one thing, and its row; `number` is None where this case has none."""

    table: str
    number: int | None
    told: Told
    tags: tuple[str, ...]
    differ: bool


@dataclass(frozen=True)
class NotesPage:
    """The notes asked for, and of all notes how many there are of each kind, tag, disposition and person."""

    summary: str
    locked: str | None
    file: str
    head: str
    in_all: int
    found: int
    page: int
    pages: int
    lines: tuple[NoteLine, ...]
    kinds: tuple[tuple[str, int], ...]
    tags: tuple[tuple[str, int], ...]
    dispositions: tuple[tuple[str, int], ...]
    people: tuple[tuple[str, int], ...]
    states: tuple[tuple[str, str, int], ...]


def ask(connection: sqlite3.Connection, asked: Asked) -> NotesPage | None:
    """The notes of the case; None where none are kept."""
    noted = asked.notes.cases.get(asked.name) if asked.notes else None
    if noted is None:
        return None
    lines = [line_of(noted, told) for told in noted.told.values()]
    chosen = [line for line in lines if _fits(line, asked)]
    pages = max(1, -(-len(chosen) // PAGE))
    page = asked.whole("page", 1, 1, pages)
    states = ((state, label, sum(_in_state(line, state) for line in lines)) for state, label in STATES.items())
    return NotesPage(
        noted.summary, noted.why_locked, noted.book.path.name, noted.book.head, len(lines), len(chosen), page, pages,
        tuple(chosen[(page - 1) * PAGE:page * PAGE]), _most(line.told.kind for line in lines),
        _most(tag for line in lines for tag in line.tags),
        _most(opinion for line in lines for opinion in {said.text for said in line.told.dispositions}),
        _most(person for line in lines for person in people(line.told)), tuple(one for one in states if one[2]))


def line_of(noted: Noted, told: Told) -> NoteLine:
    """What is said of one thing, beside its row."""
    return NoteLine(TABLES.get(told.kind, ""), noted.numbers.get((told.kind, told.subject)), told, told.tag_names, told.conflict)


def people(told: Told) -> set[str]:
    """Who said something of it, be it taken back."""
    return {said.actor for said in all_said(told)}


def all_said(told: Told) -> tuple[Said, ...]:
    """Everything that was said of it."""
    return (*told.stars, *told.tags, *told.comments, *told.dispositions, *told.earlier, *told.retracted)


def has_text(told: Told, text: str) -> bool:
    """Is each word of the text in its name or in what is said of it?"""
    hay = "\n".join([told.name, *(said.text for said in all_said(told) if not said.retracted)]).lower()
    return all(word in hay for word in text.lower().split())


def as_csv(noted: Noted) -> str:
    """Every entry in the order of the file, what was taken back too."""
    out = io.StringIO(newline="")
    write = csv.writer(out)
    write.writerow(COLUMNS)
    taken = {line.said.target for line in noted.book.lines if line.said.action == "retract"}
    for line in noted.book.lines:
        said = line.said
        number = noted.numbers.get((said.kind, said.subject))
        write.writerow([said.time, said.actor, said.kind, number, said.name, said.action, said.value, int(line.entry in taken),
                        said.machine, said.case_id, said.evidence_digest, said.seal, said.subject, line.entry, said.target,
                        line.hash])
    return out.getvalue()


def _fits(line: NoteLine, asked: Asked) -> bool:
    kind, tag, disposition, by, state = (asked.one(name) for name in ("kind", "tag", "disposition", "by", "state"))
    return (kind in ("", line.told.kind) and (not tag or tag in line.tags) and (not by or by in people(line.told))
            and (not disposition or disposition in {said.text for said in line.told.dispositions})
            and (state not in STATES or _in_state(line, state)) and has_text(line.told, asked.one("q")))


def _in_state(line: NoteLine, state: str) -> bool:
    told = line.told
    return bool({"starred": told.stars, "differ": line.differ, "missing": line.number is None,
                 "comments": [said for said in told.comments if not said.retracted],
                 "retracted": [said for said in all_said(told) if said.retracted]}[state])


def _most(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(names).items(), key=lambda one: (-one[1], one[0])))


def kind_of(table: str) -> str | None:
    """What a row of this table is called in notes; None where no notes are written on such rows."""
    return KINDS.get(table)
