"""The page of one box: what a text names in every case that is served, kind by kind."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from fimforensics.queries.search import GROUPS, MOST, Group, Hit, search
from fimforensics.queries.subjects import TABLES
from fimforensics.site.beside import opened
from fimforensics.site.desk import in_words
from fimforensics.site.notes_page import has_text
from fimforensics.site.twins import Asked

PAGE = 50  # hits where one kind alone is asked for
DEEPEST = 1_000


@dataclass(frozen=True)
class InCase:
    """What one case has."""

    case: str
    groups: list[Group]


@dataclass(frozen=True)
class SearchPage:
    """The text looked for; `only` one kind of thing, from hit `skip` on; what was found in each of `all_cases`."""

    text: str
    only: str | None
    skip: int
    size: int
    all_cases: tuple[str, ...]
    found: list[InCase]


def _notes(asked: Asked, name: str, text: str, only: str | None) -> list[Group]:
    """Things of the case of which notes say the text; the list of notes has the rest."""
    noted = asked.notes.cases.get(name) if asked.notes and only is None else None
    told = [one for one in noted.told.values() if one.standing and has_text(one, text)] if noted else []
    placed = [(one, noted.numbers.get((one.kind, one.subject))) for one in told] if noted else []
    hits = tuple(Hit(TABLES[one.kind], number, one.name, "; ".join(in_words(one)))
                 for one, number in placed if number is not None)
    return [Group("notes", "In notes", hits[:MOST], len(hits[:MOST]), len(hits) > MOST)] if hits else []


def ask(connection: sqlite3.Connection, asked: Asked) -> SearchPage:
    """Every case's groups, the case of the address first; one kind alone is asked of that case only."""
    text = asked.one("q").strip()
    only = asked.one("only") if asked.one("only") in GROUPS else None
    skip, size = asked.whole("skip", 0, 0, DEEPEST) if only else 0, PAGE if only else MOST
    names = [asked.name, *(name for name in asked.cases if name != asked.name and only is None)]
    found = []
    for name in names if text else ():
        if name == asked.name:
            found.append(InCase(name, [*_notes(asked, name, text, only), *search(connection, text, only, skip, size)]))
        else:
            with opened(asked.cases[name]) as other:
                found.append(InCase(name, [*_notes(asked, name, text, only), *search(other, text, only, skip, size)]))
    return SearchPage(text, only, skip, size, tuple(names), found)
