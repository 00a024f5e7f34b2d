"""The case file's DDL: tables and indexes as SQL files beside this one, and the views, made from one list of columns.

`MDCFileIntegrityMonitoringEvents` shows the case as Microsoft's table; `events_flat` is the one for people.
The number `events.forms` remembers, bit by bit, which text columns a source proved to be empty text (not null),
and in its last four bits in which form the two paths were recorded.
"""

from __future__ import annotations

from importlib.resources import files

from fimforensics.model import COLUMNS, MDC, TEXT

APPLICATION_ID = 0x46494D46  # "FIMF"
FORMAT = 3
# What each format added to the one before; `rebuild` reads cases that lack it.
ADDED = {3: frozenset(["digest_salt", "part", "part_proof", "part_records", "part_snapshots", "part_statement",
                      "pulls", "redactions", "slices"])}
# Indexes as cases made before had them: they answer the same, only slower.
FORMER = {"events_change": "CREATE INDEX events_change ON events(change_id)",
          "events_account": "CREATE INDEX events_account ON events(account_id) WHERE account_id IS NOT NULL"}

TEXT_COLUMNS = tuple(name for name, kind in COLUMNS.items() if kind == TEXT)
EMPTY_BIT = {name: 1 << at for at, name in enumerate(TEXT_COLUMNS)}
PATH_FORM_SHIFT = len(TEXT_COLUMNS)
ORIGINAL_FORM_SHIFT = PATH_FORM_SHIFT + 2
# forms of a recorded path: as it stands, a folder with a separator at its end, a folder without, none but a name
FULL, FOLDER_SEPARATOR, FOLDER, ABSENT = 0, 1, 2, 3

_SOURCES = {
    "TenantId": "m.tenant_id", "TimeGenerated": "e.time", "AzureResourceId": "m.azure_resource_id",
    "AADTenantID": "m.aad_tenant_id", "Computer": "m.computer", "CloudProvider": "m.cloud_provider",
    "CloudIdentifier": "m.cloud_identifier", "CloudResourceType": "m.cloud_resource_type",
    "MonitoredEntityType": "c.entity", "ChangeType": "c.change", "FileName": "p.file_name", "FileType": "e.file_type",
    "FilePath": f"CASE WHEN e.forms >> {PATH_FORM_SHIFT} & 3 <> {ABSENT} THEN p.path END", "FileSize": "e.file_size",
    "OriginalFileName": "o.file_name",
    "OriginalFilePath": f"CASE WHEN e.forms >> {ORIGINAL_FORM_SHIFT} & 3 <> {ABSENT} THEN o.path END",
    "FileMd5": "k.md5", "FileSha256": "k.sha256", "FileSha1": "k.sha1",
    "RequestAccountName": "qa.account", "RequestAccountDomain": "qa.domain", "RequestAccountSid": "qa.sid",
    "RequestSourceIP": "q.ip", "RequestSourcePort": "q.port", "RequestSource": "q.source",
    "RegistryKey": "r.key", "RegistryHive": "r.hive", "OldValueData": "e.old_data", "OldValueType": "r.old_type",
    "OldValueName": "r.old_name", "OldValueFullRegistryKey": "r.old_key", "NewValueData": "e.new_data",
    "NewValueType": "r.new_type", "NewValueName": "r.new_name", "InitiatingProcessId": "g.pid",
    "InitiatingProcessName": "g.name", "InitiatingProcessCreationTime": "g.created",
    "InitiatingProcessSessionId": "g.session_id", "InitiatingProcessFirstSeen": "g.first_seen",
    "InitiatingProcessAccountSid": "a.sid", "InitiatingProcessAccountDomainName": "a.domain",
    "InitiatingProcessAccountName": "a.account", "InitiatingProcessImageFileName": "i.file_name",
    "InitiatingProcessImageFilePath": "i.path", "InitiatingProcessImageFileType": "i.file_type",
    "InitProcImageFileSizeInBytes": "i.size", "InitProcImageCreationTimeUtc": "i.created",
    "InitProcImagePeTimestampUtc": "i.pe_timestamp", "InitProcImageLastWriteTimeUtc": "i.last_write",
    "InitProcImageLastAccessTimeUtc": "e.image_last_access", "InitProcImageLsHash": "i.ls_hash",
    "InitProcImageMd5": "i.md5", "InitProcImageSha256": "i.sha256", "InitProcImageSha1": "i.sha1",
    "InitiatingProcessSource": "g.source", "InitProcVersionInfoCompanyName": "i.company",
    "InitProcVersionInfoProductName": "i.product", "InitProcVersionInfoProductVersion": "i.product_version",
    "InitProcVersionInfoInternalFileName": "i.internal_name", "InitProcVersionInfoOriginalFileName": "i.original_name",
    "InitProcVersionInfoFileDescription": "i.description", "SourceSystem": "m.source_system", "Type": "m.type",
    "_BilledSize": "e.billed_size", "_IsBillable": "m.is_billable",
}

