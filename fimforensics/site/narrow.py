"""Conditions that people mean and Datasette does not: text in a filter of a foreign key means what the row there is called.

`registry_value_id contains Run` would compare numbers. On its way in such a condition is renamed to one that Datasette
passes over (`registry_value_id__label_contains`), and the plugin adds the rows whose label fits. A search of a table that
has no full text gives no rows rather than all of them.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_plus

from datasette.filters import FilterArguments
from datasette.utils import escape_sqlite
from datasette.utils.asgi import Request
from datasette.views.base import DatasetteError

from fimforensics.site.tables import foreign_keys, heading

MARK = "label_"
# comparison → SQL over the label's column, what the reader's text becomes in it, and how it is told
_TEXT = {
    "contains": ("{c} LIKE :{p} ESCAPE '!'", "%{}%", 'contains "{}"'),
    "startswith": ("{c} LIKE :{p} ESCAPE '!'", "{}%", 'starts with "{}"'),
    "endswith": ("{c} LIKE :{p} ESCAPE '!'", "%{}", 'ends with "{}"'),
    "exact": ("{c} = :{p} COLLATE NOCASE", None, 'is "{}"'),
    "not": ("{c} = :{p} COLLATE NOCASE", None, 'is not "{}"'),
    "like": ("{c} LIKE :{p}", None, 'is like "{}"'),
    "notlike": ("{c} LIKE :{p}", None, 'is not like "{}"'),
    "glob": ("{c} GLOB :{p}", None, 'is like "{}"'),
}
_SEARCH = re.compile(r"_search(?:_\w+)?")
_NUMBER = re.compile(r"\s*[0-9]+\s*")
_LABELS = {"contents": ("sha256", "sha1", "md5"), "accounts": ("name", "sid"), "hosts": ("name", "key"),
           "processes": ("name", "image_key")}


def renamed(query: bytes, table: str) -> bytes:
    """The query string with conditions of text on foreign keys renamed, so that they are left to `conditions`."""
    parts = query.split(b"&")
    told = [_renamed(part, table) for part in parts]
    return query if told == parts else b"&".join(told)


def _renamed(part: bytes, table: str) -> bytes:
    name, _, value = (unquote_plus(text) for text in part.decode("latin-1").partition("="))
    column, _, lookup = name.rpartition("__") if "__" in name else (name, "", "exact")
    if name.startswith("_") or (table, column) not in foreign_keys() or lookup not in _TEXT:
        return part
    if lookup in ("exact", "not") and _NUMBER.fullmatch(value):
        return part
    return f"{quote_plus(column)}__{MARK}{lookup}=".encode() + part.partition(b"=")[2]


async def conditions(datasette: Any, request: Request, database: str, table: str) -> FilterArguments | None:
    """The renamed conditions as SQL, and none of the rows where a search is asked that the table does not have."""
    clauses: list[str] = []
    params: dict[str, str] = {}
    told: list[str] = []
    for name, value in parse_qsl(request.query_string, keep_blank_values=True):
        column, _, lookup = name.rpartition(f"__{MARK}")
        other = foreign_keys().get((table, column))
        if other is None or lookup not in _TEXT:
            continue
        key = f"fim_label_{len(params)}"
        template, pattern, sentence = _TEXT[lookup]
        columns = _LABELS.get(other) or (await datasette.get_database(database).label_column_for_table(other),)
        tried = " OR ".join(template.format(c=escape_sqlite(tried), p=key) for tried in columns if tried)
        found = f"SELECT id FROM {escape_sqlite(other)} WHERE {tried or '0'}"
        clauses.append(f"{escape_sqlite(column)} {'NOT IN' if lookup.startswith('not') else 'IN'} ({found})")
        params[key] = pattern.format(re.sub(r"([!%_])", r"!\1", value)) if pattern else value
        told.append(f"{heading(column)} {sentence.format(value)}")
    if await unsearched(datasette, request, database, table):
        if request.path.endswith((".json", ".csv")):
            raise DatasetteError(f"The table {table} has no full text. Search paths, registry_values, accounts, images or hosts.",
                                 title="Not searched", status=400)
        clauses.append("0")
        told.append("nothing is searched")
    return FilterArguments(clauses, params, told) if clauses else None


async def unsearched(datasette: Any, request: Request | None, database: str | None, table: str | None) -> bool:
    """Is a search asked of a table that has no full text?"""
    if request is None or database is None or table is None:
        return False
    asked = any(value.strip() for name, value in parse_qsl(request.query_string) if _SEARCH.fullmatch(name))
    return asked and not await datasette.get_database(database).fts_table(table)
