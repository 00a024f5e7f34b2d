"""Text in a filter of a foreign key is looked for in the labels; a search where there is no full text finds nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl
from datasette.filters import FilterArguments

from fimforensics.site.database import is_case
from fimforensics.site.narrow import conditions
from fimforensics.site.once import speaks


@hookimpl
def filters_from_request(datasette: Any, request: Any, database: str,
                         table: str) -> Callable[[], Awaitable[FilterArguments | None]] | None:
    """Conditions on a table of a case."""
    if not speaks(datasette, "narrowing", __name__) or not is_case(datasette.databases[database]):
        return None

    async def found() -> FilterArguments | None:
        return await conditions(datasette, request, database, table)

    return found
