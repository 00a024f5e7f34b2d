"""The page of a case, and what it shows at its beginning."""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from pathlib import Path

from fimforensics.evidence import state
from fimforensics.queries.overview import overview
from fimforensics.site.twins import Asked


def ask(connection: sqlite3.Connection, asked: Asked) -> dict[str, object]:
    """The case in one look, and the seal beside it; the same whatever is asked for."""
    found = overview(connection)
    return {**{one.name: getattr(found, one.name) for one in fields(found)},
            "seal": state.of(Path(asked.cases.get(asked.name, asked.name)))}
