"""A table's rows as they are drawn: columns that hold nothing here left out, a file and a registry value in one column.

An event is of a file or of a registry value, so of those two columns one is always empty; and a page of registry events
has no contents. What is left out is named under the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from fimforensics.site.tables import EVENTS_OF, SHARED


@dataclass(frozen=True)
class Column:
    """One column as drawn: the table's columns that share it."""

    parts: tuple[Any, ...]  # Datasette's: name, sortable, description


@dataclass(frozen=True)
class Cell:
    """One cell: its column, its HTML or None, whether it is a number, and in the cell that links to the row the row's number."""

    column: str
    html: Any
    number: bool = False
    key: int | None = None


@dataclass(frozen=True)
class Grid:
    """What is drawn; `empty` are the names of columns without a value in any of the rows."""

    columns: list[Column]
    rows: list[list[Cell]]
    empty: list[str]


def grid(columns: Sequence[Mapping[str, Any]], rows: Sequence[Any], table: str, events_url: str, kept: Sequence[str]) -> Grid:
    """Datasette's columns and rows made ready to be drawn; columns named in `kept` stay even when they are empty."""
    lines = [{cell["column"]: cell for cell in row} for row in rows]
    filled = {name for line in lines for name, cell in line.items() if cell["raw"] is not None}
    shown = [column for column in columns if column["name"] in filled or column["name"] in kept or not lines]
    shared = [column for column in shown if column["name"] in SHARED] if table == "events" else []
    drawn: list[Column] = []
    for column in shown:
        if column not in shared:
            drawn.append(Column((column,)))
        elif column is shared[0]:
            drawn.append(Column(tuple(shared)))
    empty = [column["name"] for column in columns if column not in shown]
    return Grid(drawn, [[*(_cell(line, column) for column in drawn), *_events(row, table, events_url)]
                        for line, row in zip(lines, rows, strict=True)], empty)


def _cell(line: Mapping[str, Mapping[str, Any]], column: Column) -> Cell:
    told = [line[part["name"]] for part in column.parts]
    cell = next((cell for cell in told if cell["raw"] is not None), told[0])
    raw = cell["raw"]
    return Cell(cell["column"], None if raw is None else cell["value"], cell["value_type"] in ("int", "float"),
                int(raw) if cell["value_type"] == "pk" and str(raw).isdecimal() else None)


def _events(row: Any, table: str, events_url: str) -> list[Cell]:
    """For an entity the way to its events."""
    first = next(iter(row), None)
    if table not in EVENTS_OF or first is None or first["column"] != "id":
        return []
    return [Cell("events", Markup('<a href="{}?{}={}">events</a>').format(events_url, EVENTS_OF[table], escape(first["raw"])))]
