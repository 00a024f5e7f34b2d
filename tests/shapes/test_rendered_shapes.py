"""Parquet and workbooks: values, times to 100 ns, and canonical JSON as the raw form."""

from __future__ import annotations

import datetime
import gzip
import io
import sys
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics.errors import Problem, Refused
from fimforensics.model import Record
from fimforensics.shapes import members
from fimforensics.shapes.strict_json import Number

openpyxl = pytest.importorskip("openpyxl")
pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def _parquet(columns: dict, **how: object) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out, **how)
    return out.getvalue()


def _xlsx(*sheets: list) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"s{number}")
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_parquet(read) -> None:
    ticks = 1_599_204_585_114_123_456
    data = _parquet({
        "TimeGenerated": pyarrow.array([ticks, None], pyarrow.timestamp("ns", "UTC")),
        "InitiatingProcessCreationTime": pyarrow.array([ticks // 1000, -1], pyarrow.timestamp("us")),
        "Computer": ["a\n\"", None], "FileSize": pyarrow.array([2**63 - 1, None], pyarrow.int64()), "_BilledSize": [1.5, None],
        "_IsBillable": [True, False], "Extra": pyarrow.array([[{"x": 1}], None])})
    opened, records = read(data)
    assert (opened.shape, opened.rendered, opened.columns[:2]) == (
        "Parquet", True, ("TimeGenerated", "InitiatingProcessCreationTime"))
    assert records == [
        Record(0, 1, b'{"TimeGenerated":"2020-09-04T07:29:45.1141234Z",'
               b'"InitiatingProcessCreationTime":"2020-09-04T07:29:45.114123","Computer":"a\\n\\"","FileSize":9223372036854775807,"_BilledSize":1.5,"_IsBillable":true,"Extra":[{"x":1}]}',
               {"TimeGenerated": "2020-09-04T07:29:45.1141234Z", "InitiatingProcessCreationTime": "2020-09-04T07:29:45.114123",
                "Computer": 'a\n"', "FileSize": 2**63 - 1, "_BilledSize": Number("1.5"),
                "_IsBillable": True, "Extra": [{"x": 1}]}),
        Record(1, 1, b'{"TimeGenerated":null,"InitiatingProcessCreationTime":"1969-12-31T23:59:59.999999","Computer":null,'
               b'"FileSize":null,"_BilledSize":null,"_IsBillable":false,"Extra":null}',
               {"TimeGenerated": None, "InitiatingProcessCreationTime": "1969-12-31T23:59:59.999999", "Computer": None,
                "FileSize": None, "_BilledSize": None, "_IsBillable": False, "Extra": None})]


def test_parquet_of_many_row_groups_compressed(read, tmp_path) -> None:
    data = _parquet({"TimeGenerated": [str(number) for number in range(10_000)], "Computer": ["c"] * 10_000}, row_group_size=999)
    assert [int(record.values["TimeGenerated"]) for record in read(data)[1]] == list(range(10_000))
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(data))
    from fimforensics.shapes import open_member

    assert sum(1 for _ in open_member(next(members(path))).records) == 10_000


def test_parquet_values_that_are_no_evidence(read) -> None:
    data = _parquet({"Computer": ["a", "b"], "TimeGenerated": pyarrow.array([2**64 - 1, 1], pyarrow.uint64()),
                     "_BilledSize": [1.0, float("nan")]})
    assert [record.problem for record in read(data)[1]] == [
        "an integer beyond 64 bits in TimeGenerated", "nan in _BilledSize is no number"]


def test_damaged_and_absent_parquet(read, monkeypatch) -> None:
    data = _parquet({"TimeGenerated": ["x" * 50] * 1000, "Computer": [str(n) for n in range(1000)]}, compression="gzip")
    with pytest.raises(Refused, match="a Parquet file that cannot be read"):
        read(data[:-20])
    broken = bytearray(data)
    broken[100:200] = bytes(100)
    with pytest.raises(Problem, match="damaged after row 0"):
        read(bytes(broken))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Refused, match=r"not installed. pip install 'fimforensics\[parquet\]'"):
        read(data)


