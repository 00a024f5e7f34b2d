"""Bursts: what breaks out of a host's history, what is said of it, and what must stay silent."""

from __future__ import annotations

from pathlib import Path

import pytest
import stories
from building import change, made, rows

from fimforensics import case as cases
from fimforensics.queries import bursts as queries

EVIL = {"by": "C:\\Users\\bob\\evil.exe", "account": "CONTOSO\\bob", "pid": 666}
DPKG = {"by": "/usr/bin/dpkg", "account": "root", "pid": 51}


def calm(host: str, days: int = 6) -> list[dict]:
    """Two changes at two times a day, for some days."""
    return [change(host, f"{day:02}T{hour}:00", f"D:\\Data\\{name}.txt", "Modified", f"{host}{day}{hour}{name}")
            for day in range(1, days + 1) for hour in ("08", "16") for name in ("a", "b")]


def locked(host: str, files: int, time: str = "12T10:00") -> list[dict]:
    """Documents that get a new ending, all within a minute, in five folders."""
    return [change(host, f"{time}:{at:02}", f"D:\\Docs\\{at % 5}\\{at}.docx.locked", "Renamed", f"sealed {at}",
                   was=f"D:\\Docs\\{at % 5}\\{at}.docx", **EVIL) for at in range(files)]


def copied(host: str, files: int, by: dict, minute: str = "12T10:00") -> list[dict]:
    """Files that are created in one minute, with an extension that the host knows."""
    return [change(host, f"{minute}:{at:02}", f"D:\\{host}\\{at}.txt", "Created", f"{host} new {at}", **by)
            for at in range(files)]


def told(case: Path) -> list[tuple]:
    return rows(case, "SELECT severity, sentence FROM findings WHERE analysis = 'bursts' ORDER BY id")


def test_ransomware_is_a_burst_with_its_note(tmp_path: Path) -> None:
    note = [change("srv-1", f"12T10:01:0{at}", f"D:\\Docs\\{at}\\READ_ME.txt", "Created", "pay", **EVIL) for at in range(5)]
    case = made(tmp_path, calm("srv-1") + locked("srv-1", 24) + note, analyses=("bursts",))
    assert rows(case, "SELECT kind, since, until, events, paths, folders, renames, new_extensions, new_contents, usual, p.name, "
                      "a.name, b.content_id IS NOT NULL FROM bursts b JOIN processes p ON p.id = b.process_id "
                      "JOIN accounts a ON a.id = b.account_id ORDER BY b.since") == [
        ("changes", "2026-10-12T10:00:00.0000000Z", "2026-10-12T10:01:04.0000000Z", 29, 29, 5, 24, 1, 25, 2.0, "evil.exe",
         "CONTOSO\\bob", 0),
        ("same content in many folders", "2026-10-12T10:01:00.0000000Z", "2026-10-12T10:01:04.0000000Z", 5, 5, 5, 0, 0, 0, 2.0,
         "evil.exe", "CONTOSO\\bob", 1)]
    assert told(case) == [
        ("high", "srv-1: 29 files in 5 folders within 2 minutes, 24 of them given the new ending .locked, by evil.exe "
                 "(CONTOSO\\bob); this host usually changes 2 files a minute when it changes any; READ_ME.txt came into 5 "
                 "folders "
                 "with it.")]
    assert rows(case, "SELECT first, last, events FROM findings WHERE severity = 'high'") == [
        ("2026-10-12T10:00:00.0000000Z", "2026-10-12T10:01:04.0000000Z", 29)]


def test_many_files_without_a_mark_are_medium_few_are_low(tmp_path: Path) -> None:
    case = made(tmp_path, calm("srv-1") + copied("srv-1", 30, EVIL) + calm("srv-2") + copied("srv-2", 12, EVIL),
                analyses=("bursts",))
    assert told(case) == [
        ("medium", "srv-1: 30 files in 1 folder within one minute, by evil.exe (CONTOSO\\bob); this host usually changes 2 files "
                   "a minute when it changes any."),
        ("low", "srv-2: 12 files in 1 folder within one minute, by evil.exe (CONTOSO\\bob); this host usually changes 2 files a "
                "minute when it changes any.")]


