"""`analyze` by its command, and that ingest, replay and rebuild leave a case analysed; the analyses here are two small ones."""

from __future__ import annotations

import json
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from fimforensics import analyze as analyzing
from fimforensics.analyses import Analysis, Finding, Progress, Rule
from fimforensics.cli import analyze as command
from fimforensics.cli import events, look, main
from fimforensics.errors import Problem
from tests.analyses.building import change

RULE = Rule("any", "anything", 1, "low", None, "Anything.", "Everything.")
SLOT = 10_000_000
failing: list[BaseException] = []


def lines(*rows: dict) -> str:
    """JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def days(db: apsw.Connection, progress: Progress) -> list[Finding]:
    db.execute("INSERT INTO coverage SELECT host_id, day, sum(events), day, day, 0, 0 FROM event_counts GROUP BY 1, 2")
    return []


def anything(db: apsw.Connection, progress: Progress) -> list[Finding]:
    if failing:
        raise failing[0]
    progress("any", 1, 3)
    return [Finding("anything", "There are events.", tuple(number for (number,) in db.execute("SELECT id FROM events")))]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failing.clear()
    shelf = (Analysis("days", "Events by day", ("coverage",), (), days),
             Analysis("any", "Anything at all", (), ("days",), anything, (RULE,)))
    for module in (analyzing, command, look, events):
        monkeypatch.setattr(module, "ANALYSES", shelf)
    Path("one.jsonl").write_text(lines(change("srv-1", "08:00", "C:\\a"), change("srv-2", "09:00", "C:\\b")))
    Path("two.jsonl").write_text(lines(change("srv-1", "10:00", "C:\\c")))
    Path("late.jsonl").write_text(lines(change("srv-1", "10:00", "C:\\c"), change("srv-1", "10:00", "C:\\d")
                                        | {"TimeGenerated": "2026-10-12T11:00:00"}))


def cli(*words: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def told(*words: object) -> list[dict]:
    code, out, err = cli(*words, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def states() -> dict[str, str]:
    return {row["name"]: row["state"] for row in told("analyze", "c.db", "--list")}


def actions() -> list[tuple]:
    return [(row["action"], row["result"]) for row in told("custody", "c.db")]


def test_analyze() -> None:
    assert cli("ingest", "c.db", "one.jsonl", "--no-analyze")[0] == 0
    assert states() == {"days": "never", "any": "never"}
    assert told("info", "c.db")[0]["not_analysed"] == ["days", "any"]
    assert "  not analysed: days, any (run: fimforensics analyze c.db)\n" in cli("info", "c.db")[1]
    before = told("info", "c.db", "--digest")[0]
    assert cli("analyze", "c.db") == (0, """\
