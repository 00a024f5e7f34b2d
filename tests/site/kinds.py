"""Every kind of page that a case has, found by asking the site itself, so that no list must be kept by hand.

A page of our own that needs to be asked something stands in ASKED; whatever answers a route that no address here meets fails
`test_kinds.py`, which names it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fimforensics import schema
from fimforensics.site.database import PAGED
from fimforensics.site.settings import metadata
from fimforensics.site.shelf import OWN, ROWS

# What the pages of our own are asked, beside nothing at all; `{host}` and `{other}` are two hosts' names.
ASKED: dict[str, tuple[str, ...]] = {
    "search": ("q=a", "q=a&only=files", "q=nothing+of+this+name"),
    "explore": ("begin=process%231", "of=file%231&open=file%231&on=file%231", "of=a", "begin=nothing+of+this+name"),
    "trace": ("of=process%231&limit=14", "of=file%231&direction=back", "of=a"),
    "compare": ("from=2026-10-10", "host={host}&against={other}", "host={host}&against=nothing+like+it"),
    "findings": ("severity=high", "host={host}", "rule=nothing"),
    "coverage": ("host={host}&since=2026-10-10", "since=never"),
}
NOTED = ("/case/-/notes", "/case/-/notes?kind=host", "/case/-/notes?kind=nothing")  # where notes are kept
NOTED_TWINS = ("/case/-/notes/page.json", "/case/-/notes.csv")
LOGIN = "/-/login"  # where pages are shared
TABLES = tuple(  # of events, seen otherwise
    f"/case/events?{query}" for query in (
        "_facet=change_id&_facet=host_id&_facet=account_id", "_sort_desc=time", "_all=1", "change_id=1&_facet=process_id",
        "time__gte=2026-10-05", "_search=nothing", "host_id=99999999"))
LIKE_NO_OTHER = ("events_flat", "MDCFileIntegrityMonitoringEvents", "event_counts", "rejects", "snapshots", "one_machine",
                 "totals_of_the_last_7_days")
WRONG = ("/case/nothing", "/case/events/99999999", "/case/events?_where=x", "/case?sql=selec", "/nothing", "/case/-/nothing",
         "/case/files/99999999", "/case/-/trace?direction=x")


def pages(case: Path) -> Iterator[str]:
    """The address of one page at least of every kind, in order, of a case that is served as `case`."""
    with closing(sqlite3.connect(case)) as connection:
        yield from ("/", "/case", "/case?_show_hidden=1", "/case?sql=select+name%2C+id+from+hosts", "/-/versions")
        tables = [name for name, in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE '%\\_fts\\_%' ESCAPE '\\' "
            "AND name NOT LIKE 'sqlite_%' ORDER BY name")]
        for name in tables:
            yield f"/case/{name}"
        yield from TABLES
        for name in tables:
            if name not in schema.views() and not name.endswith("_fts"):
                yield from (f"/case/{name}/{number}" for number in _first(connection, name))
        yield from (f"/case/{name}" for name in metadata(["case"])["databases"]["case"]["queries"])
        hosts = [name for name, in connection.execute("SELECT name FROM hosts ORDER BY id DESC LIMIT 2")]
        asked = {"host": quote(hosts[0][:60]), "other": quote(hosts[-1][:60])}
    for name in OWN:
        yield from (f"/case/-/{name}", *(f"/case/-/{name}?{query.format(**asked)}" for query in ASKED.get(name, ())))


def kinds(case: Path) -> list[str]:
    """Of pages that only differ by what is in them one or two, for what takes a browser long; all of our own."""
    met: dict[str, int] = {}
    return [page for page in pages(case) if "_show_hidden" not in page and _again(met, page) < (2 if "/events" in page else 1)]


def _again(met: dict[str, int], page: str) -> int:
    """How many alike were met before."""
    parts = page.partition("?")[0].split("/")
    if "?" in page or len(parts) < 3 or parts[2] == "-":
        return 0
    if len(parts) == 3:
        alike = parts[2] if parts[2] in (*PAGED, *LIKE_NO_OTHER) else "a table or question"
    else:
        alike = f"a row of {parts[2]}" if parts[2] in (*PAGED, "snapshots") else "a row"
    met[alike] = met.get(alike, 0) + 1
    return met[alike] - 1


def twins(case: Path) -> Iterator[str]:
    """What the pages give as files: their JSON, tables, pictures."""
    yield from ("/case/page.json", "/case.json?sql=select+1", "/case/events.json", "/case/events.csv", "/case/hosts/1.json",
                "/case/-/trace.svg?of=process%231", "/case/-/explore.svg?begin=process%231",
                "/case/-/explore.graphml?begin=process%231")
    yield from (f"/case/-/{name}/page.json" for name in OWN)
    rows = tuple(f"/case/{table}/" for table in (*ROWS, "events"))
    yield from (f"{address}/page.json" for address in pages(case) if address.startswith(rows))


def _first(connection: sqlite3.Connection, table: str) -> list[str]:
    """The row that says most, of tables whose rows have a page of ours two more; [] where it is empty."""
    keys = [row[1] for row in sorted(connection.execute(f'PRAGMA table_info("{table}")'), key=lambda row: row[5]) if row[5]]
    names = ", ".join(f'"{key}"' for key in keys) or "rowid"
    rows: list[Any] = connection.execute(_told(table)).fetchall() if table in PAGED and table != "findings" else []
    rows += connection.execute(f'SELECT {names} FROM "{table}" ORDER BY {names} LIMIT 1').fetchall()
    if table in PAGED:
        rows += connection.execute(f'SELECT id FROM "{table}" ORDER BY id DESC LIMIT 1').fetchall()
    return list(dict.fromkeys(",".join(quote(str(cell), safe="") for cell in row) for row in rows))


def _told(table: str) -> str:
    """The row of which most is told: that of the gravest finding."""
    column = {"files": "file_id", "registry_values": "registry_value_id", "contents": "content_id", "processes": "process_id",
              "accounts": "account_id", "hosts": "host_id"}.get(table)
    if column is None:
        return "SELECT event_id FROM finding_events ORDER BY 1 LIMIT 1"
    return f"SELECT {column} FROM findings WHERE {column} IS NOT NULL ORDER BY severity = 'high' DESC, events DESC, id LIMIT 1"
