"""The questions of metadata.yml: each shows its first rows, and tells by one row more that there are others.

A statement that sorts many events is quick only when SQLite knows how few are wanted. So a question ends in `LIMIT 1001`,
one more than a page shows; its CSV goes on to the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

SHOWN = 1000
_LIMIT = re.compile(rf"\s+LIMIT {SHOWN + 1}\s*;?\s*\Z", re.I)


def unlimited(sql: str) -> str:
    """The question's statement without the limit that is there for the page alone."""
    return _LIMIT.sub("", sql)


def missing(question: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    """The parameters without which the question asks nothing, and which were not given."""
    return [name for name in question.get("needs") or () if not (given.get(name) or "").strip()]


def all_rows(url: str) -> str:
    """A link to CSV that says so when it means all rows."""
    parts = [part for part in url.partition("?")[2].split("&") if part and not re.match(r"_(?:size|next|stream)=", part)]
    return url.partition("?")[0] + "?" + "&".join([*parts, "_stream=on"])


def unfilled(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """The columns without anything in any of the rows as Datasette hands them to the page (`&nbsp;` for nothing)."""
    return [column for at, column in enumerate(columns) if all(str(row[at]) == "&nbsp;" for row in rows)]
