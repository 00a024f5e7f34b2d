"""JSON in UTF-16, as Windows PowerShell writes it: a container of its UTF-8."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimforensics.errors import Problem
from fimforensics.shapes import members, open_member
from fimforensics.shapes.transcode import to_utf8, utf16_json

TEXT = '[\r\n  {"TimeGenerated": "2026-01-01T00:00:00Z", "Computer": "ä\U0001f600", "TableName": "PrimaryResult"}\r\n]\r\n'
LITTLE, BIG = b"\xff\xfe" + TEXT.encode("utf-16-le"), b"\xfe\xff" + TEXT.encode("utf-16-be")


def _utf8(data: bytes, piece: int = 1 << 20) -> bytes:
    found = utf16_json(data)
    assert found is not None
    return b"".join(to_utf8((data[at:at + piece] for at in range(0, len(data), piece)), *found))


@pytest.mark.parametrize(("head", "found"), [
    (LITTLE, ("utf-16-le", 2)), (BIG, ("utf-16-be", 2)), ("\ufeff \r\n\t{".encode("utf-16-le"), ("utf-16-le", 2)),
    (LITTLE[2:], ("utf-16-le", 0)), (BIG[2:], ("utf-16-be", 0)), ("\ufeff[".encode("utf-16-le"), ("utf-16-le", 2)),
    (b"", None), (b"\xff\xfe", None), (b"\xff\xfe[", None), (b"[{}]", None), (b"\xef\xbb\xbf[{}]", None), (b"[", None),
    ("\ufeffTimeGenerated,Computer".encode("utf-16-le"), None), ("\ufeff[]".encode("utf-32-le"), None), (b"\0\0", None),
])
def test_what_is_json_in_utf16(head: bytes, found: tuple[str, int] | None) -> None:
    assert utf16_json(head) == found


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("data", [LITTLE, BIG, LITTLE[2:], BIG[2:]])
def test_pieces(data: bytes, piece: int) -> None:
    assert _utf8(data, piece) == TEXT.encode()


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_units_that_are_no_characters_are_json_escapes(piece: int) -> None:
    text = '["\ud800 \udc00\ud83d\ude00 \udbff"]'
    data = text.encode("utf-16-le", "surrogatepass")
    assert _utf8(data, piece) == '["\\ud800 \\udc00😀 \\udbff"]'.encode()
    assert json.loads(_utf8(data, piece)) == ["\ud800 \udc00😀 \udbff"]
    assert _utf8(b"\xff\xfe[\0a", piece) == b"[\\udc61"  # half a unit at the end
    assert _utf8("[\ud800".encode("utf-16-le", "surrogatepass"), piece) == b"[\\ud800"


@given(st.text(max_size=30), st.sampled_from(["utf-16-le", "utf-16-be"]), st.booleans(), st.integers(1, 9))
def test_any_text_comes_back(text: str, encoding: str, mark: bool, piece: int) -> None:
    data = ("\ufeff" * mark + "{" + text).encode(encoding)
    assert _utf8(data, piece) == ("{" + text).encode()


@given(st.binary(max_size=40), st.sampled_from([b"\xff\xfe[\0", b"\xfe\xff\0{"]), st.integers(1, 9))
def test_any_bytes_are_read_in_the_same_way_however_they_come(data: bytes, start: bytes, piece: int) -> None:
    assert _utf8(start + data, piece) == _utf8(start + data)
    assert _utf8(start + data).decode()[:1] in "[{"


def _zip(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(("data", "name"), [
    (LITTLE, "utf-8"), (BIG, "utf-8"), (gzip.compress(LITTLE), "utf-8"), (_zip("a.json", BIG), "a.json (utf-8)"),
])
def test_members(tmp_path: Path, data: bytes, name: str) -> None:
    (tmp_path / "x").write_bytes(data)
    (member,) = members(tmp_path / "x")
    assert (member.name, member.compressed) == (name, True)
    with member.open() as stream:
        assert stream.read(1 << 20) == TEXT.encode()
    opened = open_member(member)
    (record,) = opened.records
    assert (opened.shape, opened.none, record.raw) == ("az JSON", True, TEXT[5:-5].encode())


def test_lines_with_a_mark_of_utf8(tmp_path: Path) -> None:
    line = '{"TimeGenerated":"2026-01-01T00:00:00Z","Computer":"ä"}'
    (tmp_path / "x").write_bytes(f"\ufeff{line}\r\n{line}\r\n".encode())
    (member,) = members(tmp_path / "x")
    opened = open_member(member)
    assert (member.compressed, opened.shape) == (False, "JSON Lines")
    assert [record.values["Computer"] for record in opened.records] == ["ä", "ä"]


def test_damage_comes_after_the_text_before_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(LITTLE)[:-9])
    (member,) = members(tmp_path / "x")
    found = b""
    with member.open() as stream, pytest.raises(Problem, match="the gzip data is cut off"):
        while piece := stream.read(1 << 16):
            found += piece
    assert TEXT.encode().startswith(found)
    assert len(found) > 100
