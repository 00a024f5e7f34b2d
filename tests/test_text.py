"""Hostile text: visible where seen, storable where kept, inert where a spreadsheet opens it."""

from __future__ import annotations

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from fimforensics.text import csv_safe, storable, visible


def test_visible_escapes_what_hides_or_steers() -> None:
    assert visible("a\x1b[31mb\x00\x7f\x9b") == "a\\x1b[31mb\\x00\\x7f\\x9b"
    assert visible("one\ntwo\tthree\rfour") == "one\\ntwo\\tthree\\rfour"
    assert visible("gnp\u202e.exe\u2066\u200e\u061c") == "gnp\\u202e.exe\\u2066\\u200e\\u061c"
    assert visible("a\u2028b\u200bc\u2060d\ufeffe") == "a\\u2028b\\u200bc\\u2060d\\ufeffe"
    assert visible("\udcff\ud800") == "\\xff\\ud800"
    assert visible("\U000e0041") == "\\U000e0041"


def test_visible_leaves_every_script_alone() -> None:
    text = "C:\\Ünïcode\\файл 日本 \ue000 <b>&amp; 😀"
    assert visible(text) is text


def test_storable_escapes_only_what_sqlite_cannot_keep() -> None:
    assert storable("plain \x1b \u202e\n") == ("plain \x1b \u202e\n", False)
    assert storable("a\x00b\ud800c\udcfe") == ("a\\x00b\\ud800c\\xfe", True)


def test_csv_safe_puts_a_quote_before_a_formula() -> None:
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "", "a=b", "'=1"]
    assert [csv_safe(cell) for cell in cells] == [
        "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", "", "a=b", "'=1",
    ]  # fmt: skip


any_text = st.text(st.characters(), max_size=30)


@given(any_text)
def test_visible_text_stays_as_it_is_and_can_be_printed(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert "\n" not in shown and shown.encode("utf-8").decode("utf-8") == shown


@given(any_text)
def test_sqlite_gives_storable_text_back(text: str) -> None:
    kept, changed = storable(text)
    assert changed == (kept != text)
    back = sqlite3.connect(":memory:").execute("select ?1, length(?1), ?1 || ''", (kept,)).fetchone()
    assert back == (kept, len(kept), kept)
