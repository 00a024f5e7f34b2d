"""The explorer: what it grows, what its address holds, its picture, its table, its files; hostile, ambiguous, too large."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import networkx
import pytest
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.queries import graph_among
from fimforensics.site.explore_asked import State
from tests.analyses.building import change, made

EVIL = "C:\\inetpub\\<b>\u202ex\uffff.aspx"
SHELL: dict[str, Any] = {"by": "C:\\web\\w3wp.exe", "account": "CONTOSO\\eve", "pid": 66}
TOOL: dict[str, Any] = {"by": "C:\\tmp\\x.exe", "account": "CONTOSO\\eve", "pid": 77, "started": "08:01"}
ROWS = [
    change("web", "07:00", "C:\\data\\a.txt", content="a1", by="C:\\app\\note.exe", account="CONTOSO\\ann", pid=5),
    change("web", "08:00", "C:\\tmp\\x.exe", "Created", "x", **SHELL),
    change("web", "08:05", "C:\\data\\a.txt", content="a2", **TOOL),
    change("web", "08:06", "C:\\data\\b.txt", "Renamed", "a2", was="C:\\data\\a.txt", **TOOL),
    change("db", "08:30", "C:\\tmp\\x.exe", "Created", "x", by="C:\\app\\copy.exe", account="CONTOSO\\eve", pid=9),
    change("web", "09:00", EVIL, "Created", "e", **SHELL),
    *(change("web", f"10:{at:02d}", f"C:\\logs\\{at:03d}.log", "Created", by="C:\\app\\log.exe", account="CONTOSO\\log", pid=11)
      for at in range(30)),
]
HERE = "/case/-/explore"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A web shell, what it dropped, what that ran, where else it came, and a busy process."""
    return made(tmp_path_factory.mktemp("explored"), ROWS)


@pytest.fixture(scope="module")
def browser(case: Path) -> Iterator[Browser]:
    """A browser on it."""
    found = Browser([case])
    yield found
    serve.close(found.served)


