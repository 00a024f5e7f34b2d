"""Notes beside what they are about, the page that lists them, the page to log in at: only where serve keeps notes or asks who."""

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl

from fimforensics.site.notes_vars import listed, log_in, marker, panel, routes
from fimforensics.site.once import speaks

Vars = dict[str, Any] | Callable[[], Awaitable[dict[str, Any]]]

@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """The sign beside the name of what has notes."""
    if speaks(datasette, "marks", __name__):
        env.globals["mark"] = marker(datasette)


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The list of notes and its twins where notes are kept; the login where pages are shared."""
    return routes(datasette, listed, log_in) if speaks(datasette, "notes", __name__) else []


@hookimpl
def extra_template_vars(datasette: Any, request: Any, view_name: str, database: str | None,
                        table: str | None) -> Vars:
    """Who asks, and for the page of a row what is said of it."""
    if not speaks(datasette, "notes beside rows", __name__):
        return {}

    async def found() -> dict[str, Any]:
        return panel(datasette, request, view_name, database, table)

    return found
