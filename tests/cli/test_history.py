"""The command history: whole outputs over small lives, and what is very long or hostile in them."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.analyze import analyze
from fimforensics.cli import main
from tests.analyses.building import change, digest, made, value

DLL, OLD, RUN = "C:\\Windows\\x.dll", "C:\\Windows\\x.old", "HKEY_LOCAL_MACHINE\\Software\\Run"
ANN = {"account": "ann"}
EVENTS = [
    change("srv-1", "08:00", DLL, "Modified", "A", FileSize=10, **ANN),
    change("srv-1", "08:30:00.25", DLL, "Modified", "A", FileSize=10, **ANN),
    change("srv-1", "09:00", DLL, "Modified", by="cmd.exe", pid=9, **ANN),
    change("srv-1", "10:00", DLL, "Deleted", "B", by=None),
    change("srv-1", "13T12:00", DLL, "Created", "A", FileSize=10, **ANN),
    change("srv-1", "13T13:00", OLD, "Renamed", was=DLL, **ANN),
    change("srv-2", "14T08:00", DLL, "Deleted", "A", **ANN),
    value("srv-1", "08:00", RUN, "Up", "c:\\" + "up" * 40 + ".exe", NewValueType="REG_SZ"),
    value("srv-1", "08:40", RUN, "Up", "", old="other", OldValueType="REG_SZ", NewValueType="REG_SZ", by=None),
    value("srv-1", "09:00", RUN, "Up", None, "RegistryValueDeleted", by=None),
]
A = digest("A")[:16]
FILE = f"""file srv-1:{DLL}: 5 versions
since (UTC)          until                content                     change    process     account
2026-10-12 08:00:00  2026-10-12 09:00:00  {A}, 10 bytes  Modified  svc.exe[7]  ann
    content before unknown; 2 events, the last 2026-10-12 08:30:00.250
2026-10-12 09:00:00  2026-10-12 10:00:00  changed, content unknown    Modified  cmd.exe[9]  ann
    whether the content changed is unknown
2026-10-12 10:00:00  2026-10-13 12:00:00  gone (deleted)              Deleted
    gap of 26 hours; deleted with content {digest("B")[:16]}
2026-10-13 12:00:00  2026-10-13 13:00:00  {A}, 10 bytes  Created   svc.exe[7]  ann
    whether the content changed is unknown
2026-10-13 13:00:00  still so             gone (moved away)           Renamed   svc.exe[7]  ann
    went to {OLD}
"""
LONG = f"c:\\{'up' * 18}… (REG_SZ)"
REGISTRY = f"""registry value srv-1:{RUN}\\Up: 4 versions
since (UTC)          until                {'data':<51}change                process     account
2026-10-12 08:00:00  2026-10-12 08:00:00  {LONG}  RegistryValueSet      svc.exe[7]  CONTOSO\\ann
    data before unknown; changed unseen after this
2026-10-12 08:00:00  2026-10-12 08:40:00  other (REG_SZ)
    told by the next event as the old data; set unseen in this time
