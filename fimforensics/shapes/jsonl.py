"""JSON Lines: one JSON object a line, as data export rules and collectors write it; `{"records": […]}` lines too.

orjson reads a line fast but says nothing of a key given twice and turns huge integers into floats. So its answer counts only
when it is proven: writing it again gives the very same bytes, or the line holds as many keys as the answer. Every other line
is read a second time, strictly and slowly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import orjson

from fimforensics.model import MAX_FIELD, Opened, Record
from fimforensics.shapes import strict_json
from fimforensics.shapes.containers import Member

NAME = "JSON Lines"
BLOCK = 1 << 20
LONGEST = 256 << 20  # bytes of a line that are held in memory; a longer one is a reject
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
    return Opened(shape=NAME, records=_records(member))


def _records(member: Member) -> Iterator[Record]:
    loads, dumps = orjson.loads, orjson.dumps
    for offset, lines in _blocks(member):
        for line in lines:
            length = len(line)
            if length <= MAX_FIELD:
                try:
                    values = loads(line)
                    if (dumps(values) == line or _counted(line, values)) and b"\\u0000" not in line and "records" not in values:
                        yield Record(offset, length, line, values)
                        offset += length + 1
                        continue
                except ValueError:
                    pass  # read again below, where the reason is found
            yield from _careful(offset, line)
            offset += length + 1


def _counted(line: bytes, values: object) -> bool:
    """Is no key given twice, told by counting? Where no blank stands before a colon, every key is one `":`."""
    return (type(values) is dict and line.count(b'":') == len(values) and b" :" not in line and b"\t" not in line
            and float not in set(map(type, values.values())))


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


def _blocks(member: Member) -> Iterator[tuple[int, list[bytes]]]:
    """Lines by the million bytes, with the offset of the first; a line is never cut, up to LONGEST."""
    with member.open() as stream:
        offset, rest = 0, b""
        block = stream.read(BLOCK)
        if block.startswith(_BOM):
            offset, block = len(_BOM), block[len(_BOM):]
        while block:
            at = block.rfind(b"\n")
            if at < 0 and len(rest) <= LONGEST:
                rest += block
            else:
                whole = rest + block[:at]
                yield offset, whole.split(b"\n")
                offset, rest = offset + len(whole) + 1, block[at + 1:]
            block = stream.read(BLOCK)
        if rest:
            yield offset, rest.split(b"\n")
