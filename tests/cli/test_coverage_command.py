"""The commands bursts and coverage by the real command line: tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main

sys.path.insert(0, str(Path(__file__).parent.parent / "analyses"))
from building import change, made

EVIL = {"by": "C:\\Users\\bob\\evil.exe", "account": "CONTOSO\\bob", "pid": 666}
SILENCE = ("srv-2 reported nothing from 2026-10-02 23:00:00 to 2026-10-05 00:00:00 (49 hours); it usually reports at least "
           "every 60 "
           "minutes, and 1 of 1 other hosts sent 8 events meanwhile.")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> str:
    """srv-1 does little until evil.exe comes; srv-2 is silent for two days."""
    calm = [change("srv-1", f"{day:02}T{hour}:00", "D:\\Docs\\0.docx", "Modified", f"text {day} {hour}")
            for day in range(1, 7) for hour in ("02", "08", "14", "20")]
    hits = [change("srv-1", f"06T21:00:{at:02}", f"D:\\Docs\\{at}.docx.locked", "Renamed", f"sealed {at}",
                   was=f"D:\\Docs\\{at}.docx", **EVIL) for at in range(10)]
    beat = [change("srv-2", f"{day:02}T{hour:02}:00", "C:\\b\x1b[2J.txt", "Modified", f"{day} {hour}")
            for day in (1, 2, 5, 6) for hour in range(24)]
    return str(made(tmp_path_factory.mktemp("coverage"), calm + hits + beat, analyses=("bursts", "coverage")))


def cli(*words: str) -> tuple[int, str, str]:
    """Exit code, output, messages."""
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_bursts(case: str) -> None:
    said = ("srv-1: 10 files in 1 folder within one minute, 10 of them given the new ending .locked, by evil.exe "
            "(CONTOSO\\bob); this "
            "host usually changes 1 file a minute when it changes any.")
    code, out, err = cli("bursts", case)
    assert (code, err, [line.split() for line in out.splitlines()]) == (0, "", [
        "id first (UTC) kind first event what".split(), ["1", "2026-10-06T21:00:00Z", "changes", "25", *said.split()]])
    found, = map(json.loads, cli("bursts", case, "--json", "--host", "SRV")[1].splitlines())
    assert found == {
        "id": 1, "host": "srv-1", "kind": "changes", "since": "2026-10-06T21:00:00.0000000Z",
        "until": "2026-10-06T21:00:09.0000000Z", "events": 10, "paths": 10, "folders": 1, "renames": 10, "new_extensions": 1,
        "new_contents": 10, "usual": 1.0, "content": None, "process": "evil.exe", "account": "CONTOSO\\bob", "first_event_id": 25,
        "last_event_id": 34, "sentence": said}
    assert [row[:3] for row in csv.reader(io.StringIO(cli("bursts", case, "--csv")[1]))] == [
        ["id", "host", "kind"], ["1", "srv-1", "changes"]]
    assert cli("bursts", case, "--host", "nobody") == (0, "id  first (UTC)  kind  first event  what\n", "No burst.\n")


def test_the_files_of_a_burst(case: str) -> None:
    code, out, err = cli("bursts", case, "--files", "1")
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 12)
    assert lines[1].split()[:5] == ["D:\\Docs\\0.docx", "Renamed", "D:\\Docs\\0.docx.locked", "hash", lines[1].split()[4]]
    assert lines[-1] == "10 files: of 1 a content from before is known, 0 were not there before, of 9 nothing is known."
    found = list(map(json.loads, cli("bursts", case, "--files", "1", "--json")[1].splitlines()))
    assert found[1] == {
        "path": "D:\\Docs\\1.docx", "now": "D:\\Docs\\1.docx.locked", "changes": "Renamed",
        "first": "2026-10-06T21:00:01.0000000Z",
        "first_event_id": 26, "process": "evil.exe", "account": "CONTOSO\\bob", "basis": "unknown", "last_good": None,
        "size": None, "last_seen": None}
    assert (found[0]["basis"], found[0]["last_seen"]) == ("hash", "2026-10-06T20:00:00.0000000Z")
    assert len(list(csv.reader(io.StringIO(cli("bursts", case, "--files", "1", "--csv")[1])))) == 11
    assert cli("bursts", case, "--files", "9") == (
        1, "", "fimforensics: there is no burst 9 in this case. fimforensics bursts CASE lists them\n")


def test_coverage(case: str) -> None:
    assert cli("coverage", case) == (0, f"""From 2026-10-01 00:00:00 to 2026-10-06 23:00:00 (UTC)
host   first (UTC)          last (UTC)           days    longest gap  verdict                      day by day
srv-1  2026-10-01 02:00:00  2026-10-06 21:00:09  6 of 6  6.0 h        no silence found             ▆▆▆▆▆█
srv-2  2026-10-01 00:00:00  2026-10-06 23:00:00  4 of 6  49.0 h       silent once, up to 49 hours  ██··██
  {SILENCE}
""", "")
    out = cli("coverage", case, "--since", "2026-10-03", "--until", "2026-10-05")[1]
    assert out.splitlines()[:2] == ["From 2026-10-03 00:00:00 to 2026-10-05 00:00:00 (UTC)", "Never reported in this time: srv-2"]
    found = list(map(json.loads, cli("coverage", case, "--since", "-2d", "--host", "srv-2", "--json")[1].splitlines()))
    assert found == [{
        "since": "2026-10-04T23:00:00.0000000Z", "until": "2026-10-06T23:00:00.0000001Z", "host": "srv-2",
        "first": "2026-10-05T00:00:00.0000000Z", "last": "2026-10-06T23:00:00.0000000Z", "events": 48, "days": 3,
        "days_with_events": 2, "days_outside_snapshots": 0, "longest_gap_seconds": 176400.0, "observations": 0,
        "verdict": "silent once, up to 49 hours", "strip": "·██", "scans": [],
        "silences": [{"kind": "silent", "since": "2026-10-02T23:00:00.0000000Z", "until": "2026-10-05T00:00:00.0000000Z",
                      "usual_gap_seconds": 3600.0, "fleet_events": 8, "last_event_id": found[0]["silences"][0]["last_event_id"],
                      "next_event_id": found[0]["silences"][0]["next_event_id"], "sentence": SILENCE, "snapshots": [1],
                      "truncated": []}]}]
    rows = list(csv.reader(io.StringIO(cli("coverage", case, "--csv")[1])))
    assert rows[0][:4] == ["host", "first", "last", "events"] and [row[3] for row in rows[1:]] == ["34", "96"]


def test_wrong_use_and_what_never_ran(case: str, tmp_path: Path) -> None:
    assert cli("coverage", case, "--csv", "--json")[0] == cli("coverage", case, "--since", "yesterday")[0] == 2
    assert cli("coverage", case, "--since", "2026-12-01") == (0, "", "No host, or no time, to tell of.\n")
    bare = str(made(tmp_path, [change("srv-1", "08:00", "/x")], analyses=None))
    for command in ("bursts", "coverage"):
        assert cli(command, bare) == (1, "", f"fimforensics: the analysis '{command}' has not been run on this case. Run: "
                                             "fimforensics analyze CASE\n")
