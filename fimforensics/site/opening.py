"""A table's page opens with the few columns people read, without that standing in the address.

Datasette shows every column unless the address names some; 26 columns of an event are slow to draw and hard to read. So
the request for such a page is completed on its way in, and `tables.short_address` takes it out of links again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from datasette.utils import tilde_decode

from fimforensics.site.guard import App, Message, Receive, Send
from fimforensics.site.tables import opening_query

_TABLE_PAGE = re.compile(rb"/([^/.?]+)/([^/.?]+)\Z")
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
    database, table = (tilde_decode(part.decode("latin-1")) for part in match.groups())
    opening = opening_query(table)
    if not opening or not is_case(database):
        return scope
    query = scope.get("query_string") or b""
    names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
    if any(name in _CHOSEN or name.startswith("_filter_") for name in names):
        return scope
    return {**scope, "query_string": b"&".join(part for part in (query, opening.encode()) if part), "fim_opening": True}
