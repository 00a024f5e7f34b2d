"""What the plugins hand to templates, asked of the case by one function call on one of its connections."""

from __future__ import annotations

import hashlib
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from datasette.filters import FilterArguments
from datasette.utils import tilde_encode, urlsafe_components
from datasette.utils.asgi import NotFound, Request
from markupsafe import Markup

from fimforensics.evidence import state
from fimforensics.queries.overview import overview
from fimforensics.site import cells, event_page, tables
from fimforensics.site.chart import chart
from fimforensics.site.database import changed, is_case, named
from fimforensics.site.help_page import tour
from fimforensics.site.narrow import unsearched
from fimforensics.site.settings import STATIC
from fimforensics.site.shelf import OWN
from fimforensics.site.zones import OFFERED

MENU = (("-/findings", "Findings"), ("-/coverage", "Coverage"), ("-/trace", "Trace"), ("-/explore", "Explore"),
        ("-/compare", "Compare"), ("-/evidence", "Evidence"), ("-/notes", "Notes"), ("events", "Events"), ("files", "Files"),
        ("registry_values", "Registry"), ("hosts", "Hosts"), ("processes", "Processes"), ("accounts", "Accounts"),
        ("contents", "Contents"), ("-/help", "Help"))


def row_address(datasette: Any, database: str, table: str, identity: object) -> str:
    """The address of a row's page."""
    return str(datasette.urls.row(database, table, tilde_encode(str(identity))))


def case_names(datasette: Any) -> list[str]:
    """The databases that are cases, in the order in which they were given."""
    return [name for name, database in datasette.databases.items() if is_case(database)]


def current(datasette: Any, request: Request | None) -> str | None:
    """The case that a request is about, the first one where it is about none; None where there is no case."""
    names = case_names(datasette)
    asked = named(request)
    return asked if asked in names else next(iter(names), None)


async def case_title(datasette: Any, name: str | None) -> str:
    """What people call a case: its number, else its file."""
    database = datasette.databases.get(name)
    if database is None or not is_case(database):
        return name or ""
    known = database.__dict__.get("_fimforensics_title")
    if known is None:
        number = (await database.execute("SELECT case_number FROM case_info")).single_value()
        known = database.__dict__["_fimforensics_title"] = number or Path(database.path).name
    return str(known)


def menu(datasette: Any, request: Request | None) -> list[dict[str, str]]:
    """The links at the head of every page."""
    name = current(datasette, request)
    if name is None or stranger(datasette, request):
        return []
    first = [{"href": str(datasette.urls.instance() if len(case_names(datasette)) == 1 else datasette.urls.database(name)),
              "label": "Case"}]
    return first + [{"href": f"{datasette.urls.database(name)}/{place}" if place.startswith("-/") else
                     str(datasette.urls.table(name, place)), "label": label}
                    for place, label in MENU
                    if not place.startswith("-/") or place[2:] in OWN or (place == "-/notes" and has_notes(datasette, name))]


def has_notes(datasette: Any, name: str) -> bool:
    """Are notes kept of this case?"""
    desk = getattr(datasette, "desk", None)
    return desk is not None and name in desk.cases


def stranger(datasette: Any, request: Request | None) -> bool:
    """Is this somebody to whom nothing is shown before he logs in?"""
    door, visitor = getattr(datasette, "door", None), request.scope.get("fim_visitor") if request else None
    return door is not None and door.shared and (visitor is None or visitor.name is None)


async def common(datasette: Any, request: Request | None, database: str | None, table: str | None) -> dict[str, Any]:
    """The style sheet's address, what the table at hand can be grouped by, and whether the file was changed meanwhile."""
    return {"case_title": await case_title(datasette, database or current(datasette, request)),
            "searched_in_vain": await unsearched(datasette, request, database, table),
            "zone": request.scope.get("fim_zone") if request else None, "zones": OFFERED,
            "no_zone": request.scope.get("fim_no_zone") if request else None,
            "case_name": None if stranger(datasette, request) else current(datasette, request),
            "script": lambda name: f"/-/fimforensics/{name}?{_fingerprint(name)}",
            "style": f"/-/fimforensics/site.css?{_fingerprint('site.css')}", "groupings": tables.GROUPINGS.get(table or "", ()),
            "opening": tables.OPENING.get(table or "", ()), "opened_short": bool(request and request.scope.get("fim_opening")),
            "changed": [name for name in case_names(datasette) if changed(datasette.databases[name])]}


