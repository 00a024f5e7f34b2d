"""The page of differences: two times, two hosts, two cases; a part where the case is large; what cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.queries import compare
from tests.analyses.building import change, digest, made, value

EVIL = "C:\\inetpub\\<b>\u202ex.aspx"
ROWS = [
    change("web", "07:00", "C:\\data\\a.txt", content="a1"), change("web", "08:05", "C:\\data\\a.txt", content="a2"),
    change("web", "09:00", EVIL, "Created", "e"),
    change("db", "06:30", "C:\\data\\a.txt", content="a2"), change("db", "08:30", "C:\\tmp\\x.exe", "Created", "x"),
    value("db", "09:10", "HKLM\\Software\\Run", "Start", "cmd"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser on a case, and on one that lacks its last three events."""
    first, second = tmp_path_factory.mktemp("now"), tmp_path_factory.mktemp("then")
    earlier = made(second, ROWS[:3]).rename(second / "earlier.db")
    found = Browser([made(first, ROWS), earlier])
    yield found
    serve.close(found.served)


def rows(browser: Browser, **asked: str) -> list[tuple]:
    """The rows of an answer: class, host, path, the two sides, events."""
    told = browser.get("/case/-/compare/page.json", params=asked).json()["rows"]
    return [(row["verdict"], row["host"], row["path"], *(row[side] and row[side]["text"][:8] for side in ("before", "after")),
             row["events"]) for row in told]


A1, A2, E, X = ((digest(word) or "")[:8] for word in ("a1", "a2", "e", "x"))


def test_two_times(browser: Browser) -> None:
    assert rows(browser, **{"from": "2026-10-12T07:30"}) == [
        ("changed", "web", "C:\\data\\a.txt", A1, A2, [2]), ("added", "db", "C:\\tmp\\x.exe", "absent", X, [5]),
        ("added", "web", EVIL, "absent", E, [3]), ("unknown", "db", "HKLM\\Software\\Run\\Start", "?", "cmd", [6])]
    narrowed = {"from": "-2h", "host": "web", "path": "*a.txt"}
    assert rows(browser, **narrowed) == [("changed", "web", "C:\\data\\a.txt", A1, A2, [2])]
    found = browser.get("/case/-/compare/page.json?from=2026-10-12T07:30&kind=file&all=1").json()
    assert (found["counts"], found["part"], found["command"]) == (
        {"changed": 1, "added": 2, "gone": 0, "unknown": 0, "same": 1}, None,
        "fimforensics diff case.db --from 2026-10-12T07:30 --kind file --all")
    page = browser.get("/case/-/compare?from=2026-10-12T07:30").text
    assert "1 changed</span>" in page and 'href="/case/events/2"' in page and 'href="/case/hosts/1"' in page
    assert "&lt;b&gt;\\u202ex.aspx" in page and "<b>" not in page and "\u202e" not in page


def test_two_hosts(browser: Browser) -> None:
    assert rows(browser, host="web", against="db", kind="file") == [
        ("unknown", "db", EVIL, E, None, [3]), ("unknown", "db", "C:\\tmp\\x.exe", None, X, [5])]
    found = browser.get("/case/-/compare/page.json?host=web&against=db&kind=file").json()
    assert found["whys"] == {"no event on one side": 2} and found["title"] == "From web to db, as each host was last heard of"
    assert found["counts"]["same"] == 1


def test_two_cases_each_side_linked_to_its_own(browser: Browser) -> None:
    found = browser.get("/case/-/compare/page.json?case=earlier").json()
    assert (found["counts"], found["whys"], found["others"]) == (
        {"changed": 0, "added": 0, "gone": 0, "unknown": 3, "same": 2}, {"host on one side only": 3}, ["earlier"])
    page = browser.get("/case/-/compare?case=earlier&all=1&host=web").text
    assert 'href="/case/files/1"' in page and 'href="/earlier/files/1"' in page
    assert browser.get("/earlier/-/compare/page.json?case=case&host=db").json()["counts"]["unknown"] == 3


def test_a_large_case_is_compared_in_part_and_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "THINGS", 2)
    found = browser.get("/case/-/compare/page.json?from=2026-10-12T07:30").json()
    assert found["part"] == ("Only a part was looked at: 2 of 5 files and registry values, hosts by name up to db. Name a host "
                             "or a pattern of paths, or let the command compare all")
    assert sum(found["counts"].values()) == 2
    assert "<code>fimforensics diff case.db --from 2026-10-12T07:30</code>" in browser.get(
        "/case/-/compare?from=2026-10-12T07:30").text
    whole = browser.get("/case/-/compare/page.json?from=2026-10-12T07:30&path=*x.exe").json()
    assert whole["part"] is None and whole["counts"]["added"] == 1


@pytest.mark.parametrize(("asked", "said"), [
    ("from=2026-10-12&case=earlier", "one comparison at a time"), ("to=2026-10-12&against=db", "one comparison at a time"),
    ("against=db", "a second host without a first"), ("case=nothing", "no other case"), ("case=case", "no other case"),
    ("from=soon", "from:"), ("from=2026-10-13&to=2026-10-12", "is before"), ("from=2026-10-12&host=no-such", "names no host"),
    ("from=2026-10-12&kind=folder", "kind is file or registry"), ("from=2026-10-12&path=" + "a" * 1001, "at most 1,000 letters"),
    ("host=web&against=web", "both names mean the host web")])
def test_what_cannot_be_compared(browser: Browser, asked: str, said: str) -> None:
    answer = browser.get(f"/case/-/compare?{asked}")
    assert answer.status_code == 400 and said in answer.text and "<form" in answer.text


def test_nothing_asked_nothing_there_nothing_analysed(browser: Browser, tmp_path: Path) -> None:
    assert "In a pattern of paths" in browser.get("/case/-/compare").text
    assert "Nothing that fits is known." in browser.get("/case/-/compare?from=2026-10-12&path=nothing*").text
    bare = Browser([made(tmp_path, ROWS[:1], analyses=None)])
    answer = bare.get("/case/-/compare?from=2026-10-12")
    serve.close(bare.served)
    assert answer.status_code == 400 and "Run: fimforensics analyze CASE" in answer.text


@pytest.mark.parametrize("glob", ["[", "[a", "*[!", "?" * 40, "\x00", "'", "\ud83e", "*" * 30 + "x"])
def test_no_pattern_breaks_it(browser: Browser, glob: str) -> None:
    asked = {"from": "2026-10-12", "path": glob.encode("utf-8", "replace")}
    assert browser.get("/case/-/compare", params=asked).status_code == 200
