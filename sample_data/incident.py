"""What should be found: one campaign in one night, and what became of it.

A helper is dropped on a web server by the web server itself, runs as root and replaces sshd; from there it goes to two
more hosts in a chain. On one host the original comes back after three days, on one the logs go, on a Windows host a Run
value comes and goes. Everything told in `facts` is read off the rows, not off the constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleet import (
    BACKUP,
    DAY,
    HOST,
    MINUTE,
    ROOT,
    SECOND,
    SYSTEM,
    WWW,
    Account,
    Dice,
    Image,
    Process,
    Row,
    file_row,
    hashes,
    moment,
    registry_row,
    request_columns,
)
from routine import KERNEL, MICROSOFT, RUN, SSHD, WINDOWS, content_of

TROJAN, HELPER, IMPLANT = "sshd, not the distribution's", "pool-helper", "updchk.exe"
DROP = ("/usr/local/lib/php/", "pool-helper")
KEPT = ("/usr/local/lib/php/", "pool-helper.dat")  # the original sshd, kept on the host where it comes back
LOOT = ("/usr/lib/x86_64-linux-gnu/", ".libkeyd.so.1")
PHP = Image("/usr/sbin/", "php-fpm8.3", "php-fpm 8.3.6")
SFTP = Image("/usr/lib/openssh/", "sftp-server", "sftp-server 9.6")
PATCHED_SSHD = content_of(SSHD, 3)
FOLDER, PROGRAM = "C:\\ProgramData\\Fabrikam\\", "updchk.exe"
REG = Image("C:\\Windows\\System32\\", "reg.exe", "reg", MICROSOFT, WINDOWS, "10.0.20348.1", "Registry Console Tool")
NIGHT = moment("2026-09-30 00:00:00")
HOPS = [("web01", 134 * MINUTE, PHP, WWW), ("shop", 149 * MINUTE, SFTP, Account("svc-deploy")),
        ("bld01", 163 * MINUTE, SFTP, Account("svc-deploy"))]  # when sshd is replaced, who writes the helper


def helper(when: int, dropped: int, dice: Dice) -> Process:
    """The helper as a process: its image is, by its hashes, the dropped file."""
    return Process(Image(DROP[0], DROP[1], HELPER, written=dropped), 20_000 + dice.below(9_000), when - SECOND, ROOT)


def linux_night(dice: Dice) -> Iterator[Row]:
    """Helper, sshd, and what the false sshd writes down later."""
    for name, after, image, account in HOPS:
        host, replaced = HOST[name], NIGHT + after + dice.below(40 * SECOND)
        dropped = replaced - 4 * MINUTE - dice.below(2 * MINUTE)
        writer = Process(image, 2_000 + dice.below(900), dropped - 3 * MINUTE - dice.below(MINUTE), account)
        yield file_row(host, dropped, "Modified", DROP, HELPER, writer)
        process = helper(replaced - 2 * SECOND, dropped, dice)
        if name == "shop":
            yield file_row(host, replaced - SECOND, "Modified", KEPT, PATCHED_SSHD, process)
        yield file_row(host, replaced, "Modified", SSHD, TROJAN, process)
        false = Process(Image(*SSHD, TROJAN, written=replaced), 30_000 + dice.below(900), replaced + 40 * SECOND, ROOT)
        for hour in range(4 if name == "shop" else 9):
            when = replaced + (hour + 1) * 11 * 3600 * SECOND + dice.below(3600 * SECOND)
            yield file_row(host, when, "Modified", LOOT, f"caught on {name} {hour}", false)


def cover_up(dice: Dice) -> Iterator[Row]:
    """Logs go on the last host of the chain; on the second the original comes back three days later."""
    host, when = HOST["bld01"], NIGHT + 171 * MINUTE
    process = helper(when, NIGHT + 159 * MINUTE, dice)
    for path in [("/var/log/", "auth.log"), ("/var/log/", "auth.log.1"), ("/var/log/", "wtmp"), ("/var/log/", "lastlog")]:
        when += dice.below(SECOND) + SECOND // 10
        yield file_row(host, when, "Deleted", path, None, process)
    host, when = HOST["shop"], NIGHT + 3 * DAY + 151 * MINUTE + dice.below(MINUTE)
    process = helper(when, NIGHT + 145 * MINUTE, dice)
    yield file_row(host, when, "Renamed", SSHD, PATCHED_SSHD, process, KEPT)
    yield file_row(host, when + 2 * SECOND, "Deleted", LOOT, None, process)
    yield file_row(host, when + 3 * SECOND, "Deleted", DROP, None, process)


def windows_part(dice: Dice) -> Iterator[Row]:
    """A program arrives over SMB from the build host, sets a Run value, and the value goes again."""
    host, when = HOST["fs01"], NIGHT + 177 * MINUTE + dice.below(MINUTE)
    kernel = Process(KERNEL, 4, moment("2026-09-07 04:00:00") - 11 * DAY, SYSTEM)
    row = file_row(host, when, "Created", (FOLDER, PROGRAM), IMPLANT, kernel)
    yield row | request_columns(BACKUP, "10.20.3.14", "50122")
    implant = Process(Image(FOLDER, PROGRAM, IMPLANT, written=when), 6_612, when + 41 * SECOND, BACKUP)
    data = f'"{FOLDER}{PROGRAM}" -s, -p 8443'
    yield registry_row(host, when + 43 * SECOND, "RegistryValueSet", RUN, implant, "FabrikamUpdateCheck", "REG_SZ", None, data)
    gone = NIGHT + 2 * DAY + 190 * MINUTE + dice.below(MINUTE)
    yield registry_row(host, gone, "RegistryValueDeleted", RUN, Process(REG, 8_120, gone - SECOND // 4, BACKUP),
                       "FabrikamUpdateCheck", "REG_SZ", data, None)


def incident(seed: int) -> Iterator[Row]:
    """Every event of the campaign."""
    for number, part in enumerate((linux_night, cover_up, windows_part)):
        yield from part(Dice(seed + number))


def facts(rows: Iterable[Row]) -> dict[str, object]:
    """The answers about the incident, read off all rows in order of time."""
    rows = list(rows)
    trojan, dropped, original = (hashes(content)[1] for content in (TROJAN, HELPER, PATCHED_SSHD))
    sshd = [row for row in rows if (row["FilePath"], row["FileName"]) == SSHD]
    value = [row for row in rows if "FabrikamUpdateCheck" in (row["NewValueName"], row["OldValueName"])]
    brought = _told([row for row in rows if row["FileName"] == PROGRAM])
    return {
        "trojan_path": "".join(SSHD), "trojan_sha256": trojan, "original_sha256": original,
        "trojan_hosts": _told(row for row in sshd if row["FileSha256"] == trojan),
        "helper_path": "".join(DROP), "helper_sha256": dropped,
        "helper_written": _told(row for row in rows if row["FileSha256"] == dropped),
        "helper_ran_on": sorted({str(row["Computer"]) for row in rows if row["InitProcImageSha256"] == dropped}),
        "put_back": _told(row for row in sshd if row["FileSha256"] == original and row["InitProcImageSha256"] == dropped),
        "logs_deleted": [{"path": f"{row['FilePath']}{row['FileName']}", **told} for row in rows
                         if row["ChangeType"] == "Deleted" and row["FilePath"] == "/var/log/" for told in _told([row])],
        "false_sshd_wrote": _wrote(rows, trojan),
        "run_program": {"sha256": hashes(IMPLANT)[1], **brought[0]},
        "run_value": {"host": value[0]["Computer"], "key": value[0]["RegistryKey"], "name": value[0]["NewValueName"],
                      "data": value[0]["NewValueData"], "set": value[0]["TimeGenerated"], "removed": value[-1]["TimeGenerated"]}}


def _told(rows: Iterable[Row]) -> list[dict[str, object]]:
    return [{"host": row["Computer"], "time": row["TimeGenerated"], "process": row["InitiatingProcessName"],
             "account": row["InitiatingProcessAccountName"]} for row in rows]


def _wrote(rows: list[Row], trojan: str) -> dict[str, int]:
    hosts = [str(row["Computer"]) for row in rows if row["InitProcImageSha256"] == trojan]
    return {host: hosts.count(host) for host in sorted(set(hosts))}
