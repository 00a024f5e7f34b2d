"""`MDCFileIntegrityMonitoringEvents`: the table that all others are mapped onto, so nothing is to be mapped."""

from __future__ import annotations

from fimforensics.model import COLUMNS, MDC, TIME
from fimforensics.tables.table import Table, words

TABLE = Table(
    name=MDC,
    columns=frozenset(COLUMNS),
    key_columns=words(
        "TimeGenerated AzureResourceId Computer MonitoredEntityType ChangeType FilePath FileName OriginalFilePath"
        " OriginalFileName FileSha256 FileSha1 FileMd5 FileSize RegistryKey NewValueName NewValueType NewValueData"
        " OldValueName OldValueType OldValueData OldValueFullRegistryKey InitiatingProcessId"
        " InitiatingProcessCreationTime InitiatingProcessImageFilePath InitiatingProcessAccountSid"
        " InitiatingProcessAccountDomainName InitiatingProcessAccountName RequestAccountSid RequestAccountDomain"
        " RequestAccountName RequestSource RequestSourceIP RequestSourcePort"
    ),
    marks=(words("MonitoredEntityType ChangeType"), words("MonitoredEntityType FilePath FileName RegistryKey")),
    times={name: name for name, kind in COLUMNS.items() if kind == TIME},
)
