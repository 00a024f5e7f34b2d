"""The six stories that the product must carry, each in at most 40 events, and for each a twin in which nothing is wrong.

Every story is a list of sources (lists of rows, as `building.made` takes them); hosts, people and times are made up.
"""

from __future__ import annotations

from tests.analyses.building import change, value

WEB = "C:\\inetpub\\wwwroot\\aspnet_client\\system_web"
POOL = "IIS APPPOOL\\OWA"
W3WP = "C:\\Windows\\System32\\inetsrv\\w3wp.exe"
FLEET = ("app-1", "app-2", "app-3", "app-4", "app-5")


def _calm(host: str, days: tuple[int, ...] = (1, 2, 3, 4, 5)) -> list[dict]:
    """A host that writes its log twice a day, by its own service: what it does when nothing happens."""
    return [change(host, f"{day:02}T{hour}:00", "C:\\Program Files\\Contoso\\data\\state.dat", "Modified", f"{host}{day}{hour}",
                   by="C:\\Program Files\\Contoso\\agent.exe", account="NT AUTHORITY\\SYSTEM", pid=900, started="01T00:00")
            for day in days for hour in ("07", "19")]


def _state(host: str, day: int, hour: int = 7) -> dict:
    """A Linux host's service writes its state."""
    return change(host, f"{day:02}T{hour:02}:00", "/etc/app/state", "Modified", f"{host} {day} {hour}", by="/usr/sbin/appd",
                  account="root", pid=9, started="01T00:00")


def web_shell() -> list[list[dict]]:
    """A server process writes a script and a program; the program runs and registers a service."""
    dropper = {"by": W3WP, "account": POOL, "pid": 4100, "started": "05T06:00"}
    runs = {"by": "C:\\Windows\\Temp\\t.exe", "account": POOL, "pid": 4711, "started": "05T10:05",
            "InitProcImageSha256": change("x", "00:00", "x", content="tool")["FileSha256"]}
    service = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Updater"
    return [[*_calm("web-1"),
             change("web-1", "05T10:00", f"{WEB}\\error.aspx", "Created", "shell", **dropper),
             change("web-1", "05T10:03", "C:\\Windows\\Temp\\t.exe", "Created", "tool", **dropper),
             change("web-1", "05T10:06", "C:\\Windows\\System32\\drivers\\upd.sys", "Created", "driver", **runs),
             value("web-1", "05T10:07", service, "ImagePath", "C:\\Windows\\Temp\\t.exe", **runs)]]


def web_shell_twin() -> list[list[dict]]:
    """The same script comes by the deployment tool onto both web servers, and nothing that was written runs."""
    tool = {"by": "C:\\Program Files\\IIS\\msdeploy.exe", "account": "CONTOSO\\deploy", "pid": 4100, "started": "05T09:59"}
    return [[*_calm("web-1"), *_calm("web-2"),
             change("web-1", "05T10:00", f"{WEB}\\error.aspx", "Created", "page", **tool),
             change("web-2", "05T10:01", f"{WEB}\\error.aspx", "Created", "page", **tool)]]


def ransomware() -> list[list[dict]]:
    """Within two minutes one process renames everything it finds and leaves a note in every folder."""
    evil = {"by": "C:\\Users\\bob\\Downloads\\evil.exe", "account": "CONTOSO\\bob", "pid": 666, "started": "05T11:59"}
    hits = [change("files-1", f"05T12:0{at // 12}:{at % 12 * 5:02}", f"D:\\Shares\\{at % 6}\\doc{at:02}.docx.locked", "Renamed",
                   f"sealed {at}", was=f"D:\\Shares\\{at % 6}\\doc{at:02}.docx", **evil) for at in range(22)]
    notes = [change("files-1", f"05T12:02:0{at}", f"D:\\Shares\\{at}\\HOW_TO_RESTORE.txt", "Created", "note", **evil)
             for at in range(6)]
    before = [change("files-1", f"0{day}T09:00", f"D:\\Shares\\{day}\\doc0{day}.docx", "Modified", f"text {day}",
                     by="C:\\Program Files\\Office\\winword.exe", account="CONTOSO\\ann", pid=70 + day, started=f"0{day}T08:00")
              for day in (1, 2, 3)]
    return [_calm("files-1", (1, 2, 3, 4)) + before + hits + notes]


def ransomware_twin() -> list[list[dict]]:
    """A package manager renames as many files into place, on two hosts at once: a patch."""
    dpkg = {"by": "/usr/bin/dpkg", "account": "root", "pid": 51, "started": "05T11:59"}
    patched = [change(host, f"05T12:00:{at * 3:02}", f"/usr/lib/pkg/lib{at:02}.so", "Renamed", f"lib {at} new",
                      was=f"/usr/lib/pkg/lib{at:02}.so.dpkg-new", **dpkg) for host in ("app-1", "app-2") for at in range(14)]
    calm = [_state(host, day) for host in FLEET[:2] for day in (1, 2, 3, 4)]
    return [calm + patched]


def run_key() -> list[list[dict]]:
    """A script interpreter sets a Run value with hidden, encoded code, and leaves the code in another value."""
    shell = {"by": "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", "account": "CONTOSO\\bob", "pid": 5150,
             "started": "05T02:10"}
    root = "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion"
    return [[*_calm("desk-1"),
             value("desk-1", "05T02:14", root, "Debug", "SQBGACgAJABQAFMAVgBFAFIAUwBJAE8ATgA=", **shell),
             value("desk-1", "05T02:14:01", root + "\\Run", "Updater", "powershell.exe -Win Hidden -enc $x", **shell)]]


