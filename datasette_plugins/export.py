"""CSV to the last row: of tables, views, questions and statements, in front of Datasette's own that ends at a limit."""

from collections.abc import Callable
from typing import Any

from datasette import hookimpl

from fimforensics.site.export import answer


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Any]]]:
    """Datasette's addresses that end in `.csv`, but for those of single rows."""
    return [(r"^/(?P<database>[^/.]+)(?:/(?P<table>[^/.]+))?\.(?P<format>csv)$", answer)]
