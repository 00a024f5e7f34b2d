"""The words that every floor shares: Microsoft's columns, and what passes from shapes to tables to the case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MDC = "MDCFileIntegrityMonitoringEvents"

TEXT, LONG, TIME, REAL = "string", "long", "datetime", "real"

# Microsoft's columns in Microsoft's order; the last two are billing columns that a query shows only when named.
COLUMNS: dict[str, str] = {
    "TenantId": TEXT, "TimeGenerated": TIME, "AzureResourceId": TEXT, "AADTenantID": TEXT, "Computer": TEXT,
    "CloudProvider": TEXT, "CloudIdentifier": TEXT, "CloudResourceType": TEXT, "MonitoredEntityType": TEXT,
    "ChangeType": TEXT, "FileName": TEXT, "FileType": TEXT, "FilePath": TEXT, "FileSize": LONG,
    "OriginalFileName": TEXT, "OriginalFilePath": TEXT, "FileMd5": TEXT, "FileSha256": TEXT, "FileSha1": TEXT,
    "RequestAccountName": TEXT, "RequestAccountDomain": TEXT, "RequestAccountSid": TEXT, "RequestSourceIP": TEXT,
    "RequestSourcePort": TEXT, "RequestSource": TEXT, "RegistryKey": TEXT, "RegistryHive": TEXT, "OldValueData": TEXT,
    "OldValueType": TEXT, "OldValueName": TEXT, "OldValueFullRegistryKey": TEXT, "NewValueData": TEXT,
    "NewValueType": TEXT, "NewValueName": TEXT, "InitiatingProcessId": LONG, "InitiatingProcessName": TEXT,
    "InitiatingProcessCreationTime": TIME, "InitiatingProcessSessionId": LONG, "InitiatingProcessFirstSeen": TIME,
    "InitiatingProcessAccountSid": TEXT, "InitiatingProcessAccountDomainName": TEXT,
    "InitiatingProcessAccountName": TEXT, "InitiatingProcessImageFileName": TEXT,
    "InitiatingProcessImageFilePath": TEXT, "InitiatingProcessImageFileType": TEXT,
    "InitProcImageFileSizeInBytes": LONG, "InitProcImageCreationTimeUtc": TIME, "InitProcImagePeTimestampUtc": TIME,
    "InitProcImageLastWriteTimeUtc": TIME, "InitProcImageLastAccessTimeUtc": TIME, "InitProcImageLsHash": TEXT,
    "InitProcImageMd5": TEXT, "InitProcImageSha256": TEXT, "InitProcImageSha1": TEXT, "InitiatingProcessSource": TEXT,
    "InitProcVersionInfoCompanyName": TEXT, "InitProcVersionInfoProductName": TEXT,
    "InitProcVersionInfoProductVersion": TEXT, "InitProcVersionInfoInternalFileName": TEXT,
    "InitProcVersionInfoOriginalFileName": TEXT, "InitProcVersionInfoFileDescription": TEXT, "SourceSystem": TEXT,
    "Type": TEXT, "_BilledSize": REAL, "_IsBillable": TEXT,
}

MAX_FIELD = 1 << 20  # bytes of one field; more is a reject
MAX_NESTING = 64
CHUNK = 1_000_000  # bytes of an original in one cell, at the most


class Record(NamedTuple):
    """One row of a source: where it lies in its member, its bytes, and its values or the reason it has none."""

    offset: int  # bytes from the start of the decompressed member; in a rendered member the row's number
    length: int  # bytes; in a rendered member 1
    raw: bytes
    values: dict[str, object] | None
    problem: str | None = None


# Takes records out of data by itself: (data, where the next begins, the data's own offset, the bytes from the last one of a
# record to the first of the next) → where it stopped.
Taker = Callable[[bytes, int, int, bytes], int]


class Preamble(NamedTuple):
    """Bytes of a member without which its records cannot be read (CSV header, `columns` of a query's answer)."""

    kind: str
    offset: int
    length: int
    raw: bytes


@dataclass
class Opened:
    """A member whose shape is known: what its records share, and the records themselves, read once, in order."""

    shape: str
    records: Iterator[Record]
    columns: tuple[str, ...] | None = None  # None where each record names its own (JSON Lines)
    zones: dict[str, str] = field(default_factory=dict)  # column -> "UTC", "local" or an offset such as "+02:00"
    text: bool = False  # every value is text: '' is null and '5' may be a number (CSV)
    none: bool = False  # the text 'None' is null (az)
    rendered: bool = False  # records have no bytes of their own; raw is canonical JSON
    encoding: str = "utf-8"
    delimiter: str | None = None  # between the cells of delimited text
    preambles: list[Preamble] = field(default_factory=list)
    table: str | None = None  # the table's name where the shape itself tells it (a folder, a file's schema)
    partial: str | None = None  # why the source itself says that it is not whole; known after the last record
    arrays: bool = False  # records are arrays of cells under `columns`
    taker: Taker | None = None  # of such records; set by whoever reads them and knows a quicker way


@dataclass(frozen=True)
class Reading:
    """How the operator says that ambiguous text is to be read; None is not said, and then nothing is guessed."""

    timezone: str | None = None  # an IANA name, "UTC" or an offset; for times that carry none
    date_order: str | None = None  # "dmy" or "mdy"
