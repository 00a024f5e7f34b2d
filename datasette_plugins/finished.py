"""While a snapshot is unfinished its events are nobody's: the tables leave them out, as the views do."""

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl
from datasette.filters import FilterArguments

from fimforensics.site.once import speaks
from fimforensics.site.vars import finished_only


@hookimpl
def filters_from_request(datasette: Any, database: str, table: str) -> Callable[[], Awaitable[FilterArguments | None]] | None:
    """A condition on `events` and `occurrences`, in cases that have an unfinished snapshot."""

    if not speaks(datasette, "finished", __name__):
        return None

    async def found() -> FilterArguments | None:
        return await finished_only(datasette, database, table)

    return found
