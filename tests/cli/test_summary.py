"""`summary` by its command: every section, as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from fimforensics.queries.questions import SECTIONS
from tests.analyses.building import change, made, value

ROWS = [change(f"srv-{at % 3 + 1}", f"08:{at:02}", f"C:\\Web\\{at}.aspx", "Created") for at in range(30)] + [
    value("srv-1", "09:00", "HKLM\\Software\\Run", "\x1b[31m=1+1", "=up.exe", _BilledSize=7.5)]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("summary"), ROWS, analyses=None)


def cli(*words: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def told(*words: object) -> list[dict]:
    code, out, err = cli(*words, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_one_section(case: Path) -> None:
    assert cli("summary", case, "--only", "hosts", "--since", "-30m") == (0, """\
hosts: changes of each host
  host   kind      events  first day   last day
  srv-1  registry  1       2026-10-12  2026-10-12
""", "")
    assert told("summary", case, "--only", "hosts", "--until", "2026-10-12T08:03") == [
        {"section": "hosts", "host": f"srv-{at}", "kind": "file", "events": 1, "first_day": "2026-10-12",
         "last_day": "2026-10-12"} for at in (1, 2, 3)]
    assert cli("summary", case, "--only", "categories", "--csv", "--host", "SRV-1") == (0, """\
kind,change,events,hosts
file,Created,10,1
registry,RegistryValueSet,1,1
""", "")


def test_one_subscription(tmp_path: Path) -> None:
    vm = "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
    found = made(tmp_path, [change("vm", "08:00", "/etc/a", AzureResourceId=vm.format("one")),
                            change("vm", "08:01", "/etc/b", AzureResourceId=vm.format("two"))], analyses=None)
    assert [row["events"] for row in told("summary", found, "--only", "categories")] == [2]
    assert told("summary", found, "--only", "categories", "--subscription", "TWO") == [
        {"section": "categories", "kind": "file", "change": "Modified", "events": 1, "hosts": 1}]


def test_all_sections(case: Path) -> None:
    rows = told("summary", case)
    assert list(dict.fromkeys(row["section"] for row in rows)) == list(SECTIONS)
    for row in rows:
        assert tuple(row)[1:] == SECTIONS[row["section"]].columns
    assert [row["section"] for row in rows].count("newest") == 20
    text = cli("summary", case)[1]
    assert [line.partition(":")[0] for line in text.splitlines() if line[:1] not in (" ", "")] == list(SECTIONS)


def test_long_sections_are_whole_only_by_name(case: Path) -> None:
    assert len(told("summary", case, "--only", "latest")) == 31
    assert len(told("summary", case, "--only", "latest", "--limit", 3)) == 3
    shown = cli("summary", case, "--only", "latest")[1].splitlines()
    assert (len(shown), shown[-1]) == (23, "  … and more: --only latest with --limit, --json or --csv")


def test_nothing_is_told_as_such(case: Path) -> None:
    assert cli("summary", case, "--only", "accounts", "--host", "srv-9", "--only", "benefit") == (0, """\
accounts: the accounts with most changes: nothing is told of it
benefit: bytes billed by day and subscription against 500 MB for each machine seen that day: nothing is told of it
""", "")


def test_nothing_steers_and_no_formula_runs(case: Path) -> None:
    text = cli("summary", case, "--only", "newest", "--limit", 1)[1]
    assert "\x1b" not in text and "\\x1b[31m=1+1" in text
    rows = list(csv.DictReader(io.StringIO(cli("summary", case, "--only", "newest", "--limit", 1, "--csv")[1])))
    assert [(row["value"], row["data"]) for row in rows] == [("\\x1b[31m=1+1", "'=up.exe")]


@pytest.mark.parametrize(("words", "line"), [
    (("--csv", "--json"), "--csv and --json exclude each other"),
    (("--csv",), "--csv prints one section. Name it: --only hosts"),
    (("--csv", "--only", "hosts", "--only", "days"), "--csv prints one section. Name it: --only hosts"),
    (("--since", "x"), "--since: not a time: 'x'. Write it as 2026-09-30, 2026-09-30T02:14:00Z, or -14d, -6h, -30m before the "
                       "newest event")])
def test_wrong_use(case: Path, words: tuple[str, ...], line: str) -> None:
    assert cli("summary", case, *words) == (2, "", f"fimforensics: {line}\n")
