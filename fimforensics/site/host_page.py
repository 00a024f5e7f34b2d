"""The page of a host."""

from __future__ import annotations

import sqlite3

from fimforensics.queries.host import Host, host
from fimforensics.site.twins import Asked


def ask(connection: sqlite3.Connection, asked: Asked) -> Host | None:
    """The host of the row, or None."""
    return host(connection, asked.number)
