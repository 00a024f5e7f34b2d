"""Rarity: how many hosts know a pair, since when; the finding of a rare actor, and when it must stay silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimforensics import places
from fimforensics.case import reading
from fimforensics.queries.derived_digest import derived_digests
from tests.analyses.building import change, made, rows, value

VIM, DPKG = "/usr/bin/vim", "/usr/bin/dpkg"
DAYS = ("01", "31")
PAIRS = "SELECT kind, subject, object, hosts, events, substr(first, 9, 8), substr(last, 9, 8) FROM rarity ORDER BY 1, 2, 3"
FOUND = "SELECT severity, sentence, events FROM findings WHERE analysis = 'rarity' ORDER BY id"


def fleet(hosts: int, folder: str = "/usr/bin") -> list[dict]:
    """The same package on all hosts, by the same program and each host's own root, on the first and the last day."""
    return [change(f"srv-{number}", f"{day}T08:00", f"{folder}/tool", by=DPKG, account=f"SRV-{number}\\root")
            for number in range(1, hosts + 1) for day in DAYS]


def test_pairs_are_counted_by_hosts(tmp_path: Path) -> None:
    case = made(tmp_path, [
        *fleet(2), value("srv-1", "20T09:00", "HKLM\\Software\\Run", "x", "1", by="C:\\Windows\\reg.exe"),
        change("srv-2", "20T10:00", "C:\\Users\\ann\\Temp\\{0f8fad5b-d9cb-469f-a165-70867728950e}\\a.TXT", by="x.exe"),
        change("srv-1", "1601-01-01T08:00:00", "/usr/bin/odd.so", by=VIM),
        change("srv-1", "21T10:00", "/usr/bin/.tool.Ab3xYz", by=None)], analyses=("rarity",))
    assert rows(case, PAIRS) == [
        ("account with image", "<host>\\root", "/usr/bin/dpkg", 2, 4, "01T08:00", "31T08:00"),
        ("account with image", "contoso\\ann", "c:\\windows\\reg.exe", 1, 1, "20T09:00", "20T09:00"),
        ("account with image", "contoso\\ann", "x.exe", 1, 1, "20T10:00", "20T10:00"),
        ("extension in folder", "", "/usr/bin", 2, 4, "01T08:00", "31T08:00"),
        ("extension in folder", "<random>", "/usr/bin", 1, 1, "21T10:00", "21T10:00"),
        ("extension in folder", "txt", "c:\\users\\<user>\\temp\\<guid>", 1, 1, "20T10:00", "20T10:00"),
        ("image in folder", "/usr/bin/dpkg", "/usr/bin", 2, 4, "01T08:00", "31T08:00"),
        ("image in folder", "c:\\windows\\reg.exe", "hklm\\software\\run", 1, 1, "20T09:00", "20T09:00"),
        ("image in folder", "x.exe", "c:\\users\\<user>\\temp\\<guid>", 1, 1, "20T10:00", "20T10:00")]


def test_a_rare_program_in_a_system_folder(tmp_path: Path) -> None:
    told = [change("srv-3", f"20T09:0{minute}", f"/usr/bin/{name}", by="/tmp/x", account="SRV-3\\root")
            for minute, name in enumerate(("su", "su", "ls"))]
    case = made(tmp_path, fleet(5) + told, analyses=("rarity",))
    assert rows(case, FOUND) == [(
        "medium", "On srv-3 /tmp/x as SRV-3\\root changed something in /usr/bin 3 times, first /usr/bin/su at 2026-10-20 "
        "09:00:00: 1 of 5 hosts knows this program in /usr/bin, first seen with this change.", 3)]


def test_a_rare_account_for_a_program(tmp_path: Path) -> None:
    told = [change("srv-3", "20T09:00", "/srv/app/conf", by=DPKG), change("srv-3", "20T09:03", "/usr/bin/su", by=DPKG)]
    case = made(tmp_path, fleet(5) + told, analyses=("rarity",))
    assert rows(case, FOUND) == [(
        "low", "On srv-3 /usr/bin/dpkg as CONTOSO\\ann changed something in /usr/bin once, first /usr/bin/su at 2026-10-20 "
        "09:03:00: 1 of 5 hosts knows contoso\\ann using /usr/bin/dpkg, first seen 3 minutes before this change.", 1)]


