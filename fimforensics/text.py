"""Evidence text is hostile: what must not reach a terminal, a page or a file raw is shown as what it is.

`visible` is for everything that a person sees, `storable` for what goes into the case, `csv_safe` for cells that a
spreadsheet will open. Each is one search of a compiled pattern when there is nothing to do, which is nearly always.
"""

from __future__ import annotations

import re
from functools import cache

# Controls (C0, DEL, C1), soft hyphen and Arabic letter mark, zero-width, bidi marks, line separators, embeddings and
# overrides, isolates and invisible operators, byte order mark, interlinear marks, surrogates, tag characters.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_FORMULA = frozenset("=+-@\t\r")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def visible(text: str) -> str:
    """The text with everything invisible or steering written as an escape (`\\x1b`, `\\u202e`, `\\n`); the rest unchanged."""
    if _HIDDEN.search(text) is None:
        return text
    return text.translate(_escapes())


def storable(text: str) -> tuple[str, bool]:
    """The text as SQLite can keep it, and whether NUL or lone surrogates had to be written as escapes for that."""
    if _UNSTORABLE.search(text) is None:
        return text, False
    return _UNSTORABLE.sub(_escape, text), True


def csv_safe(text: str) -> str:
    """The text for a cell of a spreadsheet: a `'` goes before = + - @ TAB CR at its start, so that no formula runs.

    This alters the text (a negative number too): a file made so is for reading, not for loading back.
    """
    return f"'{text}" if text[:1] in _FORMULA else text


def _escape(match: re.Match[str]) -> str:
    return _escaped(ord(match.group()))


def _escaped(code: int) -> str:
    """A character as its escape."""
    if chr(code) in _SHORT:
        return _SHORT[chr(code)]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as Python's surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@cache
def _escapes() -> dict[int, str]:
    """All escapes, looked up in one go: a text of nothing but NULs, of millions of them, is escaped in a second."""
    return {code: _escaped(code) for code in (*range(0x10000), *range(0xE0000, 0xE0080)) if _HIDDEN.match(chr(code))}
