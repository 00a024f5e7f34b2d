"""The graph explorer: its answer, its picture, its file; narrowed, ambiguous, hostile, empty, without analyses."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.site.trace_layout import DRAWN, layout
from fimforensics.site.trace_page import Line, Thing, TracePage
from fimforensics.site.trace_svg import picture, shortened
from tests.analyses.building import change, made

EVIL = "C:\\inetpub\\<b>\u202ex\uffff.aspx"
SHELL: dict[str, Any] = {"by": "C:\\web\\w3wp.exe", "account": "CONTOSO\\eve", "pid": 66}
TOOL: dict[str, Any] = {"by": "C:\\tmp\\x.exe", "account": "CONTOSO\\eve", "pid": 77, "started": "08:01"}
ROWS = [
    change("web", "07:00", "C:\\data\\a.txt", content="a1", by="C:\\app\\note.exe", account="CONTOSO\\ann", pid=5),
    change("web", "08:00", "C:\\tmp\\x.exe", "Created", "x", **SHELL),
    change("web", "08:05", "C:\\data\\a.txt", content="a2", **TOOL),
    change("db", "08:30", "C:\\tmp\\x.exe", "Created", "x", by="C:\\app\\copy.exe", account="CONTOSO\\eve", pid=9),
    change("web", "09:00", EVIL, "Created", "e", **SHELL),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser on a web shell, what it dropped, what that ran and where else it came."""
    found = Browser([made(tmp_path_factory.mktemp("traced"), ROWS)])
    yield found
    serve.close(found.served)


def told(browser: Browser, **asked: object) -> list[tuple]:
    """The steps of an answer: direction, depth, time, sentence, fits."""
    steps = browser.get("/case/-/trace/page.json", params=asked).json()["steps"]
    return [(step["direction"], step["depth"], step["time"][11:16],
             " ".join(part for part in (step["before"], step["thing"]["short"] + step["after"] if step["after"][:1] == "," else
                                        f"{step['thing']['short']} {step['after']}".strip()) if part), step["fits"])
            for step in steps]


DROPPED = [
    ("back", 1, "08:00", "w3wp.exe[66] created it", True),
    ("back", 2, "00:00", "CONTOSO\\eve ran it", True),
    ("forward", 1, "08:00", "had content 2d711642b726b044…, which came elsewhere", True),
    ("forward", 2, "08:30", "came to x.exe", True),
    ("forward", 1, "08:01", "became x.exe[77]", True),
    ("forward", 2, "08:05", "modified a.txt", True),
]


def test_both_sides_of_a_file(browser: Browser) -> None:
    assert told(browser, of="web:C:\\tmp\\x.exe") == DROPPED
    assert told(browser, of="web:C:\\tmp\\x.exe", direction="back") == DROPPED[:2]
    assert told(browser, of="web:C:\\tmp\\x.exe", depth=1) == [line for line in DROPPED if line[1] == 1]
    page = browser.get("/case/-/trace", params={"of": "web:C:\\tmp\\x.exe"}).text
    assert "What led to it, later first" in page and "What came of it" in page
    assert 'href="/case/processes/' in page and 'href="?of=file%23' in page and 'href="trace.svg?of=web' in page
    assert re.search(r'<script type="module" src="/-/fimforensics/graph.js\?[0-9a-f]{12}"></script>', page)


def test_times_and_relations_leave_the_way_to_what_fits(browser: Browser) -> None:
    assert told(browser, of="web:C:\\tmp\\x.exe", relation="modified") == [
        ("forward", 1, "08:01", "became x.exe[77]", False), ("forward", 2, "08:05", "modified a.txt", True)]
    assert told(browser, of="web:C:\\tmp\\x.exe", since="2026-10-12T08:20") == [
        ("forward", 1, "08:00", "had content 2d711642b726b044…, which came elsewhere", False),
        ("forward", 2, "08:30", "came to x.exe", True)]
    page = browser.get("/case/-/trace", params={"of": "web:C:\\tmp\\x.exe", "until": "2026-10-11"}).text
    assert "Of the 6 steps that are known, 0 fit" in page and "<svg" not in page


def test_a_way_between_two(browser: Browser) -> None:
    address = {"of": "CONTOSO\\eve", "to": "web:C:\\data\\a.txt"}
    assert told(browser, **address) == [("forward", 1, "08:01", "ran x.exe[77]", True),
                                        ("forward", 2, "08:05", "modified a.txt", True)]
    found = browser.get("/case/-/trace/page.json", params=address).json()
    assert found["path"] == "Account CONTOSO\\eve led to file web:C:\\data\\a.txt in 2 steps."
    none = browser.get("/case/-/trace/page.json", params={"of": "CONTOSO\\ann", "to": "db:C:\\tmp\\x.exe"}).json()
    assert (none["steps"], none["path"]) == ([], "No way was found from account CONTOSO\\ann to file db:C:\\tmp\\x.exe or back "
                                                 "within 8 steps. There is no connection.")
    same = browser.get("/case/-/trace", params={"of": "CONTOSO\\ann", "to": "CONTOSO\\ann"})
    assert same.status_code == 400 and "both names mean account CONTOSO\\ann" in same.text


