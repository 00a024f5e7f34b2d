"""Programs by what they do: whole rows of roles for programs by name and place, and names that must not be believed."""

from __future__ import annotations

import pytest

from fimforensics import programs

ROLES = ("installs", "deploys", "carries", "restores", "rotates", "collects")
SYSTEM32 = "C:\\Windows\\System32\\"


def played(image: str | None) -> str:
    """The roles that a program plays, in order."""
    return " ".join(role for role in ROLES if getattr(programs, role)(image))


@pytest.mark.parametrize(("image", "name"), [
    ("C:\\Windows\\System32\\cmd.exe", "cmd"), ("/usr/bin/python3.11", "python3.11"), ("DPKG", "dpkg"), ("", ""),
    ("/usr/sbin/sshd: ann@pts/0", "sshd"), ("c:\\x\\a.exe:zone.exe", "a"),
    ("c:\\windows\\a.exe|S-1-5-18|NT AUTHORITY|SYSTEM", "a"),
    ("|CONTOSO\\ann", "")])
def test_the_name_of_a_program(image: str, name: str) -> None:
    assert programs.name(image) == name


@pytest.mark.parametrize(("image", "roles"), [
    ("/usr/bin/dpkg", "installs deploys restores rotates"), ("dnf-3", "installs deploys restores rotates"),
    ("/usr/bin/unattended-upgr", "installs deploys restores rotates"),  # cut by Linux
    ("c:\\windows\\servicing\\trustedinstaller.exe", "installs deploys restores rotates"),
    ("c:\\windows\\system32\\msiexec.exe|S-1-5-18|NT AUTHORITY|SYSTEM", "installs deploys restores rotates"),
    ("/usr/sbin/ldconfig", "installs deploys restores rotates"),
    ("C:\\Windows\\CCM\\CcmExec.exe", "installs deploys restores rotates"),
    ("/opt/puppetlabs/bin/puppet", "deploys restores"), ("ansible-playboo", "deploys restores"), ("/usr/bin/rsync", "deploys"),
    ("/var/lib/dpkg/info/nginx.postinst", "deploys"), ("/usr/sbin/waagent", "deploys"),
    ("c:\\users\\ann\\appdata\\local\\google\\update\\googleupdate.exe", "deploys"),  # browsers update themselves there
    ("/usr/sbin/sshd", "carries"), ("c:\\windows\\psexec64.exe", "carries"), ("/usr/bin/curl", "carries"),
    ("/tmp/scp", "carries"), ("/dev/shm/nc", "carries"),  # who carries is never excused by it: believed anywhere
    ("/usr/bin/restic", "restores"), ("C:\\Windows\\System32\\sfc.exe", "restores"),
    ("/usr/sbin/logrotate", "rotates"), ("/usr/bin/systemd-tmpfile", "rotates"), (SYSTEM32 + "svchost.exe", "rotates"),
    ("c:\\programdata\\microsoft\\windows defender\\platform\\4.18\\msmpeng.exe", "deploys collects"),
    ("/opt/microsoft/azuremonitoragent/bin/mdsd", "collects"), ("c:\\windows\\sysmon64a.exe", "collects"),
])
def test_who_plays_which_role(image: str, roles: str) -> None:
    assert played(image) == roles


@pytest.mark.parametrize("image", [
    None, "", "/usr/bin/vim", "/usr/bin/dpkg2xy", "/usr/bin/mydpkg", "c:\\windows\\msiexec.exe.exe", "/usr/bin/python3",
    "/tmp/dpkg", "/var/www/html/apt", "/dev/shm/logrotate", "c:\\windows\\temp\\msiexec.exe", "C:\\Users\\Public\\rsync.exe",
    "\\device\\harddiskvolume3\\windows\\temp\\msiexec.exe", "/tmp/dpkg|root", "/tmp/x.postinst",
    "/home/ann/logrotate", "/mnt/disk/restic", "c:\\programdata\\fabrikam\\sysmon.exe"])
def test_the_twins_play_none(image: str | None) -> None:
    assert played(image) == ""


@pytest.mark.parametrize(("image", "roles"), [("/home/ann/bin/dpkg", "deploys"), ("c:\\programdata\\x\\msmpeng.exe", "deploys")])
def test_in_peoples_folders_only_the_spread_of_a_content_is_explained(image: str, roles: str) -> None:
    assert played(image) == roles


@pytest.mark.parametrize(("name", "image", "serves"), [
    ("w3wp.exe", "c:\\w3wp.exe", True), ("php-fpm8.3", "/usr/sbin/php-fpm8.3", True), ("tomcat9.exe", "", True),
    ("tomcat9w.exe", "", True), ("apache2", "/usr/sbin/apache2", True), ("httpd", "/tmp/httpd", True),
    ("redis-server", "/usr/bin/redis-server", True), ("java", "/opt/tomcat/jre/bin/java", True), ("java", "/usr/bin/java", False),
    ("node", "/usr/bin/node", False), ("w3wp.exe.bak", "", False), ("nginx-reload", "", False), ("chrome.exe", "", False)])
def test_servers(name: str, image: str, serves: bool) -> None:
    assert programs.serves(name, image) is serves


@pytest.mark.parametrize(("name", "image", "kernel"), [
    ("System", "System", True), ("System", "c:\\windows\\system32\\ntoskrnl.exe", True), ("system", "/usr/bin/system", False),
    ("System", "c:\\users\\ann\\system.exe", False)])
def test_the_kernel(name: str, image: str, kernel: bool) -> None:
    assert programs.kernel(name, image) is kernel


@pytest.mark.parametrize(("image", "why"), [
    ("/tmp/x", "a program in a folder where anybody can leave files"), ("/usr/bin/php8.3", "an interpreter of scripts"),
    ("C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", "an interpreter of scripts"),
    ("c:\\windows\\system32\\mshta.exe|S-1-5-21-1-2-3-4|CONTOSO|ann", "an interpreter of scripts"),
    ("c:\\windows\\system32\\inetsrv\\w3wp.exe", "a server or document program"),
    ("/usr/bin/java", "a server or document program"),
    ("C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE", "a server or document program"),
    ("c:\\users\\ann\\appdata\\local\\google\\chrome\\application\\chrome.exe", None),  # it sets up its own start
    ("/usr/bin/python3", None), ("/usr/bin/dpkg", None), (None, None), ("", None)])
def test_whose_settings_of_starts_are_unusual(image: str | None, why: str | None) -> None:
    assert programs.unusual(image) == why


@pytest.mark.parametrize(("image", "path", "owns"), [
    ("/usr/sbin/squid", "/var/log/squid/access.log", True), ("/usr/sbin/mysqld", "/var/log/mysql/error.log", True),
    ("/usr/bin/vim", "/var/log/vim.log", False),  # too short a name tells nothing
    ("/tmp/squid", "/var/log/squid/access.log", False), ("/usr/sbin/squid", "/var/log/auth.log", False),
    (None, "/var/log/x", False)])
def test_whose_log_it_is(image: str | None, path: str, owns: bool) -> None:
    assert programs.owns(image, path) is owns


def test_names_are_written_as_they_are_looked_up() -> None:
    assert [name for names in programs.ROLES.values() for name in names if programs.name(name) != name] == []


def test_the_names_that_make_a_command_a_script() -> None:
    assert programs.command_names() == "bitsadmin|certutil|cscript|curl|mshta|powershell|pwsh|wget|wscript"
