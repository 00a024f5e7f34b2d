"""`ConfigurationChange`: the older Change Tracking, with old and new content in one row, and nobody who did it.

Only its Files and Registry records are file integrity; software, services and daemons are not. Its words Added, Removed
and Modified say of the registry less than Microsoft's five: whether a key or a value is meant shows in the value's columns.
"""

from __future__ import annotations

import re

from fimforensics.paths import last_segment
from fimforensics.tables.synonyms import change_type, entity_type
from fimforensics.tables.table import Table, Values, carry, text_of, words

_NAME = "ConfigurationChange"
_NAMES = {
    "ChangeCategory": "ChangeType", "FileSystemPath": "FilePath",
    "Size": "FileSize", "Hive": "RegistryHive", "ValueName": "NewValueName", "ValueData": "NewValueData",
    "ValueType": "NewValueType", "PreviousValueData": "OldValueData", "PreviousValueType": "OldValueType",
    "_ResourceId": "AzureResourceId",
}  # fmt: skip
_HASHES = {32: "FileMd5", 40: "FileSha1", 64: "FileSha256"}
_HEX = re.compile("[0-9A-Fa-f]+").fullmatch
_VALUE = {"Created": "RegistryValueSet", "Modified": "RegistryValueSet", "Deleted": "RegistryValueDeleted"}
_KEY = {"Created": "RegistryKeyCreated", "Deleted": "RegistryKeyDeleted"}  # a key modified (its ACL) has no word there


def to_mdc(values: Values) -> Values:
    """A record under Microsoft's names; ValueError where it is no change of a file or registry value."""
    kind = text_of(values.get("ConfigChangeType"))
    entity = entity_type(kind)
    if entity not in ("File", "Registry"):
        told = f"ConfigChangeType {kind!r}" if kind else "a record without ConfigChangeType"
        raise ValueError(f"{told} is not a change of a file or registry value")
    out = carry(values, _NAMES, _NAME, entity)
    del out["ConfigChangeType"]  # it is the entity, in the plural
    if isinstance(change := out.get("ChangeType"), str):
        out["ChangeType"] = change_type(change, entity)
    return _file(out) if entity == "File" else _registry(out)


def _file(out: Values) -> Values:
    """Name the hash by its length (MD5 of the older agent, SHA256 of the newer) and the file by its path's end."""
    checksum = text_of(out.get("FileContentChecksum"))
    place = _HASHES.get(len(checksum), "")
    if place and place not in out and _HEX(checksum):
        out[place] = out.pop("FileContentChecksum")
    name = last_segment(text_of(out.get("FilePath")))
    if name and not out.get("FileName"):
        out["FileName"] = name
    return out


def _registry(out: Values) -> Values:
    old = out.get("OldValueData") or out.get("OldValueType")
    is_value = old or any(out.get(name) for name in ("NewValueName", "NewValueData", "NewValueType"))
    change = text_of(out.get("ChangeType"))
    if change in _VALUE:
        out["ChangeType"] = (_VALUE if is_value else _KEY).get(change, change)
    if old:
        out["OldValueName"] = out.get("NewValueName")
    return out


TABLE = Table(
    name=_NAME,
    columns=words(
        "Acls Attributes _BilledSize ChangeCategory Computer ConfigChangeType Current DateCreated DateModified FieldsChanged"
        " FileContentChecksum FileSystemPath Hive _IsBillable LastSnapshotAge Location ManagementGroupName Name Previous"
        " PreviousAcls PreviousAttributes PreviousDateCreated PreviousDateModified PreviousFileContentChecksum PreviousSize"
        " PreviousValueData PreviousValueType Publisher RegistryKey _ResourceId Size SoftwareDescription SoftwareName"
        " SoftwareType SourceComputerId SourceSystem _SubscriptionId SvcAccount SvcChangeType SvcController SvcDisplayName"
        " SvcName SvcPath SvcPreviousAccount SvcPreviousController SvcPreviousPath SvcPreviousRunlevels"
        " SvcPreviousStartupType SvcPreviousState SvcRunlevels SvcStartupType SvcState TenantId TimeGenerated Type ValueData"
        " ValueName ValueType VMUUID"
    ),
    key_columns=words(
        "TimeGenerated _ResourceId Computer ConfigChangeType ChangeCategory FileSystemPath FileContentChecksum Size"
        " RegistryKey ValueName ValueType ValueData PreviousValueType PreviousValueData"
    ),
    to_mdc=to_mdc,
    marks=(words("ConfigChangeType"),),
    never=words("MonitoredEntityType"),
    times={
        name: name for name in ("TimeGenerated", "DateCreated", "DateModified", "PreviousDateCreated", "PreviousDateModified")
    },
)
