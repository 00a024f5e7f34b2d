"""What the plugin of notes hands to Datasette: the marks, the panel of a row, the list, the login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from datasette.utils import urlsafe_components
from datasette.utils.asgi import NotFound, Request, Response
from markupsafe import Markup

from fimforensics.notes.entry import DISPOSITIONS, LONGEST
from fimforensics.site import notes_page
from fimforensics.site.database import named
from fimforensics.site.desk import in_words
from fimforensics.site.twins import Page, own_routes

NOTES = Page("notes.html", notes_page.ask, "Notes")
View = Callable[..., Any]


def marker(datasette: Any) -> Callable[[str, str, object], Markup]:
    """What writes the sign beside a row's name; nothing where no notes are kept."""
    desk = getattr(datasette, "desk", None)
    return desk.mark if desk is not None else lambda database, table, number: Markup("")


def routes(datasette: Any, csv: View, login: View) -> list[tuple[str, View]]:
    """The addresses that are there for this Datasette."""
    found: list[tuple[str, View]] = []
    if getattr(datasette, "desk", None) is not None:
        found += [*own_routes({"notes": NOTES}), (r"^/(?P<database>[^/]+)/-/notes\.csv$", csv)]
    door = getattr(datasette, "door", None)
    return [*found, (r"^/-/login$", login)] if door is not None and door.shared else found


def panel(datasette: Any, request: Request | None, view: str, database: str | None, table: str | None) -> dict[str, Any]:
    """Who asks; for a row's page what is said of the row, and whether something may be said."""
    visitor = request.scope.get("fim_visitor") if request else None
    desk = getattr(datasette, "desk", None)
    noted = desk.cases.get(database) if desk else None
    shared = getattr(getattr(datasette, "door", None), "shared", False)
    told: dict[str, Any] = {"visitor": visitor, "shared": shared, "notes_of": None, "notes_kept": desk is not None}
    if noted is None or visitor is None:
        return told
    told["notes_locked"] = noted.why_locked
    kind = notes_page.kind_of(table or "")
    number = urlsafe_components(request.url_vars["pks"])[0] if request and view == "row" and kind else ""
    if number.isascii() and number.isdigit() and len(number) < 19:
        said = desk.of(database, table, int(number)) if desk else None
        told["notes_of"] = {"kind": kind, "table": table, "number": int(number), "said": said, "dispositions": DISPOSITIONS,
                            "tags": sorted({tag for one in noted.told.values() for tag in one.tag_names})[:200],
                            "mine": [one for one in said.stars if one.actor == visitor.name] if said else [],
                            "words": list(in_words(said)) if said else [], "longest": LONGEST}
    return told


async def listed(datasette: Any, request: Request) -> Response:
    """All entries as CSV; the guard makes the cells safe."""
    desk = getattr(datasette, "desk", None)
    noted = desk.cases.get(named(request)) if desk else None
    if noted is None:
        raise NotFound("No notes are kept of this case")
    headers = {"content-disposition": 'attachment; filename="notes.csv"'}
    return Response(notes_page.as_csv(noted), content_type="text/csv; charset=utf-8", headers=headers)


async def log_in(datasette: Any, request: Request) -> Response:
    """The page to log in at; who is logged in already is told so."""
    shown = {"wrong": bool(request.args.get("wrong")), "next": request.args.get("next") or "/"}
    return Response.html(await datasette.render_template("login.html", shown, request=request, view_name="login"))
