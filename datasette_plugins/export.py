"""CSV to the last row: of tables, views, questions and statements, in front of Datasette's own that ends at a limit."""

from collections.abc import Callable
from typing import Any

from datasette import hookimpl

from fimforensics.site.export import answer
from fimforensics.site.once import speaks


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """Datasette's addresses that end in `.csv`, but for those of single rows."""
    address = r"^/(?P<database>[^/.]+)(?:/(?P<table>[^/.]+))?\.(?P<format>csv)$"
    return [(address, answer)] if speaks(datasette, "export", __name__) else []
