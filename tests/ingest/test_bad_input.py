"""Bad input, by the real commands: one line that says what, where and what to do; nothing lost; the case as it was."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics import ingest as ingesting
from fimforensics.case import open_read
from fimforensics.cli import ingest as ingest_commands
from fimforensics.cli import main
from fimforensics.evidence.raw import raw_record

MIB = 1 << 20


def event(number: int = 1, **more: object) -> bytes:
    """One event as a line of JSON, without its line break."""
    return json.dumps({"TimeGenerated": f"2026-09-01T00:00:{number:02d}.0000000Z", "Computer": "web1", "MonitoredEntityType": "File",
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
    return ",".join([f"2026-09-01T00:00:{number:02d}Z", "web1", "File", "Modified", f"a{number}.dll", f"C:\\x\\a{number}.dll", *more]
                    ).encode() + b"\r\n"


API = json.dumps({"tables": [{"name": "PrimaryResult", "columns": [{"name": name, "type": "string"} for name in json.loads(event())],
                              "rows": [list(json.loads(event(number)).values()) for number in (1, 2, 3)]}]}, separators=(",", ":")).encode()
LAST_ROW = json.dumps(list(json.loads(event(3)).values()), separators=(",", ":")).encode()
LOCAL = HEADER.replace(b"TimeGenerated", b"TimeGenerated [Local Time]") + b'"9/21/2026, 1:02:03.456 AM"' + row(1)[20:]
EXPORT = "Export the table as CSV or JSON and ingest that"
KNOWN = ("Known are MDCFileIntegrityMonitoringEvents, MDCDetectionFimEvents, ConfigurationChange, DeviceCustomFileEvents, "
         "DeviceCustomRegistryEvents, DeviceFileEvents, DeviceRegistryEvents, and their _SRCH and _RST copies")
DELIMITED = ("delimited text without a header of known columns, or with a strange delimiter. Export again with the column names in the "
             "first line, comma, semicolon or tab between them")

REFUSED = {
    "empty.jsonl": (b"", "empty file. Export it again; an empty answer is not the same as no changes"),
    "blank.csv": (b"\n \n", "nothing but white space. Export it again"),
    "cut.json": (API[:60], "the JSON document is broken or cut off at byte 45, before its records. Export it again"),
    "pipes.csv": ((HEADER + row(1)).replace(b",", b"|"), DELIMITED),
    "others.csv": (b"a,b,c,d\r\n1,2,3,4\r\n", DELIMITED),
    "twice.csv": (b"TimeGenerated,Computer,Computer,ChangeType\r\n", 'two columns are named "Computer". Export again with each column once'),
    "az.tsv": (b"\t".join(str(value).encode() for value in json.loads(event()).values()) + b"\tPrimaryResult\n",
               "tab separated text without column names, as `az ... -o tsv` prints it. Run the query again with `-o json` and ingest that"),
    "page.csv": (b"<!DOCTYPE html><html><title>Sign in</title></html>",
                 "an HTML page, perhaps a sign-in page, instead of data. Sign in and export again"),
    "picture.json": (b"\x89PNG\r\n\x1a\n" + bytes(50), f"a PNG picture, not a table export. {EXPORT}"),
    "powerbi.txt": (b'let Source = Json.Document(Web.Contents("https://api.loganalytics.example/v1/query"))',
                    "Power BI or Excel M code: a query, no data. Run the query in the portal and export as CSV"),
    "text.txt": (b"hello\x1b[31m\n", f"not a table export; its first bytes are 68 65 6c 6c 6f 1b 5b 33 31 6d 0a. {EXPORT}"),
    "table.jsonl": (lines(b'{"a":1,"b":2}', b'{"a":2,"b":3}'), f"not a table fimforensics knows: columns a, b. {KNOWN}"),
    "security.jsonl": (lines(b'{"TimeGenerated":"2026-09-01T00:00:00Z","Computer":"x","EventID":4624,"Type":"SecurityEvent"}'),
                       f"not a table fimforensics knows: Type 'SecurityEvent'. {KNOWN}"),
    "local.csv": (LOCAL, "its times carry no zone (TimeGenerated: no time zone stated). Say --timezone with the zone that the browser or "
                         "machine had (an IANA name, UTC, or +02:00)"),
    "figures.csv": (LOCAL.replace(b"[Local Time]", b"[UTC]").replace(b"9/21/", b"9/4/"),
                    "nothing in it proves which of the figures in 9/4/2026 is the month. Say --date-order mdy (month first) or "
                    "--date-order dmy (day first)"),
    "broken.zip": (b"PK\x03\x04" + bytes(60), "a zip file that cannot be read (File is not a zip file). Copy the file again"),
    "cut.gz": (bytes.fromhex("1f8b08000000000000ff"), "the gzip data is cut off. Copy the file again"),
}

# source: its bytes; for each reject its number, its bytes and the reason; how many events the rest gives
DEEP = b'"X":' + b"[" * 10_000 + b"]" * 10_000
REJECTED: dict[str, tuple[bytes, list[tuple[int, bytes, str]], int]] = {
    "cut.jsonl": (lines(event(1), event(2)) + event(3)[:50], [(3, event(3)[:50], "cut off, or a quote is missing: the JSON does not end")], 2),
    "cut.json": (API[:-20], [(3, LAST_ROW[:-16], "cut off: the source ends within this record")], 2),
    "cut.csv": (HEADER + row(1) + b'2026-09-01T00:00:02Z,"we', [(2, b'2026-09-01T00:00:02Z,"we',
                                                                 "an unclosed quote: the file ends within this record")], 1),
    "short.csv": (HEADER + row(1) + row(2)[:25], [(2, row(2)[:25], "2 cells for 6 columns")], 1),
    "delimiter.csv": (HEADER + row(1) + row(2).replace(b",", b";"), [(2, row(2).replace(b",", b";"), "1 cells for 6 columns")], 1),
    "headers.csv": (HEADER + row(1) + HEADER + row(2), [(2, HEADER, "a second header line")], 2),
    "two.csv": (HEADER + row(1) + HEADER.replace(b"FileName", b"FileType") + row(2), [
        (2, HEADER.replace(b"FileName", b"FileType"), "a second header line"),
        (3, row(2), "a row under a second header line with other columns")], 1),
    "twice.jsonl": (lines(event(1), with_text('"Computer": "b"'), event(3)),
                    [(2, with_text('"Computer": "b"'), 'key "Computer" is there twice')], 2),
    "inner.jsonl": (lines(event(1), with_text('"X": {"a": 1, "a": 2}')), [(2, with_text('"X": {"a": 1, "a": 2}'), 'key "a" is there twice')], 1),
    "figures.jsonl": (lines(event(1), with_text('"FileSize": 123456789012345678901234567890')), [
        (2, with_text('"FileSize": 123456789012345678901234567890'), "integer 123456789012345678901234567890 is beyond 64 bits")], 1),
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
    "mebibyte.csv": (HEADER[:-2] + b",NewValueData\r\n" + row(1, "x") + row(2, "x" * MIB) + row(3, "x" * (MIB + 1)) + row(4, "x"), [
        (3, row(3, "x" * (MIB + 1)), "a field or record over the limit of 1,048,576 bytes")], 3),
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

# source: its bytes, the cell of its only event, and the event's flag
ODD = "time out of the ordinary"
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
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, in which files have short names."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def cli(*arguments: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages; what is no message of ours is an error of the test."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def started() -> dict:
    """A case `c.db` with one event, and its digests."""
    Path("good.jsonl").write_bytes(lines(event(59)))
    assert cli("ingest", "c.db", "good.jsonl")[::2] == (0, "")
    return digests()


def digests(case: str = "c.db") -> dict:
    """What makes two cases equal, and the counts."""
    found = json.loads(cli("info", case, "--json", "--digest")[1])
    return {name: found[name] for name in ("root", "case_digest", "events", "records", "rejects", "unfinished")}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_source_is_refused_in_one_line(name: str) -> None:
    data, told = REFUSED[name]
    Path(name).write_bytes(data)
    assert cli("ingest", "new.db", name) == (1, "", f"fimforensics: {name}: {told}\n")
    assert os.listdir() == [name]
    before = started()
    assert cli("ingest", "c.db", name) == (1, "", f"fimforensics: {name}: {told}\n")
    assert digests() == before


@pytest.mark.parametrize("name", REJECTED)
def test_bad_records_are_rejects_and_their_bytes_are_kept(name: str) -> None:
    data, expected, events = REJECTED[name]
    Path(name).write_bytes(data)
    code, out, err = cli("ingest", "c.db", name, "--json")
    found = json.loads(out)
    assert (code, err, found["records"], found["events"], found["rejects"]) == (0, "", events + len(expected), events, len(expected))
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
    done = subprocess.run([sys.executable, "-m", "fimforensics", "ingest", "c.db", "s", "--json"], capture_output=True, text=True, check=False)
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
        event(1), event(2, NewValueData="\0" * (MIB // 2)), event(3, FilePath="C:\\" + half, FileName=half), event(4, A=half, B=half),
        event(5, InitiatingProcessAccountName=half, InitiatingProcessAccountDomainName=half)))
    assert cli("ingest", "c.db", "s.jsonl")[::2] == (0, "")
    with closing(sqlite3.connect("c.db")) as connection:
        columns = [(table, column) for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE TABLE%'")
                   for _, column, *_ in connection.execute(f"PRAGMA table_info({table})") if not table.endswith("_fts")]
        longest = {f"{table}.{column}": connection.execute(f"SELECT max(length(CAST({column} AS BLOB))) FROM {table}").fetchone()[0] or 0
                   for table, column in columns}
    assert {name: size for name, size in longest.items() if size > MIB} == {}
    assert digests()["rejects"] == 4


def test_a_source_that_grows_while_it_is_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    before = started()
    Path("log.jsonl").write_bytes(lines(event(1)))

    def grow(self: object, *_: object) -> None:
        with open("log.jsonl", "ab") as stream:
            stream.write(lines(event(2)))

    monkeypatch.setattr(ingest_commands.Bar, "__call__", grow)
    told = "fimforensics: log.jsonl: the file changed while it was read. Ingest a copy that nobody writes to\n"
    assert cli("ingest", "c.db", "log.jsonl") == (1, "", told)
    assert digests() == before
    assert cli("ingest", "new.db", "log.jsonl") == (1, "", told)
    assert sorted(os.listdir()) == ["c.db", "c.db.key", "good.jsonl", "log.jsonl"]


def test_what_cannot_be_read_is_refused_and_the_rest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.jsonl").write_bytes(lines(event(1)))
    Path("secret.jsonl").write_bytes(lines(event(2)))
    Path("gone.jsonl").write_bytes(lines(event(3)))
    listed, opened = ingesting.sources, Path.open

    def vanish(*arguments: object) -> object:
        found = listed(*arguments)  # type: ignore[arg-type]
        Path("gone.jsonl").unlink()
        return found

    def locked(path: Path, *more: object, **named: object) -> object:
        if path.name == "secret.jsonl":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(ingesting, "sources", vanish)
    monkeypatch.setattr(Path, "open", locked)
    hint = "See that it is there and may be read, or ingest a copy"
    assert cli("ingest", "c.db", "a.jsonl", "secret.jsonl", "gone.jsonl", "absent.jsonl") == (
        1, "a.jsonl: snapshot 1, JSON Lines, 1 record: 1 new event, 0 known, 0 rejects\n",
        f"fimforensics: secret.jsonl: cannot be read (Permission denied). {hint}\n"
        "fimforensics: absent.jsonl: there is no such file. Name the file or folder that holds the export\n"
        f"fimforensics: gone.jsonl: cannot be read (No such file or directory). {hint}\n")


def test_folders_with_loops_gaps_and_bad_files_give_what_is_good() -> None:
    Path("tree/inner").mkdir(parents=True)
    Path("tree/a.jsonl").write_bytes(lines(event(1)))
    Path("tree/b.png").write_bytes(REFUSED["picture.json"][0])
    Path("tree/c.csv").write_bytes(HEADER + row(2))
    os.symlink("..", "tree/inner/up")
    os.symlink("nowhere", "tree/dangling")
    code, out, err = cli("ingest", "c.db", "tree", "--json")
    assert (code, [json.loads(line)["source"] for line in out.splitlines()]) == (1, ["tree/a.jsonl", "tree/c.csv"])
    assert [line.partition(".")[0] for line in err.splitlines()] == [
        "fimforensics: tree/dangling: cannot be read: No such file or directory",
        "fimforensics: tree/inner/up: a link back to a folder above it", "fimforensics: tree/b"]
    Path("hollow").mkdir()
    assert cli("ingest", "d.db", "hollow") == (
        1, "", "fimforensics: hollow: the folder holds no file. Name the folder or file that holds the export\n")


def test_a_zip_without_files_is_refused() -> None:
    zipfile.ZipFile("none.zip", "w").close()
    code, out, err = cli("ingest", "c.db", "none.zip")
    assert (code, out, err.count("\n"), os.listdir()) == (1, "", 1, ["none.zip"])
    assert "none.zip" in err and "changed while" not in err


def test_a_file_with_another_hash_than_expected_is_not_taken() -> None:
    before = started()
    Path("s.jsonl").write_bytes(lines(event(1)))
    hashed = sha256(lines(event(1))).hexdigest()
    told = f"s.jsonl: its SHA-256 is {hashed}, not the expected {'0' * 64}. It is not the file that was meant, or it was changed on the way"
    assert cli("ingest", "c.db", "s.jsonl", "--expect-sha256", "0" * 64) == (1, "", f"fimforensics: {told}\n")
    assert cli("ingest", "n.db", "s.jsonl", "--expect-sha256", "0" * 64) == (1, "", f"fimforensics: {told}\n")
    assert digests() == before and not Path("n.db.key").exists()
    assert cli("ingest", "c.db", "s.jsonl", "good.jsonl", "--expect-sha256", hashed) == (
        2, "", "fimforensics: --expect-sha256 goes with one file. Ingest the files one by one\n")
    assert cli("ingest", "c.db", "s.jsonl", "--expect-sha256", hashed.upper())[::2] == (0, "")
