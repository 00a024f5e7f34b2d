"""What the four Device* tables of Microsoft Defender XDR share: machine, process, account, and their way to the 65 columns.

The custom ones spell `InitProcess…` where the others spell `InitiatingProcess…`; advanced hunting names the time `Timestamp`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fimforensics.paths import hive_head, join
from fimforensics.tables.synonyms import change_type
from fimforensics.tables.table import Table, Values, carry, text_of, words

LONG, SHORT = "InitiatingProcess", "InitProcess"
ALSO = {"Timestamp": "TimeGenerated"}
# Sibling tables of XDR share nearly all columns; these tell processes, networks and logons from files and registry.
OTHERS = words("ProcessCommandLine ProcessId RemoteIP RemotePort RemoteUrl LogonType LogonId ChangeType MonitoredEntityType")
CUSTOM = words("RuleName RuleLastModificationTime")
_COMMON = (
    "ActionType AppGuardContainerId _BilledSize DeviceId DeviceName _IsBillable MachineGroup ReportId SourceSystem TenantId"
    " TimeGenerated Type"
)
_PROCESS = (
    "AccountDomain AccountName AccountObjectId AccountSid AccountUpn CommandLine CreationTime FileName FileSize FolderPath Id"
    " IntegrityLevel MD5 ParentCreationTime ParentFileName ParentId SHA1 SHA256 TokenElevation VersionInfoCompanyName"
    " VersionInfoFileDescription VersionInfoInternalFileName VersionInfoOriginalFileName VersionInfoProductName"
    " VersionInfoProductVersion"
)
_FILE = (
    "AdditionalFields FileName FileOriginIP FileOriginReferrerUrl FileOriginUrl FileSize FolderPath"
    " IsAzureInfoProtectionApplied MD5 PreviousFileName PreviousFolderPath RequestAccountDomain RequestAccountName"
    " RequestAccountSid RequestProtocol RequestSourceIP RequestSourcePort SensitivityLabel SensitivitySubLabel SHA1 SHA256"
    " ShareName"
)
_REGISTRY = (
    "PreviousRegistryKey PreviousRegistryValueData PreviousRegistryValueName RegistryKey RegistryValueData"
    " RegistryValueName RegistryValueType"
)
_PROCESS_KEY = "Id CreationTime FileName FolderPath AccountSid AccountDomain AccountName"
_PROCESS_NAMES = {
    "AccountDomain": "InitiatingProcessAccountDomainName", "AccountName": "InitiatingProcessAccountName",
    "AccountSid": "InitiatingProcessAccountSid", "CreationTime": "InitiatingProcessCreationTime",
    "Id": "InitiatingProcessId", "SessionId": "InitiatingProcessSessionId",
    "FileName": "InitiatingProcessImageFileName", "FolderPath": "InitiatingProcessImageFilePath",
    "FileSize": "InitProcImageFileSizeInBytes", "MD5": "InitProcImageMd5", "SHA1": "InitProcImageSha1",
    "SHA256": "InitProcImageSha256", "VersionInfoCompanyName": "InitProcVersionInfoCompanyName",
    "VersionInfoFileDescription": "InitProcVersionInfoFileDescription",
    "VersionInfoInternalFileName": "InitProcVersionInfoInternalFileName",
    "VersionInfoOriginalFileName": "InitProcVersionInfoOriginalFileName",
    "VersionInfoProductName": "InitProcVersionInfoProductName",
    "VersionInfoProductVersion": "InitProcVersionInfoProductVersion",
}  # fmt: skip
_FILE_NAMES = {
    "FolderPath": "FilePath", "PreviousFileName": "OriginalFileName", "PreviousFolderPath": "OriginalFilePath",
    "MD5": "FileMd5", "SHA1": "FileSha1", "SHA256": "FileSha256", "RequestProtocol": "RequestSource",
}  # fmt: skip
_REGISTRY_NAMES = {
    "RegistryValueName": "NewValueName", "RegistryValueData": "NewValueData", "RegistryValueType": "NewValueType",
    "PreviousRegistryKey": "OldValueFullRegistryKey", "PreviousRegistryValueName": "OldValueName",
    "PreviousRegistryValueData": "OldValueData",
}  # fmt: skip


def columns_of(own: str, prefix: str) -> frozenset[str]:
    """The documented columns: the common ones, the table's own, and the process's under the table's prefix."""
    return words(_COMMON) | words(own) | frozenset(prefix + part for part in _PROCESS.split())


