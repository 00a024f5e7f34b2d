"""Datasette as it is served here: what metadata.yml says of a table's permission is looked up once, for it never changes.

The stock class copies all metadata for every table of a page, which for the case's own page is most of its time.
"""

from __future__ import annotations

from typing import Any

from datasette.app import Datasette

from fimforensics.site.desk import Desk
from fimforensics.site.door import Door


class Served(Datasette):  # type: ignore[misc]
    """A Datasette over cases whose metadata stays as it is from start to end.

    `door` knows who asks, where that matters; `desk` has the notes, where some are kept; `names` are more names of this machine.
    """

    door: Door | None = None
    desk: Desk | None = None
    names: tuple[str, ...] = ()

    def _table_permission_allows(self, database: str, table: str) -> Any:
        """The `allow` blocks that hold for a table: what they are, not what they say of an actor."""
        known = self.__dict__.setdefault("_fimforensics_allows", {})
        if (database, table) not in known:
            found = super()._table_permission_allows(database, table)
            if len(known) > 10_000:  # addresses may name tables that are none
                known.clear()
            known[database, table] = found
        return known[database, table]
