"""The authorizer of connections that only read: SQLite asks it for every statement, whether it may be prepared.

`mode=ro` alone still lets SQL make temp tables, attach new files and `VACUUM INTO` a copy.
"""

from __future__ import annotations

import sqlite3

_FORBIDDEN_FUNCTIONS = frozenset(["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"])
_PRAGMAS = frozenset([
    "application_id", "data_version", "database_list", "foreign_key_list", "function_list", "index_info", "index_list",
    "index_xinfo", "max_page_count", "page_count", "page_size", "schema_version", "table_info", "table_list", "table_xinfo",
    "user_version",
])
_CHECKS = frozenset(["cache_size", "encoding", "foreign_key_check", "freelist_count", "integrity_check", "quick_check"])
_READS = frozenset([sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE])
_SETTERS = frozenset(["application_id", "encoding", "max_page_count", "page_size", "schema_version", "user_version"])
_SCHEMA_TABLES = ("sqlite_master", "sqlite_schema")


def authorize(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    """SQLite's question whether a statement may be prepared: reading yes, all else no."""
    return sqlite3.SQLITE_OK if _allowed(action, first, second, _PRAGMAS) else sqlite3.SQLITE_DENY


def authorize_checks(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    """The same for commands, which may have SQLite check a whole file, too."""
    return sqlite3.SQLITE_OK if _allowed(action, first, second, _PRAGMAS | _CHECKS) else sqlite3.SQLITE_DENY


def _allowed(action: int, first: str | None, second: str | None, pragmas: frozenset[str]) -> bool:
    if action in _READS:
        return True
    if action == sqlite3.SQLITE_FUNCTION:
        return (second or "").lower() not in _FORBIDDEN_FUNCTIONS
    if action == sqlite3.SQLITE_PRAGMA:
        pragma = (first or "").lower()
        return pragma in pragmas and not (second and pragma in _SETTERS)
    # A virtual table declares itself by what looks like an update of the schema; FTS5 and json_each do so on first use.
    return action == sqlite3.SQLITE_UPDATE and first in _SCHEMA_TABLES
