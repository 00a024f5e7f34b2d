"""JSON documents, whole, broken and cut, in windows of any size."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimforensics.errors import Refused
from fimforensics.model import Preamble
from fimforensics.shapes import json_document, window

COLUMNS = '[{"name":"TimeGenerated","type":"datetime"},{"name":"Computer","type":"string"}]'
BOUNDARIES = pytest.mark.parametrize("piece", [1, 7, 1 << 20])


def answer(rows: str) -> str:
    """A query's answer with these rows."""
    return '{"tables":[{"name":"PrimaryResult","columns":' + COLUMNS + ',"rows":' + rows + "}]}"


def _rows(records: list) -> list:
    return [(record.raw.decode(), record.values, record.problem) for record in records]


def _good(records: list) -> list:
    return [record.values for record in records if record.values is not None]


@BOUNDARIES
def test_array(read, piece: int) -> None:
    text = '\ufeff[{"a": 1},\n {"a": "}, {"} , {"a":{"b":[]}}]\n'
    opened, records = read(text.encode(), piece)
    assert (opened.shape, opened.none, opened.partial, opened.columns) == ("JSON array", False, None, None)
    assert _rows(records) == [('{"a": 1}', {"a": 1}, None), ('{"a": "}, {"}', {"a": "}, {"}, None),
                              ('{"a":{"b":[]}}', {"a": {"b": []}}, None)]


def test_az(read) -> None:
    rows = [{"TableName": "PrimaryResult", "Computer": name, "FileSize": "None"} for name in ("a", "b", "None")]
    opened, records = read(json.dumps(rows, indent=2).encode())
    assert (opened.shape, opened.none, [record.values for record in records]) == ("az JSON", True, rows)
    assert read(b'[{"TableName": "PrimaryResult", "FileSize": 5}]')[0].shape == "JSON array"
    assert read(b"[]")[1] == []


@BOUNDARIES
def test_query_answer(read, piece: int) -> None:
    text = answer('[["2026-01-01","a"],["2026-01-02",null]]')
    opened, records = read(text.encode(), piece)
    assert (opened.shape, opened.columns, opened.partial) == ("query API JSON", ("TimeGenerated", "Computer"), None)
    assert opened.preambles == [Preamble("columns", text.index("[{", 12), len(COLUMNS), COLUMNS.encode())]
    assert _rows(records) == [('["2026-01-01","a"]', {"TimeGenerated": "2026-01-01", "Computer": "a"}, None),
                              ('["2026-01-02",null]', {"TimeGenerated": "2026-01-02", "Computer": None}, None)]


@BOUNDARIES
def test_query_answer_in_another_order(read, piece: int) -> None:
    text = ('{"statistics":{"q":[1]},"tables":[{"rows":[["t","a"],[["x"],"y"]],"columns":' + COLUMNS
            + ',"name":"PrimaryResult"}],"render":{}}')
    opened, records = read(text.encode(), piece)
    assert opened.columns == ("TimeGenerated", "Computer")
    assert _good(records) == [{"TimeGenerated": "t", "Computer": "a"}, {"TimeGenerated": ["x"], "Computer": "y"}]


def test_cells_that_do_not_fit(read) -> None:
    text = answer('[["t"],["t","a","b"],["t","a"],7,{"a":1},["t",NaN]]')
    assert _rows(read(text.encode())[1]) == [
        ('["t"]', None, "1 cells for 2 columns"), ('["t","a","b"]', None, "3 cells for 2 columns"),
        ('["t","a"]', {"TimeGenerated": "t", "Computer": "a"}, None), ("7", None, "not a JSON array"),
        ('{"a":1}', None, "not a JSON array"), ('["t",NaN]', None, "NaN is no number")]


@pytest.mark.parametrize("first", [True, False])
def test_partial_error(read, first: bool) -> None:
    error = {"code": "PartialError", "message": "There were some errors", "details": [
        {"code": "X", "message": "m", "innererror": {"code": "Y", "message": "exceed the set limit of 64000000 bytes"}}]}
    tables = [{"name": "PrimaryResult", "columns": json.loads(COLUMNS), "rows": [["t", "a"]]}]
    answer = {"error": error, "tables": tables} if first else {"tables": tables, "error": error}
    opened, records = read(json.dumps(answer).encode())
    assert opened.partial == "PartialError: There were some errors / m / exceed the set limit of 64000000 bytes"
    assert len(records) == 1


