"""Microsoft's parser judges: it accepts what is KQL and complains of what is not, and the test server agrees with it."""

from __future__ import annotations

import pytest

from tests.live.judge import judge, needed
from tests.live.kql import Moment, Refused, literal
from tests.live.store import MDC_VISIBLE, NAMED_ONLY, Store

T = "MDCFileIntegrityMonitoringEvents"
TABLES = {T: MDC_VISIBLE | NAMED_ONLY}
MOMENT = Moment("2026-11-28T12:00:00.0000000Z", 0)


@pytest.fixture(scope="module", autouse=True)
def parser() -> None:
    needed()


def test_it_accepts_kql_and_complains_of_the_rest() -> None:
    good, bad, unknown, mistyped, unclosed = judge(
        [f"{T} | summarize Rows = count() by Bin = bin(TimeGenerated, 1h)", f"{T} | wher x", f"{T} | where Nope == 1",
         f'{T} | where FileSize startswith "a"', f'{T} | where Computer == "a'], TABLES)
    assert (good.complaints, good.columns) == ((), (("Bin", "datetime"), ("Rows", "long")))
    assert all(verdict.complaints for verdict in (bad, unknown, mistyped, unclosed))
    assert "'Nope'" in unknown.complaints[0]


def test_the_test_server_gives_the_columns_that_microsofts_parser_expects(store: Store) -> None:
    queries = [T, f"{T} | extend _ItemId = _ItemId", f"{T} | count", "print ServerNow = now()",
               f"{T} | summarize Rows = count(), First = min(TimeGenerated), Last = max(TimeGenerated)",
               f"{T} | summarize count(), sum(estimate_data_size(*)) by bin(TimeGenerated, 1h)",
               f"{T} | summarize Rows = count(), Bytes = sum(estimate_data_size(*)) by Part = hash(_ItemId, 11)",
               f"{T} | where ingestion_time() >= datetime(2026-11-01T00:00:00.0000001Z) | project Computer, _ItemId"]
    verdicts = judge(queries, TABLES)
    assert [verdict.complaints for verdict in verdicts] == [()] * len(queries)
    for query, verdict in zip(queries, verdicts, strict=True):
        shown = [column for column in verdict.columns if "_ItemId" in query or column[0] not in NAMED_ONLY]
        apart = [column for column in shown if column[0] not in ("_BilledSize", "_IsBillable")]
        assert store.answer(query, MOMENT).columns == apart, query


def test_the_test_server_reads_literals_as_microsofts_parser_does() -> None:
    written = ['"a\\\\b"', "'it\\'s'", '"\\"\\u202e\\u0041\\ud83d\\ude00\\x41"', '@"C:\\a""b"', "@'it''s'", '"\\t\\n\\r"',
               'h"secret"', '"é😀"', '"\\0"']
    *verdicts, unknown = judge([f"print {text}" for text in [*written, '"\\q"']], {})
    assert [verdict.literals for verdict in verdicts] == [(literal(text),) for text in written]
    assert unknown.complaints
    with pytest.raises(Refused):
        literal('"\\q"')
