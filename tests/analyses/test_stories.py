"""The six stories, each a case of at most 40 events, told whole: findings, chains, what a trace names; and six silent twins."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimforensics import case as cases
from fimforensics.queries import diff as diffs
from fimforensics.queries import history, trace
from fimforensics.queries.bursts import bursts, hit_files
from fimforensics.queries.entities import resolve
from fimforensics.queries.reporting import hosts
from tests.analyses import stories
from tests.analyses.building import digest, made, rows

FINDINGS = "SELECT severity, rule, sentence FROM findings ORDER BY first, id"


def _short(word: str) -> str:
    return (digest(word) or "")[:8]


EXPECTED: dict[str, list[tuple[str, str, str]]] = {
    "web shell": [
        ("high", "web script written",
         "web-1: w3wp.exe (IIS APPPOOL\\OWA) wrote the script C:\\inetpub\\wwwroot\\aspnet_client\\system_web\\error.aspx, which "
         "a web server serves, at 2026-10-05 10:00:00."),
        ("high", "became process",
         "web-1: w3wp.exe (IIS APPPOOL\\OWA) wrote C:\\Windows\\Temp\\t.exe at 2026-10-05 10:03:00; 2 minutes later it ran as "
         "process 4711 and changed 1 file and 1 registry value, among them C:\\Windows\\System32\\drivers\\upd.sys."),
        ("high", "persistence place",
         "On web-1 t.exe as IIS APPPOOL\\OWA created C:\\Windows\\System32\\drivers\\upd.sys (driver: it is loaded into the "
         "kernel) at 2026-10-05 10:06:00; t.exe is a program in a folder where anybody can leave files."),
        ("high", "persistence place",
         "On web-1 t.exe as IIS APPPOOL\\OWA set HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Updater\\ImagePath to "
         "\"C:\\Windows\\Temp\\t.exe\" (service: a service starts with the system, often with all rights) at 2026-10-05 "
         "10:07:00; t.exe is a program in a folder where anybody can leave files; what was set starts from a folder where "
         "anybody can leave files.")],
    "ransomware": [
        ("high", "burst",
         "files-1: 28 files in 6 folders within 3 minutes, 22 of them given the new ending .locked, by evil.exe (CONTOSO\\bob); "
         "this host usually changes 1 file a minute when it changes any; HOW_TO_RESTORE.txt came into 6 folders with it.")],
    "run key": [
        ("high", "persistence place",
         "On desk-1 powershell.exe as CONTOSO\\bob set HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\"
         "Updater to \"powershell.exe -Win Hidden -enc $x\" (Run key: what its values name is run at every sign-in or start) at "
         "2026-10-05 02:14:01; powershell.exe is an interpreter of scripts; what was set runs an interpreter of scripts or a "
         "tool that fetches.")],
    "trojan": [
        ("medium", "reversion",
         "On app-1 /usr/bin/passwd was changed by scp as mallory at 2026-10-04 02:00:00 and had its earlier content again 6 "
         "minutes later, at 2026-10-04 02:06:00, through scp as mallory: nobody else did so at that time."),
        ("medium", "spread in a chain",
         f"/usr/bin/passwd ({_short('trojan')}…) came to 3 of 5 hosts one after another in 31 minutes: app-1 at 2026-10-04 "
         "02:00:00, app-2 15 minutes later, app-3 16 minutes later; brought by /usr/bin/scp as mallory."),
        ("medium", "persistence place",
         "On app-1 scp as mallory changed /usr/bin/passwd (system program: everybody runs it and trusts it) 2 times from "
         "2026-10-04 02:00:00 to 2026-10-04 02:06:00."),
        ("medium", "persistence place",
         "On app-2 scp as mallory changed /usr/bin/passwd (system program: everybody runs it and trusts it) at 2026-10-04 "
         "02:15:00."),
        ("medium", "persistence place",
         "On app-3 scp as mallory changed /usr/bin/passwd (system program: everybody runs it and trusts it) at 2026-10-04 "
         "02:31:00.")],
    "insider": [
        ("medium", "persistence place",
         "On db-1 vim.basic as carol created /etc/sudoers.d/carol (sudo rule: it decides who may act as root) at 2026-10-05 "
         "22:01:00."),
        ("medium", "log or history removed",
         "On db-1 rm, which neither rotates logs nor owns them, deleted /var/log/auth.log and 1 other file as carol from "
         "2026-10-05 22:10:01 to 2026-10-05 22:10:02.")],
    "review": [
        ("medium", "change under silence",
         "pay-2 was silent from 2026-10-02 13:00:00 to 2026-10-06 00:30:00; /usr/local/sbin/settle was given other content by cp "
         "(root) at 2026-10-06 00:30:00, right after."),
        ("medium", "persistence place",
         "On pay-2 cp as root changed /usr/local/sbin/settle (system program: everybody runs it and trusts it) at 2026-10-06 "
         "00:30:00.")],
}


@pytest.mark.parametrize("story", stories.STORIES)
def test_a_story_is_told_whole(story: str, tmp_path: Path) -> None:
    sources = stories.STORIES[story]()
    assert sum(map(len, sources)) <= 40
    assert rows(made(tmp_path, *sources), FINDINGS) == EXPECTED[story]


@pytest.mark.parametrize("story", stories.TWINS)
def test_its_twin_says_nothing(story: str, tmp_path: Path) -> None:
    sources = stories.TWINS[story]()
    assert sum(map(len, sources)) <= 40
    assert rows(made(tmp_path, *sources), FINDINGS) == []


def _steps(case: Path, name: str, **how: bool) -> list[tuple[str, str, str]]:
    """What a trace tells: from whom, how, to whom."""
    with cases.reading(case) as db:
        found = trace.trace(db, resolve(db, name), **how)
        return [(found.names[step.move.subject], step.move.relation, found.names[step.move.object]) for step in found.steps]


def test_the_web_shell_leads_back_to_the_server_and_on_to_the_service(tmp_path: Path) -> None:
    case = made(tmp_path, *stories.web_shell())
    service = "web-1:HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Updater\\ImagePath"
    back = _steps(case, service, forward=False)
    server, tool = "web-1:w3wp.exe[4100]@2026-10-05T06:00:00", "web-1:t.exe[4711]@2026-10-05T10:05:00"
    way = {(tool, "set", service), ("web-1:C:\\Windows\\Temp\\t.exe", "became", tool),
           (server, "created", "web-1:C:\\Windows\\Temp\\t.exe"), ("IIS APPPOOL\\OWA", "ran", server)}
    assert way - set(back) == set()
    assert (tool, "set", service) in _steps(case, "web-1:w3wp.exe[4100]", back=False)


def test_the_trojan_is_a_chain_of_versions_with_a_way_back(tmp_path: Path) -> None:
    case = made(tmp_path, *stories.trojan())
    with cases.reading(case) as db:
        told = history.history(db, resolve(db, "app-1:/usr/bin/passwd"))
    assert [(one["since"], one["until"], one["sha256"]) for one in told.versions] == [
        ("2026-10-02T03:00:00.0000000Z", "2026-10-04T02:00:00.0000000Z", digest("passwd 4.2")),
        ("2026-10-04T02:00:00.0000000Z", "2026-10-04T02:06:00.0000000Z", digest("trojan")),
        ("2026-10-04T02:06:00.0000000Z", None, digest("passwd 4.2"))]
    assert rows(case, "SELECT class, dwell_seconds, returns, hosts, files FROM reversions") == [("put back", 360.0, 1, 1, 1)]


def test_every_file_that_ransomware_hit_has_its_last_good_version_or_none_is_claimed(tmp_path: Path) -> None:
    with cases.reading(made(tmp_path, *stories.ransomware())) as db:
        (burst,) = [one for one in bursts(db) if one.kind == "changes"]
        hit = {file.path: (file.basis, file.last_good) for file in hit_files(db, burst.id)}
    assert len(hit) == 28
    assert {path: told for path, told in hit.items() if told[1]} == {
        f"D:\\Shares\\{at}\\doc0{at}.docx": ("hash", digest(f"text {at}")) for at in (1, 2, 3)}
    assert {told[0] for told in hit.values() if told[1] is None} == {"unknown", "new"}


def test_the_review_claims_nothing_of_the_silent_host(tmp_path: Path) -> None:
    since, until = "2026-10-03T12:00:00.0000000Z", "2026-10-05T12:00:00.0000000Z"
    with cases.reading(made(tmp_path, *stories.review())) as db:
        found = [one for host in hosts(db) for one in diffs.times(db, host, since, until)]
    assert [(one.host, one.path, one.verdict) for one in found] == [
        ("pay-1", "/etc/app/state", "changed"), ("pay-1", "/usr/local/sbin/settle", "same"),
        ("pay-2", "/etc/app/state", "unknown"), ("pay-2", "/usr/local/sbin/settle", "unknown")]
