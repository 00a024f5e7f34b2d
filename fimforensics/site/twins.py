"""Pages of our own and their JSON twins: one question to the case feeds both, so that neither says what the other does not.

A page of a row (`/case/files/12`) stands at Datasette's own address of that row; a page of the case (`/case/-/findings`) at one
of ours. Each has a twin at its address + `/page.json`. What a page asks is a function of a connection and of what is asked
for; what it gives is a dataclass or dict of plain values, or None where there is no such thing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from datasette.utils.asgi import NotFound, Request, Response

from fimforensics.errors import Misuse, Problem
from fimforensics.site.database import is_case, named
from fimforensics.site.desk import Desk

_LARGEST = (1 << 63) - 1


@dataclass(frozen=True)
class Asked:
    """What a page is asked for: the number of its row (0 for a page of the case), and the address's arguments."""

    number: int
    arguments: Mapping[str, list[str]]
    name: str  # of the database, for links
    cases: Mapping[str, str] = field(default_factory=dict)  # all that are served, in order, and their files
    notes: Desk | None = None  # where notes are kept

    def one(self, name: str, otherwise: str = "") -> str:
        """The first value of an argument, or `otherwise`."""
        return (self.arguments.get(name) or [otherwise])[0]

    def whole(self, name: str, otherwise: int, least: int = 0, most: int = _LARGEST) -> int:
        """An argument as a whole number between two; `otherwise` where it is none."""
        text = self.one(name)
        return max(least, min(most, int(text))) if text.isascii() and text.isdigit() and len(text) < 19 else otherwise


Ask = Callable[[sqlite3.Connection, Asked], object]


@dataclass(frozen=True)
class Page:
    """A page: its template, what it asks the case, and what it is called in the menu and on its title."""

    template: str
    ask: Ask
    title: str = ""
    twin: Callable[[object], object] | None = None  # the answer in another form, for the JSON twin


async def answer(datasette: Any, request: Request, page: Page, number: int = 0) -> object:
    """What a page asks, answered by the case that the request is about; NotFound where there is no such thing."""
    name = named(request)
    found = datasette.databases.get(name)
    if found is None or not is_case(found):
        raise NotFound("There is no such case")
    served = {one: str(database.path) for one, database in datasette.databases.items() if is_case(database)}
    arguments = {key: request.args.getlist(key) for key in request.args}
    asked = Asked(number, arguments, name, served, getattr(datasette, "desk", None))
    told = await found.execute_fn(lambda connection: page.ask(connection, asked))
    if told is None:
        raise NotFound("There is nothing of this number in the case")
    return told


def case_routes(page: Page) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The address of the twin of a case's own page, which Datasette draws."""
    yield r"^/(?P<database>[^/]+)/page\.json$", _twin(page)


def own_routes(pages: Mapping[str, Page]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The addresses of pages of the case, by their names, and of their twins."""
    for name, page in pages.items():
        yield rf"^/(?P<database>[^/]+)/-/{name}$", _drawn(name, page)
        yield rf"^/(?P<database>[^/]+)/-/{name}/page\.json$", _twin(page)


def row_routes(pages: Mapping[str, Page]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The addresses of the twins of pages of rows, by their tables."""
    for table, page in pages.items():
        yield rf"^/(?P<database>[^/]+)/{table}/(?P<number>[0-9]{{1,18}})/page\.json$", _twin(page, table)


def _drawn(name: str, page: Page) -> Callable[..., Any]:
    async def view(datasette: Any, request: Request) -> Response:
        database = named(request)
        try:
            told, problem = await answer(datasette, request, page), None
        except (Misuse, Problem) as error:  # what was asked for cannot be answered: the page says so, with its forms
            told, problem = None, error
        shown = {"told": told, "problem": problem.line() if problem else None, "database": database, "own": name,
                 "page_title": page.title, "asked": {key: request.args.getlist(key) for key in request.args}}
        return Response.html(await datasette.render_template(page.template, shown, request=request, view_name=f"own-{name}"),
                             status=400 if problem else 200)
    return view


def _twin(page: Page, table: str | None = None) -> Callable[..., Any]:
    async def view(datasette: Any, request: Request) -> Response:
        try:
            told = await answer(datasette, request, page, int(request.url_vars.get("number") or 0))
        except (Misuse, Problem) as error:
            return Response(as_json({"ok": False, "error": error.line()}), status=400, content_type="application/json")
        told = page.twin(told) if page.twin else told
        desk, name = getattr(datasette, "desk", None), named(request)
        if desk is not None and table is not None and name in desk.cases:
            found = plain(told)
            told = {**(found if isinstance(found, dict) else {}), "notes": desk.of(name, table, int(request.url_vars["number"]))}
        return Response(as_json(told), content_type="application/json; charset=utf-8")
    return view


def as_json(told: object) -> str:
    """Plain values as JSON in ASCII: what steers a terminal stays an escape."""
    return json.dumps(plain(told), ensure_ascii=True, indent=1).replace("\x7f", "\\u007f")


def plain(value: object) -> object:
    """Dataclasses as objects, tuples and sets as lists, bytes in hexadecimal; all else as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else json.dumps(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(one) for one in value), key=repr)
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value.hex() if isinstance(value, bytes) else value
