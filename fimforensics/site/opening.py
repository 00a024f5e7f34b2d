"""Requests for tables are completed on their way in: with the opening columns, and with filters by what a row is called.

Datasette shows every column unless the address names some; 26 columns of an event are slow to draw and hard to read. So a
table's page opens with the few that people read, and `tables.short_address` takes them out of links again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from datasette.utils import tilde_decode

from fimforensics.site.guard import App, Message, Receive, Send
from fimforensics.site.narrow import renamed
from fimforensics.site.tables import opening_query

_TABLE_PAGE = re.compile(rb"/([^/.?]+)/([^/.?]+?)(\.(?:csv|json))?\Z")
_CHOSEN = ("_col", "_nocol", "_all", "_sort_by_desc")  # the reader chose columns, or the request only redirects


def opening_columns(app: App, is_case: Callable[[str], bool]) -> App:
    """The app with the opening columns put into requests for tables that have them; `is_case` knows the databases."""

    async def completed(scope: Message, receive: Receive, send: Send) -> None:
        await app(_completed(scope, is_case) if scope["type"] == "http" else scope, receive, send)

    return completed


def _completed(scope: Message, is_case: Callable[[str], bool]) -> Message:
    path = scope.get("raw_path") or scope["path"].encode()
    match = _TABLE_PAGE.match(path.partition(b"?")[0])
    if match is None:
        return scope
    database, table = (tilde_decode(part.decode("latin-1")) for part in match.groups()[:2])
    if not is_case(database):
        return scope
    query = scope.get("query_string") or b""
    names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
    if any(name.startswith("_filter_") for name in names):  # only redirects
        return scope
    completed = {**scope, "query_string": renamed(query, table)}
    opening = opening_query(table)
    if not opening or match.group(3) or any(name in _CHOSEN for name in names):
        return completed
    told = b"&".join(part for part in (completed["query_string"], opening.encode()) if part)
    return {**completed, "query_string": told, "fim_opening": True}
