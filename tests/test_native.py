"""The compiled lane gives what the lane of Python and the ordinary way give: rows, keys, leaves, events; and no byte hurts it.

Where nothing was compiled (no C compiler, or FIMFORENSICS_PURE) there is nothing to compare; CI has both.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hotpath import CELL, EVENT, LINE, builder, event, generated, tables, written

from fimforensics import reading, segments
from fimforensics.blocks import ACCOUNT, FILE, PROCESS, REGISTRY, Entities
from fimforensics.evidence import digests
from fimforensics.evidence.leaves import leaf
from fimforensics.evidence.originals import Hashes, hashes
from fimforensics.ingest import Options, ingest
from fimforensics.model import COLUMNS
from fimforensics.native import compiling, native
from fimforensics.store import FLAG_TEXTS
from fimforensics.stretches import stretches
from fimforensics.swift import swift

pytestmark = pytest.mark.skipif(native is None, reason="the native module is not compiled, or FIMFORENSICS_PURE is set")
ROOT = Path(__file__).parent.parent
KEY, SNAPSHOT, MEMBER = b"k" * 32, 7, 2


class Swift:
    """A compiled lane with its own numbers, laid out as the first line."""

    def __init__(self, first: bytes) -> None:
        values = orjson.loads(first)
        plain, self.entities = builder()
        lane = segments.learn(values, values.get("Type"), plain)
        assert lane is not None and native is not None
        self.lane = swift(native, lane, KEY, SNAPSHOT, MEMBER)

    def read(self, data: bytes, offset: int = 0, limit: int = 1 << 60, most: int = 1 << 20) -> tuple[int, int, int, tuple]:
        """Where it stopped, how many lines it took, whether the next is strange, and the lists."""
        leaves = bytearray()
        assert native is not None
        at, count, strange, packed, first, last = self.lane.read(data, 0, offset, limit, 100, most, leaves)
        lists = native.unpack(packed, 100, FLAG_TEXTS)
        times = [event[0] for event in lists[0]]
        assert (first, last) == ((min(times), max(times)) if count else ("", ""))
        return at, count, strange, (*lists, leaves)


class Slow:
    """The lane of Python, else the ordinary way."""

    def __init__(self, first: bytes) -> None:
        values = orjson.loads(first)
        plain, self.entities = builder()
        found = segments.learn(values, values.get("Type"), plain)
        assert found is not None
        self.lane = found

    def read(self, line: bytes) -> tuple[bytes, bytes, tuple] | None:
        """Key, row hash and event."""
        return self.lane.read(line)


def spelled(entities: Entities, found: tuple) -> tuple:
    """An event with its entities written out."""
    return event(entities, found)


def same(texts: list[bytes], first: bytes | None = None) -> int:
    """Both lanes over the same lines; how many the compiled one answered, each of which the other must answer alike."""
    quick, slow = Swift(first or texts[0]), Slow(first or texts[0])
    answered = 0
    for text in texts:
        at, count, strange, (events, keys, checks, places, leaves) = quick.read(text + b"\n", 40)
        assert (count, at) == ((0, 0) if strange else (1, len(text) + 1))
        if strange:
            continue
        answered += 1
        expected = slow.read(text)
        assert expected is not None
        key, row_hash, told = expected
        assert (keys, checks, places) == ([key], [row_hash[:8]], [(100, 40, len(text), None)])
        assert bytes(leaves) == leaf(KEY, 100, SNAPSHOT, MEMBER, 40, len(text), text, row_hash)
        assert spelled(quick.entities, events[0]) == spelled(slow.entities, told)
        assert [type(cell) for cell in events[0]] == [type(cell) for cell in told]
    return answered


def test_every_generated_line_goes_the_compiled_way() -> None:
    assert same([line.rstrip(b"\n") for line in generated(1_500)]) == 1_500


def test_microsofts_order_of_columns_and_columns_left_out() -> None:
    texts = [line.rstrip(b"\n") for line in generated(300)]
    assert same([written(orjson.loads(text), list(COLUMNS)) for text in texts]) == 300
    told = [{name: value for name, value in orjson.loads(text).items() if value not in (None, "")} for text in texts]
    assert same([written(values) for values in told]) > 100


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*COLUMNS, "_ItemId", "Unknown"]), CELL, max_size=4), min_size=1, max_size=6),
       st.randoms(), st.booleans())
def test_whatever_stands_in_the_cells(changes: list[dict[str, object]], rng: random.Random, kept: bool) -> None:
    names = list(EVENT)
    if not kept:
        rng.shuffle(names)
    texts = []
    for change in changes:
        try:
            texts.append(written({**EVENT, **change}, [*names, "_ItemId", "Unknown"]))
        except TypeError:  # text that is no Unicode cannot be written
            continue
    if any(kind for kind, _ in stretches(names)):
        first = written(EVENT, names)
        assert same([first, *texts, first], first) >= 2


TIMES = st.one_of(
    st.from_regex(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,9})?Z?", fullmatch=True),
    st.sampled_from(["1601-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00.0Z",
                     "2026-02-28t00:00:00Z", "2026-02-28T00:00:00+02:00", "2026-02-28T00:00:00.1234567891Z"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TIMES, TIMES, st.one_of(st.floats(allow_nan=False), st.integers(), st.none(), st.just("")),
                          st.one_of(st.none(), st.integers()), st.text(max_size=9), st.text(max_size=9)), min_size=1, max_size=8))
def test_times_numbers_and_data(rows: list[tuple]) -> None:
    names = ("TimeGenerated", "InitProcImageLastAccessTimeUtc", "_BilledSize", "FileSize", "OldValueData", "FileName")
    texts = []
    for row in rows:
        try:
            texts.append(written({**EVENT, **dict(zip(names, row, strict=True))}))
        except TypeError:
            continue
    same([LINE, *texts], LINE)


WORDS = [
    "C:\\a\\b.exe", "C:\\a\\", "c:/x/y", "\\\\srv\\share\\f", "\\\\?\\C:\\a", "/etc/passwd", "/etc/", "//a\\b", "b.exe", "B.EXE",
    "", "a\\", "C:", "C:x", "HKEY_LOCAL_MACHINE\\x\\y", "HKLM\\a", "hklm\\A", "HKLM", "HKEY_USERS\\\\x", "\\REGISTRY\\MACHINE\\x",
    "HKU\\a\\", "ä", "a\nb", 'a\tb"', "\x7f", None, 0, 7, True, "ABCDEF", "abcdef0123", "2026-01-02T03:04:05.1234567Z",
    "2026-01-02T03:04:05Z"]
SPELLED = [
    *FILE, *REGISTRY, *PROCESS, *ACCOUNT, "InitiatingProcessImageFileName", "InitiatingProcessImageFilePath", "FileMd5",
    "FileSha1", "FileSha256", "RequestAccountName", "Computer", "AzureResourceId"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(SPELLED), st.sampled_from(WORDS), max_size=6), min_size=1, max_size=12))
def test_paths_keys_and_processes(changes: list[dict[str, object]]) -> None:
    texts = [written({**EVENT, **change}, list(EVENT)) for change in changes]
    assert same([LINE, *texts], LINE) >= 1


BROKEN = [b'"', b"\\", b"\\u0041", b",", b"{", b"}", b':"', b"\xc3\xa4", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\0", b"\\/"]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_bytes_gone_wrong(data: st.DataObject) -> None:
    texts = []
    for _ in range(data.draw(st.integers(1, 4))):
        text = bytearray(LINE)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(text)))
            gone = data.draw(st.sampled_from([0, 0, 1, 1, 2, 7, 300]))
            text[at:at + gone] = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from(BROKEN)))
        texts.append(bytes(text).replace(b"\n", b""))
    same([text for text in texts if text] + [LINE], LINE)


def test_it_stops_where_it_is_told() -> None:
    lines = list(generated(50))
    whole, sizes = b"".join(lines).removesuffix(b"\n"), [len(line) for line in lines]
    assert Swift(LINE).read(whole)[:3] == (len(whole), 50, 0)
    assert Swift(LINE).read(whole, most=7)[:3] == (sum(sizes[:7]), 7, 0)
    assert Swift(LINE).read(whole, offset=10, limit=10 + sum(sizes[:9]))[:3] == (sum(sizes[:10]), 10, 0)
    assert Swift(LINE).read(b"".join(lines[:3]) + b"{}\n" + whole)[:3] == (sum(sizes[:3]), 3, 1)
    assert Swift(LINE).read(b"\n" + whole)[:3] == (0, 0, 1)
    longest = written({**EVENT, "NewValueData": "x" * (128 << 10)})
    assert Swift(LINE).read(longest)[:3] == (0, 0, 1)


def test_a_layout_that_is_none_is_refused() -> None:
    assert native is not None
    with pytest.raises((TypeError, ValueError)):
        native.Lane()
    with pytest.raises(ValueError):
        native.Lane.__new__(native.Lane).read(b"", 0, 0, 0, 0, 0, bytearray())


@pytest.mark.parametrize("portable", [False, True])
def test_sha_256_is_sha_256(portable: bool) -> None:
    assert native is not None
    rng = random.Random(1)
    native.choose(portable)
    try:
        for size in [*range(200), 1_000, 4_095, 4_096]:
            one, other = rng.randbytes(size), rng.randbytes(rng.randrange(300))
            assert native.sha256(one, other) == (sha256(one).digest(), sha256(other).digest())
    finally:
        native.choose(False)


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_three_hashes_in_one_pass(pieces: list[bytes]) -> None:
    quick, slow = hashes(), Hashes()
    assert type(quick) is getattr(native, "Hashes", Hashes)  # without SHA instructions there is none
    for piece in pieces:
        assert quick.update(memoryview(piece)) == slow.update(piece)
    assert (quick.size, quick.digests()) == (slow.size, slow.digests())


CELLS = st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False), st.binary(max_size=9),
                  st.binary(max_size=9).map(bytearray), st.text(st.characters(exclude_categories=["Cs"]), max_size=9))


@given(st.lists(st.lists(CELLS, max_size=5).map(tuple), max_size=5))
def test_rows_as_their_digest_takes_them(rows: list[tuple]) -> None:
    assert native is not None
    assert native.digest_rows(rows) == b"".join(map(digests.row, rows))


def test_no_row_of_a_table_hurts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert native is not None
    for rows in ([[1]], ((1,),), [(object(),)], [(1 << 64,)], [("\ud800",)], None):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            native.digest_rows(rows)
    ddl = "CREATE TABLE t (a, b)"
    with sqlite3.connect(":memory:") as db:  # a text that is no UTF-8, after some that are
        db.execute(ddl)
        db.executemany("INSERT INTO t VALUES (?, CAST(? AS TEXT))", [(at, b"\xff" if at == 700 else b"x") for at in range(900)])
        found = digests.table_digest(db, "t", ddl, "s")
        monkeypatch.setattr(digests, "native", None)
        assert found.rows == 900 and found == digests.table_digest(db, "t", ddl, "s")


def test_a_case_is_the_same_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "events.jsonl"
    kept = [line.rstrip(b"\n") for line in generated(2_500)]
    odd = [b"", b"{", LINE.replace(b'"TimeGenerated":"2', b'"TimeGenerated":"x'), LINE[:-1] + b',"Unknown":"x"}', LINE + b"\r",
           written({**EVENT, "FileName": "\0", "FilePath": "ä"}), written({**EVENT, "_BilledSize": "1.5"}),
           written({**EVENT, "ChangeType": "Added", "TimeGenerated": "2026-01-02T03:04:05Z"})]
    source.write_bytes(b"\n".join(kept[:700] + odd + kept[700:] + odd))
    ingest(tmp_path / "quick.db", [source], Options(case_key=KEY, batch=500))
    monkeypatch.setattr(reading, "native", None)
    ingest(tmp_path / "pure.db", [source], Options(case_key=KEY, batch=500))
    quick, pure = tables(tmp_path / "quick.db"), tables(tmp_path / "pure.db")
    assert quick == pure and len(quick["rejects"]) == 4 and len(quick["events"]) == 2_510


def test_a_module_of_other_sources_is_not_used(tmp_path: Path) -> None:
    told = subprocess.run([sys.executable, "-c", "from fimforensics.native import native, compiling\nprint(native is not None)\n"
                           "import fimforensics.native as package\ncompiling.stamp = package.stamp = lambda: 'other'\n"
                           "print(package.load())"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.split() == ["True", "None"]
    pure = {**os.environ, "FIMFORENSICS_PURE": "1"}
    command = [sys.executable, "-m", "fimforensics", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=pure)
    assert told.stdout.endswith(" (pure Python)\n")


def test_without_a_compiler_nothing_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiling.compile_into(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
