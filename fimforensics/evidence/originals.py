"""A source's bytes on their way into the case: hashed as they pass, cut into cells at record ends, compressed beside.

Every byte is read once and held once: `Chunker` takes the pieces as a shape reads them and the places where records begin, and
hashes and compresses what is whole. It does so at once: a thread beside would fight with the parser for Python's lock, which
costs twice what the work does.
"""

from __future__ import annotations

import hashlib
import io
from collections import deque
from typing import Any, BinaryIO, NamedTuple

import zstandard

from fimforensics.model import CHUNK
from fimforensics.native import native


class Chunk(NamedTuple):
    """Some bytes of an original or of a member's cache, as they are stored."""

    offset: int
    length: int
    codec: str  # "zstd" or "raw"
    data: bytes
    prefix: str | None  # SHA-256 of the source from its start to this chunk's end


class Hashes:
    """The three hashes of a source, updated as its bytes pass."""

    def __init__(self) -> None:
        self.size = 0
        self._all = (hashlib.sha256(), hashlib.sha1(usedforsecurity=False), hashlib.md5(usedforsecurity=False))

    def update(self, data: bytes) -> str:
        """Takes the next bytes in; gives the SHA-256 up to here."""
        self.size += len(data)
        for one in self._all:
            one.update(data)
        return self._all[0].copy().hexdigest()

    def digests(self) -> tuple[str, str, str]:
        """SHA-256, SHA-1 and MD5 in hexadecimal."""
        sha256, sha1, md5 = (one.hexdigest() for one in self._all)
        return sha256, sha1, md5


def hashes() -> Any:
    """A new `Hashes`, or its compiled twin."""
    return native.Hashes() if native is not None and hasattr(native, "Hashes") else Hashes()


class Chunker:
    """Cuts a stream of bytes into chunks of at most CHUNK bytes, at record ends where it can."""

    def __init__(self, hashes: Any, codec: str = "zstd") -> None:
        self._hashes, self._codec = hashes, codec
        self._held: deque[bytes | memoryview] = deque()
        self.base = 0  # where the held bytes begin
        self.seen = 0  # how far the stream was read
        self._done: list[Chunk] = []
        self._press = zstandard.ZstdCompressor(level=1)

    def feed(self, at: int, data: bytes) -> None:
        """Bytes read at offset `at`; what was seen before is passed over."""
        if at + len(data) > self.seen:
            self._held.append(memoryview(data)[self.seen - at:] if at < self.seen else data)
            self.seen = at + len(data)

    def cut(self, end: int) -> None:
        """A record ends at `end`: what lies before goes off as one chunk (several, where it is longer than a cell)."""
        while self.base < end:
            size = min(end - self.base, CHUNK)
            self._done.append(self._make(self.base, self._take(size)))
            self.base += size

    def _take(self, size: int) -> bytes:
        """The next bytes that are held."""
        pieces: list[bytes | memoryview] = []
        while size:
            piece = self._held.popleft()
            if len(piece) > size:
                view = memoryview(piece)
                self._held.appendleft(view[size:])
                piece = view[:size]
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _make(self, offset: int, data: bytes) -> Chunk:
        prefix = self._hashes.update(data) if self._hashes else None
        return Chunk(offset, len(data), self._codec, self._press.compress(data) if self._codec == "zstd" else data, prefix)

    def ready(self) -> list[Chunk]:
        """The chunks that were cut since the last call, in order."""
        done, self._done = self._done, []
        return done


class Tee(io.RawIOBase):
    """A file whose bytes go to a chunker as they are read."""

    def __init__(self, stream: BinaryIO, chunker: Chunker) -> None:
        super().__init__()
        self._stream, self._chunker, self._at = stream, chunker, 0

    def readable(self) -> bool:
        """True: it is for reading, from start to end."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; b'' at the end."""
        data = self._stream.read(size)
        self._chunker.feed(self._at, data)
        self._at += len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills `buffer`; how many bytes."""
        data = self.read(len(buffer))
        buffer[:len(data)] = data
        return len(data)

    def close(self) -> None:
        """Closes the file beneath too."""
        self._stream.close()
        super().close()