def test_a_patch_on_several_hosts_is_no_alarm(tmp_path: Path) -> None:
    patch = [change(host, f"12T10:00:{at:02}", f"/usr/lib/{at}.so", "Renamed", f"lib {at}", was=f"/usr/lib/{at}.so.dpkg-new",
                    **DPKG) for host in ("app-1", "app-2") for at in range(25)]
    case = made(tmp_path, calm("app-1") + calm("app-2") + calm("app-3") + patch, analyses=("bursts",))
    assert told(case) == []
    assert rows(case, "SELECT sentence FROM bursts ORDER BY sentence") == [
        (f"{host}: 25 files in 1 folder within one minute, 25 renames among it, by dpkg (root); this host usually changes "
         "2 files a minute when it changes any; an installer did it, and the same files changed on 2 of 3 hosts: as "
         "patches do.",) for host in ("app-1", "app-2")]


def test_temporary_endings_of_an_installer_are_no_mark(tmp_path: Path) -> None:
    steps = [step for at in range(12) for step in (
        change("app-1", f"12T10:00:{at:02}", f"/opt/{at}.txt.part", "Created", f"p {at}", **DPKG),
        change("app-1", f"12T10:00:{at:02}.5", f"/opt/{at}.txt", "Renamed", f"p {at}", was=f"/opt/{at}.txt.part", **DPKG))]
    case = made(tmp_path, calm("app-1") + steps, analyses=("bursts",))
    assert [severity for severity, _ in told(case)] == ["low"]


@pytest.mark.parametrize("extra", [
    copied("srv-1", 9, EVIL),  # nine files are no burst
    [row for day in range(1, 7) for row in copied("srv-1", 15, EVIL, f"{day:02}T20:00")],  # every evening is no break
])
def test_what_is_small_or_usual_stays_silent(tmp_path: Path, extra: list[dict]) -> None:
    case = made(tmp_path, calm("srv-1") + extra, analyses=("bursts",))
    assert rows(case, "SELECT * FROM bursts") == told(case) == []


def test_a_host_without_history_is_measured_by_the_others_and_says_so(tmp_path: Path) -> None:
    case = made(tmp_path, calm("srv-1") + copied("new-1", 30, EVIL), analyses=("bursts",))
    assert told(case) == [("medium", "new-1: 30 files in 1 folder within one minute, by evil.exe (CONTOSO\\bob); this host "
                                     "has no "
                                     "history of its own, others usually change 2 files a minute.")]
    (tmp_path / "alone").mkdir()
    alone = made(tmp_path / "alone", copied("new-1", 30, EVIL), analyses=("bursts",))
    assert told(alone) == [("medium", "new-1: 30 files in 1 folder within one minute, by evil.exe (CONTOSO\\bob); there is no "
                                      "history to compare it with.")]


