"""What a member is, told by its bytes, and what to do about those that are no export."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fimforensics.errors import Refused
from fimforensics.model import COLUMNS, TIME
from fimforensics.shapes import SHAPES, members, open_member, recognise

LINE = b'{"TimeGenerated":"2026-01-01T00:00:00Z","Computer":"a"}'


@pytest.mark.parametrize(("head", "name"), [
    (LINE, "JSON Lines"), (LINE + b"\n" + LINE + b"\n", "JSON Lines"), (b'{"records":[' + LINE + b"]}\n" * 2, "JSON Lines"),
    (b"\xef\xbb\xbf" + LINE, "JSON Lines"), (b'{"TimeGenerated":"x","error":{"a":1}}\n', "JSON Lines"),
    (b"[" + LINE + b"]", "JSON document"), (b"\xef\xbb\xbf[\n" + LINE, "JSON document"), (b"[]", "JSON document"),
    (b'{"tables":[]}', "JSON document"), (b'{"records":[' + LINE + b"]}", "JSON document"), (b'{\n "a": 1\n}', "JSON document"),
    (b'{"schema":[],"results":[]}', "JSON document"), (b"{}", "JSON document"), (b'{"error":{"code":"x"}}', "JSON document"),
    (b"TimeGenerated,Computer\n", "CSV"), (b'"TimeGenerated [UTC]";"Type"\n', "CSV"), (b"Timestamp\tDeviceName\n", "CSV"),
    (b"timegenerated [utc]|computer\n", "CSV"),
    ("\ufeffconfigchangetype,computer".encode("utf-16-le"), "CSV"), (b"PAR1\x15", "Parquet"),
    (b"PK\x03\x04............[Content_Types].xml", "XLSX"),
])
def test_shapes(head: bytes, name: str) -> None:
    shape = recognise(head)
    assert name == shape.NAME


@pytest.mark.parametrize(("head", "message"), [
    (b"", "empty file"), (b" \n", "nothing but white space"), (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff\xe0", "a JPEG picture"), (b"GIF89a", "a GIF picture"), (b"%PDF-1.7", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Save it as .xlsx or CSV"),
    (b"SQLite format 3\0", "an SQLite database, not a table export. If it is a case, open it with"),
    (b"<!DOCTYPE html><html><title>Sign in", "a sign-in page"), (b"\xef\xbb\xbf\r\n<HTML>", "a sign-in page"),
    (b'let AnalyticsQuery =\nlet Source = Json.Document(Web.Contents("https://api.loganalytics.io/v1/x")',
     "M code: a query, no data"),
    (b"g-1\t/subscriptions/x\tNone\tPrimaryResult\n", "`-o json`"), (b"1\n1\n", "old version"),
    (b"Computer    TimeGenerated\n----------  -------------\na  b\n", "`az ... -o table`"),
    (b"hello world\n", "not a table export; its first bytes are 'hello world"), (b"\0\1\2\3", "first bytes are 00 01 02 03"),
(b"[section]\nkey=1\n", "text that begins like JSON but is none of the known exports"),
    (b"id,label,when\n1,x,2\n", "not a table fimforensics knows: columns id, label, when. Export MDCFileInt"),
    (b"\"a b\"\tc\td\n", "columns a b, c, d."), (b",".join(b"c%d" % number for number in range(10)), "c6, c7 and 2 more."),
    (b"# Title, of, a, list\n\nx, y, z, a\n", "not a table export; its first bytes are '# Title"),
    (b"a,b,c,d e f g h\n1,2,3,4\n", "delimited text without a header of known columns. Export it again with"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"), (b"\xfd7zXZ\0", "xz data"), (bytes(257) + b"ustar", "a tar archive"),
    (b"PK\x03\x04" + bytes(30), "a zip file within a container"), (b"\x80\x04\x95", "a Python pickle"),
])
def test_refusals(head: bytes, message: str) -> None:
    with pytest.raises(Refused) as refused:
        recognise(head)
    assert message in refused.value.line()
    assert "\n" not in refused.value.line()


def test_every_shape_offers_the_same() -> None:
    assert [shape.NAME for shape in SHAPES] == ["Parquet", "XLSX", "JSON document", "JSON Lines", "CSV"]


def test_what_is_refused_within_gzip(tmp_path) -> None:
    (tmp_path / "x.csv").write_bytes(gzip.compress(b"%PDF-1.7"))
    with pytest.raises(Refused, match="a PDF document"):
        open_member(next(members(tmp_path / "x.csv")))


def _recorded(folder: Path, name: str) -> list[dict[str, object]]:
    """The rows of a recording without what is null, as text, times left out (the portal writes them otherwise)."""
    opened = open_member(next(members(folder / f"uac_fodhelper.{name}.gz")))
    rows = []
    for record in opened.records:
        values = record.values or {}
        rows.append({key: str(value) for key, value in values.items()
                     if key != "FilePath" and COLUMNS.get(key, TIME) != TIME
                     and value not in (None, "") and not (opened.none and value == "None")})
    return rows


def test_recordings(recordings: Path) -> None:
    rows = _recorded(recordings, "ndjson")
    assert len(rows) == 1044
    for name in ("nulls.ndjson", "dirpath.ndjson", "portal.csv", "az.json", "rest.json"):
        assert _recorded(recordings, name) == rows, name