def test_workbook(read) -> None:
    when = datetime.datetime(2026, 9, 4, 7, 29, 45, 114000)
    data = _xlsx([["notes", None], ["more"]],
                 [["a title"], [], ["TimeGenerated [UTC]", "Computer", "FileSize"], [when, "a", 5],
                  [None, None, None], ["x", "=1+1"], ["y", "b", 1.5, "over"]],
                 [["TimeGenerated [UTC]", "Computer", "FileSize"], ["z"]], [["Computer", "TimeGenerated"], ["q", "r"]])
    opened, records = read(data)
    assert (opened.shape, opened.zones) == ("XLSX", {"TimeGenerated": "UTC"})
    assert opened.columns == ("TimeGenerated", "Computer", "FileSize")
    assert records == [
        Record(0, 1, b'{"TimeGenerated":"2026-09-04T07:29:45.114000","Computer":"a","FileSize":5}',
               {"TimeGenerated": "2026-09-04T07:29:45.114000", "Computer": "a", "FileSize": 5}),
        Record(2, 1, b'{"TimeGenerated":"x","Computer":"=1+1","FileSize":null}',
               {"TimeGenerated": "x", "Computer": "=1+1", "FileSize": None}),
        Record(3, 1, b'{"0":"y","1":"b","2":1.5,"3":"over"}', None, "4 cells for 3 columns"),
        Record(4, 1, b'{"TimeGenerated":"z","Computer":null,"FileSize":null}',
               {"TimeGenerated": "z", "Computer": None, "FileSize": None}),
        Record(5, 1, b'{"0":"q","1":"r"}', None, "a row of another sheet with other columns than 's1'")]


def test_bad_workbooks(read) -> None:
    with pytest.raises(Refused, match="without a sheet that has known column names"):
        read(_xlsx([["a", "b"], [1, 2]]))
    data = _xlsx([["TimeGenerated", "Computer"], ["x", "y"]])
    with pytest.raises(Refused, match="a workbook that cannot be read"):
        read(data[:-40])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types")
    with pytest.raises(Refused, match="a workbook that cannot be read"):
        read(out.getvalue())


def test_a_workbook_that_is_a_bomb(read, monkeypatch) -> None:
    monkeypatch.setattr("fimforensics.shapes.xlsx.FLOOR", 1000)
    monkeypatch.setattr("fimforensics.shapes.xlsx.RATIO", 0)
    monkeypatch.setattr("fimforensics.shapes.xlsx.SPARE", 0)
    with pytest.raises(Refused, match="unpacks to far more"):
        read(_xlsx([["TimeGenerated", "Computer"]] + [["x", "y"]] * 500))


_plain = st.text(st.characters(min_codepoint=32, codec="utf-8", exclude_characters="\ufffe\uffff"), max_size=8)

_filled, _longs = _plain.filter(bool), st.integers(-2**63, 2**63 - 1)


@settings(max_examples=25)
@given(st.lists(st.tuples(_plain | st.none(), _longs | st.none(), _plain, st.integers(-10**18, 4 * 10**18)), max_size=5))
def test_any_table_comes_back_from_parquet(read, table: list) -> None:
    columns = list(zip(*table, strict=True)) if table else [[], [], [], []]
    kinds = {"Computer": pyarrow.string(), "FileSize": pyarrow.int64(), "FileName": pyarrow.string(),
             "TimeGenerated": pyarrow.timestamp("ns")}
    data = _parquet({name: pyarrow.array(cells, kinds[name]) for name, cells in zip(kinds, columns, strict=True)})
    found = [record.values for record in read(data)[1]]
    assert [(row["Computer"], row["FileSize"], row["FileName"]) for row in found] == [row[:3] for row in table]
    start = datetime.datetime(1970, 1, 1)
    for row, (_, _, _, time) in zip(found, table, strict=True):
        whole, _, fraction = row["TimeGenerated"].partition(".")
        seconds = (datetime.datetime.fromisoformat(whole) - start) // datetime.timedelta(seconds=1)
        assert (seconds * 10**7 + int(fraction), len(fraction)) == (time // 100, 7)


@settings(max_examples=15)
@given(st.lists(st.tuples(_filled | st.none(), st.integers(-2**50, 2**50) | st.none(), _filled), max_size=4))
def test_any_table_comes_back_from_a_workbook(read, table: list) -> None:
    data = _xlsx([["Computer", "FileSize", "TimeGenerated"], *table])
    assert [tuple(record.values.values()) for record in read(data)[1]] == table
