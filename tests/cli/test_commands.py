"""Every command with every option, by the real command line, on a case of three records; what is short is compared whole."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics import serve
from fimforensics.cli import main

SHELL = {"TimeGenerated": "2026-09-01T10:00:00.1234567Z", "Computer": "web1", "MonitoredEntityType": "File",
         "ChangeType": "Created", "FileName": "shell.aspx", "FilePath": "C:\\inetpub\\shell.aspx", "FileSha256": "AB" * 32,
         "FileSize": 7, "InitiatingProcessId": 42, "InitiatingProcessImageFileName": "w3wp.exe",
         "InitiatingProcessAccountDomainName": "IIS", "InitiatingProcessAccountName": "app"}
RUN = {"TimeGenerated": "2026-09-01T11:30:00Z", "Computer": "web2", "MonitoredEntityType": "Registry",
       "ChangeType": "RegistryValueSet", "RegistryKey": "HKEY_LOCAL_MACHINE\\Software\\Run", "NewValueName": "Up",
       "NewValueData": "=up.exe", "NewValueType": "REG_SZ"}
LATER = {"TimeGenerated": "2026-09-01T12:00:00", "Computer": "web1", "MonitoredEntityType": "File", "ChangeType": "Deleted",
         "FileName": "shell.aspx", "FilePath": "C:\\inetpub\\shell.aspx"}


def lines(*records: dict) -> bytes:
    """JSON Lines."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


WEB = lines(SHELL, RUN, LATER)
LISTED = [
    {"id": 1, "time": "2026-09-01T10:00:00.1234567Z", "computer": "web1", "kind": "file", "change": "Created",
     "path": "C:\\inetpub\\shell.aspx", "value": None, "data": None, "sha256": "ab" * 32, "process": "w3wp.exe", "pid": 42,
     "account": "IIS\\app", "snapshots": [1, 2]},
    {"id": 2, "time": "2026-09-01T11:30:00.0000000Z", "computer": "web2", "kind": "registry", "change": "RegistryValueSet",
     "path": "HKEY_LOCAL_MACHINE\\Software\\Run", "value": "Up", "data": "=up.exe", "sha256": None, "process": None, "pid": None,
     "account": None, "snapshots": [1]}]


