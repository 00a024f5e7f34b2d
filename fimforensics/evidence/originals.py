"""A source's bytes on their way into the case: hashed as they pass, cut into cells at record ends, compressed beside.

Every byte is read once. `Chunker` takes the bytes as a shape reads them and the places where records begin, and a thread
hashes and compresses what is whole, which Python's lock does not hinder.
"""

from __future__ import annotations

import hashlib
import io
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, NamedTuple

import zstandard

from fimforensics.model import CHUNK

WAITING = 12  # chunks that may wait for their thread


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


class Chunker:
    """Cuts a stream of bytes into chunks of at most CHUNK bytes, at record ends where it can."""

    def __init__(self, thread: ThreadPoolExecutor, hashes: Hashes | None, codec: str = "zstd") -> None:
        self._thread, self._hashes, self._codec = thread, hashes, codec
        self._held = bytearray()
        self.base = 0  # where the held bytes begin
        self.seen = 0  # how far the stream was read
        self._jobs: deque[Future[Chunk]] = deque()
        self._press = zstandard.ZstdCompressor(level=1)

    def feed(self, at: int, data: bytes) -> None:
        """Bytes read at offset `at`; what was seen before is passed over."""
        fresh = data[max(self.seen - at, 0):] if at < self.seen else data
        self._held += fresh
        self.seen += len(fresh)

    def cut(self, end: int) -> None:
        """A record ends at `end`: what lies before goes off as one chunk (several, where it is longer than a cell)."""
        while self.base < end:
            size = min(end - self.base, CHUNK)
            data = bytes(self._held[:size])
            del self._held[:size]
            while len(self._jobs) >= WAITING and not self._jobs[0].done():
                self._jobs[0].result()
            self._jobs.append(self._thread.submit(self._make, self.base, data))
            self.base += size

    def _make(self, offset: int, data: bytes) -> Chunk:
        prefix = self._hashes.update(data) if self._hashes else None
        return Chunk(offset, len(data), self._codec, self._press.compress(data) if self._codec == "zstd" else data, prefix)

    def ready(self, everything: bool = False) -> list[Chunk]:
        """The chunks that are done, in order; all of them, when asked, waiting for the last."""
        done = []
        while self._jobs and (everything or self._jobs[0].done()):
            done.append(self._jobs.popleft().result())
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
