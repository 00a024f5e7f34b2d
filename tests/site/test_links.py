"""Every link leads somewhere; and where a number is a link to a table, the table has that many rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from conftest import Browser  # type: ignore[import-not-found]
from kinds import NOTED, WRONG, pages  # type: ignore[import-not-found]

HERE = "http://127.0.0.1:8001"
LINK = re.compile(r'<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.S)
ROWS = re.compile(r'<p class="status" role="status"><strong>([\d,]+) rows?</strong>')
# A number that says how many events one row of the table has, and one whose table may hold the folders inside, too.
OTHERWISE = re.compile(r"/case/rarity\?|_facet=|/case/files\?.*key__startswith=")


def links(page: str, text: str) -> Iterator[tuple[str, str, str]]:
    """Where its links lead, as asked of this server, what is marked there, and what stands on them."""
    for href, inner in LINK.findall(text):
        target, _, mark = urljoin(HERE + page, unescape(href)).partition("#")
        yield target.removeprefix(HERE), mark, unescape(re.sub("<[^>]+>", "", inner)).strip()


def shape(target: str) -> tuple[str, ...]:
    """What many links have in common that differ in numbers and values only."""
    parts = urlsplit(target)
    return re.sub(r"\d+", "#", parts.path), *sorted({name for name, _ in parse_qsl(parts.query, True)})


@pytest.fixture(scope="module")
def texts(noted_sample: Browser, sample_case: Path) -> dict[str, str]:
    """The pages of every kind."""
    return {page: noted_sample.get(page).text for page in (*pages(sample_case), *NOTED, *WRONG)}


def test_every_link_leads_somewhere(noted_sample: Browser, texts: dict[str, str]) -> None:
    wrong, met = {}, set()
    for page, text in texts.items():
        here = set(re.findall(r'\sid="([^"]+)"', text))
        for target, mark, words in links(page, text):
            if target == page and mark:
                assert mark in here or mark == "tour", (page, mark, words)
            elif target != page and shape(target) not in met:
                met.add(shape(target))
                status = noted_sample.get(target).status_code
                if status not in (200, 303):
                    wrong[page, target, words] = status
    assert len(met) > 300 and wrong == {}


def test_a_number_that_is_a_link_is_that_of_the_rows(noted_sample: Browser, texts: dict[str, str]) -> None:
    wrong, met = {}, dict[tuple[str, ...], int]()
    for page, text in texts.items():
        for target, _, words in links(page, text):
            counted = re.fullmatch(r"([\d,]+)(?: (?:events?|hosts?|sources?|accounts?|records?))?", words)
            if counted and re.match(r"/case/\w+(\?|$)", target) and not OTHERWISE.search(target) \
                    and met.setdefault(shape(target), 0) < 3:
                met[shape(target)] += 1
                found = ROWS.search(noted_sample.get(target).text)
                if found and found[1] != counted[1]:
                    wrong[page, target] = (words, found[1])
    assert sum(met.values()) > 30 and wrong == {}
