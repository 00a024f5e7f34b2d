"""What is shown where: the columns a table opens with, what it can be grouped by, where a foreign key leads."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from urllib.parse import urlencode

from fimforensics import schema

# Columns a table's page opens with; every other is one click away and in JSON and CSV from the start.
OPENING: dict[str, tuple[str, ...]] = {
    "events": ("time", "host_id", "change_id", "file_id", "registry_value_id", "content_id", "process_id", "account_id",
               "new_data"),
    "snapshots": ("source", "state", "shape", "source_table", "records", "new_events", "known_events", "rejects",
                  "truncated", "first_time", "last_time"),
    "images": ("path", "company", "product", "product_version", "description", "size", "sha256", "created"),
    "custody_log": ("time", "actor", "machine", "action", "object", "result", "tool"),
}
# Columns with an index, by which a million rows are grouped in a tenth of a second.
GROUPINGS: dict[str, tuple[str, ...]] = {
    "events": ("host_id", "change_id", "account_id", "process_id"),
    "files": ("host_id",), "registry_values": ("host_id",), "processes": ("host_id",), "rejects": ("snapshot_id", "reason"),
    "snapshots": ("shape", "source_table"), "images": ("company",), "changes": ("kind",),
}
# What a column is called where people read it; the column's own name stays in the address and in SQL.
HEADINGS = {
    "host_id": "host", "change_id": "change", "file_id": "file", "registry_value_id": "registry value",
    "content_id": "content", "process_id": "process", "account_id": "account", "path_id": "path as recorded",
    "original_path_id": "former path", "request_id": "request", "machine_report_id": "machine report",
    "process_report_id": "process report", "registry_report_id": "registry report", "new_data": "data", "image_id": "image",
    "snapshot_id": "snapshot", "member_id": "member", "event_id": "event",
}
# Columns of `events` of which one is always empty, drawn as one.
SHARED = ("file_id", "registry_value_id")
# The column of `events` that says which row of a table it is about.
EVENTS_OF = {"hosts": "host_id", "files": "file_id", "registry_values": "registry_value_id", "contents": "content_id",
             "processes": "process_id", "accounts": "account_id", "paths": "path_id", "changes": "change_id"}
# Where a text is searched in a case: tables with full text, in the words of the button.
SEARCHED = {"paths": "File paths", "registry_values": "Registry", "accounts": "Accounts", "images": "Programs", "hosts": "Hosts"}
# What one row of a table is called.
SINGULAR = {
    "events": "event", "hosts": "host", "changes": "change", "accounts": "account", "paths": "path", "files": "file",
    "contents": "content", "images": "image", "processes": "process", "process_reports": "process report",
    "machine_reports": "machine report", "requests": "request", "registry_values": "registry value",
    "registry_reports": "registry report", "snapshots": "source", "members": "member", "preambles": "preamble",
    "rejects": "reject", "occurrences": "occurrence", "custody_log": "custody entry", "case_info": "case",
    "pulls": "live pull", "slices": "slice", "findings": "finding", "finding_events": "event of a finding",
    "analyses": "analysis",
    "file_versions": "version of a file", "registry_versions": "version of a registry value", "reversions": "reversion",
    "relations": "relation", "silences": "silence", "bursts": "burst", "content_spread": "spread of a content",
    "originals": "original", "leaves": "leaf", "event_counts": "count of events", "member_cache": "cached member",
}
_PATHS = frozenset(["path", "key", "file_id", "registry_value_id", "path_id", "original_path_id", "original_path", "image_path",
                    "image_id", "image_key", "recorded_path", "source", "registry_report_id", "FilePath",
                    "OriginalFilePath", "RegistryKey", "OldValueFullRegistryKey", "InitiatingProcessImageFilePath",
                    "AzureResourceId", "azure_resource_id"])
_LONG = frozenset(["data", "new_data", "old_data", "extra", "reason", "truncated", "arguments", "object", "result",
                   "NewValueData", "OldValueData", "description"])
HASHES = frozenset(["sha256", "sha1", "md5", "hash", "previous", "ls_hash", "evidence_digest", "match_key", "event_key",
                    "FileMd5", "FileSha1", "FileSha256", "InitProcImageMd5", "InitProcImageSha1", "InitProcImageSha256"])


def width(column: str) -> str:
    """The class that says how a column is drawn: `path` keeps its end in sight, `long` its beginning, '' is as wide as needed."""
    return "path" if column in _PATHS else "long" if column in _LONG else ""


def opening_query(table: str) -> str:
    """The query string that asks for a table's opening columns; '' where all are shown."""
    return urlencode([("_col", column) for column in OPENING.get(table, ())])


def short_address(url: str, table: str) -> str:
    """A link of a table's page without the opening columns, which are put in again when it is followed."""
    opening = opening_query(table)
    if not opening:
        return url
    return url.replace(f"?{opening}&", "?").replace(f"?{opening}", "").replace(f"&{opening}", "")


def heading(column: str) -> str:
    """The column's name for people."""
    return HEADINGS.get(column, column.replace("_", " ") if column.islower() else column)


@lru_cache(maxsize=1)
def foreign_keys() -> dict[tuple[str, str], str]:
    """(table, column) → the table its values are ids of."""
    found: dict[tuple[str, str], str] = {}
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema.ddl())
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for row in connection.execute(f'PRAGMA foreign_key_list("{table}")'):
            found[table, row[3]] = row[2]
    connection.close()
    return found
