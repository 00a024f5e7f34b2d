"""Excel workbooks (.xlsx), read row by row with openpyxl; a record's place is the number of its row under the header.

The first sheet with a header of known columns is the table. Another sheet with a header is read on if it has the same
columns; else its rows are problems, so they are not lost in silence. Cells that Excel holds as dates become ISO text
without a zone; what looks like a formula stays text. Before openpyxl sees it, the workbook is unpacked once to
nowhere, to know that it is no bomb.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from fimforensics.errors import Refused
from fimforensics.model import Opened, Preamble, Record
from fimforensics.shapes.containers import FLOOR, PIECE, RATIO, SPARE, Member, seekable
from fimforensics.shapes.headers import is_header, read_header
from fimforensics.shapes.rendering import rendered

NAME = "XLSX"
_HEADER_WITHIN = 20  # rows in which the header must come
_DAMAGE = (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError,
           OSError, RuntimeError)


def recognise(head: bytes) -> bool:
    """True for a zip that holds a workbook."""
    return head.startswith(b"PK\x03\x04") and any(mark in head for mark in (b"[Content_Types].xml", b"xl/", b"_rels/.rels"))


def open_shape(member: Member, head: bytes) -> Opened:
    """The rows of the sheet with a known header; Refused where there is none or the file is damaged."""
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise Refused("an Excel workbook, and openpyxl is not installed",
                      hint="pip install openpyxl, or save it as CSV") from None
    try:
        with seekable(member) as file:
            _refuse_bomb(file)
            header = next((cells for _, _, cells in _rows(file)), None)
    except _DAMAGE as error:
        raise Refused(f"a workbook that cannot be read ({type(error).__name__}: {str(error)[:200]})",
                      hint="Open it in Excel and save it as CSV") from None
    if header is None:
        raise Refused("a workbook without a sheet that has known column names in a row near its top",
                      hint="Export the table again as CSV")
    columns, zones = read_header(header)
    raw = "\t".join(header).encode("utf-8", "surrogatepass")
    return Opened(NAME, _records(member, header, columns), columns, zones, rendered=True,
                  preambles=[Preamble("header", 0, len(raw), raw)])


def _refuse_bomb(file: BinaryIO) -> None:
    size = file.seek(0, 2)
    left = max(FLOOR, RATIO * size + SPARE)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            with archive.open(info) as part:
                while piece := part.read(PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise Refused("a workbook that unpacks to far more than an export would",
                                      hint="If it is no bomb, open it in Excel and save it as CSV")
    file.seek(0)


def _rows(file: BinaryIO) -> Iterator[tuple[str, bool, list[Any]]]:
    """(sheet, whether it is the header, cells) of each row from the header on, of each sheet that has one."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles, which nobody needs here
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # the size that the sheet declares may be wrong
            width = 0
            for number, row in enumerate(sheet.iter_rows(values_only=True)):
                cells = list(row)
                while cells and cells[-1] is None:
                    cells.pop()
                if not width and number >= _HEADER_WITHIN:
                    break
                if not width and is_header([cell if isinstance(cell, str) else "" for cell in cells]):
                    width = len(cells)
                    yield sheet.title, True, [str(cell or "") for cell in cells]
                elif width:
                    yield sheet.title, False, cells


def _records(member: Member, header: list[str], columns: tuple[str, ...]) -> Iterator[Record]:
    row, table, same = 0, None, True
    with seekable(member) as file:
        try:
            for sheet, is_head, cells in _rows(file):
                if is_head:
                    table = table or sheet
                    same = cells == header
                elif cells:
                    strange = None if same else f"a row of another sheet with other columns than {table!r}"
                    yield _record(row, cells, columns, strange)
                row += not is_head
        except _DAMAGE as error:
            yield Record(row, 1, b"", None, f"the workbook is damaged from here on ({type(error).__name__})")


def _record(row: int, cells: list[Any], columns: tuple[str, ...], problem: str | None) -> Record:
    plain = [_plain(cell) for cell in cells]
    if len(plain) > len(columns):
        problem = problem or f"{len(plain)} cells for {len(columns)} columns"
    if problem:
        return rendered(row, {str(place): cell for place, cell in enumerate(plain)})._replace(values=None, problem=problem)
    plain += [None] * (len(columns) - len(plain))
    return rendered(row, dict(zip(columns, plain, strict=True)))


def _plain(cell: Any) -> Any:
    if cell is None or isinstance(cell, (bool, int, float, str)):
        return cell
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
