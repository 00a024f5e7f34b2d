"""A window that moves over a stream of JSON text, so that a document of any size is read in little memory.

`elements` is the heart: the elements of an array (or of a row of values) one by one, each with its place. Exporters
write the same bytes between any two elements; once they are known, the next element ends where they come again, and
decoding proves it, since no array or object of JSON is the beginning of another. Where that fails, Python's scanner
finds the end; where the text is broken, the next place that looks like a border; where it is endless, it comes in parts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from fimforensics.errors import Problem
from fimforensics.model import Taker

STEP = 1 << 20
MAX_RECORD = 16 << 20  # bytes of one record; a longer one comes in parts, none of which can be read
CUT = "cut off: the source ends within this record"
WHITE, COMMAS = re.compile(rb"[ \t\r\n]*"), re.compile(rb"[ \t\r\n,]*")

_BORDERS = {b"{": re.compile(rb'\}[\s,]*\{\s*["}]'), b"[": re.compile(rb'\]\s*,\s*\[\s*["\dntf\-\]]')}
_JUNK_END = re.compile(rb'[,\[\]{}"\n]')
_OUTSIDE, _INSIDE = re.compile(rb'"|[\[{]+|[\]}]+'), re.compile(rb'["\\]')
_scan = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=str).scan_once  # type: ignore[attr-defined]

Parse = Callable[[bytes], tuple[Any, str | None]]
Quick = Callable[[bytes], Any]


class Element(NamedTuple):
    """One value of a JSON text with its place, and what it is or why it cannot be read."""

    offset: int
    raw: bytes
    value: Any
    problem: str | None


class Window:
    """The part of a stream in hand: `data`, of which `pos` is next; `base` is the offset of its first byte."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.data, self.pos, self.base = stream, b"", 0, 0
        self.ended = self.cut = False  # no more bytes; they ended although the text goes on
        self.failure: Problem | None = None  # why the stream broke off; to be raised when all before it is told
        self._text: str | None = None

    @property
    def offset(self) -> int:
        """Where in the stream the next byte lies."""
        return self.base + self.pos

    @property
    def text(self) -> str:
        """`data` as one character a byte: JSON's own signs are the same in it."""
        if self._text is None:
            self._text = self.data.decode("latin-1")
        return self._text

    def fill(self) -> bool:
        """Drops what has been read and reads on; False when there is no more."""
        if self.ended:
            return False
        pieces = [self.data[self.pos:]]
        wanted = max(STEP, len(pieces[0]))  # twice as much each time, so that what is looked at again stays in proportion
        try:
            while wanted > 0 and (piece := self.stream.read(wanted)):
                pieces.append(piece)
                wanted -= len(piece)
        except Problem as failure:
            self.failure = failure
        self.base, self.data, self.pos, self._text = self.base + self.pos, b"".join(pieces), 0, None
        self.ended = wanted > 0
        return len(pieces) > 1

    def next(self, skipped: re.Pattern[bytes] = WHITE) -> bytes:
        """The next byte after what is `skipped`, not yet taken; empty at the end."""
        while True:
            self.pos = skipped.match(self.data, self.pos).end()  # type: ignore[union-attr]
            if self.pos < len(self.data) or not self.fill():
                return self.data[self.pos:self.pos + 1]

    def take(self) -> bytes | None:
        """The JSON value that starts here, or None where it is broken, cut off or over MAX_RECORD."""
        while True:
            end, problem = _find_end(self, b"", b"")
            if problem or (end is None and len(self.data) - self.pos > MAX_RECORD):
                return None
            if end is not None:
                raw, self.pos = self.data[self.pos:end], end
                return raw
            if self.ended:
                self.cut = True
                return None
            self.fill()


def elements(window: Window, opener: bytes, closer: bytes, parse: Parse, quick: Quick,
             taker: Taker | None = None) -> Iterator[Element]:
    """The elements from here to `closer` (empty: to the end); those that start with `opener` are expected.

    `quick` gives a value that is surely right or None, `parse` the value or the problem; what `taker` takes is not among them. If
    the stream ends before `closer`, `window.cut` is set.
    """
    between = b""
    while True:
        first = window.next(COMMAS)
        if first == opener and between:
            yield from _alike(window, between, quick, taker)
            first = window.next(COMMAS)
        if not first:
            window.cut = window.cut or bool(closer)
            return
        if first == closer:
            window.pos += 1
            return
        yield from _one(window, opener, closer, parse)
        gap = COMMAS.match(window.data, window.pos, window.pos + 256)
        if gap and window.pos and window.data[gap.end():gap.end() + 1] == opener:
            between = window.data[window.pos - 1:gap.end() + 1]


def _alike(window: Window, between: bytes, quick: Quick, taker: Taker | None) -> Iterator[Element]:
    """Elements as long as each is followed by the same bytes and plainly good; after each `taker` may go on."""
    step = len(between) - 1
    while True:
        data, pos, base = window.data, window.pos, window.base
        if taker is not None:
            pos = window.pos = taker(data, pos, base, between)
            if data[pos:pos + 1] != between[-1:]:
                return
        while (mark := data.find(between, pos)) >= 0:
            raw = data[pos:mark + 1]
            value = quick(raw)
            if value is None:
                return
            window.pos = mark + step
            yield Element(base + pos, raw, value, None)
            pos = mark + step
            if taker is not None:
                break
        else:
            if len(data) - pos > STEP or not window.fill():
                return


