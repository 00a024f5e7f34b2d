"""A table, a question or a statement as CSV: every row of it, in one pass, however many there are.

Datasette's own CSV ends without a word at its limit of rows, and asks anew for each thousand where it goes on. Here one
statement runs to its end on a connection of its own, in a thread that waits for a slow reader and stops when he leaves.
`guard` makes the cells safe on the way out, as it does for all CSV; each piece that is sent ends with a row.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import re
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette.database import QueryInterrupted
from datasette.utils import InvalidSql, derive_named_parameters, escape_sqlite, tilde_decode, validate_sql_select
from datasette.utils.asgi import NotFound, Request, Response
from datasette.views.base import DatasetteError
from datasette.views.database import DatabaseView
from datasette.views.table import TableView

from fimforensics.site.database import is_case
from fimforensics.site.errors import TOO_LONG
from fimforensics.site.questions import unlimited

ROWS = 500  # a piece
AHEAD = 4  # pieces that may wait for the reader
PATIENCE = 30.0  # seconds for the statement to come to its next piece
_OURS = ("_next", "_size", "_labels", "_stream", "_dl", "_header", "_nofacet", "_nocount")


@dataclass(frozen=True)
class Asked:
    """What is to be written: a statement, and for columns with labels the statement that gives a label."""

    sql: str
    params: Mapping[str, Any]
    labels: dict[str, str] = field(default_factory=dict)
    most: int | None = None
    endless: bool = True  # may take as long as it goes on giving rows


async def answer(datasette: Any, request: Request) -> Any:
    """The answer to a request for CSV; of a database that is no case Datasette's own."""
    names = request.url_vars
    try:
        database = datasette.get_database(route=tilde_decode(names["database"]))
    except KeyError:
        raise NotFound("Database not found") from None
    table = tilde_decode(names["table"]) if names.get("table") else None
    if not is_case(database):
        return await (TableView(datasette) if table else DatabaseView(datasette)).get(request)
    try:  # what fails before the first rows is a page that says so
        asked = await (_table(datasette, request, database.name, table) if table else
                       _statement(datasette, request, database.name))
        if isinstance(asked, Response):
            return asked
        pieces = _pieces(datasette, database, request, asked)
        first = await anext(pieces, "")
    except QueryInterrupted:
        raise DatasetteError(TOO_LONG, title="The query took too long", status=400) from None
    except (sqlite3.DatabaseError, InvalidSql) as error:
        raise DatasetteError(str(error), title="Invalid SQL", status=400) from None
    return Stream(first, pieces, _headers(request, table or "rows"), request.method == "HEAD")


async def _table(datasette: Any, request: Request, database: str, table: str) -> Asked | Response:
    question = await datasette.get_canned_query(database, table, request.actor)
    if question:
        await datasette.ensure_permissions(
            request.actor, [("view-query", (database, table)), ("view-database", database), "view-instance"])
        return await _named(datasette, request, database, unlimited(question["sql"]))
    kept = [(name, value) for name, value in parse_qsl(request.query_string, keep_blank_values=True) if name not in _OURS]
    query = urlencode([*kept, ("_nofacet", "1"), ("_nocount", "1")]).encode()
    found = await TableView(datasette).data(Request({**request.scope, "query_string": query}, request.receive), _size=1)
    if isinstance(found, Response):
        return found
    data = found[0]
    labels = {}
    if request.args.get("_labels"):
        labels = {key["column"]: f"SELECT {escape_sqlite(label)} FROM {escape_sqlite(key['other_table'])} "
                                 f"WHERE {escape_sqlite(key['other_column'])} = ?"
                  for key, label in data["expandable_columns"] if key["column"] in data["columns"] and label}
    return Asked(re.sub(r" limit 2\Z", "", data["query"]["sql"]), data["query"]["params"], labels, _most(request))


async def _statement(datasette: Any, request: Request, database: str) -> Asked:
    await datasette.ensure_permissions(request.actor, [("execute-sql", database)])
    sql = (request.args.get("sql") or "").strip()
    validate_sql_select(sql)
    return await _named(datasette, request, database, sql, False)


async def _named(datasette: Any, request: Request, database: str, sql: str, endless: bool = True) -> Asked:
    names = await derive_named_parameters(datasette.get_database(database), sql)
    return Asked(sql, {name: request.args.get(name) or "" for name in names}, most=_most(request), endless=endless)


def _most(request: Request) -> int | None:
    told = request.args.get("_size") or ""
    return int(told) if told.isdecimal() and not request.args.get("_stream") else None


