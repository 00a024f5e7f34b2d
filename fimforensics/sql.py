"""Rows and cells out of any connection that has `execute`: apsw's, which writes cases, and Python's own, which reads them.

Neither says what types a statement gives; the statement does, and who wrote it knows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

_SORTED_KIB = 2048  # a page cache as large as what a processor has beside it


def rows(connection: Any, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    found: list[tuple[Any, ...]] = connection.execute(statement, values).fetchall()
    return found


def first(connection: Any, statement: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
    """The first row of a statement, None where it gives none."""
    found: tuple[Any, ...] | None = connection.execute(statement, values).fetchone()
    return found


def cell(connection: Any, statement: str, values: Sequence[object] = ()) -> Any:
    """The first cell of a statement that always gives a row."""
    found = first(connection, statement, values)
    assert found is not None, statement
    return found[0]


@contextlib.contextmanager
def sorting(db: Any) -> Iterator[None]:
    """While much is sorted: SQLite sorts at once what fits its page cache, twice as fast where that fits the processor's."""
    pages = cell(db, "PRAGMA cache_size")
    db.execute(f"PRAGMA cache_size = -{_SORTED_KIB}").fetchall()
    try:
        yield
    finally:
        db.execute(f"PRAGMA cache_size = {pages}").fetchall()
