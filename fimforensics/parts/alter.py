"""What is done to the cells of a part: columns redacted for a reason, names replaced by pseudonyms that still join.

A redacted cell is empty, or where it tells no two things apart it shows its code: an empty cell is what nobody knows, while the
same code in two places would say that two files, accounts or contents are one. A pseudonym is keyed (HMAC-SHA-256): the same
name gives the same one wherever it stands, in a path too, and nobody without the key can try names. Names that every system
has stay. What is altered here is altered on the canonical row; the record's bytes then stay behind.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fimforensics.errors import Misuse
from fimforensics.model import COLUMNS, TEXT
from fimforensics.parts.words import finder
from fimforensics.rows import EXTRA, FLAG, FORMS

AT = {name: at for at, name in enumerate(COLUMNS)}
NEVER = ("TimeGenerated", "MonitoredEntityType", "ChangeType", "Type")  # without these an event is none
# Columns that tell no two things apart: here a redacted cell may show its code.
SHOWN = frozenset([
    "TenantId", "AADTenantID", "CloudProvider", "CloudResourceType", "FileType", "RequestSource", "OldValueData", "OldValueType",
    "NewValueData", "NewValueType", "InitiatingProcessImageFileType", "InitiatingProcessSource", "SourceSystem",
    *(name for name in COLUMNS if name.startswith("InitProcVersionInfo"))])
ACCOUNTS = ("RequestAccountName", "RequestAccountDomain", "RequestAccountSid", "InitiatingProcessAccountSid",
            "InitiatingProcessAccountDomainName", "InitiatingProcessAccountName")
_KINDS = {"Name": "account", "Domain": "domain", "DomainName": "domain", "Sid": "sid"}
# Accounts and domains of the system itself: nobody's name, and words of half the paths.
SYSTEM = frozenset(["system", "root", "local service", "network service", "nt authority", "nt service", "window manager",
                    "font driver host", "workgroup", "nobody", "daemon", "s-1-5-18", "s-1-5-19", "s-1-5-20"])


@dataclass(frozen=True)
class Redaction:
    """A column that is redacted, under which code and on what legal basis."""

    column: str
    code: str
    basis: str


@dataclass(frozen=True)
class Alterations:
    """All that is done to a part's rows, numbered in this order: redactions, columns with pseudonyms, names in other text."""

    redactions: tuple[Redaction, ...] = ()
    pseudonyms: tuple[str, ...] = ()  # columns
    key: bytes = b""
    names: dict[str, str] = field(default_factory=dict)  # in lower case → pseudonym; of all kept rows
    finder: re.Pattern[str] | None = None

    def __bool__(self) -> bool:
        return bool(self.redactions or self.pseudonyms)


def redaction(said: str) -> Redaction:
    """A redaction as it is written: COLUMN=CODE:BASIS."""
    column, equal, rest = said.partition("=")
    code, colon, basis = rest.partition(":")
    if not (column and equal and code.strip() and colon and basis.strip()):
        raise Misuse(f"'{said}' is no redaction", hint="Write COLUMN=CODE:BASIS, such as NewValueData=PII:'Art. 9 GDPR'")
    return Redaction(known(column), code.strip(), basis.strip())


def known(column: str) -> str:
    """The column by its documented name; `extra.NAME` is one beyond Microsoft's."""
    if column.startswith("extra.") and len(column) > 6:
        return column
    name = {name.lower(): name for name in COLUMNS}.get(column.lower())
    if name is None:
        raise Misuse(f"there is no column '{column}'", hint="Name one of Microsoft's, or extra.NAME for any other")
    if name in NEVER:
        raise Misuse(f"{name} cannot be altered: an event without it is none", hint="Leave the events out instead")
    return name


def pseudonym_kind(column: str) -> str:
    """What a pseudonym of this column begins with; columns of one kind join."""
    if column in ACCOUNTS:
        return _KINDS[re.sub(r"^(Request|InitiatingProcess)Account", "", column)]
    return {"Computer": "host", "RequestSourceIP": "address"}.get(column, column.replace("extra.", "").lower())


def pseudonym(key: bytes, kind: str, value: str) -> str:
    """The pseudonym of a value, the same for all spellings in capitals."""
    told = hmac.digest(key, b"fimforensics pseudonym\0" + kind.encode() + b"\0" + value.lower().encode("utf-8", "surrogatepass"),
                       "sha256")
    return f"{kind}-{base64.b32encode(told)[:12].decode().lower()}"


