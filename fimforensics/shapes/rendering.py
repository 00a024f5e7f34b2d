"""The raw form of a record whose source has no bytes for it (Parquet, workbooks): canonical JSON, keys in column order."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import orjson

from fimforensics.model import MAX_FIELD, Record
from fimforensics.shapes.strict_json import Number, field_size

_SIMPLE = frozenset({str, type(None), bool, int})
_BEYOND = 1 << 63


def rendered(row: int, values: Mapping[str, object]) -> Record:
    """The record of one row of values that are None, bool, int, float, text, or lists and objects of these."""
    problem = None
    try:
        raw = orjson.dumps(values)
        if len(raw) <= MAX_FIELD and _SIMPLE.issuperset(map(type, values.values())) and not [
                value for value in values.values() if value.__class__ is int and value >= _BEYOND]:
            return Record(row, 1, raw, dict(values))
    except TypeError:  # lone surrogates, integers beyond 64 bits
        raw = json.dumps(values, separators=(",", ":")).encode()
    read = dict(values)
    for name, value in values.items():
        if value.__class__ is float:
            read[name] = Number(repr(value))
        if value.__class__ not in (str, type(None)) or len(raw) > MAX_FIELD:
            problem = problem or _trouble(name, value)
    return Record(row, 1, raw, None if problem else read, problem)


def _trouble(name: str, value: object) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} in {name} is no number"
    if isinstance(value, int) and not -_BEYOND <= value < _BEYOND:
        return f"an integer beyond 64 bits in {name}"
    if isinstance(value, (str, list, dict)) and field_size(value) > MAX_FIELD:
        return f"field {name} is over the limit of {MAX_FIELD:,} bytes"
    return None
