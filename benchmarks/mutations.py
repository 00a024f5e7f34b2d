"""Changes to a case, drawn from its own `sqlite_schema`: every column of every table by every kind of value, rows, schema.

`cells` goes through all columns and kinds in turn, so that none is left out however few are drawn; `others` draws what is done
to rows and to the schema. A change says which table, row and column it hit; one that changes nothing is no change.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

Value = Callable[[random.Random, Any], Any]


class Change(NamedTuple):
    """What was done: its kind, and the table, row and column that a verification must name (None: any)."""

    kind: str
    table: str | None = None
    rows: frozenset = frozenset()
    column: str | None = None


class Column(NamedTuple):
    """A column of a table, the expressions that tell the table's rows apart, and whether it is one of them."""

    table: str
    name: str
    kind: str
    keys: tuple[str, ...]
    is_key: bool


def _flip(draw: random.Random, value: Any) -> Any:
    data = bytearray(value)
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def _letter(draw: random.Random, value: str) -> str:
    at = draw.randrange(len(value))
    return value[:at] + chr((ord(value[at]) ^ 1) or 2) + value[at + 1:]


_ANY: dict[str, Value] = {"null": lambda draw, value: None, "random integer": lambda draw, value: draw.getrandbits(40),
                          "random text": lambda draw, value: f"x{draw.getrandbits(32):x}"}
_TEXT: dict[str, Value] = {
    "letter": _letter, "appended": lambda draw, value: value + "x", "cut": lambda draw, value: value[:-1],
    "empty": lambda draw, value: "", "other case": lambda draw, value: value.swapcase(),
    "as blob": lambda draw, value: value.encode(),
    "blank": lambda draw, value: value + " ", "zero byte": lambda draw, value: value + "\0x"}
_INTEGER: dict[str, Value] = {
    "one more": lambda draw, value: value + 1 if value < (1 << 63) - 1 else value - 1, "one less": lambda draw, value: value - 1,
    "negative": lambda draw, value: -value - 1, "zero": lambda draw, value: 0,
    "huge": lambda draw, value: (1 << 62) + draw.getrandbits(9),
    "with a fraction": lambda draw, value: value % 4096 + 0.5, "a bit": lambda draw, value: value ^ 1 << draw.randrange(40)}
_BLOB: dict[str, Value] = {
    "a bit": _flip, "appended": lambda draw, value: value + b"\0", "cut": lambda draw, value: value[:-1],
    "empty": lambda draw, value: b"", "zeros": lambda draw, value: bytes(len(value)), "as text": lambda draw, value: value.hex(),
    "bytes swapped": lambda draw, value: value[1:] + value[:1]}
_REAL: dict[str, Value] = {
    "a little more": lambda draw, value: value * (1 + 1e-15) + 1e-12, "negative": lambda draw, value: -value - 1.0,
    "zero": lambda draw, value: 0.0, "infinite": lambda draw, value: float("inf")}
KINDS: dict[type, dict[str, Value]] = {str: _TEXT | _ANY, int: _INTEGER | _ANY, bytes: _BLOB | _ANY, float: _REAL | _ANY}
_FILLED: dict[str, Value] = _ANY | {"text": lambda draw, value: "x", "integer": lambda draw, value: 1,
                                    "blob": lambda draw, value: b"x"}


def columns(db: sqlite3.Connection) -> list[Column]:
    """Every column of every table that has rows of its own."""
    found = []
    for table, ddl in db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
                                 "ORDER BY name").fetchall():
        told = db.execute(f'PRAGMA table_info("{table}")').fetchall()
        key = tuple(name for _, name in sorted((place, name) for _, name, *_, place in told if place))
        rowid = "WITHOUT ROWID" not in ddl.upper()
        found += [Column(table, name, kind, ("rowid",) if rowid else key, bool(place)) for _, name, kind, *_, place in told]
    return found


def _row(db: sqlite3.Connection, draw: random.Random, one: Column) -> tuple | None:
    """A row's key, at random; None of an empty table."""
    keys = ", ".join(one.keys)
    number = db.execute(f'SELECT count(*) FROM "{one.table}"').fetchone()[0]
    if not number:
        return None
    found: tuple = db.execute(f'SELECT {keys} FROM "{one.table}" LIMIT 1 OFFSET ?', (draw.randrange(number),)).fetchone()
    return found


def named(key: tuple) -> Any:
    """A row as a verification names it."""
    return key[0] if len(key) == 1 and isinstance(key[0], int) else ", ".join(
        value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value) for value in key)


