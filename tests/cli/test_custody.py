"""The custody log by its command: every change has its entry, and an edited or shortened log is found out."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main


def cli(*arguments: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`c.db` with two sources, of one event each."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("one", "two")):
        row = {"TimeGenerated": f"2026-09-01T10:00:0{number}Z", "Computer": "web1", "MonitoredEntityType": "File",
               "ChangeType": "Created", "FileName": "a", "FilePath": "/etc/a", "Type": "MDCFileIntegrityMonitoringEvents"}
        Path(f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    assert cli("ingest", "c.db", "one.jsonl", "two.jsonl", "--examiner", "E. Xaminer")[0] == 0


def edited(change: str) -> tuple[int, str, str]:
    """What `custody` says of a copy that was changed so."""
    shutil.copyfile("c.db", "d.db")
    with closing(sqlite3.connect("d.db")) as connection, connection:
        connection.execute(change)
    return cli("custody", "d.db")


def test_it_tells_of_every_change() -> None:
    code, out, err = cli("custody", "c.db", "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [(row["action"], row["result"]) for row in told] == [("ingest", "1 records: 1 new events, 0 known, 0 rejects")] * 2
    said = {"case_number": None, "date_order": None, "examiner": "E. Xaminer", "note": None, "timezone": None}
    assert [json.loads(row["arguments"]) for row in told] == [
        {**said, "source": "one.jsonl", "snapshot": 1, "set": 1}, {**said, "source": "two.jsonl", "snapshot": 2, "set": 2}]
    lines = cli("custody", "c.db")[1].splitlines()
    assert lines[0].split() == ["id", "time", "(UTC)", "by", "on", "did", "with", "result"]
    assert lines[-1] == "The chain of 2 entries is whole."


def test_an_edited_entry_is_found_out() -> None:
    assert edited("UPDATE custody_log SET result = '0 rejects' WHERE id = 1")[::2] == (
        1, "fimforensics: entry 1 does not follow from the one before: the log was changed\n")


def test_a_missing_entry_is_found_out_wherever_it_was() -> None:
    assert edited("DELETE FROM custody_log WHERE id = 1")[::2] == (
        1, "fimforensics: entry 2 does not follow from the one before: the log was changed\n"
           "fimforensics: no entry tells of snapshot 1: the log was cut\n")
    assert edited("DELETE FROM custody_log WHERE id = 2")[::2] == (
        1, "fimforensics: no entry tells of snapshot 2: the log was cut\n")
