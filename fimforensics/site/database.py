"""A case as Datasette sees it: opened immutable, by an address in which every character of the path is quoted.

The stock class puts the path unquoted into a URI: `case #1.db` opens an empty file that it makes beside the case. Whether
a file is a case that may be served is asked of `case.open_read` before.
"""

from __future__ import annotations

import sqlite3
from copy import copy
from pathlib import Path
from typing import Any

from datasette.database import Database, Results
from datasette.utils import tilde_decode
from datasette.utils.sqlite import sqlite3 as driver

from fimforensics import schema
from fimforensics.errors import Problem
from fimforensics.model import MDC
from fimforensics.site import counted

# Tables whose rows have a page of ours, which does not say how often other tables name the row: Datasette would count it on
# every such page, by columns that have no index.
PAGED = frozenset(["events", "files", "registry_values", "contents", "processes", "accounts", "hosts", "findings"])


MOST_KNOWN = 10_000  # answers about tables; addresses may name tables that are none


def _once(name: str) -> Any:
    """The parent's method of this name, which asks about tables and columns: each question is asked once, for nothing changes."""
    parent = getattr(Database, name)

    async def ask(self: Database, *named: Any) -> Any:
        known = self.__dict__.setdefault("_fimforensics_known", {})
        if (name, named) not in known:
            if len(known) >= MOST_KNOWN:
                known.clear()
            known[name, named] = await parent(self, *named)
        return copy(known[name, named])

    return ask


class CaseDatabase(Database):
    """A case behind pages: every connection is read-only and immutable, and failing SQL is not written to the terminal."""

    # Datasette's first page asks some 400 such questions, each of them by way of a thread.
    table_names, view_names, hidden_table_names, table_exists = map(
        _once, ("table_names", "view_names", "hidden_table_names", "table_exists"))
    table_columns, table_column_details, primary_keys, foreign_keys_for_table = map(
        _once, ("table_columns", "table_column_details", "primary_keys", "foreign_keys_for_table"))
    fts_table, label_column_for_table, get_table_definition, get_view_definition = map(
        _once, ("fts_table", "label_column_for_table", "get_table_definition", "get_view_definition"))

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """A connection that cannot write; Problem where one that can is asked for."""
        if write:
            raise Problem("a served case is never written", where=str(self.path))
        connection = driver.connect(address(Path(self.path)), uri=True, check_same_thread=False)
        self._all_file_connections.append(connection)
        return connection

    @property
    def cached_table_counts(self) -> dict[str, int] | None:
        """Rows by table; the views' counts, which the start counted too, are left to the pages of the views."""
        counts = super().cached_table_counts
        views = schema.views()
        return None if counts is None else {name: rows for name, rows in counts.items() if name not in views}

    async def get_all_foreign_keys(self) -> dict[str, dict[str, list[Any]]]:
        """The keys of all tables, looked up once; of PAGED tables only those that lead from them."""
        known = self.__dict__.get("_fimforensics_keys")
        if known is None:
            known = self.__dict__["_fimforensics_keys"] = {
                table: {**keys, "incoming": [] if table in PAGED else keys["incoming"]}
                for table, keys in (await super().get_all_foreign_keys()).items()}
        return known  # type: ignore[no-any-return]

    async def execute(self, sql: str, params: Any = None, *args: Any, **more: Any) -> Results:
        """As in the parent, without its log to stderr: the text of a query may hold terminal escapes. Counts may be rolled up."""
        asked = counted.conditions(sql, params)
        if asked is not None:
            number = await self.execute_fn(lambda connection: counted.count(connection, asked))
            return Results([(number,)], False, (("count(*)",),))
        return await super().execute(sql, params, *args, **{**more, "log_sql_errors": False})


def address(path: Path) -> str:
    """The URI by which SQLite opens this very file and can neither write it nor make another beside it."""
    return path.absolute().as_uri() + "?mode=ro&immutable=1"


def counts(connection: sqlite3.Connection, path: Path) -> dict[str, Any]:
    """What Datasette would have to count at the first hit: rows of each table, and of the two views over events."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    rows = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}
    shown = connection.execute("SELECT count(*) FROM events WHERE id < (SELECT events_end FROM case_info)").fetchone()[0]
    return {"hash": None, "size": path.stat().st_size, "file": path.name,
            "tables": {name: {"count": number} for name, number in {**rows, MDC: shown, "events_flat": shown}.items()}}


def is_case(database: Database) -> bool:
    """Is this database of a Datasette a case? Its header says so; asked once."""
    known = database.__dict__.get("_fimforensics_case")
    if known is None:
        known = False
        if database.path:
            with Path(database.path).open("rb") as source:
                known = int.from_bytes(source.read(72)[68:72], "big") == schema.APPLICATION_ID
        database.__dict__["_fimforensics_case"] = known
    return bool(known)


def named(request: Any) -> str:
    """The name of the database that a request is about; '' where it is about none. Addresses write some letters otherwise."""
    return tilde_decode((request.url_vars.get("database") or "") if request else "")


def changed(database: Database) -> bool:
    """Was the file written, replaced or removed since this was first asked? Then what its pages show may be wrong."""
    try:
        told = Path(database.path).stat()
    except FileNotFoundError:
        return True
    now = (told.st_ino, told.st_size, told.st_mtime_ns)
    return bool(database.__dict__.setdefault("_fimforensics_stamp", now) != now)
