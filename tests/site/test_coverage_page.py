"""The case's page, the page of coverage and a host's page: silences in sight, figures as in the twins, nothing hostile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from conftest import Browser, empty_case, opened  # type: ignore[import-not-found]

from fimforensics import case as cases
from fimforensics import serve
from fimforensics.analyses import ANALYSES
from fimforensics.queries import heat as heats
from fimforensics.queries import overview, rules
from fimforensics.site import heat_svg
from tests.analyses.building import change, made, value

HOUR = ("02:00", "10:00", "18:00")
SILENT = ("db reported nothing from 2026-10-11 18:00:00 to 2026-10-16 02:00:00 (4 days); it usually reports at least every "
          "8 hours, and 2 of 2 other hosts sent 24 events meanwhile.")
EVIL = "C:\\inetpub\\<b>\u202ex.aspx"


def month(hosts: tuple[str, ...] = ("web", "db", "app")) -> list[dict[str, Any]]:
    """Three events a day on each host; db is silent for four days, and on web eve writes what nobody else does."""
    rows = [change(host, f"{day:02d}T{hour}", f"C:\\data\\{host}.log", content=f"{host} {day} {hour}", by="C:\\app\\svc.exe")
            for host in hosts for day in range(1, 29) for hour in HOUR if not (host == "db" and 12 <= day <= 15)]
    by: dict[str, Any] = {"by": "C:\\tmp\\w3wp.exe", "account": "CONTOSO\\eve", "pid": 66}
    return [*rows, change("web", "20T11:00", EVIL, "Created", content="evil", **by),
            value("web", "20T11:05", "HKLM\\Software\\X", "Run", "cmd", **by)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser on the month, analysed."""
    found = Browser([made(tmp_path_factory.mktemp("month"), month())])
    yield found
    serve.close(found.served)


