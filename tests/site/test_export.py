"""CSV to the last row: more rows than a page shows, every cell safe, in the order of the page; and what breaks it off."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Browser, add_event, add_source, empty_case, fill, opened  # type: ignore[import-not-found]

from fimforensics.site import export
from fimforensics.site.export import Asked, written
from fimforensics.site.questions import all_rows, missing, unlimited

MANY = 1203  # more than a page's 1,000, no whole number of pieces
DATA = ("=1+1", "plain", "\x1b[31mred", "two\nlines", "-5", '"quoted", too')


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A case of 1,203 events on one host; every sixth has the same data."""
    path = empty_case(tmp_path_factory.mktemp("many") / "many.db")
    connection = sqlite3.connect(path)
    place = add_source(connection, "many.jsonl")
    add_event(connection, "web-01", "2026-05-02T10:00:00.0000000Z", place)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(events)") if row[1] not in ("id", "time", "new_data")]
    connection.executemany(
        f"INSERT INTO events (time, new_data, {', '.join(columns)}) SELECT ?, ?, {', '.join(columns)} FROM events WHERE id = 1",
        [(f"2026-05-02T{10 + at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}.0000000Z", DATA[at % 6]) for at in range(1, MANY)],
    )
    connection.execute("UPDATE events SET new_data = ? WHERE id = 1", (DATA[0],))
    connection.execute("UPDATE case_info SET events_end = ?", (MANY + 1,))
    connection.execute("UPDATE event_counts SET events = ?", (MANY,))
    connection.commit()
    connection.close()
    yield from opened(path)


def rows(browser: Browser, address: str) -> list[dict[str, str]]:
    """The rows of a CSV, after a look at every cell of it."""
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    found = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert {len(row) for row in found} == {len(found[0])}
    assert [cell for row in found for cell in row if re.search(r"\A[=+@\t\r-]|[\x1b\n]", cell)] == []
    return [dict(zip(found[0], row, strict=True)) for row in found[1:]]


SAFE = ("'=1+1", "plain", "\\x1b[31mred", "two\\nlines", "'-5", '"quoted", too')


@pytest.mark.parametrize(
    ("address", "column"),
    [
        ("/case/events.csv", "new_data"),
        ("/case/events.csv?_stream=on&_size=max&_labels=on", "new_data"),
        ("/case/events.csv?_next=x&_stream=on", "new_data"),
        ("/case/events_flat.csv?_stream=on", "data"),
        ("/case/one_machine.csv?host=web&_stream=on", "data"),
        ("/case.csv?sql=select+*+from+events_flat", "data"),
    ],
)
def test_every_row_comes_and_every_cell_is_safe(many: Browser, address: str, column: str) -> None:
    found = rows(many, address)
    newest_first = "one_machine" in address
    assert [row[column] for row in found] == [SAFE[at % 6] for at in range(MANY)][:: -1 if newest_first else 1]
    if "_labels" in address:
        assert {(row["host_id"], row["host_id_label"], row["registry_value_id_label"]) for row in found} == {("1", "web-01", "")}


