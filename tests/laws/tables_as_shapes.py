"""Every way in which a table may lie in a file: a `Shape` writes rows as one exporter would and says what it cannot keep."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import zstandard

from fimforensics.model import COLUMNS, LONG, REAL, TIME
from tests.laws.drawn_tables import Row


@dataclass(frozen=True)
class Shape:
    """A way to write rows; `fine` keeps all that a row says: seven figures of a second, and '' as other than nothing."""

    name: str
    write: Callable[[list[Row]], bytes]
    fine: bool


def _columns(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for one in rows for name in one))


def portal_time(text: str) -> str:
    """A time as a browser in the United States shows it."""
    at = datetime.fromisoformat(text[:19])
    return f"{at.month}/{at.day}/{at.year}, {at.hour % 12 or 12}:{at:%M:%S}.{text[20:23]} {'PM' if at.hour > 11 else 'AM'}"


def _cells(one: Row, columns: list[str], time: Callable[[str], str] = str) -> list[str]:
    return [
        "" if (value := one.get(name)) is None else time(str(value)) if COLUMNS.get(name) == TIME else str(value)
        for name in columns
    ]


def _csv(rows: list[Row], header: list[str], cells: Iterable[list[str]], **dialect: object) -> str:
    out = io.StringIO()
    writer = csv.writer(out, **dialect)  # type: ignore[arg-type]
    writer.writerow(header)
    writer.writerows(cells)
    return out.getvalue()


def portal_csv(rows: list[Row]) -> bytes:
    """As the Log Analytics portal exports, to milliseconds, with a BOM."""
    columns = _columns(rows)
    header = [f"{name} [UTC]" if COLUMNS.get(name) == TIME else name for name in columns]
    return _csv(rows, header, (_cells(one, columns, portal_time) for one in rows)).encode("utf-8-sig")


def plain_csv(rows: list[Row], **dialect: object) -> bytes:
    """As programs write it."""
    columns = _columns(rows)
    return _csv(rows, columns, (_cells(one, columns) for one in rows), **dialect).encode()


def semicolon_csv(rows: list[Row]) -> bytes:
    """As spreadsheets of half of Europe write it."""
    return plain_csv(rows, delimiter=";", lineterminator="\n")


def export_csv(rows: list[Row]) -> bytes:
    """As PowerShell's Export-Csv writes it."""
    columns = _columns(rows)
    text = _csv(rows, columns, (_cells(one, columns) for one in rows), quoting=csv.QUOTE_ALL)
    return ("\ufeff#TYPE System.Management.Automation.PSCustomObject\r\n" + text).encode("utf-16-le")


def az_json(rows: list[Row]) -> bytes:
    """As `az monitor log-analytics query` prints it: every value is text."""
    columns = _columns(rows)
    texts = [{"TableName": "PrimaryResult", **{name: str(one.get(name)) for name in columns}} for one in rows]
    return json.dumps(texts, indent=2).encode()


def rest_json(rows: list[Row]) -> bytes:
    """As the query API answers."""
    columns = _columns(rows)
    told = [{"name": name, "type": COLUMNS.get(name, "string")} for name in columns]
    table = {"name": "PrimaryResult", "columns": told, "rows": [[one.get(name) for name in columns] for one in rows]}
    return json.dumps({"tables": [table]}, ensure_ascii=False).encode()


def json_lines(rows: list[Row]) -> bytes:
    """As a collector writes it."""
    return b"".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for one in rows)


def sparse_lines(rows: list[Row]) -> bytes:
    """As a data export rule writes it: what is null is left out, and fractions of a second may be."""

    def told(name: str, value: object) -> object:
        return str(value).rstrip("Z").rstrip("0").rstrip(".") + "Z" if COLUMNS.get(name) == TIME else value

    return "\n".join(
        json.dumps({name: told(name, value) for name, value in one.items() if value is not None}) for one in rows
    ).encode()


def record_lines(rows: list[Row]) -> bytes:
    """As an event hub writes it: several records a line."""
    return b"\n".join(json.dumps({"records": rows[at : at + 2]}).encode() for at in range(0, len(rows), 2))


def parquet(rows: list[Row]) -> bytes:
    """As an export job writes it."""
    import pyarrow
    from pyarrow import parquet as files

    kinds = {LONG: pyarrow.int64(), REAL: pyarrow.float64()}
    columns = {}
    for name in _columns(rows):
        cells = [one.get(name) for one in rows]
        if COLUMNS.get(name) == TIME:
            ticks = [None if cell is None else _ticks(str(cell)) for cell in cells]
            even = all(tick is None or tick % 10 == 0 for tick in ticks)  # 1601 is before the first nanosecond of Parquet
            columns[name] = pyarrow.array(
                [tick if tick is None else tick // 10 if even else tick * 100 for tick in ticks],
                pyarrow.timestamp("us" if even else "ns", "UTC"),
            )
        elif any(isinstance(cell, str) for cell in cells):
            columns[name] = pyarrow.array([cell if cell is None else str(cell) for cell in cells])
        else:
            columns[name] = pyarrow.array(cells, kinds.get(COLUMNS.get(name, ""), pyarrow.string()))
    out = io.BytesIO()
    files.write_table(pyarrow.table(columns), out, row_group_size=3)
    return out.getvalue()


def _ticks(text: str) -> int:
    """Steps of 100 ns since 1970."""
    seconds = round((datetime.fromisoformat(text[:19]) - datetime(1970, 1, 1)).total_seconds())
    return seconds * 10**7 + int(text[20:27])


def xlsx(rows: list[Row]) -> bytes:
    """As somebody saves it from a spreadsheet."""
    import openpyxl

    columns = _columns(rows)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("query_data")
    sheet.append(columns)
    for one in rows:
        sheet.append([one.get(name) for name in columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def partial_csv(rows: list[Row]) -> bytes:
    """A choice of columns, without one that tells events apart."""
    return plain_csv([Row({name: cell for name, cell in one.items() if name not in ("FileSize", "TenantId")}) for one in rows])


def zipped(*parts: bytes) -> bytes:
    """A zip file with these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, part in enumerate(parts):
            archive.writestr(zipfile.ZipInfo(f"part-{number}"), part)
    return out.getvalue()


def _in_halves(rows: list[Row]) -> bytes:
    return zipped(*[json_lines(rows[::2]), rest_json(rows[1::2])][: len(rows)])


SHAPES = (
    Shape("JSON Lines", json_lines, True),
    Shape("JSON Lines without nulls", sparse_lines, True),
    Shape("lines of records", record_lines, True),
    Shape("query API JSON", rest_json, True),
    Shape("az JSON", az_json, True),
    Shape("Parquet", parquet, True),
    Shape("portal CSV", portal_csv, False),
    Shape("plain CSV", plain_csv, False),
    Shape("CSV with semicolons", semicolon_csv, False),
    Shape("Export-Csv", export_csv, False),
    Shape("XLSX", xlsx, False),
    Shape("gzip of JSON Lines", lambda rows: gzip.compress(json_lines(rows), mtime=0), True),
    Shape("zstd of query API JSON", lambda rows: zstandard.compress(rest_json(rows)), True),
    Shape("zip of two shapes", _in_halves, True),
)
FINE = tuple(shape for shape in SHAPES if shape.fine)
PARTIAL = Shape("CSV of some columns", partial_csv, False)
