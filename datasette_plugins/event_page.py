"""An event's page: Microsoft's columns that have a value, and each record that reports it as it stood in its source."""

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl

from fimforensics.site.vars import event_vars

Vars = dict[str, Any] | Callable[[], Awaitable[dict[str, Any]]]


@hookimpl
def extra_template_vars(datasette: Any, request: Any, view_name: str, database: str, table: str) -> Vars:
    """For the page of a row of `events`."""
    if view_name != "row" or table != "events":
        return {}

    async def found() -> dict[str, Any]:
        return {"page": await event_vars(datasette, request, database)}

    return found
