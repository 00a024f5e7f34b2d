"""The quick ways of ingest give what the ordinary ways give: rows, keys, events, leaves, ids; and the benchmark runs.

The ordinary way is `shapes.jsonl.records` and `rows.Builder`; whatever a lane answers must be the same, and None is always right.
"""

from __future__ import annotations

import hmac
import json
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.generate import lines as generated
from fimforensics import reading, segments
from fimforensics.blocks import Entities
from fimforensics.cells import Cells
from fimforensics.evidence.leaves import leaf
from fimforensics.evidence.originals import Chunker, Hashes
from fimforensics.ingest import Options, ingest
from fimforensics.model import COLUMNS, Reading, Record
from fimforensics.rows import Builder
from fimforensics.shapes import jsonl
from fimforensics.stretches import KIND, stretches

ROOT = Path(__file__).parent.parent
EVENT = json.loads(next(generated(1)))
REFERRED = ("hosts", "changes", "files", "registry_values", "contents", "processes", "accounts", "paths", "paths", "requests",
            "machine_reports", "process_reports", "registry_reports")
LINKS = {"machine_reports": {0: "hosts"}, "processes": {0: "hosts"}, "files": {0: "hosts"}, "registry_values": {0: "hosts"},
         "requests": {0: "accounts"}, "process_reports": {0: "processes", 1: "accounts", 2: "images"}}


def builder() -> tuple[Builder, Entities]:
    """A builder of plain events, and where it numbers their entities."""
    entities = Entities()
    return Builder(Cells({}, Reading()), entities), entities


def spelled(entities: Entities, kind: str, number: int | None) -> object:
    """An entity with everything it refers to written out, so that numbers of two readings compare."""
    if number is None:
        return None
    row = entities.new[kind][number]
    return tuple(spelled(entities, LINKS[kind][at], cell) if at in LINKS.get(kind, {}) else cell for at, cell in enumerate(row))


def event(entities: Entities, found: tuple) -> tuple:
    """An event with its entities written out."""
    told = (spelled(entities, kind, number) for kind, number in zip(REFERRED, found[1:14], strict=True))
    return (found[0], *told, *found[14:])


def compare(texts: list[bytes], first: bytes | None = None) -> int:
    """Both ways over the same lines, the lane laid out as `first`; how many lines the lane answered."""
    (slow, slow_entities), (plain, quick_entities) = builder(), builder()
    values = json.loads(first or texts[0])
    lane = segments.learn(values, values.get("Type"), plain)
    assert lane is not None
    answered = 0
    for text in texts:
        quick = lane.read(text)
        if quick is None:
            continue
        answered += 1
        (record,) = jsonl.records(0, text)
        assert record.values is not None, record.problem
        built = slow.build(record.values)
        assert quick[:2] == (built.key, built.row_hash)
        assert event(quick_entities, quick[2]) == event(slow_entities, built.event)
    return answered


def written(values: dict[str, object], names: list[str] | None = None) -> bytes:
    return orjson.dumps({name: values[name] for name in names or values if name in values})


def test_every_generated_line_goes_the_quick_way() -> None:
    texts = [line.rstrip(b"\n") for line in generated(1_500)]
    assert compare(texts) == 1_500


def test_microsofts_order_of_columns_too() -> None:
    texts = [written(json.loads(line), list(COLUMNS)) for line in generated(300)]
    assert compare(texts) == 300


def test_nulls_left_out_go_the_quick_way_where_the_stretches_begin_alike() -> None:
    texts = [line.rstrip(b"\n") for line in generated(300)]
    left = [written({name: value for name, value in json.loads(text).items() if value not in (None, "")}) for text in texts]
    assert compare(left) > 100


CELL = st.one_of(
    st.none(), st.just(""), st.text(max_size=6), st.integers(-3, 3), st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["ABCDEF0123", "C:\\a\\b.exe", "C:\\a\\", "b.exe", "HKEY_LOCAL_MACHINE\\x", "Files", "Added", "\0", "é",
                     '",', ',"Type":', "2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05Z", "1601-01-01T00:00:00.0000000Z",
                     "5", 1 << 63, -(1 << 63)]),
    st.lists(st.integers(0, 2), max_size=2),
    st.dictionaries(st.sampled_from(["a", "Type", "FileName"]), st.integers(0, 1), max_size=2))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*COLUMNS, "_ItemId", "Unknown"]), CELL, max_size=5), min_size=1, max_size=6),
       st.randoms())
