"""Cases made by hand, row by row, without ingest: normal ones, hostile ones, an empty one."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

from fimforensics import schema

# What evidence must not do to a page, a terminal or a spreadsheet.
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "\"'><svg/onload=alert(3)>",
    "</title><script>alert(4)</script>",
    "</textarea></pre><b>out</b>",
    "\x1b[2J\x1b]0;owned\x07",
    "invoice\u202egnp.exe",
    "a\u2066b\u2069c\u200ed\u2028e",
    "nul\x00here",
    '=HYPERLINK("http://evil.example/","x")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=2+2",
    "http://evil.example/phish",
    "https://evil.example/a?b=c",
    "javascript:alert(5)",
    "{{ 7*7 }}{% raw %}",
    "${7*7}",
    "line one\nline two",
    "\u0085\u009bc1",
    "\ufeffbom\u200b",
    "', (SELECT 1)) --",
    "C:\\back\\slash~2Fx",
)
RAW = b'{"TimeGenerated":"2026-05-02T10:00:00.1234567Z","Computer":"web-01","Note":"\x1b[31m<b>"}'


def insert(connection: sqlite3.Connection, table: str, **values: Any) -> int:
    """One row, with NOT NULL columns that are not named filled with something; gives its rowid."""
    for _, name, kind, required, default, key in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if required and default is None and name not in values and not key:
            values[name] = {"INTEGER": 0, "BLOB": b"\1" * 32}.get(kind, "")
    marks = ", ".join("?" * len(values))
    names = ", ".join(f'"{name}"' for name in values)
    return connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values())).lastrowid or 0


def empty_case(path: Path) -> Path:
    """A case that nothing was taken into."""
    connection = sqlite3.connect(path)
    connection.executescript(schema.ddl())
    connection.executescript(schema.late())
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {schema.FORMAT}")
    insert(
        connection,
        "case_info",
        id=1,
        case_id="6f1c2a44-0000-4000-8000-000000000001",
        format=schema.FORMAT,
        tool="fimforensics test",
        created="2026-06-01T00:00:00.0000000Z",
        events_end=1,
        key_check="0",
    )
    connection.commit()
    connection.close()
    return path


def add_source(connection: sqlite3.Connection, source: str, state: str = "finished", **more: Any) -> tuple[int, int]:
    """A snapshot and its one member: their ids."""
    snapshot = insert(
        connection,
        "snapshots",
        source=source,
        state=state,
        acquired="2026-06-01T00:00:00.0000000Z",
        shape="jsonl",
        source_table="MDCFileIntegrityMonitoringEvents",
        reading="{}",
        tool="fimforensics test",
        sha256=hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest(),
        **more,
    )
    member = insert(
        connection,
        "members",
        snapshot_id=snapshot,
        name=source,
        shape="jsonl",
        source_table="MDCFileIntegrityMonitoringEvents",
        header='{"encoding": "utf-8", "rendered": false}',
    )
    insert(connection, "originals", snapshot_id=snapshot, offset=0, length=len(RAW), codec="raw", data=RAW)
    return snapshot, member


def add_event(
    connection: sqlite3.Connection, word: str, time: str, at: tuple[int, int], registry: bool = False, **more: Any
) -> int:
    """An event whose every text holds `word`, with an occurrence; gives its id."""
    host = insert(connection, "hosts", key=f"key {word}", name=word)
    machine = insert(
        connection, "machine_reports", host_id=host, computer=word, azure_resource_id=word, tenant_id=word, type=word
    )
    change = insert(connection, "changes", kind="registry" if registry else "file", change=word, entity=f"{word}{time}")
    account = insert(connection, "accounts", name=word, sid=word, domain=word, account=word)
    path = insert(connection, "paths", path=word, file_name=word)
    file = None if registry else insert(connection, "files", host_id=host, path=word, key=word)
    value = insert(connection, "registry_values", host_id=host, path=word, key=word, name=word) if registry else None
    report = insert(connection, "registry_reports", key=word, hive=word, new_name=word, new_type=word) if registry else None
    content = insert(connection, "contents", sha256=hashlib.sha256(word.encode()).hexdigest(), size=len(word))
    image = insert(connection, "images", path=word, file_name=word, company=word, product=word, description=word, sha1=word)
    process = insert(connection, "processes", host_id=host, pid=4711, name=word, image_key=word, weak=0)
    told = insert(
        connection, "process_reports", process_id=process, account_id=account, image_id=image, pid=4711, name=word, source=word
    )
    request = insert(connection, "requests", account_id=account, ip=word, port=word, source=word)
    number = insert(
        connection, "events", time=time, host_id=host, change_id=change, file_id=file, registry_value_id=value,
        content_id=content, process_id=process, account_id=account, path_id=path, original_path_id=path, request_id=request,
        machine_report_id=machine, process_report_id=told, registry_report_id=report, file_type=word, file_size=1234,
        old_data=word, new_data=word, extra=more.pop("extra", None), flags=word, ordinal=0, **more,
    )
    insert(connection, "occurrences", event_id=number, snapshot_id=at[0], member_id=at[1], length=len(RAW), item_id=word)
    connection.execute("INSERT INTO event_counts VALUES (?, ?, ?, 1)", (host, change, time[:10]))
    return number


def fill(path: Path, words: list[str], **info: Any) -> Path:
    """A case with one event for each word, every second of the registry, a reject and a custody entry for each."""
    connection = sqlite3.connect(empty_case(path))
    for at, word in enumerate(words):
        place = add_source(
            connection,
            word,
            truncated=word,
            note=word,
            records=2,
            new_events=1,
            rejects=1,
            case_number=word,
            first_time="2026-05-02T10:00:00.1234567Z",
            last_time="2026-05-02T10:00:00.1234567Z",
        )
        add_event(
            connection, word, f"2026-05-{at % 28 + 1:02d}T10:00:00.1234567Z", place, bool(at % 2), extra='{"k": "<b>\\u202e"}'
        )
        insert(connection, "rejects", snapshot_id=place[0], member_id=place[1], reason=word)
        insert(connection, "custody_log", actor=word, machine=word, action=word, arguments=word, result=word, purpose=word)
    connection.execute("UPDATE case_info SET events_end = ?", (len(words) + 1,))
    for name, value in info.items():
        connection.execute(f"UPDATE case_info SET {name} = ?", (value,))
    for table in ("paths", "registry_values", "accounts", "images", "hosts"):
        connection.execute(f"INSERT INTO {table}_fts({table}_fts) VALUES ('rebuild')")
    connection.commit()
    connection.close()
    return path
