"""Rules on who acts and what is acted on, each with what it must not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import change, made, rows, value

SAID = "SELECT severity, rule, sentence FROM findings WHERE analysis = 'actors' ORDER BY id"
MDATP = "/opt/microsoft/mdatp/sbin/wdavdaemon"
DEFENDER = "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18\\MsMpEng.exe"


def found(folder: Path, *events: dict) -> list[tuple]:
    """The findings of a case of these events."""
    return rows(made(folder, list(events), analyses=("actors",)), SAID)


def test_the_collector_itself_is_told_once_a_host(tmp_path: Path) -> None:
    events = [change("srv-1", f"08:0{at}", f"/var/opt/x{at}", "Modified", f"{at}", by=MDATP) for at in range(3)]
    assert found(tmp_path, *events, value("srv-2", "09:00", "HKLM\\SOFTWARE\\X", "A", "1", by=DEFENDER)) == [
        ("info", "actor is the collector itself", "On srv-1 wdavdaemon, which belongs to the software that watches the "
         "machine, made 3 of the changes, from 2026-10-12 08:00:00 to 2026-10-12 08:02:00."),
        ("info", "actor is the collector itself", "On srv-2 MsMpEng.exe, which belongs to the software that watches the "
         "machine, made 1 of the changes, from 2026-10-12 09:00:00 to 2026-10-12 09:00:00.")]


def test_a_program_of_that_name_in_a_folder_of_users_is_not_the_collector(tmp_path: Path) -> None:
    assert found(tmp_path, change("srv-1", "08:00", "C:\\a.bin", by="C:\\Users\\ann\\MsMpEng.exe")) == []


def test_one_machine_under_two_names_and_two_hosts_with_like_names(tmp_path: Path) -> None:
    vm = {"AzureResourceId": "/subscriptions/1/vm-1"}
    assert found(tmp_path, change("old-1", "08:00", "/srv/a", **vm), change("new-1", "09:00", "/srv/a", **vm),
                 change("srv-1", "08:00", "/srv/a"), change("srv-1.contoso.com", "08:00", "/srv/a")) == [
        ("low", "host with two names", "One machine reports under 2 names: new-1, old-1."),
        ("low", "host with two names", "srv-1 and srv-1.contoso.com are 2 hosts in this case and may be one machine: "
         "their names are alike, and what else is known of them does not make them one.")]


def test_hosts_of_two_domains_and_spellings_of_one_name_are_not_told(tmp_path: Path) -> None:
    assert found(tmp_path, change("srv-1.contoso.com", "08:00", "/srv/a"), change("SRV-1.CONTOSO.COM", "09:00", "/srv/b"),
                 change("srv-1.fabrikam.com", "08:00", "/srv/a"), change("10.0.0.1", "08:00", "/srv/a"),
                 change("10.0.0.2", "08:00", "/srv/a")) == []


def test_a_pid_of_two_processes_is_told_once_a_host(tmp_path: Path) -> None:
    events = [change("srv-1", f"1{day}T08:00", "/srv/a", by=image, pid=pid, started=f"1{day}T07:00")
              for pid in (40, 41) for day, image in ((1, "/usr/bin/cp"), (2, "/usr/bin/mv"))]
    assert found(tmp_path, *events) == [
        ("info", "reused pid", "On srv-1 2 process ids stood for more than one process, as 40 for cp, then mv: go by the "
         "process, not by its number.")]


def test_a_pid_of_one_process_or_of_two_hosts_is_not(tmp_path: Path) -> None:
    assert found(tmp_path, change("srv-1", "08:00", "/srv/a", pid=40), change("srv-1", "09:00", "/srv/b", pid=40),
                 change("srv-2", "08:00", "/srv/a", pid=40, started="01:00")) == []


@pytest.mark.parametrize(("path", "kind"), [
    ("C:\\inetpub\\logo.jpg", "PortableExecutable"), ("/usr/lib/php/pool.dat", "Elf"), ("/srv/readme.txt", "ELF"),
    ("C:\\srv\\logo.png", "PowershellScript"), ("C:\\srv\\tool.exe", "Text"), ("C:\\srv\\a.dll", "Zip"),
])
def test_a_content_that_the_name_hides_is_told(tmp_path: Path, path: str, kind: str) -> None:
    (severity, rule, told), = found(tmp_path, change("srv-1", "08:00", path, "Created", "a", FileType=kind))
    assert (severity, rule) == ("medium", "content does not fit the extension")
    assert told == (f"On srv-1 svc.exe as CONTOSO\\ann wrote {path} at 2026-10-12 08:00:00, whose content the sensor "
    f"calls {kind}, "
                    "unlike its name.")


@pytest.mark.parametrize(("path", "kind"), [
    ("C:\\srv\\tool.exe", "PortableExecutable"), ("/usr/bin/su", "ELF"), ("/usr/lib/a.so.1", "ELF"), ("/srv/a.txt", "Unknown"),
    ("/srv/a.txt", None), ("/srv/a.sh.txt", "Script"), ("C:\\srv\\a.exe", "Unknown"), ("C:\\srv\\exe", "Text"),
    ("/srv/a.jpg", "Jpeg"),
])
def test_a_content_that_fits_is_not(tmp_path: Path, path: str, kind: str | None) -> None:
    assert found(tmp_path, change("srv-1", "08:00", path, "Created", "a", FileType=kind)) == []


def test_what_many_hosts_have_weighs_less(tmp_path: Path) -> None:
    said = found(tmp_path, *(change(f"srv-{at}", "08:00", "/srv/a.dat", "Created", "a", FileType="Elf") for at in range(5)))
    assert [severity for severity, _, _ in said] == ["low"] * 5


def test_removed_and_emptied_logs_are_told_together(tmp_path: Path) -> None:
    rm = {"by": "/usr/bin/rm", "account": "root"}
    assert found(tmp_path, change("srv-1", "08:00", "/var/log/auth.log", "Deleted", **rm),
                 change("srv-1", "08:01", "/root/.bash_history", "Deleted", **rm),
                 change("srv-1", "08:02", "/var/log/wtmp", "Modified", "", FileSize=0, **rm),
                 change("srv-2", "08:00", "C:\\Windows\\System32\\winevt\\Logs\\Security.evtx", "Deleted",
                        by="C:\\Windows\\System32\\cmd.exe")) == [
        ("medium", "log or history removed", "On srv-1 rm, which neither rotates logs nor owns them, deleted /var/log/auth.log "
         "and 2 other files as root from 2026-10-12 08:00:00 to 2026-10-12 08:02:00."),
        ("medium", "log or history removed", "On srv-2 cmd.exe, which neither rotates logs nor owns them, deleted "
         "C:\\Windows\\System32\\winevt\\Logs\\Security.evtx as CONTOSO\\ann at 2026-10-12 08:00:00.")]


@pytest.mark.parametrize(("path", "image"), [
    ("/var/log/auth.log.4.gz", "/usr/sbin/logrotate"), ("/var/log/nginx/access.log.1", "/usr/sbin/nginx"),
    ("/var/log/journal/1/system.journal", "/usr/lib/systemd/systemd-journald"), ("/srv/log/a.log", "/usr/bin/rm"),
    ("/var/log/mysql/bin.000001", "/usr/sbin/mysqld"),
])
def test_rotation_and_a_service_with_its_own_logs_are_not(tmp_path: Path, path: str, image: str) -> None:
    assert found(tmp_path, change("srv-1", "08:00", path, "Deleted", by=image, account="root")) == []