def _one(window: Window, opener: bytes, closer: bytes, parse: Parse) -> Iterator[Element]:
    """The element that starts here, whatever state it is in; several only where it is too long."""
    while True:
        end, problem = _find_end(window, opener, closer)
        if (len(window.data) if end is None else end) - window.pos > MAX_RECORD:
            yield from _parts(window)
            return
        if end is not None:
            break
        if window.ended:
            window.cut = True
            end, problem = len(window.data), problem or CUT
            break
        window.fill()
    offset, raw = window.offset, window.data[window.pos:end]
    window.pos = end
    value, reason = (None, problem) if problem else parse(raw)
    yield Element(offset, raw, value, reason)


def _find_end(window: Window, opener: bytes, closer: bytes) -> tuple[int | None, str | None]:
    """Where the value that starts here ends in the window (None: not in it), and the problem if it is broken."""
    text, open_ended = window.text, False
    try:
        end = _scan(text, window.pos)[1]
        return (end if end < len(text) or window.ended else None), None  # a number might go on
    except RecursionError:
        if not window.ended and len(window.data) - window.pos <= MAX_RECORD:
            return None, None  # all that may be needed comes in first, so that brackets are counted once
        return balance(window.data, window.pos)[0], None
    except StopIteration as stop:
        where = stop.value
    except json.JSONDecodeError as error:
        where, open_ended = error.pos, error.msg.startswith("Unterminated")
    if open_ended or where > len(text) - 16:
        if not window.ended or balance(window.data, window.pos)[0] is None:
            return None, None
    return _border(window, opener, closer, where), f"not valid JSON, {where - window.pos} bytes into it"


def _border(window: Window, opener: bytes, closer: bytes, where: int) -> int | None:
    """The likely end of a value that is broken at `where`."""
    data, pos = window.data, window.pos
    if data[pos:pos + 1] not in (b"{", b"["):
        junk = _JUNK_END.search(data, pos + 1)
        return junk.start() if junk else None
    found = []
    if opener in _BORDERS:
        border = _BORDERS[opener].search(data, pos)
        if border and border.start() < where and re.search(rb"[\[{]", data[pos + 1:border.start()]):
            border = _BORDERS[opener].search(data, where)  # the first may be within something nested
        if border:
            found.append(border.start() + 1)
    balanced = balance(data, pos, stop=min(found, default=None))[0]
    if balanced is not None and balanced > where:
        after = COMMAS.match(data, balanced).end()  # type: ignore[union-attr]
        if after == len(data) and not window.ended:
            return None
        if data[after:after + 1] in (opener, closer, b""):
            found.append(balanced)
    return min(found, default=None)


def balance(data: bytes, pos: int, depth: int = 0, quoted: int = 0, stop: int | None = None) -> tuple[int | None, int, int]:
    """Where the brackets opened from `pos` on are closed again (before `stop`), or None with the depth and state to go on with.

    `quoted` is 1 within a string and 2 there after a backslash.
    """
    if quoted == 2:
        pos, quoted = pos + 1, 1
    stop = len(data) if stop is None else stop
    while found := (_INSIDE if quoted else _OUTSIDE).search(data, pos, stop):
        sign, pos = found.group(), found.end()
        if sign == b"\\":
            if pos == stop:
                return None, depth, 2
            pos += 1
        elif sign == b'"':
            quoted = 1 - quoted
        elif sign[0] in b"[{":
            depth += len(sign)
        else:
            pos -= max(0, len(sign) - depth) if depth > 0 else len(sign) - 1  # it may be closed within the run
            depth = max(0, depth - len(sign))
        if depth <= 0 and not quoted:
            return pos, depth, quoted
    return None, depth, quoted


def _parts(window: Window) -> Iterator[Element]:
    """A value that is too long to be held, in parts, to its end."""
    depth = quoted = 0
    part = 1
    while True:
        raw = _at_most(window)
        end, depth, quoted = balance(raw, 0, depth, quoted)
        offset, raw = window.offset, raw[:end]
        window.pos += len(raw)
        yield Element(offset, raw, None, f"a record of more than {MAX_RECORD:,} bytes, part {part}")
        if end is not None:
            return
        if window.pos == len(window.data) and not window.fill():
            window.cut = True
            return
        part += 1


def _at_most(window: Window) -> bytes:
    """The next MAX_RECORD bytes, fewer only at the end; so that parts are the same however the bytes come in."""
    while len(window.data) - window.pos < MAX_RECORD and window.fill():
        pass
    return window.data[window.pos:window.pos + MAX_RECORD]


def rest(window: Window, problem: str) -> Iterator[Element]:
    """All that is left, as it is, with one problem; in parts where it is long."""
    while window.next():
        raw = _at_most(window)
        offset, window.pos = window.offset, window.pos + len(raw)
        yield Element(offset, raw, None, problem)
