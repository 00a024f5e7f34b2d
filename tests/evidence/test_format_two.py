"""A case of format 2 is refused by every command but `rebuild`, which brings it to today's format."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from fimforensics import schema
from fimforensics.cli import main


def cli(*arguments: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_a_case_of_format_two_is_rebuilt(tmp_path: Path) -> None:
    source, old, new = tmp_path / "a.jsonl", tmp_path / "old.db", tmp_path / "new.db"
    source.write_text(json.dumps({"TimeGenerated": "2026-09-01T10:00:00Z", "Computer": "web1", "FilePath": "/etc/a",
                                  "Type": "MDCFileIntegrityMonitoringEvents"}) + "\n")
    assert cli("ingest", old, source)[0] == 0
    with closing(sqlite3.connect(old)) as connection, connection:
        for name in schema.ADDED[3]:
            connection.execute(f"DROP TABLE {name}")
        connection.execute("PRAGMA user_version = 2")
    told = "it is a case of format 2, this program reads format 3. Derive it anew: fimforensics rebuild CASE NEW"
    assert told in cli("info", old)[2] and told in cli("analyze", old)[2]
    assert cli("rebuild", old, new)[0] == 0
    found = json.loads(cli("info", new, "--json")[1])
    assert (found["format"], found["events"], cli("original", new, 1)[0]) == (3, 1, 0)
