"""A case whose indexes were made by an earlier program is served and read as before; any other index is a changed schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fimforensics import schema
from fimforensics.case import open_read
from fimforensics.errors import Problem
from tests.analyses.building import change, made


def test_former_indexes_are_known(tmp_path: Path) -> None:
    case = made(tmp_path, [change("web-1", "08:00", "/etc/passwd")])
    for name, former in schema.FORMER.items():
        with closing(sqlite3.connect(case)) as connection:
            connection.executescript(f"DROP INDEX {name}; {former};")
        with closing(open_read(case)) as connection:
            assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)
    with closing(sqlite3.connect(case)) as connection:
        connection.executescript("DROP INDEX events_change; CREATE INDEX events_change ON events(change_id, host_id)")
    with pytest.raises(Problem, match="look at events_change"):
        open_read(case)
