"""A single value becomes a canonical cell, with flags of what had to be changed so that a case can hold it."""

from __future__ import annotations

import json
import re

import orjson

from fimforensics import times
from fimforensics.model import Reading
from fimforensics.text import storable

ESCAPED, ODD_TIME = 1, 2
_HEX = re.compile(r"[0-9A-Fa-f]+").fullmatch


class Cells:
    """Turns single values into canonical cells as the source's columns and the operator's words say."""

    def __init__(self, zones: dict[str, str], reading: Reading) -> None:
        self.zones, self.reading = zones, reading

    def text(self, value: object) -> tuple[str | None, int]:
        """The text of a cell and its flags; NUL and lone surrogates are shown escaped, nested values as JSON."""
        if value is None:
            return None, 0
        if not isinstance(value, str):
            value = plain_text(value)
        if value.isascii() and "\0" not in value:
            return str(value), 0
        stored, escaped = storable(value)
        return stored, ESCAPED if escaped else 0

    def number(self, column: str, value: object) -> int | None:
        """A 64-bit integer; ValueError for what is none."""
        if type(value) is int:
            found = value
        elif value is None or value == "":
            return None
        else:
            text = str(value).strip()
            whole = text[:-2] if text.endswith(".0") else text
            if isinstance(value, bool) or not whole.lstrip("+-").isdecimal() or len(whole) > 20:
                raise ValueError(f"{column} is not a whole number: {text[:40]!r}")
            found = int(whole)
        if not -(1 << 63) <= found < 1 << 63:
            raise ValueError(f"{column} is beyond 64 bits")
        return found

    def time(self, column: str, value: object) -> tuple[str | None, int]:
        """A canonical time and its flags; ValueError tells the column and why."""
        if value is None or value == "":
            return None, 0
        if not isinstance(value, str):
            raise ValueError(f"{column} is not a time: {str(value)[:40]!r}")
        try:
            found = times.canonical(value, self.zones.get(column), self.reading)
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from None
        return found, ODD_TIME if times.odd(found) else 0

    def hash(self, value: object) -> tuple[str | None, int]:
        """A hash in lower case; what is no hexadecimal text stays as it is."""
        found, flags = self.text(value)
        return (found.lower() if found and _HEX(found) else found), flags


def plain_text(value: object) -> str:
    """What is no text as text: true and false, figures, nested values as JSON with sorted keys; ValueError beyond 64 bits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"integer {value} is beyond 64 bits")
    if isinstance(value, (int, float)):
        return str(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # lone surrogates, which UTF-8 cannot hold: as JSON's own escapes
        return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
