"""The findings: counted, narrowed, paged, each with its rule in words and its events; nothing found, hostile text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from conftest import HOSTILE, Browser, opened  # type: ignore[import-not-found]

from fimforensics.analyses import ANALYSES
from fimforensics.case import reading
from fimforensics.queries import rules
from fimforensics.queries.findings_listed import Chosen, counted, listed
from fimforensics.site.parts import Piece, Thing, pieces
from tests.analyses.building import change, made, value

RUN = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"


def words(page: str) -> str:
    """The page's text, white space folded."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2])))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A dropped program that ran and set a Run key on one host, a Run key alone on another."""
    drop = "C:\\Users\\ann\\AppData\\drop.exe"
    case = made(tmp_path_factory.mktemp("found"), [
        change("srv", "08:00", drop, "Created", "evil", by="C:\\inetpub\\w3wp.exe", account="IIS\\pool", pid=4),
        value("srv", "08:10", RUN, "Updater", drop, by=drop, pid=9, started="08:05",
              InitProcImageSha256=change("x", "08:00", "y", content="evil")["FileSha256"]),
        value("web", "09:00", RUN, "Agent", "C:\\agent\\a.exe", by="C:\\agent\\setup.exe")])
    yield from opened(case)


def test_words_of_the_rules_are_the_analyses_own() -> None:
    assert [(one.analysis, one.name, one.severity, one.technique, one.meaning, one.innocent) for one in rules.RULES] == [
        (analysis.name, rule.name, rule.severity, rule.technique, rule.meaning, rule.innocent)
        for analysis in ANALYSES for rule in analysis.rules]
    assert tuple(analysis.name for analysis in ANALYSES) == rules.ANALYSES
    assert tuple(analysis.name for analysis in ANALYSES if analysis.rules) == rules.WITH_RULES


def test_names_in_a_sentence_are_links_but_not_inside_longer_ones() -> None:
    web, tool = Thing("host", "hosts", 1, "web"), Thing("file", "files", 2, "/opt/tool")
    assert pieces("web: /opt/tool, not /opt/tool.dat, not web01, not my/opt/tool; web.", [web, tool]) == (
        Piece("web", "hosts", 1), Piece(": "), Piece("/opt/tool", "files", 2),
        Piece(", not /opt/tool.dat, not web01, not my/opt/tool; "), Piece("web", "hosts", 1), Piece("."))
    assert pieces("a b", [Thing("host", "hosts", 1, "a")]) == (Piece("a b"),)


def test_the_twin_counts_and_orders(site: Browser) -> None:
    told = site.get("/case/-/findings/page.json").json()
    assert {one["name"]: one["findings"] for one in told["severities"]} == {"high": 1, "medium": 2, "low": 0, "info": 0}
    assert {one["name"]: one["findings"] for one in told["by_rule"]} == {"became process": 1, "persistence place": 2}
    assert [(one["severity"], one["rule"], one["first"][11:16]) for one in told["lines"]] == [
        ("high", "became process", "08:00"), ("medium", "persistence place", "08:10"), ("medium", "persistence place", "09:00")]
    assert (told["findings"], told["in_all"], told["page"], told["pages"], told["earlier"], told["later"]) == (
        3, 3, 1, 1, None, None)
    assert [rule["name"] for rule in told["rules"]] == ["became process", "persistence place"] and told["warnings"] == []
    assert told["severities"][0]["query"] == "?severity=high"


def test_the_page_links_and_explains(site: Browser) -> None:
    page = site.get("/case/-/findings").text
    assert 'href="/case/-/findings?severity=high"' in page and 'href="/case/-/findings?rule=persistence+place"' in page
    assert "May be innocent:" in words(page) and rules.BY_NAME["persistence place"].innocent in words(page)
    number = site.get("/case/-/findings/page.json").json()["lines"][0]["id"]
    assert f'href="/case/findings/{number}"' in page and 'href="/case/hosts/1"' in page and 'href="/case/files/1"' in page


