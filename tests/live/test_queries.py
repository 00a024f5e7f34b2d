"""Every query that the product makes is accepted by Microsoft's parser, and every value in it comes back as itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from unicodedata import bidirectional, category

import pytest

from fimforensics.errors import Misuse
from fimforensics.live import kql
from fimforensics.live.instants import STEPS, ticks
from fimforensics.live.kql import Asked, Slice, Window
from tests.live.judge import judge, needed
from tests.live.kql import literal

VALUES, FOR_EACH = 10_000, 250  # fuzzed values, and how many stand in one query
PIECES = ["C:\\", "\\\\srv\\share$\\", "/etc/", "..\\", '"', "'", "''", "\\", "\\\\", "\\n", "\\u0041", "@", '@"', "h'",
          "```", "//", "|", ";", "let x=1;", "datetime(2026)", "{0}", "%s", "\t", "\n", "\r\n", "\0", "\x01", "\x1b[31m",
          "\x7f", "\x85", "\xa0", "\xad", "\u200b", "\u200e", "\u202a", "\u202e", "\u2028", "\u2029", "\u2066", "\u2069",
          "\ufeff", "\ufffe", "\uffff", "é", "ß", "İ", "ǅ", "漢字", "😀", "\U0010ffff", "👩\u200d💻", "a", "Z", "0", " ", "*",
          "?", "~", "$(x)", "<b>", "&amp;", "-", "=cmd()"]
STEERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
LONE = ["\ud800", "\udbff", "\udc00", "\udfff"]


@pytest.fixture(scope="module", autouse=True)
def parser() -> None:
    needed()


def fuzzed(number: int) -> str:
    """A value: some pieces, or some characters of any plane."""
    rng = random.Random(number)
    if number < len(PIECES):
        return PIECES[number]
    if number % 3:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 12)))
    planes = ((0, 0x7f), (0x80, 0x24f), (0x2000, 0x206f), (0x300, 0xd7ff), (0xe000, 0xffff), (0x10000, 0x10ffff))
    return "".join(chr(rng.randint(*rng.choice(planes))) for _ in range(rng.randint(1, 30)))


def test_ten_thousand_values_come_back_from_microsofts_parser_as_themselves() -> None:
    values = [fuzzed(number) for number in range(VALUES)]
    queries = ["print " + ", ".join(map(kql.literal, values[at:at + FOR_EACH])) for at in range(0, VALUES, FOR_EACH)]
    verdicts = judge(queries, {})
    assert [verdict.complaints for verdict in verdicts if verdict.complaints] == []
    assert [value for verdict in verdicts for value in verdict.literals] == values
    assert [literal(kql.literal(value)) for value in values] == values, "the test server reads them the same way"
    assert {category(letter) for query in queries for letter in query}.isdisjoint({"Cc", "Zl", "Zp", "Cs"})
    assert {bidirectional(letter) for query in queries for letter in query}.isdisjoint(STEERING), "nothing in a query steers"


@pytest.mark.parametrize("lone", LONE)
def test_half_a_character_can_stand_in_no_query(lone: str) -> None:
    """Such a value (bytes of the command line that are no UTF-8) is refused; Kusto's text cannot hold it."""
    with pytest.raises(Misuse):
        kql.literal(f"C:\\{lone}\\x")


def columns(table: str) -> dict[str, str]:
    """The columns that queries of a table name, with the types that Log Analytics gives them."""
    named = kql.names(table)
    assert named is not None
    texts = [named.computer, named.change, *named.keys, *(column for pair in named.paths for column in pair)]
    times = {"TimeGenerated": "datetime", "_OriginalTimeGenerated": "datetime"}
    return times | {"_ItemId": "string"} | dict.fromkeys(texts, "string")


SINCE, UNTIL, HOUR = ticks("2026-11-01T00:00:00.0000001Z"), ticks("2026-11-02T23:59:59.9999999Z"), STEPS["1h"]
TABLES = [*kql.TABLES, "MDCFileIntegrityMonitoringEvents_SRCH", "DeviceFileEvents_RST"]


def every_form(asked: Asked) -> Iterator[str]:
    """Every form of query over every form of window and slice."""
    for window in (Window(None, UNTIL), Window(SINCE, UNTIL)):
        for part in (Slice(), Slice(None, UNTIL), Slice(SINCE, SINCE + HOUR), Slice(SINCE, SINCE + 1, ((11, 3), (13, 0)))):
            yield from (kql.count(asked, window, part), kql.rows(asked, window, part), kql.remainders(asked, window, part, 17))
            yield from (kql.bins(asked, window, part, step) for step in STEPS)


def narrowed(table: str) -> Asked:
    """All that narrows down what is asked of a table, with values that try to break out."""
    return Asked(table, SINCE, UNTIL, ("web-01", 'a"b'), ("C:\\inetpub\\", "/etc/\u202e"), ("Created", "x'y"))


def test_every_query_is_accepted_by_microsofts_parser() -> None:
    part = Slice(SINCE, SINCE + HOUR)
    queries = [kql.NOW, *every_form(Asked(TABLES[0])), kql.count(narrowed(TABLES[0]), Window(None, UNTIL), part)]
    for table in TABLES:
        queries += [make(narrowed(table), Window(SINCE, UNTIL), part) for make in (kql.rows, kql.count)]
        queries.append(kql.bins(narrowed(table), Window(SINCE, UNTIL), part, "1m"))
    verdicts = judge(queries, {table: columns(table) for table in TABLES})
    assert [(query, verdict.complaints) for query, verdict in zip(queries, verdicts, strict=True) if verdict.complaints] == []
    shapes = {tuple(name for name, _ in verdict.columns) for query, verdict in zip(queries, verdicts, strict=True)
              if "summarize" in query}
    assert shapes == {("Rows", "First", "Last"), ("Bin", "Rows", "Bytes"), ("Part", "Rows", "Bytes")}
    values = verdicts[queries.index(kql.rows(narrowed("DeviceFileEvents"), Window(SINCE, UNTIL), part))].literals
    assert {"web-01", 'a"b', "C:\\inetpub\\", "/etc/\u202e", "Created", "x'y"} <= set(values)


@pytest.mark.parametrize("name", ["a b", "x;y", "T | take 1", "", "a'b", "T-1", "é", "a" * 64, "9x"])
def test_a_tables_name_is_a_name_and_nothing_else(name: str) -> None:
    with pytest.raises(Misuse):
        kql.check(Asked(name))
