"""Whose columns are these? By the rows' Type, else by the columns' names; anything else is refused by name."""

from __future__ import annotations

import pickle

import pytest

from fimforensics.errors import Refused
from fimforensics.model import COLUMNS, MDC
from fimforensics.tables import TABLES, Table, fold_columns, identify, named

by_name = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@by_name
def test_a_table_is_known_by_its_type_in_any_case(table: Table) -> None:
    assert identify([], table.name.upper()) is table
    assert identify(["ConfigChangeType"], table.name) is table  # the Type comes before the columns
    assert identify([], table.name + "_SRCH").name == table.name + "_SRCH"
    assert identify([], table.name.lower() + "_rst").name == table.name + "_RST"


@by_name
def test_a_table_is_known_by_its_columns_in_any_case(table: Table) -> None:
    assert identify(table.columns, None) is table
    assert identify([column.upper() for column in table.columns if column != "Type"], "") is table
    assert identify(table.columns, "None") is table  # as az says null
    assert identify([*table.columns, "Unheard_Of", "_ItemId"], None) is table


@by_name
def test_copies_under_a_name_of_ones_own_are_known_by_their_columns(table: Table) -> None:
    assert identify([*table.columns, "_OriginalTimeGenerated"], "January_SRCH").name == table.name + "_SRCH"
    assert identify([*table.columns, "_originaltimegenerated"], None).name == table.name + "_SRCH"
    assert identify(table.columns, "January_RST").name == table.name + "_RST"


@by_name
def test_a_table_goes_to_another_process(table: Table) -> None:
    for kind in (table, identify([], table.name + "_SRCH"), identify([], table.name + "_RST")):
        assert pickle.loads(pickle.dumps(kind)).name == kind.name


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (["TimeGenerated", "Computer", "ChangeType", "FilePath"], MDC),
        (["TimeGenerated", "MonitoredEntityType"], MDC),
        (["Timestamp", "DeviceName", "ActionType", "FolderPath", "FileName"], "DeviceFileEvents"),
        (["Timestamp", "ActionType", "RegistryKey", "RegistryValueName"], "DeviceRegistryEvents"),
        (["TimeGenerated", "ActionType", "FileName", "RuleName"], "DeviceCustomFileEvents"),
        (["TimeGenerated", "ActionType", "RegistryKey", "InitProcessId"], "DeviceCustomRegistryEvents"),
        (["TimeGenerated", "EventType", "FilePath", "Inode"], "MDCDetectionFimEvents"),
        (["TimeGenerated", "ConfigChangeType", "RegistryKey"], "ConfigurationChange"),
    ],
)
def test_few_columns(columns: list[str], name: str) -> None:
    assert identify(columns, None).name == name


@pytest.mark.parametrize(
    ("columns", "type_name", "told"),
    [
        (["TimeGenerated", "Computer", "OSType"], None, "columns TimeGenerated, Computer, OSType"),
        ([f"c{number}" for number in range(20)], None, "c11 and 8 more"),
        (["ActionType", "FileName", "FolderPath", "ProcessCommandLine"], None, "ProcessCommandLine"),
        (list(COLUMNS), "Heartbeat", "Type 'Heartbeat'"),
        (["a"], "Heartbeat_SRCH", "columns a"),
        ([], None, "not a table fimforensics knows"),
    ],
)
def test_other_tables_are_refused_by_name(columns: list[str], type_name: str | None, told: str) -> None:
    with pytest.raises(Refused) as caught:
        identify(columns, type_name)
    assert told in caught.value.what and MDC in caught.value.hint


def test_named() -> None:
    assert [table and table.name for table in map(named, (MDC.lower(), "x", "X_SRCH", MDC + "_srch"))] == [
        MDC, None, None, MDC + "_SRCH",
    ]  # fmt: skip


def test_fold_columns() -> None:
    assert fold_columns(["timegenerated", "COMPUTER", "Odd", "_itemid"]) == {
        "timegenerated": "TimeGenerated", "COMPUTER": "Computer", "_itemid": "_ItemId",
    }  # fmt: skip
    assert fold_columns(["computer", "Computer"]) == {"Computer": "Computer"}
    assert fold_columns(["computer", "COMPUTER"]) == {"computer": "Computer"}


def test_no_two_tables_spell_a_column_apart() -> None:
    spellings = {column for table in TABLES for column in table.columns | table.also.keys()}
    assert len({column.lower() for column in spellings}) == len(spellings)


@by_name
def test_a_source_with_all_columns_lacks_none(table: Table) -> None:
    assert table.key_columns <= table.columns
    assert table.lacking(table.columns) == ()
    assert table.lacking(table.columns - {"TimeGenerated"}) == ("TimeGenerated",)
    with_timestamp = table.columns - {"TimeGenerated"} | {"Timestamp"}
    assert table.lacking(with_timestamp) == (() if table.name.startswith("Device") else ("TimeGenerated",))


def test_a_search_job_lacks_the_time_only_without_the_original_one() -> None:
    job = identify([], MDC + "_SRCH")
    assert job.lacking(job.columns) == ()
    assert job.lacking(COLUMNS) == ("_OriginalTimeGenerated",)
