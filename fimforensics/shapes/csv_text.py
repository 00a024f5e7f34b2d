"""Delimited text with a header: the portal's CSV, Export-Csv, and what others write with `,`, `;`, `|` or tabs.

Python's csv reader finds the cells, and the lines it asked for are the record's bytes. It runs strictly: where quotes
do not fit, the record is a problem and reading goes on with the next line. A header is known by its names, see
`headers`. A second header in the middle means that two exports were pasted together; rows under one with other
columns cannot be read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from fimforensics.errors import Refused
from fimforensics.model import MAX_FIELD, Opened, Preamble, Record
from fimforensics.shapes.containers import Member
from fimforensics.shapes.headers import DELIMITERS, KNOWN, is_header, is_second_header, known, read_header
from fimforensics.shapes.lines import Lines, TooLong, decode, encoding_of
from fimforensics.shapes.window import MAX_RECORD

NAME = "CSV"
_UNCLOSED = "an unclosed quote: the file ends within this record"
_SECOND = "a second header line"
_UNDER_SECOND = "a row under a second header line with other columns"


@dataclass(frozen=True)
class _Plan:
    encoding: str
    delimiter: str
    header: list[str]
    columns: tuple[str, ...]
    start: int  # where the records begin


def recognise(head: bytes) -> bool:
    """True for text with a header of known columns behind at most a #TYPE or sep= line."""
    encoding, mark = encoding_of(head)
    for line in decode(head[mark:], encoding).splitlines()[:20]:
        if line.strip() and not _is_note(line):
            return _delimiter(line) is not None
    return False


def _is_note(line: str) -> bool:
    return line.startswith(("#TYPE ", "sep="))


def _delimiter(line: str) -> str | None:
    """The delimiter with which a line is a header, or None."""
    found = [(known(cells), delimiter) for delimiter in DELIMITERS if is_header(cells := split(line, delimiter))]
    return max(found)[1] if found else None


def split(line: str, delimiter: str) -> list[str]:
    """The cells of one line, read leniently."""
    csv.field_size_limit(MAX_FIELD)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def open_shape(member: Member, head: bytes) -> Opened:
    """The rows under the header; Refused if two columns have one name."""
    if b"\n" not in head and b"\r" in head.rstrip(b"\r\n\0"):
        raise Refused("the lines end in carriage returns alone", hint="Convert the line ends to LF or CRLF")
    encoding, start = encoding_of(head)
    preambles = []
    with member.open() as stream:
        lines = Lines(stream, encoding, start)
        while lines.pull():
            line = decode(lines.taken[0], encoding)
            blank = not line.strip()
            raw = lines.take()
            kind = "type" if line.startswith("#TYPE ") else "sep" if line.startswith("sep=") else "header"
            if not blank:
                preambles.append(Preamble(kind, start, len(raw), raw))
            start += len(raw)
            if not blank and kind == "header":
                break
    delimiter = _delimiter(line) or ","
    header = split(line, delimiter)
    columns, zones = read_header(header)
    name = "Export-Csv" if preambles[0].kind == "type" else "portal CSV" if zones else "TSV" if delimiter == "\t" else NAME
    plan = _Plan(encoding, delimiter, header, columns, start)
    return Opened(name, _records(member, plan), columns, zones, text=True, encoding=encoding, delimiter=delimiter,
                  preambles=preambles)


def _records(member: Member, plan: _Plan) -> Iterator[Record]:
    with member.open() as stream:
        lines = Lines(stream, plan.encoding, plan.start)
        offset = plan.start
        foreign = False  # under a second header with other columns
        for cells, raw, problem in _rows(lines, plan):
            values: dict[str, object] | None = None
            if cells is not None:
                if cells[0].strip('\ufeff"').partition(" [")[0].lower() in KNOWN or len(cells) != len(plan.columns):
                    second = _second(cells, plan)
                    foreign = foreign if second is None else second
                    problem = problem or (None if second is None else _SECOND)
                problem = problem or (_UNDER_SECOND if foreign else _trouble(cells, raw, plan))
                if problem is None:
                    values = dict(zip(plan.columns, [cell or None for cell in cells], strict=True))
            if lines.failure and lines.at_end():
                values, problem = None, problem or "cut off: the source ends within this record"
            yield Record(offset, len(raw), raw, values, problem)
            offset += len(raw)
        if lines.failure:
            raise lines.failure


def _second(cells: list[str], plan: _Plan) -> bool | None:
    """None if the row is no header, else whether it names other columns than the first."""
    bare = [cells[0].strip('\ufeff"'), *cells[1:]]
    if bare == plan.header:
        return False
    return True if is_second_header(bare) else None


def _trouble(cells: list[str], raw: bytes, plan: _Plan) -> str | None:
    if len(cells) != len(plan.columns):
        return f"{len(cells)} cells for {len(plan.columns)} columns"
    if len(raw) > MAX_FIELD:
        for name, cell in zip(plan.columns, cells, strict=True):
            if len(cell.encode("utf-8", "surrogatepass")) > MAX_FIELD:
                return f"field {name} is over the limit of {MAX_FIELD:,} bytes"
    return None


def _rows(lines: Lines, plan: _Plan) -> Iterator[tuple[list[str] | None, bytes, str | None]]:
    """Each row's cells and bytes, or its bytes and what is wrong with them."""
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(lines.texts(), delimiter=plan.delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except TooLong:
            yield from _overlong(lines)
            reader = csv.reader(lines.texts(), delimiter=plan.delimiter, strict=True)
        except csv.Error as error:
            if "field larger" in str(error):
                yield from _overlong(lines)
            elif "unexpected end" in str(error):
                yield None, lines.take(), _UNCLOSED
            else:
                yield None, lines.take(), f"quotes or line ends that do not fit ({error})"
        else:
            yield cells or [""], lines.take(), None


def _overlong(lines: Lines) -> Iterator[tuple[None, bytes, str]]:
    """A record with a field over the limit, to its real end; in parts where it is too long to be held."""
    odd, part = False, 1
    for raw in lines.taken:
        odd ^= bool(decode(raw, lines.encoding).count('"') & 1)
    while True:
        whole = not odd and lines.taken[-1].endswith(lines.newline)
        if whole or lines.size > MAX_RECORD or lines.at_end():
            last = whole or lines.at_end()
            told = _UNCLOSED if odd and last else f"a field or record over the limit of {MAX_FIELD:,} bytes"
            raw = lines.take() if last else lines.part()
            yield None, raw, told if last and part == 1 else f"{told}, part {part}"
            if last:
                return
            part += 1
        lines.pull()
        odd ^= bool(decode(lines.taken[-1], lines.encoding).count('"') & 1)
