"""What the fleet does by itself: weekly patch waves, a software deployment, the noise of every day, edits by admins.

A patch wave brings the same new contents to every host of its kind within hours; that is what tells it from an intruder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fleet import (
    ADMIN,
    BACKUP,
    DAY,
    HOST,
    HOSTS,
    HOUR,
    MINUTE,
    ROOT,
    SECOND,
    SYSTEM,
    Dice,
    Host,
    Image,
    Process,
    Row,
    file_row,
    moment,
    registry_row,
    request_columns,
)

MICROSOFT, WINDOWS = "Microsoft Corporation", "Microsoft Windows Operating System"
DPKG = Image("/usr/bin/", "dpkg", "dpkg 1.22.6")
LOGROTATE = Image("/usr/sbin/", "logrotate", "logrotate 3.21.0")
VIM = Image("/usr/bin/", "vim.basic", "vim 9.1")
TIWORKER = Image("C:\\Windows\\WinSxS\\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.20348.2849\\", "TiWorker.exe",
                 "tiworker", MICROSOFT, WINDOWS, "10.0.20348.2849", "Windows Modules Installer Worker")
INSTALLER = Image("C:\\Windows\\servicing\\", "TrustedInstaller.exe", "trustedinstaller", MICROSOFT, WINDOWS,
                  "10.0.20348.2849", "Windows Modules Installer")
SVCHOST = Image("C:\\Windows\\System32\\", "svchost.exe", "svchost", MICROSOFT, WINDOWS, "10.0.20348.1", "Host Process")
DEFENDER = Image("C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26080.4-0\\", "MsMpEng.exe", "msmpeng",
                 MICROSOFT, "Microsoft Defender", "4.18.26080.4", "Antimalware Service Executable")
NOTEPAD = Image("C:\\Windows\\System32\\", "notepad.exe", "notepad", MICROSOFT, WINDOWS, "10.0.20348.2700", "Notepad")
MSIEXEC = Image("C:\\Windows\\System32\\", "msiexec.exe", "msiexec", MICROSOFT, "Windows Installer", "5.0.20348.1", "Installer")
KERNEL = Image("C:\\Windows\\System32\\", "ntoskrnl.exe", "ntoskrnl", MICROSOFT, WINDOWS, "10.0.20348.2849", "NT Kernel")
RUN = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"
SYSTEM32, WOW64 = "C:\\Windows\\System32\\", "C:\\Windows\\SysWOW64\\"
SSHD = ("/usr/sbin/", "sshd")
LIBS, BIN, SBIN = "/usr/lib/x86_64-linux-gnu/", "/usr/bin/", "/usr/sbin/"



def _paths(*folders: tuple[str, str]) -> list[tuple[str, str]]:
    return [(folder, name) for folder, names in folders for name in names.split()]


LINUX_WAVES = [
    ("2026-09-08", _paths(
        (SBIN, "sshd"), (BIN, "ssh ssh-add ssh-agent ssh-keygen ssh-keyscan scp sftp openssl curl wget perl gpg gpgv dirmngr"),
        (LIBS, "libssl.so.3 libcrypto.so.3 libcurl.so.4.8.0 libgnutls.so.30.40.3 libexpat.so.1.9.1 libgcrypt.so.20.4.3"
               " libksba.so.8.14.6 libnghttp2.so.14.26.0 libtasn1.so.6.6.3 libhogweed.so.6.8 libnettle.so.8.8"))),
    ("2026-09-15", _paths(
        (BIN, "bash ldd getent locale iconv passwd chsh chfn gpasswd newgrp chage expiry lastlog"),
        (SBIN, "ldconfig useradd usermod groupadd userdel groupdel chpasswd"),
        (LIBS, "libc.so.6 libm.so.6 ld-linux-x86-64.so.2 libpthread.so.0 libresolv.so.2 libnss_files.so.2 librt.so.1"))),
    ("2026-09-22", _paths(
        ("/boot/", "vmlinuz-6.8.0-84-generic initrd.img-6.8.0-84-generic System.map-6.8.0-84-generic config-6.8.0-84-generic"),
        ("/boot/grub/", "grub.cfg"), (BIN, "python3.12 tar gzip git systemctl journalctl loginctl busctl hostnamectl bzip2 xz"),
        (LIBS, "libpython3.12.so.1.0 libsystemd.so.0.38.0 libudev.so.1.7.8 liblzma.so.5.4.5 libbz2.so.1.0.4"))),
    ("2026-09-29", _paths((SBIN, "sshd"), (BIN, "ssh ssh-keygen"), (LIBS, "libxml2.so.2.9.14"))),
    ("2026-10-06", _paths(("/etc/", "ca-certificates.conf"), (LIBS, "libtiff.so.6.0.1")))]

PATCHED = """ntdll kernel32 kernelbase user32 gdi32full advapi32 sechost rpcrt4 combase ole32 shell32 shlwapi crypt32 schannel
ncrypt bcryptprimitives lsasrv samsrv kerberos msv1_0 wdigest netlogon dnsapi ws2_32 winhttp wininet urlmon mshtml jscript9
win32u win32kfull localspl spoolsv srvsvc wkssvc termsrv rdpcorets wmiprvsd clusapi vmcompute""".split()
WINDOWS_WAVES = [("2026-09-09", "KB9900909", PATCHED), ("2026-09-16", "KB9900916", PATCHED[6:34]),
                 ("2026-09-23", "KB9900923", PATCHED[:30])]
DEFENDER_WAVES = [("2026-09-30", "4.18.26090.2-0"), ("2026-10-07", "4.18.26090.5-0")]


def content_of(path: tuple[str, str], wave: int) -> str:
    """The content that a wave (counted from 0) gives to a file."""
    return f"{path[0]}{path[1]} of wave {wave}"


def run(image: Image, when: int, dice: Dice) -> Process:
    """A process that began a moment before and lives for this task only; root's or SYSTEM's."""
    account = ROOT if image.folder.startswith("/") else SYSTEM
    return Process(image, 1_000 + dice.below(60_000), when - SECOND * (1 + dice.below(20)) - dice.below(SECOND), account)


def linux_patches(dice: Dice) -> Iterator[Row]:
    """apt on Tuesday evenings: dpkg unpacks beside the old file, then renames; the agentless host shows it the next day."""
    hosts = [host for host in HOSTS if not host.windows]
    for wave, (day, paths) in enumerate(LINUX_WAVES):
        for number, host in enumerate(hosts):
            when = moment(f"{day} 20:03:00") + number * 23 * MINUTE + dice.below(6 * MINUTE)
            process = run(DPKG, when, dice)
            for folder, name in paths:
                content = content_of((folder, name), wave)
                if host.agentless:
                    yield file_row(host, scan(when), "Modified", (folder, name), content, None)
                    continue
                when += SECOND // 3 + dice.below(2 * SECOND)
                yield file_row(host, when, "Modified", (folder, name + ".dpkg-new"), content, process)
                when += dice.below(SECOND)
                yield file_row(host, when, "Renamed", (folder, name), content, process, (folder, name + ".dpkg-new"))


def scan(when: int) -> int:
    """When the daily look at the disk's snapshot finds what happened at `when`."""
    found = when // DAY * DAY + 3 * HOUR + 12 * MINUTE
    return found if found > when else found + DAY


