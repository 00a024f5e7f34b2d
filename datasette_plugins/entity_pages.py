"""Pages that answer: of a file, value, content, process, account, host or finding at the address of its row, others at `/-/`."""

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl
from datasette.utils import urlsafe_components

from fimforensics.site.database import is_case
from fimforensics.site.once import speaks
from fimforensics.site.shelf import CASE, OWN, ROWS
from fimforensics.site.twins import answer, case_routes, own_routes, row_routes

Vars = dict[str, Any] | Callable[[], Awaitable[dict[str, Any]]]


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The pages of the case, and the twins of all pages."""
    return [*case_routes(CASE), *own_routes(OWN), *row_routes(ROWS)] if speaks(datasette, "pages", __name__) else []


@hookimpl
def extra_template_vars(datasette: Any, request: Any, view_name: str, database: str, table: str) -> Vars:
    """For the page of a row that has one of ours: its template and what it tells."""
    if not speaks(datasette, "pages of rows", __name__) or view_name != "row" or table not in ROWS or not is_case(
            datasette.databases[database]):
        return {}

    async def found() -> dict[str, Any]:
        number = urlsafe_components(request.url_vars["pks"])[0]
        if not number.isdecimal() or len(number) > 18:
            return {}
        return {"told": await answer(datasette, request, ROWS[table], int(number)), "page_template": ROWS[table].template,
                "case_name": database}

    return found