def twin(browser: Browser, query: str) -> dict:
    """The answer as Cytoscape has it."""
    answer = browser.get(f"{HERE}/page.json?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(found: dict) -> tuple[list[str], list[str]]:
    """Things and relations of an answer by their short names."""
    names = {node["data"]["id"]: node["data"]["short"] for node in found["elements"]["nodes"]}
    return list(names.values()), [f"{names[edge['data']['source']]} {edge['data']['relation']} {names[edge['data']['target']]}"
                                  for edge in found["elements"]["edges"]]


X = "begin=web:C:%5Ctmp%5Cx.exe"
X_THINGS = ["x.exe", "w3wp.exe[66]", "x.exe[77]", "2d711642b726b044…"]
X_RELATIONS = ["w3wp.exe[66] created x.exe", "x.exe became x.exe[77]", "x.exe had 2d711642b726b044…"]


def link(browser: Browser, query: str, words: str) -> str:
    """The address behind a link of the page."""
    page = browser.get(f"{HERE}?{query}").text
    found = re.search(rf'<a data-go="list" href="\?([^"]*)"[^>]*>{re.escape(words)}</a>', page)
    assert found, words
    return found[1].replace("&amp;", "&")


def test_what_is_begun_with_is_expanded(browser: Browser) -> None:
    found = twin(browser, X)
    assert shown(found) == (X_THINGS, X_RELATIONS)
    assert parse_qsl(found["address"]) == [("of", "file#2"), ("open", "file#2")]
    assert shown(twin(browser, found["address"])) == shown(found)
    assert [node["data"]["relations"] for node in found["elements"]["nodes"]] == [3, 3, 4, 2]
    assert found["elements"]["nodes"][1]["position"]["x"] < found["elements"]["nodes"][0]["position"]["x"] \
        < found["elements"]["nodes"][2]["position"]["x"]


def test_expand_and_collapse_are_links_to_other_addresses(browser: Browser) -> None:
    content = twin(browser, X)["elements"]["nodes"][3]["data"]["id"]
    more = State(of=(("file", 2),), open=((("file", 2), 12),)).opened(("content", int(content[8:])))
    things, relations = shown(twin(browser, more))
    assert things == [*X_THINGS, "x.exe"] and relations == [*X_RELATIONS, "x.exe had 2d711642b726b044…"]
    page = browser.get(f"{HERE}?{more}").text
    assert page.count('class="knob"') == 5 and page.count(">−</text>") == 2
    assert shown(twin(browser, link(browser, "of=file%232&open=file%232", "collapse"))) == (["x.exe"], [])
    gone = twin(browser, "of=file%232&open=process%233")  # what hangs on nothing is not carried on
    assert (shown(gone), gone["address"]) == ((["x.exe"], []), "of=file%232")


def test_pinned_things_stay_and_left_out_ones_go(browser: Browser) -> None:
    pinned = "of=file%232&pin=process%231"
    things = twin(browser, pinned)["elements"]["nodes"]
    assert (things[0]["data"]["short"], things[0]["data"]["pinned"]) == ("x.exe", False)
    assert len(things) == 2 and things[1]["data"]["pinned"]
    put = twin(browser, "of=file%232&open=file%232&pin=process%233@600,300")["elements"]["nodes"]
    assert {"x": 600, "y": 300} in [one["position"] for one in put]
    less = twin(browser, X + "&leave=process%232")
    assert len(less["elements"]["nodes"]) == len(X_THINGS) - ("process#2" in str(twin(browser, X)))
    assert "process#2" not in [one["data"]["id"] for one in less["elements"]["nodes"]]


def test_times_and_relations_narrow(browser: Browser) -> None:
    assert shown(twin(browser, X + "&relation=created")) == (X_THINGS[:2], X_RELATIONS[:1])
    assert shown(twin(browser, X + "&since=2026-10-12T08:01&until=2026-10-12T08:30"))[1] == X_RELATIONS[1:2]
    page = browser.get(f"{HERE}?{X}&relation=created").text
    assert "Narrowed to created" in page and re.search(r'value="created" checked', page)


def test_a_way_between_two_picked_things(browser: Browser) -> None:
    account = twin(browser, "begin=CONTOSO%5Ceve")["elements"]["nodes"][0]["data"]["id"].replace("#", "%23")
    found = twin(browser, f"of={account}&of=web:C:%5Cdata%5Ca.txt&pick={account}&pick=file%231")
    assert found["way"] == "Account CONTOSO\\eve led to file web:C:\\data\\a.txt in 2 steps."
    way = [edge["data"]["relation"] for edge in found["elements"]["edges"] if edge["data"]["way"]]
    assert way == ["ran", "modified"]
    page = browser.get(f"{HERE}?of=file%231&of=file%232&pick=file%231").text
    assert "Pick the other" in page and ">way to</a>" in page


def test_a_trace_is_taken_in_and_goes_on(browser: Browser) -> None:
    trace = browser.get("/case/-/trace?of=web:C:%5Ctmp%5Cx.exe").text
    address = re.search(r'href="(explore\?[^"]*)">Go on', trace)
    assert address
    things, relations = shown(twin(browser, address[1].partition("?")[2].replace("&amp;", "&")))
    assert {"x.exe", "w3wp.exe[66]", "CONTOSO\\eve", "x.exe[77]", "a.txt"} <= set(things)
    assert "x.exe[77] modified a.txt" in relations
    assert shown(twin(browser, "trace=file%232&relation=modified"))[0] == ["x.exe", "x.exe[77]", "a.txt"]


def test_renames_are_relations_too(browser: Browser) -> None:
    assert "a.txt renamed to b.txt" in shown(twin(browser, "begin=web:C:%5Cdata%5Ca.txt"))[1]
    assert "a.txt renamed to b.txt" in shown(twin(browser, "begin=web:C:%5Cdata%5Cb.txt"))[1]


def test_more_than_a_few_of_one_relation_wait_for_a_click(browser: Browser) -> None:
    busy = "begin=web:log.exe"
    found = twin(browser, busy)
    things = found["elements"]["nodes"]
    assert len(things) == 1 + 1 + 12 and things[0]["data"]["more"][0]["hidden"] == 18
    page = browser.get(f"{HERE}?{busy}").text
    assert "+18 more: created" in page and "18 more: created" in page
    assert len(twin(browser, things[0]["data"]["more"][0]["query"])["elements"]["nodes"]) == 32


def test_no_more_than_so_many_relations(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fimforensics.site.explore_page.MOST", 5)
    found = twin(browser, "begin=web:log.exe")
    assert found["truncated"] and len(found["elements"]["edges"]) == 5
    assert "Truncated" in browser.get(f"{HERE}?begin=web:log.exe").text
    monkeypatch.setattr(graph_among, "BETWEEN", 1)  # one busy end is no harm: the others tell of the relation
    assert not twin(browser, "begin=web:log.exe")["missed"]
    monkeypatch.setattr(graph_among, "BETWEEN", 0)
    assert twin(browser, "begin=web:log.exe")["missed"]


def test_events_and_findings_begin_with_what_they_name(browser: Browser, case: Path) -> None:
    things = shown(twin(browser, "begin=2"))[0]
    assert {"x.exe", "w3wp.exe[66]", "CONTOSO\\eve"} <= set(things)
    with sqlite3.connect(case) as connection:
        number, = connection.execute("SELECT id FROM findings WHERE process_id IS NOT NULL ORDER BY id").fetchone()
    assert f'explore?begin=finding%23{number}"' in browser.get(f"/case/findings/{number}").text
    assert twin(browser, f"begin=finding%23{number}")["elements"]["edges"]
    assert browser.get(f"{HERE}?begin=finding%231").status_code == 400
    assert 'explore?begin=host%23' in browser.get("/case/hosts/1").text + browser.get("/case/hosts/2").text
    hosts = [browser.get(f"{HERE}/page.json?begin={name}").json() for name in ("web", "db")]
    assert any(found.get("elements", {}).get("edges") for found in hosts)
    assert all("elements" in found or "is a host without findings" in found["error"] for found in hosts)


def test_a_name_of_several_things_is_asked_about(browser: Browser) -> None:
    found = twin(browser, "begin=x.exe")
    assert (found["unclear"], [one["name"] for one in found["candidates"]]) == (
        "x.exe", ["db:C:\\tmp\\x.exe", "web:C:\\tmp\\x.exe", "web:x.exe[77]@2026-10-12T08:01:00"])
    assert "may be one of 3" in browser.get(f"{HERE}?begin=x.exe").text
    empty = browser.get(HERE).text
    assert "Or begin with what the gravest findings name" in empty and "begin=finding%23" in empty
    for page in (empty, browser.get("/case/-/trace").text):  # each of them leads to a picture
        leads = re.findall(r'<span class="kind \w+">\w+</span> <a href="\?([^"]*)"', page)
        where = HERE if page is empty else "/case/-/trace"
        assert leads and all("<g class=\"node" in browser.get(f"{where}?{one}").text for one in leads)


@pytest.mark.parametrize("query", [
    "of=nowhere.txt", "open=file", "pin=file%23x", "pick=%3Cscript%3E", "of=file%23999", "pin=file%23999", "since=yesterday",
    "direction=up&trace=file%231", "at=never"])
def test_what_is_no_address_is_said(browser: Browser, query: str) -> None:
    answer = browser.get(f"{HERE}?{query}")
    assert answer.status_code == 400 and "<script>" not in answer.text and 'role="alert"' in answer.text
    assert browser.get(f"{HERE}/page.json?{query}").json()["ok"] is False
    assert browser.get(f"{HERE}.svg?{query}").status_code == 400


def test_hostile_names_are_inert(browser: Browser) -> None:
    page, file = browser.get(f"{HERE}?begin=6").text, browser.get(f"{HERE}.svg?begin=6").text
    ElementTree.fromstring(file)
    for text in (page, file):
        assert "&lt;b&gt;\\u202ex" in text and "<b>" not in text and "\u202e" not in text
    assert " style=" not in page and "\uffff" not in file


SAME = f"{X}&open=process%233&pin=process%233@620,240&at=2026-10-12T08:02&pick=file%232&pick=file%231&on=file%232"


def test_the_same_address_is_the_same_picture_in_two_servers(browser: Browser, case: Path, tmp_path: Path) -> None:
    others = [Browser([case]), Browser([made(tmp_path, ROWS)])]
    for form in (".svg", ".graphml", "/page.json"):
        first = browser.get(f"{HERE}{form}?{SAME}")
        assert first.status_code == 200
        assert [other.get(f"{HERE}{form}?{SAME}").content for other in (*others, browser)] == [first.content] * 3, form
    pages = [re.search("<svg.*</svg>", one.get(f"{HERE}?{SAME}").text, re.S) for one in (browser, *others)]
    assert pages[0] and len({page[0] for page in pages if page}) == 1
    assert 'opacity=".18"' in browser.get(f"{HERE}.svg?{SAME}").text and " later" in pages[0][0]
    for other in others:
        serve.close(other.served)


HASHES = """
import asyncio, hashlib, httpx, re, sys
from pathlib import Path
from fimforensics import serve
app = serve.asgi(serve.build([Path(sys.argv[1])]))
async def pages():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8001") as client:
        for path in sys.argv[2:]:
            drawn = re.findall("<svg.*?</svg>", (await client.get(path)).text, re.S)
            print(path, len(drawn), hashlib.sha256("".join(drawn).encode()).hexdigest())
asyncio.run(pages())
"""


def test_every_drawn_picture_is_the_same_in_two_processes(case: Path) -> None:
    paths = ["/case", "/case/files/1", "/case/contents/1", "/case/hosts/1", "/case/processes/1", "/case/-/coverage",
             "/case/-/trace?of=file%232", "/case/-/trace.svg?of=file%232", f"{HERE}?{SAME}", f"{HERE}.svg?{SAME}", "/case/events"]
    told = [subprocess.run([sys.executable, "-c", HASHES, str(case), *paths], env={**os.environ, "PYTHONHASHSEED": seed},
                           capture_output=True, text=True, check=True).stdout.splitlines() for seed in ("1", "2")]
    assert told[0] == told[1] and [int(line.split()[-2]) > 0 for line in told[0]] == [True] * len(paths)


def test_graphml_is_read_by_networkx(browser: Browser) -> None:
    answer = browser.get(f"{HERE}.graphml?{X}")
    assert answer.headers["content-disposition"] == 'attachment; filename="graph.graphml"'
    read = networkx.parse_graphml(answer.text)
    assert sorted(data["relation"] for *_, data in read.edges(data=True)) == ["became", "created", "had"]
    assert read.nodes["file:2"]["name"] == "web:C:\\tmp\\x.exe"


def test_the_table_tells_all_that_is_drawn(browser: Browser) -> None:
    page = browser.get(f"{HERE}?{X}").text
    things = re.findall(r'<tr[^>]* data-key="([^"]+)"', page)
    assert things == re.findall(r'<g class="node[^"]*" data-key="([^"]+)"', page) and len(things) == 4
    assert page.count("<tr data-time=") == page.count('<g class="edge')
    assert 'href="/case/events?process_id=' in page