@pytest.mark.parametrize("told", [
    [*fleet(4), change("srv-3", "20T09:00", "/usr/bin/su", by="/tmp/x")],  # too few hosts for anything to be rare
    [*fleet(1), change("srv-1", "20T09:00", "/usr/bin/su", by="/tmp/x")],
    [*fleet(5), change("srv-3", "02T09:00", "/usr/bin/su", by="/tmp/x")],  # in the first fifth
    [*fleet(5), change("srv-3", "20T09:00", "/srv/app/su", by="/tmp/x")],  # no folder of the system
    fleet(5) + [change(f"srv-{host}", "20T09:00", "/usr/bin/su", by="/tmp/x") for host in (1, 2)],  # two hosts
    [*fleet(5), change("srv-9", "20T09:00", "C:\\Windows\\System32\\a.dll", by="C:\\x.exe")],  # the only host of Windows
])
def test_where_nothing_is_said(tmp_path: Path, told: list[dict]) -> None:
    assert rows(made(tmp_path, told, analyses=("rarity",)), FOUND) == []


def test_many_events_are_one_finding(tmp_path: Path) -> None:
    told = [change("srv-3", f"20T09:{at // 60:02d}:{at % 60:02d}", f"/usr/bin/f{at}", by="/tmp/x", account="SRV-3\\root")
            for at in range(1_100)]
    case = made(tmp_path, fleet(5) + told, analyses=("rarity",))
    assert rows(case, FOUND) == [(
        "medium", "On srv-3 /tmp/x as SRV-3\\root changed something in /usr/bin 1,100 times (the first 1,000 are listed), first "
        "/usr/bin/f0 at 2026-10-20 09:00:00: 1 of 5 hosts knows this program in /usr/bin, first seen with this change.", 1_000)]


def test_what_is_held_in_memory_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [*fleet(6), change("srv-3", "20T09:00", "/usr/bin/su", by="/tmp/x"), *fleet(3)]
    digests = []
    for number, held in enumerate((150_000, 2)):
        monkeypatch.setattr("fimforensics.analyses.rarity.HELD", held)
        (folder := tmp_path / str(number)).mkdir()
        first, second = (told[:7], told[7:]) if number else (told[:6:-1], told[6::-1])  # in another order, too
        with reading(made(folder, first, second, analyses=("rarity",))) as connection:
            digests.append({name: one for name, one in derived_digests(connection).items()
                            if name in ("rarity", "findings", "finding_events")})
    assert digests[0] == digests[1]


@pytest.mark.parametrize(("folder", "placeholder"), [
    ("c:\\windows\\system32", "c:\\windows\\system32"), ("/usr/lib/python3.11", "/usr/lib/python3.11"),
    ("c:\\windows\\temp\\0f8fad5b-d9cb-469f-a165-70867728950e", "c:\\windows\\temp\\<guid>"),
    ("hku\\s-1-5-21-3125456671-949036322-3048627137-1214\\run", "hku\\<sid>\\run"),
    ("c:\\users\\ann\\desktop", "c:\\users\\<user>\\desktop"), ("c:\\users\\public", "c:\\users\\public"),
    ("/home/ann/.ssh", "/home/<user>/.ssh"), ("/tmp/tmp.x8dK2pQw1z/a", "/tmp/tmp.<random>/a"),
    ("/var/cache/9f86d081884c7d65", "/var/cache/<hex>"), ("c:\\windows\\winsxs\\kb5031234", "c:\\windows\\winsxs\\kb#"),
    ("/var/lib/deadbeefcafe", "/var/lib/deadbeefcafe")])
def test_names_that_are_chance(folder: str, placeholder: str) -> None:
    assert places.folded(folder) == placeholder


@pytest.mark.parametrize(("folder", "system"), [
    ("c:\\windows", True), ("c:\\windows\\system32\\drivers", True), ("\\windows\\syswow64", True), ("c:\\windows\\temp", False),
    ("c:\\data\\windows\\system32", False), ("c:\\windowsold", False), ("/usr/bin", True), ("/usr/binx", False),
    ("/etc/cron.d", True),
    ("/home/ann/bin", False), ("hklm\\system\\currentcontrolset\\services\\x", True), ("hkcu\\software\\x", False)])
def test_folders_of_the_system(folder: str, system: bool) -> None:
    assert places.is_system(folder) is system
