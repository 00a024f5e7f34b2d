"""What a file is that is no table export, told by its first bytes, and what to do instead."""

from __future__ import annotations

import re

from fimforensics.errors import Refused
from fimforensics.shapes.headers import DELIMITERS, listed
from fimforensics.shapes.lines import decode, encoding_of

_EXPORT = "Export the table as CSV or JSON and ingest that"
_MAGICS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n", "a PNG picture", _EXPORT),
    (b"\xff\xd8\xff", "a JPEG picture", _EXPORT),
    (b"GIF8", "a GIF picture", _EXPORT),
    (b"BM", "a BMP picture", _EXPORT),
    (b"II*\0", "a TIFF picture", _EXPORT),
    (b"MM\0*", "a TIFF picture", _EXPORT),
    (b"%PDF-", "a PDF document", _EXPORT),
    (b"{\\rtf", "an RTF document", _EXPORT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old .xls workbook or Office document", "Save it as .xlsx or CSV and ingest that"),
    (b"SQLite format 3\0", "an SQLite database", "If it is a case, open it with `fimforensics info` or `serve`"),
    (b"PK", "a zip file within a container, or one that is broken", "Unpack it and ingest what it holds"),
    (b"\x1f\x8b", "gzip data within two other containers", "Decompress it and ingest the result"),
    (b"\x28\xb5\x2f\xfd", "zstd data within two other containers", "Decompress it and ingest the result"),
    (b"BZh", "bzip2 data", "Decompress it and ingest the result"),
    (b"\xfd7zXZ\0", "xz data", "Decompress it and ingest the result"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it and ingest what it holds"),
    (b"Rar!", "a RAR archive", "Unpack it and ingest what it holds"),
    (b"ORC", "an ORC file", "Export as Parquet, CSV or JSON"),
    (b"Obj\x01", "an Avro file", "Export as Parquet, CSV or JSON"),
    (b"ARROW1", "an Arrow file", "Save it as Parquet and ingest that"),
    (b"\x80\x04\x95", "a Python pickle, which is never opened", _EXPORT),
    (b"MZ", "a Windows program", _EXPORT),
    (b"\x7fELF", "a Linux program", _EXPORT),
)
_AZ = "Run the query again with `-o json` and ingest that"
_COLUMNS = "Export it again with the column names in the first line"
_TABLES = "Export MDCFileIntegrityMonitoringEvents, or another table of file changes, with its own column names"
_KEY = re.compile(rb"[0-9A-Fa-f]{32,128}").fullmatch
_NAME = re.compile(r"[^\W\d][\w.\[\]:+-]*( [\w.\[\]:+-]+){0,3}").fullmatch  # no sentence


def refusal(head: bytes) -> Refused:
    """Why a member that starts with `head` is not taken."""
    if not head:
        return Refused("empty file", hint="Export it again; an empty answer is not the same as no changes")
    for magic, what, hint in _MAGICS:
        if head.startswith(magic):
            return Refused(f"{what}, not a table export", hint=hint)
    if _KEY(head.strip()):
        return Refused("a case's key, or a lone hash: not a table export",
                       hint="A key is a secret that lies beside its case; ingest the export")
    if head[257:262] == b"ustar":
        return Refused("a tar archive", hint="Unpack it and ingest the folder")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Refused("a WebP picture, not a table export", hint=_EXPORT)
    encoding, mark = encoding_of(head)
    return _refused_text(decode(head[mark:], encoding).lstrip("\ufeff \t\r\n")) or _unknown(head)


def _refused_text(text: str) -> Refused | None:
    """The refusal for a kind of text that is known."""
    start = text[:4096].lower()
    first = text.partition("\n")[0].rstrip("\r")
    if not text:
        return Refused("nothing but white space", hint="Export it again")
    if re.match(r"(<\?xml[^>]*>\s*)?(<!doctype html|<html|<head|<body)", start):
        return Refused("an HTML page, perhaps a sign-in page, instead of data", hint="Sign in and export again")
    if start.startswith("<?xml") or start.startswith("<svg"):
        return Refused("an XML file, not a table export", hint=_EXPORT)
    if re.search(r"api\.loganalytics|azuremonitorquery|json\.document\(web\.contents|analyticsquery\s*=", text.lower()):
        return Refused("Power BI or Excel M code: a query, no data", hint="Run the query in the portal and export as CSV")
    if text[0] in "{[":
        return Refused("text that begins like JSON but is none of the known exports", hint=_EXPORT)
    if set(text.split()) <= {"1", "PrimaryResult"}:
        return Refused("the output of `az ... -o tsv` of an old version, without the data", hint=_AZ)
    if re.search(r"^-{3,}(  -{3,})+\s*$", text, re.MULTILINE):
        return Refused("the output of `az ... -o table`, in which columns are cut", hint=_AZ)
    names = _names(first)
    if first.count("\t") >= 2 and ("PrimaryResult" in names or not names):
        return Refused("tab separated text without column names, as `az ... -o tsv` prints it", hint=_AZ)
    if names:
        return Refused(f"not a table fimforensics knows: {listed(names)}", hint=_TABLES)
    lines = [line for line in text.split("\n")[:3] if line]
    if text[0] != "#" and any(min(line.count(mark) for line in lines) >= 3 for mark in ",;|"):
        return Refused("delimited text without a header of known columns", hint=_COLUMNS)
    return None


def _names(line: str) -> list[str]:
    """The cells of a line that looks like a header, whatever it is of; none if it does not."""
    for mark in DELIMITERS:
        cells = [cell.strip().strip('"') for cell in line.split(mark)]
        if len(cells) > 1 and len(line) < 65_536 and all(_NAME(cell) for cell in cells):
            return cells
    return []


def _unknown(head: bytes) -> Refused:
    shown = head[:16].hex(" ") if re.search(rb"[^\x20-\x7e\s]", head[:16]) else ascii(head[:32].decode("ascii", "replace"))
    return Refused(f"not a table export; its first bytes are {shown}", hint=_EXPORT)
