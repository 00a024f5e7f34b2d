"""What a file holds: itself, or what comes out of it when it is a gzip, zstd or zip file, told by content alone.

Decompression is a chain of generators of bytes, so a stream is never held and never rewound. Declared sizes are not
believed: each member is cut off with a Problem when it grows over its bounds. A stream that is damaged gives all
the bytes before the damage, then raises Problem. Names inside a zip are labels, never paths to write to.
JSON in UTF-16 is contained, too: its member is the same text in UTF-8, and says so in its name.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

from fimforensics.errors import Problem, Refused
from fimforensics.shapes.transcode import HEAD, to_utf8, utf16_json

RATIO = 200  # a member may grow to this many times its compressed size ...
SPARE = 64 << 20  # ... and this many bytes more ...
FLOOR = 256 << 20  # ... or to this size in any case
MAX_MEMBERS = 200_000
PIECE = 1 << 16
_ZSTD_FEED = 2048  # one byte of zstd can give 30 kB: little is fed at a time

Chunks = Iterator[bytes]


@dataclass(frozen=True)
class Member:
    """One stream of bytes that may hold a table: a file itself (name is empty) or a part of it."""

    name: str
    compressed: bool  # its bytes are not those on disk, but what these hold
    where: str  # for messages
    source: Callable[[], Chunks]

    def open(self) -> BinaryIO:
        """A fresh stream from the start, to be read in pieces; Problem where it breaks off, after all before that."""
        return cast(BinaryIO, Stream(self.source()))


class Stream(io.RawIOBase):
    """Generated chunks as a stream; a read may give less than asked for. An error comes only after all the bytes."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills `buffer` with what is at hand, at least one byte before the end."""
        while not self._rest:  # an empty chunk is not the end
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        """Closes the file below, too."""
        if not self.closed and hasattr(self._chunks, "close"):
            self._chunks.close()
        super().close()


def members(source: Path, *, ratio: int = RATIO, spare: int = SPARE, floor: int = FLOOR) -> Iterator[Member]:
    """The members of a file in order; one of which the name is empty if it is no zip. Problem if it cannot be read."""
    where = str(source)
    try:
        size = source.stat().st_size
        with source.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise Problem(f"cannot be read: {error.strerror}", where=where) from None

    def limit(compressed: int) -> int:
        return max(floor, ratio * compressed + spare)

    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        infos = _zip_infos(source)
        if infos is not None:
            for name, info in infos:
                open_part = partial(_zip_chunks, source, info, f"{where}: {name}")
                bound = limit(min(info.compress_size, size))
                part = partial(_unpacked, open_part, 1, bound, f"{where}: {name}")
                yield _as_utf8(Member(name, True, f"{where}: {name}", part))
            return
    if _codec(head):
        yield _as_utf8(Member("", True, where, partial(_unpacked, partial(_file_chunks, source), 2, limit(size), where)))
    else:
        yield _as_utf8(Member("", False, where, partial(_file_chunks, source)))


def _as_utf8(member: Member) -> Member:
    """The member itself; if it is JSON in UTF-16, the one that is its UTF-8, named so."""
    head = b""
    with member.open() as stream, suppress(Problem):  # that comes again when the member is read
        while len(head) < HEAD and (piece := stream.read(HEAD)):
            head += piece
    found = utf16_json(head)
    if found is None:
        return member
    name = f"{member.name} (utf-8)" if member.name else "utf-8"
    return Member(name, True, member.where, lambda: to_utf8(member.source(), *found))


def seekable(member: Member) -> BinaryIO:
    """A member as a file that can be read at any place: a temporary copy where it is compressed."""
    stream = member.open()
    copy: Any = tempfile.SpooledTemporaryFile(max_size=32 << 20)  # noqa: SIM115 - the caller closes it
    with stream:
        while piece := stream.read(1 << 20):
            copy.write(piece)
    copy.seek(0)
    return copy


def _codec(head: bytes) -> Callable[[Chunks, str], Chunks] | None:
    if head[:2] == b"\x1f\x8b":
        return _gunzip
    if head[:4] == b"\x28\xb5\x2f\xfd" or (head[1:4] == b"\x2a\x4d\x18" and head[:1] in bytes(range(0x50, 0x60))):
        return _unzstd
    return None


def _unpacked(open_chunks: Callable[[], Chunks], layers: int, limit: int, where: str) -> Chunks:
    """The content of `open_chunks`, up to so many layers of gzip or zstd taken off."""
    chunks = _bounded(open_chunks(), limit, where)
    for _ in range(layers):
        head, chunks = _peek(chunks)
        codec = _codec(head)
        if codec is None:
            break
        chunks = _bounded(codec(chunks, where), limit, where)
    yield from chunks