def _headers(request: Request, name: str) -> dict[str, str]:
    kind = "text/csv" if request.args.get("_dl") else "text/plain"
    found = {"content-type": f"{kind}; charset=utf-8"}
    if request.args.get("_dl"):
        found["content-disposition"] = f'attachment; filename="{re.sub(r"[^A-Za-z0-9_-]+", "-", name)}.csv"'
    return found


@dataclass
class Stream:
    """An answer that is sent piece by piece; one that fails on the way breaks off, so that it cannot pass for whole."""

    first: str
    pieces: AsyncIterator[str]
    headers: dict[str, str]
    head: bool

    async def asgi_send(self, send: Any) -> None:
        """As Datasette sends its answers."""
        async with contextlib.aclosing(self.pieces):  # type: ignore[type-var]
            await send({"type": "http.response.start", "status": 200,
                        "headers": [(name.encode(), value.encode()) for name, value in self.headers.items()]})
            if not self.head:
                await send(_body(self.first))
                async for piece in self.pieces:
                    await send(_body(piece))
            await send({"type": "http.response.body", "body": b""})


def _body(piece: str) -> dict[str, Any]:
    return {"type": "http.response.body", "body": piece.encode("utf-8", "surrogateescape"), "more_body": True}


async def _pieces(datasette: Any, database: Any, request: Request, asked: Asked) -> AsyncIterator[str]:
    """The CSV in pieces, made in a thread that is at most AHEAD of the reader."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[str | None]()
    room, gone = threading.Semaphore(AHEAD), threading.Event()

    def work() -> None:
        connection = database.connect()
        try:
            datasette._prepare_connection(connection, database.name)
            for piece in written(connection, asked, gone, request.args.get("_header") != "off"):
                while not room.acquire(timeout=0.5):
                    if gone.is_set():
                        return
                loop.call_soon_threadsafe(queue.put_nowait, piece)
        finally:
            connection.close()
            database._all_file_connections.remove(connection)

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    working, watching = asyncio.ensure_future(asyncio.to_thread(work)), asyncio.ensure_future(watch())
    working.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (piece := await queue.get()) is not None:
            room.release()
            yield piece
        await working  # raises what the thread met
    finally:
        gone.set()
        watching.cancel()


def written(connection: sqlite3.Connection, asked: Asked, gone: threading.Event, header: bool = True) -> Iterator[str]:
    """The rows as CSV, ROWS of them a piece; ends early when nobody reads. QueryInterrupted where it takes too long."""
    deadline = time.monotonic() + PATIENCE
    connection.set_progress_handler(lambda: gone.is_set() or time.monotonic() > deadline, 10_000)
    try:
        cursor = connection.execute(asked.sql, asked.params)
        columns = [told[0] for told in cursor.description]
        labels = _Labels(connection, asked.labels)
        rows: list[list[Any]] = [[name for column in columns for name in labels.heading(column)]] if header else []
        left = asked.most
        while not gone.is_set():
            found = cursor.fetchmany(ROWS if left is None else min(ROWS, left)) if left != 0 else []
            left = None if left is None else left - len(found)
            rows += ([cell for column, value in zip(columns, row, strict=True) for cell in labels.cells(column, value)]
                     for row in found)
            if rows:
                yield _csv(rows)
            if not found:
                return
            rows = []
            if asked.endless:
                deadline = time.monotonic() + PATIENCE
    except sqlite3.OperationalError as error:
        if not gone.is_set():
            raise QueryInterrupted(error, asked.sql, asked.params) if str(error) == "interrupted" else error from None
    finally:
        connection.set_progress_handler(None, 0)


def _csv(rows: list[list[Any]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


class _Labels:
    """What the ids of some columns mean, each asked once as long as few enough are known."""

    def __init__(self, connection: sqlite3.Connection, asked: dict[str, str]) -> None:
        self.connection, self.asked = connection, asked
        self.known: dict[tuple[str, Any], Any] = {}

    def heading(self, column: str) -> list[str]:
        """The column's name, and that of its label."""
        return [column, f"{column}_label"] if column in self.asked else [column]

    def cells(self, column: str, value: Any) -> list[Any]:
        """The value, and its label."""
        told = _cell(value)
        return [told, self._label(column, value)] if column in self.asked else [told]

    def _label(self, column: str, value: Any) -> Any:
        if value is None:
            return ""
        if (column, value) not in self.known:
            if len(self.known) > 100_000:
                self.known.clear()
            row = self.connection.execute(self.asked[column], (value,)).fetchone()
            self.known[column, value] = _cell(row[0]) if row else ""
        return self.known[column, value]


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 64 else f"({len(value)} bytes)"
    return value