def names_of(own: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Column -> its place among the 65, for those whose name differs."""
    names = {"DeviceName": "Computer", "ActionType": "ChangeType", **own}
    return names | {prefix + part: place for part, place in _PROCESS_NAMES.items()}


def convert(values: Values, names: Mapping[str, str], table: str, entity: str) -> Values:
    """A record under Microsoft's names; ValueError where its ActionType is of neither kind (an image load, a logon)."""
    action = text_of(values.get("ActionType"))
    if action and entity.lower() not in action.lower():
        raise ValueError(f"ActionType {action!r} is not a change of a {'file' if entity == 'File' else 'registry value'}")
    if "Timestamp" in values and values.get("TimeGenerated") in (None, ""):
        values = {column: value for column, value in values.items() if column != "TimeGenerated"}
        names = {**names, "Timestamp": "TimeGenerated"}
    out = carry(values, names, table, entity)
    if action:
        out["ChangeType"] = change_type(action, entity)
    if "InitiatingProcessImageFileName" in out:
        out.setdefault("InitiatingProcessName", out["InitiatingProcessImageFileName"])
    if image := text_of(out.get("InitiatingProcessImageFilePath")):
        out["InitiatingProcessImageFilePath"] = join(image, text_of(out.get("InitiatingProcessImageFileName")))
    port = out.get("RequestSourcePort")
    if isinstance(port, int) and not isinstance(port, bool):
        out["RequestSourcePort"] = str(port)
    return out


def _times(prefix: str) -> dict[str, str]:
    parent = f"{prefix}ParentCreationTime"
    return {
        "TimeGenerated": "TimeGenerated", "Timestamp": "TimeGenerated", parent: parent,
        f"{prefix}CreationTime": "InitiatingProcessCreationTime", "RuleLastModificationTime": "RuleLastModificationTime",
    }  # fmt: skip


def _key(own: str, prefix: str) -> frozenset[str]:
    return words("TimeGenerated DeviceName ActionType " + own) | frozenset(prefix + part for part in _PROCESS_KEY.split())


def file_table(name: str, prefix: str, marks: tuple[frozenset[str], ...], more: frozenset[str] = frozenset()) -> Table:
    """A table of file events; `more` are documented columns beyond the common ones."""
    return Table(
        name=name,
        columns=columns_of(_FILE, prefix) | more,
        key_columns=_key(
            "FolderPath FileName PreviousFolderPath PreviousFileName SHA256 SHA1 MD5 FileSize RequestAccountSid"
            " RequestAccountDomain RequestAccountName RequestProtocol RequestSourceIP RequestSourcePort", prefix
        ),
        to_mdc=partial(convert, names=names_of(_FILE_NAMES, prefix), table=name, entity="File"),
        marks=(words("ActionType"), words("FolderPath FileName"), *marks),
        never=OTHERS | words("RegistryKey"),
        times=_times(prefix),
        also=ALSO,
    )  # fmt: skip


def registry_table(name: str, prefix: str, marks: tuple[frozenset[str], ...], more: frozenset[str] = frozenset()) -> Table:
    """A table of registry events; `more` are documented columns beyond the common ones."""
    return Table(
        name=name,
        columns=columns_of(_REGISTRY, prefix) | more,
        key_columns=_key(_REGISTRY, prefix),
        to_mdc=partial(_convert_registry, names=names_of(_REGISTRY_NAMES, prefix), table=name),
        marks=(words("ActionType"), words("RegistryKey"), *marks),
        never=OTHERS,
        times=_times(prefix),
        also=ALSO,
    )


def _convert_registry(values: Values, names: Mapping[str, str], table: str) -> Values:
    """As `convert`; these tables have no column for the hive: it is the head of the key, where that names one."""
    out = convert(values, names, table, "Registry")
    head = hive_head(text_of(out.get("RegistryKey")))
    if head and not out.get("RegistryHive"):
        out["RegistryHive"] = head
    return out
