"""Foreign keys say what they mean on the page of a single row too, where Datasette itself shows bare numbers."""

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl

from fimforensics.site.once import speaks
from fimforensics.site.vars import row_vars

Vars = dict[str, Any] | Callable[[], Awaitable[dict[str, Any]]]


@hookimpl
def extra_template_vars(datasette: Any, request: Any, view_name: str, database: str, table: str) -> Vars:
    """For the page of a row: its cells as HTML, by column, and what the row is called."""
    if view_name != "row" or not speaks(datasette, "labels", __name__):
        return {}

    async def found() -> dict[str, Any]:
        return await row_vars(datasette, request, database, table)

    return found
