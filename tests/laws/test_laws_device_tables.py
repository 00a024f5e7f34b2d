"""File events of Defender XDR: the same rows from hunting, Log Analytics and a browser are the same events."""

from __future__ import annotations

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.bench import FEW, bench, digest, rows
from tests.laws.drawn_tables import Row
from tests.laws.tables_as_shapes import portal_time

TABLE = "DeviceFileEvents"
COLUMNS = """
DeviceId DeviceName ActionType FileName FolderPath PreviousFileName PreviousFolderPath SHA1 SHA256 MD5 FileSize
RequestAccountName RequestAccountDomain RequestAccountSid RequestProtocol RequestSourceIP RequestSourcePort ReportId
InitiatingProcessId InitiatingProcessFileName InitiatingProcessFolderPath InitiatingProcessCreationTime
InitiatingProcessCommandLine InitiatingProcessAccountName InitiatingProcessAccountDomain InitiatingProcessAccountSid
InitiatingProcessParentCreationTime
""".split()
TIMES = {"Timestamp", "InitiatingProcessCreationTime", "InitiatingProcessParentCreationTime"}

_PROCESS = {
    "InitiatingProcessId": 4,
    "InitiatingProcessFileName": "cmd.exe",
    "InitiatingProcessFolderPath": "c:\\windows\\cmd.exe",
    "InitiatingProcessCreationTime": "2026-03-04T05:06:00.0000001Z",
    "InitiatingProcessCommandLine": '"cmd" /c "x"',
    "InitiatingProcessParentCreationTime": "2026-03-04T05:00:00.7654321Z",
}
_WHAT = (
    {"ActionType": "FileCreated", "FileName": "a.txt", "FolderPath": "C:\\Temp\\a.txt", "SHA1": "AB" * 20, "FileSize": 9},
    {"ActionType": "FileCreated", "FileName": "a.txt", "FolderPath": "C:\\Temp", "SHA1": "ab" * 20, "FileSize": 9},
    {
        "ActionType": "FileRenamed",
        "FileName": "b.txt",
        "FolderPath": "C:\\Temp\\b.txt",
        "PreviousFileName": "a.txt",
        "PreviousFolderPath": "C:\\Temp",
    },
    {"ActionType": "FileModified", "FileName": "c", "FolderPath": "/tmp/c", "RequestProtocol": "SMB", "RequestSourcePort": 445},
)
_TIMES = ("2026-03-04T05:06:07.1230000Z", "2026-03-04T05:06:07.1230001Z", "2026-03-04T17:06:07.9999999Z")


def _row(time: str, host: str, what: dict, who: dict, report: int | None) -> Row:
    return Row({"Timestamp": time, **dict.fromkeys(COLUMNS), "DeviceName": host, **what, **who, "ReportId": report})


TABLES = st.lists(
    st.builds(_row, *map(st.sampled_from, (_TIMES, ("pc1", "pc2"), _WHAT, ({}, _PROCESS), (None, 5, 10)))), min_size=1, max_size=6
)


def hunting(table: list[Row]) -> bytes:
    """As the hunting API answers."""
    schema = [{"name": name, "type": "DateTime" if name in TIMES else "String"} for name in table[0]]
    return json.dumps({"schema": schema, "results": table}).encode()


def old_hunting(table: list[Row]) -> bytes:
    """As the API before it answered."""
    schema = [{"Name": name, "Type": "DateTime" if name in TIMES else "String"} for name in table[0]]
    return json.dumps({"Stats": {"x": 1}, "Schema": schema, "Results": table}, indent=1).encode()


def log_analytics(table: list[Row]) -> bytes:
    """As a data export rule writes it."""
    told = [
        {"TimeGenerated" if name == "Timestamp" else name: cell for name, cell in row.items()} | {"Type": TABLE} for row in table
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in told)


def browser_csv(table: list[Row]) -> bytes:
    """As a portal exports what advanced hunting shows."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(f"{name} [UTC]" if name in TIMES else name for name in table[0])
    writer.writerows([portal_time(cell) if name in TIMES and cell else cell for name, cell in row.items()] for row in table)
    return out.getvalue().encode("utf-8-sig")


FINE = (hunting, old_hunting, log_analytics)


@FEW
@given(TABLES, st.sampled_from(FINE), st.sampled_from((*FINE, browser_csv)), st.data())
def test_one_table_in_two_shapes(table: list[Row], fine, other, data: st.DataObject) -> None:
    with bench() as at:
        alone = digest(at.case(at.source("alone", fine(table))))["events_digest"]
        assert digest(at.case(at.source("hunting", hunting(table[::-1]))))["events_digest"] == alone
        pieces = dict.fromkeys((fine(table), other(data.draw(st.permutations(table)))))
        sources = [at.source(str(number), piece) for number, piece in enumerate(pieces)]
        case, turned = at.case(*sources), at.case(*sources[::-1])
        assert digest(case)["events_digest"] == alone == digest(turned)["events_digest"]
        assert digest(case)["case_digest"] == digest(turned)["case_digest"]
        assert rows(case, "SELECT count(*) FROM events") == [(len(table),)]