_FROM = """
FROM events e
JOIN machine_reports m ON m.id = e.machine_report_id
JOIN changes c ON c.id = e.change_id
LEFT JOIN paths p ON p.id = e.path_id
LEFT JOIN paths o ON o.id = e.original_path_id
LEFT JOIN contents k ON k.id = e.content_id
LEFT JOIN requests q ON q.id = e.request_id
LEFT JOIN accounts qa ON qa.id = q.account_id
LEFT JOIN registry_reports r ON r.id = e.registry_report_id
LEFT JOIN process_reports g ON g.id = e.process_report_id
LEFT JOIN accounts a ON a.id = g.account_id
LEFT JOIN images i ON i.id = g.image_id
WHERE e.id < (SELECT events_end FROM case_info)"""


def joins() -> str:
    """The joined tables that `column_expression` reads, without a condition."""
    return _FROM.partition("\nWHERE")[0]


def column_expression(name: str) -> str:
    """The SQL that gives Microsoft's column `name` over the joined tables; '' only where a source proved it."""
    source = _SOURCES[name]
    if name not in EMPTY_BIT:
        return source
    return f"coalesce({source}, CASE WHEN e.forms & {EMPTY_BIT[name]} THEN '' END)"


def _recorded(column: str, joined: str, name: str, shift: int) -> str:
    """The path as the record spelled it: without the file's name where it was recorded as a folder."""
    form = f"(e.forms >> {shift} & 3)"
    return (f"CASE {form} WHEN {FOLDER_SEPARATOR} THEN substr({joined}, 1, length({joined}) - length({name})) "
            f"WHEN {FOLDER} THEN substr({joined}, 1, length({joined}) - length({name}) - 1) "
            f"WHEN {ABSENT} THEN NULL ELSE {joined} END AS {column}")


def views() -> dict[str, str]:
    """The views' names and DDL."""
    columns = ",\n  ".join(f'{column_expression(name)} AS "{name}"' for name in COLUMNS)
    flat = ",\n  ".join([
        "e.id AS id", "lower(hex(e.match_key)) || '-' || e.ordinal AS event_key", "e.time AS time", "h.name AS computer",
        "c.kind AS kind", "c.change AS change", "coalesce(p.path, r.key) AS path", "coalesce(r.new_name, r.old_name) AS value",
        "e.new_data AS data", "e.old_data AS old_data", "o.path AS original_path", "k.sha256 AS sha256", "k.sha1 AS sha1",
        "k.md5 AS md5", "e.file_size AS file_size", "n.name AS process", "n.pid AS pid", "n.created AS process_created",
        "i.path AS image_path", "a.name AS account", "qa.name AS request_account", "q.ip AS request_ip",
        _recorded("recorded_path", "p.path", "p.file_name", PATH_FORM_SHIFT),
        _recorded("recorded_original_path", "o.path", "o.file_name", ORIGINAL_FORM_SHIFT),
        "e.extra AS extra", "e.flags AS flags",
        "e.host_id AS host_id", "e.file_id AS file_id", "e.registry_value_id AS registry_value_id",
        "e.content_id AS content_id", "e.process_id AS process_id", "e.account_id AS account_id"])
    more = _FROM.replace("WHERE", "JOIN hosts h ON h.id = e.host_id\nLEFT JOIN processes n ON n.id = e.process_id\n"
                         "WHERE")
    return {MDC: f'CREATE VIEW "{MDC}" AS SELECT\n  {columns}{_FROM}',
            "events_flat": f"CREATE VIEW events_flat AS SELECT\n  {flat}{more}"}


def script(name: str) -> str:
    """The text of one of the SQL files: `tables`, `parts`, `pulls`, `indexes`, `sought`, `analyses` or `late`."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def late() -> str:
    """The indexes that a first ingest makes at its end."""
    return script("sought") + script("late")


def ddl() -> str:
    """Everything a new case starts with: tables, their small indexes, and views."""
    scripts = map(script, ("tables", "parts", "pulls", "indexes", "analyses"))
    return "\n".join([*scripts, *(f"{text};" for text in views().values())])