def with_names(made: Alterations, values: Iterable[tuple[str, str]]) -> Alterations:
    """The same with a pseudonym for every name told: (column, value). Short names are replaced as whole cells only."""
    names: dict[str, str] = {}
    for column, value in sorted(values):
        if value.lower() not in SYSTEM:
            names.setdefault(value.lower(), pseudonym(made.key, pseudonym_kind(column), value))
    return Alterations(made.redactions, made.pseudonyms, made.key, names, finder(names, whole=True))


def with_pairs(made: Alterations, pairs: Iterable[tuple[str, str, object]]) -> Alterations:
    """The same with names as a part shows them, for who has no key: (column, value, what stands in its place)."""
    names = {value.lower(): str(instead) for _, value, instead in sorted(pairs, key=str) if instead not in (None, value)}
    return Alterations(made.redactions, made.pseudonyms, made.key, names, finder(names, whole=True))


def cell(row: Sequence[Any], column: str) -> Any:
    """A row's cell by the column's name."""
    if column.startswith("extra."):
        return (row[EXTRA] or {}).get(column[6:])
    return row[AT[column]]


def altered(row: list, made: Alterations) -> tuple[list, list[int]]:
    """The row with all alterations, and the numbers of those that changed it."""
    new, touched = [*row[:EXTRA], dict(row[EXTRA]) if row[EXTRA] else None, row[FLAG]], set()
    for number, one in enumerate(made.redactions, 1):
        if cell(new, one.column) not in (None, ""):
            touched.add(number)
            _put(new, one.column, f"[redacted {one.code}]" if one.column in SHOWN or one.column.startswith("extra.") else None)
    flags = {"redacted"} if touched else set()
    if made.names:
        columns = _replaced(new, made)
        first = len(made.redactions) + 1
        flags |= {"pseudonym"} if columns else set()
        touched |= {first + at for at, column in enumerate(made.pseudonyms) if column in columns}
        touched |= {first + len(made.pseudonyms)} if columns - set(made.pseudonyms) else set()
    if not touched:
        return row, []
    told = {flag for flag in (new[FLAG] or "").split(", ") if flag}
    new[FLAG] = ", ".join(sorted(told | flags))
    new[EXTRA] = new[EXTRA] or None
    return new, sorted(touched)


def _put(row: list, column: str, value: str | None) -> None:
    """Sets a cell; of a path that goes, the name stays if it was not redacted itself."""
    if column.startswith("extra."):
        row[EXTRA][column[6:]] = value
        return
    row[AT[column]] = value
    if row[EXTRA]:
        row[EXTRA].pop(column, None)  # the record's own word for it
    for path, name, shift in (("FilePath", "FileName", 0), ("OriginalFilePath", "OriginalFileName", 2)):
        if column == path:
            row[AT[path]] = row[AT[name]] or None
            row[FORMS] = row[FORMS] & ~(3 << shift) | (3 << shift if row[AT[name]] else 0)
        elif column == name:
            if row[FORMS] >> shift & 3 == 3:  # there was no path, only the name
                row[AT[path]] = None
            row[FORMS] &= ~(3 << shift)  # what is left counts as the whole path


def _replaced(row: list, made: Alterations) -> set[str]:
    """Puts pseudonyms for names: whole cells of the columns that hold them, words in all other text; the columns that changed."""
    found = set()
    for column in made.pseudonyms:
        value = cell(row, column)
        if isinstance(value, str) and (instead := made.names.get(value.lower())) is not None:
            _set(row, column, instead)
            found.add(column)
    if made.finder is None:
        return found
    swap: Callable[[re.Match[str]], str] = lambda match: made.names[match[0].lower()]  # noqa: E731
    for name, kind in COLUMNS.items():
        value = row[AT[name]]
        if kind == TEXT and isinstance(value, str) and name not in NEVER and name not in found:
            changed = made.finder.sub(swap, value)
            if changed != value:
                row[AT[name]] = changed
                found.add(name)
    if row[EXTRA]:
        told = {name: _within(value, made.finder, swap) for name, value in row[EXTRA].items()}
        if told != row[EXTRA]:
            found |= {f"extra.{name}" for name, value in told.items() if value != row[EXTRA][name]}
            row[EXTRA] = told
    return found


def _set(row: list, column: str, value: str) -> None:
    if column.startswith("extra."):
        row[EXTRA][column[6:]] = value
    else:
        row[AT[column]] = value


def _within(value: object, find: re.Pattern[str], swap: Callable[[re.Match[str]], str]) -> object:
    return find.sub(swap, value) if isinstance(value, str) else value