@pytest.fixture(autouse=True)
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`c.db` with two sources: `web.jsonl`, of which one record is a reject, and `again.jsonl`, which repeats one."""
    monkeypatch.chdir(tmp_path)
    Path("web.jsonl").write_bytes(WEB)
    Path("again.jsonl").write_bytes(lines(SHELL))
    Path("key").write_text("5e" * 32 + "\n")
    about = ("--case-number", "7/26", "--examiner", "E. Xaminer", "--note", "by hand")
    assert cli("ingest", "c.db", "web.jsonl", *about, "--case-key", "key", "--no-analyze") == (
        0, "web.jsonl: snapshot 1, JSON Lines, 3 records: 2 new events, 0 known, 1 reject\n", "")
    assert cli("ingest", "c.db", "again.jsonl") == (
        0, "again.jsonl: snapshot 2, JSON Lines, 1 record: 0 new events, 1 known, 0 rejects\n"
        "Analysed: 1 finding (1 high): fimforensics findings c.db\n", "")


def cli(*arguments: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages; what is no message of ours is an error of the test."""
    words = [str(argument) for argument in arguments]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def rows(*arguments: object) -> list[dict]:
    """What a command prints as JSON Lines, when all is well."""
    code, out, err = cli(*arguments, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_info() -> None:
    shown = cli("info", "c.db")
    assert shown == (0, """Case 7/26, examined by E. Xaminer
  not sealed
  2 events from 4 records of 2 snapshots: 1 told of an event known already, 1 reject
  from 2026-09-01T10:00:00.1234567Z to 2026-09-01T11:30:00.0000000Z (UTC)
  1 file event, 1 registry event
  2 hosts, 1 file, 1 registry value, 1 process, 1 account, 1 content
  host  events
  web1  1
  web2  1
""", "")
    found = rows("info", "c.db", "--digest")[0]
    expected = {"case_number": "7/26", "examiner": "E. Xaminer", "note": "by hand", "events": 2, "records": 4, "known": 1,
                "rejects": 1, "snapshots": 2, "hosts": {"web1": 1, "web2": 1}}
    assert {name: found[name] for name in expected} == expected
    assert cli("info", "c.db", "--digest")[1] == shown[1] + "".join(
        f"  {name.replace('_', ' ')}: {found[name]}\n" for name in ("root", "events_digest", "case_digest"))


def test_snapshots() -> None:
    hashed = [sha256(Path(name).read_bytes()).hexdigest() for name in ("web.jsonl", "again.jsonl")]
    assert cli("snapshots", "c.db") == (0, f"""\
id  source       shape       table                             records  new  known  rejects  sha256            may be truncated
1   web.jsonl    JSON Lines  MDCFileIntegrityMonitoringEvents  3        2    0      1        {hashed[0][:16]}
2   again.jsonl  JSON Lines  MDCFileIntegrityMonitoringEvents  1        0    1      0        {hashed[1][:16]}
""", "")
    told = ("id", "source", "sha256", "shape", "table", "records", "events", "known", "rejects", "truncated")
    assert [tuple(row[name] for name in told) for row in rows("snapshots", "c.db")] == [
        (1, "web.jsonl", hashed[0], "JSON Lines", "MDCFileIntegrityMonitoringEvents", 3, 2, 0, 1, None),
        (2, "again.jsonl", hashed[1], "JSON Lines", "MDCFileIntegrityMonitoringEvents", 1, 0, 1, 0, None)]


def test_events() -> None:
    found = rows("events", "c.db")
    assert [{name: value for name, value in row.items() if name != "event_key"} for row in found] == LISTED
    assert list(found[0])[:2] == ["id", "event_key"] and all(len(row["event_key"]) == 66 for row in found)
    assert cli("events", "c.db") == (0, """\
id  time (UTC)                host  change            path                                data     process   account
1   2026-09-01T10:00:00.123Z  web1  Created           C:\\inetpub\\shell.aspx                        w3wp.exe  IIS\\app
2   2026-09-01T11:30:00.000Z  web2  RegistryValueSet  HKEY_LOCAL_MACHINE\\Software\\Run\\Up  =up.exe
""", "")
    table = list(csv.DictReader(io.StringIO(cli("events", "c.db", "--csv")[1])))
    assert [{name: cell for name, cell in row.items() if name != "event_key"} for row in table] == [
        {name: "" if value is None else str(value) for name, value in row.items()} | ({"data": "'=up.exe"} if row["data"] else {})
        for row in LISTED]
    assert cli("events", "c.db", "--limit", 1) == (0, """\
id  time (UTC)                host  change   path                   process   account
1   2026-09-01T10:00:00.123Z  web1  Created  C:\\inetpub\\shell.aspx  w3wp.exe  IIS\\app
""", "… and more; --limit shows them, --json and --csv all\n")
    assert rows("events", "c.db", "--limit", 1) == found[:1]


@pytest.mark.parametrize(("options", "ids"), [
    (("--host", "EB1"), [1]), (("--kind", "registry"), [2]), (("--kind", "file"), [1]),
    (("--change", "created"), [1]), (("--path", "run\\up"), [2]), (("--path", "SHELL"), [1]), (("--process", "w3"), [1]),
    (("--account", "iis\\"), [1]), (("--hash", "AB" * 32), [1]), (("--hash", "ab" * 16), []),
    (("--since", "2026-09-01T11:30"), [2]),
    (("--since", "2026-09-01T13:30:00+02:00"), [2]), (("--until", "2026-09-01T11:30:00Z"), [1]), (("--until", "2026-09-01"), []),
    (("--snapshot", "2"), [1]), (("--host", "web", "--kind", "file", "--since", "2026-09-01"), [1])])
def test_filters(options: tuple[str, ...], ids: list[int]) -> None:
    assert [row["id"] for row in rows("events", "c.db", *options)] == ids


@pytest.mark.parametrize(("options", "line"), [
    (("--host", "%"), "no host of this case fits '%'; there are: web1, web2"),
    (("--change", "Delete"), "no change of this case is 'Delete'; there are: Created, RegistryValueSet"),
    (("--snapshot", "3"), "no snapshot of this case is 3; there are: 1, 2"),
    (("--process", "w9wp"), "no process of this case fits 'w9wp'"),
    (("--account", "carol"), "no account of this case fits 'carol'; there are: IIS\\app")])
def test_a_slip_is_no_all_clear(options: tuple[str, ...], line: str) -> None:
    assert cli("events", "c.db", "--json", *options) == (0, "", f"fimforensics: {line}\n")


def test_show() -> None:
    key = rows("events", "c.db")[0]["event_key"]
    length = len(WEB.splitlines()[0])
    shown = f"""Event 1  {key}
  TimeGenerated                       2026-09-01T10:00:00.1234567Z
  Computer                            web1
  MonitoredEntityType                 File
  ChangeType                          Created
  FileName                            shell.aspx
  FilePath                            C:\\inetpub\\shell.aspx
  FileSize                            7
  FileSha256                          {'ab' * 32}
  InitiatingProcessId                 42
  InitiatingProcessAccountDomainName  IIS
  InitiatingProcessAccountName        app
  InitiatingProcessImageFileName      w3wp.exe
Reported by 2 records:
  record 1: snapshot 1, web.jsonl, offset 0, length {length}
  record 4: snapshot 2, again.jsonl, offset 0, length {length}
"""
    code, out, err = cli("show", "c.db", "1")
    assert (code, out[:len(shown)], err) == (0, shown, "") and cli("show", "c.db", key.upper()) == (code, out, err)
    assert cli("show", "c.db", "1", "--raw") == (0, f"{json.dumps(SHELL)}\n{json.dumps(SHELL)}\n", "")
    assert cli("show", "c.db", "2", "--raw", "--output", "raw") == (0, "", "")
    assert Path("raw").read_bytes() == lines(RUN)[:-1]
    found = rows("show", "c.db", "2")[0]
    assert found["columns"] == RUN | {"TimeGenerated": "2026-09-01T11:30:00.0000000Z"}
    assert [(one["seq"], one["source"], one["offset"], one["length"]) for one in found["occurrences"]] == [
        (2, "web.jsonl", length + 1, len(lines(RUN)) - 1)]


def test_rejects_and_replay() -> None:
    offset, length = len(lines(SHELL, RUN)), len(lines(LATER)) - 1
    assert cli("rejects", "c.db") == cli("rejects", "c.db", "--snapshot", 1) == (0, f"""\
seq  source     record  offset  length  reason
3    web.jsonl  3       {offset}     {length}     TimeGenerated: no time zone stated
""", "")
    assert rows("rejects", "c.db", "--snapshot", 2) == []
    assert cli("replay", "c.db", "--date-order", "dmy") == (0, "1 reject tried again, 0 events found.\n", "")
    assert cli("replay", "c.db", "--timezone", "+02:00") == (
        0, "1 reject tried again, 1 event found.\nAnalysed: 1 finding (1 high): fimforensics findings c.db\n", "")
    assert cli("replay", "c.db") == (0, "0 rejects tried again, 0 events found.\n", "")
    assert [row["replayed_as"] for row in rows("rejects", "c.db")] == [5]
    assert [rows("events", "c.db")[0][name] for name in ("time", "change")] == ["2026-09-01T10:00:00.0000000Z", "Deleted"]


def test_original() -> None:
    assert cli("original", "c.db", 2, "--output", "back") == (0, "", "")
    assert Path("back").read_bytes() == lines(SHELL)
    done = subprocess.run([sys.executable, "-m", "fimforensics", "original", "c.db", "1"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, WEB, b"")


def test_rebuild_gives_an_equal_case() -> None:
    assert cli("rebuild", "c.db", "new.db", "--case-key", "key") == (
        0, "new.db: 2 snapshots taken from c.db\nAnalysed: 1 finding (1 high): fimforensics findings new.db\n", "")
    told = [rows("info", case, "--digest")[0] for case in ("c.db", "new.db")]
    assert [[one[name] for name in ("root", "events_digest", "case_digest")] for one in told[:1]] == [
        [one[name] for name in ("root", "events_digest", "case_digest")] for one in told[1:]]


def test_what_is_there_already_is_not_taken_twice() -> None:
    before = rows("info", "c.db", "--digest")[0]
    shutil.copyfile("web.jsonl", "copy.jsonl")
    assert cli("ingest", "c.db", "web.jsonl", "copy.jsonl") == (0, "web.jsonl: already there (snapshot 1)\n" * 2, "")
    assert [(row["id"], row["already"]) for row in rows("ingest", "c.db", "copy.jsonl")] == [(1, True)]
    assert rows("info", "c.db", "--digest")[0] == before


def test_ingest_tells_of_each_snapshot() -> None:
    Path("new.jsonl").write_bytes(lines(RUN | {"Computer": "web3"}, RUN))
    found = rows("ingest", "c.db", "new.jsonl", "--expect-sha256", sha256(Path("new.jsonl").read_bytes()).hexdigest())
    told = ("id", "source", "shape", "table", "records", "events", "known", "rejects", "truncated", "already")
    assert [tuple(row[name] for name in told) for row in found] == [
        (3, "new.jsonl", "JSON Lines", "MDCFileIntegrityMonitoringEvents", 2, 1, 1, 0, None, False)]
    assert found[0]["sha256"] == sha256(Path("new.jsonl").read_bytes()).hexdigest()


def test_parts_are_one_set_and_sources_are_not() -> None:
    Path("one.jsonl").write_bytes(lines(SHELL))
    Path("two.jsonl").write_bytes(lines(SHELL, RUN))
    assert [row["events"] for row in rows("ingest", "parts.db", "one.jsonl", "two.jsonl", "--parts")] == [1, 2]
    assert [row["events"] for row in rows("ingest", "apart.db", "one.jsonl", "two.jsonl")] == [1, 1]
    for folder, name in (("10", "one.jsonl"), ("11", "two.jsonl")):
        os.makedirs(hour := f"tree/y=2026/m=09/d=01/h={folder}/m=00")
        shutil.copyfile(name, f"{hour}/PT05M.json")
    assert [(row["source"][:30], row["events"], row["set"]) for row in rows("ingest", "tree.db", "tree")] == [
        ("tree/y=2026/m=09/d=01/h=10/m=0", 1, 1), ("tree/y=2026/m=09/d=01/h=11/m=0", 2, 1)]
    with zipfile.ZipFile("both.zip", "w") as archive:
        archive.writestr("a/one.jsonl", lines(SHELL))
        archive.writestr("two.jsonl", lines(SHELL, RUN))
    told = rows("ingest", "zip.db", "both.zip")
    assert [(row["source"], row["records"], row["events"]) for row in told] == [("both.zip", 3, 3)]
    assert [one["member"] for one in rows("show", "zip.db", "1")[0]["occurrences"]] == ["a/one.jsonl"]
    assert cli("original", "zip.db", 1, "-o", "back.zip")[0] == 0
    assert Path("back.zip").read_bytes() == Path("both.zip").read_bytes()


@pytest.mark.parametrize(("records", "told"), [(29_999, None), (30_000, "exactly 30000 rows: the portal's cap"), (30_001, None)])
def test_an_exact_cap_is_told(records: int, told: str | None) -> None:
    Path("cap.jsonl").write_bytes(lines(RUN) * records)
    found = rows("ingest", "cap.db", "cap.jsonl")[0]
    assert (found["records"], found["events"], found["truncated"]) == (records, records, told)


def test_nothing_to_abandon() -> None:
    assert cli("ingest", "c.db", "--abandon") == (0, "Nothing was unfinished.\n", "")


def test_times_as_the_operator_says() -> None:
    header = b"TimeGenerated [Local Time],Computer,MonitoredEntityType,ChangeType,FileName,FilePath\r\n"
    Path("local.csv").write_bytes(header + b'"9/4/2026, 1:02:03.456 AM",web1,File,Modified,a.dll,C:\\a.dll\r\n')
    assert cli("ingest", "l.db", "local.csv", "--timezone", "Europe/Berlin", "--date-order", "mdy")[0] == 0
    assert [row["time"] for row in rows("events", "l.db")] == ["2026-09-03T23:02:03.4560000Z"]
    assert rows("snapshots", "l.db")[0]["reading"] == {"timezone": "Europe/Berlin", "date_order": "mdy"}


def test_a_second_reading_of_times() -> None:
    test_times_as_the_operator_says()
    assert cli("ingest", "l.db", "local.csv", "--timezone", "UTC", "--date-order", "dmy")[::2] == (0, "")
    assert cli("rebuild", "l.db", "m.db", "--reread", 1, "--timezone", "UTC", "--date-order", "dmy")[::2] == (0, "")
    assert [row["time"] for row in rows("events", "m.db")] == ["2026-04-09T01:02:03.4560000Z"]
    assert rows("custody", "m.db")[-1]["action"] == "rebuild"


def test_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple] = []
    monkeypatch.setattr(serve, "run", lambda cases, ways, **told: called.append(
        (cases, told["port"], told["once"], told["open_browser"])) or 0)
    assert cli("serve", "c.db", "--port", 0, "--once", "--open")[0] == 0
    assert called == [([Path("c.db")], 0, True, True)]
