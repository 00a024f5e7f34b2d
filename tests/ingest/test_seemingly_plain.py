"""Records that look plain and are not: what a quick reading would bend or lose is read strictly, and found again at its place."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import openpyxl

from fimforensics.case import open_read
from fimforensics.evidence.raw import raw_record
from fimforensics.ingest import Options, ingest

EVENT = {"TimeGenerated": "2026-01-02T03:04:05.1234567Z", "Computer": "vm1", "MonitoredEntityType": "File",
         "ChangeType": "Modified", "FilePath": "/x/a", "Type": "MDCFileIntegrityMonitoringEvents"}
BASE = json.dumps(EVENT)[:-1]


def test_json_lines_that_a_quick_reader_would_bend(tmp_path: Path) -> None:
    tight = json.dumps(EVENT, separators=(",", ":"))[:-1]
    lines = [BASE + "}", BASE + ', "X": "\\":", "FileName"\r:"good", "FileName"\r:"evil"}',
             BASE + ', "X": [123456789012345678901234567890]}', BASE + ', "X": [1.10], "FileName": "n"}',
             tight + ',"X":' + "[" * 70 + "]" * 70 + "}", tight + ',"X":9223372036854775809}',
             tight + ',"FileName":9223372036854775809}']
    (tmp_path / "a.jsonl").write_bytes("\n".join(lines).encode() + b"\n")
    ingest(tmp_path / "c.db", [tmp_path / "a.jsonl"], Options())
    with closing(open_read(tmp_path / "c.db")) as case:
        assert case.execute("SELECT record, reason FROM rejects ORDER BY seq").fetchall() == [
            (2, 'key "FileName" is there twice'), (3, "integer 123456789012345678901234567890 is beyond 64 bits"),
            (5, "nested over 64 deep"), (6, "integer 9223372036854775809 is beyond 64 bits"),
            (7, "integer 9223372036854775809 is beyond 64 bits")]
        assert case.execute("SELECT extra FROM events WHERE extra IS NOT NULL").fetchall() == [('{"X":"[\\"1.10\\"]"}',)]


def test_a_row_of_a_workbook_is_found_behind_empty_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in ([*EVENT, "FileName"], [*EVENT.values(), "one"], [], [], [*EVENT.values(), "two"]):
        book.active.append(row)
    book.save(tmp_path / "b.xlsx")
    ingest(tmp_path / "c.db", [tmp_path / "b.xlsx"], Options())
    with closing(open_read(tmp_path / "c.db")) as case:
        places = case.execute("SELECT seq, offset FROM occurrences ORDER BY seq").fetchall()
        assert [(offset, json.loads(raw_record(case, seq))["FileName"]) for seq, offset in places] == [(0, "one"), (3, "two")]
