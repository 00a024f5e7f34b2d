"""Rows of a query's answer through the compiled lane give what the ordinary way gives, with their ids; and no byte hurts it.

The ordinary way is `strict_json.parse_array` and `rows.Builder`; whatever the lane answers must be the same, and to leave a row
to the ordinary way is always right. Ids decide which rows were sent twice: there the compiled writer has `store.Writer` as twin.
"""

from __future__ import annotations

import json
import random
from functools import partial
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hotpath import CELL, EVENT, builder, event, generated, tables
from test_native import BROKEN, KEY, MEMBER, SNAPSHOT, SPELLED, TIMES, WORDS

from fimforensics import reading, segments, snapshot, store
from fimforensics.evidence.leaves import leaf
from fimforensics.ingest import Options, ingest
from fimforensics.model import COLUMNS
from fimforensics.native import native
from fimforensics.shapes import json_document
from fimforensics.shapes.strict_json import parse_array
from fimforensics.store import FLAG_TEXTS
from fimforensics.stretches import stretches
from fimforensics.swift import swift

pytestmark = pytest.mark.skipif(native is None, reason="the native module is not compiled, or FIMFORENSICS_PURE is set")
VISIBLE = tuple(name for name in COLUMNS if name not in ("_BilledSize", "_IsBillable"))
ROW, WHOLE = (*VISIBLE, "_ItemId"), (*COLUMNS, "_ItemId")


def cells(values: dict, columns: tuple[str, ...] = ROW) -> bytes:
    """An event as the row of an answer."""
    return orjson.dumps([values.get(name) for name in columns])


def lane_of(columns: tuple[str, ...]) -> tuple:
    """A compiled lane for rows of these columns, and where it numbers entities."""
    plain, entities = builder()
    learned = segments.learn({name: EVENT.get(name) for name in columns if name != "_ItemId"}, EVENT["Type"], plain)
    assert learned is not None and native is not None
    return swift(native, learned, KEY, SNAPSHOT, MEMBER, columns), entities


def same(rows: list[bytes], columns: tuple[str, ...] = ROW) -> int:
    """Both ways over the same rows; how many the lane answered, each of which the ordinary way must answer alike."""
    (lane, quick), (slow, plain) = lane_of(columns), builder()
    assert native is not None
    answered = 0
    for row in rows:
        leaves = bytearray()
        at, count, strange, packed, first, last = lane.read(b"xx" + row + b",[", 2, 40, 1 << 60, 100, 9, leaves, b",")
        events, keys, checks, places = native.unpack(packed, 100, FLAG_TEXTS)
        if not count:
            assert (at, strange, events, leaves) == (2, 1, [], b"")
            continue
        assert (count, at, strange) == (1, len(row) + 3, 1), "the next one, which is cut off, is for another way"
        values, problem = parse_array(row)
        assert problem is None and values is not None and len(values) == len(columns)
        built = slow.build(dict(zip(columns, values, strict=True)))
        assert (keys, checks, places) == ([built.key], [built.row_hash[:8]], [(100, 40, len(row), built.item)])
        assert bytes(leaves) == leaf(KEY, 100, SNAPSHOT, MEMBER, 40, len(row), row, built.row_hash)
        assert event(quick, events[0]) == event(plain, built.event)
        assert [type(cell) for cell in events[0]] == [type(cell) for cell in built.event]
        assert first == last == built.event[0]
        answered += 1
    return answered


def test_every_generated_row_goes_the_compiled_way() -> None:
    events = [orjson.loads(line) | {"_ItemId": f"{number:032x}"} for number, line in enumerate(generated(1_500))]
    assert same([cells(values) for values in events]) == 1_500
    assert same([cells(values, VISIBLE) for values in events[:300]], VISIBLE) == 300
    assert same([cells(values, tuple(COLUMNS)) for values in events[:300]], tuple(COLUMNS)) == 300


ODD = st.one_of(CELL, st.sampled_from([
    1.1, 1e300, -0.0, 10**18 - 1, 10**18, -(10**17), True, "\ud800", "\x7f", "\u2028", 'a"b\\c/d', "\b\f\n\r\t", "é😀",
    "2026-01-01", "x" * 200, {"a": [1, None]}, []]))
LITERAL = [b"1.10", b"1e5", b"-0", b"01", b"1.", b"-", b"NaN", b"nul", b"TRUE", b'"\\/"', b'"\\u0000"', b'"\\u00e9"',
           b'"\\ud83d\\ude00"', b" 1", b"null ", b'"\xff"', b'"\xed\xa0\x80"',
           b'"a\nb"', b'"\0"', b"123456789012345678901234567890", b"", b'"', b'""']


