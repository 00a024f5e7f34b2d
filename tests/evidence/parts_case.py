"""A whole case to make parts of, and what the tests of parts share."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from fimforensics.cli import main

PEOPLE = ("Marguerite.Okonkwo", "jzwolinski", "h.a.vandenberg")
SECRET = "Zx81-Äpfel & Söhne"


def cli(*arguments: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def rows() -> Iterator[dict]:
    """Changes of files in people's folders and of registry values, on three hosts; two of them are equal."""
    for at in range(60):
        person = PEOPLE[at % 3]
        row = {
            "TimeGenerated": f"2026-09-{1 + at // 10:02}T10:{at:02}:00.1234567Z",
            "Computer": f"ws-{at % 3}",
            "Type": "MDCFileIntegrityMonitoringEvents",
            "InitiatingProcessAccountName": "SYSTEM" if at % 5 == 4 else person,
            "InitiatingProcessAccountDomainName": "CORP",
            "InitiatingProcessAccountSid": f"S-1-5-21-9-9-9-{1100 + at % 3}",
            "InitiatingProcessId": at,
            "InitiatingProcessImageFilePath": f"C:\\Users\\{person.upper()}\\tool.exe",
        }
        if at % 2:
            row |= {
                "MonitoredEntityType": "File",
                "ChangeType": "Modified",
                "FileName": f"f{at}.txt",
                "FilePath": f"C:\\Users\\{person}\\",
                "FileSha256": f"{at:064x}",
                "Note": f"opened by {person} at noon",
            }
        else:
            row |= {
                "MonitoredEntityType": "Registry",
                "ChangeType": "RegistryValueSet",
                "RegistryKey": "HKLM\\SOFTWARE\\Run",
                "NewValueName": f"v{at}",
                "NewValueData": SECRET if at % 4 else "",
                "OldValueData": None,
            }
        yield row
        if at == 7:
            yield row


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the whole case `w.db`, sealed and signed: lines, gzip, a workbook, and a table with part of the columns."""
    folder = tmp_path_factory.mktemp("parts")
    told = list(rows())
    lines = ["".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part) for part in (told[:40], told[30:])]
    (folder / "a.jsonl").write_text(lines[0], encoding="utf-8")
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(lines[1].encode()))
    book = openpyxl.Workbook()
    names = ["TimeGenerated", "Computer", "FilePath", "InitiatingProcessAccountName", "ChangeType"]
    for cells in [names, *([f"2026-09-20T11:00:{at:02}Z", "ws-0", f"C:\\x\\{at}", PEOPLE[at % 3], "Created"] for at in range(6))]:
        book.active.append(cells)
    book.save(folder / "c.xlsx")
    (folder / "d.csv").write_text(
        "TimeGenerated [UTC],Computer,FilePath,ChangeType\n"
        + "".join(f"2026-09-21T11:00:{at:02}Z,ws-1,/srv/{at},Modified\n" for at in range(6))
    )
    case = folder / "w.db"
    assert cli("ingest", case, *(folder / name for name in ("a.jsonl", "b.jsonl.gz", "c.xlsx", "d.csv")))[::2] == (0, "")
    assert cli("key", "new", "--out", folder / "signer")[0] == cli("seal", case, "--key", folder / "signer")[0] == 0
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with the whole in it."""
    for path in made.iterdir():
        shutil.copy2(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(*words: object) -> dict:
    """What `verify` says."""
    return json.loads(cli("verify", *words, "--json")[1])


ALTERED = ("--redact", "NewValueData=B6:§ 96 StPO", "--redact", "extra.Note=P1:GDPR 6", "--pseudonyms", "names.key")


def change(*statements: str) -> None:
    """Changes the part as somebody would who knows SQLite, and keeps what depends on it as it should be."""
    with closing(sqlite3.connect("p.db")) as db, db:
        for statement in statements:
            db.execute(statement)


def places(found: dict) -> set[tuple]:
    """Which tables and columns a report names."""
    return {(one.get("table"), one.get("column")) for one in found["differences"]}
