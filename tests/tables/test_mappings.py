"""One row of each table by hand, mapped whole; and no documented column of any table gets lost on the way."""

from __future__ import annotations

import pytest

from fimforensics.model import COLUMNS, MDC
from fimforensics.tables import SYSTEM_COLUMNS, TABLES, Table, identify
from fimforensics.tables.table import Values


def mapped(table: str, **values: object) -> Values:
    """A record of a table as it becomes; the record itself must stay as it was."""
    before = dict(values)
    to_mdc = identify([], table).to_mdc
    assert to_mdc is not None
    out = to_mdc(values)
    assert values == before
    return out


def test_the_main_table_needs_no_mapping() -> None:
    assert identify([], MDC).to_mdc is None


def test_detection_events() -> None:
    assert mapped(
        "MDCDetectionFimEvents", TimeGenerated="2026-05-01T00:00:00Z", Computer="web1", EventType="Created", FileName="a.php",
        FilePath="/srv/", InitiatingProcessId="77", InitiatingProcessName="sh", Inode="9", IsDir=False, AgentId="A",
        DataPipelineMetadata={"k": 1}, Region="westeurope",
    ) == {
        "TimeGenerated": "2026-05-01T00:00:00Z", "Computer": "web1", "ChangeType": "Created", "FileName": "a.php",
        "FilePath": "/srv/", "InitiatingProcessId": 77, "InitiatingProcessName": "sh", "Inode": "9", "IsDir": False,
        "AgentId": "A", "DataPipelineMetadata": {"k": 1}, "Region": "westeurope", "MonitoredEntityType": "File",
        "Type": "MDCDetectionFimEvents",
    }  # fmt: skip
    assert mapped("MDCDetectionFimEvents", InitiatingProcessId="x1")["InitiatingProcessId"] == "x1"


def test_configuration_change_of_a_file() -> None:
    sha256 = "AB" * 32
    assert mapped(
        "ConfigurationChange", ConfigChangeType="Files", ChangeCategory="Modified", FileSystemPath="C:\\Windows\\a.ini", Size=5,
        PreviousSize=4, FileContentChecksum=sha256, PreviousFileContentChecksum="0" * 64, _ResourceId="/subscriptions/1",
        FieldsChanged="Size", Acls="{}", Type="ConfigurationChange",
    ) == {
        "MonitoredEntityType": "File", "ChangeType": "Modified", "FilePath": "C:\\Windows\\a.ini", "FileName": "a.ini",
        "FileSize": 5, "PreviousSize": 4, "FileSha256": sha256, "PreviousFileContentChecksum": "0" * 64,
        "AzureResourceId": "/subscriptions/1", "FieldsChanged": "Size", "Acls": "{}", "Type": "ConfigurationChange",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("checksum", "column"),
    [("a" * 32, "FileMd5"), ("a" * 40, "FileSha1"), ("a" * 64, "FileSha256"), ("a" * 33, None), ("z" * 32, None), (None, None)],
)
def test_configuration_change_names_a_checksum_by_its_length(checksum: str | None, column: str | None) -> None:
    out = mapped("ConfigurationChange", ConfigChangeType="Files", FileContentChecksum=checksum)
    assert out == {"MonitoredEntityType": "File", column or "FileContentChecksum": checksum, "Type": "ConfigurationChange"}


def test_configuration_change_of_a_registry_value() -> None:
    assert mapped(
        "ConfigurationChange", ConfigChangeType="Registry", ChangeCategory="Modified", RegistryKey="HKEY_LOCAL_MACHINE\\Run",
        Hive="HKEY_LOCAL_MACHINE", ValueName="a", ValueData="2", ValueType="REG_SZ", PreviousValueData="1",
        PreviousValueType="REG_SZ",
    ) == {
        "MonitoredEntityType": "Registry", "ChangeType": "RegistryValueSet", "RegistryKey": "HKEY_LOCAL_MACHINE\\Run",
        "RegistryHive": "HKEY_LOCAL_MACHINE", "NewValueName": "a", "NewValueData": "2", "NewValueType": "REG_SZ",
        "OldValueName": "a", "OldValueData": "1", "OldValueType": "REG_SZ", "Type": "ConfigurationChange",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("category", "name", "change"),
    [
        ("Added", "v", "RegistryValueSet"), ("Modified", "v", "RegistryValueSet"), ("Removed", "v", "RegistryValueDeleted"),
        ("Added", "", "RegistryKeyCreated"), ("Removed", None, "RegistryKeyDeleted"), ("Modified", None, "Modified"),
        ("Flipped", "v", "Flipped"),
    ],
)  # fmt: skip
def test_configuration_change_words_of_the_registry(category: str, name: str | None, change: str) -> None:
    out = mapped("ConfigurationChange", ConfigChangeType="Registry", ChangeCategory=category, ValueName=name)
    assert out["ChangeType"] == change and "OldValueName" not in out


