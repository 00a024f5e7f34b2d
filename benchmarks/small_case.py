"""A small case in which everything happens: sources that overlap and differ, retries, rejects and their replay, a compressed
member, a rendered one, partial columns, files, registry, analyses. Made in a second, small enough to be verified in tenths."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from fimforensics.cli import main

KEY = bytes(range(32)).hex()
VM: dict[str, Any] = {"AzureResourceId": "/subscriptions/s/virtualMachines/VM1", "Computer": "VM1",
                      "Type": "MDCFileIntegrityMonitoringEvents"}
FILE = VM | {"TimeGenerated": "2026-07-17T08:00:00.123Z", "MonitoredEntityType": "Files", "ChangeType": "Added",
             "FileName": "a.exe", "FilePath": "C:\\Data", "FileSha256": "AB" * 32, "FileSize": 10, "InitiatingProcessId": 77,
             "InitiatingProcessName": "setup.exe", "InitiatingProcessCreationTime": "2026-07-17T07:00:00Z",
             "InitiatingProcessImageFilePath": "C:\\Temp\\setup.exe", "InitiatingProcessImageFileName": "setup.exe",
             "InitiatingProcessAccountName": "bob", "InitiatingProcessAccountSid": "S-1-5-21-1", "InitProcImageSha256": "CD" * 32}
VALUE = VM | {"TimeGenerated": "2026-07-17T09:00:00Z", "MonitoredEntityType": "Registry", "ChangeType": "RegistryValueSet",
              "RegistryKey": "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run", "NewValueName": "Up",
              "NewValueData": "C:\\Data\\a.exe", "OldValueData": "old", "NewValueType": "REG_SZ"}
WEB = {"Computer": "web01", "Type": "MDCFileIntegrityMonitoringEvents", "MonitoredEntityType": "File", "ChangeType": "Modified",
       "FileName": "index.php", "FilePath": "/var/www/", "RequestAccountName": "eve", "RequestSourceIP": "203.0.113.9"}
ODD = VM | {"TimeGenerated": "1601-01-01T00:00:00Z", "MonitoredEntityType": "File", "ChangeType": "Vanished",
            "FileName": "nul\0.txt", "Acls": {"b": [1, 2], "a": None}, "Inode": 7}


def web(minute: int, content: str, **more: object) -> dict[str, Any]:
    """A change of the page, with the content's first figures."""
    return WEB | {"TimeGenerated": f"2026-07-18T10:{minute:02}:00Z", "FileSha256": content * 32, "FileSize": minute} | more


def run(*arguments: object, code: int = 0, **environment: str) -> Result:
    """The command, in process."""
    done = CliRunner().invoke(main, list(map(str, arguments)), env=environment)
    assert done.exit_code == code, (arguments, done.output, done.exception)
    return done


def _lines(path: Path, rows: list[dict]) -> Path:
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    return path


def make(folder: Path, name: str = "case.db") -> Path:
    """The case, with its key beside it; the sources lie in `folder` too."""
    key = folder / "case.key"
    key.write_text(KEY)
    case = folder / name
    told = [FILE, FILE | {"_ItemId": "i-1"}, FILE | {"_ItemId": "i-1", "TimeGenerated": "2026-07-17T08:00:00.1239Z"}, VALUE]
    first = _lines(folder / "first.jsonl", [*told, *(web(minute, "12") for minute in range(3)), web(5, "34"), web(9, "12")])
    finer = _lines(folder / "finer.jsonl", [
        FILE | {"TimeGenerated": "2026-07-17T08:00:00.1234567Z", "FilePath": "C:\\Data\\a.exe", "FileType": "exe"}, VALUE,
        web(5, "34", Computer="WEB01"), {"TimeGenerated": "", "Computer": "x"}])
    packed = folder / "odd.jsonl.gz"
    packed.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in (ODD, web(7, "56"))), mtime=0))
    part = folder / "part.csv"
    part.write_text('TimeGenerated,Computer,MonitoredEntityType,ChangeType,FilePath,FileName\r\n'
                    '"2026-07-18 11:00:00",web01,File,Deleted,/var/www/,index.php\r\n"yesterday",web01,File,Deleted,/a,b\r\n')
    run("ingest", case, first, "--case-key", key, "--case-number", "C-7", "--examiner", "E. Xaminer", "--note", "a note")
    run("ingest", case, finer, packed, "--note", "finer")
    run("ingest", case, part, "--timezone", "UTC")
    late = _lines(folder / "late.jsonl", [web(50, "78", TimeGenerated="2026-07-19T10:00:00Z"),
                                          web(51, "9a", TimeGenerated="2026-07-19 10:01:00")])
    run("ingest", case, late)
    run("replay", case, "--timezone", "UTC")
    run("analyze", case)
    return case


def sealed(folder: Path) -> Path:
    """The same, sealed with the key `sealer` beside it."""
    case = make(folder)
    run("key", "new", "--out", folder / "sealer", FIMFORENSICS_PASSPHRASE="")
    run("seal", case, "--key", folder / "sealer", "--note", "sealed")
    return case


def held_later(folder: Path) -> Path:
    """Sealed, handed over twice since."""
    case = sealed(folder)
    run("custody", case, "add", "--action", "stored", "--place", "safe 4", "--authority", "order 12/26", "--by", "E. Xaminer")
    run("transfer", case, "--to", "Court", "--from", "Lab", "--method", "courier", "--seal-number", "B-77", "--note", "whole")
    run("custody", case, "add", "--action", "examined", "--purpose", "second opinion")
    return case


def part(folder: Path) -> Path:
    """Chosen events of it, one column redacted, sealed itself."""
    whole_folder = folder / "whole"
    whole_folder.mkdir()
    whole, case = sealed(whole_folder), folder / "part.db"
    run("derive", whole, case, "--since", "2026-07-17", "--redact", "RequestAccountName=P1:GDPR Art. 15")
    run("analyze", case)
    run("seal", case, "--key", whole_folder / "sealer")
    return case