def test_choices_narrow_together(site: Browser) -> None:
    told = site.get("/case/-/findings/page.json?severity=medium&rule=persistence+place&host=srv").json()
    assert [(one["severity"], one["rule"]) for one in told["lines"]] == [("medium", "persistence place")]
    assert told["severities"][1] == {"name": "medium", "findings": 1, "on": True, "query": "?rule=persistence+place&host=1"}
    assert told["only"] == [[{"kind": "host", "table": "hosts", "id": 1, "name": "srv"},
                             "?severity=medium&rule=persistence+place"]]
    by_number = site.get("/case/-/findings/page.json?host=2").json()
    assert [one["first"][11:16] for one in by_number["lines"]] == ["09:00"]
    of_file = site.get("/case/-/findings/page.json?file=1").json()
    assert [one["rule"] for one in of_file["lines"]] == ["became process"] and of_file["only"][0][1] == ""
    none = words(site.get("/case/-/findings?severity=low").text)
    assert "No finding fits this choice; there are 3 others." in none


@pytest.mark.parametrize(("query", "said"), [("severity=dire", "no such severity"), ("rule=nonsense", "no such rule"),
                                             ("host=nowhere", "names no host")])
def test_what_cannot_be_asked_is_said(site: Browser, query: str, said: str) -> None:
    page = site.get(f"/case/-/findings?{query}")
    assert page.status_code == 400 and said in words(page.text)
    twin = site.get(f"/case/-/findings/page.json?{query}")
    assert twin.status_code == 400 and twin.json()["ok"] is False


def test_one_finding(site: Browser) -> None:
    first = site.get("/case/-/findings/page.json").json()["lines"][0]
    told = site.get(f"/case/findings/{first['id']}/page.json").json()
    assert told["finding"] == first and told["rule"]["name"] == "became process" and told["analysis"] == "relations"
    assert [(one["change"], one["process"]) for one in told["lines"]] == [
        ("Created", "w3wp.exe"), ("RegistryValueSet", "drop.exe")]
    assert told["trace"] == told["lines"][0]["id"]
    page = site.get(f"/case/findings/{first['id']}").text
    assert f'href="/case/-/trace?of=event%23{told["trace"]}"' in page and "May be innocent:" in words(page)
    assert site.get("/case/findings/7/page.json").status_code == 404 and site.get("/case/findings/7").status_code == 404


def test_pages_of_many_follow_each_other(tmp_path: Path) -> None:
    keys = [value(f"h{at:03d}", f"{at // 60 + 1:02d}:{at % 60:02d}", RUN, f"V{at}", f"C:\\p\\{at}.exe", by=f"C:\\p\\s{at}.exe")
            for at in range(120)]
    case = made(tmp_path, keys, analyses=("persistence",))
    with reading(case) as connection:
        counts = counted(connection, Chosen())
        in_all = {"medium": sum(counts.values())}
        assert list(counts) == [("medium", "persistence place")] and in_all == {"medium": 120}
        at_once = [one.id for one in listed(connection, Chosen(), in_all, 200)]
        assert at_once == [one.id for skip in range(0, 120, 50) for one in listed(connection, Chosen(), in_all, 50, skip)]
    for browser in opened(case):
        last = browser.get("/case/-/findings/page.json?page=99").json()
        assert (last["page"], last["pages"], len(last["lines"]), last["later"], last["earlier"]) == (3, 3, 20, None, "?page=2")
        assert 'rel="next" href="/case/-/findings?page=2"' in browser.get("/case/-/findings").text
        assert "Not run on this case" in words(browser.get("/case/-/findings").text)


def test_nothing_found_is_no_innocence(tmp_path: Path) -> None:
    for browser in opened(made(tmp_path, [change("srv", "08:00", "D:\\data\\a.txt", content="a")])):
        told = words(browser.get("/case/-/findings").text)
        assert "Nothing was found." in told and "does not prove that nothing happened" in told and "web script written" in told


def test_hostile_names_stay_inert(tmp_path: Path) -> None:
    bad = [word for word in HOSTILE if "\x00" not in word and "\\" not in word and "/" not in word and word.strip() == word]
    case = made(tmp_path, [value(f"h{at}", f"08:{at:02d}", RUN, word, word, by=word, account=None)
                           for at, word in enumerate(bad)])
    for browser in opened(case):
        told = browser.get("/case/-/findings/page.json").json()
        assert len(told["lines"]) > len(bad)
        for address in ("/case/-/findings", *(f"/case/findings/{one['id']}" for one in told["lines"])):
            page = browser.get(address).text
            assert "<script>alert" not in page and "<img src=x" not in page and "\u202e" not in page and "\x1b" not in page