@lru_cache(maxsize=8)
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


async def overviews(datasette: Any, request: Request, names: list[str] | None) -> list[dict[str, Any]]:
    """The summary of each case, with what the chart and the tables need."""
    found = []
    for name in names or case_names(datasette):
        database = datasette.databases[name]
        if is_case(database):
            more = await database.execute_fn(overview)
            told = more.summary
            found.append({"name": name, "file": Path(database.path).name, "size": database.size, "told": told, "more": more,
                          "seal": state.of(Path(database.path)), "tour": tour(),
                          "chart": await database.execute_fn(lambda connection: chart(connection, {})),
                          "questions": await datasette.get_canned_queries(name, request.actor)})
    return found


async def chart_vars(datasette: Any, request: Request, database: str) -> dict[str, Any]:
    """The events over time, for the table of events, and the questions as its saved views."""
    found = datasette.databases[database]
    if not is_case(found):
        return {}
    arguments = {name: request.args.getlist(name) for name in request.args}
    return {"chart": await found.execute_fn(lambda connection: chart(connection, arguments)),
            "saved_views": await datasette.get_canned_queries(database, request.actor)}


async def event_vars(datasette: Any, request: Request, database: str) -> event_page.EventPage | None:
    """The event whose page is asked for; None where the number is none or no finished snapshot has it."""
    number = urlsafe_components(request.url_vars["pks"])[0]
    if not number.isdecimal() or not is_case(datasette.databases[database]):
        return None
    return await datasette.databases[database].execute_fn(  # type: ignore[no-any-return]
        lambda connection: event_page.event_page(connection, int(number)))


async def row_vars(datasette: Any, request: Request, database: str, table: str) -> dict[str, Any]:
    """The row at hand: `cells` by column, whole, foreign keys with their labels; `label`, what it is called, if anything."""
    found = datasette.databases[database]
    keys = await found.primary_keys(table) or ["rowid"]
    values = urlsafe_components(request.url_vars["pks"])
    wheres = " AND ".join(f'"{key}" = ?' for key in keys)
    name = table.replace('"', '""')
    row = (await found.execute(f'SELECT * FROM "{name}" WHERE {wheres}', values)).first()
    if row is None:
        raise NotFound("Record not found")
    told: dict[str, Markup | None] = {}
    for column, value in zip(row.keys(), row, strict=True):
        if value is not None and (table, column) in tables.foreign_keys():
            labels = await datasette.expand_foreign_keys(database, table, column, [value])
            value = {"value": value, "label": labels.get((column, value))}
        if isinstance(value, str) and value[:1] in "{[" and len(value) > 1:
            told[column] = cells.pretty_json(value)
        else:
            told[column] = cells.cell(value, column, table, partial(row_address, datasette, database), 0)
    label = await found.label_column_for_table(table)
    return {"cells": told, "label": dict(row).get(label), "case_file": Path(found.path or "").name}


async def finished_only(datasette: Any, database: str, table: str) -> FilterArguments | None:
    """The condition that leaves the unfinished snapshot's rows out; None where there is none."""
    clauses = {"events": "id < (select events_end from case_info)",
               "occurrences": "snapshot_id not in (select id from snapshots where state <> 'finished')"}
    if table not in clauses or not is_case(datasette.databases[database]):
        return None
    found = datasette.databases[database]
    unfinished = (await found.execute("SELECT 1 FROM snapshots WHERE state <> 'finished' LIMIT 1")).first()
    return FilterArguments([clauses[table]], human_descriptions=["of finished snapshots"]) if unfinished else None


