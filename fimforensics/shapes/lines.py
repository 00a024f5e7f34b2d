"""The lines of a text member as bytes, handed to a csv reader as text while it is kept which of them it took.

That gives the exact bytes of each record without a tokenizer of our own: a record is the lines that the reader asked
for. Blank lines belong to the record before them, so records tile the member. UTF-16 is split at its own line ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from fimforensics.errors import Problem
from fimforensics.shapes.window import MAX_RECORD, STEP

UTF8, LITTLE, BIG = "utf-8", "utf-16-le", "utf-16-be"
_PART = MAX_RECORD + 2  # bytes, even for UTF-16, and over what is held
_BURDEN = 40  # bytes that a line takes in memory beside its own
BOMS = {b"\xef\xbb\xbf": UTF8, b"\xff\xfe": LITTLE, b"\xfe\xff": BIG}


class TooLong(Exception):
    """The lines taken for one record are more than can be held."""


def encoding_of(head: bytes) -> tuple[str, int]:
    """A text's encoding by its byte order mark, and the mark's length."""
    for mark, encoding in BOMS.items():
        if head.startswith(mark):
            return encoding, len(mark)
    return UTF8, 0


def decode(raw: bytes, encoding: str) -> str:
    """Text that may hold lone surrogates: for bytes that are no text (surrogateescape) and for halves of UTF-16 pairs."""
    if encoding == UTF8:
        return raw.decode(UTF8, "surrogateescape")
    text = raw[:len(raw) & ~1].decode(encoding, "surrogatepass")
    return text + chr(0xDC00 + raw[-1]) if len(raw) & 1 else text


class Lines:
    """Lines from `start` on; `taken` are those given out since the last `take`."""

    def __init__(self, stream: BinaryIO, encoding: str, start: int) -> None:
        self.stream, self.encoding = stream, encoding
        self.newline = "\n".encode(encoding)
        self.blanks = {"\n".encode(encoding), "\r\n".encode(encoding)}
        self.taken: list[bytes] = []
        self.size = 0
        self.failure: Problem | None = None
        self._batch: list[bytes] = []
        self._index = 0
        self._rest = b""
        self._skip = start
        self._ended = False

    def texts(self) -> Iterator[str]:
        """Each line as text; TooLong when those taken together are over MAX_RECORD."""
        encoding = self.encoding
        while self.pull():
            if self.size > MAX_RECORD:
                raise TooLong
            yield decode(self.taken[-1], encoding)

    def pull(self) -> bool:
        """Takes one more line; False at the end. A line over MAX_RECORD comes in parts without a line end."""
        if self._index == len(self._batch) and not self._load():
            return False
        raw = self._batch[self._index]
        self._index += 1
        self.taken.append(raw)
        self.size += len(raw) + _BURDEN
        return True

    def take(self) -> bytes:
        """The lines taken, with the blank ones after them."""
        while self.size < STEP and (self._index < len(self._batch) or self._load()) and self._batch[self._index] in self.blanks:
            self.pull()
        return self.part()

    def part(self) -> bytes:
        """The lines taken, no more."""
        raw = self.taken[0] if len(self.taken) == 1 else b"".join(self.taken)
        self.taken, self.size = [], 0
        return raw

    def at_end(self) -> bool:
        """Whether no line is left."""
        return self._index == len(self._batch) and not self._load()

    def _load(self) -> bool:
        """Reads the next lines; what follows the last line end waits for the next time."""
        while not self._ended:
            try:
                chunk = self.stream.read(STEP)
            except Problem as failure:
                self.failure, chunk = failure, b""
            self._ended = not chunk
            if self._skip:
                self._skip, chunk = max(0, self._skip - len(chunk)), chunk[self._skip:]
            self._batch, self._rest = self._split(self._rest + chunk)
            self._index = 0
            if self._ended and self._rest:
                self._batch.append(self._rest)
                self._rest = b""
            if self._batch and len(self._batch[0]) > _PART:
                self._batch[:1] = [self._batch[0][at:at + _PART] for at in range(0, len(self._batch[0]), _PART)]
            while len(self._rest) > _PART:
                self._batch.append(self._rest[:_PART])
                self._rest = self._rest[_PART:]
            if self._batch:
                return True
        return False

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        if self.encoding == UTF8:
            *whole, rest = data.split(b"\n")
            return [line + b"\n" for line in whole], rest
        found, start, place = [], 0, 0
        while (place := data.find(self.newline, place)) >= 0:
            if place & 1:  # halves of two characters (a line starts at an even place, so places keep their parity)
                place += 1
                continue
            place += 2
            found.append(data[start:place])
            start = place
        return found, data[start:]
