"""Bad records, by the real commands: rejects with a reason or events with a flag; the limits to the byte; nothing lost."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.case import open_read
from fimforensics.cli import main
from fimforensics.evidence.raw import raw_record

MIB = 1 << 20


def event(number: int = 1, **more: object) -> bytes:
    """One event as a line of JSON, without its line break."""
    return json.dumps({
        "TimeGenerated": f"2026-09-01T00:00:{number:02d}.0000000Z", "Computer": "web1", "MonitoredEntityType": "File",
        "ChangeType": "Modified", "FileName": f"a{number}.dll", "FilePath": f"C:\\x\\a{number}.dll", **more}).encode()


def with_text(text: str, number: int = 2) -> bytes:
    """An event with some JSON put in as it is."""
    return event(number)[:-1] + b", " + text.encode() + b"}"


def lines(*records: bytes) -> bytes:
    """JSON Lines."""
    return b"".join(record + b"\n" for record in records)


HEADER = b"TimeGenerated,Computer,MonitoredEntityType,ChangeType,FileName,FilePath\r\n"


def row(number: int, *more: str) -> bytes:
    """One line of CSV under HEADER."""
    cells = [f"2026-09-01T00:00:{number:02d}Z", "web1", "File", "Modified", f"a{number}.dll", f"C:\\x\\a{number}.dll", *more]
    return ",".join(cells).encode() + b"\r\n"


def api(*events: bytes) -> bytes:
    """The query API's answer with these events as rows."""
    columns = [{"name": name, "type": "string"} for name in json.loads(events[0])]
    table = {"name": "PrimaryResult", "columns": columns, "rows": [list(json.loads(one).values()) for one in events]}
    return json.dumps({"tables": [table]}, separators=(",", ":")).encode()


