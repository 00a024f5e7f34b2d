"""Evidence, file names and words that attack a terminal or a spreadsheet: no command prints any of it raw."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from fimforensics.cli.ingest import Bar
from fimforensics.model import COLUMNS, TEXT
from fimforensics.text import storable

HOSTILE = (
    "\x1b[31mred\x1b[2J", "\x1b]52;c;ZXZpbA==\x07", "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x9b31mred", "\x9d0;title\x9c", "photo\u202egnp.exe", "a\u2066b\u2069c\u200ed\u061c", "nul\x00here", "\x08\x08\x08back\x7f",
    "one\ntwo\rthree\x0bfour\x0cfive\x85six\u2028seven", "lone\ud800high", "lone\udc9blow", "\udcff\udc9b",
    "<script>alert(1)</script>", "{{7*7}}${7*7}", "=HYPERLINK(\"http://evil.example\")", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1",
    "\r=2+2", "\ufeff=3+3", "\u200b=4+4", "'; DROP TABLE events; --", "%s%n{0}", "zero\u200bwidth\u00ad", "\U000e0041tag",
    "\ufff9note\ufffb", "x" * 100_000, '"quoted","cells"\n=5+5', "C:\\back\\slash",
)
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
                    "\ud800-\udfff\U000e0000-\U000e007f]")
PLAIN = {"TimeGenerated": "2026-09-01T10:00:00Z", "Computer": "web1", "MonitoredEntityType": "File", "ChangeType": "Created",
         "FileName": "a.dll", "FilePath": "C:\\a.dll"}
TEXTS = [name for name, kind in COLUMNS.items() if kind == TEXT and name != "Type"]


def cli(*words: str) -> tuple[int, str, str]:
    """The command's exit code, output and messages, of which nothing is hidden or steers; no exception but our own."""
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    for shown in (result.stdout, result.stderr):
        found = HIDDEN.search(shown)
        assert found is None, f"{words}: {shown[max(found.start() - 40, 0):found.end() + 40]!r}"
    return result.exit_code, result.stdout, result.stderr


def records() -> list[dict]:
    """Every hostile text in every column: in all that hold text together, in each of the others alone, and as a column's name."""
    found = []
    for text in HOSTILE:
        found.append(PLAIN | dict.fromkeys(TEXTS, text))
        registry = {"MonitoredEntityType": "Registry", "ChangeType": "RegistryValueSet", "RegistryKey": f"HKEY_USERS\\{text}"}
        found.append(PLAIN | registry | {"NewValueName": text, "NewValueData": text, "OldValueData": text})
        found += [PLAIN | {name: text} for name in COLUMNS if name not in TEXTS]
        found.append(PLAIN | {text[:300]: text, "Nested": {text[:300]: [text]}})
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of all hostile records, with hostile words about it."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "evil.jsonl").write_bytes(b"".join(json.dumps(record).encode() + b"\n" for record in records()))
    about = ("--case-number", HOSTILE[0], "--examiner", HOSTILE[1], "--note", HOSTILE[2])
    assert cli("ingest", str(folder / "c.db"), str(folder / "evil.jsonl"), *about)[::2] == (0, "")
    return folder


