"""The invented fleet: its hosts, its programs and accounts, and how one change becomes one row of Microsoft's columns.

Nothing here depends on anything outside: times are whole ticks of 100 ns since the first Monday, contents are hashes of
short texts, and chance is `Dice`, which uses only what Python promises to keep the same (`random()` of a seed).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

Row = dict[str, "str | int | None"]
T = TypeVar("T")

NAMES = """TenantId TimeGenerated AzureResourceId AADTenantID Computer CloudProvider CloudIdentifier CloudResourceType
MonitoredEntityType ChangeType FileName FileType FilePath FileSize OriginalFileName OriginalFilePath FileMd5 FileSha256
FileSha1 RequestAccountName RequestAccountDomain RequestAccountSid RequestSourceIP RequestSourcePort RequestSource
RegistryKey RegistryHive OldValueData OldValueType OldValueName OldValueFullRegistryKey NewValueData NewValueType
NewValueName InitiatingProcessId InitiatingProcessName InitiatingProcessCreationTime InitiatingProcessSessionId
InitiatingProcessFirstSeen InitiatingProcessAccountSid InitiatingProcessAccountDomainName InitiatingProcessAccountName
InitiatingProcessImageFileName InitiatingProcessImageFilePath InitiatingProcessImageFileType
InitProcImageFileSizeInBytes InitProcImageCreationTimeUtc InitProcImagePeTimestampUtc InitProcImageLastWriteTimeUtc
InitProcImageLastAccessTimeUtc InitProcImageLsHash InitProcImageMd5 InitProcImageSha256 InitProcImageSha1
InitiatingProcessSource InitProcVersionInfoCompanyName InitProcVersionInfoProductName
InitProcVersionInfoProductVersion InitProcVersionInfoInternalFileName InitProcVersionInfoOriginalFileName
InitProcVersionInfoFileDescription SourceSystem Type""".split()
TIMES = {"TimeGenerated", "InitiatingProcessCreationTime", "InitiatingProcessFirstSeen", "InitProcImageCreationTimeUtc",
         "InitProcImagePeTimestampUtc", "InitProcImageLastWriteTimeUtc", "InitProcImageLastAccessTimeUtc"}
LONGS = {"FileSize", "InitiatingProcessId", "InitiatingProcessSessionId", "InitProcImageFileSizeInBytes"}
EMPTY: Row = {name: None if name in TIMES | LONGS else "" for name in NAMES}  # text is never null in Log Analytics

SECOND = 10_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
START = datetime(2026, 9, 7)  # a Monday; every time of the story is UTC


def moment(text: str) -> int:
    """Ticks since the start of the story, of `YYYY-MM-DD[ HH:MM:SS]`."""
    return int((datetime.fromisoformat(text) - START).total_seconds()) * SECOND


def stamp(ticks: int) -> str:
    """The time as Log Analytics writes it, with seven digits."""
    return f"{(START + timedelta(seconds=ticks // SECOND)).isoformat()}.{ticks % SECOND:07d}Z"


def guid(text: str) -> str:
    """A GUID that is always the same for the same text."""
    digits = hashlib.sha256(text.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


class Dice:
    """Chance that is the same on every machine and in every version of Python."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int(self._random() * limit)

    def of(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(len(choices))]


@dataclass(frozen=True)
class Host:
    name: str  # what Computer shows
    windows: bool
    place: str  # azure, arc or aws
    role: str
    agentless: bool = False


HOSTS = [
    Host("web01", False, "azure", "web"), Host("web02", False, "azure", "web"),
    Host("db01", False, "azure", "database", agentless=True), Host("bld01", False, "arc", "build"),
    Host("log01", False, "arc", "logs"), Host("i-0b7e41c9d2f3a8650", False, "aws", "shop"),
    Host("app01", True, "azure", "application"), Host("app02", True, "azure", "application"),
    Host("dc01", True, "arc", "domain"), Host("fs01", True, "arc", "files"), Host("sql01", True, "arc", "database"),
    Host("i-04d81e6fb95c27a13", True, "aws", "reports")]
HOST = {host.role if host.place == "aws" else host.name: host for host in HOSTS}


def host_columns(host: Host) -> Row:
    """The columns that say which machine it is."""
    subscription = f"/subscriptions/{guid('subscription ' + ('production' if host.place == 'azure' else 'hybrid'))}"
    kind = "Microsoft.Compute/virtualMachines" if host.place == "azure" else "Microsoft.HybridCompute/machines"
    return {"TenantId": guid("workspace soc"), "AADTenantID": guid("tenant contoso.example"), "Computer": host.name,
            "AzureResourceId": f"{subscription}/resourceGroups/rg-{host.place}/providers/{kind}/{host.name}",
            "CloudProvider": {"azure": "Azure", "arc": "OnPremises", "aws": "AWS"}[host.place],
            "CloudIdentifier": f"arn:aws:ec2:eu-central-1:123456789012:instance/{host.name}" if host.place == "aws" else "",
            "CloudResourceType": "Server", "SourceSystem": "OpsManager", "Type": "MDCFileIntegrityMonitoringEvents"}


def hashes(content: str) -> tuple[str, str, str, int]:
    """MD5, SHA-256, SHA-1 and size of an invented content; the empty text is the real empty file."""
    data = content.encode()
    long = hashlib.sha256(data).hexdigest()
    size = int(long[:5], 16) + 700 if content else 0
    return hashlib.md5(data, usedforsecurity=False).hexdigest(), long, hashlib.sha1(data, usedforsecurity=False).hexdigest(), size