@pytest.mark.parametrize("path", ["0,", ",", ",a", "C:\\x,", "C:\\d\\a,.exe", "/opt/a,b,"])
def test_commas_at_the_ends_of_an_images_path_are_its_own(path: str) -> None:
    assert same([cells(EVENT), cells(EVENT | {"InitiatingProcessImageFilePath": path})]) == 2


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(ROW), ODD, max_size=5), min_size=1, max_size=6), st.randoms(),
       st.sampled_from("012"))
def test_whatever_stands_in_the_cells(changes: list[dict[str, object]], rng: random.Random, how: str) -> None:
    columns = list(VISIBLE)
    if how != "0":
        rng.shuffle(columns)
    if how == "2":
        del columns[rng.randrange(len(columns)):]
        columns += [name for name in ("TimeGenerated", "Type") if name not in columns]
    if not any(kind for kind, _ in stretches(columns)):
        return
    ordered = (*columns, "_ItemId")
    rows = [json.dumps([(EVENT | change).get(name) for name in ordered], separators=(",", ":"), ensure_ascii=rng.random() < 0.2)
            .encode("utf-8", "surrogatepass") for change in changes]
    same([cells(EVENT, ordered), *rows, cells(EVENT, ordered)], ordered)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*WHOLE, "_BilledSize", "FileSize", "_ItemId"]), st.sampled_from(LITERAL)), min_size=1,
                max_size=8))
def test_numbers_escapes_and_bytes_as_they_stand(changes: list[tuple[str, bytes]]) -> None:
    rows = []
    for name, text in changes:
        told = [orjson.dumps(EVENT.get(column)) for column in WHOLE]
        told[WHOLE.index(name)] = text
        rows.append(b"[%b]" % b",".join(told))
    assert same([cells(EVENT, WHOLE), *rows, cells(EVENT, WHOLE)], WHOLE) >= 2


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(SPELLED), st.sampled_from(WORDS), max_size=6), min_size=1, max_size=12),
       st.lists(st.tuples(TIMES, TIMES), max_size=4))
def test_paths_keys_processes_and_times(changes: list[dict[str, object]], times: list[tuple[str, str]]) -> None:
    rows = [cells(EVENT | change) for change in changes]
    rows += [cells(EVENT | {"TimeGenerated": one, "InitProcImageLastAccessTimeUtc": other}) for one, other in times]
    assert same([cells(EVENT), *rows]) >= 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_bytes_gone_wrong(data: st.DataObject) -> None:
    rows = []
    for _ in range(data.draw(st.integers(1, 4))):
        row = bytearray(cells(EVENT))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(row)))
            gone = data.draw(st.sampled_from([0, 0, 1, 1, 2, 7, 300]))
            row[at:at + gone] = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from([*BROKEN, b"]", b"],[", b"[", b",,"])))
        rows.append(bytes(row))
    lane, _ = lane_of(ROW)
    for row in rows:  # what follows a row that ends early is not its business: only that it ends there
        at, count, *_ = lane.read(row, 0, 0, 1 << 60, 1, 1, bytearray(), b",")
        if count:
            values, problem = parse_array(row[:row.rfind(b"]", 0, at) + 1])
            assert problem is None and values is not None and len(values) == len(ROW)
    same([row for row in rows if row.endswith(b"]") and parse_array(row)[0] is not None])


def test_it_stops_where_it_is_told() -> None:
    rows = [cells(orjson.loads(line)) for line in generated(50)]
    whole, ends = b",\n".join(rows), []
    for row in rows:
        ends.append((ends[-1] + 2 if ends else 0) + len(row))

    def read(data: bytes, offset: int = 0, limit: int = 1 << 60, most: int = 99, gap: bytes = b",\n") -> tuple[int, int, int]:
        return lane_of(ROW)[0].read(data, 0, offset, limit, 1, most, bytearray(), gap)[:3]

    assert read(whole) == read(whole + b"],") == (len(whole), 50, 0)
    assert read(whole, most=7) == (ends[6] + 2, 7, 0)
    assert read(whole, offset=10, limit=10 + ends[8] + 2) == (ends[9] + 2, 10, 0)
    assert read(whole, gap=b",") == read(whole[:ends[0] + 1]) == (ends[0], 1, 0)
    assert read(whole[:ends[2] - 1]) == (ends[1] + 2, 2, 1)
    assert read(whole[:ends[1] + 2]) == (ends[1], 2, 0)
    assert read(b"[]," + whole) == read(b" " + whole) == (0, 0, 1)
    assert read(cells(EVENT | {"NewValueData": "x" * (128 << 10)})) == (0, 0, 1)


def answer(rows: list[bytes], columns: tuple[str, ...] = ROW, gap: bytes = b",") -> bytes:
    """A body of the query API."""
    named = orjson.dumps([{"name": name, "type": "string"} for name in columns])
    return b'{"tables":[{"name":"PrimaryResult","columns":%b,"rows":[%b]}]}\n' % (named, gap.join(rows))


