"""The parts of the collector that have laws: slices tile, instants keep every digit, rows are counted without being read."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics.errors import Problem
from fimforensics.live import answer, kql
from fimforensics.live.gate import Gate, Stopped, seconds
from fimforensics.live.instants import STEPS, iso, ticks
from fimforensics.live.kql import Asked, Slice, Window
from fimforensics.live.ledger import Ledger
from fimforensics.live.plan import Aim, Bin, fixed, tiles
from fimforensics.live.recount import once
from fimforensics.live.service import Body, Effort

ASKED = Asked("MDCFileIntegrityMonitoringEvents")
MAIN = "MDCFileIntegrityMonitoringEvents\n| where ingestion_time() < datetime(2026-11-28T00:00:00.0000001Z)\n"
UPPER = ticks("2026-11-28T00:00:00.0000001Z")


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 90), st.integers(0, 9_000)), unique_by=lambda one: one[0]),
       st.one_of(st.none(), st.integers(-5, 0)), st.one_of(st.none(), st.integers(501, 600)), st.integers(1, 100))
def test_slices_tile_their_part_and_hold_every_step_once(found: list, low: int | None, high: int | None, most: int) -> None:
    bins = [Bin(at * 10, rows, size) for at, rows, size in sorted(found)]
    ends = (None if low is None else low * 10, None if high is None else high * 10)
    made = tiles(Slice(*ends), bins, Aim(rows=most, size=10_000, swelling=1.0))
    assert (made[0].low, made[-1].high) == ends
    assert all(one.high == other.low for one, other in pairwise(made))
    assert all(one.low < one.high for one in made if one.low is not None and one.high is not None)
    for one in made:
        inside = [held for held in bins if (one.low is None or held.at >= one.low) and (one.high is None or held.at < one.high)]
        assert (one.rows, one.size) == (sum(held.rows for held in inside), sum(held.size for held in inside))
        assert one.rows <= most or sum(held.rows > 0 for held in inside) == 1


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 10**8))
def test_fixed_slices_tile_the_span(since: int, length: int, step: int) -> None:
    step = max(step, length // 50)
    made = fixed(Asked("T", since, since + length), step)
    assert [made[0].low, *(one.high for one in made)] == [*(one.low for one in made), since + length]


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), st.integers(0, 9))
def test_an_instant_keeps_its_seventh_digit(when: datetime, last: int) -> None:
    text = f"{when.isoformat(timespec='microseconds')}{last}Z"
    assert iso(ticks(text)) == text
    assert iso(ticks(text) + STEPS["1ms"])[:10] >= text[:10]


def test_a_query_is_these_lines() -> None:
    asked = Asked("DeviceRegistryEvents", ticks("2026-11-01T00:00:00Z"), None, ("a", 'b"\\'), ("HKLM\\Run",),
                  ("RegistryValueSet",))
    part = Slice(ticks("2026-11-02T03:00:00Z"), ticks("2026-11-02T04:00:00Z"), ((11, 3), (2, 0)))
    assert kql.rows(asked, Window(ticks("2026-11-27T00:00:00Z"), UPPER), part) == (
        "DeviceRegistryEvents\n| where ingestion_time() >= datetime(2026-11-27T00:00:00.0000000Z)\n"
        "| where ingestion_time() < datetime(2026-11-28T00:00:00.0000001Z)\n"
        "| where TimeGenerated >= datetime(2026-11-02T03:00:00.0000000Z)\n"
        "| where TimeGenerated < datetime(2026-11-02T04:00:00.0000000Z)\n"
        '| where DeviceName in~ ("a", "b\\"\\\\")\n'
        '| where RegistryKey startswith "HKLM\\\\Run" or PreviousRegistryKey startswith "HKLM\\\\Run"\n'
        '| where ActionType in~ ("RegistryValueSet")\n| where hash(_ItemId, 11) == 3\n| where hash(_ItemId, 2) == 0\n'
        "| extend _ItemId = _ItemId")
    window = Window(None, UPPER)
    assert kql.count(ASKED, window, Slice()) == (
        MAIN + "| summarize Rows = count(), First = min(TimeGenerated), Last = max(TimeGenerated)")
    assert kql.bins(Asked("Weeks_SRCH"), window, Slice(), "1h").endswith("by Bin = bin(_OriginalTimeGenerated, 1h)")


def body(rows: list, error: object = None) -> bytes:
    """An answer as the service writes it."""
    columns = [{"name": "FilePath", "type": "string"}, {"name": "_ItemId", "type": "string"}]
    told = {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]} | ({"error": error} if error else {})
    return json.dumps(told).encode()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9) | st.none()), max_size=5))
def test_ids_are_those_of_the_rows_whatever_is_in_them(rows: list) -> None:
    found = answer.read(body([list(row) for row in rows]))
    assert len(found.rows) == len(rows)
    assert answer.item_ids(found) == [sha256(str(item).encode("utf-8", "surrogatepass")).digest()[:8] for _, item in rows]


TOO_LARGE = {"code": "PartialError", "message": "There were some errors when processing your query.", "details": [
    {"code": "EngineError", "message": "Something went wrong", "innererror": {
        "code": "-2133196797", "message": "The results of this query exceed the set limit of 64000000 bytes"}}]}


def test_an_answer_says_itself_when_it_is_not_whole() -> None:
    large = answer.read(body([["a", "b"]], TOO_LARGE))
    assert large.too_large and "64000000" in (large.failure or "") and len(large.rows) == 1
    other = answer.read(body([], {"code": "PartialError", "message": "shards"}))
    assert (other.too_large, other.failure) == (False, "PartialError: shards")
    for broken in (b"", b"{}", b'{"tables": []}', body([["a", "b"]])[:-3], b'{"tables": [{"name": "PrimaryResult"}]}', b"\xff"):
        with pytest.raises(answer.NotWhole):
            answer.read(broken)


def test_a_gate_that_is_shut_holds_everyone_and_opens_again() -> None:
    gate = Gate()
    gate.shut(0.15, "the service")
    began = time.monotonic()
    workers = [threading.Thread(target=gate.wait) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.monotonic() - began >= 0.15
    gate.shut(600, "the service")
    threading.Timer(0.05, gate.stop.set).start()
    with pytest.raises(Stopped):
        gate.wait()


def test_a_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert seconds("7", now.timestamp()) == 7
    assert seconds(format_datetime(now.replace(minute=1), usegmt=True), now.timestamp()) == 60
    assert seconds(format_datetime(now.replace(hour=11), usegmt=True), now.timestamp()) == 0
    assert [seconds(text, 0) for text in (None, "", "soon")] == [None, None, None]


def test_the_ledger_tells_the_truth_after_any_stop(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "one", "w", ASKED)
    with pytest.raises(Problem, match="another collect is at work"):
        Ledger(tmp_path / "one", "w", ASKED)
    number = ledger.begin(Window(None, UPPER), "now", 9, [Slice(None, 50, rows=4), Slice(50, None, rows=5)], Effort(3))
    first, second = ledger.entries(number, "open")
    ledger.taken(first, "q", Body(tmp_path / "slice-000001.json", 10, "ab", ("A",), 4, None, [b"12345678"] * 4), 4, Effort(2))
    ledger.cut(second, [Slice(50, 60, rows=2), Slice(60, None, rows=3)], Effort(1))
    ledger.close()
    again = Ledger(tmp_path / "one", "w", ASKED)
    assert again.id == ledger.id
    assert [(one.part.low, one.part.high, one.state, one.got) for one in again.entries(number, "open", "done", "cut")] == [
        (None, 50, "done", 4), (50, None, "cut", 0), (50, 60, "open", 0), (60, None, "open", 0)]
    assert again.ids(first.id) == b"12345678" * 4 and again.windows()[0]["requests"] == 3
    again.close()


def test_hashes_that_change_from_query_to_query_are_noticed() -> None:
    entry = Ledger.__new__(Ledger)  # never asked
    assert once([(entry, b"a" * 8 + b"b" * 8), (entry, b"c" * 8)]) == 0  # type: ignore[list-item]
    assert once([(entry, b"a" * 8 + b"b" * 8), (entry, b"b" * 8)]) == 1  # type: ignore[list-item]


def test_the_aim_learns_from_what_passes_and_from_what_does_not() -> None:
    aim = Aim()
    aim.lower(Slice(rows=30_000, size=1), 2_000)
    assert aim.rows == 1_800
    aim.learn(Slice(rows=1_700, size=200_000), 1_700, 500_000)
    assert aim.swelling == 2.5
    aim.lower(Slice(rows=1_500), 3)  # as many have passed before: rows are not the reason
    assert aim.rows == 1_800
    aim.lower(Slice(rows=1_800), 3)
    assert aim.rows == 1_700
