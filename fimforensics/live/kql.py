"""Every query that is sent, and the one writer of text into it.

A query is lines: the table, what freezes the window (`ingestion_time()`), the span and filters that were asked for, the bounds
of a slice, and what is to be given. Bounds are half-open and have 7 figures, as Kusto's own clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fimforensics.errors import Misuse
from fimforensics.live.instants import iso
from fimforensics.tables.variants import RESTORED, SEARCH

NOW = "print ServerNow = now()"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}").fullmatch
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# What is not written as it is: quote and backslash, controls, and whatever steers or hides in a text that a person may read.
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]')


@dataclass(frozen=True)
class Names:
    """A table's columns of a machine, a kind of change, and what a path may be compared with: (folder, name) or keys."""

    computer: str
    change: str
    paths: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()


_MDE_FILE = Names("DeviceName", "ActionType", (("FolderPath", "FileName"), ("PreviousFolderPath", "PreviousFileName")))
_MDE_REGISTRY = Names("DeviceName", "ActionType", keys=("RegistryKey", "PreviousRegistryKey"))
TABLES = {
    "MDCFileIntegrityMonitoringEvents": Names(
        "Computer", "ChangeType", (("FilePath", "FileName"), ("OriginalFilePath", "OriginalFileName")),
        ("RegistryKey", "OldValueFullRegistryKey")),
    "MDCDetectionFimEvents": Names("Computer", "EventType", (("FilePath", "FileName"),)),
    "ConfigurationChange": Names("Computer", "ChangeCategory", keys=("FileSystemPath", "RegistryKey")),
    "DeviceFileEvents": _MDE_FILE, "DeviceRegistryEvents": _MDE_REGISTRY,
    "DeviceCustomFileEvents": _MDE_FILE, "DeviceCustomRegistryEvents": _MDE_REGISTRY,
}


@dataclass(frozen=True)
class Asked:
    """What is asked of one table; it stays the same over all windows of a ledger."""

    table: str
    since: int | None = None  # the events' own time, in ticks
    until: int | None = None
    computers: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()  # beginnings
    changes: tuple[str, ...] = ()

    @property
    def time(self) -> str:
        """The column of the events' own time."""
        return "_OriginalTimeGenerated" if self.table.endswith(SEARCH) else "TimeGenerated"


@dataclass(frozen=True)
class Slice:
    """A part of a window: times from `low` on and before `high` (None: no bound), and parts of hashes of rows' ids."""

    low: int | None = None
    high: int | None = None
    parts: tuple[tuple[int, int], ...] = ()  # (modulus, remainder)
    rows: int = 0  # as the plan counts
    size: int = 0  # bytes, as the service estimates


@dataclass(frozen=True)
class Window:
    """Rows that came in from `lower` on (None: ever) and before `upper`: a set that grows no more, but for what shows late."""

    lower: int | None
    upper: int


def literal(text: str) -> str:
    """The text as a string of KQL; Misuse for what can stand in none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Misuse("a value to look for is no text (bytes that are not UTF-8)") from None
    return '"' + _ESCAPED.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}", text) + '"'


def moment(instant: int) -> str:
    """An instant of KQL."""
    return f"datetime({iso(instant)})"


def check(asked: Asked) -> None:
    """Misuse where no query can be made of it."""
    if _NAME(asked.table) is None:
        raise Misuse(f"--table: {asked.table!r} is no table's name")
    if (asked.computers or asked.paths or asked.changes) and names(asked.table) is None:
        raise Misuse(f"--table: the columns of {asked.table} are not known, so it cannot be narrowed down",
                     hint=f"Known are {', '.join(TABLES)}, each also with {SEARCH} or {RESTORED} at its end")
    if asked.since is not None and asked.until is not None and asked.since >= asked.until:
        raise Misuse(f"--since ({iso(asked.since)}) is not before --until ({iso(asked.until)})")
    _filters(asked)


def names(table: str) -> Names | None:
    """The columns of a table, of a search job over it or a restored copy."""
    return TABLES.get(table.removesuffix(SEARCH).removesuffix(RESTORED))


def _filters(asked: Asked) -> list[str]:
    known, lines = names(asked.table), []
    if known is None:
        return []
    if asked.computers:
        lines.append(f"| where {known.computer} in~ ({_listed(asked.computers)})")
    if asked.paths:
        lines.append("| where " + " or ".join(_below(known, literal(path)) for path in asked.paths))
    if asked.changes:
        lines.append(f"| where {known.change} in~ ({_listed(asked.changes)})")
    return lines


def _listed(values: Iterable[str]) -> str:
    return ", ".join(map(literal, values))


def _below(known: Names, path: str) -> str:
    """Beginnings are compared without case, so that more may come than was meant, but never less."""
    forms = [form for folder, name in known.paths for form in (
        folder, f"strcat({folder}, {name})", f'strcat({folder}, "\\\\", {name})', f'strcat({folder}, "/", {name})')]
    return " or ".join(f"{form} startswith {path}" for form in (*forms, *known.keys))


def _lines(asked: Asked, window: Window, part: Slice) -> list[str]:
    lines = [asked.table]
    if window.lower is not None:
        lines.append(f"| where ingestion_time() >= {moment(window.lower)}")
    lines.append(f"| where ingestion_time() < {moment(window.upper)}")
    low = max((bound for bound in (asked.since, part.low) if bound is not None), default=None)
    high = min((bound for bound in (asked.until, part.high) if bound is not None), default=None)
    if low is not None:
        lines.append(f"| where {asked.time} >= {moment(low)}")
    if high is not None:
        lines.append(f"| where {asked.time} < {moment(high)}")
    lines += _filters(asked)
    lines += [f"| where hash(_ItemId, {modulus}) == {rest}" for modulus, rest in part.parts]
    return lines


def count(asked: Asked, window: Window, part: Slice) -> str:
    """How many rows there are, and from when to when: one row."""
    given = f"| summarize Rows = count(), First = min({asked.time}), Last = max({asked.time})"
    return "\n".join([*_lines(asked, window, part), given])


def bins(asked: Asked, window: Window, part: Slice, step: str) -> str:
    """Rows and estimated bytes by steps of time; steps without rows are not there."""
    given = f"| summarize Rows = count(), Bytes = sum(estimate_data_size(*)) by Bin = bin({asked.time}, {step})"
    return "\n".join([*_lines(asked, window, part), given])


def remainders(asked: Asked, window: Window, part: Slice, modulus: int) -> str:
    """Rows and estimated bytes by what the hash of a row's id leaves."""
    given = f"| summarize Rows = count(), Bytes = sum(estimate_data_size(*)) by Part = hash(_ItemId, {modulus})"
    return "\n".join([*_lines(asked, window, part), given])


def rows(asked: Asked, window: Window, part: Slice) -> str:
    """The rows themselves, with the id that only shows when it is named."""
    return "\n".join([*_lines(asked, window, part), "| extend _ItemId = _ItemId"])


def timespan(asked: Asked, part: Slice) -> str | None:
    """The bounds as the `/search` form of a query wants them beside it: never less than what stands in the query."""
    low = max((bound for bound in (asked.since, part.low) if bound is not None), default=None)
    high = min((bound for bound in (asked.until, part.high) if bound is not None), default=None)
    return None if low is None or high is None else f"{iso(low)}/{iso(high)}"
