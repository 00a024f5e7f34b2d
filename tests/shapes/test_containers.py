"""Containers: what comes out of them, bombs and damage; and folder trees."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest
import zstandard

from fimforensics.errors import Problem, Refused
from fimforensics.shapes import members, open_member, tree

LINES = b"".join(b'{"TimeGenerated":"2026-01-01T00:00:00Z","Computer":"%d"}\n' % number for number in range(2000))


def _content(member) -> tuple[bytes, str | None]:
    """All bytes of a member, and what it raised after them."""
    found = b""
    with member.open() as stream:
        try:
            while piece := stream.read(1 << 16):
                found += piece
        except Problem as problem:
            return found, problem.what
    return found, None


def _file(folder: Path, data: bytes, name: str = "x") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _zstd(data: bytes) -> bytes:
    """One frame that does not tell its size."""
    engine = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return engine.compress(data) + engine.flush()


@pytest.mark.parametrize("data", [
    gzip.compress(LINES), gzip.compress(LINES[:999]) + gzip.compress(b"") + gzip.compress(LINES[999:]) + b"\0" * 600,
    _zstd(LINES), _zstd(LINES[:999]) + b"\x50\x2a\x4d\x18\x03\0\0\0abc" + _zstd(LINES[999:]),
    gzip.compress(_zstd(LINES)), gzip.compress(gzip.compress(LINES)),
])
def test_streams(tmp_path, data: bytes) -> None:
    (member,) = members(_file(tmp_path, data))
    assert (member.name, member.compressed) == ("", True)
    assert _content(member) == (LINES, None)
    assert _content(member) == (LINES, None)  # fresh each time


def test_a_plain_file(tmp_path) -> None:
    (member,) = members(_file(tmp_path, LINES))
    assert (member.name, member.compressed, _content(member)) == ("", False, (LINES, None))
    (empty,) = members(_file(tmp_path, b"", "empty"))
    with pytest.raises(Refused, match="empty file"):
        open_member(empty)


def test_no_file(tmp_path) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        list(members(tmp_path / "none"))


def test_three_layers_are_too_many(tmp_path) -> None:
    (member,) = members(_file(tmp_path, gzip.compress(gzip.compress(gzip.compress(LINES)))))
    with pytest.raises(Refused, match="within two other containers"):
        open_member(member)


def test_cut_gzip_gives_all_before(tmp_path, read_until) -> None:
    data = gzip.compress(os.urandom(100_000) + LINES)
    for cut in (-1, -9, -100):
        found, told = _content(next(members(_file(tmp_path, data[:cut]))))
        assert told == "the gzip data is cut off"
        assert len(found) > 100_000
    cut = gzip.compress(LINES)[:-3000]
    found, _ = _content(next(members(_file(tmp_path, cut))))
    records, problem = read_until(next(members(_file(tmp_path, cut))))
    assert LINES.startswith(found)
    assert 0 < found.count(b"\n") <= len(records) <= found.count(b"\n") + 1
    assert (problem.what, problem.where) == ("the gzip data is cut off", str(tmp_path / "x"))


def test_damage_gives_all_before(tmp_path) -> None:
    data = bytearray(gzip.compress(LINES))
    data[-5] ^= 1  # the checksum
    found, told = _content(next(members(_file(tmp_path, bytes(data)))))
    assert (found, told) == (LINES, "the gzip data is damaged (Error -3 while decompressing data: incorrect data check)")
    data = bytearray(gzip.compress(LINES))
    data[len(data) // 2:] = b"\xff" * (len(data) - len(data) // 2)
    found, told = _content(next(members(_file(tmp_path, bytes(data)))))
    assert len(found) > 1000 and LINES.startswith(found[:1000])
    assert "damaged" in told or "cut off" in told
    assert _content(next(members(_file(tmp_path, gzip.compress(LINES) + b"more"))))[1] == (
        "bytes that are no gzip follow the end of the gzip data")
    assert _content(next(members(_file(tmp_path, _zstd(LINES)[:-1]))))[1] == "the zstd data is cut off"


@pytest.mark.parametrize("pack", [gzip.compress, _zstd, lambda data: gzip.compress(gzip.compress(data))])
def test_bombs(tmp_path, pack) -> None:
    (member,) = members(_file(tmp_path, pack(bytes(5_000_000))), ratio=1, spare=0, floor=1_000_000)
    found, told = _content(member)
    assert len(found) <= 1_000_000
    assert told == "decompresses to more than 1,000,000 bytes, far more than an export would"


def _zip(parts: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts:
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip(tmp_path) -> None:
    data = _zip([("b/", b""), ("b/a.json", LINES), ("__MACOSX/b/._a", b"x"), (".DS_Store", b"x"),
                 ("../../up", gzip.compress(LINES)), ("same", b"1"), ("same", b"2"), ("in.zip", _zip([("a", b"a")]))])
    found = list(members(_file(tmp_path, data)))
    assert [member.name for member in found] == ["b/a.json", "../../up", "same", "same#2", "in.zip"]
    assert all(member.compressed for member in found)
    assert [_content(member) for member in found[:4]] == [(LINES, None), (LINES, None), (b"1", None), (b"2", None)]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["x"]
    with pytest.raises(Refused, match="a zip file within a container"):
        open_member(found[4])


def test_bad_zips(tmp_path) -> None:
    good = _zip([("a", LINES), ("b", LINES)])
    with pytest.raises(Refused, match="a zip file that cannot be read"):
        list(members(_file(tmp_path, good[:-30])))
    damaged = bytearray(good)
    damaged[200:300] = bytes(100)
    first, second = members(_file(tmp_path, bytes(damaged)))
    assert _content(first)[1].startswith("this part of the zip is damaged")
    assert _content(second) == (LINES, None)
    locked = bytearray(good)
    at = locked.index(b"PK\x01\x02")
    locked[at + 8] |= 1
    assert _content(next(members(_file(tmp_path, bytes(locked)))))[1] == "encrypted"
    overlapping = bytearray(good)
    at = overlapping.rindex(b"PK\x01\x02")
    overlapping[at + 42:at + 46] = bytes(4)
    with pytest.raises(Refused, match="overlap"):
        list(members(_file(tmp_path, bytes(overlapping))))
    (bomb,) = members(_file(tmp_path, _zip([("a", bytes(5_000_000))])), ratio=1, spare=0, floor=1_000_000)
    assert _content(bomb)[1].startswith("decompresses to more than 1,000,000")


def test_tree(tmp_path) -> None:
    for name in ("y=2026/m=10/PT05M.json", "y=2026/m=02/PT05M.json", "y=2026/m=02/PT05M_1.json", "a.json", "_SUCCESS", "x.crc",
                 ".hidden/file", "_data.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "_SUCCESS" else b"x")
    (tmp_path / "y=2026" / "loop").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = tree(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found.files] == [
        "_data.json", "a.json", "y=2026/m=02/PT05M.json", "y=2026/m=02/PT05M_1.json", "y=2026/m=10/PT05M.json"]
    assert [path.name for path in found.skipped] == [".hidden", "_SUCCESS", "x.crc"]
    assert [(problem.what, Path(problem.where).name) for problem in found.problems] == [
        ("cannot be read: No such file or directory", "gone"), ("neither a file nor a folder", "pipe"),
        ("a link back to a folder above it", "loop")]
