"""Places from which programs start: which keys are one, what makes a change there weigh more or less, and what is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import change, made, rows, value

from fimforensics.places import PLACES, file_place, registry_place

RUN = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"
SHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
SAID = "SELECT severity, rule, sentence FROM findings WHERE analysis = 'persistence' ORDER BY id"
FILES = {
    "/etc/cron.d/job": "cron", "/var/spool/cron/crontabs/ann": "cron", "/etc/systemd/system/a.service": "systemd unit",
    "/root/.ssh/authorized_keys": "SSH key", "/home/ann/.ssh/authorized_keys2": "SSH key", "/etc/passwd": "account file",
    "/etc/sudoers.d/ann": "sudo rule", "/etc/ld.so.preload": "preloaded library", "/etc/ld.so.conf": "library search path",
    "/etc/pam.d/sshd": "sign-in module", "/home/ann/.bashrc": "shell profile", "/etc/rc.local": "start script",
    "/etc/hosts": "name resolution", "c:\\windows\\system32\\drivers\\etc\\hosts": "name resolution",
    "\\windows\\system.ini": "system setting", "d:\\windows\\system32\\tasks\\x\\y": "scheduled task",
    "c:\\users\\ann\\appdata\\roaming\\microsoft\\windows\\start menu\\programs\\startup\\a.lnk": "Startup folder",
    "/usr/bin/su": "system program", "/etc/resolv.conf": "system setting",
    "c:\\windows\\system32\\sethc.exe": "sign-in screen program", "/etc/motd": None, "/etc/cron": None, "/srv/etc/passwd": None,
    "c:\\windows\\system32\\notepad.exe": None, "/home/ann/.ssh/id": None,
}
_SOFTWARE = "software\\microsoft\\windows"
VALUES = {
    (f"hklm\\{_SOFTWARE}\\currentversion\\run", "updater"): "Run key",
    (f"hkcu\\{_SOFTWARE}\\currentversion\\runonce", "updater"): "Run key",
    (f"hku\\s-1-5-21-1-2-3-1104\\{_SOFTWARE}\\currentversion\\run", "updater"): "Run key",
    ("hklm\\software\\wow6432node\\microsoft\\windows\\currentversion\\run", None): "Run key",
    (f"hklm\\{_SOFTWARE}\\currentversion\\run\\deeper", "updater"): None,
    (f"hklm\\{_SOFTWARE} nt\\currentversion\\winlogon", "shell"): "Winlogon setting",
    (f"hklm\\{_SOFTWARE} nt\\currentversion\\winlogon", "lastused"): None,
    (f"hklm\\{_SOFTWARE} nt\\currentversion\\windows", "appinit_dlls"): "library loaded into programs",
    (f"hklm\\{_SOFTWARE} nt\\currentversion\\image file execution options\\sethc.exe", "debugger"): "hook on a program's start",
    ("hklm\\system\\controlset001\\services\\evil", "imagepath"): "service",
    ("hklm\\system\\currentcontrolset\\services\\evil\\parameters", "servicedll"): "service",
    ("hklm\\system\\currentcontrolset\\services\\evil", "start"): None,
    ("hklm\\system\\controlset002\\services\\eventlog", "start"): "start of a protecting service",
    ("hklm\\system\\currentcontrolset\\control\\lsa", "security packages"): "sign-in package",
    ("hklm\\system\\currentcontrolset\\control\\print\\monitors\\x", "driver"): "print monitor",
    ("hku\\s-1-5-21-1-2-3-1104_classes\\clsid\\{1}\\inprocserver32", "(default)"): "class of a user",
    ("hku\\s-1-5-21-1-2-3-1104_classes\\ms-settings\\shell\\open\\command", None): "opening command of a user",
    ("hklm\\software\\classes\\clsid\\{1}\\inprocserver32", None): None,
}


def found(folder: Path, *events: dict) -> list[tuple]:
    """The findings of a case of these events."""
    return rows(made(folder, list(events), analyses=("persistence",)), SAID)


def weights(folder: Path, *events: dict) -> list[str]:
    """Their severities."""
    return [severity for severity, _, _ in found(folder, *events)]


@pytest.mark.parametrize(("key", "name"), FILES.items())
def test_a_file_lies_in_its_place(key: str, name: str | None) -> None:
    place = file_place(key)
    assert (place and place.name) == name


@pytest.mark.parametrize(("entry", "name"), VALUES.items())
def test_a_value_lies_in_its_place_in_every_spelling(entry: tuple[str, str | None], name: str | None) -> None:
    place = registry_place(*entry)
    assert (place and place.name) == name


def test_every_place_tells_why_and_what_technique() -> None:
    assert [place for place in PLACES if not (place.why and place.technique.startswith("T1") and place.severity != "info")] == []


def test_a_run_value_with_a_hidden_command_by_an_interpreter_weighs_high(tmp_path: Path) -> None:
    user = "HKEY_USERS\\S-1-5-21-1-2-3-1104\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
    assert found(tmp_path, value("srv-1", "08:00:05", user, "Updater", "powershell.exe -W Hidden -enc $x", by=SHELL)) == [
        ("high", "persistence place", f"On srv-1 powershell.exe as CONTOSO\\ann set {user}\\Updater to "
         "\"powershell.exe -W Hidden -enc $x\" (Run key: what its values name is run at every sign-in or start) at "
         "2026-10-12 08:00:05; powershell.exe is an interpreter of scripts; what was set runs an interpreter of scripts "
         "or a tool that fetches.")]


def test_long_data_is_shortened_in_the_sentence(tmp_path: Path) -> None:
    (_, _, told), = found(tmp_path, value("srv-1", "08:00", RUN, "A", "a" * 80 + "." + "z" * 80))
    assert f'"{"a" * 80}…{"z" * 19}"' in told


def test_a_new_entry_by_nobody_in_particular_weighs_medium(tmp_path: Path) -> None:
    assert weights(tmp_path, value("srv-1", "08:00", RUN, "Agent", "C:\\Program Files\\Contoso\\agent.exe"),
                   change("srv-2", "08:00", "/etc/cron.d/job", "Created", "job", by="/usr/bin/vim")) == ["medium", "medium"]


@pytest.mark.parametrize("event", [
    value("srv-1", "08:00", RUN, "A", "C:\\Windows\\Temp\\a.exe"), value("srv-1", "08:00", RUN, "A", "a.exe http://203.0.113.9/x"),
    value("srv-1", "08:00", RUN, "A", "a.exe " + "QUJD" * 40),
    value("srv-1", "08:00", RUN, "A", "a.exe", by="C:\\Users\\Public\\x.exe"),
    change("srv-1", "08:00", "/etc/cron.d/job", "Created", "job", by="/var/www/html/helper"),
    change("srv-1", "08:00", "/etc/cron.d/job", "Created", "job", by="/usr/sbin/php-fpm8.3"),
    change("srv-1", "08:00", "/etc/ld.so.preload", "Created", "lib", by="/usr/bin/vim"),
    change("srv-1", "08:00", "/usr/bin/su", "Modified", "su", by="/tmp/.x"),
], ids=range(8))
def test_what_makes_it_weigh_high(tmp_path: Path, event: dict) -> None:
    assert weights(tmp_path, event) == ["high"]


@pytest.mark.parametrize("event", [
    value("srv-1", "08:00", RUN, "A", "a.exe", by="C:\\Windows\\System32\\msiexec.exe"),
    change("srv-1", "08:00", "/etc/cron.d/job", "Created", "job", by="/usr/bin/dpkg"),
    change("srv-1", "08:00", "/etc/sysctl.conf", "Modified", "a", by="/usr/bin/vim"),
    value("srv-1", "08:00", "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon", "Shell", "explorer.exe"),
], ids=range(4))
def test_what_makes_it_weigh_low(tmp_path: Path, event: dict) -> None:
    assert weights(tmp_path, event) == ["low"]


def test_a_package_manager_in_a_folder_of_users_is_none(tmp_path: Path) -> None:
    assert weights(tmp_path, value("srv-1", "08:00", RUN, "A", "a.exe", by="C:\\Users\\ann\\msiexec.exe")) == ["medium"]


@pytest.mark.parametrize(("hosts", "apart", "level"), [
    (5, 60, "low"), (4, 60, "low"), (3, 15, "medium"), (3, 5, "low"), (2, 1, "medium")])
def test_the_same_change_on_many_hosts_weighs_less(tmp_path: Path, hosts: int, apart: int, level: str) -> None:
    """Five hosts, half of the eight, or three within minutes; three in a chain, or two, are not many."""
    rest = [change(f"srv-{at}", "07:00", "/srv/x", "Modified", "x") for at in range(8)]
    same = [change(f"srv-{at}", f"{10 + at * apart // 60}:{at * apart % 60:02}", "/usr/local/sbin/tool", "Created", "tool",
                   by="/usr/bin/tar") for at in range(hosts)]
    assert weights(tmp_path, *rest, *same) == [level] * hosts


def test_other_contents_on_many_hosts_are_not_the_same_change(tmp_path: Path) -> None:
    events = [change(f"srv-{at}", "08:00", "/etc/cron.d/job", "Created", content, by="/usr/bin/tar")
              for at in range(5) for content in (None, f"job {at}")]
    assert weights(tmp_path, *events) == ["medium"] * 5


def test_one_finding_tells_of_all_that_a_program_did_in_one_kind_of_place(tmp_path: Path) -> None:
    events = [change("srv-1", f"08:0{at}", f"/etc/cron.d/job{at % 2}", "Modified", f"job {at}", by="/usr/bin/vim")
              for at in range(4)]
    case = made(tmp_path, events, analyses=("persistence",))
    assert rows(case, SAID) == [
        ("medium", "persistence place", "On srv-1 vim as CONTOSO\\ann changed /etc/cron.d/job0 and 1 more of this kind "
         "(cron: what lies here is run again and again at its time) 4 times from 2026-10-12 08:00:00 to 2026-10-12 08:03:00.")]
    assert rows(case, "SELECT count(*) FROM finding_events") == [(4,)]


def test_what_is_taken_away_is_told_by_its_own_rule(tmp_path: Path) -> None:
    events = [change("srv-1", "08:00", "/etc/cron.daily/0cachewarm", "Deleted", by="/usr/bin/rm", account="root"),
              value("srv-1", "08:01", RUN, "A", None, "RegistryValueDeleted", old="a.exe"),
              change("srv-1", "08:02", "/etc/cron.daily/ntp", "Deleted", by="/usr/bin/dpkg", account="root")]
    assert found(tmp_path, *events) == [
        ("medium", "persistence removed", "On srv-1 rm as root deleted /etc/cron.daily/0cachewarm (cron: what lies here "
         "is run again and again at its time) at 2026-10-12 08:00:00."),
        ("medium", "persistence removed", f"On srv-1 svc.exe as CONTOSO\\ann deleted {RUN}\\A (before: \"a.exe\") (Run "
         f"key: what its values name is run at every sign-in or start) at 2026-10-12 08:01:00.")]


@pytest.mark.parametrize("event", [
    value("srv-1", "08:00", RUN, None, None, "RegistryKeyCreated"), value("srv-1", "08:00", RUN, "A", "a.exe", old="a.exe"),
    change("srv-1", "08:00", "/usr/bin/su", "Renamed", "su", was="/usr/bin/su.dpkg-new", by="/usr/bin/dpkg"),
    change("srv-1", "08:00", "/usr/bin/su", "Deleted", by="/usr/bin/rm"),
    change("srv-1", "08:00", "/srv/etc/passwd", "Modified", "a"),
    value("srv-1", "08:00", "HKLM\\SOFTWARE\\Contoso", "Run", "powershell -enc AAAAAAAAAAAAAAAAAAAA"),
], ids=["key opened", "set to what it was", "patched", "program deleted", "another folder", "another key"])
def test_what_is_passed_over(tmp_path: Path, event: dict) -> None:
    assert found(tmp_path, event) == []


def _wave(contents: list[str], by: str = "/usr/bin/dpkg", day: int = 3) -> list[dict]:
    return [change(f"srv-{at}", f"{day:02}T22:0{at}", "/usr/bin/su", "Renamed", content, was="/usr/bin/su.dpkg-new", by=by,
                   account="root") for at, content in enumerate(contents)]


def test_one_host_with_a_content_of_its_own_inside_a_wave_is_told(tmp_path: Path) -> None:
    assert found(tmp_path, *_wave(["new", "new", "evil", "new"])) == [
        ("medium", "content unlike the other hosts", "On srv-2 dpkg as root gave /usr/bin/su a content that no other host "
         "has, at "
         "2026-10-03 22:02:00, while 3 other hosts got one and the same other content from that program within two days.")]


@pytest.mark.parametrize("events", [
    _wave(["new"] * 4), _wave(["new", "new", "old", "old"]), _wave(["a", "b", "c", "d"]), _wave(["new", "new", "evil"]),
    [*_wave(["new"] * 4), *_wave(["later"], day=13)],
    [*_wave(["new"] * 4), *(event for day in (3, 4, 5) for event in _wave(["own"], day=day))],
], ids=["all alike", "two releases", "each its own", "too few", "another week", "its own for days"])
def test_hosts_that_differ_for_a_reason_are_not(tmp_path: Path, events: list[dict]) -> None:
    assert found(tmp_path, *events) == []


def test_the_order_of_ingest_changes_nothing(tmp_path: Path) -> None:
    vim = {"by": "/usr/bin/vim"}
    first = [change("srv-1", "08:00", "/etc/cron.d/job", "Created", "a", **vim), *_wave(["new", "new", "evil", "new"])]
    second = [value("srv-2", "08:00", RUN, "A", "a.exe"), change("srv-1", "08:00", "/etc/cron.d/b", "Created", "b", **vim)]
    told = []
    for name, sources in (("one", (first, second)), ("two", (second, first))):
        (tmp_path / name).mkdir()
        told.append(rows(made(tmp_path / name, *sources, analyses=("persistence",)), SAID))
    assert told[0] == told[1] and len(told[0]) == 3
