"""The commands `spread` and `rare`: what they print, as text, JSON and CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from tests.analyses.building import change, digest, made, value

SU = "/usr/bin/su"


def said(*words: str | Path) -> str:
    """What a command prints; it must go well."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Five hosts with one su; on two of them another came later by scp, on one of them with a helper and a value."""
    return made(tmp_path, [
        *(change(f"srv-{number}", f"01T08:{number}0", SU, content="good", by="/usr/bin/dpkg", account=None)
          for number in range(1, 6)),
        change("srv-2", "10:00", SU, content="evil", by="/usr/bin/scp", RequestSourceIP="10.20.3.14"),
        change("srv-4", "10:31", "/usr/sbin/su", content="evil", by="/usr/bin/scp"),
        change("srv-6", "10:31", "/usr/bin/login", content="evil\x1b[2J", by="/usr/bin/scp", pid=None),
        value("srv-5", "11:00", "HKLM\\Software\\Run", "upd", "a.exe"),
        value("srv-6", "12:00", "HKLM\\Software\\Run", "UPD", "b.exe"),
    ], analyses=("spread", "rarity"))


def test_a_content(case: Path) -> None:
    evil = digest("evil")
    assert evil is not None
    assert said("spread", case, evil[:8]) == f"""\
Content {evil}: 2 of 6 hosts, in a chain
  2 of 6 hosts had it one after another in 31 minutes; to 1 of the later it came over the network by a copy or a remote session.
host   first (UTC)               after       change    path          process          account
srv-2  2026-10-12T10:00:00.000Z              Modified  /usr/bin/su   /usr/bin/scp[7]  CONTOSO\\ann for 10.20.3.14
srv-4  2026-10-12T10:31:00.000Z  31 minutes  Modified  /usr/sbin/su  /usr/bin/scp[7]  CONTOSO\\ann
The path is also on 3 hosts that never told this content: srv-1, srv-3, srv-5
"""


def test_a_path_with_several_contents(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "08:00", SU, content="good"), change("srv-2", "09:00", SU, content="evil"),
                           change("srv-3", "10:00", SU)], analyses=None)
    good, evil = str(digest("good"))[:16], str(digest("evil"))[:16]
    for name in (SU, "srv-2:/usr/bin/su"):
        assert said("spread", case, name).splitlines()[2:] == [
            "host   first (UTC)               after       change    content                     process     account",
            f"srv-1  2026-10-12T08:00:00.000Z              Modified  {good}            svc.exe[7]  CONTOSO\\ann",
            f"srv-2  2026-10-12T09:00:00.000Z  60 minutes  Modified  {evil} (another)  svc.exe[7]  CONTOSO\\ann",
            "srv-3  2026-10-12T10:00:00.000Z  60 minutes  Modified  (unknown)                   svc.exe[7]  CONTOSO\\ann",
            "1 host had other content there than the first."]


def test_a_value_as_json(case: Path) -> None:
    found, = map(json.loads, said("spread", case, "hklm\\software\\run\\UPD", "--json").splitlines())
    stops = found.pop("stops")
    assert found == {"kind": "registry value", "name": "HKLM\\Software\\Run\\UPD", "hosts": 2, "fleet": 6, "mode": "in a chain",
                     "why": "2 of 6 hosts had it one after another in 60 minutes, by no deployment tool and in uneven steps.",
                     "median_gap_seconds": 3600.0, "others": []}
    names = ("host", "time", "gap_seconds", "data", "differs", "process", "pid")
    assert [{name: stop[name] for name in names} for stop in stops] == [
        {"host": "srv-5", "time": "2026-10-12T11:00:00.0000000Z", "gap_seconds": None, "data": "a.exe", "differs": False,
         "process": "svc.exe", "pid": 7},
        {"host": "srv-6", "time": "2026-10-12T12:00:00.0000000Z", "gap_seconds": 3600.0, "data": "b.exe", "differs": True,
         "process": "svc.exe", "pid": 7}]


def test_as_csv(case: Path) -> None:
    evil = str(digest("evil"))
    table = [line.split(",") for line in said("spread", case, evil[:8], "--csv").splitlines()]
    assert [row[table[0].index("host")] for row in table[1:]] == ["srv-2", "srv-4"]
    rare = [line.split(",") for line in said("rare", case, "--csv", "--host", "srv-4").splitlines()]
    assert {row[rare[0].index("host")] for row in rare[1:]} == {"srv-4"}


def test_rare_pairs(case: Path) -> None:
    lines = said("rare", case, "--kind", "image in folder", "--since", "-1d", "--limit", "2", "--csv").splitlines()
    assert lines[0] == "kind,subject,object,hosts,of,events,first,last,host,first_event,sentence"
    assert [line.split(",")[:6] for line in lines[1:]] == [
        ["image in folder", "/usr/bin/scp", "/usr/sbin", "1", "6", "1"],
        ["image in folder", "/usr/bin/scp", "/usr/bin", "2", "6", "2"]]
    assert said("rare", case, "--kind", "image in folder", "--limit", "1").splitlines() == [
        "hosts   events  host   event  what",
        "1 of 6  1       srv-4  7      1 of 6 hosts knows /usr/bin/scp to write in /usr/sbin, first seen 2026-10-12 10:31:00."]


def test_rare_contents(case: Path) -> None:
    found = [json.loads(line) for line in said("rare", case, "--kind", "content", "--json").splitlines()]
    assert [(one["subject"], one["object"], one["hosts"], one["of"], one["host"]) for one in found] == [
        (digest("evil\x1b[2J"), "/usr/bin", 1, 6, "srv-6")]


def test_what_cannot_be_told(case: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "fresh").mkdir()
    fresh = made(folder, [change("srv-1", "08:00", SU), change("srv-1", "1601-01-01T00:00", SU, content="odd")], analyses=None)
    odd = str(digest("odd"))
    for words, told in (((("rare", fresh), "has not been run")), (("spread", case, "/no/such/file"), "names no"),
                        (("spread", fresh, odd), f"no event of this case tells of '{odd}' at a time that can be true"),
                        (("spread", case, "abcdabcd"), "names no"), (("rare", case, "--csv", "--json"), "exclude each other")):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert (result.exit_code in (1, 2), told in result.stderr) == (True, True), result.output
