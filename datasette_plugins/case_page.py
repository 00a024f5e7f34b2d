"""The first page: what the case is, what is in it, where it came from, what is missing."""

from datasette import hookimpl

from fimforensics.site.vars import overviews


@hookimpl
def extra_template_vars(datasette, request, view_name, database):
    """For the index and for a case's own page: the summary of each case that the page is about."""
    if view_name not in ("index", "database"):
        return {}

    async def found():
        return {"cases": await overviews(datasette, request, [database] if view_name == "database" else None)}

    return found
