"""Small cases for the tests of analyses: a few changes in a few words, ingested as any export is, and analysed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from fimforensics import case as cases
from fimforensics.analyze import analyze
from fimforensics.ingest import Options, ingest
from fimforensics.model import Reading

DAY = "2026-10-12"
KEY = bytes(range(32))


def digest(word: str | None) -> str | None:
    """A SHA-256 that is easy to tell apart: made from one word, so that equal words are equal contents."""
    from hashlib import sha256
    return None if word is None else sha256(word.encode()).hexdigest()


def stamp(time: str) -> str:
    """`08:00`, `08:00:01.5` or `13T08:00` (another day of October) as the whole time."""
    day, mark, clock = time.rpartition("T")
    clock = clock if clock.count(":") == 2 else clock + ":00"
    return f"{DAY[:8] + day if mark and len(day) == 2 else day or DAY}T{clock.ljust(8, '0')}Z"


def change(host: str, time: str, path: str, what: str = "Modified", content: str | None = None, *, by: str | None = "svc.exe",
           account: str | None = "CONTOSO\\ann", pid: int | None = 7, started: str | None = "00:00", was: str | None = None,
           **more: Any) -> dict[str, Any]:
    """A change of a file; `content` is a word its hash is made from, `by` the image's path or name, `was` the path before."""
    separator = "/" if "/" in path else "\\"
    row = {"Computer": host, "TimeGenerated": stamp(time), "MonitoredEntityType": "File", "ChangeType": what, "FilePath": path,
           "FileName": path.rpartition(separator)[2], "FileSha256": digest(content), **_actor(by, account, pid, started)}
    if was is not None:
        row |= {"OriginalFilePath": was, "OriginalFileName": was.rpartition(separator)[2]}
    return _row(row, more)


def value(host: str, time: str, key: str, name: str | None, data: str | None, what: str = "RegistryValueSet", *,
          old: str | None = None, by: str | None = "svc.exe", account: str | None = "CONTOSO\\ann", pid: int | None = 7,
          started: str | None = "00:00", **more: Any) -> dict[str, Any]:
    """A change of a registry value or key."""
    row = {"Computer": host, "TimeGenerated": stamp(time), "MonitoredEntityType": "Registry", "ChangeType": what,
           "RegistryKey": key, "NewValueName": name, "NewValueData": data, "OldValueData": old,
           **_actor(by, account, pid, started)}
    return _row(row, more)


def _row(row: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    whole = row | more | {"Type": "MDCFileIntegrityMonitoringEvents"}
    return {name: cell for name, cell in whole.items() if cell is not None}


def _actor(by: str | None, account: str | None, pid: int | None, started: str | None) -> dict[str, Any]:
    if by is None:
        return {}
    domain, _, name = (account or "").rpartition("\\")
    separator = "/" if "/" in by else "\\"
    return {"InitiatingProcessName": by.rpartition(separator)[2], "InitiatingProcessImageFileName": by.rpartition(separator)[2],
            "InitiatingProcessImageFilePath": by if separator in by else None, "InitiatingProcessId": pid,
            "InitiatingProcessCreationTime": stamp(started) if started else None,
            "InitiatingProcessAccountName": name or None, "InitiatingProcessAccountDomainName": domain or None}


def made(folder: Path, *sources: list[dict[str, Any]], analyses: tuple[str, ...] | None = ()) -> Path:
    """A case of these sources (each a list of rows) in their order; analysed by all analyses, the named ones, or none (None)."""
    case = folder / "case.db"
    for number, rows in enumerate(sources):
        source = folder / f"source-{number}.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        taken = ingest(case, [source], Options(reading=Reading(None, None), case_key=KEY))
        assert [one.refused for one in taken] == [None]
    if analyses is not None:
        analyze(case, analyses)
    return case


def rows(case: Path, sql: str, values: tuple = ()) -> list[tuple]:
    """What a query gives over the case."""
    connection: sqlite3.Connection
    with cases.reading(case) as connection:
        return connection.execute(sql, values).fetchall()
