"""While a snapshot is unfinished its events are nobody's: the tables leave them out, as the views do."""

from datasette import hookimpl

from fimforensics.site.vars import finished_only


@hookimpl
def filters_from_request(datasette, database, table):
    """A condition on `events` and `occurrences`, in cases that have an unfinished snapshot."""

    async def found():
        return await finished_only(datasette, database, table)

    return found
