"""The questions of Microsoft's documents, each on a case small enough to count by eye."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimforensics import case as cases
from fimforensics.queries import questions
from fimforensics.queries.moments import moment
from tests.analyses.building import change, made, value

ONE = "/subscriptions/AAAA/resourceGroups/Web/providers/Microsoft.Compute/virtualMachines/srv-1"
TWO = "/subscriptions/bbbb/resourcegroups/db/providers/microsoft.hybridcompute/machines/srv-2"
RUN = "HKEY_LOCAL_MACHINE\\Software\\Run"
HALF = 250_000_000
ROWS = [
    change("srv-1", "12T08:00", "C:\\Web\\a.aspx", "Created", AzureResourceId=ONE, _BilledSize=HALF),
    change("srv-1", "12T09:00", "C:\\Web\\a.aspx", "Deleted", AzureResourceId=ONE, _BilledSize=HALF + 0.5),
    change("srv-1", "13T08:00", "C:\\WEB\\b.aspx", "Modified", by="other.exe", account="CONTOSO\\bob", AzureResourceId=ONE,
           _BilledSize=2 * HALF, _IsBillable="False"),
    value("srv-1", "13T10:00", RUN, "Updater", "a.exe", AzureResourceId=ONE, _BilledSize=3 * HALF),
    value("srv-2", "13T10:00", RUN, "Updater", "a.exe", AzureResourceId=TWO, by="SVC.exe"),
    value("srv-2", "14T10:00", RUN, None, None, "RegistryKeyCreated", AzureResourceId=TWO, by=None),
    change("srv-2", "14T12:00", "/etc/hosts", "Deleted", AzureResourceId=TWO, by="/usr/bin/rm", account="root"),
    change("srv-3", "14T12:00", "/etc/hosts", "Created"),
    change("srv-3", "9999-12-31T00:00", "/etc/odd"),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory):
    with cases.reading(made(tmp_path_factory.mktemp("questions"), ROWS, analyses=None)) as found:
        yield found


def asked(connection, section: str, since: str | None = None, until: str | None = None, most: int | None = None,
          **names: str) -> list[tuple]:
    scope = questions.scope(connection, since and moment(connection, since, "--since"),
                            until and moment(connection, until, "--until"), **names)
    rows = list(questions.SECTIONS[section].rows(connection, scope, most))
    assert all(len(row) == len(questions.SECTIONS[section].columns) for row in rows)
    return rows


def test_changes_by_host_and_kind(connection) -> None:
    assert asked(connection, "hosts") == [
        ("srv-1", "file", 3, "2026-10-12", "2026-10-13"), ("srv-1", "registry", 1, "2026-10-13", "2026-10-13"),
        ("srv-2", "file", 1, "2026-10-14", "2026-10-14"), ("srv-2", "registry", 2, "2026-10-13", "2026-10-14"),
        ("srv-3", "file", 2, "2026-10-14", "9999-12-31")]
    assert asked(connection, "hosts", host="srv-?", most=1) == asked(connection, "hosts", host="rv-1")[:1]
    assert asked(connection, "hosts", host="none") == []


SPANS = [("2026-10-13", None), ("2026-10-12T08:30", "2026-10-14T11:00"), (None, "2026-10-13T09:00"), ("2026-10-12T08:00",
         "2026-10-12T09:00"), ("2026-10-12T23:00", "2026-10-13T09:00"), ("2026-10-12", "2026-10-15"), ("-1d", None),
         ("2026-10-14", "2026-10-13"), ("9999-12-31T23:00", None)]


@pytest.mark.parametrize("section", ["hosts", "changes", "categories", "days", "totals", "subscriptions", "processes", "accounts",
                                     "folders", "registry", "fates"])
@pytest.mark.parametrize(("since", "until"), SPANS)
def test_a_span_counts_what_a_case_of_only_that_span_holds(connection, tmp_path: Path, section, since, until) -> None:
    """Whole days come from the rollup and the ends from events: together they are what lies in the span, and nothing else."""
    first = moment(connection, since, "--since")[:19] if since else "1980"
    last = moment(connection, until, "--until")[:19] if until else "2101"
    inside = [row for row in ROWS if first <= row["TimeGenerated"][:19] < last]
    if not inside:
        assert asked(connection, section, since, until) == []
        return
    with cases.reading(made(tmp_path, inside, analyses=None)) as alone:
        assert asked(connection, section, since, until) == asked(alone, section)


def test_totals_and_categories(connection) -> None:
    assert asked(connection, "totals") == [("file", 6, 3, 5), ("registry", 3, 2, 3)]
    assert asked(connection, "categories") == [
        ("file", "Created", 2, 2), ("file", "Deleted", 2, 2), ("file", "Modified", 2, 2), ("registry", "RegistryValueSet", 2, 2),
        ("registry", "RegistryKeyCreated", 1, 1)]
    assert asked(connection, "changes", host="srv-2") == [
        ("srv-2", "file", "Deleted", 1), ("srv-2", "registry", "RegistryKeyCreated", 1),
        ("srv-2", "registry", "RegistryValueSet", 1)]
    assert asked(connection, "days", until="2026-10-14") == [
        ("2026-10-12", "file", 2), ("2026-10-13", "file", 1), ("2026-10-13", "registry", 2)]


def test_subscriptions(connection) -> None:
    assert asked(connection, "subscriptions") == [
        ("(not told)", "(not told)", 1, 2, 0, 2), ("aaaa", "web", 1, 3, 1, 4), ("bbbb", "db", 1, 1, 2, 3)]
    assert asked(connection, "totals", subscription="BBBB") == [("file", 1, 1, 1), ("registry", 2, 1, 2)]
    assert asked(connection, "totals", subscription="bbb") == []


@pytest.mark.parametrize(("resource", "expected"), [
    (ONE, ("aaaa", "web")), ("/subscriptions/AAAA", ("aaaa", "(not told)")), (None, ("(not told)", "(not told)")),
    ("/", ("(not told)", "(not told)")), ("srv-1", ("(not told)", "(not told)"))])
def test_what_a_resource_id_says(resource: str | None, expected: tuple[str, str]) -> None:
    assert questions.subscription_of(resource) == expected


def test_who_changed_most(connection) -> None:
    assert asked(connection, "processes") == [("SVC.exe", 6, 3, 3), ("other.exe", 1, 1, 1), ("rm", 1, 1, 1)]
    assert asked(connection, "accounts") == [("CONTOSO\\ann", None, 6), ("CONTOSO\\bob", None, 1), ("root", None, 1)]
    assert asked(connection, "accounts", most=1) == [("CONTOSO\\ann", None, 6)]


def test_where(connection) -> None:
    assert asked(connection, "folders") == [("/etc/", 3, 3, 2), ("C:\\WEB\\", 3, 2, 1)]
    assert asked(connection, "registry") == [
        ("srv-1", RUN, 1, 1, "2026-10-13T10:00:00.0000000Z", "2026-10-13T10:00:00.0000000Z"),
        ("srv-2", RUN, 1, 2, "2026-10-13T10:00:00.0000000Z", "2026-10-14T10:00:00.0000000Z")]


def test_what_became_of_files(connection) -> None:
    assert asked(connection, "fates") == [
        ("changed only", 2), ("created and later deleted", 1), ("created, not deleted after", 1), ("deleted, not created", 1)]


def test_newest_first_and_the_latest_of_each(connection) -> None:
    newest = [(row[2], row[1][8:16], row[4], row[5]) for row in asked(connection, "newest", host="srv-1")]
    assert newest == [("srv-1", "13T10:00", "RegistryValueSet", RUN), ("srv-1", "13T08:00", "Modified", "C:\\WEB\\b.aspx"),
                      ("srv-1", "12T09:00", "Deleted", "C:\\Web\\a.aspx"), ("srv-1", "12T08:00", "Created", "C:\\Web\\a.aspx")]
    assert [(row[2], row[1][8:16], row[4]) for row in asked(connection, "latest", host="srv-1")] == [
        ("srv-1", "13T10:00", "RegistryValueSet"), ("srv-1", "13T08:00", "Modified"), ("srv-1", "12T09:00", "Deleted")]
    assert len(asked(connection, "latest", most=2)) == 2


def test_bytes_billed(connection) -> None:
    assert asked(connection, "billed") == [
        ("2026-10-12", "srv-1", 2, 2 * HALF + 0.5, 0, 0), ("2026-10-13", "srv-1", 2, 3 * HALF, 2 * HALF, 0)]
    assert asked(connection, "benefit") == [
        ("2026-10-12", "aaaa", 1, 2 * HALF + 0.5, 2 * HALF, 100.0, 0.5),
        ("2026-10-13", "aaaa", 1, 3 * HALF, 2 * HALF, 150.0, HALF)]


def test_the_benefit_is_pooled_over_a_subscription(tmp_path: Path) -> None:
    rows = [change(f"srv-{at}", "08:00", "C:\\a", AzureResourceId=ONE[:-1] + str(at), _BilledSize=size)
            for at, size in ((1, 3 * HALF), (2, 1))]
    with cases.reading(made(tmp_path, rows, analyses=None)) as connection:
        assert asked(connection, "benefit") == [("2026-10-12", "aaaa", 2, 3 * HALF + 1, 4 * HALF, 75.0, 0)]


def test_no_size_is_not_nothing_billed(tmp_path: Path) -> None:
    with cases.reading(made(tmp_path, [change("srv-1", "08:00", "C:\\a")], analyses=None)) as connection:
        assert asked(connection, "billed") == asked(connection, "benefit") == []
