"""The graph explorer's picture: in its page, and as files."""

from collections.abc import Callable
from typing import Any

from datasette import hookimpl

from fimforensics.site.explore_file import answer, drawn
from fimforensics.site.once import speaks


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The files' addresses: that of the page with an ending."""
    address = r"^/(?P<database>[^/]+)/-/explore\.(?P<form>svg|graphml)$"
    return [(address, answer)] if speaks(datasette, "explorer", __name__) else []


@hookimpl
def extra_template_vars(datasette: Any, view_name: str) -> dict[str, Any]:
    """For the page of the explorer: what draws it."""
    return {"explored": drawn} if view_name == "own-explore" and speaks(datasette, "explorer page", __name__) else {}
