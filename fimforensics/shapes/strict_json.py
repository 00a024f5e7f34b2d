"""One JSON value, read strictly: what a lenient parser would change in silence is a problem here.

The quick way decodes with msgspec and is taken only where it provably gives the strict result: no key can be double,
no integer is beyond 64 bits, nothing is nested deeply or large. Everything else, broken text included, goes the slow
way through Python's own decoder, which has a hook for each trap. Numbers with a fraction or exponent stay text
(`Number`), so `1.10` is not `1.1`. Text is never repaired: lone surrogates, NUL and bytes that are no UTF-8
(surrogateescape) come out as they are, for the tables to flag.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NoReturn

import msgspec

from fimforensics.model import MAX_FIELD, MAX_NESTING


class Number(str):
    """A number with a fraction or an exponent, as the source wrote it."""

    __slots__ = ()


class _Trap(Exception):
    """Valid JSON that must not pass; the message is the problem."""


_LOW, _HIGH = -(1 << 63), (1 << 63) - 1
_QUICK_SIZE = MAX_FIELD // 6  # a text of this size cannot hold a field over the limit, however it is escaped
_PLAIN = frozenset({str, type(None), Number, bool})
_quick_dict = msgspec.json.Decoder(dict, float_hook=Number).decode
_quick_list = msgspec.json.Decoder(list, float_hook=Number).decode
_STEPS = bytes(1 if byte in b"[{" else 255 for byte in range(256))  # read as signed: +1 opens, -1 closes
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def parse(raw: bytes) -> tuple[dict[str, object] | None, str | None]:
    """One JSON object: (its values, None), or (None, the reason in a short sentence) where it cannot be evidence."""
    values = quick_object(raw)
    if values is not None:
        return values, None
    value, problem = parse_value(raw)
    if problem is None and not isinstance(value, dict):
        return None, "not a JSON object"
    return (None, problem) if problem else (value, None)  # type: ignore[return-value]


def parse_array(raw: bytes) -> tuple[list[object] | None, str | None]:
    """One JSON array, as strictly as `parse`."""
    cells = quick_array(raw)
    if cells is not None:
        return cells, None
    value, problem = parse_value(raw)
    if problem is None and not isinstance(value, list):
        return None, "not a JSON array"
    return (None, problem) if problem else (value, None)  # type: ignore[return-value]


def quick_object(raw: bytes) -> dict[str, object] | None:
    """The values of a JSON object where they are beyond doubt, else None: ask `parse` then."""
    if len(raw) > _QUICK_SIZE:
        return None
    try:
        values = _quick_dict(raw)
    except (ValueError, RecursionError):
        return None
    # Each key and each text has two quotes; a quote within a text can only add to them. So if there are just as many,
    # no key was written twice. Else the colons prove it in the same way: each key has one after its quote.
    kinds = list(map(type, values.values()))
    if raw.count(b'"') != 2 * (len(kinds) + kinds.count(str)) and len(kinds) != (
            raw.count(b'":') + raw.count(b" :") + raw.count(b"\t:") + raw.count(b"\n:") + raw.count(b"\r:")):
        return None
    return values if _PLAIN.issuperset(kinds) or _harmless(values.values()) else None


def quick_array(raw: bytes) -> list[object] | None:
    """The cells of a JSON array where they are beyond doubt, else None: ask `parse_array` then."""
    if len(raw) > _QUICK_SIZE:
        return None
    try:
        cells = _quick_list(raw)
    except (ValueError, RecursionError):
        return None
    return cells if _harmless(cells) else None


def _harmless(values: Any) -> bool:
    for value in values:
        if value.__class__ not in _PLAIN and not (value.__class__ is int and _LOW <= value <= _HIGH):
            return False  # nested, or too large
    return True


def parse_value(raw: bytes) -> tuple[object, str | None]:
    """Any one JSON value: (value, None) or (None, problem). Never raises for bad text."""
    if nesting(raw) > MAX_NESTING:
        return None, f"nested over {MAX_NESTING} deep"
    try:
        value = _decoder.decode(raw.decode("utf-8", "surrogateescape"))
    except _Trap as trap:
        return None, str(trap)
    except (ValueError, RecursionError) as error:
        return None, _why_invalid(error, raw)
    if len(raw) > _QUICK_SIZE:
        for key, size in _sizes(value):
            if size > MAX_FIELD:
                return None, f"field {_shown(key)} is {size:,} bytes, over the limit of {MAX_FIELD:,}"
    return value, None


def nesting(raw: bytes) -> int:
    """How deep the brackets of JSON text are nested, those within strings left out; counts no further than it needs."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_NESTING:
        return 0
    brackets = _without_strings(raw).translate(None, _NO_BRACKETS).translate(_STEPS)
    return max(accumulate(memoryview(brackets).cast("b")), default=0)


def _without_strings(raw: bytes) -> bytes:
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(plain.split(b'"')[::2])


def _sizes(value: object) -> Iterator[tuple[str, int]]:
    """Each field with its size in bytes: text as UTF-8, anything nested as compact JSON."""
    fields = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else [("", value)]
    for key, field in fields:
        yield str(key), max(field_size(field), len(str(key)))


def field_size(value: object) -> int:
    """The bytes of one field: text as UTF-8, anything nested as compact JSON."""
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if not isinstance(value, str):
        return 8
    try:
        return len(value.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # surrogates that the source wrote as escapes
        return len(value.encode("utf-8", "surrogatepass"))


def _shown(name: str) -> str:
    return json.dumps(name if len(name) <= 80 else name[:80] + "...")


def _why_invalid(error: Exception, raw: bytes) -> str:
    if isinstance(error, RecursionError):
        return f"nested over {MAX_NESTING} deep"
    if isinstance(error, json.JSONDecodeError):
        if error.msg.startswith("Extra data"):
            return f"text after the JSON value, at character {error.pos + 1}"
        if error.msg.startswith("Unterminated") or error.pos >= len(error.doc.rstrip()):
            return "cut off, or a quote is missing: the JSON does not end"
        return f"not valid JSON at character {error.pos + 1}"
    return "not valid JSON"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Trap(f"key {_shown(key)} is there twice")
            seen.add(key)
    return found


def _integer(text: str) -> int:
    if len(text) > 20 or not _LOW <= (number := int(text)) <= _HIGH:
        raise _Trap(f"integer {text if len(text) <= 40 else text[:40] + '...'} is beyond 64 bits")
    return number


def _constant(text: str) -> NoReturn:
    raise _Trap(f"{text} is no number")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=Number, parse_constant=_constant, strict=False)
