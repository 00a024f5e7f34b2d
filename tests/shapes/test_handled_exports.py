"""Exports as they come when other tools had them in hand, by the real commands: taken as they are, or refused at once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from fimforensics.model import COLUMNS, TIME

NAMES = [name for name in COLUMNS if name not in ("_BilledSize", "_IsBillable")]


def _cells(number: int) -> dict[str, str]:
    """An event with a cell for each of the columns that tell events apart."""
    told = {"TimeGenerated": f"2026-09-01T00:00:{number:02d}.1230000Z", "Computer": "web1", "MonitoredEntityType": "File",
            "ChangeType": "Modified", "FileName": f"ä{number}.dll", "FilePath": f"C:\\x\\ä{number}.dll", "FileSize": "5"}
    return dict.fromkeys(NAMES, "") | told


def _table(header: list[str], delimiter: str) -> bytes:
    rows = [delimiter.join(_cells(number).values()) for number in range(3)]
    return "".join(line + "\r\n" for line in (delimiter.join(header), *rows)).encode()


def _az() -> str:
    events = (_cells(number) | {"TableName": "PrimaryResult"} for number in range(3))
    rows = [{name: cell or "None" for name, cell in event.items()} for event in events]
    return (json.dumps(rows, indent=2, ensure_ascii=False) + "\n").replace("\n", "\r\n")


ZONED = [f"{name} [UTC]" if COLUMNS[name] == TIME else name for name in NAMES]
TAKEN = {
    "portal.csv": _table(ZONED, ","), "lower.csv": _table([name.lower() for name in ZONED], ","),
    "upper.csv": _table([name.upper() for name in ZONED], ";"), "pipes.csv": _table(NAMES, "|"),
    "az.json": b"\xff\xfe" + _az().encode("utf-16-le"), "big.json": b"\xfe\xff" + _az().encode("utf-16-be"),
    "marked.json": b"\xef\xbb\xbf" + _az().encode(),
}
WITHOUT = "a table without a TimeGenerated column: columns Computer, ChangeType. Export it again with that column"
ANSWER = {"tables": [{"name": "PrimaryResult", "columns": [{"name": name} for name in ("Computer", "ChangeType")],
                      "rows": [["web1", "Modified"]]}]}
REFUSED = {
    "timeless.csv": (b"Computer,ChangeType\r\nweb1,Modified\r\n", WITHOUT),
    "timeless.json": (json.dumps(ANSWER).encode(), WITHOUT),
    "labels.csv": (b"id,label\r\n1,x\r\n", "not a table fimforensics knows: columns id, label. Export"),
}


def _ingest(case: Path, source: Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["ingest", str(case), str(source)], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.mark.parametrize("name", TAKEN)
def test_the_same_events_in_whatever_form(tmp_path: Path, name: str) -> None:
    case = tmp_path / "c.db"
    for source, data in (("plain.csv", _table(NAMES, ",")), (name, TAKEN[name])):
        (tmp_path / source).write_bytes(data)
        code, told = _ingest(case, tmp_path / source)
        assert code == 0, told
    assert "3 records: 0 new events, 3 known, 0 rejects" in told
    given = CliRunner().invoke(main, ["original", str(case), "2"])
    assert given.stdout_bytes == TAKEN[name]


def test_a_record_lies_where_its_place_says_in_the_utf8(tmp_path: Path) -> None:
    case, source = tmp_path / "c.db", tmp_path / "az.json"
    source.write_bytes(TAKEN["az.json"])
    assert _ingest(case, source)[0] == 0
    shown = json.loads(CliRunner().invoke(main, ["show", str(case), "1", "--json"]).stdout)
    with closing(sqlite3.connect(case)) as db:
        assert db.execute("SELECT name, cached FROM members").fetchall() == [("utf-8", 1)]
        offset, length = db.execute("SELECT offset, length FROM occurrences ORDER BY seq").fetchone()
    assert json.loads(_az().encode()[offset:offset + length])["FileName"] == shown["columns"]["FileName"] == "ä0.dll"


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_placed_is_refused_at_once(tmp_path: Path, name: str) -> None:
    data, told = REFUSED[name]
    (tmp_path / name).write_bytes(data)
    code, found = _ingest(tmp_path / "c.db", tmp_path / name)
    assert code == 1
    assert f"{name}: {told}" in found
    assert not (tmp_path / "c.db").exists()
