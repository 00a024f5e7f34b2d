"""Wrong use and what is no case, by the real command line: one line that says what to do, the exit code, nothing changed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main

EVENT = {"TimeGenerated": "2026-09-01T10:00:00Z", "Computer": "web1", "MonitoredEntityType": "File", "ChangeType": "Created",
         "FileName": "shell.aspx", "FilePath": "C:\\inetpub\\shell.aspx"}


@pytest.fixture(autouse=True)
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`c.db` with one event of `web.jsonl`, and another source."""
    monkeypatch.chdir(tmp_path)
    Path("web.jsonl").write_text(json.dumps(EVENT) + "\n")
    Path("again.jsonl").write_text(json.dumps(EVENT) + "\n\n")
    assert cli("ingest", "c.db", "web.jsonl")[::2] == (0, "")


def cli(*words: str) -> tuple[int, str, str]:
    """The command's exit code, output and messages; what is no message of ours is an error of the test."""
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


NO_CASE = {
    "text": (b"hello" * 99, "it is not a case (no SQLite file). A source goes after the case: fimforensics ingest CASE SOURCE…"),
    "empty": (b"", "it is not a case (no SQLite file). A source goes after the case: fimforensics ingest CASE SOURCE…"),
    "other": (None, "it is a SQLite database, but not a case. Name the case's file"),
    "format": (lambda data: data[:60] + bytes([0, 0, 0, 7]) + data[64:],
               "it is a case of format 7, this program reads format 3. Derive it anew: fimforensics rebuild CASE NEW, with the "
     "program that made it or a later one"),
    "half": (lambda data: data[:len(data) // 2], "it is cut short: {:,} bytes instead of {:,}. Use another copy of it"),
    "folder": ("", "it is a folder or a device, not a case. Name the case's file"),
}
ON_A_CASE = [("info",), ("snapshots",), ("events",), ("show", "1"), ("rejects",), ("custody",), ("original", "1"), ("replay",),
             ("rebuild", "n.db"), ("ingest", "again.jsonl"), ("ingest", "--abandon"), ("serve", "--once")]


@pytest.mark.parametrize("kind", [*NO_CASE, "missing"])
def test_what_is_no_case_is_told_in_one_line_and_left_alone(kind: str) -> None:
    made, told = NO_CASE.get(kind, (0, "there is no such case. Make one: fimforensics ingest CASE SOURCE…"))
    case = Path("c.db")
    data = case.read_bytes()
    told = told.format(len(data) // 2, len(data))
    case.unlink()
    if kind == "other":
        sqlite3.connect(case).executescript("CREATE TABLE a (b)").connection.close()
    elif kind == "folder":
        case.mkdir()
    elif kind != "missing":
        case.write_bytes(made(data) if callable(made) else made)
    before = case.read_bytes() if case.is_file() else None
    for name, *more in ON_A_CASE:
        if kind == "missing" and name == "ingest":
            continue
        assert cli(name, "c.db", *more) == (1, "", f"fimforensics: c.db: {told}\n"), name
    assert (case.read_bytes() if case.is_file() else None) == before and not list(Path().glob("n.db*"))


def test_damage_inside_a_case_is_told_in_one_line() -> None:
    data = bytearray(Path("c.db").read_bytes())
    with sqlite3.connect("c.db") as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'snapshots'").fetchone()[0]
    connection.close()
    data[4096 * (page - 1):4096 * page] = bytes(range(256)) * 16
    Path("c.db").write_bytes(data)
    for words in (("info",), ("snapshots",), ("show", "1"), ("rebuild", "n.db"), ("ingest", "again.jsonl")):
        assert cli(words[0], "c.db", *words[1:]) == (
            1, "", "fimforensics: c.db: it is damaged (database disk image is malformed). Use another copy of it\n"), words


@pytest.mark.parametrize(("words", "code", "told"), [
    (("show", "c.db", "99"), 1, "there is no event 99 in this case"),
    (("show", "c.db", "9" * 30), 1, f"there is no event {'9' * 30} in this case"),
    (("show", "c.db", f"{'0' * 64}-0"), 1, f"there is no event {'0' * 64}-0 in this case"),
    (("show", "c.db", "x\x1b[m"), 2, "'x\\x1b[m' names no event. An event is named by its number or by its event key "
                                     "(64 hexadecimal figures, -, ordinal)"),
    (("show", "c.db", "1", "--output", "x"), 2, "--output goes with --raw"),
    (("original", "c.db", "9"), 1, "there is no snapshot 9 in this case. fimforensics snapshots CASE lists them"),
    (("original", "c.db", "1", "-o", "web.jsonl"), 1,
     "web.jsonl: cannot be written (File exists). Name a new file in a folder that is there"),
    (("rebuild", "c.db", "c.db"), 1, "c.db: it is there already. Name a new file"),
    (("rebuild", "c.db", "no/n.db"), 1,
     "no/n.db: cannot be written (No such file or directory). Name a new file in a folder that has room"),
    (("rebuild", "c.db", "n.db", "--reread", "2", "--timezone", "UTC"), 1,
     "there is no snapshot 2 in this case. fimforensics snapshots CASE lists them"),
    (("rebuild", "c.db", "n.db", "--reread", "1"), 2,
     "--reread goes with --timezone or --date-order. fimforensics rebuild CASE NEW --reread 7 --date-order mdy"),
    (("events", "c.db", "--since", "lately"), 2, "--since: not a time: 'lately'. Write it as 2026-09-30, 2026-09-30T02:14:00Z, "
                                                 "or -14d, -6h, -30m before the newest event"),
    (("ingest", "c.db"), 2, "no source is named. fimforensics ingest CASE SOURCE…"),
    (("ingest", "c.db", "web.jsonl", "--abandon"), 2, "--abandon goes without sources"),
    (("ingest", "c.db", "web.jsonl", "--timezone", "Mars/X"), 2,
     "unknown time zone 'Mars/X'. Give an IANA name (Europe/Berlin), UTC or an offset (+02:00)"),
    (("ingest", "c.db", "web.jsonl", "--case-key", "web.jsonl"), 1, "web.jsonl: it is not a case's key"),
    (("ingest", "no/c.db", "web.jsonl"), 1, "no/c.db.partial: cannot be written (No such file or directory). Name a case in a "
                                            "folder that is there, can be written, and has room"),
    (("ingest", "c.db", "c.db"), 1,
     "c.db: an SQLite database, not a table export. If it is a case, open it with `fimforensics info` or `serve`"),
])
def test_wrong_use_is_told_in_one_line(words: tuple[str, ...], code: int, told: str) -> None:
    assert cli(*words) == (code, "", f"fimforensics: {told}\n")


@pytest.mark.parametrize("words", [
    ("nothing",), ("info",), ("info", "c.db", "--nothing"), ("show", "c.db"), ("events", "c.db", "--kind", "x"),
    ("ingest", "c.db", ""), ("events", "c.db", "--limit", "0"), ("events", "c.db", "--snapshot", "9" * 30),
    ("original", "c.db", "x"), ("rejects", "c.db", "--snapshot", "0"),
    ("ingest", "c.db", "web.jsonl", "--date-order", "ymd"), ("serve", "c.db", "--port", "70000"), ("ingest", "", "web.jsonl")])
def test_wrong_options_are_exit_code_2(words: tuple[str, ...]) -> None:
    code, out, err = cli(*words)
    assert (code, out, err.splitlines()[-1][:7]) == (2, "", "Error: ")


def test_output_that_cannot_be_written_is_one_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    for words in (["info", "c.db"], ["events", "c.db", "--csv"], ["original", "c.db", "1"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([sys.executable, "-m", "fimforensics", *words], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False, env=buffered)
        assert (done.returncode, done.stderr) == (1, "fimforensics: output: cannot be read or written (No space left on device). "
                                                     "See that there is room, and try again\n")