def test_what_a_name_may_mean_is_offered(browser: Browser) -> None:
    found = browser.get("/case/-/trace/page.json?of=x.exe").json()
    assert (found["unclear"], found["candidates_in_all"], [one["name"] for one in found["candidates"]]) == (
        "x.exe", 3, ["db:C:\\tmp\\x.exe", "web:C:\\tmp\\x.exe", "web:x.exe[77]@2026-10-12T08:01:00"])
    assert "“<bdi>x.exe</bdi>” may be one of 3" in browser.get("/case/-/trace?of=x.exe").text
    second = browser.get("/case/-/trace?of=CONTOSO%5Ceve&to=x.exe").text
    assert 'href="?of=CONTOSO%5Ceve&amp;to=process%233&amp;' in second
    missing = browser.get("/case/-/trace?of=nowhere.txt")
    assert missing.status_code == 400 and "names no event, file" in missing.text and 'value="nowhere.txt"' in missing.text
    assert browser.get("/case/-/trace").status_code == 200
    assert browser.get("/case/-/trace?direction=up").status_code == 400


def test_the_file_is_the_picture_byte_for_byte(browser: Browser, tmp_path: Path) -> None:
    address = "/case/-/trace.svg?of=web:C:%5Ctmp%5Cx.exe"
    answer = browser.get(address)
    assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="trace-file-2.svg"'
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    other = Browser([made(tmp_path, ROWS)])
    assert browser.get(address).content == answer.content == other.get(address).content
    serve.close(other.served)
    root = ElementTree.fromstring(answer.content)
    assert [text.text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "name"] == [
        "x.exe", "w3wp.exe[66]", "CONTOSO\\eve", "2d711642b726b044…", "x.exe", "x.exe[77]", "a.txt"]
    assert {one.tag.partition("}")[2] for one in root.iter()} == {"svg", "rect", "g", "path", "title", "text", "circle"}
    assert [browser.get(f"/case/-/trace.svg{asked}").status_code for asked in ("", "?of=x.exe", "?of=nothing")] == [400] * 3


def test_hostile_names_are_inert(browser: Browser) -> None:
    of = {"of": "event#5"}
    found = browser.get("/case/-/trace/page.json", params=of).json()
    assert (found["start"]["name"], found["from_event"]) == (f"web:{EVIL}", 5)
    page, file = browser.get("/case/-/trace", params=of).text, browser.get("/case/-/trace.svg", params=of).text
    ElementTree.fromstring(file)
    for text in (page, file):
        assert "&lt;b&gt;\\u202ex" in text and "<b>" not in text and "\u202e" not in text
    assert "\\uffff.aspx" in file and "\uffff" not in file and " style=" not in page
    for name in ("<script>alert(1)</script>", "\x00", "' OR 1 --", "a" * 3000, "file#99999999999999999999", "[", "*"):
        answer = browser.get("/case/-/trace", params={"of": name, "to": name, "since": ""})
        assert answer.status_code == 400 and "<script>alert" not in answer.text
    assert browser.get("/case/-/trace?of=file%231&since=yesterday").status_code == 400


def test_without_analyses_it_says_what_to_run(tmp_path: Path) -> None:
    browser = Browser([made(tmp_path, ROWS[:1], analyses=None)])
    answer = browser.get("/case/-/trace?of=CONTOSO%5Cann")
    serve.close(browser.served)
    assert answer.status_code == 400 and "Run: fimforensics analyze CASE" in answer.text


def thing(number: int, name: str = "srv:C:\\x") -> Thing:
    """A file of this number."""
    return Thing("file", number, name, "files", f"f{number}", "srv", f"file#{number}")


def line(number: int, follows: int, direction: str, depth: int, again: int | None = None) -> Line:
    """A step of a trace."""
    time = f"2026-10-12T08:{number % 60:02d}:00.0000000Z"
    return Line(number, follows, direction, depth, time, "created", "", thing(number), "", "", None, 1, "", again)


def test_things_stand_by_distance_and_first_followers_in_a_row() -> None:
    page = TracePage("", "", "both", 6, 28, None, None, (), start=thing(0), steps=(
        line(1, 0, "back", 1), line(3, 1, "back", 2), line(4, 1, "back", 2), line(2, 0, "back", 1), line(5, 0, "forward", 1),
        line(6, 5, "forward", 2, again=0)))
    drawn = layout(page)
    assert [(node.number, node.column, node.row) for node in drawn.nodes] == [
        (0, 2, 0), (1, 1, 0), (3, 0, 0), (4, 0, 1), (2, 1, 2), (5, 3, 0), (6, 4, 0)]
    assert [(edge.before, edge.after) for edge in drawn.edges] == [(1, 0), (3, 1), (4, 1), (2, 0), (0, 5), (5, 6)]
    assert (drawn.columns, drawn.rows) == (5, 3)
    assert 'stroke-dasharray' in str(picture(page)) and ", the start</title>" in str(picture(page))


def test_a_large_trace_is_drawn_in_part() -> None:
    page = TracePage("", "", "forward", 6, 300, None, None, (), start=thing(0),
                     steps=tuple(line(number, 0, "forward", 1) for number in range(200, 0, -1)))
    drawn = layout(page)
    assert len(drawn.nodes) == DRAWN and {node.number for node in drawn.nodes} == set(range(DRAWN))


@pytest.mark.parametrize(("text", "short"), [
    ("abc", "abc"), ("abcdefghijklmnop", "abcd…mnop"), ("漢字漢字漢字漢", "漢字…字漢"), ("", ""), ("WWWWWWWWWW", "WWW…WWW")])
def test_names_are_shortened_to_their_room(text: str, short: str) -> None:
    assert shortened(text, 95) == short
