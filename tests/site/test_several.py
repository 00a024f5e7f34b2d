"""Several cases side by side: the pages of each are whole and say whose they are, and one search looks into all."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from conftest import Browser  # type: ignore[import-not-found]
from noting import EVENTS  # type: ignore[import-not-found]

from fimforensics import serve
from tests.analyses.building import change, made

LINK = re.compile(r'<a [^>]*?href="([^"]*)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Two cases, the second of a name that addresses write otherwise."""
    first = made(tmp_path_factory.mktemp("first"), [change("one", "08:00", "/etc/one", "Created", "o")], analyses=())
    second = made(tmp_path_factory.mktemp("second"), EVENTS, analyses=())
    second = second.rename(second.with_name("zwëi & 50%.db"))
    browser = Browser([first, second])
    yield browser
    serve.close(browser.served)


def other(site: Browser) -> str:
    """The address of the second case."""
    return str(site.served.urls.database(next(name for name in site.served.databases if name not in ("case", "_internal"))))


def test_every_link_of_the_second_case_leads_somewhere_in_it(site: Browser) -> None:
    base, seen, waiting = other(site), set[str](), [other(site)]
    kinds: dict[str, int] = {}
    while waiting and len(seen) < 160:
        path = waiting.pop(0)
        kind = re.sub(r"[0-9]+", "N", urlsplit(path).path) + "?" + "&".join(sorted(re.findall(r"(\w+)=", urlsplit(path).query)))
        kinds[kind] = kinds.get(kind, 0) + 1
        if path in seen or kinds[kind] > 2:
            continue
        seen.add(path)
        answer = site.get(path)
        assert answer.status_code in (200, 302), path
        if "text/html" in answer.headers.get("content-type", ""):
            for found in LINK.findall(answer.text):
                target = urljoin(path, html.unescape(found)).partition("#")[0].removeprefix("http://127.0.0.1:8001")
                assert target == "/" or target.startswith(base) or target.startswith("/-/"), (path, target)
                waiting += [target] if target != "/" else []  # which is everybody's
    assert len(seen) > 60


def test_pages_say_in_which_case_one_is(site: Browser) -> None:
    base = other(site)
    for path in ("", "/events", "/events/1", "/hosts/1", "/files/1", "/-/findings", "/-/coverage", "/-/evidence", "/-/trace",
                 "/-/compare", "/-/search?q=srv", "/registry_changes"):
        page = site.get(base + path).text
        title = html.unescape(re.search("<title>(.*?)</title>", page)[1])  # type: ignore[index]
        assert "zwëi & 50%.db" in title and "case.db" not in title, (path, title)
    assert "One file on one host" in site.get(base + "/files").text  # metadata.yml tells of it, too


def test_one_search_looks_into_all_cases(site: Browser) -> None:
    found = site.get("/case/-/search/page.json?q=etc").json()["found"]
    assert [case["case"] for case in found] == ["case", other(site).strip("/").replace("~C3~AB", "ë")]
    assert all(case["groups"] for case in found)
    assert site.get(other(site) + "/-/search/page.json?q=etc").json()["found"][0]["case"] != "case"
    for target in LINK.findall(site.get("/case/-/search?q=cron").text):
        if target.startswith(other(site)):
            assert site.get(html.unescape(target)).status_code == 200


def test_the_first_page_is_a_card_for_each(site: Browser) -> None:
    page = site.get("/").text
    assert f'href="{other(site)}"' in page and 'href="/case"' in page and page.count("<h2") >= 2


def test_files_that_are_the_same_twice_are_told_apart(tmp_path: Path) -> None:
    case = made(tmp_path, EVENTS, analyses=None)
    browser = Browser([case, case])
    assert [browser.get(f"/{name}/events/1").status_code for name in ("case", "case-2")] == [200, 200]
    serve.close(browser.served)
