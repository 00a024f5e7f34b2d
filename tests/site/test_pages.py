"""What the pages say: the case, an event, an empty case, an unfinished one, and under plain Datasette too."""

from __future__ import annotations

import importlib.util
import re
import sqlite3
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from conftest import RAW, Browser, add_event, add_source, empty_case, fill, opened  # type: ignore[import-not-found]
from datasette.plugins import pm

from fimforensics.queries.event import event
from fimforensics.queries.summary import ChangeCount, HostCount, summary
from fimforensics.site.event_page import sections
from fimforensics.site.pages import bars
from fimforensics.site.settings import site_folder


def words(page: str) -> str:
    """The page's text, white space folded."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2])))


def test_the_case_page_tells_what_is_there(normal: Browser) -> None:
    told = words(normal.get("/").text)
    assert "Case 2026-17" in told
    assert "3 events on 3 hosts, from 2026-05-01 10:00:00 to 2026-05-03 10:00:00, from 3 sources." in told
    assert "Probably not the whole: alpha. alpha" in told
    assert "Records that could not become events" in told and "Changes by machine and type" in told
    assert 'href="/case/events?host_id=1"' in normal.get("/").text


def test_the_database_page_lists_tables_and_hides_the_inside(normal: Browser) -> None:
    page = normal.get("/case").text
    assert 'href="/case/events"' in page and "events_flat" in page and "event_keys" not in page
    assert "event_keys" in normal.get("/case?_show_hidden=1").text
    assert 'name="sql"' in page


def test_the_summary_counts(normal_case: Path) -> None:
    with sqlite3.connect(normal_case) as connection:
        found = summary(connection)
    connection.close()
    assert found.hosts == [
        HostCount(1, "alpha", "file", 1, "2026-05-01", "2026-05-01"),
        HostCount(2, "beta", "registry", 1, "2026-05-02", "2026-05-02"),
        HostCount(3, "gamma", "file", 1, "2026-05-03", "2026-05-03"),
    ]
    assert found.changes[0] == ChangeCount(1, "file", "alpha", "alpha2026-05-01T10:00:00.1234567Z", 1, 1)
    assert found.days == [("2026-05-01", "file", 1), ("2026-05-02", "registry", 1), ("2026-05-03", "file", 1)]
    assert [(source.source, source.truncated, source.rejects) for source in found.sources] == [
        ("alpha", "alpha", 1),
        ("beta", "beta", 1),
        ("gamma", "gamma", 1),
    ]
    assert [(line.reason, line.records, line.replayed) for line in found.rejects] == [
        ("alpha", 1, 0),
        ("beta", 1, 0),
        ("gamma", 1, 0),
    ]
    assert found.hours == [("2026-05-01T10", "file", 1), ("2026-05-02T10", "registry", 1), ("2026-05-03T10", "file", 1)]
    by_day = bars(found.days, [])
    assert [bar.told for bar in by_day] == ["2026-05-01: 1 file", "2026-05-02: 1 registry", "2026-05-03: 1 file"]
    assert by_day[1].parts == [("registry", 0.0, 100.0)]


def test_a_case_of_few_days_is_charted_by_hour(normal_case: Path) -> None:
    with sqlite3.connect(normal_case) as connection:
        counted = summary(connection)
        found = bars(counted.days, counted.hours)
    connection.close()
    assert len(found) == 72 and [bar.told for bar in found if bar.parts] == [
        "2026-05-01 10:00: 1 file",
        "2026-05-02 10:00: 1 registry",
        "2026-05-03 10:00: 1 file",
    ]
    assert (found[0].told, found[-1].told) == ("2026-05-01 00:00: no events", "2026-05-03 23:00: no events")


def test_a_long_case_is_charted_by_day(tmp_path: Path) -> None:
    path = fill(tmp_path / "long.db", ["alpha", "beta", "gamma", "delta"])
    with sqlite3.connect(path) as connection:
        found = summary(connection)
    connection.close()
    assert found.hours == []
    assert [bar.start for bar in bars(found.days, found.hours)] == [f"2026-05-0{day}" for day in range(1, 5)]


def test_events_open_with_few_columns_and_short_links(normal: Browser) -> None:
    page = normal.get("/case/events").text
    head = re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", page.partition('class="scroll rows"')[2], re.S)
    assert [words(f"<main>{cell}").strip(" >▲") for cell in head] == [
        "id",
        "time",
        "host",
        "change",
        "file or registry value",
        "content",
        "process",
        "account",
        "data",
    ]
    assert "_col=" not in page and "Group by host" in page
    page = page.partition('class="scroll rows"')[2]
    assert page.index("2026-05-01") < page.index("2026-05-02") < page.index("2026-05-03")
    assert "match key" in normal.get("/case/events?_all=1").text
    redirect = normal.get("/case/events?_filter_column=new_data&_filter_op=exact&_filter_value=beta").headers["location"]
    assert redirect == "/case/events?new_data__exact=beta"
    assert "1 row" in words(normal.get(redirect).text)
    assert len(normal.get("/case/events.json").json()["columns"]) > 20


def test_foreign_keys_have_labels_and_hashes_stay_whole(normal: Browser) -> None:
    page = normal.get("/case/events").text
    assert '<a href="/case/hosts/1"><bdi class="text">alpha</bdi></a>' in page
    assert re.search(r'<a href="/case/contents/1"><code class="hash" title="([0-9a-f]{64})">\1</code></a>', page)
    assert '<a href="/case/hosts/1"><bdi class="text">alpha</bdi></a>' in normal.get("/case/files/1").text


def test_answers_lead_to_events_and_out_of_the_case_nothing_does(normal: Browser) -> None:
    answer = normal.get("/case", params={"sql": "select 2 as event_id, 2 as other, 'http://evil.example/' as address"}).text
    assert '<a href="/case/events/2">2</a>' in answer and '<span class="number">2</span>' in answer
    assert '<bdi class="text" title="http://evil.example/">http://evil.example/</bdi>' in answer and 'href="http' not in answer


def test_an_event_with_its_record(normal: Browser) -> None:
    told = words(normal.get("/case/events/2").text)
    assert "beta registry" in told and "2026-05-02 10:00:00.1234567Z on beta, by beta pid 4711, as beta" in told
    assert "NewValueDatabeta" in told
    assert '{"TimeGenerated":"2026-05-02T10:00:00.1234567Z","Computer":"web-01","Note":"\\x1b[31m<b>"}' in told
    assert f"offset 0, {len(RAW)} bytes" in told and "1 record reports it" in told
    assert "Everything on this registry value" in told and '"k": "<b>\\u202e"' in told


def test_a_record_that_is_gone_is_told(tmp_path: Path) -> None:
    path = fill(tmp_path / "gone.db", ["alpha"])
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM originals")
    connection.close()
    told = words(next(opened(path)).get("/case/events/1").text)
    assert "The record cannot be read" in told and "Microsoft's table" in told


def test_event_is_none_where_there_is_none(normal_case: Path) -> None:
    with sqlite3.connect(normal_case) as connection:
        found = event(connection, 1)
        assert found is not None and found.occurrences_in_all == 1 and dict(found.columns)["Computer"] == "alpha"
        assert event(connection, 99) is None
    connection.close()


def test_columns_stand_under_headings() -> None:
    assert sections(
        [("TimeGenerated", "t"), ("Computer", "c"), ("NewValueData", ""), ("InitProcImageMd5", "m"), ("_BilledSize", "1")]
    ) == [
        ("When and where", [("TimeGenerated", "t"), ("Computer", "c")]),
        ("What changed", [("NewValueData", "")]),
        ("By which process and account", [("InitProcImageMd5", "m")]),
        ("The log itself", [("_BilledSize", "1")]),
    ]


def test_an_empty_case(tmp_path: Path) -> None:
    browser = next(opened(empty_case(tmp_path / "empty.db")))
    told = words(browser.get("/").text)
    assert "There is no event in this case." in told and "No events is not the same as no changes" in told
    for path in (
        "/case",
        "/case/events",
        "/case/changes_by_machine_and_type",
        "/case/totals_of_the_last_7_days",
        "/case/last_seen",
    ):
        assert browser.get(path).status_code == 200
    assert "No rows" in browser.get("/case/events").text
    assert browser.get("/case/events/1").status_code == 404


def test_an_unfinished_snapshot_shows_nothing_but_itself(tmp_path: Path) -> None:
    path = fill(tmp_path / "half.db", ["alpha"])
    with sqlite3.connect(path) as connection:
        add_event(connection, "halfway", "2026-05-09T10:00:00.0000000Z", add_source(connection, "half.jsonl", "unfinished"))
        connection.execute("DELETE FROM event_counts WHERE day = '2026-05-09'")
    connection.close()
    browser = next(opened(path))
    assert "An ingest was not finished: half.jsonl" in words(browser.get("/").text)
    assert "1 row where of finished snapshots" in words(browser.get("/case/events").text)
    assert [row["new_data"] for row in browser.get("/case/events.json?_shape=array").json()] == ["alpha"]
    assert len(browser.get("/case/occurrences.json?_shape=array").json()) == 1
    assert "not finished" in words(browser.get("/case/events/2").text) and "halfway" not in browser.get("/case/events_flat").text


def test_a_file_that_changes_underneath_is_told(tmp_path: Path) -> None:
    path = fill(tmp_path / "moving.db", ["alpha"])
    browser = next(opened(path))
    assert "was changed since" not in browser.get("/").text
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE case_info SET note = 'x'")
    connection.close()
    assert "was changed since it was opened" in browser.get("/").text


def test_several_cases_are_listed(tmp_path: Path) -> None:
    browser = Browser([fill(tmp_path / "one.db", ["alpha"]), fill(tmp_path / "two.db", ["beta", "gamma"])])
    told = words(browser.get("/").text)
    assert "one.db" in told and "two.db" in told and "2 events on 2 hosts" in told
    assert "gamma" in browser.get("/two").text and "alpha" in browser.get("/case").text
    assert 'href="/two/events"' in browser.get("/two").text
    assert browser.get("/two/last_seen").status_code == 200


def test_errors_are_pages_of_the_house(normal: Browser) -> None:
    answer = normal.get("/case/nothing")
    assert answer.status_code == 404 and "No such page" in answer.text and 'lang="en"' in answer.text
    assert "This case has no table, view or page of that name." in answer.text and 'href="/case/-/search"' in answer.text
    assert "This case has nothing of that number." in normal.get("/case/files/99").text
    assert "No case of that name is served here." in normal.get("/other").text
    answer = normal.get("/case/-/nothing")
    assert answer.status_code == 404 and "no table, view or page" in answer.text
    assert normal.get("/case/nothing.json").json() == {
        "ok": False,
        "status": 404,
        "title": "No such page",
        "error": "Table not found",
    }


def test_plugins_that_are_there_twice_speak_once(normal_case: Path) -> None:
    copies = []
    for path in sorted((site_folder() / "datasette_plugins").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"again_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        pm.register(module)
        copies.append(module)
    try:
        browser = Browser([normal_case])
        page = browser.get("/").text
        assert page.count('href="/case/events">Events<') == 1
        assert "''" not in browser.get("/case/events.csv").text and browser.get("/case/events/1").status_code == 200
        assert browser.get("/case/nothing").status_code == 404
    finally:
        for module in copies:
            pm.unregister(module)


PLAIN = """
import sys
from datasette.cli import cli
cli(["serve", "-i", "case.db", "--plugins-dir", sys.argv[1], "-m", sys.argv[2], "--get", sys.argv[3]])
"""


@pytest.mark.parametrize(
    ("path", "expected"), [("/", "Case 2026-17"), ("/case/events/1", "As Microsoft"), ("/case/last_seen", "silent days")]
)
def test_plain_datasette_shows_the_same_pages(tmp_path: Path, path: str, expected: str) -> None:
    fill(tmp_path / "case.db", ["alpha", "beta"], case_number="2026-17")
    folder = site_folder()
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(folder / "datasette_plugins"), str(folder / "metadata.yml"), path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert expected in words(done.stdout) and 'lang="en"' in done.stdout
    assert [found.name for found in tmp_path.iterdir()] == ["case.db"]
