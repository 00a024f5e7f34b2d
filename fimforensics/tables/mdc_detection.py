"""`MDCDetectionFimEvents`: file events of a sensor whose rows say little of who; every one of them is about a file."""

from __future__ import annotations

from fimforensics.tables.synonyms import change_type
from fimforensics.tables.table import Table, Values, carry, text_of, words

_NAME = "MDCDetectionFimEvents"


def to_mdc(values: Values) -> Values:
    """A record under Microsoft's names; the process id, which this table holds as text, becomes a number."""
    out = carry(values, {"EventType": "ChangeType"}, _NAME, "File")
    if isinstance(change := out.get("ChangeType"), str):
        out["ChangeType"] = change_type(change, "File")
    pid = text_of(out.get("InitiatingProcessId")).strip()
    if pid.isascii() and pid.isdigit() and len(pid) < 19:
        out["InitiatingProcessId"] = int(pid)
    return out


TABLE = Table(
    name=_NAME,
    columns=words(
        "AgentId AzureResourceId _BilledSize Computer DataPipelineMetadata EventType FileName FilePath FileType"
        " InitiatingProcessId InitiatingProcessName Inode _IsBillable IsDir Region SourceSystem TenantId TimeGenerated Type"
    ),
    key_columns=words("TimeGenerated AzureResourceId Computer EventType FilePath FileName InitiatingProcessId"),
    to_mdc=to_mdc,
    marks=(
        words("EventType"), words("FilePath FileName"),
        words("AgentId Inode IsDir Region DataPipelineMetadata AzureResourceId InitiatingProcessName"),
    ),
    never=words("ChangeType MonitoredEntityType ActionType"),
    times={"TimeGenerated": "TimeGenerated"},
)
