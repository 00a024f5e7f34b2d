"""Read-only, really: `mode=ro` alone still lets SQL make temp tables, attach new files and `VACUUM INTO` a copy.

So each connection gets limits and an authorizer that allows reading and nothing else. One C function can run past the
time limit (a `printf` of half a gigabyte ran 4.7 s), which the limit on the length of a value stops.
"""

from __future__ import annotations

import sqlite3

from fimforensics import schema

MAX_VALUE = 2_000_000  # bytes; no cell of a case is over 1 MiB
MEMORY_MAP = 1 << 30  # bytes of the file that SQLite may map instead of copying pages

_LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0, sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE, sqlite3.SQLITE_LIMIT_SQL_LENGTH: 200_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000, sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_FORBIDDEN_FUNCTIONS = frozenset(["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"])
_PRAGMAS = frozenset([
    "application_id", "data_version", "database_list", "foreign_key_list", "function_list", "index_info", "index_list",
    "index_xinfo", "max_page_count", "page_count", "page_size", "schema_version", "table_info", "table_list", "table_xinfo",
    "user_version",
])
_READS = frozenset([sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE])
_SETTERS = frozenset(["application_id", "max_page_count", "page_size", "schema_version", "user_version"])
_SCHEMA_TABLES = ("sqlite_master", "sqlite_schema")


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


def authorize(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    """SQLite's question whether a statement may be prepared: reading yes, all else no."""
    return sqlite3.SQLITE_OK if _allowed(action, first, second) else sqlite3.SQLITE_DENY


def _allowed(action: int, first: str | None, second: str | None) -> bool:
    if action in _READS:
        return True
    if action == sqlite3.SQLITE_FUNCTION:
        return (second or "").lower() not in _FORBIDDEN_FUNCTIONS
    if action == sqlite3.SQLITE_PRAGMA:
        pragma = (first or "").lower()
        return pragma in _PRAGMAS and not (second and pragma in _SETTERS)
    # A virtual table declares itself by what looks like an update of the schema; FTS5 and json_each do so on first use.
    return action == sqlite3.SQLITE_UPDATE and first in _SCHEMA_TABLES