def words(page: str) -> str:
    """The page's text, white space folded."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<title>.*?</title>|<[^>]+>", "", page.partition("<main")[2])))


def inert(page: str) -> None:
    """No element from evidence, no character that reorders, nothing inline."""
    assert "<b>" not in page and "\u202e" not in page and not re.search(r"\sstyle=|<style|<script(?![^>]*src=)", page)


def test_the_pages_know_all_analyses() -> None:
    assert [one.name for one in ANALYSES] == list(rules.ANALYSES)


def test_the_case_page_has_coverage_first(browser: Browser) -> None:
    page = browser.get("/case").text
    told = words(page)
    inert(page)
    assert "242 events on 3 hosts, from 2026-10-01 02:00:00 to 2026-10-28 18:00:00, from 1 source." in told
    order = [told.index(part) for part in (
        "Accounts2", "Coverage: which host", SILENT, "Findings: what", "1 high 1 medium", "w3wp.exe (CONTOSO", "Events by day",
        "Most unusual", "Busiest accounts", "Busiest folders", "By change", "Sources")]
    assert order == sorted(order)
    assert re.findall(r'<th scope="row"><a href="/case/hosts/(\d)"><bdi>(\w+)</bdi></a></th><td class="strips">', page) == [
        ("2", "db"), ("1", "web"), ("3", "app")]  # the silent one, the one with a finding, the other
    assert "<title>2026-10-12 to 2026-10-15: no event</title>" in page and "<title>2026-10-20: 5 events</title>" in page
    for link in ('href="/case/events/117">last event before', 'href="/case/events/118">first event after',
                 'href="/case/-/findings?severity=high"><strong>1</strong> high', 'href="/case/findings/30000001"',
                 'href="/case/events?account_id=2">2<', 'href="/case/accounts/2"', 'href="/case/processes/4"',
                 'href="/case/-/coverage"', 'href="/case/events?host_id=2">72<', 'href="/case/silences?host_id=2">1<'):
        assert link in page, link


def test_the_twin_of_the_case_has_what_is_drawn(browser: Browser) -> None:
    told = browser.get("/case/page.json").json()
    assert (told["accounts"], told["truncated"], told["rejects"], told["never_ran"], told["stale"]) == (2, 0, 0, [], [])
    lines = told["heat"]["lines"]
    assert [(line["name"], line["events"], line["days_with_events"], len(line["silences"])) for line in lines] == [
        ("db", 72, 24, 1), ("web", 86, 28, 0), ("app", 84, 28, 0)]
    assert lines[0]["counts"] == [3] * 11 + [0] * 4 + [3] * 13
    assert (told["heat"]["step"], told["heat"]["most"], told["heat"]["inside"]) == (1, 5, [True] * 28)
    assert told["findings"] == {"high": 1, "medium": 1, "low": 0, "info": 0} and told["silences_in_all"] == 1
    assert [(one["image"], one["folder"], one["host"], one["events"], one["event_id"]) for one in told["unusual"]] == [
        ("c:\\tmp\\w3wp.exe", "c:\\inetpub\\<b>\u202ex.aspx"[:10], "web", 1, 241),
        ("c:\\tmp\\w3wp.exe", "hklm\\software\\x", "web", 1, 242)]
    assert [tuple(one.values()) for one in told["busy_accounts"]] == [(1, "CONTOSO\\ann", 240), (2, "CONTOSO\\eve", 2)]
    assert [tuple(one.values()) for one in told["busy_folders"]] == [
        ("c:\\data", 240, False, "c:\\data"), ("c:\\inetpub", 1, False, "c:\\inetpub"),
        ("hklm\\software\\x", 1, True, "hklm\\software\\x")]


def test_what_was_asked_once_is_kept_until_the_case_is_another(tmp_path: Path) -> None:
    path = made(tmp_path, month(), analyses=None)
    with cases.reading(path) as connection:
        first = overview.overview(connection)
        assert overview.overview(connection) is first and first.never_ran == list(rules.ANALYSES)
    made(tmp_path, [change("new", "03T10:00", "C:\\x", content="x")])  # into the same case
    with cases.reading(path) as connection:
        again = overview.overview(connection)
    assert (again.summary.facts.events, again.never_ran, again.heat and len(again.heat.lines)) == (243, [], 4)


def test_a_case_that_was_not_analysed_says_so_and_still_draws_what_it_can(tmp_path: Path) -> None:
    browser = next(opened(made(tmp_path, month(), analyses=None)))
    told = words(browser.get("/case").text)
    assert "Not analysed yet: versions, reversions" in told and "Run fimforensics analyze CASE" in told
    assert "Which pauses are silences is not known" in told and "Findings: what" not in told and "2026-10-28" in told
    page = browser.get("/case/-/coverage")
    assert page.status_code == 200 and "Silences are not known" in words(page.text) and "Could a change" not in page.text
    host = words(browser.get("/case/hosts/2").text)
    assert "Not analysed yet" in host and "72 events, from 2026-10-01 to 2026-10-28." in host and "What no other host" not in host
    assert [line["counts"][10:13] for line in browser.get("/case/-/coverage/page.json").json()["heat"]["lines"]] == [
        [3, 3, 3], [3, 0, 0], [3, 3, 3]]


def test_coverage_by_host_and_time(browser: Browser) -> None:
    page = browser.get("/case/-/coverage").text
    told = words(page)
    inert(page)
    assert "3 hosts, 2026-10-01 02:00:00 to 2026-10-28 18:00:00" in told and SILENT in told
    assert "dbsilent once, up to 104 hours2026-10-01 02:00:002026-10-28 18:00:0024 of 280104.0 h0" in told.replace(" db ", "db")
    assert 'href="/case/events/117">last event before' in page and "source-0.jsonl" in told
    asked = "?since=2026-10-12&until=2026-10-16"
    found = browser.get(f"/case/-/coverage/page.json{asked}").json()
    assert (found["hosts_in_all"], found["never_reported"]) == (3, 1)
    assert [one["name"] for one in found["hosts"]] == ["db", "app", "web"]
    assert [one["coverage"]["verdict"] for one in found["hosts"]] == ["never reported in this time", *["no silence found"] * 2]
    assert "1 never reported in this time" in words(browser.get(f"/case/-/coverage{asked}").text)
    one = browser.get("/case/-/coverage/page.json?host=W").json()
    assert [(host["id"], host["name"], host["coverage"]["events"]) for host in one["hosts"]] == [(1, "web", 86)]
    for nobody in ("nobody", "%00", "%ED%A0%80", "%3Cb%3E%E2%80%AE"):
        page = browser.get(f"/case/-/coverage?host={nobody}")
        assert page.status_code == 200 and "No host of the case is called so" in words(page.text), nobody
        inert(page.text)
    for odd in ("%00", "%ED%A0%80", "-99999999w", "%F0%9D%9F%99", "2026-13-45"):
        assert browser.get(f"/case/-/coverage?since={odd}").status_code == 400, odd


def test_times_that_are_none_are_told_and_far_ones_harmless(browser: Browser) -> None:
    page = browser.get("/case/-/coverage", params={"since": "<b>yesterday"})
    assert page.status_code == 400 and "--" not in words(page.text).partition("Host")[0] and "&lt;b&gt;yesterday" in page.text
    inert(page.text)
    far = browser.get("/case/-/coverage/page.json?since=0001-01-01&until=9999-12-31").json()
    assert (far["since"][:10], far["until"][:10], len(far["heat"]["columns"])) == ("1980-01-01", "2101-01-01", 120)
    assert browser.get("/case/-/coverage?since=2026-10-05&until=2026-10-05").status_code == 200
    assert "nothing lies between" in words(browser.get("/case/-/coverage?since=2026-10-05&until=2026-10-05").text)


def test_hosts_by_pages(tmp_path: Path) -> None:
    rows = [change(f"h{number:03}", "03T10:00", "C:\\x", content=str(number)) for number in range(70)]
    browser = next(opened(made(tmp_path, rows, analyses=("coverage",))))
    page = browser.get("/case/-/coverage").text
    assert "Hosts 1 to 50" in words(page)
    assert 'rel="next" href="/case/-/coverage?host=&amp;since=&amp;until=&amp;start=50"' in page
    assert [one["name"] for one in browser.get("/case/-/coverage/page.json?start=50").json()["hosts"]] == [
        f"h{number:03}" for number in range(50, 70)]
    told = words(browser.get("/case").text)
    assert "10 more hosts without silence" in told and "All hosts: verdicts" in told


def test_a_host_tells_who_did_what_and_what_only_it_does(browser: Browser) -> None:
    page = browser.get("/case/hosts/1").text
    told = words(page)
    inert(page)
    assert "86 events, the first at 2026-10-01 02:00:00, the last at 2026-10-28 18:00:00, on 28 of the case's 28 days." in told
    assert "No silence found." in told and "c:\\tmp\\w3wp.exe to write in c:\\inetpub" in told
    for link in ("-/compare?host=web", "-/findings?severity=high&amp;host=1", "findings/30000001", "processes/4",
                 "machine_reports/1", "events?host_id=1&amp;account_id=2", "events?process_id=4",
                 "events?host_id=1&amp;change_id=3",
                 "files?host_id=1&amp;key__startswith=c%3A%5Cdata%5C",
                 "events?host_id=1&amp;time__gte=2026-10-20&amp;time__lt=2026-10-21"):
        assert f'href="/case/{link}"' in page, link
    found = browser.get("/case/hosts/1/page.json").json()
    assert [(one["name"], one["pid"], one["events"]) for one in found["processes"]] == [("svc.exe", 7, 84), ("w3wp.exe", 66, 2)]
    assert [(one["name"], one["events"]) for one in found["accounts"]] == [("CONTOSO\\ann", 84), ("CONTOSO\\eve", 2)]
    assert [(one["kind"], one["events"], one["event_id"]) for one in found["only"]] == [
        ("image in folder", 1, 241), ("image in folder", 1, 242), ("account with image", 2, 241), ("extension in folder", 1, 241)]
    assert [one["computer"] for one in found["names"]] == ["web"] and found["ends"] == [1, 84] and found["only_in_all"] == 4
    silent = browser.get("/case/hosts/2").text
    assert SILENT in words(silent) and 'href="/case/events/117">last event before' in silent and "Silent once" in words(silent)
    assert browser.get("/case/hosts/2/page.json").json()["only"] == []
    assert browser.get("/case/hosts/4").status_code == 404 and browser.get("/case/hosts/4/page.json").status_code == 404


def test_a_day_of_the_host_page_leads_to_its_events(browser: Browser) -> None:
    assert "5 rows" in words(browser.get("/case/events?host_id=1&time__gte=2026-10-20&time__lt=2026-10-21").text)
    last = re.findall(r'href="(/case/events\?host_id=1&amp;time__gte=2026-10-28[^"]*)"', browser.get("/case/hosts/1").text)
    assert "3 rows" in words(browser.get(unescape(last[0])).text)


def test_an_empty_case_has_no_coverage(tmp_path: Path) -> None:
    browser = next(opened(empty_case(tmp_path / "empty.db")))
    assert "There is no event in this case." in words(browser.get("/case").text)
    assert "the case has no event with a usable time" in words(browser.get("/case/-/coverage").text)
    assert browser.get("/case/page.json").json()["heat"] is None


def test_hosts_without_event_are_drawn_as_such(hostile: Browser) -> None:
    for address in ("/case", "/case/-/coverage", *(f"/case/hosts/{number}" for number in range(1, 26))):
        page = hostile.get(address)
        assert page.status_code == 200, address
        assert "<script>alert" not in page.text and "\u202e" not in page.text


def _heat(counts: list[int], inside: list[bool], step: int = 1,
          silences: tuple[heats.Silent, ...] = ()) -> tuple[heats.Line, heats.Heat]:
    days = [f"2026-10-{day:02}" for day in range(1, len(counts) * step + 1)]
    line = heats.Line(1, "<h>", sum(counts), sum(map(bool, counts)), None, None, counts, [0] * len(counts), list(silences))
    return line, heats.Heat(days[0], days[-1], step, days[::step], inside, max(counts), True, [line])


def test_the_drawing_to_the_letter() -> None:
    silent = heats.Silent(1, 1, "silent", "2026-10-02T12:00:00.0000000Z", "2026-10-04T00:00:00.0000000Z", "a <b> \u202e", None,
                          None)
    assert str(heat_svg.strip(*_heat([1, 0, 0, 64], [True, True, True, True], silences=(silent,)))) == (
        '<svg class="heat-strip" viewBox="0 0 40 20" preserveAspectRatio="none" role="img" '
        'aria-label="&lt;h&gt; from 2026-10-01 to 2026-10-04: 65 events on 2 days, 1 silence">'
        '<rect class="h1" x="0" width="10" height="20"><title>2026-10-01: 1 event</title></rect>'
        '<rect class="none" x="10" width="20" height="20"><title>2026-10-02 to 2026-10-03: no event</title></rect>'
        '<rect class="h5" x="30" width="10" height="20"><title>2026-10-04: 64 events</title></rect>'
        '<rect class="silence" x="15.00" y="7" width="15.00" height="6"><title>a &lt;b&gt; \\u202e</title></rect></svg>')
    assert "<title>2026-10-01 to 2026-10-03: no snapshot reaches here</title>" in heat_svg.strip(*_heat([0, 2], [False, True], 3))
    assert [heat_svg.level(count, 64) for count in (1, 2, 3, 8, 33, 64)] == [1, 1, 1, 3, 4, 5]
    assert (heat_svg.level(1, 1), heat_svg.level(1, 2), heat_svg.level(2, 2)) == (5, 1, 5)
