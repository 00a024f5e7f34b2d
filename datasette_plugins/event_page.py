"""An event's page: Microsoft's columns that have a value, and each record that reports it as it stood in its source."""

from datasette import hookimpl

from fimforensics.site.vars import event_vars


@hookimpl
def extra_template_vars(datasette, request, view_name, database, table):
    """For the page of a row of `events`."""
    if view_name != "row" or table != "events":
        return {}

    async def found():
        return {"page": await event_vars(datasette, request, database)}

    return found
