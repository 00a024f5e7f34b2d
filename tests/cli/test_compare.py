"""`state` and `diff` by the real command line, on small cases, their output compared whole where it is short."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from tests.analyses.building import change, digest, made, value

ONE, TWO, OLD = ((digest(word) or "") for word in ("one", "two", "old"))
RUN = "HKEY_LOCAL_MACHINE\\Software\\Run"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`c.db` with two hosts, and `d.db`, a later case of one of them."""
    top = tmp_path_factory.mktemp("compare")
    for name, rows in (("c", [
            change("srv-1", "08:00", "C:\\a.txt", "Created", "one"), change("srv-1", "09:00", "C:\\a.txt", "Modified", "two"),
            change("srv-1", "08:00", "C:\\b.txt", "Modified", "old"), change("srv-1", "08:30", "C:\\c.txt", "Modified"),
            value("srv-1", "09:30", RUN, "Up", "=up.exe"), change("srv-2", "08:00", "C:\\a.txt", "Created", "one"),
            change("srv-2", "08:30", "C:\\b\x1b.txt", "Modified", "one"), change("srv-2", "09:30", "C:\\a.txt", "Deleted")]),
            ("d", [change("srv-1", "13T08:00", "C:\\a.txt", "Modified", "two"),
                   change("srv-1", "13T08:00", "C:\\b.txt", "Modified", "one")])):
        (top / name).mkdir()
        shutil.copy(made(top / name, rows, analyses=("versions", "coverage")), top / f"{name}.db")
    return top


@pytest.fixture(autouse=True)
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test stands in the folder."""
    monkeypatch.chdir(folder)


def cli(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def lines(*arguments: str) -> list[dict]:
    """The objects that a command prints with --json."""
    code, output, errors = cli(*arguments, "--json")
    assert (code, errors) == (0, "")
    return [json.loads(line) for line in output.splitlines()]


def test_state_for_people() -> None:
    assert cli("state", "c.db", "--host", "srv-1", "--at", "2026-10-12T08:45") == (0, f"""\
State of c.db at 2026-10-12 08:45:00:
  3 present, 0 absent, 1 unknown
host   path                                content           since                event  how that is known
srv-1  C:\\a.txt                            {ONE[:16]}  2026-10-12 08:00:00  1      hash seen at 2026-10-12 08:00:00
srv-1  C:\\b.txt                            {OLD[:16]}  2026-10-12 08:00:00  3      hash seen at 2026-10-12 08:00:00
srv-1  C:\\c.txt                            content unknown   2026-10-12 08:30:00  4      change seen at 2026-10-12 08:30:00, \
content unknown
srv-1  HKEY_LOCAL_MACHINE\\Software\\Run\\Up  ?                                      5      first event later, at \
2026-10-12 09:30:00: what was there before is unknown
""", "")


def test_one_kind_of_differences() -> None:
    of = ("diff", "c.db", "--from", "2026-10-12T08:10", "--to", "2026-10-12T09:40", "--all")
    kinds = [{row.get("kind") for row in lines(*of, *more) if row.get("path")} for more in ((), ("--kind", "registry"))]
    assert kinds == [{"file", "registry value"}, {"registry value"}]


def test_state_as_json_and_csv() -> None:
    at = ("--at", "2026-10-13", "--path", "*a.txt", "--host", "srv-2")
    expected = {"host": "srv-2", "kind": "file", "path": "C:\\a.txt", "state": "absent", "basis": "deleted", "sha256": None,
                "sha1": None, "md5": None, "size": None, "data": None, "type": None, "since": "2026-10-12T09:30:00.0000000Z",
                "until": None, "seen": "2026-10-12T09:30:00.0000000Z", "event": 8, "how": "deleted at 2026-10-12 09:30:00",
                "doubt": "no event of srv-2 after 2026-10-12 09:30:00"}
    assert lines("state", "c.db", *at) == [expected]
    [row] = csv.DictReader(io.StringIO(cli("state", "c.db", *at, "--csv")[1]))
    assert row == {name: "" if cell is None else str(cell) for name, cell in expected.items()}
    assert [row["path"] for row in csv.DictReader(io.StringIO(cli("state", "c.db", "--csv", "--kind", "registry")[1]))] == [
        RUN + "\\Up"]
    assert cli("state", "c.db", "--csv", "--kind", "registry")[1].count("'=up.exe") == 1
    assert len(lines("state", "c.db", "--limit", "2")) == 2


def test_diff_between_two_times_for_people() -> None:
    assert cli("diff", "c.db", "--from", "2026-10-12T08:30", "--host", "srv-1") == (0, f"""\