def names_of(db: sqlite3.Connection, one: Column, key: tuple) -> frozenset:
    """All names that a verification may give a row."""
    owner = {"originals": "snapshot_id", "member_cache": "member_id"}.get(one.table)
    if owner is None:
        return frozenset([named(key)])
    place = db.execute(f"SELECT {owner}, offset FROM {one.table} WHERE rowid = ?", key).fetchone()
    return frozenset([named(key), named(place)])


def cells(db: sqlite3.Connection, draw: random.Random) -> Iterator[Callable[[sqlite3.Connection], Change | None]]:
    """Changes of one cell, without end: in each round every column once, by the next of its kinds."""
    all_columns = columns(db)
    begin = draw.randrange(len(all_columns))  # several short runs together hit them all
    all_columns = all_columns[begin:] + all_columns[:begin]
    for turn in count(draw.randrange(64)):
        for at, one in enumerate(all_columns):
            yield lambda on, one=one, turn=turn + at: _cell(on, draw, one, turn)  # type: ignore[misc]


def _cell(db: sqlite3.Connection, draw: random.Random, one: Column, turn: int) -> Change | None:
    key = _row(db, draw, one)
    if key is None:
        return _insert(db, draw, one, turn)
    match = " AND ".join(f"{name} IS ?" for name in one.keys)
    old, rows = db.execute(f'SELECT "{one.name}" FROM "{one.table}" WHERE {match}', key).fetchone()[0], names_of(db, one, key)
    kinds = KINDS.get(type(old), _FILLED)
    name = list(kinds)[turn % len(kinds)]
    try:
        new = kinds[name](draw, old)
    except (IndexError, ValueError):  # nothing in it to change
        new = "x"
    db.execute(f'UPDATE "{one.table}" SET "{one.name}" = ? WHERE {match}', (new, *key))
    now = db.execute(f'SELECT 1 FROM "{one.table}" WHERE {match} AND "{one.name}" IS ? AND typeof("{one.name}") = typeof(?)',
                     (*key, old, old)).fetchone()
    if now is not None:
        return None
    if not one.is_key or (one.keys == ("rowid",) and one.kind != "INTEGER"):  # the row is where it was
        return Change(f"{name} in a cell", one.table, rows, one.name)
    alias = one.keys == ("rowid",)
    moved = tuple(new if alias or column == one.name else value for column, value in zip(one.keys, key, strict=True))
    return Change(f"{name} in a cell", one.table, rows | {named(moved)})


def _insert(db: sqlite3.Connection, draw: random.Random, one: Column, turn: int) -> Change | None:
    """A row into an empty table, with this column filled."""
    values = {}
    for _, name, kind, needed, _, key in db.execute(f'PRAGMA table_info("{one.table}")').fetchall():
        if needed or key or name == one.name:
            values[name] = {"INTEGER": 1 + turn % 5, "REAL": 1.5, "BLOB": b"x"}.get(kind, "x")
    if not one.is_key:
        values[one.name] = list(_FILLED.values())[turn % len(_FILLED)](draw, None) or values[one.name]
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
    db.execute(f'INSERT INTO "{one.table}" ({names}) VALUES ({marks})', tuple(values.values()))
    keys = db.execute(f'SELECT {", ".join(one.keys)} FROM "{one.table}"').fetchone()
    return Change("a row in an empty table", one.table, frozenset([named(keys)]))


def others(db: sqlite3.Connection, draw: random.Random) -> Iterator[Callable[[sqlite3.Connection], Change | None]]:
    """Changes of rows and of the schema, without end."""
    kinds = (_delete, _swap_rows, _swap_cells, _renumber, _duplicate, _truncate, _schema)
    tables = list({one.table: one for one in columns(db)}.values())
    for turn in count():
        one, kind = draw.choice(tables), kinds[turn % len(kinds)]
        yield lambda on, one=one, kind=kind: kind(on, draw, one)  # type: ignore[misc]


def _delete(db: sqlite3.Connection, draw: random.Random, one: Column) -> Change | None:
    key = _row(db, draw, one)
    if key is None:
        return None
    rows = names_of(db, one, key)
    db.execute(f'DELETE FROM "{one.table}" WHERE {" AND ".join(f"{name} IS ?" for name in one.keys)}', key)
    return Change("a row deleted", one.table, rows)


def _others_of(db: sqlite3.Connection, one: Column) -> list[str]:
    return [name for _, name, *_, place in db.execute(f'PRAGMA table_info("{one.table}")').fetchall()
            if not place and name not in one.keys]


def _two(db: sqlite3.Connection, draw: random.Random, one: Column) -> tuple[tuple, tuple] | None:
    first, second = _row(db, draw, one), _row(db, draw, one)
    return (first, second) if first and second and first != second else None