API = api(event(1), event(2), event(3))
LAST_ROW = json.dumps(list(json.loads(event(3)).values()), separators=(",", ":")).encode()
# source: its bytes; for each reject its number, its bytes and the reason; how many events the rest gives
DEEP = b'"X":' + b"[" * 10_000 + b"]" * 10_000
REJECTED: dict[str, tuple[bytes, list[tuple[int, bytes, str]], int]] = {
    "cut.jsonl": (lines(event(1), event(2)) + event(3)[:50], [
        (3, event(3)[:50], "cut off, or a quote is missing: the JSON does not end")], 2),
    "cut.json": (API[:-20], [(3, LAST_ROW[:-16], "cut off: the source ends within this record")], 2),
    "cut.csv": (HEADER + row(1) + b'2026-09-01T00:00:02Z,"we', [(2, b'2026-09-01T00:00:02Z,"we',
                                                                 "an unclosed quote: the file ends within this record")], 1),
    "short.csv": (HEADER + row(1) + row(2)[:25], [(2, row(2)[:25], "2 cells for 6 columns")], 1),
    "delimiter.csv": (HEADER + row(1) + row(2).replace(b",", b";"), [
        (2, row(2).replace(b",", b";"), "1 cells for 6 columns")], 1),
    "headers.csv": (HEADER + row(1) + HEADER + row(2), [(2, HEADER, "a second header line")], 2),
    "two.csv": (HEADER + row(1) + HEADER.replace(b"FileName", b"FileType") + row(2), [
        (2, HEADER.replace(b"FileName", b"FileType"), "a second header line"),
        (3, row(2), "a row under a second header line with other columns")], 1),
    "twice.jsonl": (lines(event(1), with_text('"Computer": "b"'), event(3)),
                    [(2, with_text('"Computer": "b"'), 'key "Computer" is there twice')], 2),
    "inner.jsonl": (lines(event(1), with_text('"X": {"a": 1, "a": 2}')), [
        (2, with_text('"X": {"a": 1, "a": 2}'), 'key "a" is there twice')], 1),
    "figures.jsonl": (lines(event(1), with_text('"FileSize": ' + "9" * 30)), [
        (2, with_text('"FileSize": ' + "9" * 30), f"integer {'9' * 30} is beyond 64 bits")], 1),
    "bits.jsonl": (lines(event(1, FileSize=(1 << 63) - 1), event(2, FileSize=1 << 63)),
                   [(2, event(2, FileSize=1 << 63), "FileSize is beyond 64 bits")], 1),
    "nan.jsonl": (lines(event(1), with_text('"FileSize": NaN'), with_text('"X": -Infinity'), event(4, FileSize="NaN")), [
        (2, with_text('"FileSize": NaN'), "NaN is no number"), (3, with_text('"X": -Infinity'), "-Infinity is no number"),
        (4, event(4, FileSize="NaN"), "FileSize is not a whole number: 'NaN'")], 1),
    "deep.jsonl": (lines(event(1), with_text(DEEP.decode())), [(2, with_text(DEEP.decode()), "nested over 64 deep")], 1),
    "open.jsonl": (lines(event(1), b"[" * 10_000), [(2, b"[" * 10_000, "nested over 64 deep")], 1),
    "deep.json": (b"[" * 10_000 + b"]" * 10_000, [(1, b"[" * 9_999 + b"]" * 9_999, "nested over 64 deep")], 0),
    "sixty-four.jsonl": (lines(event(1), with_text('"X":' + "[" * 63 + "]" * 63), with_text('"X":' + "[" * 64 + "]" * 64)),
                         [(3, with_text('"X":' + "[" * 64 + "]" * 64), "nested over 64 deep")], 2),
    "mebibyte.jsonl": (lines(event(1), event(2, NewValueData="x" * MIB), event(3, NewValueData="x" * (MIB + 1))), [
        (3, event(3, NewValueData="x" * (MIB + 1)), 'field "NewValueData" is 1,048,577 bytes, over the limit of 1,048,576')], 2),
    "mebibyte.csv": (HEADER[:-2] + b",NewValueData\r\n" + row(1, "x") + row(2, "x" * MIB) + row(3, "x" * MIB + "x"), [
        (3, row(3, "x" * (MIB + 1)), "a field or record over the limit of 1,048,576 bytes")], 2),
    "kinds.jsonl": (lines(event(1), b"[1, 2]", b"3", b'"x"', b"null", b"garbage", event(7)), [
        (2, b"[1, 2]", "not a JSON object"), (3, b"3", "not a JSON object"), (4, b'"x"', "not a JSON object"),
        (5, b"null", "not a JSON object"), (6, b"garbage", "not valid JSON at character 1")], 2),
    "times.jsonl": (lines(event(1), event(2, TimeGenerated=None), event(3, TimeGenerated="2026-02-30T00:00:00Z"),
                          event(4, TimeGenerated="2026-09-01T00:00:00"), event(5, TimeGenerated=12345)), [
        (2, event(2, TimeGenerated=None), "it has no TimeGenerated"),
        (3, event(3, TimeGenerated="2026-02-30T00:00:00Z"), "TimeGenerated: not a time: '2026-02-30T00:00' is in no calendar"),
        (4, event(4, TimeGenerated="2026-09-01T00:00:00"), "TimeGenerated: no time zone stated"),
        (5, event(5, TimeGenerated=12345), "TimeGenerated is not a time: '12345'")], 1),
    "header.csv": (HEADER, [], 0),
}

