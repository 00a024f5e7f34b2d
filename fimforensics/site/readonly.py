"""Read-only, really: each connection behind pages gets limits and an authorizer that allows reading and nothing else.

One C function can run past the
time limit (a `printf` of half a gigabyte ran 4.7 s), which the limit on the length of a value stops.
"""

from __future__ import annotations

import sqlite3

from fimforensics import schema
from fimforensics.readonly import authorize

__all__ = ["authorize", "harden", "is_case"]

MAX_VALUE = 2_000_000  # bytes; no cell of a case is over 1 MiB
MEMORY_MAP = 1 << 30  # bytes of the file that SQLite may map instead of copying pages

_LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0, sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE, sqlite3.SQLITE_LIMIT_SQL_LENGTH: 200_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000, sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


def is_case(connection: sqlite3.Connection) -> bool:
    """Does the open database say that it is a case?"""
    return connection.execute("PRAGMA application_id").fetchone()[0] == schema.APPLICATION_ID


def harden(connection: sqlite3.Connection) -> None:
    """Take everything but reading from the connection, for good."""
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA trusted_schema = 0")
    connection.execute(f"PRAGMA mmap_size = {MEMORY_MAP}")
    for limit, value in _LIMITS.items():
        connection.setlimit(limit, value)
    connection.set_authorizer(authorize)
