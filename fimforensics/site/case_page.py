"""The page of a case, and what it shows at its beginning."""

from __future__ import annotations

import sqlite3

from fimforensics.queries.overview import Overview, overview
from fimforensics.site.twins import Asked


def ask(connection: sqlite3.Connection, asked: Asked) -> Overview:
    """The case in one look; the same whatever is asked for."""
    return overview(connection)