def test_configuration_change_of_a_nameless_value_is_a_value() -> None:
    out = mapped("ConfigurationChange", ConfigChangeType="Registry", ChangeCategory="Added", ValueName="", ValueData="x")
    assert (out["ChangeType"], out["NewValueName"], out["NewValueData"]) == ("RegistryValueSet", "", "x")


@pytest.mark.parametrize("kind", ["Software", "WindowsServices", "Daemons"])
def test_configuration_change_of_other_kinds_is_no_event(kind: str) -> None:
    with pytest.raises(ValueError, match=f"ConfigChangeType '{kind}' is not a change of a file or registry value"):
        mapped("ConfigurationChange", ConfigChangeType=kind)
    with pytest.raises(ValueError, match="a record without ConfigChangeType"):
        mapped("ConfigurationChange", ConfigChangeType=None)


def test_device_file_events() -> None:
    assert mapped(
        "DeviceFileEvents", Timestamp="2026-05-01T00:00:00Z", DeviceId="d", DeviceName="pc1.example", ActionType="FileRenamed",
        FileName="b.exe", FolderPath="C:\\x\\b.exe", PreviousFileName="a.exe", PreviousFolderPath="C:\\x", FileSize=3,
        MD5="m", SHA1="s1", SHA256="s2", InitiatingProcessFileName="p.exe", InitiatingProcessFolderPath="c:\\p\\",
        InitiatingProcessSHA256="ps", InitiatingProcessAccountDomain="corp", InitiatingProcessCommandLine="p -x",
        InitiatingProcessVersionInfoCompanyName="Acme", InitiatingProcessSessionId=1, RequestProtocol="SMB",
        RequestSourceIP="192.0.2.1", RequestSourcePort=445, RequestAccountName="u", AdditionalFields={"a": [1]}, ReportId=7,
    ) == {
        "TimeGenerated": "2026-05-01T00:00:00Z", "DeviceId": "d", "Computer": "pc1.example", "ChangeType": "Renamed",
        "FileName": "b.exe", "FilePath": "C:\\x\\b.exe", "OriginalFileName": "a.exe", "OriginalFilePath": "C:\\x", "FileSize": 3,
        "FileMd5": "m", "FileSha1": "s1", "FileSha256": "s2", "InitiatingProcessName": "p.exe",
        "InitiatingProcessImageFileName": "p.exe", "InitiatingProcessImageFilePath": "c:\\p\\p.exe", "InitProcImageSha256": "ps",
        "InitiatingProcessAccountDomainName": "corp", "InitiatingProcessCommandLine": "p -x",
        "InitProcVersionInfoCompanyName": "Acme", "InitiatingProcessSessionId": 1, "RequestSource": "SMB",
        "RequestSourceIP": "192.0.2.1", "RequestSourcePort": "445", "RequestAccountName": "u", "AdditionalFields": {"a": [1]},
        "ReportId": 7, "MonitoredEntityType": "File", "Type": "DeviceFileEvents",
    }  # fmt: skip


def test_device_registry_events() -> None:
    assert mapped(
        "DeviceRegistryEvents", TimeGenerated="2026-05-01T00:00:00Z", Timestamp="2026-05-01T00:00:01Z", DeviceName="pc1",
        ActionType="RegistryValueSet", RegistryKey="HKEY_LOCAL_MACHINE\\Run", RegistryValueName="v", RegistryValueData="2",
        RegistryValueType="String", PreviousRegistryKey="HKEY_LOCAL_MACHINE\\Old", PreviousRegistryValueName="w",
        PreviousRegistryValueData="1", InitiatingProcessId=4,
    ) == {
        "TimeGenerated": "2026-05-01T00:00:00Z", "Timestamp": "2026-05-01T00:00:01Z", "Computer": "pc1",
        "ChangeType": "RegistryValueSet", "RegistryKey": "HKEY_LOCAL_MACHINE\\Run", "RegistryHive": "HKEY_LOCAL_MACHINE",
        "NewValueName": "v", "NewValueData": "2", "NewValueType": "String", "OldValueFullRegistryKey": "HKEY_LOCAL_MACHINE\\Old",
        "OldValueName": "w", "OldValueData": "1", "InitiatingProcessId": 4, "MonitoredEntityType": "Registry",
        "Type": "DeviceRegistryEvents",
    }  # fmt: skip


def test_device_custom_file_events() -> None:
    assert mapped(
        "DeviceCustomFileEvents", ActionType="FileCreated", RuleName="r", InitProcessFileName="sh", InitProcessFolderPath="/bin",
        InitProcessId=5, InitProcessParentId=4, InitProcessAccountName="root", InitProcessMD5="m",
    ) == {
        "ChangeType": "Created", "RuleName": "r", "InitiatingProcessImageFileName": "sh", "InitiatingProcessName": "sh",
        "InitiatingProcessImageFilePath": "/bin/sh", "InitiatingProcessId": 5, "InitProcessParentId": 4,
        "InitiatingProcessAccountName": "root", "InitProcImageMd5": "m", "MonitoredEntityType": "File",
        "Type": "DeviceCustomFileEvents",
    }  # fmt: skip


