"""The first look at a JSON document: its layout, its columns, and whether it is an answer that has none.

Keys may stand in any order, so where the columns come after the rows the whole document is walked through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from fimforensics.errors import Refused
from fimforensics.model import Preamble
from fimforensics.shapes.strict_json import parse_array
from fimforensics.shapes.window import COMMAS, Window, elements

LISTS = ("tables", "results", "records")  # keys whose list holds the records, one way or another
MARKS = {*LISTS, "responses", "error", "schema", "stats", "statistics", "@odata.context"}


@dataclass
class Table:
    name: str | None = None
    columns: tuple[str, ...] | None = None
    preamble: Preamble | None = None


@dataclass
class Look:
    """What the first look found."""

    layout: str
    tables: list[Table] = field(default_factory=list)
    primary: int = 0
    named: Table = field(default_factory=Table)  # the schema of a hunting answer
    error: object = None
    keys: list[str] = field(default_factory=list)


class Broken(Exception):
    """The text around the records is no JSON at the window's place."""


def keys(window: Window) -> Iterator[str]:
    """The keys of the object that starts here; the caller takes each value before it asks for the next key."""
    window.pos += 1
    while True:
        first = window.next(COMMAS)
        if first == b"}":
            window.pos += 1
            return
        if not first:
            window.cut = True
            return
        key = value_here(window) if first == b'"' else None
        if not isinstance(key, str) or window.next() != b":":
            raise Broken
        window.pos += 1
        window.next()
        yield key


def value_here(window: Window) -> Any:
    """The value that starts here, leniently read; Broken where it is none."""
    raw = window.take()
    if raw is None:
        raise Broken
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Broken from None


def look_at(window: Window) -> Look:
    """Reads as far as needed to know the layout and the columns."""
    if window.next() == b"[":
        return Look("array")
    look = Look("objects")
    try:
        for key in keys(window):
            look.keys.append(key)
            lower = key.lower()
            if lower in LISTS and window.next() == b"[":
                look.layout = lower
                if lower == "records" or look.named.columns or (lower == "tables" and _look_at_tables(window, look)):
                    break
                if lower == "results":
                    _skip(window)
            elif lower == "schema":
                look.named = columns_here(window, "schema")
            elif lower == "error":
                look.error = value_here(window)
            else:
                value_here(window)
    except Broken:
        if look.layout != "objects" or (look.keys and look.keys[0].lower() in MARKS):
            _refuse_broken(window)
    return look


def _refuse_broken(window: Window) -> NoReturn:
    raise Refused(f"the JSON document is broken or cut off at byte {window.offset:,}, before its records",
                  hint="Export it again")


def _skip(window: Window) -> None:
    window.pos += 1
    for _ in elements(window, b"{", b"]", lambda raw: (raw, None), lambda raw: None):
        pass


def _look_at_tables(window: Window, look: Look) -> bool:
    """Looks at the tables; True if no more has to be read."""
    window.pos += 1
    while window.next(COMMAS) == b"{":
        table = Table()
        look.tables.append(table)
        for key in keys(window):
            if key == "name":
                table.name = str(value_here(window))
            elif key == "columns":
                named = columns_here(window, "columns")
                table.columns, table.preamble = named.columns, named.preamble
            elif key == "rows" and window.next() == b"[":
                if table.columns and len(look.tables) == 1 and table.name in ("PrimaryResult", None):
                    return True
                _skip(window)
            else:
                value_here(window)
    if window.next() != b"]":
        _refuse_broken(window)
    window.pos += 1
    if not look.tables or all(table.columns is None for table in look.tables):
        raise Refused("no tables with columns in this answer", hint="Run the query again")
    look.primary = next((n for n, table in enumerate(look.tables) if table.name == "PrimaryResult"), 0)
    return False


def columns_here(window: Window, kind: str) -> Table:
    """The columns listed here, as names and as a preamble."""
    window.next()
    offset, start = window.offset, window.take()
    listed = parse_array(start)[0] if start is not None else None
    if listed is None or start is None:
        raise Broken
    names = []
    for column in listed:
        name = {key.lower(): value for key, value in column.items()}.get("name") if isinstance(column, dict) else None
        if not isinstance(name, str):
            raise Refused(f"a column without a name in `{kind}`", hint="Export it again")
        if name in names:
            raise Refused(f"two columns are named {json.dumps(name[:80])}", hint="Rename one with `project-rename`")
        names.append(name)
    return Table(columns=tuple(names), preamble=Preamble(kind, offset, len(start), start))