def test_every_link_to_csv_leads_to_all_rows(many: Browser) -> None:
    for page, conditions in (("/case/events", ""), ("/case/events?new_data=plain", ""), ("/case/one_machine?host=web", "")):
        text = many.get(page).text
        links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+\.csv[^"]*)"', text)]
        assert links and all("_stream=on" in link for link in links), page
        assert {len(rows(many, link)) for link in links} == {MANY if "plain" not in page else 201}, conditions


def test_pages_say_that_there_are_more(many: Browser) -> None:
    page = many.get("/case/one_machine?host=web").text
    assert "The first 1,000 rows; there are more." in page and page.count("<tr>") == 1001
    found = many.get("/case/one_machine.json?host=web").json()
    assert (len(found["rows"]), found["truncated"]) == (1000, True)
    page = many.get("/case", params={"sql": "select id from events"}).text
    assert "The first 1,000 rows; there are more." in page
    page = many.get("/case/one_machine?host=web&since=2026-05-02T10:00:05&until=2026-05-02 10:00:08").text
    assert "<strong>3 rows</strong>" in page and "there are more" not in page
    first = many.get("/case/events.json").json()
    assert (len(first["rows"]), first["filtered_table_rows_count"], "_next=" in first["next_url"]) == (50, MANY, True)


def test_filters_columns_and_sizes_hold(many: Browser) -> None:
    found = rows(many, "/case/events.csv?new_data=plain&_col=new_data&_sort_desc=time")
    assert len(found) == 201 and list(found[0]) == ["id", "new_data"] and found[0]["id"] == "1202"
    assert [row["id"] for row in rows(many, "/case/events.csv?_size=3&_col=time")] == ["1", "2", "3"]
    assert many.get("/case/events.csv?_header=off&_size=1&_col=time").text.count("\r\n") == 1
    answer = many.get("/case/events.csv?_dl=on&_size=1")
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert many.request("HEAD", "/case/events.csv").content == b""


def test_what_fails_is_said_before_a_row(many: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    for address, status, told in (
        ("/case.csv?sql=delete+from+events", 400, "Statement must be a SELECT"),
        ("/case.csv?sql=select+1+from+nowhere", 400, "no such table: nowhere"),
        ("/case/nothing.csv", 404, "Table not found"),
        ("/other.csv?sql=select+1", 404, "Database not found"),
    ):
        answer = many.get(address)
        assert (answer.status_code, told in answer.json()["error"]) == (status, True), answer.text
    monkeypatch.setattr(export, "PATIENCE", 0.2)
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n"
    answer = many.get("/case.csv", params={"sql": endless})
    assert (answer.status_code, answer.json()["title"]) == (400, "The query took too long")


def test_an_export_never_writes(many: Browser) -> None:
    assert many.get("/case.csv?sql=select+load_extension('x')").status_code == 400
    assert many.get("/case.csv", params={"sql": "with x as (select 1) insert into hosts values (9, 'a', 'b')"}).status_code == 400


def test_a_statement_without_end_stops_when_the_reader_leaves(many: Browser) -> None:
    sent: list[dict[str, Any]] = []
    left = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if len(sent) == 5:
            left.set()
        await asyncio.sleep(0)

    query = b"sql=with+recursive+n(x)+as+(select+1+union+all+select+x%2B1+from+n)+select+x+from+n"
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/case.csv",
        "raw_path": b"/case.csv",
        "query_string": query,
        "headers": [(b"host", b"127.0.0.1")],
        "http_version": "1.1",
        "scheme": "http",
    }

    async def run() -> None:
        await asyncio.wait_for(many.app(scope, receive, send), 20)

    asyncio.run(run())
    assert len(sent) >= 5 and not [thread for thread in threading.enumerate() if thread.name.startswith("asyncio_")]


def test_written_ends_when_nobody_reads() -> None:
    connection = sqlite3.connect(":memory:")
    gone = threading.Event()
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n"
    pieces = written(connection, Asked(endless, {}), gone)
    assert next(pieces).startswith("x\r\n1\r\n2\r\n")
    gone.set()
    assert list(pieces) == []
    connection.close()


def test_a_reader_who_leaves_gives_back_the_file(tmp_path: Path) -> None:
    browser = Browser([fill(tmp_path / "case.db", ["alpha"])])
    database = browser.served.databases["case"]
    before = len(database._all_file_connections)
    for _ in range(3):
        assert len(rows(browser, "/case/hosts.csv")) == 1
    assert len(database._all_file_connections) <= before + 3  # Datasette's own threads


def test_the_small_things() -> None:
    assert unlimited("SELECT 1\nORDER BY x\n  LIMIT 1001\n") == "SELECT 1\nORDER BY x"
    assert unlimited("SELECT 1 LIMIT 100") == "SELECT 1 LIMIT 100"
    assert all_rows("/case/events.csv?a=1&_size=max&_next=5") == "/case/events.csv?a=1&_stream=on"
    assert missing({"needs": ["host"]}, {"host": " ", "since": ""}) == ["host"] and missing({}, {}) == []
