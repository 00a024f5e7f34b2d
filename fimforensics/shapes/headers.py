"""Column names at the top of a sheet or of delimited text: known by name, freed from the zone that the portal adds.

The portal writes the zone in which it shows a time behind the column's name: `TimeGenerated [UTC]`, `[Local Time]`,
`[UTC+02:00]`; other tools may have put it in lower case. A first row is a header if at least two of its cells name columns
of a table that is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from fimforensics.errors import Refused
from fimforensics.model import COLUMNS, TIME

DELIMITERS = ",;\t|"

# Names that tell a header of the other tables; not all columns, only such as no value of a cell would equal.
_OTHERS = """
ConfigChangeType ChangeCategory FieldsChanged FileSystemPath FileContentChecksum PreviousFileContentChecksum ValueName ValueData
ValueType PreviousValueData SourceComputerId Hive SvcName SoftwareName Timestamp ActionType DeviceId DeviceName FolderPath
PreviousFileName PreviousFolderPath PreviousRegistryKey PreviousRegistryValueData PreviousRegistryValueName RegistryValueData
RegistryValueName RegistryValueType ReportId SHA1 SHA256 MD5 InitiatingProcessFileName InitiatingProcessFolderPath
InitiatingProcessCommandLine InitiatingProcessParentFileName InitiatingProcessAccountDomain InitiatingProcessAccountUpn
InitiatingProcessSHA1 InitiatingProcessSHA256 InitiatingProcessMD5 RequestProtocol RuleName RuleLastModificationTime AgentId
AgentReportTime EventType MachineId _OriginalTimeGenerated _OriginalType _OriginalItemId _ItemId _ResourceId _TimeReceived
TableName
"""
KNOWN = frozenset(name.lower() for name in (*COLUMNS, *_OTHERS.split()))
_NAME = re.compile(r"[^\W\d][\w .()-]*( \[[^\]]*\])?")
_ZONED = re.compile(r"(.+?) \[(?:(UTC)|(Local Time)|UTC\s?([+\-−])(\d{1,2})(?::?(\d{2}))?|[^\[\]]+)\]", re.IGNORECASE)
_TIMES = ("TimeGenerated", "Timestamp", "_OriginalTimeGenerated")  # a change without one of them is at no time
_DATES = frozenset(name.lower() for name in (*_TIMES, *(name for name, kind in COLUMNS.items() if kind == TIME)))


def zoned(name: str) -> tuple[str, str | None]:
    """A column's name without its suffix, and the zone that it told: "UTC", "local" or an offset like "+02:00".

    Words that are not understood (of a portal in another language) behind the name of a time are as good as "local".
    """
    found = _ZONED.fullmatch(name)
    if not found:
        return name, None
    bare, utc, local, sign, hours, minutes = found.groups()
    if utc or local:
        return bare, "UTC" if utc else "local"
    if sign:
        return bare, f"{'+' if sign == '+' else '-'}{int(hours):02d}:{minutes or '00'}"
    return (bare, "local") if bare.lower() in _DATES else (name, None)


def known(cells: Sequence[str]) -> int:
    """How many different names of columns are among the cells."""
    return len({zoned(cell.strip())[0].lower() for cell in cells} & KNOWN)


def is_header(cells: Sequence[str]) -> bool:
    """Whether a first row is a header: it names known columns, and nothing in it looks like a value."""
    return known(cells) >= 2 and (known(cells) * 2 >= len(cells) or all(_NAME.fullmatch(cell.strip()) for cell in cells))


def is_second_header(cells: Sequence[str]) -> bool:
    """Whether a later row is a header: most of what it holds must be names, since values may be named like columns."""
    filled = [cell for cell in cells if cell]
    return len(filled) >= 2 and known(filled) * 2 > len(filled)


def read_header(cells: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The columns' names and their zones; Refused if two columns have one name, or none is the time of the change."""
    names: list[str] = []
    zones: dict[str, str] = {}
    seen: set[str] = set()
    for cell in cells:
        name, zone = zoned(cell.strip())
        if name.lower() in seen:
            raise Refused(f"two columns are named {json.dumps(name[:80])}", hint="Export again with each column once")
        seen.add(name.lower())
        names.append(name)
        if zone:
            zones[name] = zone
    need_time(names)
    return tuple(names), zones


def need_time(columns: Sequence[str]) -> None:
    """Refused where columns that are known lack that of the time; what is no known table is told elsewhere."""
    if known(columns) >= 2 and not {name.lower() for name in columns} & {name.lower() for name in _TIMES}:
        raise Refused(f"a table without a TimeGenerated column: {listed(columns)}",
                      hint="Export it again with that column: without a time a change cannot be placed")


def listed(columns: Sequence[str]) -> str:
    """The first columns by name, for a message."""
    shown = ", ".join(name[:40] for name in columns[:8])
    return f"columns {shown}" + (f" and {len(columns) - 8} more" if len(columns) > 8 else "")
