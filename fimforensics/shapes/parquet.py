"""Parquet files, read in batches by pyarrow (the extra `parquet`); a record's place is its row.

Times do not go through datetime, which would cut 100 ns: they become ISO text with at most 7 digits of fraction, `Z`
where the column says that it is in UTC. Text columns are read as dictionaries, so a value that stands in many rows is
held once, and a file of a few bytes cannot swell in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from fimforensics.errors import Problem, Refused
from fimforensics.model import Opened, Preamble, Record
from fimforensics.shapes.containers import Member, seekable
from fimforensics.shapes.headers import read_header
from fimforensics.shapes.rendering import rendered

NAME = "Parquet"
_BATCH = 2048


def recognise(head: bytes) -> bool:
    """True for Parquet's signature."""
    return head.startswith((b"PAR1", b"PARE"))


def open_shape(member: Member, head: bytes) -> Opened:
    """The rows of all row groups in order; Refused where pyarrow is absent or the file is damaged."""
    try:
        import pyarrow
    except ImportError:
        raise Refused("a Parquet file, and Parquet support is not installed",
                      hint="pip install 'fimforensics[parquet]'") from None
    if head.startswith(b"PARE"):
        raise Refused("an encrypted Parquet file", hint="Export it again without encryption")
    try:
        with seekable(member) as file:
            schema = _open(file).schema_arrow
    except (pyarrow.ArrowException, OSError) as error:
        raise Refused(f"a Parquet file that cannot be read ({_first_line(error)})", hint="Copy the file again") from None
    columns, zones = read_header(schema.names)
    described = "\n".join(f"{field.name}: {field.type}" for field in schema).encode("utf-8", "surrogatepass")
    preamble = Preamble("schema", 0, len(described), described)
    return Opened(NAME, _records(member, columns), columns, zones, rendered=True, preambles=[preamble])


def _open(file: BinaryIO) -> Any:
    from pyarrow import parquet, types

    plain = parquet.ParquetFile(file)
    texts = [field.name for field in plain.schema_arrow if types.is_string(field.type) or types.is_binary(field.type)]
    file.seek(0)
    return parquet.ParquetFile(file, read_dictionary=texts)


def _records(member: Member, columns: tuple[str, ...]) -> Iterator[Record]:
    import pyarrow

    row = 0
    with seekable(member) as file:
        try:
            for batch in _open(file).iter_batches(_BATCH, use_threads=False):
                for cells in zip(*(_cells(column) for column in batch.columns), strict=True):
                    yield rendered(row, dict(zip(columns, cells, strict=True)))
                    row += 1
        except (pyarrow.ArrowException, OSError) as error:
            raise Problem(f"the Parquet file is damaged after row {row:,} ({_first_line(error)})", where=member.name,
                          hint="Copy the file again") from None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


def _cells(column: Any) -> list[Any]:
    """A column's cells as JSON's own kinds of values."""
    import pyarrow
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        meanings = _cells(column.dictionary)
        return [None if place is None else meanings[place] for place in column.indices.to_pylist()]
    if types.is_timestamp(kind):
        return _times(column)
    if types.is_string(kind) or types.is_large_string(kind):
        column = column.cast(pyarrow.large_binary() if types.is_large_string(kind) else pyarrow.binary())
    if types.is_integer(kind) or types.is_boolean(kind) or types.is_null(kind):
        return column.to_pylist()
    return [_plain(value) for value in column.to_pylist()]


def _times(column: Any) -> list[str | None]:
    """Timestamps as ISO text, cut to 7 digits; with Z where the column has a zone (Parquet keeps those in UTC)."""
    import pyarrow
    from pyarrow import compute

    suffix = "Z" if column.type.tz else ""
    texts = compute.strftime(column.cast(pyarrow.timestamp(column.type.unit)), format="%Y-%m-%dT%H:%M:%S").to_pylist()
    found: list[str | None] = []
    for text in texts:
        if text is not None:
            whole, point, fraction = text.partition(".")
            text = f"{whole}{point}{fraction[:7]}{suffix}"
        found.append(text)
    return found


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
