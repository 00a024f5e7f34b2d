"""Text in a filter of a foreign key means the label; a search without full text shows nothing and says so."""

from __future__ import annotations

import re

import pytest
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics.site.narrow import renamed


def found(browser: Browser, query: str) -> list[str]:
    """The data of the events that fit, from JSON."""
    answer = browser.get(f"/case/events.json?_shape=array&{query}")
    assert answer.status_code == 200, answer.text
    return [row["new_data"] for row in answer.json()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("registry_value_id__contains=ET", ["beta"]),
        ("registry_value_id__startswith=be", ["beta"]),
        ("registry_value_id__endswith=be", []),
        ("host_id=Gamma", ["gamma"]),
        ("host_id__exact=3", ["gamma"]),
        ("host_id__not=gamma", ["alpha", "beta"]),
        ("host_id__contains=a&file_id__contains=alp", ["alpha"]),
        ("host_id__contains=%25", []),
        ("host_id__contains=_", []),
        ("host_id__glob=*mm*", ["gamma"]),
        ("host_id__like=%25et%25", ["beta"]),
        ("host_id__notlike=%25et%25", ["alpha", "gamma"]),
        ("content_id__startswith=zz", []),
        ("host_id__contains=' OR 1=1 --", []),
        ("new_data__contains=et", ["beta"]),
        ("host_id__in=1,2", ["alpha", "beta"]),
    ],
)
def test_conditions(normal: Browser, query: str, expected: list[str]) -> None:
    assert found(normal, query) == expected
    page = normal.get(f"/case/events?{query}").text
    assert re.findall(r'<td data-label="data" class="long"><bdi class="text">(\w+)', page) == expected


def test_the_condition_is_told_kept_and_exported(normal: Browser) -> None:
    page = normal.get("/case/events?registry_value_id__contains=et").text
    assert "where registry value contains &#34;et&#34;" in page
    assert '<option value="contains" selected>' in page and 'value="et"' in page
    assert normal.get("/case/events.csv?registry_value_id__contains=et").text.count("\r\n") == 2
    asked = normal.get("/case/events?_filter_column=host_id&_filter_op=contains&_filter_value=mm").headers["location"]
    assert asked == "/case/events?host_id__contains=mm" and "1 row" in normal.get(asked).text


def test_only_foreign_keys_are_renamed() -> None:
    assert renamed(b"host_id__contains=a&time__contains=b&_sort=time&host_id=7", "events") == (
        b"host_id__label_contains=a&time__contains=b&_sort=time&host_id=7"
    )
    assert renamed(b"host_id__contains=a", "snapshots") == b"host_id__contains=a"
    assert renamed(b"", "events") == b""


def test_a_search_where_nothing_is_searched_shows_nothing(normal: Browser) -> None:
    page = normal.get("/case/events?_search=beta").text
    assert "has no full text" in page and "<strong>0 rows</strong>" in page
    assert 'formaction="/case/registry_values"' in page and 'name="_search" value="beta"' in page
    assert "has no full text" not in normal.get("/case/events?_search=").text
    answer = normal.get("/case/events.json?_search=beta")
    assert (answer.status_code, answer.json()["title"]) == (400, "Not searched")
    assert normal.get("/case/events.csv?_search=beta").status_code == 400


def test_the_case_page_leads_by_a_search_to_events(normal: Browser) -> None:
    page = normal.get("/").text
    assert 'role="search"' in page and 'formaction="/case/paths"' in page
    hits = normal.get("/case/registry_values?_search=beta").text
    address = re.findall(r'href="(/case/events\?registry_value_id=\d+)">events<', hits)
    assert len(address) == 1 and "1 row" in normal.get(address[0]).text
    assert re.findall(r'href="(/case/events\?path_id=\d+)">events<', normal.get("/case/paths?_search=gamma").text)