def test_whatever_stands_in_the_cells(changes: list[dict[str, object]], rng: object) -> None:
    names = list(EVENT)
    rng.shuffle(names)  # type: ignore[attr-defined]
    texts = []
    for change in changes:
        try:
            texts.append(written({**EVENT, **change}, [*names, "_ItemId", "Unknown"]))
        except TypeError:  # text that is no Unicode cannot be written
            continue
    (slow, _), first = builder(), written(EVENT, names)
    if not any(kind for kind, _ in stretches(names)):
        return
    for text in list(texts):  # a record that is none in the ordinary way has no answer in the quick one
        (record,) = jsonl.records(0, text)
        try:
            assert record.values is not None
            slow.build(record.values)
        except (AssertionError, ValueError):
            plain, _ = builder()
            lane = segments.learn(json.loads(first), EVENT["Type"], plain)
            assert lane is not None and lane.read(text) is None
            texts.remove(text)
    if texts:
        compare([first, *texts], first)


LINE = written(EVENT)


def changed(old: bytes, new: bytes) -> bytes:
    assert old in LINE
    return LINE.replace(old, new)


@pytest.mark.parametrize("line", [
    LINE[:-1], LINE + b"\r", LINE + b"}", b" " + LINE, b"[" + LINE + b"]", b"", b"{}", changed(b"}", b',"Type":"x"}'),
    changed(b',"Computer":', b',"Computer":"other","Computer":'),
    changed(b',"FileType":', b',"FileName":"x","FileType":'),
    changed(b',"FileType":', b',"FileName" :"x","FileType":'),
    changed(b',"FileType":', b',"File\\u004eame":"x","FileType":'),
    changed(b'"FileSize":', b'"FileSize":123456789012345678901234567890,"x":'),
    changed(b'"_BilledSize":', b'"_BilledSize":1e999,"x":'),
    changed(b',"RequestSource":', b',"a":{"b":1,"RequestSource":').replace(b',"InitiatingProcessN', b'},"InitiatingProcessN'),
    changed(b'"MDCFileIntegrityMonitoringEvents"', b'"ConfigurationChange"'), changed(b"TimeGenerated", b"TimeGenerate"),
    changed(b'"FileType":"', b'"FileType":"\xff'), changed(b'"CloudProvider":"', b'"CloudProvider":"\\ud800')])
def test_what_is_not_plain_has_no_answer(line: bytes) -> None:
    plain, _ = builder()
    lane = segments.learn(EVENT, EVENT["Type"], plain)
    assert lane is not None and lane.read(LINE) is not None
    assert lane.read(line) is None
    assert lane.read(LINE) is not None


def test_a_layout_falls_into_stretches() -> None:
    assert [(kind, len(names)) for kind, names in stretches(list(EVENT))] == [
        ("machine", 7), ("", 21), ("request", 6), ("image", 18), ("process", 4), ("account", 4), ("", 5)]
    assert sorted(name for _, names in stretches(list(COLUMNS)) for name in names) == sorted(COLUMNS) == sorted(KIND)


@given(st.lists(st.one_of(st.none(), st.text(), st.integers(-(1 << 63), (1 << 63) - 1))))
def test_both_writers_of_json_write_the_same(cells: list[object]) -> None:
    assert msgspec.json.encode(cells) == orjson.dumps(cells)


@given(st.binary(max_size=70), st.integers(0, 1 << 40), st.binary(max_size=20))
def test_a_leaf_is_what_its_words_say(key: bytes, seq: int, raw: bytes) -> None:
    salt = hmac.new(key, seq.to_bytes(8, "big"), "sha256").digest()[:16]
    place = b"".join(number.to_bytes(8, "big") for number in (seq, 3, 0, 7, len(raw)))
    expected = sha256(b"\0" + place + salt + sha256(raw).digest() + bytes(32)).digest()
    assert leaf(key, seq, 3, 0, 7, len(raw), raw, bytes(32)) == expected


