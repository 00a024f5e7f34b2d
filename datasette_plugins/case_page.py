"""The first page: what the case is, what is in it, where it came from, what is missing."""

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl

from fimforensics.site.once import speaks
from fimforensics.site.vars import chart_vars, overviews

Vars = dict[str, Any] | Callable[[], Awaitable[dict[str, Any]]]


@hookimpl
def extra_template_vars(datasette: Any, request: Any, view_name: str, database: str, table: str) -> Vars:
    """For the index and for a case's own page: the summary of each case that the page is about; for events, how many when."""
    if not speaks(datasette, "case page", __name__):
        return {}
    if view_name == "table" and table == "events":
        async def counted() -> dict[str, Any]:
            return await chart_vars(datasette, request, database)

        return counted
    if view_name not in ("index", "database"):
        return {}

    async def found() -> dict[str, Any]:
        return {"cases": await overviews(datasette, request, [database] if view_name == "database" else None)}

    return found
