"""Delimited text: its exact bytes, its zones, and what is wrong with it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimforensics.errors import Refused
from fimforensics.model import MAX_FIELD, Preamble
from fimforensics.shapes import lines
from fimforensics.shapes.headers import is_second_header

PIECES = pytest.mark.parametrize("piece", [1, 7, 1 << 20])
HEAD = "TimeGenerated,Computer,FileName\n"


def _rows(records: list) -> list:
    return [(record.raw.decode(), record.values and list(record.values.values()), record.problem) for record in records]


@PIECES
def test_portal(read, piece: int) -> None:
    text = ('\ufeffTenantId,"TimeGenerated [UTC]","InitiatingProcessCreationTime [Local Time]",'
            '"InitiatingProcessFirstSeen [UTC+02:00]",Computer\r\n,"9/4/2020, 7:29:45.114 AM",x,y,"a ""q""\r\nb"\r\n1,2,3,4,5')
    data = text.encode()
    opened, records = read(data, piece)
    assert (opened.shape, opened.text, opened.encoding) == ("portal CSV", True, "utf-8")
    assert opened.columns == (
        "TenantId", "TimeGenerated", "InitiatingProcessCreationTime", "InitiatingProcessFirstSeen", "Computer")
    assert opened.zones == {
        "TimeGenerated": "UTC", "InitiatingProcessCreationTime": "local", "InitiatingProcessFirstSeen": "+02:00"}
    header = data[3:data.index(b"\r\n") + 2]
    assert opened.preambles == [Preamble("header", 3, len(header), header)]
    assert _rows(records) == [
        (',"9/4/2020, 7:29:45.114 AM",x,y,"a ""q""\r\nb"\r\n', [None, "9/4/2020, 7:29:45.114 AM", "x", "y", 'a "q"\r\nb'], None),
        ("1,2,3,4,5", list("12345"), None)]
    assert records[0].offset == 3 + len(header)


@pytest.mark.parametrize("zone, told", [("UTC-07:30", "-07:30"), ("UTC+2", "+02:00"), ("UTC", "UTC"), ("Local Time", "local"),
                                         ("utc", "UTC"), ("utc+02:00", "+02:00"), ("local time", "local"), ("Ortszeit", "local")])
def test_zones(read, zone: str, told: str) -> None:
    opened, _ = read(f"TimeGenerated [{zone}],Computer\n".encode())
    assert (opened.columns, opened.zones) == (("TimeGenerated", "Computer"), {"TimeGenerated": told})


def test_words_behind_a_name_that_is_no_time_belong_to_it(read) -> None:
    opened, _ = read(b"TimeGenerated,Computer,Computer [old]\n")
    assert (opened.columns, opened.zones) == (("TimeGenerated", "Computer", "Computer [old]"), {})


@pytest.mark.parametrize(("delimiter", "shape"), [(",", "CSV"), (";", "CSV"), ("\t", "TSV")])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_dialects(read, delimiter: str, shape: str, newline: str, encoding: str) -> None:
    table = [("computer", "TimeGenerated"), ("ä\U0001f600", "t"), ('"x\ny"', "\u0a0d\u0d00")]
    text = newline.join(delimiter.join(cells) for cells in table)
    opened, records = read(text.encode(encoding), 5)
    assert (opened.shape, opened.columns) == (shape, ("computer", "TimeGenerated"))
    assert [record.values for record in records] == [
        {"computer": "ä\U0001f600", "TimeGenerated": "t"}, {"computer": "x\ny", "TimeGenerated": "\u0a0d\u0d00"}]


def test_big_endian_and_half_a_character(read) -> None:
    data = "\ufeffComputer,TimeGenerated\nä,b\n".encode("utf-16-be") + b"\0c\0,\0d\0"
    opened, records = read(data)
    assert opened.encoding == "utf-16-be"
    assert [record.values["TimeGenerated"] for record in records] == ["b", "d\udc00"]


def test_notes_before_the_header(read) -> None:
    text = "#TYPE System.Management.Automation.PSCustomObject\r\n" + HEAD + '"t","a",""\r\n\r\n'
    opened, records = read(text.encode())
    assert (opened.shape, [preamble.kind for preamble in opened.preambles]) == ("Export-Csv", ["type", "header"])
    assert _rows(records) == [('"t","a",""\r\n\r\n', ["t", "a", None], None)]
    assert read(b"sep=;\nTimeGenerated;Computer\n1;2\n")[1][0].values == {"TimeGenerated": "1", "Computer": "2"}


def test_rows_that_do_not_fit(read) -> None:
    text = HEAD + 'a,b\na,b,c,d\n"a"x,b,c\n\n\na,b,\xff\na,b,"c\na,b,c\n'
    _, records = read(text.encode("latin-1"))
    assert [(record.raw, record.problem) for record in records] == [
        (b"a,b\n", "2 cells for 3 columns"), (b"a,b,c,d\n", "4 cells for 3 columns"),
        (b'"a"x,b,c\n\n\n', "quotes or line ends that do not fit (',' expected after '\"')"), (b"a,b,\xff\n", None),
        (b'a,b,"c\na,b,c\n', "an unclosed quote: the file ends within this record")]
    assert records[3].values == {"TimeGenerated": "a", "Computer": "b", "FileName": "\udcff"}


def test_a_quote_in_an_open_cell_is_text(read) -> None:
    assert _rows(read((HEAD + 'a,5" disk,c\n').encode())[1]) == [('a,5" disk,c\n', ["a", '5" disk', "c"], None)]


def test_header_only_and_no_rows(read) -> None:
    assert read(HEAD.encode())[1] == []
    assert read(HEAD.strip().encode())[1] == []


def test_two_exports_pasted_together(read) -> None:
    other = '\ufeff"Computer","TimeGenerated","FileName"\n'
    _, records = read((HEAD + "1,a,b\n" + HEAD + "2,a,b\n" + other + "3,a,b\n" + HEAD + "4,a,b\n"
                       "t,Type,Type\nx,FileName,Computer\n").encode())
    assert [record.problem or record.values["TimeGenerated"] for record in records] == [
        "1", "a second header line", "2", "a second header line", "a row under a second header line with other columns",
        "a second header line", "4", "t", "x"]


def test_refused(read) -> None:
    with pytest.raises(Refused, match='two columns are named "computer"'):
        read(b"Computer,TimeGenerated,computer\n")
    with pytest.raises(Refused, match="carriage returns alone"):
        read(b"Computer,TimeGenerated\ra,b\r")
    with pytest.raises(Refused, match="without a header of known columns"):
        read(b"a,2026-01-01T00:00:00Z,c,d\nb,2026-01-01T00:00:00Z,c,d\n")
    with pytest.raises(Refused, match="a table without a TimeGenerated column: columns Computer, FileName, ä"):
        read("Computer,FileName,ä\na,b,c\n".encode())


def test_fields_over_the_limit(read) -> None:
    fits, long = "x" * MAX_FIELD, "é" * (MAX_FIELD // 2) + "x"
    text = HEAD + f'a,{fits},c\na,"{long}",c\na,"{fits}\n,,,\n{fits}",c\na,b,c\n'
    _, records = read(text.encode())
    assert [record.problem for record in records] == [
        None, "field Computer is over the limit of 1,048,576 bytes", "a field or record over the limit of 1,048,576 bytes", None]


def test_endless_records_come_in_parts(read, monkeypatch) -> None:
    monkeypatch.setattr(lines, "MAX_RECORD", 4_000_000)
    monkeypatch.setattr(lines, "_PART", 4_000_002)
    monkeypatch.setattr("fimforensics.shapes.csv_text.MAX_RECORD", 4_000_000)
    text = HEAD + 'a,"' + "x" * 9_000_000 + '\n",c\n' + 'a,b,c\na,"' + "y\n" * 3_000_000
    data = text.encode()
    _, records = read(data)
    assert b"".join(record.raw for record in records) == data[len(HEAD):]
    told = [record.problem and record.problem.rpartition(", part ")[2] for record in records]
    assert told[:6] == ["1", "2", "3", None, "1", "2"]
    assert records == read(data, 333_333)[1]


_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=6) | st.sampled_from(
    ["", '"', "\r\n", "\n", "\n\n", ",", ";", "\t", "|", "a,b", '""', "Computer", "=1", " "])


@given(st.lists(st.tuples(_cells, _cells, _cells), max_size=6), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]),
       st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.integers(1, 30))
def test_any_table_comes_back(read, table: list, delimiter: str, newline: str, quoting: int, encoding: str, piece: int) -> None:
    names = ("Computer", "FileName", "TimeGenerated")
    table = [row for row in table if row != names]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerow(names)
    writer.writerows(table)
    data = out.getvalue().encode(encoding)
    _, records = read(data, piece)
    if not any(is_second_header(list(row)) for row in table):  # a row that names columns only is taken for a header
        assert [record.values for record in records] == [
            {name: cell or None for name, cell in zip(names, row, strict=True)} for row in table]
    start = len(data) - sum(record.length for record in records)
    assert b"".join(record.raw for record in records) == data[start:]
    assert data[:start].decode(encoding).rstrip("\r\n").count("\n") == 0


@given(st.binary(max_size=40) | st.text('",\n\r a;', max_size=40).map(str.encode), st.integers(1, 9))
def test_records_tile_whatever_follows_the_header(read, data: bytes, piece: int) -> None:
    whole = HEAD.encode() + data
    opened, records = read(whole, piece)
    header = opened.preambles[-1]
    assert b"".join(record.raw for record in records) == whole[header.offset + header.length:]
    assert records == read(whole)[1]