class Pieces:
    """A member whose stream gives the given pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]

    def open(self) -> Pieces:
        return self

    def read(self, size: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def __enter__(self) -> Pieces:
        return self

    def __exit__(self, *_: object) -> None:
        return


@given(st.lists(st.binary(max_size=5).map(lambda piece: piece.replace(b"a", b"\n"))))
def test_lines_are_cut_the_same_wherever_the_stream_is(pieces: list[bytes]) -> None:
    whole = b"".join(pieces).removeprefix(b"\xef\xbb\xbf")
    start = len(b"".join(pieces)) - len(whole)
    if b"".join(pieces).startswith(b"\xef\xbb\xbf") and not pieces[0].startswith(b"\xef\xbb\xbf"):
        return  # the mark is looked for in the first piece, which is a million bytes long outside of tests
    blocks = jsonl.Lines(Pieces(pieces)).blocks()  # type: ignore[arg-type]
    found = [place for offset, block in blocks for place in _placed(offset, block.split(b"\n")) if place[1]]
    assert found == [place for place in _placed(start, whole.split(b"\n")) if place[1]]


def _placed(offset: int, lines: list[bytes]) -> list[tuple[int, bytes]]:
    found = []
    for line in lines:
        found.append((offset, line))
        offset += len(line) + 1
    return found


@given(st.lists(st.binary(min_size=1, max_size=9)), st.data())
def test_a_chunker_gives_back_what_it_was_fed(pieces: list[bytes], data: st.DataObject) -> None:
    hashes = Hashes()
    chunker, at, found = Chunker(hashes, "raw"), 0, []
    for piece in pieces:
        back = data.draw(st.integers(0, min(at, 3)))  # a stream that is read again from a little before
        chunker.feed(at - back, b"".join(pieces)[at - back:at] + piece)
        at += len(piece)
        chunker.cut(data.draw(st.integers(chunker.base, at)))
        found += chunker.ready()
    chunker.cut(at)
    found += chunker.ready()
    assert b"".join(chunk.data for chunk in found) == b"".join(pieces)
    assert [chunk.offset for chunk in found] == [sum(chunk.length for chunk in found[:at]) for at in range(len(found))]
    assert hashes.digests()[0] == sha256(b"".join(pieces)).hexdigest()
    assert not found or found[-1].prefix == hashes.digests()[0]


def tables(case: Path) -> dict[str, list[tuple]]:
    """All that a case holds of evidence, as it lies there."""
    names = ("originals", "leaves", "hosts", "machine_reports", "changes", "accounts", "images", "processes", "process_reports",
             "paths", "files", "contents", "requests", "registry_values", "registry_reports", "events", "event_keys",
             "occurrences", "rejects")
    with sqlite3.connect(case) as db:
        return {name: db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names}


def test_a_case_is_the_same_without_the_quick_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "events.jsonl"
    odd = [b"", b"{", changed(b'"TimeGenerated":"2', b'"TimeGenerated":"x'), b"{ " + LINE[1:], LINE[:-1] + b',"Unknown":"x"}']
    kept = [line.rstrip(b"\n") for line in generated(2_500)]
    source.write_bytes(b"\n".join(kept[:700] + odd + kept[700:] + odd) + b"\n")
    ingest(tmp_path / "quick.db", [source], Options(case_key=b"k" * 32, batch=500))
    monkeypatch.setattr(segments.Lane, "read", lambda lane, line: None)
    monkeypatch.setattr(reading, "native", None)
    ingest(tmp_path / "slow.db", [source], Options(case_key=b"k" * 32, batch=500))
    quick, slow = tables(tmp_path / "quick.db"), tables(tmp_path / "slow.db")
    assert {name: len(rows) for name, rows in quick.items()} == {name: len(rows) for name, rows in slow.items()}
    assert quick == slow
    assert len(quick["rejects"]) == 4 and len(quick["occurrences"]) == 2_504


def test_a_broken_record_in_the_middle_is_not_called_the_last(tmp_path: Path) -> None:
    kept = [line.rstrip(b"\n") for line in generated(20)]
    for name, lines in (("middle", [*kept[:10], b"{", *kept[10:]]), ("end", [*kept, b"{"])):
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(lines))
        ingest(tmp_path / f"{name}.db", [tmp_path / f"{name}.jsonl"], Options(case_key=b"k" * 32))
        with sqlite3.connect(tmp_path / f"{name}.db") as db:
            ((rejects, truncated),) = db.execute("SELECT rejects, truncated FROM snapshots").fetchall()
        assert (rejects, bool(truncated)) == (1, name == "end")


def test_records_come_one_by_one_too() -> None:
    found = list(jsonl.Lines(Pieces([LINE + b"\n\n" + LINE])))  # type: ignore[arg-type]
    assert found == [Record(0, len(LINE), LINE, EVENT), Record(len(LINE) + 2, len(LINE), LINE, EVENT)]


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/run.py", "--small", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("20,000 events, ")
    assert [line.split()[0] for line in lines[2:5]] == ["fimforensics", "sqlite-utils", "duckdb"]
    assert [line.split(":")[0] for line in lines[5:7]] == ["against sqlite-utils", "against duckdb"]
    assert lines[-1].split()[0] == "all"
    assert [path.name for path in tmp_path.iterdir()] == ["events-20000.jsonl"], "only the source is kept"

