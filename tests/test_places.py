"""Places by what they are: whole rows of kinds for keys, and the twins that must not fit. Watched places: test_persistence."""

from __future__ import annotations

import pytest

from fimforensics import places

KINDS = ("drop", "writable", "loose", "unvouched", "lasting", "log")


def kinds(key: str) -> str:
    """The kinds of place that a key lies in, in order."""
    return " ".join(kind for kind in KINDS if getattr(places, kind)(key))


ANYBODY, PERSON = "drop writable loose unvouched", "writable loose unvouched"


@pytest.mark.parametrize(("key", "told"), [
    ("/tmp/a", ANYBODY), ("/dev/shm/.a/b", ANYBODY), ("/var/www/html/a.php", ANYBODY), ("c:\\windows\\temp\\a", ANYBODY),
    ("c:\\users\\public\\a", ANYBODY), ("d:\\users\\ann\\appdata\\local\\temp\\a", ANYBODY), ("c:\\$recycle.bin\\a", ANYBODY),
    ("\\device\\harddiskvolume3\\windows\\temp\\a", ANYBODY), ("\\perflogs\\a", ANYBODY), ("c:\\inetpub\\a", ANYBODY),
    ("c:\\inetpub\\logs\\a", ANYBODY + " log"), ("c:\\inetpub\\temp\\a", PERSON), ("c:\\windows\\tasks\\a.exe", ANYBODY),
    ("c:\\e\\v15\\frontend\\httpproxy\\owa\\a", ANYBODY),
    ("c:\\windows\\system32\\spool\\drivers\\color\\a", ANYBODY + " lasting"),
    ("c:\\users\\ann\\a.exe", PERSON), ("\\users\\ann\\a.exe", PERSON), ("c:\\x\\temp\\a", PERSON), ("/root/a", PERSON),
    ("/home/ann/a", PERSON), ("/home/ann/.bashrc", PERSON + " lasting"), ("/root/.bash_history", PERSON + " log"),
    ("c:\\programdata\\a.exe", ANYBODY), ("c:\\programdata\\x\\a.exe", "writable unvouched"),
    ("c:\\programdata\\microsoft\\windows defender\\a.exe", "writable"),
    ("c:\\users\\ann\\appdata\\local\\google\\chrome\\a.exe", "writable unvouched"), ("/mnt/disk/a", "unvouched"),
    ("/usr/bin/a", "lasting"), ("/usr/share/a", "lasting"), ("/etc/cron.d/a", "lasting"), ("/var/spool/cron/root", "lasting"),
    ("/var/lib/redis/.ssh/authorized_keys", "lasting"), ("c:\\windows\\system32\\a", "lasting"),
    ("c:\\windows\\system32\\winevt\\logs\\a.evtx", "log"), ("c:\\windows\\system32\\logfiles\\a", "log"),
    ("c:\\windows\\explorer.exe", "lasting"), ("c:\\windows\\panther\\x\\setup.log", "log"), ("/var/log/a", "log"),
    ("d:\\a.evtx", "log"), ("c:\\u\\psreadline\\consolehost_history.txt", "log"),
    # Twins: their names only look like it.
    ("/tmpa/b", ""), ("/opt/home/a", ""), ("/opt/tmp/a", ""), ("/srv/a", ""), ("/var/lib/redis/a", ""), ("/usra/bin/a", ""),
    ("c:\\program files\\users\\a", ""), ("c:\\programdatax\\a", ""), ("c:\\data\\windows\\temp.txt", ""),
    ("c:\\data\\windows\\system32\\a", ""), ("/var/logs/a", ""), ("c:\\a.evtxx", ""), ("/c:/windows/temp/a", ""), ("", ""),
])
def test_the_kinds_of_a_place(key: str, told: str) -> None:
    assert kinds(key) == told


