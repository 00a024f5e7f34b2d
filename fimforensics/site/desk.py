"""The notes of served cases, ready to be shown: beside every row that somebody said something of, found without asking the case.

A case's notes are read once and then as they grow; which rows they are about is looked up by what these are. A page asks by table
and number. Nothing here touches the case but to read, and no database is ever attached to another.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from fimforensics.errors import Misuse
from fimforensics.notes import binding
from fimforensics.notes.book import Book
from fimforensics.notes.entry import At, Entry, new
from fimforensics.notes.told import Key, Told
from fimforensics.queries import subjects
from fimforensics.site.beside import opened
from fimforensics.text import visible


@dataclass
class Noted:
    """A case's notes as they stand: what is said of each subject, which row each is, and the other way round."""

    case: binding.Case
    book: Book
    told: dict[Key, Told] = field(default_factory=dict)
    numbers: dict[Key, int] = field(default_factory=dict)
    rows: dict[tuple[str, int], Told] = field(default_factory=dict)

    @property
    def why_locked(self) -> str | None:
        """Why nothing can be written, if so."""
        return self.book.trouble or self.book.locked

    @property
    def summary(self) -> str:
        """The notes in one line."""
        return binding.summary(self.book, self.case, self.told, self.numbers)


class Desk:
    """The notes of every served case that has some, by the case's name."""

    def __init__(self) -> None:
        self.cases: dict[str, Noted] = {}
        self._lock = threading.Lock()

    def open(self, name: str, case: Path, file: Path | None, make: bool = True) -> Noted:
        """Opens a case's notes, made where there are none; Problem, in one line, where they are another case's or none."""
        with opened(str(case)) as connection:
            about = binding.of_case(connection, case)
            number = connection.execute("SELECT case_number FROM case_info").fetchone()[0]
            noted = Noted(about, binding.opened(about, file, number, make))
        self.cases[name] = noted
        self._look_up(noted)
        return noted

    def refresh(self) -> None:
        """Takes in what another program wrote to the files meanwhile."""
        with self._lock:
            for noted in self.cases.values():
                if noted.book.refresh():
                    self._look_up(noted)

    def of(self, database: str, table: str, number: object) -> Told | None:
        """What is said of a row."""
        noted = self.cases.get(database)
        return None if noted is None else noted.rows.get((table, number))  # type: ignore[arg-type]  # others are not in it

    def mark(self, database: str, table: str, number: object) -> Markup:
        """A sign beside the name of a row that somebody said something of."""
        told = self.of(database, table, number)
        if told is None or not told.standing:
            return Markup("")
        opinions = {said.text for said in told.dispositions}
        look = "differ" if told.conflict else next(iter(opinions), "star" if told.stars else "")
        words = "Notes: " + "; ".join(in_words(told))
        return Markup(' <span class="noted {}" role="img" aria-label="{}" title="{}">{}</span>').format(
            look, visible(words), visible(words), "★" if told.stars else "✎")

    def write(self, database: str, actor: str, fields: Mapping[str, str]) -> None:
        """Writes what a form says: `do`, `value`, and `table` and `number`, or the `target` to take back. Misuse for none."""
        noted, action = self.cases[database], fields.get("do", "")
        with self._lock:
            noted.book.refresh()
            self._look_up(noted)
            if action == "retract":
                entry = self._taking_back(noted, actor, fields.get("target", ""))
            else:
                entry = new(self._at(noted, fields), actor, action, fields.get("value"))
            noted.book.append([(entry, None)])
            self._look_up(noted)

    def _at(self, noted: Noted, fields: Mapping[str, str]) -> At:
        kind, number = subjects.KINDS.get(fields.get("table", "")), fields.get("number", "")
        if kind is None or not number.isascii() or not number.isdigit() or len(number) > 18:
            raise Misuse("a note is on a row of the case")
        with opened(str(noted.case.path)) as connection:
            key = subjects.key_of(connection, kind, int(number))
            if key is None:
                raise Misuse(f"there is no {kind} {number} in this case")
            return noted.case.at(kind, key, subjects.name_of(connection, kind, int(number)))

    def _taking_back(self, noted: Noted, actor: str, target: str) -> Entry:
        line = next((line for line in noted.book.lines if line.entry == target), None)
        if line is None or line.said.action == "retract":
            raise Misuse("there is no such note")
        if line.said.actor != actor:
            raise Misuse(f"that was said by {visible(line.said.actor)}, who alone can take it back")
        if any(told.said.target == target for told in noted.book.lines):
            raise Misuse("that was taken back already")
        return new(noted.case.at(line.said.kind, line.said.subject, line.said.name), actor, "retract", None, target)

    def _look_up(self, noted: Noted) -> None:
        """What the entries come to, and the rows of subjects that are new."""
        noted.told = binding.entries(noted.book)
        fresh = {key: told for key, told in noted.told.items() if key not in noted.numbers}
        if fresh:
            with opened(str(noted.case.path)) as connection:
                noted.numbers = {**noted.numbers, **binding.numbers(connection, fresh)}
        noted.rows = {(subjects.TABLES[key[0]], number): noted.told[key] for key, number in noted.numbers.items()}


def in_words(told: Told) -> Iterator[str]:
    """What is said of a subject, in short."""
    if told.conflict:
        yield "people differ: " + ", ".join(f"{said.text} ({said.actor})" for said in told.dispositions)
    elif told.dispositions:
        yield f"{told.dispositions[0].text} ({', '.join(said.actor for said in told.dispositions)})"
    if told.stars:
        yield f"starred by {', '.join(said.actor for said in told.stars)}"
    if told.tag_names:
        yield ", ".join(told.tag_names)
    if comments := sum(said.retracted is None for said in told.comments):
        yield f"{comments} comment{'' if comments == 1 else 's'}"
