"""Two cases held against each other, row by row, inside SQLite: `given`, the case under test, and `main`, as it must be.

One query a table counts the rows that are the same; only where the counts disagree is asked which rows and cells differ.
Rows are found by their key (rowid or primary key), so a renumbered row is one that is missing and one too many.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import apsw

from fimforensics import opening, sql
from fimforensics.evidence.verify.report import MOST, Difference

_STEPS = 4_000_000  # of SQLite's machine, beside those for each byte
Where = Callable[[apsw.Connection, str, Any], dict[str, Any]]  # table and row → snapshot, offset and length of its record


class Shape(NamedTuple):
    """A table as it is compared: the columns that tell rows apart, and the others that must be the same."""

    table: str
    keys: tuple[str, ...]
    columns: tuple[tuple[str, bool], ...]  # name; is the type compared as well (numbers of two types can be equal)


def shape(db: apsw.Connection, table: str, left_out: Sequence[str] = ()) -> Shape:
    """The shape of a table of the scratch; columns that nothing can derive are left out."""
    found = _SHAPES.get((table, tuple(left_out)))
    if found is None:
        found = _SHAPES[table, tuple(left_out)] = _shape(db, table, left_out)
    return found


_SHAPES: dict[tuple[str, tuple[str, ...]], Shape] = {}  # the scratch's schema is always ours


def _shape(db: apsw.Connection, table: str, left_out: Sequence[str]) -> Shape:
    told = sql.rows(db, f'PRAGMA main.table_info("{table}")')
    ddl = sql.cell(db, "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?", (table,))
    keys = tuple(name for _, name in sorted((place, name) for _, name, *_, place in told if place))
    alias = len(keys) == 1 and any(name == keys[0] and kind.upper() == "INTEGER" for _, name, kind, *_ in told)
    if not alias and "WITHOUT ROWID" not in ddl.upper():
        keys = keys or ("rowid",)
    columns = tuple((name, kind.upper() != "TEXT") for _, name, kind, *_, place in told if not place and name not in left_out)
    return Shape(table, keys, columns)


def _differs(name: str, typed: bool) -> str:
    told = f'g."{name}" IS NOT e."{name}"'
    return f'({told} OR typeof(g."{name}") IS NOT typeof(e."{name}"))' if typed else told


def _join(one: Shape) -> str:
    return " AND ".join(f'e."{key}" IS g."{key}"' if key != "rowid" else "e.rowid = g.rowid" for key in one.keys)


@contextlib.contextmanager
def bounded(db: apsw.Connection) -> Iterator[None]:
    """Meanwhile no more steps than comparing a case of this size can need: pages of a table may lead back to themselves."""
    size = sql.cell(db, "PRAGMA given.page_count") * opening.PAGE
    spent = opening.budget(size, _STEPS)
    db.set_progress_handler(lambda: bool(spent()), opening.LOOK)
    try:
        yield
    finally:
        db.set_progress_handler(None)


def same(db: apsw.Connection, one: Shape) -> bool:
    """Are the two tables the same?"""
    differs = " OR ".join(_differs(name, typed) for name, typed in one.columns) or "0"
    table = f'"{one.table}"'
    given, expected, alike = sql.rows(
        db, f"SELECT (SELECT count(*) FROM given.{table}), (SELECT count(*) FROM main.{table}), (SELECT count(*) FROM "
            f"given.{table} g CROSS JOIN main.{table} e ON {_join(one)} WHERE NOT ({differs}))")[0]
    return bool(given == expected == alike)


def differences(db: apsw.Connection, one: Shape, layer: str, where: Where) -> Iterator[Difference]:
    """What differs between the two tables, the first rows in full."""
    if same(db, one):
        return
    yield from _changed(db, one, layer, where)
    table = f'"{one.table}"'
    keys = ", ".join(f'{{0}}."{key}"' if key != "rowid" else "{0}.rowid" for key in one.keys)
    for here, there, alias, what in (("main", "given", "e", "the row is missing"),
                                     ("given", "main", "g", "the originals give no such row")):
        other = "g" if alias == "e" else "e"
        rows = sql.rows(db, f"SELECT {_text(keys.format(alias))} FROM {here}.{table} {alias} WHERE NOT EXISTS "
                            f"(SELECT 1 FROM {there}.{table} {other} WHERE {_join(one)}) LIMIT {MOST + 1}")
        for key in rows[:MOST]:
            row = _key(key)
            yield Difference(layer, what, one.table, row, **(where(db, one.table, row) if here == "main" else {}))
        if len(rows) > MOST:
            yield Difference(layer, f"and more: {what}", one.table)


def _text(names: str) -> str:
    """Each of these as a value that comes whole whatever is in it: a number, or the bytes of its text."""
    return ", ".join(f"CASE typeof({name}) WHEN 'integer' THEN {name} ELSE CAST({name} AS BLOB) END"
                     for name in names.split(", "))


def _key(key: tuple) -> int | str:
    if len(key) == 1 and isinstance(key[0], int):
        return key[0]
    return ", ".join(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value) for value in key)


def _changed(db: apsw.Connection, one: Shape, layer: str, where: Where) -> Iterator[Difference]:
    if not one.columns:
        return
    keys = ", ".join(f'g."{key}"' if key != "rowid" else "g.rowid" for key in one.keys)
    flags = ", ".join(_differs(name, typed) for name, typed in one.columns)
    table, count = f'"{one.table}"', len(one.keys)
    rows = sql.rows(db, f"SELECT {_text(keys)}, {flags} FROM given.{table} g CROSS JOIN main.{table} e ON {_join(one)} "
                        f"WHERE {' OR '.join(_differs(name, typed) for name, typed in one.columns)} LIMIT {MOST + 1}")
    for cells in rows[:MOST]:
        row = _key(cells[:count])
        place = where(db, one.table, row)
        for (name, _), wrong in zip(one.columns, cells[count:], strict=True):
            if wrong:
                yield Difference(layer, _values(db, one, name, cells[:count]), one.table, row, name, **place)
    if len(rows) > MOST:
        yield Difference(layer, "and more rows differ", one.table)


def _values(db: apsw.Connection, one: Shape, name: str, key: tuple) -> str:
    """Found and expected, shortened and quoted as SQLite writes values."""
    match = " AND ".join(f'CAST({{0}}."{column}" AS BLOB) IS CAST(? AS BLOB)' if column != "rowid" else "{0}.rowid = ?"
                         for column in one.keys)
    told = [sql.first(db, f"SELECT CAST(substr(quote(x.\"{name}\"), 1, 60) AS BLOB) FROM {place}.\"{one.table}\" x "
                          f"WHERE {match.format('x')}", key) for place in ("given", "main")]
    found, expected = (bytes(value[0]).decode("utf-8", "backslashreplace") if value and value[0] else "?" for value in told)
    return f"it is {found}, the originals give {expected}"
