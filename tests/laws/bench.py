"""A bench on which a law puts sources into cases: in process, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, settings

from fimforensics import case as cases
from fimforensics.ingest import Options, Taken, ingest
from fimforensics.model import Reading
from fimforensics.queries.digest import digests
from fimforensics.store import COMMIT

READING = Reading("UTC", "mdy")
KEY = bytes(range(32))
# Each example makes several cases; FIMFORENSICS_EXAMPLES asks for more of them.
FEW = settings(
    max_examples=int(os.environ.get("FIMFORENSICS_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Bench:
    """A folder for the sources and cases of one example."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cases = 0

    def source(self, name: str, data: bytes) -> Path:
        """A source of this name (it may name folders, too)."""
        path = self.folder / "sources" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def new(self) -> Path:
        """Where a case may be made."""
        self._cases += 1
        return self.folder / f"{self._cases}.db"

    def case(self, *sources: Path, at: Path | None = None, reading: Reading = READING, **options: Any) -> Path:
        """A case of these sources, none of which may be refused; with `at` the case that they go into."""
        case = at or self.new()
        taken = self.take(case, *sources, reading=reading, **options)
        assert [one.refused for one in taken if one.refused] == []
        balanced(case)
        return case

    def take(self, case: Path, *sources: Path, reading: Reading = READING, commit: int = COMMIT, **options: Any) -> list[Taken]:
        """What became of the sources; `commit` is the number of records of one transaction."""
        with patch("fimforensics.snapshot.COMMIT", commit):
            return ingest(case, list(sources), Options(reading=reading, case_key=KEY, **options))


@contextmanager
def bench() -> Iterator[Bench]:
    """A fresh bench; a context and no fixture, for each example of a law needs its own."""
    with tempfile.TemporaryDirectory(prefix="laws-") as folder:
        yield Bench(Path(folder))


def balanced(case: Path) -> None:
    """Every record of every snapshot is a new event, one more occurrence of a known one, or a reject; and all are there."""
    told = rows(case, "SELECT records, new_events, known_events, rejects FROM snapshots WHERE state = 'finished'")
    assert all(records == new + known + rejects for records, new, known, rejects in told), told
    held = rows(
        case,
        "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM occurrences), "
        "(SELECT count(*) FROM rejects WHERE replayed_as IS NULL), (SELECT sum(length(hashes)) / 32 FROM leaves), "
        "(SELECT count(*) FROM rejects WHERE replayed_as IS NOT NULL)",
    )[0]
    records, new, known, rejects = (sum(column) for column in zip(*told, strict=True))
    assert held[:3] == (new, new + known, rejects) and held[3] == records + held[4], (held, told)


def digest(case: Path) -> dict[str, str]:
    """The three digests of a case."""
    with closing(cases.open_read(case)) as connection:
        return digests(connection)


def rows(case: Path, sql: str, *values: object) -> list[tuple]:
    """What a query gives."""
    with closing(cases.open_read(case)) as connection:
        return connection.execute(sql, values).fetchall()