# source: its bytes, a column of its only event, and the cell there
FLAGGED = {
    "utf8.jsonl": (lines(event().replace(b"web1", b"w\xff\x9b1")), "Computer", "w\\xff\\x9b1"),
    "utf8.csv": (HEADER + row(1).replace(b"web1", b"w\xff1"), "Computer", "w\\xff1"),
    "nul.jsonl": (lines(event(Computer="w\0b")), "Computer", "w\\x00b"),
    "rawnul.jsonl": (lines(event().replace(b"web1", b"w\x00b")), "Computer", "w\\x00b"),
    "nul.csv": (HEADER + row(1).replace(b"web1", b"w\x00b"), "Computer", "w\\x00b"),
    "surrogate.jsonl": (lines(event(FileName="a\udfff.dll", FilePath="C:\\x\\a\udfff.dll")), "FilePath", "C:\\x\\a\\udfff.dll"),
    "1601.jsonl": (lines(event(TimeGenerated="1601-01-01T00:00:00Z")), "TimeGenerated", "1601-01-01T00:00:00.0000000Z"),
    "9999.jsonl": (lines(event(TimeGenerated="9999-12-31T23:59:59.9999999Z")), "TimeGenerated", "9999-12-31T23:59:59.9999999Z"),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in, in which files have short names."""
    monkeypatch.chdir(tmp_path)


def cli(*arguments: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages; what is no message of ours is an error of the test."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("name", REJECTED)
def test_bad_records_are_rejects_and_their_bytes_are_kept(name: str) -> None:
    data, expected, events = REJECTED[name]
    Path(name).write_bytes(data)
    code, out, err = cli("ingest", "c.db", name, "--json")
    found = json.loads(out)
    none = f"{name}: none of its 1 record could become an event. See why: fimforensics rejects c.db --snapshot 1"
    assert (code, err) == ((1, f"fimforensics: {none}\n") if expected and not events else (0, ""))
    assert (found["records"], found["events"], found["rejects"]) == (events + len(expected), events, len(expected))
    told = [json.loads(line) for line in cli("rejects", "c.db", "--json")[1].splitlines()]
    assert [(one["source"], one["record"], data[one["offset"]:one["offset"] + one["length"]], one["reason"]) for one in told] == [
        (name, *one) for one in expected]
    with closing(open_read(Path("c.db"))) as connection:
        assert [raw_record(connection, one["seq"]) for one in told] == [raw for _, raw, _ in expected]
    assert cli("original", "c.db", "1", "-o", "back")[0] == 0
    assert Path("back").read_bytes() == data


@pytest.mark.parametrize("name", FLAGGED)
def test_odd_values_are_events_with_a_flag(name: str) -> None:
    data, column, shown = FLAGGED[name]
    Path(name).write_bytes(data)
    assert cli("ingest", "c.db", name)[::2] == (0, "")
    found = json.loads(cli("show", "c.db", "1", "--json")[1])
    assert found["columns"][column] == shown
    assert found["flat"]["flags"] == ("odd time" if column == "TimeGenerated" else "escaped")
    raw = data.removeprefix(HEADER).rstrip(b"\r\n") if not name.endswith("csv") else data.removeprefix(HEADER)
    assert cli("show", "c.db", "1", "--raw", "--output", "raw")[0] == 0
    assert Path("raw").read_bytes() == raw


@pytest.mark.parametrize("shape", ["jsonl", "csv"])
def test_a_field_of_100_mb_is_a_reject(shape: str) -> None:
    long = "x" * 100_000_000
    bad = event(2, NewValueData=long) if shape == "jsonl" else row(2, long)
    Path("s").write_bytes(lines(event(1), bad, event(3)) if shape == "jsonl" else
                          HEADER[:-2] + b",NewValueData\r\n" + row(1, "") + bad + row(3, ""))
    done = subprocess.run([sys.executable, "-m", "fimforensics", "ingest", "c.db", "s", "--json"], capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["events"], found["rejects"], found["records"]) == (2, found["records"] - 2, found["records"])
    told = [json.loads(line) for line in cli("rejects", "c.db", "--json")[1].splitlines()]
    assert sum(one["length"] for one in told) == len(bad) and all("over the limit of 1,048,576" in one["reason"] for one in told)
    assert cli("original", "c.db", "1", "-o", "back")[0] == 0
    assert sha256(Path("back").read_bytes()).digest() == sha256(Path("s").read_bytes()).digest()


def test_no_cell_is_over_the_limit_whatever_becomes_of_values() -> None:
    half = "y" * (MIB * 2 // 3)
    Path("s.jsonl").write_bytes(lines(
        event(1), event(2, NewValueData="\0" * (MIB // 2)), event(3, FilePath="C:\\" + half, FileName="z" * len(half)),
        event(4, A=half, B=half), event(5, InitiatingProcessAccountName=half, InitiatingProcessAccountDomainName=half)))
    assert cli("ingest", "c.db", "s.jsonl")[::2] == (0, "")
    longest = {}
    with closing(sqlite3.connect("c.db")) as connection:
        for table, in connection.execute("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE TABLE%'").fetchall():
            for _, column, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
                sql = f"SELECT max(length(CAST({column} AS BLOB))) FROM {table}"
                longest[table, column] = connection.execute(sql).fetchone()[0]
    assert {name: size for name, size in longest.items() if (size or 0) > MIB} == {}
    assert json.loads(cli("info", "c.db", "--json")[1])["rejects"] == 4
