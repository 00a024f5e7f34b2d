"""Every cell of every table, made inert."""

from functools import partial
from typing import Any

from datasette import hookimpl
from markupsafe import Markup

from fimforensics.site.cells import cell
from fimforensics.site.notes_vars import marker
from fimforensics.site.once import speaks
from fimforensics.site.vars import row_address


@hookimpl(tryfirst=True)
def render_cell(value: object, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    """The value as HTML that only shows itself."""
    if not speaks(datasette, "cells", __name__):
        return None
    return cell(value, column, table, partial(row_address, datasette, database), mark=partial(marker(datasette), database))
