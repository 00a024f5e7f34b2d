"""A case whose every text column holds the corpus: no page's source has anything that acts, and every column does hold it."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import cycle, product
from pathlib import Path

import pytest
from conftest import Browser  # type: ignore[import-not-found]
from corpus import CORPUS, FAMILIES  # type: ignore[import-not-found]
from inert import HIDDEN, check_page, faults  # type: ignore[import-not-found]
from kinds import NOTED, NOTED_TWINS, WRONG, pages, twins  # type: ignore[import-not-found]

from fimforensics.errors import Misuse, Problem
from fimforensics.site.shelf import OWN, ROWS
from fimforensics.site.twins import Asked
from fimforensics.text import storable

# Datasette leaves half-made facets behind when a request fails.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
INERT = re.compile(r"[\w .,:;()'\"/\[\]{}%+-]*")  # what a column holds that only we write: times, digests, our own words
ENOUGH = 300
FEWER = {  # columns with a text for each source, burst, silence or host of a trial; all that is asked is that they have some
    "bursts.sentence": 10, "silences.sentence": 10, "custody_log.actor": 20, "custody_log.machine": 20,
    "custody_log.arguments": 20, "snapshots.source": 10, "snapshots.case_number": 20, "snapshots.examiner": 20,
    "snapshots.note": 20, "case_info.case_number": 1, "case_info.examiner": 1, "case_info.note": 1, "members.header": 0,
    "snapshots.columns_unknown": 0}


def test_the_corpus_is_large_and_has_all_families() -> None:
    assert len(CORPUS) >= 500 and min(map(len, FAMILIES.values())) > 10
    assert max(map(len, CORPUS)) >= 65_536 and any("\ud800" in text for text in CORPUS) and any("\0" in text for text in CORPUS)


def test_every_text_column_of_every_table_holds_it(corpus_case: Path) -> None:
    texts = [storable(text)[0] for text in CORPUS if 3 < len(text) < 2_000]
    lacking = {}
    with closing(sqlite3.connect(corpus_case)) as connection:
        for table, column in _columns(connection):
            cells = [cell for cell, in connection.execute(f'SELECT DISTINCT "{column}" FROM "{table}"') if cell is not None]
            all_of_it = "\n".join(cells)
            held = sum(text in all_of_it or text.lower() in all_of_it or json.dumps(text)[1:-1] in all_of_it for text in texts)
            if held < FEWER.get(f"{table}.{column}", ENOUGH) and not all(INERT.fullmatch(cell) for cell in cells):
                lacking[f"{table}.{column}"] = held
    assert lacking == {}


def _columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for table, in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
                                     "AND name NOT LIKE '%\\_fts\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite_%'").fetchall():
        yield from ((table, row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")').fetchall() if row[2] == "TEXT")


def test_no_page_of_any_kind_acts(corpus: Browser, corpus_case: Path) -> None:
    before = _as_it_lies(corpus_case)
    long = [f"{page}{'&' if '?' in page else '?'}_size=100" for page in pages(corpus_case) if page.count("/") == 2]
    assert _faults(corpus, [*pages(corpus_case), *long, *NOTED, *WRONG]) == {}
    assert before == _as_it_lies(corpus_case)


def _as_it_lies(case: Path) -> tuple[str, list[str]]:
    """The file's hash and what lies beside it."""
    return hashlib.sha256(case.read_bytes()).hexdigest(), sorted(path.name for path in case.parent.iterdir())


def test_each_text_stands_on_a_row_page(corpus: Browser, corpus_case: Path) -> None:
    """The kinds of rows take turns with the texts; those of one kind are all different."""
    with closing(sqlite3.connect(corpus_case)) as connection:
        rows = {table: [number for number, in connection.execute(f"SELECT id FROM {table} ORDER BY id")]
                for table in (*ROWS, "events")}
    turns = cycle(rows)
    asked = {f"/case/{table}/{found[at * len(found) // 160]}" for at in range(160) if (found := rows[table := next(turns)])}
    assert len(asked) >= 120 and _faults(corpus, sorted(asked)) == {}


def test_files_are_plain(corpus: Browser, corpus_case: Path) -> None:
    """JSON is ASCII and named so; a picture has no script and no address."""
    for address in (*twins(corpus_case), *NOTED_TWINS):
        answer = corpus.get(address)
        assert answer.status_code == 200 and answer.headers["x-content-type-options"] == "nosniff", address
        kind = answer.headers["content-type"].partition(";")[0]
        if kind == "application/json":
            assert answer.content.isascii() and b"\x1b" not in answer.content, address
        elif kind == "image/svg+xml":
            assert not re.search(r"<script|\son\w+=|href=", answer.text), address
        elif address.partition("?")[0].endswith(".graphml"):
            assert not HIDDEN.search(answer.text), address
        else:
            assert kind in ("text/plain", "text/csv"), address


def arguments(browser: Browser) -> dict[str, set[str]]:
    """The names of the arguments that each page of our own looks at, found by letting it look."""

    class Watched(dict):  # type: ignore[type-arg]
        def __init__(self, given: str, names: set[str]) -> None:
            super().__init__()
            self.given, self.names = given, names

        def get(self, name: str, otherwise: object = None) -> object:
            self.names.add(name)
            return [self.given] if self.given else []

    seen: dict[str, set[str]] = {page: set() for page in OWN}
    with closing(sqlite3.connect(browser.served.databases["case"].path)) as connection:
        for page, given in product(OWN, ("", "a")):
            with suppress(Misuse, Problem):
                OWN[page].ask(connection, Asked(0, Watched(given, seen[page]), "case"))
    return seen


def test_what_a_reader_types_is_inert(corpus: Browser) -> None:
    typed = arguments(corpus)
    assert {"q", "only"} <= typed["search"] and {"of", "to", "since"} <= typed["trace"] and {"against"} <= typed["compare"]
    texts = [text for family in FAMILIES.values() for text in family[::20] if len(text) < 1_000]
    for page, names in typed.items():
        for number, text in enumerate(texts):
            name = sorted(names or {"x"})[number % max(len(names), 1)]
            answer = corpus.get(f"/case/-/{page}", params={name: text.encode("utf-8", "replace").decode()})
            assert answer.status_code in (200, 400), (page, name, text)
            check_page(answer.text)


def _faults(browser: Browser, addresses: list[str]) -> dict[str, list[str]]:
    found = {}
    for address in addresses:
        answer = browser.get(address)
        bad = faults(answer.text) if answer.status_code < 500 else [f"status {answer.status_code}"]
        if bad:
            found[address] = bad[:5]
    return found


def test_a_name_of_64_kb_hides_nothing_beside_it(corpus: Browser) -> None:
    """Where many things stand beside each other each is short; its own page has all of it."""
    for address in ("/", "/case", "/case/-/findings", "/case/-/coverage", "/case/-/search?q=a", "/case/-/explore?of=a",
                    "/case/-/trace?of=a", "/case/-/compare?from=2026-10-01", "/case/-/notes", "/case/-/evidence"):
        page = corpus.get(address).text.partition("<main")[2]
        longest = max(re.split(r"<[^>]+>", page), key=len)
        assert len(longest) < 4_000, (address, len(longest), longest[:80])
