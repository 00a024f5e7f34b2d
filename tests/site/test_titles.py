"""What pages, rows and columns are called: by the thing and the case, never by a bare number."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from conftest import Browser  # type: ignore[import-not-found]
from kinds import pages  # type: ignore[import-not-found]


def words(page: str) -> str:
    """The page's text, white space folded."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2])))


def title(page: str) -> str:
    """The page's title."""
    return unescape(page.partition("<title>")[2].partition("</title>")[0])


def test_headings_and_titles_name_the_thing_and_the_case(normal: Browser) -> None:
    for path, heading, expected in (
        ("/case/processes/2", "beta process, pid 4711", "beta, process 2 · 2026-17 · fimforensics"),
        ("/case/accounts/1", "alpha account", "alpha, account 1 · 2026-17 · fimforensics"),
        ("/case/snapshots/3", "gamma source 3", "gamma, source 3 · 2026-17 · fimforensics"),
        ("/case/rejects/1", "Reject 1", "reject 1 · 2026-17 · fimforensics"),
        ("/case/events/2", "beta registry", "beta event 2 · 2026-17 · fimforensics"),
        ("/case/events", "Events", "Events: 3 rows · 2026-17 · fimforensics"),
        ("/case/last_seen", "When did each machine last report?", "When did each machine last report? · 2026-17 · fimforensics"),
        ("/case", "Case 2026-17", "2026-17: tables · fimforensics"),
    ):
        page = normal.get(path).text
        found = re.findall(r"<h1>(.*?)</h1>", page, re.S)
        assert [words(f"<main>{told}").lstrip(">").strip() for told in found] == [heading], path
        assert title(page) == expected
    crumbs = normal.get("/case/processes/2").text.partition('class="crumbs"')[2].partition("</nav>")[0]
    assert re.findall(r"<bdi>(.*?)</bdi>", crumbs) == ["2026-17", "Processes"]


def test_no_title_is_the_name_of_a_table_with_a_number(noted_sample: Browser, sample_case: Path) -> None:
    titles = {page: title(noted_sample.get(page).text) for page in pages(sample_case)}
    assert any(re.fullmatch(r"[A-Z][a-z ]+, finding \d+ · DEMO-1 · fimforensics", told) for told in titles.values())
    assert {page: told for page, told in titles.items() if re.match(r"[a-z]+(_[a-z]+)+ \d|[a-z]+s \d", told)} == {}


def test_a_source_says_how_to_get_its_original(normal: Browser) -> None:
    assert "fimforensics original normal.db 2 --output FILE" in words(normal.get("/case/snapshots/2").text)
    assert "fimforensics original" not in normal.get("/case/members/2").text


def test_empty_columns_are_left_out_and_named(normal: Browser) -> None:
    page = normal.get("/case/events?_col=time&_col=registry_value_id&_col=file_id&new_data=alpha").text
    table = page.partition('class="scroll rows"')[2]
    head = [words(f"<main>{cell}").strip(" >▲") for cell in re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", table, re.S)]
    assert head == ["id", "time", "file"] and "Empty in all these rows: registry value." in words(page)
    page = normal.get("/case/drivers_folder").text
    assert "No rows." in page and "Empty in all" not in page
