"""Foreign keys say what they mean on the page of a single row too, where Datasette itself shows bare numbers."""

from datasette import hookimpl

from fimforensics.site.vars import row_cells


@hookimpl
def extra_template_vars(datasette, request, view_name, database, table):
    """For the page of a row: its cells as HTML, by column."""
    if view_name != "row":
        return {}

    async def found():
        return {"cells": await row_cells(datasette, request, database, table)}

    return found