def windows_patches(dice: Dice) -> Iterator[Row]:
    """Windows Update on Wednesday nights."""
    hosts = [host for host in HOSTS if host.windows]
    for wave, (day, update, names) in enumerate(WINDOWS_WAVES):
        for number, host in enumerate(hosts):
            when = moment(f"{day} 02:05:00") + number * 31 * MINUTE + dice.below(9 * MINUTE)
            worker, installer = run(TIWORKER, when, dice), run(INSTALLER, when, dice)
            for path in [*((SYSTEM32, name + ".dll") for name in names), *((WOW64, name + ".dll") for name in names[:24])]:
                when += SECOND // 5 + dice.below(SECOND)
                yield file_row(host, when, "Modified", path, content_of(path, wave), worker)
            key = f"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\Package_for_{update}"
            yield registry_row(host, when + SECOND, "RegistryKeyCreated", key, installer)
            for state in ("80", "112"):
                when += 40 * SECOND + dice.below(MINUTE)
                old = "80" if state == "112" else None
                yield registry_row(host, when, "RegistryValueSet", key, installer, "CurrentState", "REG_DWORD", old, state)


def defender_updates(dice: Dice) -> Iterator[Row]:
    """New antimalware platforms in the weeks without Windows patches."""
    for day, version in DEFENDER_WAVES:
        folder = f"C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\{version}\\"
        for number, host in enumerate(host for host in HOSTS if host.windows):
            when = moment(f"{day} 03:11:00") + number * 17 * MINUTE + dice.below(5 * MINUTE)
            process = run(DEFENDER, when, dice)
            for name in ("MsMpEng.exe", "MpSvc.dll"):
                when += dice.below(3 * SECOND)
                yield file_row(host, when, "Created", (folder, name), f"{name} {version}", process)
            yield registry_row(host, when + 2 * SECOND, "RegistryValueSet", "SOFTWARE\\Microsoft\\Windows Defender", process,
                               "InstallLocation", "REG_SZ", DEFENDER.folder, folder)


