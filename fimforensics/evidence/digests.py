"""A digest for every table and one for the schema: nothing in a case may lie outside a proof.

A table's digest goes over all its rows, each cell with its type and length, so that no two tables give the same bytes; the
schema's over all of `sqlite_schema` and what a file says of itself. They are of this one file: ids count, times of work count
(what two cases have in common whatever their ids, `queries.digest` tells). The case's `digest_salt` goes first, so that who has
a digest but not the case cannot test guesses. docs/case-format.md, Digests, has every byte.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from struct import Struct
from typing import Any, NamedTuple

import apsw

from fimforensics.errors import Problem
from fimforensics.native import native

_LONG, _DOUBLE, _LENGTH = Struct(">cq").pack, Struct(">cd").pack, Struct(">cQ").pack
_TABLES = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name"
SETTINGS = ("application_id", "user_version", "encoding", "page_size")


class TableDigest(NamedTuple):
    """How many rows a table has, and the SHA-256 over them in hexadecimal."""

    rows: int
    sha256: str


Progress = Callable[[str], None]  # the table that is done


def cell(value: object) -> bytes:
    """A cell as it is hashed: its type, then its length where that can differ, then its bytes; text as a bytearray."""
    if value is None:
        return b"N"
    kind = type(value)
    if kind is int:
        return _LONG(b"I", value)
    if kind is bytearray:
        return _LENGTH(b"T", len(value)) + value  # type: ignore[arg-type, operator]
    if kind is float:
        return _DOUBLE(b"R", value)
    if kind is bytes:
        return _LENGTH(b"B", len(value)) + value  # type: ignore[arg-type, operator]
    if kind is str:
        data = value.encode("utf-8", "surrogatepass")  # type: ignore[attr-defined]
        return _LENGTH(b"T", len(data)) + data
    raise TypeError(kind)


def row(cells: Iterable[object]) -> bytes:
    """A row as it is hashed."""
    return b"".join([cell(value) for value in cells])


@contextlib.contextmanager
def raw_text(connection: sqlite3.Connection, kind: Callable[[bytes], object] = bytearray) -> Iterator[None]:
    """Text comes as its bytes in a bytearray meanwhile, for a cell need not be UTF-8 to be hashed; or as another `kind`."""
    before = connection.text_factory
    connection.text_factory = kind
    try:
        yield
    finally:
        connection.text_factory = before


def tables(connection: sqlite3.Connection) -> dict[str, str]:
    """Every table that has rows of its own, with its DDL. Virtual tables have none; those behind them are here."""
    with raw_text(connection, lambda data: data.decode("utf-8", "backslashreplace")):
        return {name: sql for name, sql in connection.execute(_TABLES) if not re.match(r"CREATE\s+VIRTUAL\s", sql, re.I)}


@lru_cache(maxsize=1000)
def statement(table: str, ddl: str) -> tuple[list[str], str]:
    """The columns of a table as they are hashed, `rowid` before them where it has one, and the query for its rows in order."""
    quoted = '"' + table.replace('"', '""') + '"'
    with contextlib.closing(sqlite3.connect(":memory:")) as plain:
        plain.execute(re.sub(r"^CREATE TABLE ('[^']*'|\"[^\"]*\"|\w+)", "CREATE TABLE told", ddl, count=1))
        told = plain.execute("PRAGMA table_info(told)").fetchall()
    names = [name for _, name, *_ in told]
    if re.search(r"\)\s*WITHOUT\s+ROWID\s*$", ddl, re.I) is None:
        return ["rowid", *names], f"SELECT rowid, * FROM {quoted} ORDER BY rowid"
    keys = [name for _, name in sorted((place, name) for _, name, *_, place in told if place)]
    return names, f"SELECT * FROM {quoted} ORDER BY {', '.join(keys)}"


def salt(connection: sqlite3.Connection) -> str:
    """The case's salt of digests, '' where a hand took it out."""
    told = connection.execute("SELECT salt FROM digest_salt").fetchone()
    return str(told[0]) if told else ""


def table_digest(connection: sqlite3.Connection, table: str, ddl: str, salted: str, quick: apsw.Connection | None = None
                 ) -> TableDigest:
    """The digest of one table; `salted` is `salt(connection)`, by `quick`, opened on the same file, rows come quicker."""
    names, query = statement(table, ddl)
    begun = sha256(row(["fimforensics table 1", salted, table, len(names), *names]))
    with contextlib.suppress(apsw.Error, sqlite3.Error, UnicodeError):  # text that is no UTF-8: the other way takes it
        if quick is not None and native is not None:
            return _over(begun.copy(), _lists(_rows(quick, query)), native.digest_rows)
        if native is not None:
            with raw_text(connection, str):
                return _over(begun.copy(), _lists(connection.execute(query)), native.digest_rows)
    with raw_text(connection):
        return _over(begun, _lists(connection.execute(query)), lambda rows: b"".join([row(cells) for cells in rows]))


def _rows(quick: apsw.Connection, query: str) -> Iterator[tuple]:
    try:
        with contextlib.closing(quick.cursor()) as cursor:
            yield from cursor.execute(query)
    except apsw.InterruptError:
        raise Problem("reading its rows took longer than any case of its size can need") from None


def _lists(cursor: Iterator[tuple]) -> Iterator[list[tuple]]:
    """Rows, many at once."""
    while rows := list(islice(cursor, 512)):
        yield rows


def _over(found: Any, lists: Iterator[list[tuple]], told: Callable[[list[tuple]], bytes]) -> TableDigest:
    """`found` over all rows."""
    count = 0
    for rows in lists:
        found.update(told(rows))
        count += len(rows)
    return TableDigest(count, found.hexdigest())


def table_digests(connection: sqlite3.Connection, progress: Progress = lambda _: None, quick: apsw.Connection | None = None
                  ) -> dict[str, TableDigest]:
    """The digest of every table, by name; looks at every cell of the case. By `quick`, on the same file, rows come quicker."""
    found, salted = {}, salt(connection)
    for table, ddl in tables(connection).items():
        found[table] = table_digest(connection, table, ddl, salted, quick)
        progress(table)
    return found


def cell_digests(connection: sqlite3.Connection, table: str) -> dict[str, object]:
    """For a small table: its columns, and for each row its rowid and a short salted hash of every cell.

    Tells which cell differs where nothing can derive it; that none differs, the table's digest tells.
    """
    names, query = statement(table, tables(connection)[table])
    salted = salt(connection)
    with raw_text(connection):
        rows = [[number, *(sha256(row(["fimforensics cell 1", salted, table, number, name, value])).hexdigest()[:16]
                           for name, value in zip(names[1:], cells, strict=True))]
                for number, *cells in connection.execute(query)]
    return {"columns": names[1:], "rows": rows}


def schema_digest(connection: sqlite3.Connection) -> str:
    """The digest of all of `sqlite_schema` (but where in the file things lie), and of what the file says of itself."""
    settings = [connection.execute(f"PRAGMA {name}").fetchone() for name in SETTINGS]
    found = sha256(row(["fimforensics schema 1", *(value[0] if value else None for value in settings)]))
    with raw_text(connection):
        for cells in connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"):
            found.update(row(cells))
    return found.hexdigest()
