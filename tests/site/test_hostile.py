"""Evidence that attacks its reader: on no page, in no JSON and in no CSV does it stand as what it wants to be."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pytest
from conftest import HOSTILE, Browser  # type: ignore[import-not-found]
from inert import HIDDEN, check_page  # type: ignore[import-not-found]

# Datasette leaves half-made facets behind when a request fails.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
TABLES = (
    "events",
    "hosts",
    "machine_reports",
    "changes",
    "accounts",
    "paths",
    "files",
    "contents",
    "images",
    "processes",
    "process_reports",
    "requests",
    "registry_values",
    "registry_reports",
    "snapshots",
    "members",
    "rejects",
    "custody_log",
    "case_info",
    "event_counts",
    "occurrences",
    "events_flat",
    "MDCFileIntegrityMonitoringEvents",
)
QUESTIONS = ("changes_by_machine_and_type", "registry_changes", "who_changed_most", "last_seen", "changes_per_machine")


def addresses() -> list[str]:
    pages = ["/", "/case", "/case?_show_hidden=1", "/-/versions", "/-/plugins", "/-/settings"]
    pages += [f"/case/{name}?_size=100{more}" for name in TABLES for more in ("", "&_all=1")]
    pages += [f"/case/{name}/{number}" for name in TABLES[:18] for number in range(1, len(HOSTILE) // 2, 3)]
    pages += [f"/case/events/{number}" for number in range(1, len(HOSTILE) + 1)]
    pages += [
        f"/case/events?_facet={column}"
        for column in ("host_id", "change_id", "account_id", "process_id", "new_data", "file_type")
    ]
    return pages + [f"/case/{name}" for name in QUESTIONS]


def test_pages(hostile: Browser, hostile_case: Path) -> None:
    before = hashlib.sha256(hostile_case.read_bytes()).hexdigest(), sorted(found.name for found in hostile_case.parent.iterdir())
    bad = {}
    for address in addresses():
        answer = hostile.get(address)
        assert answer.status_code == 200, (address, answer.text[:2000])
        try:
            check_page(answer.text)
        except AssertionError as error:
            bad[address] = str(error)[:400]
    assert bad == {}
    assert before == (
        hashlib.sha256(hostile_case.read_bytes()).hexdigest(),
        sorted(found.name for found in hostile_case.parent.iterdir()),
    )


@pytest.mark.parametrize("word", HOSTILE)
def test_what_a_reader_types_is_inert_too(hostile: Browser, word: str) -> None:
    for path, params in (
        ("/case/events", {"new_data": word}),
        ("/case/hosts", {"_search": word}),
        ("/case/hosts", {"name__contains": word}),
        ("/case/one_machine", {"host": word}),
        ("/case/where_else", {"hash": word}),
        ("/case", {"sql": word}),
        ("/case", {"sql": f"select '{word.replace(chr(39), chr(39) * 2)}' as x"}),
        ("/case/events", {"_sort": word}),
        ("/case/events", {"_where": word}),
        ("/case/events", {"_facet": word}),
        ("/case/events", {"_next": word}),
        ("/case", {"sql": 'select 1 as "' + word.replace('"', '""') + '"'}),
        ("/case/events", {"_col": word}),
    ):
        answer = hostile.get(path, params=params)
        if answer.status_code < 300:
            check_page(answer.text)
        elif answer.status_code >= 400:
            check_page(answer.text)
            assert "Traceback" not in answer.text


def test_json_keeps_every_value_and_cannot_act(hostile: Browser, words: list[str]) -> None:
    for table, column in (
        ("hosts", "name"),
        ("events", "new_data"),
        ("files", "path"),
        ("snapshots", "note"),
        ("accounts", "name"),
    ):
        answer = hostile.get(
            f"/case/{table}.json?_shape=array&_size=100&_sort=id"
            if table != "snapshots"
            else f"/case/{table}.json?_shape=array&_size=100"
        )
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.content.isascii() and b"\x1b" not in answer.content
        found = [row[column] for row in answer.json()]
        assert set(found) == set(words[::2] if table == "files" else words)


def test_csv_starts_no_formula_and_steers_no_terminal(hostile: Browser, words: list[str]) -> None:
    for address in (
        "/case/hosts.csv?_size=max",
        "/case/events.csv?_labels=on&_size=max",
        "/case/rejects.csv?_size=max&_dl=on",
        "/case/events.csv?_stream=on&_size=max",
        "/case/events_flat.csv?_size=max",
        "/case.csv?sql=select+name,+name+||+'x'+from+hosts",
        "/case/registry_changes.csv",
    ):
        answer = hostile.get(address)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(("text/plain", "text/csv"))
        assert HIDDEN.search(answer.text.replace("\r\n", "\n")) is None
        rows = list(csv.reader(io.StringIO(answer.text, newline="")))
        assert len(rows) > 2 and len({len(row) for row in rows}) == 1
        assert [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")] == []
    names = [row[2] for row in csv.reader(io.StringIO(hostile.get("/case/hosts.csv?_sort=id").text))]
    assert names[1] == "<script>alert(1)</script>" and '\'=HYPERLINK("http://evil.example/","x")' in names and "'-2+3" in names


def test_nothing_of_it_reaches_the_terminal(
    hostile: Browser, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for word in HOSTILE:
        hostile.get("/case", params={"sql": f'select "{word}" from nothing'})
        hostile.get("/case/events", params={"_where": word})
        hostile.get("/case/events", params={"_timelimit": word})
        hostile.get("/case/events.csv", params={"_size": word})
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert [
        record.getMessage() for record in caplog.records if HIDDEN.search(record.getMessage()) or "\n" in record.getMessage()
    ] == []
