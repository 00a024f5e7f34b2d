"""The picture of a trace: in its page, and as a file."""

from collections.abc import Callable
from functools import partial
from typing import Any

from datasette import hookimpl

from fimforensics.site.once import speaks
from fimforensics.site.trace_file import answer, drawn


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The file's address: that of the page with an ending."""
    return [(r"^/(?P<database>[^/]+)/-/trace\.svg$", answer)] if speaks(datasette, "trace picture", __name__) else []


@hookimpl
def extra_template_vars(datasette: Any, view_name: str) -> dict[str, Any]:
    """For the page of a trace: what draws it."""
    return {"draw": partial(drawn, datasette)} if view_name == "own-trace" and speaks(datasette, "trace page", __name__) else {}
