"""How analyses run: what they said before is replaced, whole or not at all, and the case remembers on what evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from fimforensics import analyze as analyzing
from fimforensics import case as cases
from fimforensics.analyses import Analysis, Finding, Progress, Rule
from fimforensics.analyses.contract import SLOT
from fimforensics.analyze import Done, analyze
from fimforensics.errors import Misuse, Problem
from fimforensics.queries import freshness
from fimforensics.queries.case import custody
from fimforensics.queries.digest import digests
from tests.analyses.building import change, made, rows

ROWS = [change("srv-1", "08:00", "C:\\a"), change("srv-1", "09:00", "C:\\b"), change("srv-2", "10:00", "C:\\a")]
RULE = Rule("early", "early", 3, "low", "T1000", "Something early.", "An early riser.")
BURST = ("INSERT INTO bursts SELECT id, host_id, 'x', time, time, 1, 1, 1, 0, 0, 0, 0.5, NULL, NULL, NULL, id, id, 'Said.' "
         "FROM events")
DAYS = "INSERT INTO coverage SELECT host_id, day, sum(events), day, day, 0, 0 FROM event_counts GROUP BY 1, 2"


def found(events: str) -> Callable:
    """A finding on the events, told only after the table is whole and its indexes are there again."""
    def run(db: apsw.Connection, progress: Progress) -> Iterator[Finding]:
        db.execute(BURST)
        progress("bursty", 1, 2)
        return (Finding("early", f"{count} early.", tuple(number for (number,) in db.execute(
            "SELECT id FROM events ORDER BY time DESC LIMIT ?", (count,)))) for count in map(int, events.split())
            if db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'bursts_host'").fetchone()[0])
    return run


def shelf(monkeypatch: pytest.MonkeyPatch, run: Callable) -> None:
    """Two analyses: `daily`, and `bursty`, which needs it."""
    def daily(db: apsw.Connection, progress: Progress) -> list[Finding]:
        db.execute(DAYS)
        return []
    monkeypatch.setattr(analyzing, "ANALYSES", (
        Analysis("daily", "Days", ("coverage",), (), daily), Analysis("bursty", "Bursts", ("bursts",), ("daily",), run, (RULE,))))


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shelf(monkeypatch, found("1 2"))
    return made(tmp_path, ROWS, analyses=None)


FINDINGS = ("SELECT id, analysis, rule, version, severity, sentence, technique, substr(first, 12, 5), substr(last, 12, 5), "
            "events FROM findings")


def test_they_fill_their_tables_and_tell_findings(case: Path) -> None:
    steps: list[tuple] = []
    done = analyze(case, (), lambda *step: steps.append(step))
    assert done == [Done("daily", {"coverage": 2}, 0), Done("bursty", {"bursts": 3}, 2)]
    assert steps == [("daily", 0, 1), ("daily", 1, 1), ("bursty", 0, 1), ("bursty", 1, 2), ("bursty", 1, 1)]
    assert rows(case, FINDINGS) == [
        (2 * SLOT + 1, "bursty", "early", 3, "low", "1 early.", "T1000", "10:00", "10:00", 1),
        (2 * SLOT + 2, "bursty", "early", 3, "low", "2 early.", "T1000", "09:00", "10:00", 2)]
    assert rows(case, "SELECT finding_id, count(*) FROM finding_events GROUP BY 1") == [(2 * SLOT + 1, 1), (2 * SLOT + 2, 2)]


def test_twice_says_the_same_and_less_leaves_nothing_behind(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [rows(case, FINDINGS) for _ in range(2) if analyze(case)]
    assert told[0] == told[1]
    shelf(monkeypatch, found("1"))
    analyze(case)
    assert rows(case, FINDINGS) == told[0][:1]
    assert rows(case, "SELECT count(*) FROM finding_events") == [(1,)]
    assert rows(case, "SELECT count(*) FROM bursts") == [(3,)]


def test_the_named_run_with_what_they_need_where_that_is_stale(case: Path) -> None:
    assert [one.name for one in analyze(case, ["daily"])] == ["daily"]
    assert [one.name for one in analyze(case, ["bursty"])] == ["bursty"]
    made(case.parent, ROWS, [change("srv-3", "11:00", "C:\\c")], analyses=None)
    with cases.reading(case) as connection:
        states = freshness.states(connection)
        warning = "the analysis 'bursty' is stale: the case has grown since; run: fimforensics analyze CASE"
        assert (states["daily"], states["bursty"], freshness.need(connection, "bursty")) == ("stale", "stale", [warning])
    assert [one.name for one in analyze(case, ["bursty"])] == ["daily", "bursty"]


def test_what_never_ran_cannot_answer(case: Path) -> None:
    with cases.reading(case) as connection, pytest.raises(Problem, match="'bursty' has not been run"):
        freshness.need(connection, "bursty")


def test_there_is_no_such_analysis(case: Path) -> None:
    with pytest.raises(Misuse, match=r"there is no analysis 'magic'\. There are: daily, bursty"):
        analyze(case, ["daily", "magic"])
    assert rows(case, "SELECT count(*) FROM coverage") == [(0,)]


def test_one_that_fails_leaves_what_it_said_before_and_those_before_it(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analyze(case)
    before = rows(case, FINDINGS), rows(case, "SELECT * FROM bursts")
    made(case.parent, ROWS, [change("srv-3", "11:00", "C:\\c")], analyses=None)

    def failing(db: apsw.Connection, progress: Progress) -> list[Finding]:
        db.execute(BURST)
        raise KeyboardInterrupt
    shelf(monkeypatch, failing)
    with pytest.raises(KeyboardInterrupt):
        analyze(case)
    assert (rows(case, FINDINGS), rows(case, "SELECT * FROM bursts")) == before
    with cases.reading(case) as connection:
        assert {name: freshness.states(connection)[name] for name in ("daily", "bursty")} == {"daily": "fresh", "bursty": "stale"}
    assert rows(case, "SELECT count(*) FROM sqlite_schema WHERE name = 'bursts_host'") == [(1,)]


def test_the_evidence_stays_the_same(case: Path) -> None:
    def told() -> tuple:
        with cases.reading(case) as connection:
            return digests(connection), rows(case, "SELECT evidence_digest FROM case_info"), list(custody(connection))
    before = told()
    analyze(case)
    assert told() == before