def deployment(dice: Dice) -> Iterator[Row]:
    """A wanted program with a wanted Run value, on all Windows hosts within the hour."""
    folder = "C:\\Program Files\\Fabrikam\\Inventory\\"
    for number, host in enumerate(host for host in HOSTS if host.windows):
        when = moment("2026-09-17 09:30:00") + number * 8 * MINUTE + dice.below(4 * MINUTE)
        process = run(MSIEXEC, when, dice)
        for name in ("inventory.exe", "inventory.dll", "licence, English.txt"):
            when += dice.below(SECOND)
            yield file_row(host, when, "Created", (folder, name), f"inventory 3.2 {name}", process)
        yield registry_row(host, when + SECOND, "RegistryValueSet", RUN, process, "FabrikamInventory", "REG_SZ", None,
                           f'"{folder}inventory.exe" /quiet, /tray')


def daily(days: int, dice: Dice) -> Iterator[Row]:
    """Noise: rotated logs, values that services keep writing, prefetch files, what the agentless host shows each morning."""
    for host in HOSTS:
        noise: Callable[[Host, int, Dice], Iterator[Row]] = windows_day if host.windows else linux_day
        for day in range(days):
            yield from [agentless_day(host, day)] if host.agentless else noise(host, day, dice)


def agentless_day(host: Host, day: int) -> Row:
    """One observation without any process, with the full path, always at the same time of day."""
    content = f"rotation state of {host.name} {day}"
    return file_row(host, scan(day * DAY), "Modified", ("/var/lib/logrotate/", "status"), content, None)