def test_device_custom_registry_events() -> None:
    assert mapped(
        "DeviceCustomRegistryEvents", ActionType="RegistryKeyDeleted", RegistryKey="Software\\x", InitProcessSHA1="s",
        RuleLastModificationTime="2026-01-01T00:00:00Z", Type="DeviceCustomRegistryEvents",
    ) == {
        "ChangeType": "RegistryKeyDeleted", "RegistryKey": "Software\\x", "InitProcImageSha1": "s",
        "RuleLastModificationTime": "2026-01-01T00:00:00Z", "MonitoredEntityType": "Registry",
        "Type": "DeviceCustomRegistryEvents",
    }  # fmt: skip


def test_device_events_of_another_kind_are_no_events() -> None:
    with pytest.raises(ValueError, match="ActionType 'ImageLoaded' is not a change of a file"):
        mapped("DeviceFileEvents", ActionType="ImageLoaded")
    with pytest.raises(ValueError, match="ActionType 'FileCreated' is not a change of a registry value"):
        mapped("DeviceRegistryEvents", ActionType="FileCreated")
    assert mapped("DeviceFileEvents", ActionType="FileAttributesSet")["ChangeType"] == "FileAttributesSet"
    assert mapped("DeviceFileEvents", ActionType=None)["ChangeType"] is None


def test_a_column_in_the_way_of_a_mapped_one_is_kept() -> None:
    out = mapped("DeviceFileEvents", DeviceName="pc1", Computer="other", MonitoredEntityType="x")
    assert out == {
        "Computer": "pc1", "DeviceFileEvents.Computer": "other", "DeviceFileEvents.MonitoredEntityType": "x",
        "MonitoredEntityType": "File", "Type": "DeviceFileEvents",
    }  # fmt: skip


def test_search_job() -> None:
    assert mapped(
        MDC + "_SRCH", TimeGenerated="2026-06-01T00:00:00Z", _OriginalTimeGenerated="2026-01-01T00:00:00Z", _ItemId="new",
        _OriginalItemId="old", _OriginalType=MDC, FileName="a",
    ) == {
        "TimeGenerated": "2026-01-01T00:00:00Z", "_SearchJobTime": "2026-06-01T00:00:00Z", "_ItemId": "old",
        "_SearchJobItemId": "new", "_OriginalType": MDC, "FileName": "a", "Type": MDC + "_SRCH",
    }  # fmt: skip
    with pytest.raises(ValueError, match="without _OriginalTimeGenerated"):
        mapped(MDC + "_SRCH", TimeGenerated="2026-06-01T00:00:00Z", _OriginalTimeGenerated=None)


def test_search_job_and_restore_of_a_mapped_table() -> None:
    job = mapped("DeviceFileEvents_SRCH", TimeGenerated="run", _OriginalTimeGenerated="true", DeviceName="pc", Type="Mine_SRCH")
    assert job == {
        "TimeGenerated": "true", "_SearchJobTime": "run", "Computer": "pc", "Type": "Mine_SRCH", "MonitoredEntityType": "File",
    }  # fmt: skip
    assert mapped("DeviceFileEvents_RST", TimeGenerated="true", DeviceName="pc") == {
        "TimeGenerated": "true", "Computer": "pc", "Type": "DeviceFileEvents_RST", "MonitoredEntityType": "File",
    }  # fmt: skip
    assert mapped(MDC + "_RST", TimeGenerated="true") == {"TimeGenerated": "true", "Type": MDC + "_RST"}


CASES = [identify([], table.name + ending) for table in TABLES for ending in ("", "_SRCH", "_RST") if table.to_mdc or ending]


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.name)
@pytest.mark.parametrize("entity", ["Files", "Registry"])
def test_every_documented_column_is_mapped_or_kept(table: Table, entity: str) -> None:
    """Each column carries its own name as value: every one must be found again, under a name of the 65 or its own."""
    assert table.to_mdc is not None
    values: Values = {column: f"<{column}>" for column in table.columns | SYSTEM_COLUMNS}
    said = {"ConfigChangeType": entity, "ActionType": "RegistryFileOdd"}
    values |= {column: value for column, value in said.items() if column in values}
    out = table.to_mdc(values)
    found = {value for value in out.values() if isinstance(value, str)}
    lost = {column for column, value in values.items() if column not in said and not any(str(value) in text for text in found)}
    assert lost == set()
    own = table.columns | SYSTEM_COLUMNS | {"_SearchJobTime", "_SearchJobItemId"}
    assert set(out) <= set(COLUMNS) | own
    assert set(table.times.values()) <= set(COLUMNS) | own | {"RuleLastModificationTime"}