def _swap(db: sqlite3.Connection, one: Column, rows: tuple[tuple, tuple], names: list[str]) -> bool:
    """Swaps these columns of two rows; whether anything is otherwise now."""
    match, told = " AND ".join(f"{name} IS ?" for name in one.keys), ", ".join(f'"{name}"' for name in names)
    held = [db.execute(f'SELECT {told} FROM "{one.table}" WHERE {match}', key).fetchone() for key in rows]
    if held[0] == held[1]:
        return False
    for key, values in zip(rows, reversed(held), strict=True):
        db.execute(f'UPDATE "{one.table}" SET {", ".join(f"{name!r} = ?" for name in names)} WHERE {match}'.replace("'", '"'),
                   (*values, *key))
    return True


def _swap_rows(db: sqlite3.Connection, draw: random.Random, one: Column) -> Change | None:
    rows, names = _two(db, draw, one), _others_of(db, one)
    if rows is None or not names or not _swap(db, one, rows, names):
        return None
    return Change("two rows swapped", one.table, frozenset(map(named, rows)))


def _swap_cells(db: sqlite3.Connection, draw: random.Random, one: Column) -> Change | None:
    rows, names = _two(db, draw, one), _others_of(db, one)
    name = draw.choice(names) if names else ""
    if rows is None or not names or not _swap(db, one, rows, [name]):
        return None
    return Change("two cells swapped", one.table, frozenset(map(named, rows)), name)


def _renumber(db: sqlite3.Connection, draw: random.Random, one: Column) -> Change | None:
    key = _row(db, draw, one)
    if key is None or one.keys != ("rowid",):
        return None
    new = db.execute(f'SELECT max(rowid) FROM "{one.table}"').fetchone()[0] + draw.randrange(1, 1000)
    db.execute(f'UPDATE "{one.table}" SET rowid = ? WHERE rowid = ?', (new, key[0]))
    return Change("a row renumbered", one.table, frozenset([key[0], new]))


def _duplicate(db: sqlite3.Connection, draw: random.Random, one: Column) -> Change | None:
    key = _row(db, draw, one)
    if key is None or one.keys != ("rowid",):
        return None
    names = ", ".join(f'"{name}"' for name in _others_of(db, one))
    if not names:
        return None
    db.execute(f'INSERT INTO "{one.table}" ({names}) SELECT {names} FROM "{one.table}" WHERE rowid = ?', key)
    return Change("a row copied", one.table, frozenset([db.execute("SELECT last_insert_rowid()").fetchone()[0]]))


def _truncate(db: sqlite3.Connection, draw: random.Random, one: Column) -> Change | None:
    keys = ", ".join(one.keys)
    rows = db.execute(f'SELECT {keys} FROM "{one.table}" ORDER BY {keys} DESC LIMIT ?', (draw.randrange(1, 4),)).fetchall()
    told = frozenset().union(*(names_of(db, one, key) for key in rows))
    for key in rows:
        db.execute(f'DELETE FROM "{one.table}" WHERE {" AND ".join(f"{name} IS ?" for name in one.keys)}', key)
    return Change("the last rows cut off", one.table, told) if rows else None


_SCHEMA = (
    "CREATE TABLE more (x)", "CREATE INDEX more ON events(flags)", "CREATE VIEW more AS SELECT 1",
    "CREATE TRIGGER more AFTER UPDATE ON events BEGIN SELECT 1; END", "DROP VIEW events_flat", "DROP INDEX events_time",
    "DROP TABLE bursts", "ALTER TABLE hosts ADD COLUMN more TEXT", "ALTER TABLE hosts RENAME COLUMN name TO nome",
    "PRAGMA application_id = 7", "PRAGMA user_version = 99", "PRAGMA journal_mode = WAL", "ANALYZE",
    "PRAGMA auto_vacuum = 1; VACUUM", "PRAGMA page_size = 8192; VACUUM", "CREATE VIRTUAL TABLE more USING fts5(x)",
    "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'e.time AS', 'e.extra AS') WHERE type = 'view'",
    "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'hosts'",
    "PRAGMA writable_schema = 1; DELETE FROM sqlite_schema WHERE name = 'events_host'",
    "DROP VIEW events_flat; CREATE VIEW events_flat AS SELECT * FROM events WHERE id > 1",
)


def _schema(db: sqlite3.Connection, draw: random.Random, one: Column) -> Change | None:
    statement = draw.choice(_SCHEMA)
    db.executescript(statement)
    return Change(f"schema: {statement.split(';')[-1].strip()[:40]}")