c.db from 2026-10-12 08:30:00 to 2026-10-12 09:30:00:
  1 changed, 0 added, 0 gone, 1 unknown, 2 same
  unknown because: state unknown 1
         host   path                                from              to                events  why
changed  srv-1  C:\\a.txt                            {ONE[:16]}  {TWO[:16]}  2       hash seen at 2026-10-12 09:00:00
unknown  srv-1  HKEY_LOCAL_MACHINE\\Software\\Run\\Up  ?                 =up.exe           5       first event later, at \
2026-10-12 09:30:00: what was there before is unknown
""", "")
    assert cli("diff", "c.db", "--from", "-1h", "--to", "2026-10-12T09:30", "--host", "srv-2", "--summary")[1] == """\
c.db from 2026-10-12 08:30:00 to 2026-10-12 09:30:00:
  0 changed, 0 added, 1 gone, 0 unknown, 1 same
"""


def test_diff_between_two_times_as_json() -> None:
    head, *rows = lines("diff", "c.db", "--from", "2026-10-12T08:30", "--all")
    assert head == {"from": {"at": "2026-10-12T08:30:00.0000000Z"}, "to": {"at": "2026-10-12T09:30:00.0000000Z"},
                    "counts": {"changed": 1, "added": 0, "gone": 1, "unknown": 1, "same": 3}, "same_but_changed_between": 0,
                    "unknown": {"state unknown": 1}}
    assert [(row["class"], row["host"], row["path"]) for row in rows] == [
        ("changed", "srv-1", "C:\\a.txt"), ("gone", "srv-2", "C:\\a.txt"), ("unknown", "srv-1", RUN + "\\Up"),
        ("same", "srv-1", "C:\\b.txt"), ("same", "srv-1", "C:\\c.txt"),
        ("same", "srv-2", "C:\\b\x1b.txt")]
    side = {"state": "present", "basis": "hash", "sha1": None, "md5": None, "size": None, "data": None, "type": None,
            "doubt": None}
    eight, nine = ("2026-10-12T08:00:00.0000000Z", "2026-10-12T09:00:00.0000000Z")
    assert rows[0] == {
        "class": "changed", "host": "srv-1", "kind": "file", "path": "C:\\a.txt", "why": None, "reason": None, "changes": 1,
        "events": [2],
        "from": side | {"sha256": ONE, "since": eight, "until": nine, "seen": eight, "event": 1,
                        "how": "hash seen at 2026-10-12 08:00:00"},
        "to": side | {"sha256": TWO, "since": nine, "until": None, "seen": nine, "event": 2,
                      "how": "hash seen at 2026-10-12 09:00:00"}}
    assert lines("diff", "c.db", "--from", "2026-10-12T08:30", "--all", "--limit", "2") == [head, *rows[:2]]
    assert lines("diff", "c.db", "--from", "2026-10-12T08:30", "--summary") == [head]


def test_diff_between_two_hosts() -> None:
    for pair in (("--host", "srv-1", "--against", "srv-2"), ("--host", "srv-1", "--host", "srv-2")):
        head, *rows = lines("diff", "c.db", *pair, "--path", "*a.txt")
        assert head == {"from": {"host": "srv-1", "at": None}, "to": {"host": "srv-2", "at": None}, "counts": {
            "changed": 0, "added": 0, "gone": 1, "unknown": 0, "same": 0}, "same_but_changed_between": 0, "unknown": {}}
        assert [(row["class"], row["path"], row["events"]) for row in rows] == [("gone", "C:\\a.txt", [2, 8])]
    head, *rows = lines("diff", "c.db", "--host", "srv-2", "--against", "srv-1", "--path", "*a.txt")
    assert [(row["class"], row["host"], row["path"]) for row in rows] == [("added", "srv-1", "C:\\a.txt")]
    code, output, _ = cli("diff", "c.db", "--host", "srv-2", "--against", "srv-1", "--at", "2026-10-12T08:30")
    assert (code, output.splitlines()[:2]) == (0, [
        "From srv-2 to srv-1, at 2026-10-12 08:30:00:", "  0 changed, 0 added, 0 gone, 4 unknown, 1 same"])
    assert "C:\\b\\x1b.txt" in output and "no event of it on srv-1" in output


def test_diff_between_two_cases() -> None:
    head, *rows = lines("diff", "c.db", "--case", "d.db")
    assert head == {"from": {"case": "c.db", "at": None}, "to": {"case": "d.db", "at": None}, "counts": {
        "changed": 1, "added": 0, "gone": 0, "unknown": 4, "same": 1}, "same_but_changed_between": 0,
        "unknown": {"host on one side only": 2, "no event on one side": 2}}
    assert [(row["class"], row["host"], row["path"], row["reason"]) for row in rows] == [
        ("changed", "srv-1", "C:\\b.txt", None), ("unknown", "srv-1", "C:\\c.txt", "no event of it in d.db"),
        ("unknown", "srv-1", RUN + "\\Up", "no event of it in d.db"),
        ("unknown", "srv-2", "C:\\a.txt", "host srv-2 is only in c.db"),
        ("unknown", "srv-2", "C:\\b\x1b.txt", "host srv-2 is only in c.db")]
    assert lines("diff", "d.db", "--case", "c.db", "--host", "srv-2", "--all")[0]["unknown"] == {"host on one side only": 2}
    assert cli("diff", "c.db", "--case", "d.db", "--summary")[1].splitlines()[0] == (
        "From c.db to d.db, as each host was last heard of:")
    row = next(csv.DictReader(io.StringIO(cli("diff", "c.db", "--case", "d.db", "--csv")[1])))
    assert (row["class"], row["from_sha256"], row["to_sha256"]) == ("changed", OLD, ONE)


@pytest.mark.parametrize("arguments", [
    (), ("--host", "srv-1"), ("--from", "-1h", "--case", "d.db"), ("--host", "a", "--host", "b", "--host", "c"),
    ("--to", "-1h"),
    ("--against", "srv-1"), ("--from", "-1h", "--at", "-1h"), ("--from", "-1h", "--host", "srv-1", "--against", "srv-2"),
    ("--case", "d.db", "--to", "-1h"), ("--from", "-1h", "--to", "-2h"), ("--from", "never"),
    ("--from", "-1h", "--csv", "--json"),
    ("--from", "-1h", "--path", "x" * 20_001),
])
def test_wrong_use_is_one_line(arguments: tuple[str, ...]) -> None:
    code, output, errors = cli("diff", "c.db", *arguments)
    assert (code, output, len(errors.splitlines())) == (2, "", 1)


def test_without_analysis_there_is_no_answer(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "08:00", "C:\\a.txt", "Created", "one")], analyses=None)
    for arguments in (("state", str(case)), ("diff", str(case), "--from", "-1h"), ("diff", "c.db", "--case", str(case))):
        assert cli(*arguments)[0] == 1
    with closing(sqlite3.connect(shutil.copy("c.db", tmp_path / "e.db"))) as db:
        db.execute("DELETE FROM analyses WHERE name = 'coverage'")
        db.commit()
    code, output, errors = cli("diff", str(tmp_path / "e.db"), "--from", "-1h", "--json", "--summary")
    assert (code, len(output.splitlines()), "silences between a host's events are not known" in errors) == (0, 1, True)