def taken(folder: Path, source: Path, monkeypatch: pytest.MonkeyPatch, batch: int = 500) -> list[dict[str, list[tuple]]]:
    """What a case holds of a source: all compiled, only its writer, all Python."""
    found = []
    for number, modules in enumerate(((), (reading,), (reading, store))):
        with monkeypatch.context() as patch:
            for module in modules:
                patch.setattr(module, "native", None)
            ingest(folder / f"{number}.db", [source], Options(case_key=KEY, batch=batch))
        found.append(tables(folder / f"{number}.db"))
    return found


def test_a_case_is_the_same_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several answers in one file, as a collected window has them: rows that are odd, broken, of another order, sent twice."""
    events = [orjson.loads(line) | {"_ItemId": f"{number:032x}"} for number, line in enumerate(generated(2_500))]
    rows = [cells(values) for values in events]
    odd = [cells(EVENT | {"FileName": "\0", "FilePath": "ä"}), cells(EVENT | {"TimeGenerated": "x"}), b"[1,2]", b"[nul]",
           cells(EVENT | {"ChangeType": "Added"}), cells(EVENT | {"Type": "Other"}), rows[3], rows[3]]
    other = tuple(reversed(ROW))
    source = tmp_path / "window.json"
    source.write_bytes(b"".join((
        answer(rows[:700] + odd + rows[700:1_200]), answer(rows[1_200:1_500], gap=b" ,\n "), answer([]),
        answer(rows[1_500:1_501]), answer([cells(values, other) for values in events[1_501:1_510]], other), answer(rows[1_510:]),
        answer(odd), answer(rows[:40])[:-40])))
    quick, half, slow = taken(tmp_path, source, monkeypatch)
    assert quick == half == slow
    assert len(quick["occurrences"]) == 2_500 - 9 + 2 * 4 + 39 and len(quick["rejects"]) == 2 * 4 + 9 + 1
    assert len(quick["events"]) == 2_500 - 9 + 2 * 2, "rows of one id are one event, rows without are as many as came"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.sampled_from(["", "a", "b", "c", None])), max_size=60),
       st.integers(2, 9))
def test_ids_decide_alike_in_both_writers(tmp_path_factory: pytest.TempPathFactory, told: list[tuple], size: int) -> None:
    """Few different rows, many times, with few ids; transactions end all the time, so that what was told lies in the case."""
    folder, patch = tmp_path_factory.mktemp("ids"), pytest.MonkeyPatch()
    rows = [cells(EVENT | {"FileName": f"{number}.txt", "FilePath": f"/tmp/{number}.txt", "FileType": str(kind), "_ItemId": item})
            for number, kind, item in told]
    (folder / "answer.json").write_bytes(answer([cells(EVENT), *rows]))
    patch.setattr(snapshot, "COMMIT", 7)
    try:
        quick, half, slow = taken(folder, folder / "answer.json", patch, size)
    finally:
        patch.undo()
    assert quick == half == slow


def test_nearly_all_rows_go_the_compiled_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a batch and the first and last of a piece of the text do not."""
    slow = []
    monkeypatch.setattr(json_document, "Record", lambda *told: slow.append(told) or reading.Record(*told))
    body = answer([cells(orjson.loads(line)) for line in generated(900)])
    (tmp_path / "window.json").write_bytes(body + body)
    ingest(tmp_path / "case.db", [tmp_path / "window.json"], Options(case_key=KEY))
    assert 2 <= len(slow) <= 20


def test_a_stopped_ingest_goes_on_to_the_same_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after each batch: from where the lane goes on changes nothing but where batches end."""
    events = [orjson.loads(line) | {"_ItemId": f"{number % 350:032x}"} for number, line in enumerate(generated(400))]
    (tmp_path / "window.json").write_bytes(b"".join(answer([cells(one) for one in events[at:at + 150]]) for at in (0, 150, 300)))
    options = Options(case_key=KEY, batch=64)
    ingest(tmp_path / "whole.db", [tmp_path / "window.json"], options)
    monkeypatch.setattr(snapshot, "COMMIT", 1)

    def stop(most: int, label: str, done: int, size: int, records: int) -> None:
        if records > most:
            raise KeyboardInterrupt

    for most in range(64, 400, 64):
        with pytest.raises(KeyboardInterrupt):
            ingest(tmp_path / "stopped.db", [tmp_path / "window.json"], options, partial(stop, most))
    ingest(tmp_path / "stopped.db", [tmp_path / "window.json"], options)
    whole, stopped = tables(tmp_path / "whole.db"), tables(tmp_path / "stopped.db")
    assert b"".join(found for _, found in stopped.pop("leaves")) == b"".join(found for _, found in whole.pop("leaves"))
    assert stopped == whole and len(whole["occurrences"]) == 400
