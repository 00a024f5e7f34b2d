"""Bad input, by the real commands: one line that says what, where and what to do; nothing lost; the case as it was."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics import ingest as ingesting
from fimforensics.cli import ingest as ingest_commands
from fimforensics.cli import main


def event(number: int = 1, **more: object) -> bytes:
    """One event as a line of JSON, without its line break."""
    return json.dumps({
        "TimeGenerated": f"2026-09-01T00:00:{number:02d}.0000000Z", "Computer": "web1", "MonitoredEntityType": "File",
        "ChangeType": "Modified", "FileName": f"a{number}.dll", "FilePath": f"C:\\x\\a{number}.dll", **more}).encode()


def lines(*records: bytes) -> bytes:
    """JSON Lines."""
    return b"".join(record + b"\n" for record in records)


HEADER = b"TimeGenerated,Computer,MonitoredEntityType,ChangeType,FileName,FilePath\r\n"


def row(number: int, *more: str) -> bytes:
    """One line of CSV under HEADER."""
    cells = [f"2026-09-01T00:00:{number:02d}Z", "web1", "File", "Modified", f"a{number}.dll", f"C:\\x\\a{number}.dll", *more]
    return ",".join(cells).encode() + b"\r\n"


LOCAL = HEADER.replace(b"TimeGenerated", b"TimeGenerated [Local Time]") + b'"9/21/2026, 1:02:03.456 AM"' + row(1)[20:]
EXPORT = "Export the table as CSV or JSON and ingest that"
KNOWN = ("Known are MDCFileIntegrityMonitoringEvents, MDCDetectionFimEvents, ConfigurationChange, DeviceCustomFileEvents, "
         "DeviceCustomRegistryEvents, DeviceFileEvents, DeviceRegistryEvents, and their _SRCH and _RST copies")
OTHERS = ("not a table fimforensics knows: columns a, b, c, d. Export MDCFileIntegrityMonitoringEvents, or another table of file "
          "changes, with its own column names")

REFUSED = {
    "empty.jsonl": (b"", "empty file. Export it again; an empty answer is not the same as no changes"),
    "blank.csv": (b"\n \n", "nothing but white space. Export it again"),
    "cut.json": (b'{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGe',
                 "the JSON document is broken or cut off at byte 45, before its records. Export it again"),
    "tildes.csv": ((HEADER + row(1)).replace(b",", b"~"),
                   f"not a table export; its first bytes are 'TimeGenerated~Computer~Monitored'. {EXPORT}"),
    "others.csv": (b"a,b,c,d\r\n1,2,3,4\r\n", OTHERS),
    "twice.csv": (b"TimeGenerated,Computer,Computer,ChangeType\r\n",
                  'two columns are named "Computer". Export again with each column once'),
    "az.tsv": (b"\t".join(str(value).encode() for value in json.loads(event()).values()) + b"\tPrimaryResult\n",
               "tab separated text without column names, as `az ... -o tsv` prints it. Run the query again with `-o json` and "
               "ingest that"),
    "page.csv": (b"<!DOCTYPE html><html><title>Sign in</title></html>",
                 "an HTML page, perhaps a sign-in page, instead of data. Sign in and export again"),
    "picture.json": (b"\x89PNG\r\n\x1a\n" + bytes(50), f"a PNG picture, not a table export. {EXPORT}"),
    "powerbi.txt": (b'let Source = Json.Document(Web.Contents("https://api.loganalytics.example/v1/query"))',
                    "Power BI or Excel M code: a query, no data. Run the query in the portal and export as CSV"),
    "text.txt": (b"hello\x1b[31m\n", f"not a table export; its first bytes are 68 65 6c 6c 6f 1b 5b 33 31 6d 0a. {EXPORT}"),
    "table.jsonl": (lines(b'{"a":1,"b":2}', b'{"a":2,"b":3}'), f"not a table fimforensics knows: columns a, b. {KNOWN}"),
    "security.jsonl": (lines(b'{"TimeGenerated":"2026-09-01T00:00:00Z","Computer":"x","EventID":4624,"Type":"SecurityEvent"}'),
                       f"not a table fimforensics knows: Type 'SecurityEvent'. {KNOWN}"),
    "local.csv": (LOCAL, "its times carry no zone (TimeGenerated: no time zone stated). Say --timezone with the zone that the "
                         "browser or machine had (an IANA name, UTC, or +02:00)"),
    "figures.csv": (LOCAL.replace(b"[Local Time]", b"[UTC]").replace(b"9/21/", b"9/4/"),
                    "nothing in it proves which of the figures in 9/4/2026 is the month. Say --date-order mdy (month first) or "
                    "--date-order dmy (day first)"),
    "broken.zip": (b"PK\x03\x04" + bytes(60), "a zip file that cannot be read (File is not a zip file). Copy the file again"),
    "cut.gz": (bytes.fromhex("1f8b08000000000000ff"), "the gzip data is cut off. Copy the file again"),
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
        1, "a.jsonl: snapshot 1, JSON Lines, 1 record: 1 new event, 0 known, 0 rejects\nAnalysed: 0 findings\n",
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
    hint = "It is not the file that was meant, or it was changed on the way"
    told = f"s.jsonl: its SHA-256 is {hashed}, not the expected {'0' * 64}. {hint}"
    assert cli("ingest", "c.db", "s.jsonl", "--expect-sha256", "0" * 64) == (1, "", f"fimforensics: {told}\n")
    assert cli("ingest", "n.db", "s.jsonl", "--expect-sha256", "0" * 64) == (1, "", f"fimforensics: {told}\n")
    assert digests() == before and not Path("n.db.key").exists()
    assert cli("ingest", "c.db", "s.jsonl", "good.jsonl", "--expect-sha256", hashed) == (
        2, "", "fimforensics: --expect-sha256 goes with one file. Ingest the files one by one\n")
    assert cli("ingest", "c.db", "s.jsonl", "--expect-sha256", hashed.upper())[::2] == (0, "")
