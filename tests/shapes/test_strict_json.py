"""What a lenient parser would change in silence is a problem; text is never repaired."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimforensics.model import MAX_FIELD
from fimforensics.shapes.strict_json import Number, nesting, parse, parse_array, parse_value, quick_array, quick_object


@pytest.mark.parametrize(("raw", "problem"), [
    (b'{"a":1,"a":2}', 'key "a" is there twice'),
    (b'{"a":{"b":1,"b":1}}', 'key "b" is there twice'),
    (b'{"\\u001b":1,"\\u001b":2}', 'key "\\u001b" is there twice'),
    (b'{"a" :1,"a":2,"b":" :"}', 'key "a" is there twice'),
    (b'{"a":9223372036854775808}', "integer 9223372036854775808 is beyond 64 bits"),
    (b'{"a":-9223372036854775809}', "integer -9223372036854775809 is beyond 64 bits"),
    (b'{"a":' + b"1" * 5000 + b"}", "integer " + "1" * 40 + "... is beyond 64 bits"),
    (b'{"a":NaN}', "NaN is no number"),
    (b'{"a":[-Infinity]}', "-Infinity is no number"),
    (b'{"a":' * 100_000, "nested over 64 deep"),
    (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "nested over 64 deep"),
    (b"[1]", "not a JSON object"),
    (b'"text"', "not a JSON object"),
    (b"", "cut off, or a quote is missing: the JSON does not end"),
    (b'{"a":"x', "cut off, or a quote is missing: the JSON does not end"),
    (b'{"a":1', "cut off, or a quote is missing: the JSON does not end"),
    (b'{"a":01}', "not valid JSON at character 7"),
    (b'{"a":1} {}', "text after the JSON value, at character 9"),
])
def test_problems(raw: bytes, problem: str) -> None:
    assert parse(raw) == (None, problem)


def test_values_as_written() -> None:
    raw = b'{"a":1.10,"b":1e5,"c":-5,"d":null,"e":true,"f":[1.0,{"g":""}],"h":"\\u00e9\xc3\xa9"}'
    values, problem = parse(raw)
    assert problem is None
    assert values == {"a": "1.10", "b": "1e5", "c": -5, "d": None, "e": True, "f": ["1.0", {"g": ""}], "h": "éé"}
    assert [type(value) for value in values.values()][:3] == [Number, Number, int]
    assert type(values["f"][0]) is Number


@pytest.mark.parametrize(("raw", "text"), [
    (b'"\\ud800"', "\ud800"), (b'"\\u0000"', "\0"), (b'"\0"', "\0"), (b'"\xff\xfe"', "\udcff\udcfe"),
    (b'"\xed\xa0\x80"', "\udced\udca0\udc80"), (b'"\\ud83d\\ude00"', "\U0001f600"),
])
def test_text_is_not_repaired(raw: bytes, text: str) -> None:
    assert parse(b'{"a":' + raw + b"}") == ({"a": text}, None)


def test_limits_are_exact() -> None:
    fits = "é" * (MAX_FIELD // 2)
    assert parse(json.dumps({"a": fits}).encode()) == ({"a": fits}, None)
    assert parse(json.dumps({"a": fits + "x"}).encode()) == (
        None, f'field "a" is {MAX_FIELD + 1:,} bytes, over the limit of {MAX_FIELD:,}')
    assert parse(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}")[1] is None
    nested = {"a": ["x" * (MAX_FIELD // 2), "y" * (MAX_FIELD // 2)]}
    assert parse(json.dumps(nested).encode())[1] == f'field "a" is {MAX_FIELD + 7:,} bytes, over the limit of {MAX_FIELD:,}'


def test_brackets_within_strings_do_not_nest() -> None:
    assert nesting(b'["\\\\\\"' + b"[" * 200 + b'"]') == 1
    assert nesting(b"[[]]" * 40) == 2


def test_arrays() -> None:
    assert parse_array(b'[1,null,"x",2.50]') == ([1, None, "x", "2.50"], None)
    assert parse_array(b'[{"a":1,"a":2}]') == (None, 'key "a" is there twice')
    assert parse_array(b"{}") == (None, "not a JSON array")


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1) | st.text(st.characters(codec="utf-8"))
    | st.sampled_from(['":', " :", '"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6)


@given(st.dictionaries(st.text(max_size=4), _values, max_size=5), st.sampled_from([None, 2]), st.booleans())
def test_quick_is_right_or_silent(values: dict, indent: int | None, ascii_only: bool) -> None:
    raw = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode("utf-8")
    assert parse(raw) == (values, None)
    assert quick_object(raw) in (values, None)
    row = json.dumps(list(values.values()), indent=indent).encode()
    assert parse_array(row) == (list(values.values()), None)
    assert quick_array(row) in (list(values.values()), None)


@given(st.binary(max_size=30) | st.text('{}[]":,\\01 a', max_size=30).map(str.encode))
def test_any_bytes_give_a_value_or_a_problem(raw: bytes) -> None:
    value, problem = parse_value(raw)
    assert problem is None or value is None
    quick = quick_object(raw)
    assert quick is None or (quick, None) == parse_value(raw)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c\\\\", "d\\\""]), st.sampled_from(["", " ", "\n", "\t"])), max_size=4),
       st.sampled_from(['""', '":"', '" :"', '"\\":"', "1"]))
def test_no_double_key_gets_through(keys: list[tuple[str, str]], value: str) -> None:
    raw = ("{" + ",".join(f'"{key}"{space}:{value}' for key, space in keys) + "}").encode()
    double = len({key for key, _ in keys}) != len(keys)
    assert (parse(raw)[0] is None) == double
    assert not (double and quick_object(raw) is not None)
