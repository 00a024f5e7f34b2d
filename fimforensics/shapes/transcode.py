"""JSON that a Windows shell wrote as UTF-16, as the UTF-8 that JSON is read from; in pieces, so of any size.

`>` and Out-File of Windows PowerShell 5 write UTF-16 with a byte order mark. A unit that is no character (half a surrogate
pair, a last byte alone) becomes the escape that JSON has for it (`\\ud800`): within a string that says the very same.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from fimforensics.shapes.lines import BIG, LITTLE

HEAD = 512  # bytes by which such text is told
_MARKED = ((b"\xff\xfe", LITTLE), (b"\xfe\xff", BIG), (b"", LITTLE), (b"", BIG))


def utf16_json(head: bytes) -> tuple[str, int] | None:
    """The encoding of text that begins with a brace or bracket in UTF-16, and its mark's length; None for any other."""
    for mark, encoding in _MARKED:
        if head.startswith(mark):
            text = head[len(mark):HEAD & ~1].decode(encoding, "replace").lstrip(" \t\r\n")
            if text[:1] in ("{", "["):
                return encoding, len(mark)
    return None


def to_utf8(chunks: Iterator[bytes], encoding: str, mark: int) -> Iterator[bytes]:
    """The text as UTF-8 without its mark, a chunk for a chunk."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    rest = b""
    for chunk in chunks:
        skipped = min(mark, len(chunk))
        mark -= skipped
        data = rest + chunk[skipped:] if rest or skipped else chunk
        even = len(data) & ~1
        rest = data[even:]
        yield _utf8(decoder.decode(data[:even]))
    yield _utf8(decoder.decode(b"", True) + "".join(chr(0xDC00 + byte) for byte in rest))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
