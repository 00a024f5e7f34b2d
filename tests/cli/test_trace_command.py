"""The commands trace, path and graph as people and programs meet them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fimforensics.cli import main
from fimforensics.ingest import Options, ingest
from fimforensics.model import Reading

ROWS = [
    {"Computer": "srv-1", "TimeGenerated": "2026-10-12T08:00:00Z", "MonitoredEntityType": "File", "ChangeType": "Created",
     "FileName": "a.exe", "FilePath": "C:\\Temp\\a.exe", "FileSha256": "ab" * 32, "InitiatingProcessName": "w3wp.exe",
     "InitiatingProcessImageFilePath": "C:\\Windows\\w3wp.exe", "InitiatingProcessId": 11,
     "InitiatingProcessAccountName": "ann", "InitiatingProcessAccountDomainName": "CONTOSO", "RequestSourceIP": "198.51.100.7",
     "InitiatingProcessCommandLine": "w3wp \u202e-x"},
    {"Computer": "srv-2", "TimeGenerated": "2026-10-12T09:00:00Z", "MonitoredEntityType": "File", "ChangeType": "Created",
     "FileName": "b.exe", "FilePath": "C:\\Temp\\b.exe", "FileSha256": "ab" * 32, "InitiatingProcessName": "svc.exe",
     "InitiatingProcessImageFilePath": "C:\\Windows\\svc.exe", "InitiatingProcessId": 12},
]


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Two files of one content on two hosts, analysed."""
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    ingest(tmp_path / "c.db", [tmp_path / "rows.jsonl"], Options(reading=Reading(None, None)))
    assert run("analyze", str(tmp_path / "c.db"), "versions", "relations").exit_code == 0
    return tmp_path / "c.db"


def run(*words: str) -> Result:
    """A command's result."""
    return CliRunner().invoke(main, list(words))


def test_trace_fits_a_screen_and_shows_nothing_raw(case: Path) -> None:
    found = run("trace", str(case), "srv-2:C:\\Temp\\b.exe", "--back")
    assert found.exit_code == 0, found.output
    assert found.stdout.splitlines() == [
        "File srv-2:C:\\Temp\\b.exe",
        "  2026-10-12 09:00:00.000 UTC on srv-2: Created (event 2)",
        "  by C:\\Windows\\svc.exe[12], account unknown",
        "  content: " + "ab" * 32,
        "What led to it, later first:",
        "2026-10-12 09:00:00.000  ← svc.exe[12] created it",
        "2026-10-12 09:00:00.000  ← it had content abababababababab…, which was elsewhere before",
        "2026-10-12 08:00:00.000    ← srv-1:C:\\Temp\\a.exe had it  · 1 h",
        "2026-10-12 08:00:00.000      ← srv-1:w3wp.exe[11] created it",
        "2026-10-12 08:00:00.000        ← 198.51.100.7 acted through it",
        "2026-10-12 08:00:00.000        ← CONTOSO\\ann ran it",
    ]
    assert "  command: w3wp \\u202e-x" in run("trace", str(case), "srv-1:C:\\Temp\\a.exe").stdout


def test_trace_as_json_has_stable_keys(case: Path) -> None:
    found = [json.loads(line) for line in run("trace", str(case), "srv-2:C:\\Temp\\b.exe", "--json").stdout.splitlines()]
    assert [one["record"] for one in found] == ["start", *["node"] * 7, *["step"] * 6]
    step = next(one for one in found if one["record"] == "step" and one["relation"] == "acted through")
    key = step.pop("event_key")
    assert len(key) == 66 and set(step) == {"record", "number", "before", "direction", "depth", "time", "relation", "from", "to",
                                            "basis", "event", "events", "again", "rank", "score"}
    assert (step["direction"], step["from"]["name"], step["event"], step["depth"]) == ("back", "198.51.100.7", 1, 4)
    assert set(step["score"]) == {"score", "rarity", "fan_out", "nearness", "hosts", "of_hosts", "relations", "fan", "seconds"}


def test_directions_depth_and_limit_of_a_trace(case: Path) -> None:
    def relations(*options: str) -> list[str]:
        found = run("trace", str(case), "srv-1:C:\\Temp\\a.exe", "--json", *options)
        steps = [json.loads(line) for line in found.stdout.splitlines()]
        return sorted(f"{one['direction']} {one['relation']}" for one in steps if one["record"] == "step")

    back, forward = ["back acted through", "back created", "back ran"], ["forward had", "forward had"]
    assert relations() == relations("--both") == back + forward
    assert (relations("--back"), relations("--forward")) == (back, forward)
    assert relations("--depth", "1") == ["back created", "forward had"]
    assert len(relations("--limit", "2")) == 2
    assert "Not followed: 1 of the steps" in run("trace", str(case), "CONTOSO\\ann", "--depth", "1").stdout


