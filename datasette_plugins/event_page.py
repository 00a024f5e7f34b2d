"""An event's page: Microsoft's columns that have a value, what stands around it, and each record that reports it."""

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl

from fimforensics.site.event_page import ask
from fimforensics.site.once import speaks
from fimforensics.site.twins import Page, row_routes
from fimforensics.site.vars import event_vars

Vars = dict[str, Any] | Callable[[], Awaitable[dict[str, Any]]]


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The JSON twin of the page; the page itself is that of a row."""
    return [*row_routes({"events": Page("_event.html", ask)})] if speaks(datasette, "event", __name__) else []


@hookimpl
def extra_template_vars(datasette: Any, request: Any, view_name: str, database: str, table: str) -> Vars:
    """For the page of a row of `events`."""
    if view_name != "row" or table != "events" or not speaks(datasette, "event page", __name__):
        return {}

    async def found() -> dict[str, Any]:
        return {"page": await event_vars(datasette, request, database)}

    return found