2026-10-12 08:40:00  2026-10-12 09:00:00  {'(empty) (REG_SZ)':<51}RegistryValueSet
2026-10-12 09:00:00  still so             {'gone (deleted)':<51}RegistryValueDeleted
"""
CONTENT = f"""content {digest("A")}: 3 files had it
since (UTC)          until                host   path              versions  change                         process     account
2026-10-12 08:00:00  2026-10-13 13:00:00  srv-1  C:\\Windows\\x.dll  2         {'Modified':<29}  svc.exe[7]  ann
2026-10-13 13:00:00  still so             srv-1  C:\\Windows\\x.old  1         {'Renamed':<29}  svc.exe[7]  ann
unknown              2026-10-14 08:00:00  srv-2  C:\\Windows\\x.dll  0         seen only when it was deleted  svc.exe[7]  ann
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lives above, with their versions."""
    return made(tmp_path_factory.mktemp("history"), EVENTS, analyses=("versions",))


def run(*words: object) -> str:
    """What the command prints."""
    result = CliRunner().invoke(main, ["history", *map(str, words)])
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_every_version_in_words(case: Path) -> None:
    assert run(case, f"srv-1:{DLL}") == FILE
    assert run(case, f"srv-1:{RUN}\\Up") == REGISTRY
    assert run(case, digest("A")[:12]) == CONTENT
    assert run(case, "srv-2:x.dll").splitlines()[2:] == [
        "2026-10-14 08:00:00  still so  gone (deleted)  Deleted  svc.exe[7]  ann",
        f"    content before unknown; deleted with content {A}"]
    assert run(case, f"srv-1:{OLD}").splitlines()[3] == f"    content before unknown; renamed from {DLL}"


def test_an_event_leads_to_what_it_happened_to(case: Path) -> None:
    with sqlite3.connect(case) as connection:
        number, = connection.execute("SELECT id FROM events WHERE registry_value_id IS NOT NULL LIMIT 1").fetchone()
    assert run(case, number) == REGISTRY


def test_json_and_csv_hold_everything(case: Path) -> None:
    found = [json.loads(line) for line in run(case, f"srv-1:{DLL}", "--json").splitlines()]
    first, gone = found[0], found[2]
    with sqlite3.connect(case) as connection:
        keys = {number: key for number, key in connection.execute("SELECT id, lower(hex(match_key)) || '-0' FROM events")}
    assert first == {
        "kind": "file", "entity": f"srv-1:{DLL}", "version": first["version"], "chain": first["chain"], "state": "present",
        "basis": "hash", "since": "2026-10-12T08:00:00.0000000Z", "until": "2026-10-12T09:00:00.0000000Z",
        "last_seen": "2026-10-12T08:30:00.2500000Z", "events": 2, "before": "unknown", "differs": None, "previous": None,
        "change": "Modified", "process": "svc.exe", "pid": 7, "account": "ann", "begun_by": 1, "begun_key": keys[1],
        "last_event": 2, "ended_by": 3, "ended_key": keys[3], "ended_change": "Modified", "sha256": digest("A"), "sha1": None,
        "md5": None, "size": 10, "deleted_hash": None, "came_from": None, "went_to": None, "first": True, "over": False,
        "here": None, "reversions": [], "findings": []}
    assert (gone["state"], gone["deleted_hash"], gone["previous"]) == ("absent", digest("B"), found[1]["version"])
    data = [json.loads(line)["data"] for line in run(case, f"srv-1:{RUN}\\Up", "--json").splitlines()]
    assert data == ["c:\\" + "up" * 40 + ".exe", "other", "", None]
    held = [json.loads(line) for line in run(case, digest("A"), "--json", "--limit", 1, "--newest").splitlines()]
    assert held == [{
        "kind": "content", "entity": digest("A"), "sha256": digest("A"), "sha1": None, "md5": None, "size": held[0]["size"],
        "host": "srv-2", "path": DLL, "file": held[0]["file"], "since": None, "until": "2026-10-14T08:00:00.0000000Z",
        "versions": 0, "events": 1, "begun_by": 7, "change": "Deleted", "process": "svc.exe", "pid": 7, "account": "ann"}]
    rows = list(csv.DictReader(io.StringIO(run(case, f"srv-1:{DLL}", "--csv"))))
    assert [row["sha256"] for row in rows] == [digest("A"), "", "", digest("A"), ""] and list(rows[0]) == list(first)


def test_reversions_and_findings_stand_on_their_version(tmp_path: Path) -> None:
    case = made(tmp_path, EVENTS[:5], analyses=("versions",))
    with sqlite3.connect(case) as connection:
        connection.execute("INSERT INTO reversions VALUES (1, 'restore', 1, NULL, 1, 3, 5, ?, ?, 97200, 1, 1, 1, NULL, NULL, "
                           "NULL, NULL, 'It came back.')", ("2026-10-12T09:00:00.0000000Z", "2026-10-13T12:00:00.0000000Z"))
        connection.execute("INSERT INTO findings VALUES (7, 'x', 'burst', 1, 'low', 'Look\x1b here.', NULL, 1, 1, NULL, NULL, "
                           "NULL, NULL, ?, ?, 2)", ("2026-10-12T08:30:00.2500000Z", "2026-10-13T12:00:00.0000000Z"))
    lines = run(case, DLL).splitlines()
    assert lines[3] == "    content before unknown; 2 events, the last 2026-10-12 08:30:00.250; finding 7"
    assert lines[-3:] == ["    whether the content changed is unknown; reversion: restore", "reversion (restore): It came back.",
                          "finding 7 (low, burst): Look\\x1b here."]
    told = [json.loads(line) for line in run(case, DLL, "--json").splitlines()]
    assert [[one["class"] for one in version["reversions"]] for version in told] == [[], ["restore"], [], ["restore"]]
    assert [[one["sentence"] for one in version["findings"]] for version in told] == [["Look\x1b here."], [], [], []]


def test_many_versions_and_long_and_hostile_names(tmp_path: Path) -> None:
    path = "C:\\" + "very long folder\\" * 20 + "\u202ename.txt"
    times = [f"{hour:02}:{minute:02}:{second:02}" for hour in range(3) for minute in range(60) for second in range(56)]
    case = made(tmp_path, [change("srv-1", time, path, "Modified", str(at)) for at, time in enumerate(times)],
                analyses=("versions",))
    short, newest = run(case, "event#1").splitlines(), run(case, "event#1", "--limit", 2, "--newest").splitlines()
    assert (len(short), short[-1]) == (104, "… and 9,980 more (see --limit, --newest)")
    assert newest[1] == "… 10,078 before these (see --limit)"
    assert [line[:30] for line in newest[3:]] == ["2026-10-12 02:59:54  2026-10-1", "2026-10-12 02:59:55  still so "]
    assert max(map(len, short[1:])) < 160 and "\u202e" not in "".join(short)
    assert len(run(case, "event#1", "--json").splitlines()) == 10_080


def test_what_cannot_be_answered(tmp_path: Path) -> None:
    case = made(tmp_path, EVENTS[:1], analyses=None)

    def refused(*words: object) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["history", *map(str, words)])
        return result.exit_code, result.stderr

    assert refused(case, DLL) == (1, "fimforensics: the analysis 'versions' has not been run on this case. "
                                     "Run: fimforensics analyze CASE\n")
    analyze(case, ["versions"])
    assert refused(case, "srv-9:x") == (1, "fimforensics: 'srv-9:x' names no file, registry value, content or event of this "
                                           "case. Write it like SRV-1:C:\\Windows\\x.dll\n")
    assert refused(case, DLL, "--json", "--csv") == (2, "fimforensics: --csv and --json exclude each other\n")


def test_data_that_came_with_a_renamed_key_were_not_set_unseen(tmp_path: Path) -> None:
    new = RUN.replace("Run", "New")
    case = made(tmp_path, [value("srv-1", "06:00", RUN, "Up", "one", old="one"), value("srv-1", "07:00", new, "Up", "two"),
                           value("srv-1", "09:00", new, None, None, "RegistryKeyRenamed", OldValueFullRegistryKey=RUN)])
    result = CliRunner().invoke(main, ["history", str(case), f"srv-1:{new}\\Up"], catch_exceptions=False)
    assert result.stdout.splitlines()[-1].strip() == f"renamed from {RUN}, over what was here"
