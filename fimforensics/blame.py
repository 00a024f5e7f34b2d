"""Is the case at fault? Where reading one fails in a way that no case should cause, its cells are looked over.

A cell of another type than its column, text that is no JSON where JSON must be, a time that is none, a reference that leads
nowhere: these a program may stumble over. What is found makes a Problem that names table, row and column; where nothing is
found, the failure is a bug of ours and stays one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from fimforensics.errors import Problem

_JSON = {("snapshots", "reading"), ("snapshots", "resume"), ("snapshots", "columns_found"), ("snapshots", "columns_missing"),
         ("snapshots", "columns_unknown"), ("members", "header"), ("custody_log", "arguments"), ("events", "extra"),
         ("part", "chosen"), ("part_records", "altered")}
_HEADER = ("columns", "zones", "text", "none", "rendered", "encoding", "delimiter", "reading")
_TIMES = {"time", "since", "until", "first", "last", "first_time", "last_time", "acquired", "finished", "created", "derived"}
_TIME = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]*"
_UNTIMED = {("case_info", "tool")}
# Failures that hostile cells cause in code that trusts them.
FAULTS = (StopIteration, TypeError, ValueError, LookupError, AttributeError, AssertionError, ArithmeticError, RecursionError,
          MemoryError)


class Fault(NamedTuple):
    """Something that no case holds, and where."""

    what: str
    table: str | None = None
    row: int | None = None
    column: str | None = None


def first(connection: sqlite3.Connection) -> Fault | None:
    """The first thing in the case that no case holds; None where all is as it should be."""
    try:
        return next(_faults(connection), None)
    except (sqlite3.Error, MemoryError) as error:
        return Fault(f"it is damaged ({error})")


def fault(connection: sqlite3.Connection, where: str) -> Problem | None:
    """The same as a Problem."""
    found = first(connection)
    if found is None:
        return None
    return Problem(found.what, where=where, hint="It was changed by another program, or is damaged: use another copy of it")


def _faults(connection: sqlite3.Connection) -> Iterator[Fault]:
    tables = [name for (name,) in connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' AND name NOT GLOB '*_fts_*' "
        "AND name NOT GLOB 'sqlite_*' ORDER BY name")]
    for table in tables:
        for _, column, kind, required, _, key in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
            bad = _wrong(table, column, kind, bool(required or key))
            found = connection.execute(f'SELECT * FROM "{table}" WHERE {bad} LIMIT 1').fetchone() if _readable(
                connection, table, column) else ("?",)
            if found is not None:
                yield Fault(f"it holds what no case holds: {column} in row {str(found[0])[:40]} of {table}", table,
                            found[0] if isinstance(found[0], int) else None, column)
    if connection.execute("SELECT count(*) FROM case_info").fetchone() != (1,):
        yield Fault("it holds what no case holds: not one row in case_info", "case_info")
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield Fault(f"it holds what no case holds: row {row} of {table} refers to a row of {parent} that is not there", table,
                    row)


def _readable(connection: sqlite3.Connection, table: str, column: str) -> bool:
    """Can every text of the column be decoded?"""
    bytes_of = f'SELECT CAST("{column}" AS BLOB) FROM "{table}" WHERE typeof("{column}") = \'text\''
    try:
        for (data,) in connection.execute(bytes_of):
            data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wrong(table: str, column: str, kind: str, required: bool) -> str:
    """The condition that holds for a cell which does not belong into its column."""
    name = f'"{column}"'
    kinds = {"REAL": "'real', 'integer'"}.get(kind, f"'{kind.lower()}'") + ("" if required else ", 'null'")
    wrong = [f"typeof({name}) NOT IN ({kinds})"]
    if (table, column) in _JSON:
        wrong.append(f"({name} IS NOT NULL AND (NOT json_valid({name}) OR instr({name}, char(0))))")  # for which JSON ends there
    if (table, column) == ("members", "header"):
        wrong += [f"json_type({name}, '$.{key}') IS NULL" for key in _HEADER]
    if kind == "TEXT" and column in _TIMES and (table, column) not in _UNTIMED:
        wrong.append(f"({name} IS NOT NULL AND {name} NOT GLOB '{_TIME}')")
    return " OR ".join(wrong)
