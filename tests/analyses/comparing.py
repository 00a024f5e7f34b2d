"""What tests of states and differences share: moments in a few letters, silences written by hand, hosts that only show life."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from building import change, stamp

from fimforensics.queries.reporting import END

ALIVE = "C:\\alive"


def moment(time: str) -> str:
    """`08:00` as a case writes it."""
    return time if time == END else stamp(time)[:19] + ".0000000Z"


def silence(case: Path, host: str, since: str, until: str) -> None:
    """Writes a silence by hand, where a host of few events has no rhythm that one could break from."""
    with closing(sqlite3.connect(case)) as db:
        db.execute("INSERT INTO silences SELECT coalesce((SELECT max(id) FROM silences), 0) + 1, id, 'silent', ?, ?, 60, 0, "
                   "NULL, NULL, 'by hand' FROM hosts WHERE name = ?", (moment(since), moment(until), host))
        db.commit()


def alive(host: str, *times: str) -> list[dict]:
    """A host that reports at these times, and nothing but that."""
    return [change(host, time, ALIVE, "Modified", time) for time in times]