@pytest.mark.parametrize(("key", "served"), [
    ("c:\\inetpub\\wwwroot\\a.aspx", True), ("/var/www/html/a.php", True), ("/opt/x/htdocs/b/a.cgi", True),
    ("c:\\e\\clientaccess\\owa\\a.aspx", True), ("c:\\tomcat\\webapps\\a.jsp", True), ("c:\\inetpub\\temp\\a.aspx", False),
    ("c:\\inetpub\\wwwroot\\a.jpg", False), ("/srv/app/a.php", False), ("/var/www.old/a.php", False)])
def test_scripts_that_a_web_server_serves(key: str, served: bool) -> None:
    assert places.web_script(key) is served


@pytest.mark.parametrize(("path", "file_type", "runs"), [
    ("C:\\Data\\Tool.EXE", None, True), ("/srv/data/libx.so.1.2", None, True), ("/srv/data/x", "ELF", True),
    ("/srv/data/x", "Text", False),
    ("/etc/cron.d/x", None, True), ("/etc/hosts", None, False), ("/boot/grub/grubenv", None, False), ("/usr/bin/x", None, True),
    ("/opt/app/bin/x", None, True), ("/opt/app/etc/x", None, False), ("C:\\Program Files\\X\\x.dat", None, True),
    ("C:\\Windows\\Tasks\\x.job", None, True), ("C:\\Windows\\Tasks\\SA.DAT", None, False), ("/var/log/x", None, False)])
def test_what_runs(path: str, file_type: str | None, runs: bool) -> None:
    assert places.runs(path, file_type) is runs


@pytest.mark.parametrize(("key", "program"), [
    ("/usr/bin/su", True), ("/usr/local/lib/x.so", True), ("/opt/app/bin/tool", True), ("c:\\windows\\system32\\a.dll", True),
    ("c:\\windows\\microsoft.net\\x\\a.exe", True), ("c:\\program files (x86)\\x\\a.exe", True),
    ("c:\\programdata\\x\\a.exe", True),
    ("/etc/passwd", False), ("/boot/vmlinuz", False), ("/home/ann/bin/x", False), ("c:\\windows\\system32\\a.log", False),
    ("c:\\data\\a.exe", False), ("c:\\windowsold\\a.exe", False)])
def test_installed_programs(key: str, program: bool) -> None:
    assert places.installed_program(key) is program


@pytest.mark.parametrize(("key", "name", "lasting"), [
    ("hku\\s-1-5-21-1-2-3-1001\\software\\microsoft\\windows\\currentversion\\run", "x", True),
    ("hklm\\system\\controlset001\\services\\x", "imagepath", True),
    ("hklm\\system\\controlset001\\services\\x", "description", False),
    ("hklm\\system\\currentcontrolset\\services\\eventlog", "start", True),
    ("hklm\\software\\microsoft\\windows\\currentversion\\explorer", "x", False)])
def test_values_that_last(key: str, name: str, lasting: bool) -> None:
    assert places.lasting_value(key, name) is lasting


@pytest.mark.parametrize(("key", "starts"), [
    ("/etc/systemd/system/x.service", True), ("/opt/app/.bashrc", True), ("/etc/passwd", False), ("/usr/bin/su", False),
    ("\\device\\harddiskvolume2\\users\\ann\\appdata\\roaming\\microsoft\\windows\\start menu\\programs\\startup\\a.lnk", True),
    ("c:\\windows\\system32\\tasks\\x", True), ("c:\\windows\\system32\\x", False)])
def test_what_starts_by_itself(key: str, starts: bool) -> None:
    assert places.starts(key) is starts


@pytest.mark.parametrize(("key", "bare"), [
    ("c:\\windows", "\\windows"), ("\\device\\harddiskvolume12\\windows", "\\windows"), ("\\windows", "\\windows"),
    ("/c:\\x", "/c:\\x"),
    ("\\device\\mup\\x", "\\device\\mup\\x")])
def test_keys_without_their_volume(key: str, bare: str) -> None:
    assert places.bare(key) == bare