analysis  table     rows  findings
days      coverage  2     0
any                       1
2 analyses done, 1 finding: fimforensics findings c.db
""", "")
    assert told("analyze", "c.db", "days") == [{"name": "days", "rows": {"coverage": 2}, "findings": 0}]
    assert states() == {"days": "fresh", "any": "fresh"}
    after = told("info", "c.db", "--digest")[0]
    assert after.pop("not_analysed") == [] and before.pop("not_analysed") and after == before
    assert actions()[1:] == [("analyze", "days, any: 1 findings"), ("analyze", "days: 0 findings")]
    assert json.loads(told("custody", "c.db")[2]["arguments"]) == {"analyses": ["days"]}
    assert cli("custody", "c.db")[::2] == (0, "")


def test_the_list() -> None:
    cli("ingest", "c.db", "one.jsonl")
    rows = told("analyze", "c.db", "--list")
    assert [row.pop("finished")[:2] for row in rows] == ["20", "20"]
    assert rows == [
        {"name": "days", "state": "fresh", "findings": 0, "fills": ["coverage"], "needs": [], "rules": [],
         "title": "Events by day"},
        {"name": "any", "state": "fresh", "findings": 1, "fills": [], "needs": ["days"], "rules": ["anything"],
         "title": "Anything at all"}]
    shown = cli("analyze", "c.db", "--list")[1].splitlines()
    assert shown[0].split() == ["analysis", "state", "finished", "(UTC)", "findings", "fills", "what", "it", "computes"]
    assert shown[1].startswith("days      fresh  20") and shown[1].endswith("0         coverage  Events by day")


@pytest.mark.parametrize(("words", "line"), [
    (("analyze", "c.db", "magic"), "there is no analysis 'magic'. There are: days, any"),
    (("analyze", "c.db", "days", "--list"), "--list goes without names")])
def test_wrong_use(words: tuple[str, ...], line: str) -> None:
    cli("ingest", "c.db", "one.jsonl", "--no-analyze")
    assert cli(*words) == (2, "", f"fimforensics: {line}\n")
    assert len(actions()) == 1


def test_no_case() -> None:
    assert cli("analyze", "none.db")[::2] == (1, "fimforensics: none.db: there is no such case. Make one: fimforensics ingest "
                                                "CASE SOURCE…\n")
    assert not Path("none.db").exists()


def test_ingest_leaves_a_case_analysed() -> None:
    assert cli("ingest", "c.db", "one.jsonl")[2] == ""
    assert states() == {"days": "fresh", "any": "fresh"}
    cli("ingest", "c.db", "two.jsonl", "--no-analyze")
    assert states() == {"days": "stale", "any": "stale"} and "  stale: days\n" in cli("info", "c.db")[1]
    cli("ingest", "c.db", "two.jsonl")  # nothing new, but the analyses are stale
    assert states() == {"days": "fresh", "any": "fresh"}
    assert [action for action, _ in actions()] == ["ingest", "ingest"]  # what an ingest brings with it needs no entry of its own


def test_nothing_is_done_where_all_is_fresh() -> None:
    cli("ingest", "c.db", "one.jsonl")
    before = Path("c.db").read_bytes()
    failing.append(AssertionError("it ran"))
    assert cli("ingest", "c.db", "one.jsonl")[0] == 0
    assert Path("c.db").read_bytes() == before


@pytest.mark.parametrize(("error", "code", "line"), [
    (Problem("no room"), 1, "fimforensics: no room\n"),
    (KeyboardInterrupt(), 130, "fimforensics: stopped; the same command again goes on where it stopped\n")])
def test_what_was_ingested_stays_when_an_analysis_fails(error: BaseException, code: int, line: str) -> None:
    cli("ingest", "c.db", "one.jsonl")
    failing.append(error)
    out = "two.jsonl: snapshot 2, JSON Lines, 1 record: 1 new event, 0 known, 0 rejects\n"
    assert cli("ingest", "c.db", "two.jsonl") == (code, out, line)
    assert states() == {"days": "fresh", "any": "stale"} and told("info", "c.db")[0]["events"] == 3
    failing.clear()
    cli("ingest", "c.db", "two.jsonl")
    assert states() == {"days": "fresh", "any": "fresh"}


def test_a_stopped_analysis_is_told_in_the_log() -> None:
    cli("ingest", "c.db", "one.jsonl", "--no-analyze")
    failing.append(KeyboardInterrupt())
    assert cli("analyze", "c.db")[0] == 130
    assert actions()[1:] == [("analyze", "stopped (KeyboardInterrupt) after: days")]
    assert states() == {"days": "fresh", "any": "never"}


def test_a_refused_source_beside_others() -> None:
    Path("no.txt").write_text("nothing of ours")
    assert cli("ingest", "c.db", "one.jsonl", "no.txt")[0] == 1
    assert states() == {"days": "fresh", "any": "fresh"}
    assert cli("ingest", "d.db", "no.txt")[0] == 1 and not Path("d.db").exists()


@pytest.mark.parametrize(("more", "state"), [((), "fresh"), (("--no-analyze",), "stale")])
def test_replay(more: tuple[str, ...], state: str) -> None:
    cli("ingest", "c.db", "late.jsonl")
    code, out, err = cli("replay", "c.db", "--timezone", "UTC", *more)
    assert (code, out.splitlines()[0], err) == (0, "1 reject tried again, 1 event found.", "")
    assert ("Analysed: " in out) == (state == "fresh")
    assert set(states().values()) == {state}


@pytest.mark.parametrize(("more", "state"), [((), "fresh"), (("--no-analyze",), "never")])
def test_rebuild(more: tuple[str, ...], state: str) -> None:
    cli("ingest", "old.db", "one.jsonl", "--no-analyze")
    assert cli("rebuild", "old.db", "c.db", *more)[0] == 0
    assert set(states().values()) == {state}


def test_the_line_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    bar = command.Bar()
    bar.active = True
    for step in (("any", 0, 1), ("any", 1, 2), ("next", 1, 2), ("next", 2, 2)):
        bar(*step)
    bar.end()
    assert capsys.readouterr().err == "\ranalysing: any    0%\ranalysing: next   50%\r"  # click leaves out what steers
    assert bar.done == ["next"]
