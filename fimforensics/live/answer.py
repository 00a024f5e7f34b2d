"""What the service answered: its columns and rows as raw bytes, and what it says of its own failure. No row is decoded here.

Counting rows and reading their ids takes a small part of what decoding them takes; the case decodes them, once.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from fimforensics.shapes.answers import told

TOO_LARGE = (-2133196797, "-2133196797", "E_QUERY_RESULT_SET_TOO_LARGE")
_LARGE_WORDS = ("result_set_too_large", "exceed the set limit", "exceeded the set limit", "too large", "record count limit")


class NotWhole(Exception):
    """The bytes are no answer: cut off, no JSON, or without tables."""


class _Table(msgspec.Struct):
    name: str | None = None
    columns: list[dict[str, Any]] = []
    rows: list[msgspec.Raw] = []


class _Body(msgspec.Struct):
    tables: list[_Table] | None = None
    error: Any = None


_LAST_TEXT = re.compile(rb'"([A-Za-z0-9{}_-]+)"\]\Z').search  # a GUID or the like, as the last cell of a row
_decode = msgspec.json.Decoder(_Body).decode


@dataclass(frozen=True)
class Answer:
    """One answer: the columns and raw rows of its first table."""

    columns: tuple[str, ...]
    rows: list[msgspec.Raw] = field(repr=False)
    failure: str | None = None  # what it says of its own failure
    too_large: bool = False

    def values(self) -> list[dict[str, Any]]:
        """The rows of a small answer, decoded."""
        return [dict(zip(self.columns, json.loads(bytes(row)), strict=True)) for row in self.rows]


def read(data: bytes) -> Answer:
    """The answer that these bytes hold; NotWhole where they hold none."""
    try:
        body = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotWhole(f"the answer is cut off or no JSON ({error})") from None
    failure = body.error
    if not body.tables:
        raise NotWhole("the answer holds no table" + (f": {told(failure)}" if failure else ""))
    table = next((one for one in body.tables if one.name == "PrimaryResult"), body.tables[0])
    columns = tuple(str(column.get("name")) for column in table.columns)
    if not columns:
        raise NotWhole("the answer's table has no columns")
    return Answer(columns, table.rows, told(failure), too_large(failure))


def too_large(error: object) -> bool:
    """Does a failure say that there was more than one answer may hold?"""
    if isinstance(error, list):
        return any(map(too_large, error))
    if not isinstance(error, dict):
        return False
    words = str(error.get("message") or "").lower()
    return (error.get("code") in TOO_LARGE or any(word in words for word in _LARGE_WORDS)
            or too_large(error.get("details")) or too_large(error.get("innererror")))


def reason(data: bytes) -> str | None:
    """What the body of a refusal says, in one line."""
    try:
        error = json.loads(data)
    except ValueError:
        return None
    return told(error.get("error") if isinstance(error, dict) and "error" in error else None)


def item_ids(answer: Answer) -> list[bytes]:
    """The first 8 bytes of the SHA-256 of each row's `_ItemId`, in order; empty where rows have none."""
    if "_ItemId" not in answer.columns:
        return []
    at, last = answer.columns.index("_ItemId"), len(answer.columns) - 1
    found = []
    for row in answer.rows:
        raw = bytes(row)
        plain = _LAST_TEXT(raw, max(0, len(raw) - 80)) if at == last else None
        text = plain[1] if plain else str(json.loads(raw)[at]).encode("utf-8", "surrogatepass")
        found.append(sha256(text).digest()[:8])
    return found
