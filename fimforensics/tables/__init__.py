"""The shelf of tables: whose columns a source has, and how each becomes Microsoft's 65.

A new table is one file beside this one and one line in `TABLES`; the order is that in which columns are tried, so that a
table with a mark of its own comes before the one it resembles.
"""

from __future__ import annotations

from collections.abc import Collection

from fimforensics.errors import Refused
from fimforensics.tables import (
    configuration_change,
    device_custom_file,
    device_custom_registry,
    device_file,
    device_registry,
    mdc,
    mdc_detection,
)
from fimforensics.tables.table import SYSTEM_COLUMNS, Table
from fimforensics.tables.variants import ORIGINAL, RESTORED, SEARCH, restored, searched

__all__ = ["SYSTEM_COLUMNS", "TABLES", "Table", "fold_columns", "identify", "named"]

TABLES: tuple[Table, ...] = (
    mdc.TABLE,
    mdc_detection.TABLE,
    configuration_change.TABLE,
    device_custom_file.TABLE,
    device_custom_registry.TABLE,
    device_file.TABLE,
    device_registry.TABLE,
)

_BY_NAME = {table.name.lower(): table for table in TABLES}
_SEARCHED = {table.name: searched(table) for table in TABLES}
_RESTORED = {table.name: restored(table) for table in TABLES}
_SPELLINGS = {
    name.lower(): name
    for names in (SYSTEM_COLUMNS, ORIGINAL, *((*table.columns, *table.also) for table in TABLES))
    for name in names
}


def named(type_name: str) -> Table | None:
    """The table of that name in any case, a `_SRCH` or `_RST` copy of one too; None for any other."""
    low = type_name.strip().lower()
    if low.endswith(SEARCH.lower()):
        base = _BY_NAME.get(low.removesuffix(SEARCH.lower()))
        return _SEARCHED[base.name] if base else None
    if low.endswith(RESTORED.lower()):
        base = _BY_NAME.get(low.removesuffix(RESTORED.lower()))
        return _RESTORED[base.name] if base else None
    return _BY_NAME.get(low)


def identify(columns: Collection[str], type_name: str | None) -> Table:
    """The table by the rows' `Type` where there is one, else by the names of the columns; Refused for any other.

    Search jobs and restores may bear a name of the user's choice before `_SRCH` and `_RST`: then the columns decide.
    """
    kind = (type_name or "").strip()
    kind = "" if kind == "None" else kind  # az's word for null
    known = named(kind) if kind else None
    if known is not None:
        return known
    low = kind.upper()
    copied = low.endswith((SEARCH, RESTORED))
    base = _by_columns(columns) if copied or not kind else None
    if base is None:
        raise Refused(
            "not a table fimforensics knows: " + (f"Type {kind!r}" if kind and not copied else _told(columns)),
            hint=f"Known are {', '.join(table.name for table in TABLES)}, and their _SRCH and _RST copies",
        )
    if low.endswith(RESTORED):
        return _RESTORED[base.name]
    is_search = low.endswith(SEARCH) or "_originaltimegenerated" in {column.lower() for column in columns}
    return _SEARCHED[base.name] if is_search else base


def fold_columns(columns: Collection[str]) -> dict[str, str]:
    """Each known column as the source spells it -> its documented spelling; unknown columns are not in it.

    Where a source has a column twice in different case, only one (the documented spelling, else the first) is known.
    """
    exact = set(columns)
    out: dict[str, str] = {}
    taken: set[str] = set()
    for column in columns:
        spelled = _SPELLINGS.get(column.lower())
        if spelled is None or spelled in taken or (spelled in exact and column != spelled):
            continue
        taken.add(spelled)
        out[column] = spelled
    return out


def _by_columns(columns: Collection[str]) -> Table | None:
    present = {_SPELLINGS.get(column.lower(), column) for column in columns}
    for table in TABLES:
        if not table.never & present and all(group & present for group in table.marks):
            return table
    return None


def _told(columns: Collection[str]) -> str:
    """The columns seen, cut to what fits a line."""
    seen = [column[:40] for column in columns]
    return "columns " + ", ".join(seen[:12]) + (f" and {len(seen) - 12} more" if len(seen) > 12 else "")
