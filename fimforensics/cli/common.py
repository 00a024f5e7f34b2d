"""What the commands share: arguments, JSON that no terminal can act on, tables of plain text."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

import click

from fimforensics import case as cases
from fimforensics.errors import Misuse, Problem
from fimforensics.text import csv_safe, storable, visible


class _File(click.Path):
    """A path with at least one letter: an empty one, as an unset variable gives it, would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; a usage error for ''."""
        if value == "":
            self.fail("an empty name is no file", param, ctx)
        return super().convert(value, param, ctx)


PATH = _File(path_type=Path)
_OPENED = "fimforensics.opened"  # in click's `meta`: the cases that a command opened
NUMBER = click.IntRange(1, (1 << 63) - 1)  # of a row, or of rows
CASE = click.argument("case", type=PATH)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
CSV = click.option("--csv", "as_csv", is_flag=True,
                   help="Print CSV that is safe in a spreadsheet: a ' goes before what could be a formula.")


def opened(case: Path) -> AbstractContextManager[sqlite3.Connection]:
    """The case, for reading, closed at the end."""
    click.get_current_context().meta.setdefault(_OPENED, []).append(case)
    return cases.reading(case)


def blamed(ctx: click.Context) -> Problem | None:
    """What in the cases that the command opened makes a program stumble that trusts them; None where it is our own bug."""
    for case in ctx.meta.get(_OPENED, ()):
        with cases.reading(case) as connection:
            if (found := cases.fault(connection, str(case))) is not None:
                return found
    return None


def words(text: str | None) -> str | None:
    """What the operator wrote, as a case keeps such text: an argument may hold bytes that are none."""
    return None if text is None else storable(text)[0]


def new_file(path: Path) -> BinaryIO:
    """A file to write to that was not there before: nothing is ever overwritten."""
    try:
        return path.open("xb")
    except OSError as error:
        raise Problem(f"cannot be written ({error.strerror})", where=str(path),
                      hint="Name a new file in a folder that is there") from None


def json_line(value: object) -> str:
    """One line of JSON in ASCII: what steers a terminal stays an escape, and a parser gets the very text."""
    return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")


def show_json(values: Iterable[object]) -> None:
    """Prints values as JSON Lines."""
    for value in values:
        click.echo(json_line(value))


def show_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Prints rows under these columns as CSV for spreadsheets: an empty cell for None, nothing steers, no formula runs."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if cell is None else csv_safe(visible(str(cell))) for cell in row])


def not_both(as_csv: bool, as_json: bool) -> None:
    """Misuse where both forms of output are asked for."""
    if as_csv and as_json:
        raise Misuse("--csv and --json exclude each other")


def table(head: Sequence[str], rows: Iterable[Sequence[object]], widest: int = 60) -> Iterable[str]:
    """Rows as lines of text, columns aligned, long cells shortened in their middle."""
    cells = [[_cell(cell, widest) for cell in row] for row in rows]
    widths = [max([len(name), *(len(row[at]) for row in cells)]) for at, name in enumerate(head)]
    yield "  ".join(name.ljust(width) for name, width in zip(head, widths, strict=True)).rstrip()
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cell(value: object, widest: int) -> str:
    told = "" if value is None else str(value)
    text = visible(told if len(told) <= 4 * widest else f"{told[:2 * widest]}…{told[-2 * widest:]}")
    return text if len(text) <= widest else f"{text[:widest // 2 - 1]}…{text[-(widest // 2):]}"


def named(case: Path) -> str:
    """The case's file as it can be typed again in a shell."""
    told = visible(str(case))
    return f'"{told}"' if " " in told else told


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 event`, `2 events`, `30,000 events`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def add_options(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """A decorator that is several, the first of them on top."""
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command
    return decorate