def run_key_twin() -> list[list[dict]]:
    """An installer sets a value of its own program's, in no place from which anything starts."""
    setup = {"by": "C:\\Windows\\System32\\msiexec.exe", "account": "NT AUTHORITY\\SYSTEM", "pid": 5150, "started": "05T02:10"}
    return [[*_calm("desk-1"),
             value("desk-1", "05T02:14", "HKEY_LOCAL_MACHINE\\SOFTWARE\\Contoso\\Agent", "Version", "4.2", **setup)]]


def trojan() -> list[list[dict]]:
    """One binary is replaced on three hosts, one after another by hand; on the first it is put back after six minutes."""
    def by_hand(pid: int, started: str) -> dict:
        return {"by": "/usr/bin/scp", "account": "mallory", "pid": pid, "started": started}
    calm = [_state(host, day) for host in FLEET for day in (1, 3, 5)]
    patched = [change(host, f"02T03:0{at}", "/usr/bin/passwd", "Modified", "passwd 4.2", by="/usr/bin/dpkg", account="root",
                      pid=77, started="02T03:00") for at, host in enumerate(FLEET)]
    return [calm + patched + [
        change("app-1", "04T02:00", "/usr/bin/passwd", "Modified", "trojan", **by_hand(301, "04T01:59")),
        change("app-1", "04T02:06", "/usr/bin/passwd", "Modified", "passwd 4.2", **by_hand(302, "04T02:05")),
        change("app-2", "04T02:15", "/usr/bin/passwd", "Modified", "trojan", **by_hand(303, "04T02:14")),
        change("app-3", "04T02:31", "/usr/bin/passwd", "Modified", "trojan", **by_hand(304, "04T02:30"))]]


def trojan_twin() -> list[list[dict]]:
    """The binary is patched on all hosts within minutes by the package manager."""
    calm = [_state(host, day) for host in FLEET for day in (1, 3, 5)]
    patched = [change(host, f"0{day}T03:0{at}", "/usr/bin/passwd", "Modified", f"passwd 4.{day}", by="/usr/bin/dpkg",
                      account="root", pid=70 + day, started=f"0{day}T03:00")
               for day in (2, 4) for at, host in enumerate(FLEET)]
    return [calm + patched]


def insider() -> list[list[dict]]:
    """An administrator edits who may become root, and removes the logs and the history that would tell."""
    hand = {"by": "/usr/bin/vim.basic", "account": "carol", "pid": 800, "started": "05T22:00"}
    remove = {"by": "/usr/bin/rm", "account": "carol", "pid": 801, "started": "05T22:10"}
    calm = [change("db-1", f"{day:02}T07:00", "/var/log/auth.log", "Modified", by="/usr/sbin/rsyslogd", account="root", pid=9,
                   started="01T00:00") for day in (1, 2, 3, 4, 5)]
    return [[*calm,
             change("db-1", "05T22:01", "/etc/sudoers.d/carol", "Created", "carol may all", **hand),
             change("db-1", "05T22:10:01", "/var/log/auth.log", "Deleted", **remove),
             change("db-1", "05T22:10:02", "/home/carol/.bash_history", "Deleted", **remove)]]


def insider_twin() -> list[list[dict]]:
    """The same logs are turned over by logrotate, and an editor writes into a file of the application's."""
    rotate = {"by": "/usr/sbin/logrotate", "account": "root", "pid": 801, "started": "05T06:25"}
    calm = [change("db-1", f"{day:02}T07:00", "/var/log/auth.log", "Modified", by="/usr/sbin/rsyslogd", account="root", pid=9,
                   started="01T00:00") for day in (1, 2, 3, 4, 5)]
    return [[*calm,
             change("db-1", "05T06:25:01", "/var/log/auth.log.1", "Renamed", was="/var/log/auth.log", **rotate),
             change("db-1", "05T06:25:02", "/var/log/auth.log.4.gz", "Deleted", **rotate),
             change("db-1", "05T22:01", "/srv/app/settings.toml", "Modified", "settings 2", by="/usr/bin/vim.basic",
                    account="carol", pid=800, started="05T22:00")]]


def review() -> list[list[dict]]:
    """A quarter under review: one host is silent for three days, and comes back with a changed tool."""
    daily = [_state(host, day, hour) for host, days in (("pay-1", (1, 2, 3, 4, 5, 6, 7)), ("pay-2", (1, 2, 6, 7)))
             for day in days for hour in (1, 13)]
    return [[*daily,
             change("pay-1", "01T02:00", "/usr/local/sbin/settle", "Modified", "settle 1", by="/usr/bin/dpkg", account="root",
                    pid=50, started="01T02:00"),
             change("pay-2", "01T02:01", "/usr/local/sbin/settle", "Modified", "settle 1", by="/usr/bin/dpkg", account="root",
                    pid=50, started="01T02:00"),
             change("pay-2", "06T00:30", "/usr/local/sbin/settle", "Modified", "settle 0", by="/usr/bin/cp", account="root",
                    pid=61, started="06T00:30")]]


def review_twin() -> list[list[dict]]:
    """The same quarter with both hosts reporting all the time and the tool as it was."""
    return [[_state(host, day, hour) for host in ("pay-1", "pay-2") for day in range(1, 8) for hour in (1, 13)]]


STORIES = {"web shell": web_shell, "ransomware": ransomware, "run key": run_key, "trojan": trojan, "insider": insider,
           "review": review}
TWINS = {"web shell": web_shell_twin, "ransomware": ransomware_twin, "run key": run_key_twin, "trojan": trojan_twin,
         "insider": insider_twin, "review": review_twin}