def _peek(chunks: Chunks) -> tuple[bytes, Chunks]:
    """The first bytes, and all chunks as if none had been taken; damage among the first shows itself only after them."""
    head = b""
    try:
        for chunk in chunks:
            head += chunk
            if len(head) >= 8:
                break
    except Problem as damage:
        return head[:8], chain((head,), _raising(damage))
    return head[:8], chain((head,), chunks)


def _raising(damage: Problem) -> Chunks:
    yield b""
    raise damage


def _bounded(chunks: Chunks, limit: int, where: str) -> Chunks:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise Problem(f"decompresses to more than {limit:,} bytes, far more than an export would", where=where,
                          hint="If it is no bomb, decompress it yourself and ingest the result")
        yield chunk


def _file_chunks(path: Path) -> Chunks:
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(1 << 20):
                yield chunk
    except OSError as error:
        raise Problem(f"cannot be read: {error.strerror}", where=str(path)) from None


def _gunzip(chunks: Chunks, where: str) -> Chunks:
    """All members of a gzip stream, one after the other; zeros may follow the last."""
    engine, started, ended = zlib.decompressobj(31), False, False
    for chunk in chunks:
        while chunk:
            if ended:
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    break
                engine, started, ended = zlib.decompressobj(31), False, False
            if not started and chunk[:1] != b"\x1f":
                raise Problem("bytes that are no gzip follow the end of the gzip data", where=where)
            started = True
            piece, chunk = chunk[:PIECE], chunk[PIECE:]
            yield from _inflate(engine, piece, where)
            if engine.eof:
                chunk, ended = engine.unused_data + chunk, True
    if not ended:
        raise Problem("the gzip data is cut off", where=where, hint="Copy the file again")


def _inflate(engine: zlib._Decompress, piece: bytes, where: str) -> Chunks:
    """What a piece of compressed data gives; of a damaged piece all before the damage, then Problem."""
    saved, whole, given = engine.copy(), piece, 0
    try:
        while piece and not engine.eof:
            chunk = engine.decompress(piece, 1 << 20)
            piece = engine.unconsumed_tail
            given += len(chunk)
            yield chunk
        return
    except zlib.error as error:
        damage = Problem(f"the gzip data is damaged ({error})", where=where, hint="Copy the file again")
    plain = bytearray()
    try:
        for place in range(len(whole)):  # byte by byte up to the damage
            plain += saved.decompress(whole[place:place + 1])
    except zlib.error:
        yield bytes(plain[given:])
    raise damage


def _unzstd(chunks: Chunks, where: str) -> Chunks:
    """All frames of a zstd stream."""
    engine, ended = zstandard.ZstdDecompressor().decompressobj(), True
    try:
        for chunk in chunks:
            while chunk:
                if ended:
                    engine, ended = zstandard.ZstdDecompressor().decompressobj(), False
                piece, chunk = chunk[:_ZSTD_FEED], chunk[_ZSTD_FEED:]
                plain = engine.decompress(piece)
                if plain:
                    yield plain
                if engine.eof:
                    chunk, ended = engine.unused_data + chunk, True
    except zstandard.ZstdError as error:
        raise Problem(f"the zstd data is damaged ({error})", where=where, hint="Copy the file again") from None
    if not ended:
        raise Problem("the zstd data is cut off", where=where, hint="Copy the file again")


def _zip_infos(source: Path) -> list[tuple[str, zipfile.ZipInfo]] | None:
    """The parts of a zip with a name each; None for a workbook, which is a zip but no container."""
    where = str(source)
    try:
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        raise Refused(f"a zip file that cannot be read ({error})", where=where, hint="Copy the file again") from None
    if any(info.filename in ("xl/workbook.xml", "[Content_Types].xml") for info in infos):
        return None
    if len(infos) > MAX_MEMBERS:
        raise Refused(f"a zip file of {len(infos):,} parts", where=where, hint="Unpack it and ingest the folder")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise Refused("a zip file whose parts overlap, as in a zip bomb", where=where)
        end = info.header_offset + info.compress_size
    return list(_named(infos))


def _named(infos: list[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    seen: dict[str, int] = {}
    for info in infos:
        name = info.filename
        last = name.rsplit("/", 1)[-1]
        if info.is_dir() or name.startswith("__MACOSX/") or last.startswith(".") or last in ("Thumbs.db", "desktop.ini"):
            continue
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), info


def _zip_chunks(source: Path, info: zipfile.ZipInfo, where: str) -> Chunks:
    if info.flag_bits & 1:
        raise Refused("encrypted", where=where, hint="Unpack the zip with its password and ingest the result")
    try:
        with zipfile.ZipFile(source) as archive, closing(archive.open(info)) as part:
            while chunk := part.read(PIECE):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise Problem(f"this part of the zip is damaged ({error or 'cut off'})", where=where, hint="Copy it again") from None