def test_path_says_which_way_and_why_not(case: Path) -> None:
    assert run("path", str(case), "srv-2:C:\\Temp\\b.exe", "CONTOSO\\ann").stdout.splitlines()[:3] == [
        "Account CONTOSO\\ann led to", "file srv-2:C:\\Temp\\b.exe in 4 steps, and not the other way round:",
        "2026-10-12 08:00:00.000  CONTOSO\\ann ran srv-1:w3wp.exe[11] (event 1)"]
    assert run("path", str(case), "CONTOSO\\ann", "srv-2:svc.exe[12]").stdout.splitlines() == [
        "No way was found from account CONTOSO\\ann",
        "to process srv-2:svc.exe[12] or back within 8 steps: no connection."]
    assert run("path", str(case), "srv-2:C:\\Temp\\b.exe", "CONTOSO\\ann", "--steps", "3").stdout.splitlines()[1:] == [
        "to account CONTOSO\\ann or back within 3 steps: no connection."]
    first = json.loads(run("path", str(case), "198.51.100.7", "srv-2:C:\\Temp\\b.exe", "--json").stdout.splitlines()[0])
    assert (first["steps"], first["swapped"], first["against_time"], first["bounded"]) == (4, False, False, False)


def test_graph_to_a_file_that_must_be_new(case: Path, tmp_path: Path) -> None:
    out = tmp_path / "g.dot"
    assert run("graph", str(case), "--format", "dot", "--output", str(out)).stdout.startswith("7 nodes, 6 relations: ")
    assert out.read_text(encoding="utf-8") == run("graph", str(case), "--format", "dot").stdout
    assert run("graph", str(case), "--format", "dot", "--output", str(out)).exit_code == 1
    traced = run("graph", str(case), "--format", "mermaid", "--trace", "srv-2:svc.exe[12]", "--depth", "1")
    assert traced.stdout.splitlines() == [
        "flowchart LR", '  n0["process: srv-2:svc.exe#91;12#93;"]', '  n1["file: srv-2:C:#92;Temp#92;b.exe"]',
        '  n0 -->|"created"| n1']
    few = run("graph", str(case), "--format", "mermaid", "--limit", "2")
    assert few.stdout.count("-->") == 2 and "only the first 2 relations" in few.stderr


@pytest.mark.parametrize("words", [("trace", "nobody"), ("trace", "srv-1"), ("path", "nobody", "nothing"),
                                   ("path", "CONTOSO\\ann", "CONTOSO\\ann"), ("graph", "--format", "dot", "--depth", "2")])
def test_what_cannot_be_answered_is_said_in_one_line(case: Path, words: tuple[str, ...]) -> None:
    found = run(words[0], str(case), *words[1:])
    assert found.exit_code in (1, 2) and found.stdout == "" and len(found.stderr.splitlines()) == 1, found.output


@pytest.mark.parametrize(("recording", "entity", "told"), [
    ("proxylogon_exchange", "ohyeah.aspx", ("System[4] created it", "2021-03-14 06:40:13.659", "NT AUTHORITY\\SYSTEM",
                                            "ohyeah.aspx.f5dba9b9.compiled")),
    ("empire_run_keys", "CurrentVersion\\Run\\Updater", ("powershell.exe[5376] set it", "2020-09-04 07:06:21.311",
                                                         "THESHIRE\\pgustavo", "CurrentVersion\\Debug")),
])
def test_recorded_attacks_in_one_screen(tmp_path: Path, recording: str, entity: str, told: tuple[str, ...]) -> None:
    folder = os.environ.get("FIMFORENSICS_RECORDINGS")
    if not folder:
        pytest.skip("FIMFORENSICS_RECORDINGS names no folder of recordings")
    case = tmp_path / "c.db"
    ingest(case, [Path(folder) / f"{recording}.ndjson.gz"], Options(reading=Reading(None, None)))
    assert run("analyze", str(case), "versions", "relations").exit_code == 0
    lines = run("trace", str(case), entity).stdout.splitlines()
    assert len(lines) <= 45 and max(map(len, lines)) <= 140
    assert [one for one in told if not any(one in line for line in lines)] == []


def test_a_host_is_told_to_be_none_that_can_be_traced(case: Path) -> None:
    found = run("trace", str(case), "srv-1")
    assert (found.exit_code, found.stderr) == (
        2, "fimforensics: 'srv-1' is a host, and a host cannot be traced. Name something on it: srv-1:PATH, a process, account, "
           "address, hash or event\n")
