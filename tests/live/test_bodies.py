"""Golden bodies: what the collector, the SDK and an ingest make of every partial and error form that Log Analytics sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from fimforensics.live.answer import NotWhole, read, reason
from tests.live import bodies

COLUMNS = [("TimeGenerated", "datetime"), ("Computer", "string"), ("FileSize", "long"), ("Type", "string")]
ROWS = [f'["2026-11-02T0{hour}:00:00.1234567Z","srv",{hour},"MDCFileIntegrityMonitoringEvents"]' for hour in range(3)]
PARTIALS = {"bytes": bodies.too_many_bytes(), "rows": bodies.too_many_rows(), "memory": bodies.runaway(),
            "shard": bodies.shard_lost()}


def test_the_golden_partial_body_is_this_text() -> None:
    """Written out once, so that a change of the forms is seen."""
    assert bodies.answer([("Count", "long")], ["[7]"], bodies.too_many_bytes()).decode() == (
        '{"tables":[{"name":"PrimaryResult","columns":[{"name":"Count","type":"long"}],"rows":[[7]]}],"error":{"code":"'
        'PartialError","message":"There were some errors when processing your query.","details":[{"code":"EngineError",'
        '"message":"Something went wrong processing your query on the server.","innererror":{"code":"-2133196797","mess'
        'age":"The results of this query exceed the set limit of 64000000 bytes, so not all records were returned (E_QU'
        'ERY_RESULT_SET_TOO_LARGE, 0x80DA0003). See https://aka.ms/kustoquerylimits for more details and possible solut'
        'ions.","severity":2,"severityName":"Error"}}]}}')


@pytest.mark.parametrize(("form", "large"), [("bytes", True), ("rows", True), ("memory", False), ("shard", False)])
@pytest.mark.parametrize("rows", [ROWS, []], ids=["with rows", "without"])
def test_a_partial_answer_is_never_taken_for_a_whole_one(form: str, large: bool, rows: list[str]) -> None:
    answer = read(bodies.answer(COLUMNS, rows, PARTIALS[form]))
    assert (len(answer.rows), answer.too_large) == (len(rows), large)
    innermost = PARTIALS[form]["details"][0]["innererror"]["message"]
    assert answer.failure is not None and innermost[:60] in answer.failure


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"tables":[]}', b'{"tables":null}', b"<html>Bad Gateway</html>",
                                  json.dumps({"error": bodies.shard_lost()}).encode(),
                                  json.dumps({"tables": [], "error": bodies.too_many_rows()}).encode(),
                                  b'{"tables":[{"name":"PrimaryResult","columns":[],"rows":[]}]}'])
def test_a_200_without_a_table_is_no_answer(body: bytes) -> None:
    with pytest.raises(NotWhole):
        read(body)


def test_an_answer_cut_anywhere_is_no_answer() -> None:
    whole = bodies.answer(COLUMNS, ROWS)
    assert len(read(whole).rows) == 3
    for at in range(len(whole)):
        with pytest.raises(NotWhole):
            read(whole[:at])


REFUSALS: dict[str, tuple[bodies.Error, str]] = {
    "query": (bodies.bad_query("'where' operator: no column named X"), "no column named X"),
    "no token": (bodies.no_token(), "header is missing"), "expired": (bodies.expired_token(), "token is expired"),
    "bad token": (bodies.bad_token(), "token is invalid"), "audience": (bodies.wrong_audience("a", "b"), "wrong audience"),
    "role": (bodies.no_role(), "insufficient access"), "workspace": (bodies.no_workspace(), "could not be found"),
    "path": (bodies.no_path(), "does not exist"), "throttled": (bodies.throttled(), "limit of requests"),
    "timeout": (bodies.gateway_timeout(), "exceeded the time"), "500": (bodies.unavailable(500), "went wrong")}


@pytest.mark.parametrize("form", REFUSALS)
def test_a_refusal_is_told_by_its_innermost_reason(form: str) -> None:
    (status, body), told = REFUSALS[form]
    assert status >= 400 and told in (reason(json.dumps(body).encode()) or "")
    assert "\n" not in (reason(json.dumps(body, indent=1).encode()) or "")


@pytest.mark.parametrize("body", [b"", b"<html>\n<h1>504</h1>", b"null", b"7", b'{"error":{"message":"a\\nb"}}', b"\xff\xfe"])
def test_a_refusal_without_a_body_that_can_be_read_is_no_bug(body: bytes) -> None:
    assert isinstance(reason(body) or "", str)


@pytest.mark.parametrize("form", PARTIALS)
def test_an_ingest_of_a_partial_answer_says_so(form: str, tmp_path: Path) -> None:
    """The same body, saved by hand and ingested as a file."""
    source = tmp_path / "answer.json"
    source.write_bytes(bodies.answer(COLUMNS, ROWS, PARTIALS[form]))
    case = str(tmp_path / "case.db")
    result: Any = CliRunner().invoke(main, ["ingest", case, str(source), "--no-analyze"])
    assert result.exit_code == 0, result.output
    shown = CliRunner().invoke(main, ["snapshots", case]).output
    assert "truncated" in shown or "partial" in shown.lower(), shown
