"""The picture of a trace as a file of its own, and what the page of a trace needs to draw it."""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import Request, Response
from markupsafe import Markup

from fimforensics.errors import Misuse, Problem
from fimforensics.site.trace_page import Thing, TracePage, ask
from fimforensics.site.trace_svg import picture
from fimforensics.site.twins import Page
from fimforensics.site.twins import answer as told


async def answer(datasette: Any, request: Request) -> Response:
    """The SVG of what the address asks for, to be kept; links are left out, for they lead nowhere outside of the site."""
    try:
        page = await told(datasette, request, Page("trace.html", ask))
    except (Misuse, Problem) as error:
        return Response.text(error.line() + "\n", status=400)
    assert isinstance(page, TracePage)
    if page.start is None:
        return Response.text(f"'{page.unclear}' may be several things. Name one of them.\n" if page.unclear else
                             "Nothing is asked: name a thing.\n", status=400)
    name = f"trace-{page.start.kind.replace(' ', '-')}-{page.start.id}.svg"
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + str(picture(page)) + "\n"
    return Response(body, content_type="image/svg+xml; charset=utf-8",
                    headers={"content-disposition": f'attachment; filename="{name}"'})


def drawn(datasette: Any, page: TracePage, database: str) -> Markup:
    """The picture with each thing linked to its page."""
    def link(thing: Thing) -> str:
        return str(datasette.urls.row(database, thing.table, str(thing.id)))
    return picture(page, link)