@dataclass(frozen=True)
class Account:
    name: str
    domain: str = ""
    sid: str = ""


ROOT, WWW = Account("root"), Account("www-data")
SYSTEM = Account("SYSTEM", "NT AUTHORITY", "S-1-5-18")
ADMIN = Account("adm-ops", "CONTOSO", "S-1-5-21-1004336348-1177238915-682003330-1107")
BACKUP = Account("svc-backup", "CONTOSO", "S-1-5-21-1004336348-1177238915-682003330-1124")


@dataclass(frozen=True)
class Image:
    folder: str
    name: str
    content: str
    company: str = ""
    product: str = ""
    version: str = ""
    about: str = ""
    written: int | None = None  # when its file was written; None: some weeks before the story


@dataclass(frozen=True)
class Process:
    image: Image
    pid: int
    started: int
    account: Account
    session: int = 0


def process_columns(process: Process) -> Row:
    """The columns that say which process it was, its image and its account."""
    image, account = process.image, process.account
    md5, sha256, sha1, size = hashes(image.content)
    windows = "\\" in image.folder
    built = moment("2026-06-02") + int(sha256[:6], 16) * SECOND // 4 if image.written is None else image.written
    return {
        "InitiatingProcessId": process.pid, "InitiatingProcessName": image.name,
        "InitiatingProcessCreationTime": stamp(process.started), "InitiatingProcessSessionId": process.session,
        "InitiatingProcessFirstSeen": stamp(process.started) if windows else None, "InitiatingProcessAccountSid": account.sid,
        "InitiatingProcessAccountDomainName": account.domain, "InitiatingProcessAccountName": account.name,
        "InitiatingProcessImageFileName": image.name, "InitiatingProcessImageFilePath": image.folder + image.name,
        "InitiatingProcessImageFileType": "PortableExecutable" if windows else "Elf", "InitProcImageFileSizeInBytes": size,
        "InitProcImageLastWriteTimeUtc": stamp(built), "InitProcImagePeTimestampUtc": stamp(built - 9 * DAY) if windows else None,
        "InitProcImageMd5": md5, "InitProcImageSha256": sha256, "InitProcImageSha1": sha1,
        "InitiatingProcessSource": "Sensor", "InitProcVersionInfoCompanyName": image.company,
        "InitProcVersionInfoProductName": image.product, "InitProcVersionInfoProductVersion": image.version,
        "InitProcVersionInfoInternalFileName": image.name if image.company else "",
        "InitProcVersionInfoOriginalFileName": image.name if image.company else "",
        "InitProcVersionInfoFileDescription": image.about}


def file_type(name: str, folder: str) -> str:
    """What a sensor would take the file for."""
    if name.lower().endswith((".dll", ".exe", ".sys")):
        return "PortableExecutable"
    program = folder.startswith(("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/local/lib/")) and not name.startswith(".")
    return "Elf" if program else "Unknown"


def file_row(host: Host, when: int, change: str, path: tuple[str, str], content: str | None, process: Process | None,
             original: tuple[str, str] | None = None) -> Row:
    """One change of a file; `content` None is a row without hashes (deleted), `process` None an agentless observation."""
    folder, name = path
    full = folder + name if host.agentless else folder
    row = EMPTY | host_columns(host) | {
        "TimeGenerated": stamp(when), "MonitoredEntityType": "File", "ChangeType": change, "FileName": name,
        "FileType": file_type(name, folder), "FilePath": full}
    if content is not None:
        md5, sha256, sha1, size = hashes(content)
        row |= {"FileMd5": md5, "FileSha256": sha256, "FileSha1": sha1, "FileSize": size}
    if original:
        row |= {"OriginalFilePath": original[0], "OriginalFileName": original[1]}
    if process:
        row |= process_columns(process) | {"RequestSource": "Local" if host.windows else "Unknown"}
        if host.windows:
            row |= request_columns(process.account)
    return row


def request_columns(account: Account, address: str = "", port: str = "") -> Row:
    """On whose behalf; with an address over SMB."""
    return {"RequestAccountName": account.name, "RequestAccountDomain": account.domain, "RequestAccountSid": account.sid,
            "RequestSourceIP": address, "RequestSourcePort": port, "RequestSource": "SMB" if address else "Local"}


def registry_row(host: Host, when: int, change: str, key: str, process: Process, name: str = "", kind: str = "",
                 old: str | None = None, new: str | None = None) -> Row:
    """One change of a key or value; `old` or `new` None means that there was or is none."""
    row = EMPTY | host_columns(host) | process_columns(process) | {
        "TimeGenerated": stamp(when), "MonitoredEntityType": "Registry", "ChangeType": change,
        "RegistryKey": "HKEY_LOCAL_MACHINE\\" + key, "RegistryHive": "HKEY_LOCAL_MACHINE"}
    if old is not None:
        row |= {"OldValueData": old, "OldValueType": kind, "OldValueName": name,
                "OldValueFullRegistryKey": "HKEY_LOCAL_MACHINE\\" + key}
    if new is not None:
        row |= {"NewValueData": new, "NewValueType": kind, "NewValueName": name}
    return row