@pytest.fixture
def case(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """That case, copied to an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("c.db", "c.db.key", "evil.jsonl"):
        shutil.copyfile(made / name, name)
    return "c.db"


def stored(sql: str) -> list[tuple]:
    """Rows of the case."""
    with sqlite3.connect("c.db") as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


def test_what_can_be_an_event_is_one(case: str) -> None:
    total, = stored("SELECT records, new_events, known_events, rejects FROM snapshots")
    assert total[0] == len(records()) == sum(total[1:])
    others = len(COLUMNS) - len(TEXTS)  # of them Type and _BilledSize may hold or refuse a text; times and numbers cannot
    assert len(HOSTILE) * (others - 2) <= total[3] <= len(HOSTILE) * others
    for column in TEXTS:
        texts = {cell for cell, in stored(f'SELECT DISTINCT "{column}" FROM MDCFileIntegrityMonitoringEvents')}
        assert len(texts) >= len(HOSTILE) - 1, column


@pytest.mark.parametrize("command", ["info", "snapshots", "events", "rejects", "custody"])
def test_no_command_prints_it_raw(case: str, command: str) -> None:
    assert cli(command, case)[::2] == (0, "") or command == "events"
    code, out, err = cli(command, case, "--json")
    assert (code, err, out.isascii()) == (0, "", True)
    assert all(isinstance(json.loads(line), dict) for line in out.splitlines())


def test_lists_of_events(case: str) -> None:
    assert cli("events", case, "--limit", "1000000")[0] == 0
    for text in HOSTILE:
        for option in ("--host", "--path", "--change", "--process", "--account", "--hash"):
            assert cli("events", case, option, text)[0] == (0 if len(text) < 20_000 and option != "--hash" else 2)
    found = [json.loads(line) for line in cli("events", case, "--json")[1].splitlines()]
    texts = stored("SELECT id, computer, change, path, data, account FROM events_flat ORDER BY id")
    assert [tuple(row[name] for name in ("id", "computer", "change", "path", "data", "account")) for row in sorted(
        found, key=lambda row: row["id"])] == texts
    assert {storable(text)[0] for text in HOSTILE} <= {row["data"] for row in found}


def test_csv_cells_are_no_formulas(case: str) -> None:
    csv.field_size_limit(1 << 20)
    code, out, err = cli("events", case, "--csv")
    table = list(csv.reader(io.StringIO(out)))
    assert (code, err, len(table)) == (0, "", 1 + stored("SELECT new_events FROM snapshots")[0][0])
    assert {len(row) for row in table} == {14}
    assert [cell for row in table for cell in row if cell[:1] in tuple("=+-@\t\r\n")] == []
    assert {"'=HYPERLINK(\"http://evil.example\")", "'-2+3", "'@SUM(A1)", "\\t=1+1"} <= {row[8] for row in table}


def test_single_events(case: str) -> None:
    numbers = stored("SELECT id FROM events ORDER BY id")
    for number, in numbers[::3]:
        assert cli("show", case, str(number))[0] == 0
        assert cli("show", case, str(number), "--raw")[0] == 0
        found = json.loads(cli("show", case, str(number), "--json")[1])
        assert stored(f"SELECT extra, old_data FROM events WHERE id = {number}")[0][0] == found["flat"]["extra"]


NAMES = [text.replace("/", "|").replace("\0", "")[:80] for text in HOSTILE if "\ud800" not in text]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")
def test_names_of_sources_folders_and_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.makedirs(os.fsencode("tree/\x1b[31m\u202ein"))
    for number, name in enumerate(NAMES):
        Path(f"tree/\x1b[31m\u202ein/{number}{name}").write_text(json.dumps(PLAIN | {"FileSize": number}) + "\n")
        Path(f"./bad{name}").write_text("no source")
    assert cli("ingest", "c.db", "tree")[::2] == (0, "")
    code, out, err = cli("ingest", "c.db", *(f"./bad{name}" for name in NAMES))
    assert (code, out, len(err.splitlines())) == (1, "", len(NAMES))
    for command in ("snapshots", "info", "custody", "events"):
        assert cli(command, "c.db")[::2] == (0, "") and cli(command, "c.db", "--json")[1].isascii()
    assert len(cli("snapshots", "c.db", "--json")[1].splitlines()) == len(NAMES)
    assert cli("rebuild", "c.db", "new\x1b[31m.db")[0] == 0
    with zipfile.ZipFile("z\u202e.zip", "w") as archive:
        for name in NAMES:
            if name.isprintable() or name.isascii():
                archive.writestr(f"a{name}", json.dumps(PLAIN) + "\n")
    assert cli("ingest", "zip.db", "z\u202e.zip")[::2] == (0, "")
    assert cli("show", "zip.db", "1")[0] == 0 and cli("rejects", "zip.db")[0] == 0


@pytest.mark.parametrize("text", [text for text in HOSTILE if not set("\0\ud800") & set(text) and len(text) < 1_000])
def test_words_of_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evil.jsonl").write_text(json.dumps(PLAIN) + "\n")
    case = "c.db"
    assert cli("ingest", case, "evil.jsonl")[::2] == (0, "")
    told = [("show", case, text), ("info", text), ("events", case, "--since", text), ("events", case, "--kind", text), (text,),
            ("ingest", case, "--timezone", text, "evil.jsonl"), ("ingest", case, f"./{text}"), ("ingest", case, f"-{text}"),
            ("original", case, text), ("ingest", f"{text}/c.db", "evil.jsonl"), ("serve", text), ("rebuild", text, "n.db")]
    for words in told:
        code, out, err = cli(*words)
        assert (code, out) in ((1, ""), (2, "")) and err.startswith(("fimforensics: ", "Usage: ")), words


def test_words_about_a_case_are_kept_as_they_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text(json.dumps(PLAIN) + "\n")
    about = ("--note", "x\udcff\u202e", "--examiner", "\udc9b", "--case-number", "\ud800")
    assert cli("ingest", "c.db", "a.jsonl", *about)[::2] == (0, "")
    found = json.loads(cli("info", "c.db", "--json")[1])
    assert (found["note"], found["examiner"], found["case_number"]) == ("x\\xff\u202e", "\\x9b", "\\ud800")
    assert cli("info", "c.db")[1].startswith("Case \\ud800, examined by \\x9b\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")
def test_the_real_process_takes_names_that_are_no_text(tmp_path: Path) -> None:
    name = b"\xff\x9b31m\xe2\x80\xae.jsonl"
    (tmp_path / os.fsdecode(name)).write_text(json.dumps(PLAIN) + "\n")
    told = (["ingest", "c.db", name], ["snapshots", "c.db"], ["custody", "c.db", "--json"], ["info", "c.db"], ["info", name])
    for words in told:
        done = subprocess.run([sys.executable, "-m", "fimforensics", *words], cwd=tmp_path, capture_output=True, check=False,
                              env=os.environ | {"PYTHONIOENCODING": "utf-8"})
        assert done.returncode == int(words == ["info", name]), done.stderr
        assert HIDDEN.search((done.stdout + done.stderr).decode()) is None


def test_the_bar_shows_names_inert(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar()
    bar.active = True
    for text in HOSTILE:
        bar._shown = 0
        bar(text, 1, 2, 3)
    bar.end()
    shown = capsys.readouterr().err  # without the codes that clear a line, as this is no terminal
    assert HIDDEN.search(shown.replace("\r", "")) is None and shown.count("\r") == len(HOSTILE) + 1
