"""Same input, order and case key, same root and rows: whatever the batch, the number of processes, and where it was stopped."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from fimforensics import snapshot, stream
from fimforensics.evidence import digests
from fimforensics.ingest import Options, ingest
from fimforensics.queries.digest import leaves_root

TABLES = ("events", "occurrences", "rejects", "event_keys", "hosts", "files", "paths", "processes", "process_reports", "accounts",
          "contents", "machine_reports", "members", "originals")


def lines(number: int) -> Iterator[dict]:
    """Changes that repeat, differ in fineness, and now and then are none."""
    for at in range(number):
        yield {"TimeGenerated": f"2026-07-{1 + at % 9:02}T08:{at % 60:02}:00.{at % 7}00Z", "Computer": f"h{at % 5}",
               "MonitoredEntityType": "File", "ChangeType": ("Modified", "Created", "Deleted")[at % 3], "FileName": f"f{at % 31}",
               "FilePath": "/etc/" if at % 2 else f"/etc/f{at % 31}", "FileSha256": f"{at % 41:064x}", "FileSize": at % 11,
               "InitiatingProcessId": at % 13, "InitiatingProcessName": "p", "Type": "MDCFileIntegrityMonitoringEvents",
               **({"TimeGenerated": "never"} if at % 97 == 96 else {}), **({"Extra": at} if at % 53 == 0 else {})}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files that overlap."""
    folder = tmp_path_factory.mktemp("sources")
    for name, number in (("one.jsonl", 700), ("two.jsonl", 300)):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines(number)))
    return sorted(folder.iterdir())


def told(case: Path) -> tuple[str, str]:
    """The root, and a hash over the rows of tables, ids and all."""
    with closing(sqlite3.connect(case)) as db:
        rows = digests.row(one.sha256 for table, ddl in digests.tables(db).items() if table in TABLES
                           for one in [digests.table_digest(db, table, ddl, "")])
        return leaves_root(db), sha256(rows).hexdigest()


def made(folder: Path, sources: list[Path], batch: int, stop_at: int | None = None) -> tuple[str, str]:
    """A case of the sources, stopped once after so many messages and gone on with."""
    folder.mkdir()
    options = Options(case_key=bytes(32), batch=batch)
    if stop_at is not None:
        messages = count()

        def stop(*_: object) -> None:
            if next(messages) == stop_at:
                raise KeyboardInterrupt
        with pytest.raises(KeyboardInterrupt):
            ingest(folder / "c.db", sources, options, stop)
    ingest(folder / "c.db", sources, options)
    return told(folder / "c.db")


def test_whatever_the_batch_the_processes_and_the_stop(tmp_path: Path, sources: list[Path],
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    expected = made(tmp_path / "plain", sources, 4096)
    monkeypatch.setattr(snapshot, "COMMIT", 64)
    answers = {f"batch {batch}": made(tmp_path / f"{batch}", sources, batch) for batch in (1, 7, 100)}
    answers |= {f"stopped at {at}": made(tmp_path / f"s{at}", sources, 16, at) for at in (0, 3, 17, 40, 52)}
    monkeypatch.setattr(stream, "ALONE", 0)
    answers["two processes"] = made(tmp_path / "two", sources, 50)
    assert answers == dict.fromkeys(answers, expected)
