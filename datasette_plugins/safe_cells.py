"""Every cell of every table, made inert."""

from functools import partial

from datasette import hookimpl

from fimforensics.site.cells import cell
from fimforensics.site.vars import row_address


@hookimpl(tryfirst=True)
def render_cell(value, column, table, database, datasette):
    """The value as HTML that only shows itself."""
    return cell(value, column, table, partial(row_address, datasette, database))
