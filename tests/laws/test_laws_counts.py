"""Events are a multiset: how many there are of a kind is the greatest number that one source tells of, and nothing else.

The model here knows nothing of the code: a dict of counters over tuples made by the words of docs/case-format.md.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fimforensics.model import COLUMNS, MDC
from tests.laws.bench import FEW, bench, rows
from tests.laws.drawn_tables import BAD, Row, several_tables
from tests.laws.tables_as_shapes import SHAPES, json_lines

_PLAIN = (
    "AzureResourceId",
    "Computer",
    "MonitoredEntityType",
    "ChangeType",
    "FileSize",
    "NewValueName",
    "NewValueType",
    "NewValueData",
    "OldValueName",
    "OldValueType",
    "OldValueData",
    "InitiatingProcessId",
    "InitiatingProcessImageFilePath",
    "InitiatingProcessAccountSid",
    "InitiatingProcessAccountDomainName",
    "InitiatingProcessAccountName",
    "RequestAccountSid",
    "RequestAccountDomain",
    "RequestAccountName",
    "RequestSource",
    "RequestSourceIP",
    "RequestSourcePort",
)


def whole_path(path: object, name: object) -> str | None:
    """Folder and name as one; a path that is whole already stays."""
    folder, last = str(path or ""), str(name or "")
    separator = "\\" if "\\" in folder else "/"
    if not folder or not last or folder.endswith(separator + last):
        return folder or last or None
    return folder.removesuffix(separator) + separator + last


def kind_of(row: Row) -> tuple:
    """What makes two rows tell of the same kind of event."""

    def hive(name: str) -> str:
        return str(row[name] or "").replace("HKEY_LOCAL_MACHINE", "HKLM")

    return (
        str(row["TimeGenerated"])[:23],
        str(row["InitiatingProcessCreationTime"] or "")[:23],
        *(row[name] or None for name in _PLAIN),
        *(str(row[name] or "").lower() for name in ("FileSha256", "FileSha1", "FileMd5")),
        whole_path(row["FilePath"], row["FileName"]),
        whole_path(row["OriginalFilePath"], row["OriginalFileName"]),
        hive("RegistryKey"),
        hive("OldValueFullRegistryKey"),
    )


def counted(table: list[Row]) -> Counter:
    """How many of each kind one set tells of; the same id again is the same row sent twice."""
    found: Counter = Counter()
    seen = set()
    for row in table:
        again = (kind_of(row), row.get("_ItemId"))
        if row["FileSize"] == BAD["FileSize"] or (again[1] and again in seen):
            continue
        seen.add(again)
        found[again[0]] += 1
    return found


@FEW
@given(several_tables(bad=True), st.data())
def test_number_of_events(made: list[list[Row]], data: st.DataObject) -> None:
    with bench() as at:
        pieces = {data.draw(st.sampled_from(SHAPES)).write(table): table for table in made}
        case = at.case(*(at.source(str(number), piece) for number, piece in enumerate(pieces)))
        expected: Counter = Counter()
        for table in pieces.values():
            expected |= counted(table)
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        shown = [dict(zip(COLUMNS, cells, strict=True)) for cells in rows(case, f'SELECT {names} FROM "{MDC}"')]
        assert Counter(map(kind_of, shown)) == expected
        records = sum(row["FileSize"] != BAD["FileSize"] for table in pieces.values() for row in table)
        assert rows(case, "SELECT count(*), count(DISTINCT event_id) FROM occurrences") == [(records, expected.total())]
        assert rows(case, "SELECT count(*) FROM rejects") == [(sum(map(len, pieces.values())) - records,)]
        told = rows(
            case,
            "SELECT count(*) FROM events e WHERE ordinal NOT IN (SELECT row_number() OVER (ORDER BY ordinal) - 1 FROM events x "
            "WHERE x.match_key = e.match_key)",
        )
        assert told == [(0,)]  # ordinals of a key count from 0 without a gap


@FEW
@given(several_tables(bad=True))
def test_number_of_events_in_declared_parts(made: list[list[Row]]) -> None:
    with bench() as at:
        pieces = {json_lines(table): table for table in made}
        case = at.case(*(at.source(str(number), piece) for number, piece in enumerate(pieces)), parts=True)
        expected = counted([row for table in pieces.values() for row in table])
        assert rows(case, "SELECT count(*) FROM events") == [(expected.total(),)]
