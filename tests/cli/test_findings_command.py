"""`findings`: the worst first, one with its events, the rules, and what is said when there is nothing to say."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.analyses import ANALYSES
from fimforensics.cli import main
from tests.analyses.building import change, made, value

RUN = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"
EVENTS = [change("srv-1", "08:00", "/etc/cron.d/job", "Created", "job", by="/usr/bin/vim", account="root"),
          value("srv-2", "09:00", RUN, "Updater", "powershell.exe -enc " + "QUJD" * 40),
          change("srv-2", "07:00", "/etc/sysctl.conf", "Modified", "a", by="/usr/bin/vim")]
MINE = ("versions", "reversions", "persistence", "actors")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case with one finding of each of three severities."""
    return made(tmp_path, EVENTS, analyses=MINE)


def run(*words: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, ["findings", *map(str, words)], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def listed(*words: object) -> list[dict]:
    """What `--json` gives."""
    return [json.loads(line) for line in run(*words, "--json")[1].splitlines()]


def test_the_worst_come_first(case: Path) -> None:
    code, out, _ = run(case)
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert code == 0
    assert heads[0] == "3 findings: 1 high, 1 medium, 1 low, 0 info"
    assert [head.split("  ")[1:] for head in heads[1:]] == [
        ["high", "2026-10-12 09:00:00", "srv-2", "persistence place"],
        ["medium", "2026-10-12 08:00:00", "srv-1", "persistence place"],
        ["low", "2026-10-12 07:00:00", "srv-2", "persistence place"]]


def test_the_sentence_is_wrapped_for_people_and_whole_in_json(case: Path) -> None:
    first = listed(case)[0]
    assert list(first) == ["id", "severity", "first", "last", "host", "analysis", "rule", "version", "technique", "sentence",
                           "events", "file", "registry_value", "process", "account", "sha256"]
    assert (first["host"], first["registry_value"], first["process"], first["account"], first["events"]) == (
        "srv-2", RUN + "\\Updater", "svc.exe", "CONTOSO\\ann", 1)
    text = run(case)[1]
    assert max(map(len, text.splitlines())) <= 110
    assert "".join(first["sentence"].split()) in "".join(text.split())


@pytest.mark.parametrize(("words", "hosts"), [
    (("--severity", "high"), ["srv-2"]), (("--severity", "high", "--severity", "low"), ["srv-2", "srv-2"]),
    (("--host", "SRV-1"), ["srv-1"]), (("--rule", "place"), ["srv-2", "srv-1", "srv-2"]), (("--rule", "removed"), []),
    (("--since", "2026-10-12T08:30:00Z"), ["srv-2"]),
    (("--since", "-1h"), ["srv-2", "srv-1"]), (("--limit", "1"), ["srv-2"]), (("--host", "%"), []),
])
def test_a_choice_of_findings(case: Path, words: tuple[str, ...], hosts: list[str]) -> None:
    assert [row["host"] for row in listed(case, *words)] == hosts


def test_one_finding_tells_its_rule_and_its_events(case: Path) -> None:
    number = listed(case)[1]["id"]
    _, out, _ = run(case, number)
    assert out.splitlines()[0] == f"Finding {number}: persistence place (persistence, version 1), medium, T1547"
    assert "May be innocent: Software that is installed" in " ".join(out.split())
    (whole,) = listed(case, number)
    assert (whole["meaning"] is not None, [(event["path"], event["process"]) for event in whole["listed"]]) == (
        True, [("/etc/cron.d/job", "vim")])
    rows = list(csv.DictReader(io.StringIO(run(case, number, "--csv")[1])))
    assert [(row["change"], row["path"]) for row in rows] == [("Created", "/etc/cron.d/job")]
    assert run(case, 7) == (1, "", "fimforensics: there is no finding 7 in this case. Findings are numbered anew by every run of "
                                   "analyze\n")


def test_every_rule_of_every_analysis_is_told(case: Path) -> None:
    told = listed(case, "--rules")
    assert [(row["analysis"], row["rule"]) for row in told] == [(one.name, rule.name) for one in ANALYSES for rule in one.rules]
    assert all(row["meaning"].endswith(".") and row["innocent"].endswith(".") for row in told)
    assert {row["rule"]: row["findings"] for row in told if row["findings"]} == {"persistence place": 3}
    text = run(case, "--rules")[1]
    assert [row["rule"] for row in told if f"\n{row['rule']} (" not in "\n" + text] == []
    assert len(list(csv.DictReader(io.StringIO(run(case, "--rules", "--csv")[1])))) == len(told)


def test_nothing_found_is_not_innocence(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "08:00", "/srv/a", "Modified", "a")], analyses=MINE)
    code, out, _ = run(case)
    assert code == 0
    assert out.startswith("No finding. Looked for:\n      reversion, short-lived content,")
    assert "does not prove that nothing happened" in out
    assert listed(case) == []


def test_what_never_ran_is_told(tmp_path: Path) -> None:
    case = made(tmp_path, EVENTS, analyses=None)
    code, out, err = run(case)
    assert (code, out) == (1, "")
    assert err.endswith("has not been run on this case. Run: fimforensics analyze CASE\n")
    assert run(case, "--rules")[0] == 0


def test_some_that_never_ran_and_what_is_stale_are_told_beside_the_list(case: Path) -> None:
    assert "not run on this case, so that their rules say nothing: " in run(case)[2]
    connection = sqlite3.connect(case)
    connection.execute("UPDATE analyses SET evidence_digest = 'older' WHERE name = 'persistence'")
    connection.commit()
    connection.close()
    assert "the analysis 'persistence' is stale" in run(case)[2]


def test_wrong_use(case: Path) -> None:
    assert run(case, 1, "--rules")[0] == run(case, "--rules", "--host", "a")[0] == run(case, "--csv", "--json")[0] == 2


def test_hostile_names_reach_no_terminal(tmp_path: Path) -> None:
    hostile = change("srv-1", "08:00", "/etc/cron.d/a\x1b[31m\u202eb", "Created", "job", by="/usr/bin/vim")
    case = made(tmp_path, [hostile], analyses=MINE)
    number = listed(case)[0]["id"]
    for words in ((), (number,), ("--csv",), (number, "--csv"), ("--json",)):
        out = run(case, *words)[1]
        assert "\x1b" not in out and "\u202e" not in out and "cron.d/a" in out
