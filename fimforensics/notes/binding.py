"""Whose notes a file has: those of this case, of an earlier state of it, of a case it came from, or of another one.

Notes of another case are refused in one line and left as they are. All others are taken; what they speak of that this case has
not is kept and listed.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fimforensics.errors import Problem
from fimforensics.notes.book import Book, beside, create
from fimforensics.notes.entry import At
from fimforensics.notes.told import Key, Told, told
from fimforensics.queries import subjects


@dataclass(frozen=True)
class Case:
    """What a case is for its notes: its id, the state of its evidence, its seal if it has one, and the cases it came from."""

    path: Path
    case_id: str
    evidence_digest: str
    seal: str | None
    came_from: frozenset[str]

    def at(self, kind: str, subject: str, name: str) -> At:
        """The place of a note on a thing of this case, as it is now."""
        return At(self.case_id, self.evidence_digest, self.seal, kind, subject, name)


def of_case(connection: sqlite3.Connection, path: Path) -> Case:
    """The case behind a connection, as notes know it."""
    case_id, digest, came_from = subjects.states(connection)
    seal = path.with_name(path.name + ".seal.json")
    return Case(path, case_id, digest, sha256(seal.read_bytes()).hexdigest() if seal.is_file() else None, came_from)


def opened(case: Case, path: Path | None, number: str | None, make: bool) -> Book:
    """The case's notes, in the file named or beside it; made where there are none and `make`. Problem for another case's."""
    place = path or beside(case.path)
    if not place.exists() and not place.is_symlink():
        if not make:
            raise Problem("there are no notes", where=str(place), hint="fimforensics serve CASE --notes keeps some")
        create(place, case.case_id, number)
    book = Book(place)
    check(book, case)
    return book


def check(book: Book, case: Case) -> None:
    """Problem where the file has another case's notes."""
    if book.case_id and not book.case_ids & case.came_from:
        raise Problem(f"these are the notes of another case ({book.case_id}; this one is {case.case_id})", where=str(book.path),
                     hint="Nothing was changed. Name the notes of this case: --notes FILE")


def numbers(connection: sqlite3.Connection, found: dict[Key, Told]) -> dict[Key, int]:
    """The rows of the case that notes speak of, by subject; those that the case has not are left out."""
    placed = ((key, subjects.number_of(connection, *key)) for key in found)
    return {key: number for key, number in placed if number is not None}


def summary(book: Book, case: Case, found: dict[Key, Told], placed: dict[Key, int]) -> str:
    """The file in one line: how much, by whom, what is not as it was."""
    people = sorted({line.said.actor for line in book.lines})
    entries = len(book.lines)
    line = f"{entries:,} {'entry' if entries == 1 else 'entries'} on {len(found):,} {'thing' if len(found) == 1 else 'things'}"
    if people:
        line += f" by {', '.join(people[:3])}" + (f" and {len(people) - 3} more" if len(people) > 3 else "")
    more = []
    if book.case_id != case.case_id:
        more.append("they were begun on the case that this one was derived from")
    if book.lines and book.lines[-1].said.evidence_digest != case.evidence_digest and not more:
        more.append("the case has other evidence than when the last one was written")
    if lost := len(found) - len(placed):
        more.append(f"{lost:,} of the things {'is' if lost == 1 else 'are'} not in this case: kept, and listed with the notes")
    if disputed := sum(one.conflict for one in found.values()):
        more.append(f"people differ on {disputed:,} of them")
    more += [reason for reason in (book.trouble, book.locked) if reason][:1]
    if book.trouble:
        more.append("nothing was changed and nothing can be added")
    return "; ".join([line, *more])


def entries(book: Book) -> dict[Key, Told]:
    """What the file comes to, by subject."""
    return told((line.entry, line.said) for line in book.lines)
