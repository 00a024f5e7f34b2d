"""Facets over more events than Datasette counts quickly: the same counts from rollups, a sample that says it is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Browser, fill  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.site import facets

WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six events on as many hosts."""
    return fill(tmp_path_factory.mktemp("many") / "many.db", WORDS)


@pytest.fixture
def browser(case: Path) -> Iterator[Browser]:
    """A browser that remembers nothing yet."""
    found = Browser([case])
    yield found
    serve.close(found.served)


def counts(browser: Browser, query: str) -> dict[str, list[tuple]]:
    """The facets of an answer: values and counts."""
    answer = browser.get(f"/case/events.json?{query}")
    assert answer.status_code == 200, answer.text
    return {name: [(value["value"], value["count"], value["selected"]) for value in facet["results"]]
            for name, facet in answer.json()["facet_results"].items()}


@pytest.mark.parametrize("query", [
    "_facet=host_id&_facet=change_id&_facet=account_id&_facet=process_id", "_facet=host_id&host_id=2",
    "_facet=change_id&host_id__exact=2",
    "_facet=host_id&_facet=account_id&change_id=3", "_facet=host_id&new_data=beta", "_facet=account_id&_where=id+%3C+4",
    "_facet=host_id&time__gte=2026-05-03", "_facet=host_id&_facet_size=2", "_facet=file_id&host_id__contains=a"])
def test_the_counts_are_those_of_datasette(browser: Browser, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stock = counts(browser, query)
    assert stock and all(stock.values())
    monkeypatch.setattr(facets, "LARGE", 1)
    assert counts(browser, query) == stock == counts(browser, query)


def test_a_sample_is_said(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "LARGE", 1)
    monkeypatch.setattr(facets, "SAMPLE", 3)
    found = json.loads(browser.get("/case/events.json?_facet=host_id&time__gte=2026-05-02").text)["facet_results"]["host_id"]
    assert found["sample"] == 3 and sum(value["count"] for value in found["results"]) == 3
    assert "counted over the first 3 rows that fit" in browser.get("/case/events?_facet=host_id&time__gte=2026-05-02").text
    assert "counted over" not in browser.get("/case/events?_facet=host_id").text


def test_other_tables_are_counted_as_ever(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "LARGE", 0)
    monkeypatch.setattr(facets, "sample", None)
    assert browser.get("/case/files?_facet=host_id").status_code == 200