def test_names_in_many_folders_count_where_hashes_are_missing_and_the_empty_file_never(tmp_path: Path) -> None:
    unhashed = [change("srv-1", f"12T10:00:{at:02}", f"D:\\{at}\\HELP.hta", "Created", **EVIL) for at in range(6)]
    empty = [change("srv-1", f"12T11:00:{at:02}", f"D:\\{at}\\empty.txt", "Created", FileSize=0, **EVIL,
                    FileSha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") for at in range(6)]
    case = made(tmp_path, calm("srv-1") + unhashed + empty, analyses=("bursts",))
    assert rows(case, "SELECT kind, events, folders, content_id, sentence FROM bursts") == [
        ("same new name in many folders", 6, 6, None, "srv-1: a new file of the same name came as HELP.hta into 6 folders "
                                                      "within one "
                                                      "minute, by evil.exe (CONTOSO\\bob).")]


def test_a_note_in_many_folders_is_told_alone(tmp_path: Path) -> None:
    notes = [change("srv-1", f"12T10:{at:02}:00", f"D:\\{at}\\HELP.hta", "Created", "pay", **EVIL) for at in range(12)]
    parts = [change("srv-1", f"12T14:{at:02}:00", f"D:\\{at}\\part.dll", "Created", "part", **EVIL) for at in range(12)]
    case = made(tmp_path, calm("srv-1") + notes + parts, analyses=("bursts",))
    assert rows(case, "SELECT kind, since, folders FROM bursts ORDER BY id") == [
        ("same content in many folders", "2026-10-12T10:00:00.0000000Z", 12),
        ("same content in many folders", "2026-10-12T14:00:00.0000000Z", 12)]
    assert told(case) == [("low", "srv-1: the same content came as HELP.hta into 12 folders within 12 minutes, by evil.exe "
                                  "(CONTOSO\\bob).")]


def test_rows_without_an_actor_are_no_rate(tmp_path: Path) -> None:
    scan = [change("srv-1", "12T03:12", f"D:\\Data\\{at}.txt", "Modified", f"s {at}", by=None) for at in range(30)]
    case = made(tmp_path, calm("srv-1") + scan, analyses=("bursts",))
    assert told(case) == [("low", "srv-1: 30 files in 1 folder within one minute, no event names who did it; if a scan of the "
                                  "disk "
                                  "found them, they changed at some time since the scan before.")]


def test_ingest_order_changes_nothing(tmp_path: Path) -> None:
    parts = [calm("srv-1"), locked("srv-1", 24), calm("srv-2") + copied("srv-2", 30, EVIL)]
    seen = []
    for name, order in (("one", parts), ("two", parts[::-1])):
        (tmp_path / name).mkdir()
        case = made(tmp_path / name, *order, analyses=("bursts",))
        seen.append(rows(case, "SELECT h.name, b.kind, b.since, b.until, b.events, b.paths, b.usual, f.time, l.time, b.sentence "
                               "FROM bursts b JOIN hosts h ON h.id = b.host_id JOIN events f ON f.id = b.first_event_id "
                               "JOIN events l ON l.id = b.last_event_id ORDER BY b.id") + told(case))
    assert seen[0] == seen[1] and len(seen[0]) == 4


def test_the_last_good_content_of_every_hit_file(tmp_path: Path) -> None:
    def text(name: str, what: str, content: str | None = None) -> dict:
        return change("srv-1", "03T09:00", f"D:\\Docs\\{name}", what, content)
    before = [text("0\\0.docx", "Modified", "good"), text("1\\1.docx", "Modified", "old"),
              change("srv-1", "04T09:00", "D:\\Docs\\1\\1.docx", "Modified"), text("2\\2.docx", "Deleted")]
    created = change("srv-1", "12T10:00:40", "D:\\Docs\\READ_ME.txt", "Created", "pay", **EVIL)
    replaced = [change("srv-1", "12T10:00:41", "D:\\Docs\\a.tmp", "Created", "x", **EVIL),
                change("srv-1", "12T10:00:42", "D:\\Data\\a.txt", "Renamed", "x", was="D:\\Docs\\a.tmp", **EVIL)]
    case = made(tmp_path, calm("srv-1") + before + locked("srv-1", 12) + [created, *replaced], analyses=("versions", "bursts"))
    with cases.reading(case) as connection:
        burst, = [one for one in queries.bursts(connection, "SRV") if one.kind == "changes"]
        found = {one.path: one for one in queries.hit_files(connection, burst.id)}
        hashes = ("SELECT sha256 FROM contents WHERE id = (SELECT content_id FROM events WHERE file_id = (SELECT id FROM files "
                  "WHERE path = ?) ORDER BY time DESC LIMIT 1 OFFSET ?)")
        good, old, last = (connection.execute(hashes, pair).fetchone()[0]
                           for pair in (("D:\\Docs\\0\\0.docx", 0), ("D:\\Docs\\1\\1.docx", 1), ("D:\\Data\\a.txt", 1)))
    assert len(found) == 14 and "D:\\Docs\\a.tmp" not in found
    assert [(found[path].now, found[path].changes, found[path].basis, found[path].last_good, found[path].last_seen) for path in (
        "D:\\Docs\\0\\0.docx", "D:\\Docs\\1\\1.docx", "D:\\Docs\\2\\2.docx", "D:\\Docs\\3\\3.docx", "D:\\Docs\\READ_ME.txt",
        "D:\\Data\\a.txt")] == [
        ("D:\\Docs\\0\\0.docx.locked", "Renamed", "hash", good, "2026-10-03T09:00:00.0000000Z"),
        ("D:\\Docs\\1\\1.docx.locked", "Renamed", "earlier hash", old, "2026-10-03T09:00:00.0000000Z"),
        ("D:\\Docs\\2\\2.docx.locked", "Renamed", "new", None, None),
        ("D:\\Docs\\3\\3.docx.locked", "Renamed", "unknown", None, None),
        (None, "Created", "new", None, None), (None, "Renamed", "hash", last, "2026-10-06T16:00:00.0000000Z")]


def test_the_stories(tmp_path: Path) -> None:
    loud = {}
    for story in (stories.ransomware, stories.ransomware_twin, stories.web_shell, stories.trojan, stories.insider):
        (tmp_path / story.__name__).mkdir()
        loud[story.__name__] = [severity for severity, _ in told(made(tmp_path / story.__name__, *story(), analyses=("bursts",)))]
    assert loud == {"ransomware": ["high"], "ransomware_twin": [], "web_shell": [], "trojan": [],
                    "insider": []}
