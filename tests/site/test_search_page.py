"""One box over everything: what it finds, in which order, in every case; what nobody can break with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import HOSTILE, Browser  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.site.search_page import PAGE
from tests.analyses.building import change, digest, made, value

SHELL: dict[str, Any] = {"by": "C:\\web\\w3wp.exe", "account": "CONTOSO\\eve", "pid": 66}
ROWS = [
    change("web", "08:00", "C:\\tmp\\netstatd.exe", "Created", "x", **SHELL),
    change("db", "08:30", "C:\\tmp\\netstatd.exe", "Created", "x", **SHELL),
    change("db", "08:31", "C:\\netstatd.exe-old\\100%_sure.txt", "Created", "y", **SHELL),
    value("db", "09:10", "HKLM\\Software\\Run", "Netstatd", "cmd", RequestSourceIP="10.2.3.4", **SHELL),
]
OTHER = [change("app", "08:00", f"C:\\many\\netstatd{number:03d}.log") for number in range(60)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser on two cases."""
    first, second = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    other = made(second, OTHER).rename(second / "other.db")
    found = Browser([made(first, ROWS), other])
    yield found
    serve.close(found.served)


def found(browser: Browser, text: str, case: str = "case", **more: object) -> dict[str, list[tuple]]:
    """What a case has of a text: group → hits as table, name and places."""
    told = browser.get(f"/{case}/-/search/page.json", params={"q": text, **more}).json()
    groups = next(one["groups"] for one in told["found"] if one["case"] == case)
    return {group["name"]: [(hit["table"], hit["name"], *(place["name"] for place in hit["places"])) for hit in group["hits"]]
            for group in groups if group["name"] != "findings"}


def test_what_is_named_so_then_kind_by_kind(browser: Browser) -> None:
    assert found(browser, "netstatd.exe") == {
        "named": [("files", "db:C:\\tmp\\netstatd.exe"), ("files", "web:C:\\tmp\\netstatd.exe")],
        "files": [("paths", "C:\\tmp\\netstatd.exe", "db", "web"), ("files", "C:\\netstatd.exe-old\\100%_sure.txt", "db")]}
    assert found(browser, "netstat")["registry"] == [("registry_values", "HKLM\\Software\\Run\\Netstatd", "db")]
    assert found(browser, "etstatd.ex")["files"] == [("paths", "C:\\tmp\\netstatd.exe", "db", "web"),
                                                     ("files", "C:\\netstatd.exe-old\\100%_sure.txt", "db")]
    assert found(browser, "0%_s") == {"files": [("files", "C:\\netstatd.exe-old\\100%_sure.txt", "db")]}
    assert found(browser, "EVE") == {"named": [("accounts", "CONTOSO\\eve")], "accounts": [("accounts", "CONTOSO\\eve")]}
    assert found(browser, "10.2.")["addresses"] == [("requests", "10.2.3.4")]
    hashed = digest("x") or ""
    assert found(browser, hashed[:8].upper())["contents"] == [
        ("contents", hashed, "db:C:\\tmp\\netstatd.exe", "web:C:\\tmp\\netstatd.exe")]
    assert found(browser, hashed[:7]) == {}
    assert [hit[:2] for hit in found(browser, "w3wp")["programs"]] == [("images", "C:\\web\\w3wp.exe")]
    assert found(browser, "w") == {"hosts": [("hosts", "web")], "programs": found(browser, "w3wp")["programs"],
                                   "registry": [("registry_values", "HKLM\\Software\\Run\\Netstatd", "db")]}


def test_findings_are_found_by_their_words(browser: Browser) -> None:
    told = browser.get("/case/-/search/page.json?q=hosts+netstatd").json()["found"][0]["groups"]
    sentences = [hit["name"] for group in told if group["name"] == "findings" for hit in group["hits"]]
    assert len(sentences) == 1 and "came to 2 of 2 hosts" in sentences[0]


def test_every_case_is_searched_and_says_which(browser: Browser) -> None:
    page = browser.get("/case/-/search?q=netstatd").text
    assert 'In <a href="/case"><bdi>case</bdi></a>' in page and 'In <a href="/other"><bdi>other</bdi></a>' in page
    assert page.count('href="/other/files/') >= 20 and 'href="/other/-/search?q=netstatd&amp;only=files&amp;skip=0"' in page
    assert "40 more of these" in page
    rest = browser.get(f"/other/-/search/page.json?q=netstatd&only=files&skip={PAGE}").json()
    assert rest["all_cases"] == ["other"] and [len(group["hits"]) for group in rest["found"][0]["groups"]] == [60 - PAGE]
    whole = browser.get("/other/-/search/page.json?q=netstatd&only=no&skip=7").json()
    assert (whole["only"], whole["skip"], whole["all_cases"]) == (None, 0, ["other", "case"])


def test_the_box_is_on_every_page(browser: Browser) -> None:
    for address in ("/", "/case", "/case/events", "/case/events/1", "/nothing"):
        page = browser.get(address).text
        assert '<label for="find">Search</label>' in page and 'action="/case/-/search"' in page
    assert 'action="/other/-/search"' in browser.get("/other/events").text


def test_nothing_found_says_what_was_looked_for(browser: Browser) -> None:
    page = browser.get("/case/-/search?q=zzz").text
    assert "Nothing in these 2 cases has “<bdi>zzz</bdi>” in its name." in page and "filter the events" in page
    assert "Several words must all be there" in browser.get("/case/-/search").text


@pytest.mark.parametrize("text", [
    *HOSTILE, '"', "''", "*", "(", "a AND", "NOT", "OR OR", "NEAR(a b, 2)", "path:x", "{path} : x", "^a", "a + b", "-", "\\", "%",
    "_", "!", "a" * 400, '"a" "', "\x00\x00", "9" * 30, "Ａ", "🦊"])
def test_no_text_breaks_it(browser: Browser, text: str) -> None:
    answer = browser.get("/case/-/search", params={"q": text})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text and "<img src=x" not in answer.text and "\u202e" not in answer.text
    assert browser.get("/case/-/search/page.json", params={"q": text}).status_code == 200


def test_too_long_a_text_is_refused_in_one_line(browser: Browser) -> None:
    answer = browser.get("/case/-/search", params={"q": "a" * 401})
    assert answer.status_code == 400 and "a text to look for has at most 400 letters; this one has 401" in answer.text


def test_evidence_that_attacks_is_shown_inert(hostile: Browser) -> None:
    for text in ("script", "invoice", "evil", "alert", "out"):
        page = hostile.get("/case/-/search", params={"q": text}).text
        assert "<script>alert" not in page and "<img src=x" not in page and "\u202e" not in page and 'href="http' not in page