def test_several_tables(read) -> None:
    def table(name: str, columns: str) -> str:
        return f'{{"name":"{name}","columns":{columns},"rows":[["t","{name}"]]}}'

    other = COLUMNS.replace("Computer", "Other")
    text = f'{{"tables":[{table("PrimaryResult", COLUMNS)},{table("Second", other)},{table("Third", COLUMNS)}]}}'
    strange = "a row of another table, with other columns than the first"
    assert [(r.values and r.values["Computer"], r.problem) for r in read(text.encode())[1]] == [
        ("PrimaryResult", None), (None, strange), ("Third", None)]
    text = f'{{"tables":[{table("Stats", other)},{table("PrimaryResult", COLUMNS)}]}}'
    assert [(r.values and r.values["Computer"], r.problem) for r in read(text.encode())[1]] == [
        (None, strange), ("PrimaryResult", None)]


@pytest.mark.parametrize(("text", "message"), [
    ('{"error":{"message":"The query failed","code":"BadArgumentError","innererror":{"message":"no such column"}}}',
     "the query failed: BadArgumentError: The query failed / no such column"),
    ('{\n "error":{"message":"m","code":"C"}}', "the query failed: C: m"),
    ("{}", "no tables in this answer"), ('{"tables":[]}', "no tables with columns"), ("{\n}", "no tables in this answer"),
    ('{"responses":[{"id":"1","status":200,"body":{}}]}', "a batch of queries"),
    ('{"tables":[{"name":"PrimaryResult","colu', "broken or cut off at byte"),
    ('{"tables":[{"columns":[{"name":"A"},{"name":"A"}],"rows":[]}]}', 'two columns are named "A"'),
    ('{"tables":[{"rows":[[1]]}]}', "no tables with columns"),
])
def test_refused(read, text: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        read(text.encode())


@BOUNDARIES
@pytest.mark.parametrize("text", [
    '{"@odata.context":"x","schema":[{"name":"Timestamp","type":"DateTime"},{"name":"SHA1","type":"String"}],'
    '"results":[{"Timestamp":"t","SHA1":"a"},{"Timestamp":"u","SHA1":null}]}',
    '{"Stats":{"x":1},"Results":[{"Timestamp":"t","SHA1":"a"},{"Timestamp":"u","SHA1":null}],'
    '"Schema":[{"Name":"Timestamp","Type":"DateTime"},{"Name":"SHA1","Type":"String"}]}',
])
def test_hunting(read, text: str, piece: int) -> None:
    opened, records = read(text.encode(), piece)
    assert (opened.shape, opened.columns, opened.preambles[0].kind) == ("hunting API JSON", ("Timestamp", "SHA1"), "schema")
    assert _good(records) == [{"Timestamp": "t", "SHA1": "a"}, {"Timestamp": "u", "SHA1": None}]


@BOUNDARIES
def test_records_and_objects(read, piece: int) -> None:
    opened, records = read(b'{\n"x": [1], "records": [\n {"a":1}, {"a":2}]}\n{"records":[{"a":3}]}', piece)
    assert (opened.shape, _good(records), opened.partial) == ("JSON records", [{"a": 1}, {"a": 2}, {"a": 3}], None)
    opened, records = read(b'{\n"a": 1,\n"b": {}}\n{\n"a": 2}{\n"a": 3}\n', piece)
    assert (opened.shape, _good(records), opened.partial) == ("JSON objects", [{"a": 1, "b": {}}, {"a": 2}, {"a": 3}], None)


@BOUNDARIES
def test_broken_elements_do_not_take_others_along(read, piece: int) -> None:
    texts = ['{"a":1}', '{"a":tru}', '{"a":2}', '{"a":"x, "b":"y"}', '{"a":3}', '{"a":"lost}', '{"a":4}', '{"a":5,"a":6}',
             '{"a":7}', "nonsense", '{"a":8}', '{"a":' * 300 + "1" + "}" * 300, '{"a":9}', '{"a":[}]}', '{"a":10}']
    opened, records = read(("[" + ",\n".join(texts) + "]").encode(), piece)
    assert _good(records) == [{"a": number} for number in (1, 2, 3, 4, 7, 8, 9, 10)]
    assert [record.raw.decode() for record in records] == texts
    assert opened.partial is None


@BOUNDARIES
def test_broken_rows_and_last_elements(read, piece: int) -> None:
    text = answer('[["t","a"],["t,"b"],["t","c"],["t",x]]')
    opened, records = read(text.encode(), piece)
    assert [record.raw for record in records] == [b'["t","a"]', b'["t,"b"]', b'["t","c"]', b'["t",x]']
    assert [record.values is None for record in records] == [False, True, False, True]
    assert opened.partial is None


@pytest.mark.parametrize("prefix", ["[", '{"tables":[{"name":"PrimaryResult","columns":[{"name":"a"}],"rows":['])
def test_cut_anywhere(read, prefix: str) -> None:
    element = '{"a":"x\\"}"}' if prefix == "[" else '["x\\"}"]'
    whole = prefix + ",".join([element] * 3)
    for end in range(len(prefix) + 1, len(whole) + 1):
        opened, records = read(whole[:end].encode(), 5)
        good = (end - len(prefix) + 1) // (len(element) + 1)
        assert _good(records) == [{"a": 'x"}'}] * good
        rest = whole[len(prefix) + good * (len(element) + 1):end]
        assert [(r.raw.decode(), r.problem) for r in records[good:]] == ([(rest, window.CUT)] if rest else [])
        assert opened.partial == "cut off: the file ends before its JSON document does"


def test_text_after_the_end(read) -> None:
    _, records = read(b'[{"a":1}] and more')
    assert _rows(records) == [('{"a":1}', {"a": 1}, None), ("and more", None, "text after the end of the JSON document")]
    assert _good(read(b'[{"a":1}]\n[{"a":2}]')[1]) == [{"a": 1}, {"a": 2}]


def test_bombs(read) -> None:
    _, records = read(b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b'},{"a":1}]')
    assert [record.problem for record in records] == ["nested over 64 deep", None]


def test_a_record_over_all_limits_comes_in_parts(read, monkeypatch) -> None:
    monkeypatch.setattr(window, "MAX_RECORD", 10_000)
    monkeypatch.setattr(window, "STEP", 4_000)
    field = 'x\\"}' * 10_000
    text = '[{"a":"' + field + '"},{"a":1}]'
    _, records = read(text.encode(), 1_000)
    assert records == read(text.encode(), 7_777)[1]
    assert b"".join(record.raw for record in records[:-1]).decode() == text[1:-9]
    assert [record.problem for record in records[:2]] == [f"a record of more than 10,000 bytes, part {n}" for n in (1, 2)]
    assert records[-1].values == {"a": 1}


_texts = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from([
    "},\n{", "],[", '"', "\\", '},{"a', "{[", "\u2028", "\0"])
_tables = st.lists(st.tuples(_texts | st.none(), st.integers(-2**63, 2**63 - 1) | st.none(), _texts), max_size=6)


@given(_tables, st.sampled_from(["array", "rest", "hunting", "records", "objects"]), st.sampled_from([None, 2]), st.booleans(),
       st.integers(1, 40))
def test_any_table_comes_back(read, table: list, layout: str, indent: int | None, ascii_only: bool, piece: int) -> None:
    names = ("TimeGenerated", "FileSize", "Computer")
    objects = [dict(zip(names, row, strict=True)) for row in table]
    listed = [{"name": name, "type": "string"} for name in names]
    document = {"array": objects, "records": {"records": objects}, "hunting": {"schema": listed, "results": objects},
                "rest": {"tables": [{"name": "PrimaryResult", "columns": listed, "rows": table}]}, "objects": None}[layout]
    if layout == "objects":
        text = "\n".join(json.dumps(row, indent=1, ensure_ascii=ascii_only) for row in objects or [{"TimeGenerated": ""}])
        objects = objects or [{"TimeGenerated": ""}]
    else:
        text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    opened, records = read(text.encode(), piece)
    assert [record.values for record in records] == objects
    assert opened.partial is None


@given(st.text('{}[]":,\\a1 \n', max_size=60), st.sampled_from(["[", "[{", '[{"a":1},{"a":2},', "{\n"]), st.integers(1, 9))
def test_no_byte_of_a_broken_array_is_lost(member, text: str, prefix: str, piece: int) -> None:
    data = (prefix + text).encode()
    if not json_document.recognise(data):
        return
    try:
        opened = json_document.open_shape(member(data, piece), data)
        records = list(opened.records)
    except Refused:
        return
    assert records == list(json_document.open_shape(member(data), data).records)
    left, end = b"", 0
    for record in records:
        assert data[record.offset:record.offset + record.length] == record.raw
        assert record.offset >= end
        left, end = left + data[end:record.offset], record.offset + record.length
    assert set(left + data[end:]) <= set(b"[], \n\t\r") or opened.shape not in ("JSON array", "JSON objects")
