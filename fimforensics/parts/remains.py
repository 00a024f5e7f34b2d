"""Is anything still in the part that was to be taken out of it? Every cell is looked through, and what is packed is unpacked.

A name that is redacted in one column often stands in another: in a path, a command line, the name of a source. No part is
handed out with that unless it is said to be right.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

import apsw

from fimforensics.errors import Problem
from fimforensics.evidence import raw
from fimforensics.parts.words import finder

_SELF = frozenset(["redactions", "digest_salt"])
_JSON = frozenset([("custody_log", "arguments"), ("members", "header"), ("snapshots", "reading"), ("part", "chosen")])
_PACKED = {"originals": "SELECT codec, data FROM originals", "member_cache": "SELECT 'zstd', data FROM member_cache"}


def remains(part: apsw.Connection, told: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Where any of these texts still stands: table and column → how many cells, and the first text that was found."""
    find = finder(told)
    count: Counter[str] = Counter()
    first: dict[str, str] = {}
    for place, text in _texts(part) if find else ():
        if find and (hit := find.search(text)):
            count[place] += 1
            first.setdefault(place, hit[0])
    return {place: (number, first[place]) for place, number in sorted(count.items())}


def _texts(part: apsw.Connection) -> Iterator[tuple[str, str]]:
    tables = [name for (name,) in part.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE "
                                               "'CREATE VIRTUAL%' AND name NOT GLOB '*_fts_*' ORDER BY name")]
    for table in tables:
        if table in _SELF:
            continue
        columns = [name for _, name, kind, *_ in part.execute(f'PRAGMA table_info("{table}")') if kind == "TEXT"]
        for cells in part.execute(f'SELECT {", ".join(columns)} FROM "{table}"') if columns else ():
            for column, value in zip(columns, cells, strict=True):
                if isinstance(value, str):
                    yield f"{table}.{column}", _words(value) if (table, column) in _JSON else value
    for table, query in _PACKED.items():
        for codec, data in part.execute(query):
            unpacked = raw.unpack(codec, data)
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                yield f"{table}.data", unpacked.decode(encoding, "replace")


def _words(text: str) -> str:
    """The texts in a cell of JSON, one a line: its own words (true, false, null) are nobody's."""
    found: list[str] = []

    def gather(value: object) -> None:
        for one in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            gather(one)
        if isinstance(value, str):
            found.append(value)

    gather(json.loads(text))
    return "\n".join(found)


def refuse_remains(part: apsw.Connection, told: Iterable[str], where: str) -> None:
    """Problem where text that was to go is still there."""
    found = remains(part, told)
    if found:
        places = ", ".join(f"{place} ({count:,}, such as '{text[:60]}')" for place, (count, text) in found.items())
        raise Problem(f"text that was to be taken out still stands in other cells: {places}", where=where,
                      hint="Redact the columns that hold it too, or say --accept-remains if it may stay there")
