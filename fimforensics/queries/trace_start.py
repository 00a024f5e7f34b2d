"""What a trace begins with: host, what happened and when, the process and account behind it, on whose behalf over the network."""

from __future__ import annotations

import json
import sqlite3

from fimforensics.queries import event as event_query
from fimforensics.queries import trace_moments as moments
from fimforensics.queries.entities import Entity

_COMMANDS = ("InitiatingProcessCommandLine", "CommandLine", "ProcessCommandLine")
_SHOWN = {
    "host": "Computer", "time": "TimeGenerated", "change": "ChangeType", "path": "FilePath", "old_path": "OriginalFilePath",
    "key": "RegistryKey", "value": "NewValueName", "data": "NewValueData", "old_data": "OldValueData", "sha256": "FileSha256",
    "sha1": "FileSha1", "md5": "FileMd5", "size": "FileSize",
    "image": "InitiatingProcessImageFilePath", "process": "InitiatingProcessName", "pid": "InitiatingProcessId",
    "created": "InitiatingProcessCreationTime",
}


def standing_event(db: sqlite3.Connection, entity: Entity) -> int | None:
    """The event that stands for an entity: itself; of a file or value what began its last version; of a process its first."""
    if entity.kind == "event":
        return entity.id
    if entity.kind in ("file", "registry value"):
        table, column = (("file_versions", "file_id") if entity.kind == "file" else ("registry_versions", "registry_value_id"))
        row = db.execute(f"SELECT begun_by FROM {table} WHERE {column} = ? AND begun_by IS NOT NULL ORDER BY since DESC, id DESC "
                         "LIMIT 1", (entity.id,)).fetchone()
        return row[0] if row else None
    if entity.kind == "process":
        row = moments.event_of(db, entity.id, "", moments.ALL_TIME)
        return row[0] if row else None
    if entity.kind == "content":
        row = db.execute("SELECT first_event_id FROM content_spread WHERE content_id = ?", (entity.id,)).fetchone()
        return row[0] if row else None
    return None


def told(db: sqlite3.Connection, event: int) -> dict[str, object]:
    """An event in few words, with stable keys; what is not known is None."""
    whole = event_query.event(db, event, most=1)
    if whole is None:
        return {}
    columns = dict(whole.columns)
    extra = whole.flat.get("extra")
    more = json.loads(extra) if isinstance(extra, str) and extra else {}
    found = {name: columns.get(column) for name, column in _SHOWN.items()}
    return {"event": event, "event_key": whole.flat.get("event_key"), **found,
            "command": next((more[name] for name in _COMMANDS if more.get(name)), None),
            "account": _account(columns, "InitiatingProcessAccountDomainName", "InitiatingProcessAccountName",
                                "InitiatingProcessAccountSid"),
            "request_account": _account(columns, "RequestAccountDomain", "RequestAccountName", "RequestAccountSid"),
            "request_address": columns.get("RequestSourceIP")}


def _account(columns: dict, domain: str, name: str, sid: str) -> str | None:
    if columns.get(name):
        return f"{columns[domain]}\\{columns[name]}" if columns.get(domain) else str(columns[name])
    return columns.get(sid)