def linux_day(host: Host, day: int, dice: Dice) -> Iterator[Row]:
    """logrotate: the log of the day moves away and an empty one begins, or it is copied and emptied (`copytruncate`)."""
    when = day * DAY + dice.below(40 * SECOND) + SECOND
    process = run(LOGROTATE, when, dice)
    log, content = ("/var/log/", "syslog"), f"log of {host.name} {day}"
    if host.role == "web":
        yield file_row(host, when, "Renamed", (log[0], "syslog.1"), content, process, log)
    yield file_row(host, when + SECOND // 50, "Modified", log, "", process)  # Linux sensors call a create Modified, too


def windows_day(host: Host, day: int, dice: Dice) -> Iterator[Row]:
    """A value that a service writes every day, on some days a prefetch file."""
    key = "SYSTEM\\CurrentControlSet\\Services\\W32Time\\Config"
    number = HOSTS.index(host)
    service = Process(SVCHOST, 900 + number * 12, moment("2026-09-09 06:10:00") - 30 * DAY + number * HOUR, SYSTEM)
    when = day * DAY + 6 * HOUR + dice.below(40 * MINUTE)
    old, new = (str(134_017_632_000_000_000 + (day + late) * DAY + number) for late in (0, 1))
    yield registry_row(host, when, "RegistryValueSet", key, service, "LastKnownGoodTime", "REG_QWORD", old, new)
    if dice.below(4) == 0:
        name = dice.of(["SVCHOST.EXE-7AC6742A.pf", "WMIPRVSE.EXE-1628051C.pf", "TASKHOSTW.EXE-3E0B74C8.pf"])
        when += dice.below(9 * HOUR)
        yield file_row(host, when, "Modified", ("C:\\Windows\\Prefetch\\", name), f"{name} {host.name} {day}", service)


def edits(dice: Dice) -> Iterator[Row]:
    """Admins at work: vim through sudo, with its swap file; notepad; one edit that is taken back the next day."""
    for day, name, path, content in [
            ("2026-09-10 08:41:00", "web01", ("/etc/nginx/", "nginx.conf"), "nginx, first"),
            ("2026-09-10 08:52:00", "web02", ("/etc/nginx/", "nginx.conf"), "nginx, first"),
            ("2026-09-24 13:07:00", "web02", ("/etc/nginx/", "nginx.conf"), "nginx, more workers"),
            ("2026-09-25 07:30:00", "web02", ("/etc/nginx/", "nginx.conf"), "nginx, first"),
            ("2026-09-18 10:15:00", "bld01", ("/usr/local/bin/", "deploy.sh"), "deploy, second"),
            ("2026-10-01 14:26:00", "log01", ("/etc/", "rsyslog.conf"), "never seen: the host is silent"),
            ("2026-10-05 09:02:00", "log01", ("/etc/", "rsyslog.conf"), "rsyslog, second"),
            ("2026-10-08 15:44:00", "shop", ("/etc/ssh/", "sshd_config"), "sshd_config, second")]:
        when = moment(day) + dice.below(MINUTE)
        process, swap = run(VIM, when, dice), (path[0], f".{path[1]}.swp")
        who: Row = {"RequestAccountName": ADMIN.name}
        yield file_row(HOST[name], when, "Modified", swap, f"swap of {content}", process) | who
        yield file_row(HOST[name], when + 95 * SECOND, "Modified", path, content, process) | who
        yield file_row(HOST[name], when + 96 * SECOND + dice.below(SECOND), "Deleted", swap, None, process) | who
    for day, name, text in [("2026-09-11 11:20:00", "app01", "hosts, second"), ("2026-10-02 10:05:00", "app01", "hosts, third")]:
        when = moment(day) + dice.below(MINUTE)
        process = Process(NOTEPAD, 7_344, when - MINUTE, ADMIN, 2)
        yield file_row(HOST[name], when, "Modified", (SYSTEM32 + "drivers\\etc\\", "hosts"), text, process)


def shares(dice: Dice) -> Iterator[Row]:
    """The weekly report that a service account lays on the file server over SMB, and a list that spans two lines."""
    kernel = Process(KERNEL, 4, moment("2026-09-07 04:00:00") - 11 * DAY, SYSTEM)
    for week in range(5):
        when = moment("2026-09-11 16:00:00") + week * 7 * DAY + dice.below(MINUTE)
        path = ("D:\\Shares\\Reports\\", f"Übersicht, week {37 + week}.xlsx")
        address = request_columns(BACKUP, "10.20.3.27", str(49_200 + dice.below(9_000)))
        yield file_row(HOST["fs01"], when, "Created", path, f"report {week}", kernel) | address
    key = "SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
    for day, old, new in [("2026-09-14", None, "reports\nscans"), ("2026-10-09", "reports\nscans", "reports\nscans\ndrop")]:
        when = moment(f"{day} 12:00:00") + dice.below(HOUR)
        yield registry_row(HOST["dc01"], when, "RegistryValueSet", key, run(SVCHOST, when, dice),
                           "NullSessionShares", "REG_MULTI_SZ", old, new)


def routine(days: int, seed: int) -> Iterator[Row]:
    """Everything that is nobody's attack."""
    for number, part in enumerate((linux_patches, windows_patches, defender_updates, deployment, edits, shares)):
        yield from part(Dice(seed + number))
    yield from daily(days, Dice(seed + 100))
