"""JSON documents: one text that holds many records, read in a window with the exact place of each record.

Five layouts, told apart by what stands at the top: an array (az), an object with `tables` (query API, its rows are
arrays under one list of columns), with `results` (hunting API, PowerShell), with `records` (Event Hubs), or objects
one after the other. A first look finds the layout and the columns, then the text is read from the start; so it does
not matter in which order the keys stand. Documents one after the other in the same file are read on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fimforensics.errors import Refused
from fimforensics.model import Opened, Record
from fimforensics.shapes import answers
from fimforensics.shapes.containers import Member
from fimforensics.shapes.headers import need_time
from fimforensics.shapes.json_look import MARKS, Broken, Look, Table, columns_here, keys, look_at, value_here
from fimforensics.shapes.strict_json import parse, parse_array, quick_array, quick_object
from fimforensics.shapes.window import COMMAS, Element, Window, elements, rest

NAME = "JSON document"
BOM = b"\xef\xbb\xbf"
_SHAPES = {"tables": "query API JSON", "results": "hunting API JSON", "records": "JSON records"}
_NOT_CLOSED = "cut off: the file ends before its JSON document does"


def recognise(head: bytes) -> bool:
    """True for JSON that is not JSON Lines."""
    text = head.removeprefix(BOM).lstrip()
    if text[:1] == b"[":
        return text[1:].lstrip()[:1] in (b"{", b"]", b"[", b"")
    if text[:1] != b"{":
        return False
    line, _, others = text.partition(b"\n")
    values, _ = parse(line)
    if values is None:
        return True
    marks = {key.lower() for key, value in values.items() if isinstance(value, (list, dict))} & MARKS
    if "records" in marks or not values:
        return not others.strip()
    return bool(marks) and not {"timegenerated", "timestamp"} & {key.lower() for key in values}


def open_shape(member: Member, head: bytes) -> Opened:
    """The records of a JSON document; Refused where it says itself that it has none to give."""
    with member.open() as stream:
        look = look_at(_start(stream))
    if look.layout == "array":
        az = _is_az(member)
        opened = Opened("az JSON" if az else "JSON array", iter(()), none=az)
    elif look.layout == "objects":
        _refuse_without_records(look)
        opened = Opened("JSON objects", iter(()))
    else:
        table = look.tables[look.primary] if look.tables else look.named
        need_time(table.columns or ())
        opened = Opened(_SHAPES[look.layout], iter(()), columns=table.columns,
                        preambles=[table.preamble] if table.preamble else [], partial=answers.told(look.error),
                        arrays=look.layout == "tables")
    opened.records = _records(member, look, opened)
    return opened


def _start(stream: Any) -> Window:
    window = Window(stream)
    while len(window.data) < len(BOM) and window.fill():
        pass
    window.pos = len(BOM) if window.data.startswith(BOM) else 0
    return window


def _is_az(member: Member) -> bool:
    with member.open() as stream:
        window = _start(stream)
        window.next()
        window.pos += 1
        for found in elements(window, b"{", b"]", parse, quick_object):
            if found.value is not None:
                values = found.value
                return values.get("TableName") == "PrimaryResult" and all(isinstance(v, str) for v in values.values())
    return False


def _refuse_without_records(look: Look) -> None:
    lower = [key.lower() for key in look.keys]
    if "responses" in lower:
        raise Refused("the answer to a batch of queries", hint="Save each body on its own and ingest those")
    if answers.told(look.error) and not {"timegenerated", "timestamp"} & set(lower):
        raise Refused(f"the query failed: {answers.told(look.error)}", hint="Run the query again")
    if not lower or set(lower) <= MARKS:
        raise Refused("no tables in this answer", hint="Run the query again; an empty answer may mean a bad request")


def _records(member: Member, look: Look, opened: Opened) -> Iterator[Record]:
    with member.open() as stream:
        window = _start(stream)
        try:
            yield from _documents(window, look, opened)
        except Broken:
            yield from _plain(rest(window, "the JSON document is broken or cut off here"))
            window.cut = True
        if window.cut and not opened.partial:
            opened.partial = _NOT_CLOSED
        if window.failure:
            raise window.failure


def _documents(window: Window, look: Look, opened: Opened) -> Iterator[Record]:
    if look.layout == "objects":
        window.next()
        yield from _plain(elements(window, b"{", b"", parse, quick_object))
        return
    number = 0
    while first := window.next(COMMAS):
        if look.layout == "array" and first == b"[":
            window.pos += 1
            yield from _plain(elements(window, b"{", b"]", parse, quick_object))
        elif look.layout != "array" and first == b"{":
            yield from _answer(window, look if number == 0 else Look(look.layout), opened)
        else:
            yield from _plain(rest(window, "text after the end of the JSON document"))
        number += 1


def _answer(window: Window, look: Look, opened: Opened) -> Iterator[Record]:
    """The records of one object with `tables`, `results` or `records`."""
    for key in keys(window):
        lower = key.lower()
        if lower == look.layout and window.next() == b"[":
            window.pos += 1
            if lower == "tables":
                yield from _tables(window, look, opened)
            else:
                yield from _plain(elements(window, b"{", b"]", parse, quick_object))
        elif lower == "error":
            opened.partial = answers.told(value_here(window)) or opened.partial
        else:
            value_here(window)


def _plain(found: Iterator[Element]) -> Iterator[Record]:
    for offset, raw, value, problem in found:
        yield Record(offset, len(raw), raw, value, problem)


def _tables(window: Window, look: Look, opened: Opened) -> Iterator[Record]:
    number = 0
    while window.next(COMMAS) == b"{":
        table = look.tables[number] if number < len(look.tables) else Table()
        for key in keys(window):
            if key == "rows" and window.next() == b"[":
                window.pos += 1
                yield from _rows(window, table, opened)
            elif key == "columns":
                table = columns_here(window, "columns")
            else:
                value_here(window)
        number += 1
    if window.next() != b"]":
        raise Broken
    window.pos += 1


def _rows(window: Window, table: Table, opened: Opened) -> Iterator[Record]:
    names = table.columns or ()
    strange = None if names == opened.columns else "a row of another table, with other columns than the first"
    for offset, raw, cells, problem in elements(window, b"[", b"]", parse_array, quick_array, None if strange else opened.taker):
        if problem or strange:
            yield Record(offset, len(raw), raw, None, problem or strange)
        elif len(cells) != len(names):
            yield Record(offset, len(raw), raw, None, f"{len(cells)} cells for {len(names)} columns")
        else:
            yield Record(offset, len(raw), raw, dict(zip(names, cells, strict=True)))
