"""JSON Lines: one JSON object a line, as data export rules and collectors write it; `{"records": […]}` lines too.

orjson reads a line fast but says nothing of a key given twice and turns huge integers into floats. So its answer counts only
when it is proven: writing it again gives the very same bytes, or the line holds as many keys as the answer. Every other line
is read a second time, strictly and slowly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import orjson

from fimforensics.errors import Problem
from fimforensics.model import MAX_FIELD, MAX_NESTING, Opened, Record
from fimforensics.shapes import strict_json
from fimforensics.shapes.containers import Member

NAME = "JSON Lines"
_dumps = msgspec.json.Encoder().encode  # what it writes is what orjson writes, but for some numbers with a fraction
BLOCK = 1 << 20
LONGEST = 256 << 20  # bytes of a line that are held in memory; a longer one is a reject
_PLAIN = {str, int, float, bool, type(None)}  # nested values are always read strictly
_BOM = b"\xef\xbb\xbf"
_DOCUMENTS = (b'{"tables"', b'{"error"', b'{"schema"', b'{"Schema"', b'{"Stats"', b'{"results"', b'{"Results"', b'{"@odata',
              b'{"statistics"', b'{"render"', b'{"responses"')


def recognise(head: bytes) -> bool:
    """Is the first line a JSON object on one line (or one cut by the head's end, or a broken one before others)?"""
    text = head.removeprefix(_BOM).lstrip()
    line, _, rest = text.partition(b"\n")
    line = line.strip()
    if not line.startswith(b"{") or line[:4096].replace(b" ", b"").startswith(_DOCUMENTS) or line in (b"{", b"{}"):
        return False
    return line.endswith(b"}") or not rest or rest.lstrip().startswith(b'{"')


def open_shape(member: Member, head: bytes) -> Opened:
    """The member's lines as records, without their line breaks; blank lines are none."""
    return Opened(shape=NAME, records=Lines(member))


class Lines(Iterator[Record]):
    """A member's records; who knows a quicker way may take its lines by the block, and ask for records line by line."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._records: Iterator[Record] | None = None

    def __next__(self) -> Record:
        if self._records is None:
            self._records = self._all()
        return next(self._records)

    def _all(self) -> Iterator[Record]:
        for offset, block in self.blocks():
            for line in block.split(b"\n"):
                yield from records(offset, line)
                offset += len(line) + 1

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Whole lines by the million bytes, without the last line break, with the offset of the first; to be asked for once."""
        return _blocks(self._member)


def records(offset: int, line: bytes) -> Iterator[Record]:
    """The records of a line: one, or none of a blank line, or those of a `{"records": […]}` line."""
    length = len(line)
    if length <= MAX_FIELD:
        try:
            values = orjson.loads(line)
            kinds: set[type] = set(map(type, values.values())) if type(values) is dict else {list}
            proven = kinds <= _PLAIN and (_dumps(values) == line or _counted(line, values, kinds))
            shallow = line.count(b"{") + line.count(b"[") <= MAX_NESTING
            if proven and shallow and b"\\u0000" not in line and "records" not in values:
                return iter((Record(offset, length, line, values),))
        except ValueError:
            pass  # read again below, where the reason is found
    return _careful(offset, line)


def _counted(line: bytes, values: dict[str, object], kinds: set[type]) -> bool:
    """Is no key given twice, told by counting? Where no blank stands before a colon, every key is one `":`."""
    return (float not in kinds and line.count(b'":') == len(values)
            and b" :" not in line and b"\t" not in line and b"\r" not in line.rstrip(b"\r"))


def _careful(offset: int, line: bytes) -> Iterator[Record]:
    body = line.rstrip(b"\r")
    if not body.strip():
        return
    if len(line) > LONGEST:
        yield Record(offset, len(line), body[:MAX_FIELD], None, f"a line of over {LONGEST >> 20} MiB")
        return
    if body.lstrip().startswith(b'{"records"'):
        yield from _wrapped(offset, body)
        return
    values, problem = strict_json.parse(body)
    yield Record(offset, len(body), body, values, problem)


def _wrapped(offset: int, line: bytes) -> Iterator[Record]:
    """The objects of a `{"records": [ … ]}` line one by one, each at its own place."""
    text = line.decode("utf-8", "surrogateescape")
    decoder = json.JSONDecoder(strict=False)
    at = text.find("[") + 1
    place = offset + len(text[:at].encode("utf-8", "surrogateescape"))
    while at:
        skipped = len(text[at:]) - len(text[at:].lstrip(" \t\r\n,"))
        at, place = at + skipped, place + skipped
        if text[at:at + 1] in ("]", ""):
            return
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            rest = text[at:].encode("utf-8", "surrogateescape")
            yield Record(place, len(rest), rest, None, f"cannot be read as JSON from here: {str(error)[:80]}")
            return
        raw = text[at:end].encode("utf-8", "surrogateescape")
        values, problem = strict_json.parse(raw)
        yield Record(place, len(raw), raw, values, problem)
        at, place = end, place + len(raw)


def _blocks(member: Member) -> Iterator[tuple[int, bytes]]:
    """Lines by the million bytes, with the offset of the first; a line is never cut, up to LONGEST."""
    with member.open() as stream:
        offset, size = 0, 0
        held: list[bytes] = []  # pieces of a line that is not whole yet
        block = stream.read(BLOCK)
        while len(block) < len(_BOM) and (more := stream.read(BLOCK)):  # a stream may give less than was asked for
            block += more
        if block.startswith(_BOM):
            offset, block = len(_BOM), block[len(_BOM):] or stream.read(BLOCK)
        while block:
            end = block.rfind(b"\n")
            if end >= 0 or size + len(block) > LONGEST:
                broken = end >= 0
                lines = b"".join((*held, memoryview(block)[:end] if broken else block))
                held = [block[end + 1:]] if broken else []
                size = len(held[0]) if broken else 0
                yield offset, lines
                offset += len(lines) + broken
            else:
                held.append(block)
                size += len(block)
            try:
                block = stream.read(BLOCK)
            except Problem:  # the stream is cut: what came of its last line is a record too
                yield offset, b"".join(held)
                raise
        if size:
            yield offset, b"".join(held)
