"""Events over time on top of their table, and the page of help: what they say without JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics.site.chart import chart
from fimforensics.site.help_page import KEYS, TOUR, WORDS
from tests.analyses.building import change, made

ROWS = [change(host, f"{day}T08:00", f"C:\\x\\{host}{day}.txt", content=f"{host}{day}")
        for host, days in (("web", (10, 11, 12, 14)), ("db", (12, 16, 18))) for day in days]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven events on six days of nine."""
    return made(tmp_path_factory.mktemp("timed"), ROWS)


def test_help_has_the_tours_sentences_and_every_word(case: Path) -> None:
    browser = Browser([case])
    page = browser.get("/case/-/help").text
    for words in (*(step[2] for step in TOUR), *(word for pair in WORDS for word in pair), *(key[2] for key in KEYS)):
        assert words.replace("'", "&#39;") in page, words
    assert [step[1] for step in browser.get("/case/-/help/page.json").json()["tour"]] == [step[1] for step in TOUR]


def test_bars_are_of_what_is_asked_where_a_rollup_knows_it(case: Path) -> None:
    browser = Browser([case])

    def told(**asked: str) -> tuple | None:
        database = browser.served.databases["case"]
        found = chart(database.connect(), {name: [value] for name, value in asked.items()})
        return found and (found.of_all, [(bar.start[8:], bar.events) for bar in found.bars if bar.events])
    everything = [("10", 1), ("11", 1), ("12", 2), ("14", 1), ("16", 1), ("18", 1)]
    assert told() == (False, everything)
    assert told(host_id="1") == (False, [("10", 1), ("11", 1), ("12", 1), ("14", 1)])
    assert told(host_id__exact="1", time__gte="2026-10-12") == (False, [("10", 1), ("11", 1), ("12", 1), ("14", 1)])
    assert told(file_id="1") == (True, everything)
    assert told(host_id="1", _where="1") == (True, [("10", 1), ("11", 1), ("12", 1), ("14", 1)])
    page = browser.get("/case/events?account_id=1&_facet=host_id").text
    assert "<summary>Saved views</summary>" in page and 'href="/case/last_seen"' in page
    assert "not only those that fit" in page and '<input type="hidden" name="_facet" value="host_id">' in page
    assert 'href="/case/events?time__gte=2026-10-12&amp;time__lt=2026-10-13"' in page  # a number leads to what it counts
