"""Contents that come back: what counts as a return, of which class it is, what weighs, and where nothing may be said."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import change, made, rows, value

CP = {"by": "/usr/bin/cp", "account": "root", "pid": 5}
DPKG = {"by": "/usr/bin/dpkg", "account": "root"}
CLASSES = "SELECT r.class, r.dwell_seconds, r.returns, r.hosts, r.files, r.since, r.until FROM reversions r ORDER BY r.id"
SAID = "SELECT severity, rule, sentence FROM findings WHERE analysis = 'reversions' ORDER BY id"
PASSWD = "/usr/bin/passwd"


def found(folder: Path, *events: dict) -> tuple[list[tuple], list[tuple]]:
    """The class, dwell and breadth of every reversion of a case of these events, and the findings."""
    case = made(folder, list(events), analyses=("versions", "reversions"))
    return rows(case, CLASSES), rows(case, SAID)


def test_a_program_put_back_by_hand_after_six_minutes_weighs_high(tmp_path: Path) -> None:
    case = made(tmp_path, [
        change("srv-1", "01T02:00", PASSWD, "Modified", "good", pid=1, **DPKG),
        change("srv-1", "12T01:40", PASSWD, "Modified", "evil", **CP),
        change("srv-1", "12T01:46", PASSWD, "Modified", "good", by="/usr/bin/mv", account="root", pid=6),
        change("srv-2", "01T02:00", PASSWD, "Modified", "good", pid=1, **DPKG)], analyses=("versions", "reversions"))
    assert rows(case, CLASSES) == [
        ("put back", 360.0, 1, 1, 1, "2026-10-12T01:40:00.0000000Z", "2026-10-12T01:46:00.0000000Z")]
    assert rows(case, SAID) == [
        ("high", "reversion", "On srv-1 /usr/bin/passwd was changed by cp as root at 2026-10-12 01:40:00 and had its "
         "earlier content "
         "again 6 minutes later, at 2026-10-12 01:46:00, through mv as root: nobody else did so at that time; the content in "
         "between was on no other host.")]
    assert rows(case, "SELECT e.time FROM finding_events x JOIN events e ON e.id = x.event_id ORDER BY 1") == [
        ("2026-10-12T01:40:00.0000000Z",), ("2026-10-12T01:46:00.0000000Z",)]


def test_the_content_in_between_on_another_host_weighs_less(tmp_path: Path) -> None:
    _, said = found(tmp_path, change("srv-1", "01T02:00", PASSWD, "Modified", "good", pid=1, **DPKG),
                    change("srv-1", "12T01:40", PASSWD, "Modified", "other", **CP),
                    change("srv-1", "12T01:46", PASSWD, "Modified", "good", **CP),
                    change("srv-2", "12T01:00", PASSWD, "Modified", "other", **CP))
    assert [(severity, rule) for severity, rule, _ in said] == [("medium", "reversion")]


def test_a_rename_over_the_file_brings_it_back_too(tmp_path: Path) -> None:
    """The chain of versions ends there, but the place has its earlier content again."""
    classes, _ = found(tmp_path, change("srv-1", "01T02:00", PASSWD, "Modified", "good", **CP),
                       change("srv-1", "01T03:00", "/opt/keep", "Modified", "good", **CP),
                       change("srv-1", "12T01:40", PASSWD, "Modified", "evil", **CP),
                       change("srv-1", "12T01:50", PASSWD, "Renamed", "good", was="/opt/keep", **CP))
    assert [row[:2] for row in classes] == [("put back", 600.0)]


def test_one_who_takes_back_a_setting_of_its_own_weighs_low(tmp_path: Path) -> None:
    vim = {"by": "/usr/bin/vim", "account": "root"}
    _, said = found(tmp_path, change("srv-1", "01T02:00", "/etc/nginx/nginx.conf", "Modified", "a", **vim),
                    change("srv-1", "02T02:00", "/etc/nginx/nginx.conf", "Modified", "b", pid=8, **vim),
                    change("srv-1", "03T02:00", "/etc/nginx/nginx.conf", "Modified", "a", pid=9, **vim))
    assert [(severity, rule) for severity, rule, _ in said] == [("low", "reversion")]


def test_who_keeps_a_file_as_it_should_be_restores(tmp_path: Path) -> None:
    """Configuration management undoes an edit: it had written that content before."""
    manage = {"by": "/usr/bin/mv", "account": "root"}
    classes, said = found(tmp_path, change("srv-1", "01T04:15", "/etc/sysctl.conf", "Modified", "a", **manage),
                          change("srv-1", "01T10:00", "/etc/sysctl.conf", "Modified", "b", by="/usr/bin/vim", pid=8),
                          change("srv-1", "02T04:15", "/etc/sysctl.conf", "Modified", "a", pid=9, **manage))
    assert [row[0] for row in classes] == ["restore"]
    assert [(severity, rule) for severity, rule, _ in said] == [("info", "restored")]


def test_deleted_and_brought_back_is_a_restore(tmp_path: Path) -> None:
    classes, said = found(tmp_path, change("srv-1", "01T02:00", "/srv/a", "Created", "a"),
                          change("srv-1", "02T02:00", "/srv/a", "Deleted"),
                          change("srv-1", "03T02:00", "/srv/a", "Created", "a", by="/usr/bin/restic"))
    assert [row[:2] for row in classes] == [("restore", 86400.0)]
    assert [severity for severity, _, _ in said] == ["info"]


def test_many_hosts_at_once_are_a_rollback(tmp_path: Path) -> None:
    events = [change(f"srv-{host}", f"{day}T0{host}:00", "/usr/sbin/nginx", "Modified", content, **CP)
              for host in (1, 2, 3) for day, content in (("01", "a"), ("05", "b"), ("09", "a"))]
    classes, said = found(tmp_path, *events)
    assert [(row[0], row[3]) for row in classes] == [("rollback", 3)] * 3
    assert {severity for severity, _, _ in said} == {"low"}


def test_many_files_of_one_host_are_a_rollback_and_one_finding(tmp_path: Path) -> None:
    events = [change("srv-1", f"{day}T01:0{at}", f"/usr/lib/x{at}.so", "Modified", f"{content}{at}", **CP)
              for at in range(9) for day, content in (("01", "a"), ("05", "b"), ("09", "a"))]
    classes, said = found(tmp_path, *events)
    assert [(row[0], row[4]) for row in classes] == [("rollback", 9)] * 9
    assert len(said) == 1 and said[0][2].endswith("So it is with 8 more of this host.")


def test_a_habit_is_one_row_however_often(tmp_path: Path) -> None:
    """Back and forth seven times gives three returns to the first content and one row."""
    events = [change("srv-1", f"12T08:0{at}", "/var/lib/state", "Modified", "ab"[at % 2]) for at in range(7)]
    classes, said = found(tmp_path, *events)
    assert classes == [("flapping", 60.0, 3, 1, 1, "2026-10-12T08:01:00.0000000Z", "2026-10-12T08:06:00.0000000Z")]
    assert [(severity, rule) for severity, rule, _ in said] == [("low", "flapping")]


def test_settings_of_the_registry_go_back_and_forth_unsaid_but_a_run_value_does_not(tmp_path: Path) -> None:
    run = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"
    events = [value("srv-1", f"12T08:0{at}", key, "Agent", data) for key in (run, "HKEY_LOCAL_MACHINE\\SOFTWARE\\Contoso")
              for at, data in enumerate(("a.exe", "b.exe", "a.exe"))]
    classes, said = found(tmp_path, *events)
    assert [row[:2] for row in classes] == [("put back", 60.0)] * 2
    assert [(severity, rule, run in told) for severity, rule, told in said] == [("medium", "reversion", True)]


def test_a_value_that_came_back_unseen_says_so(tmp_path: Path) -> None:
    run = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"
    _, said = found(tmp_path, value("srv-1", "01T08:00", run, "A", "a.exe"), value("srv-1", "02T08:00", run, "A", "b.exe"),
                    value("srv-1", "04T08:00", run, "A", "c.exe", old="a.exe"))
    assert [told for _, _, told in said] == [
        f"On srv-1 {run}\\A was changed by svc.exe as CONTOSO\\ann at 2026-10-02 08:00:00 and had its earlier content again by "
        "2026-10-04 08:00:00, by a change that no event tells of: nobody else did so at that time."]


SILENT = {
    "three contents": ("a", "b", "c"), "unknown in between": ("a", None, "a"), "never away": ("a", "a", "a"),
    "unknown at the end": ("a", "b", None),
}


@pytest.mark.parametrize("contents", SILENT.values(), ids=SILENT)
def test_nothing_is_said_where_nothing_known_came_back(tmp_path: Path, contents: tuple[str | None, ...]) -> None:
    events = [change("srv-1", f"0{at + 1}T08:00", "/srv/a", "Modified", content) for at, content in enumerate(contents)]
    assert found(tmp_path, *events) == ([], [])


def test_hashes_of_different_kinds_do_not_make_a_return(tmp_path: Path) -> None:
    """SHA-256, then only MD5, then the same SHA-256: whether the file changed at all is unknown."""
    events = [change("srv-1", "01T08:00", "/srv/a", "Modified", "a"),
              change("srv-1", "02T08:00", "/srv/a", "Modified", None, FileMd5="0" * 32),
              change("srv-1", "03T08:00", "/srv/a", "Modified", "a")]
    assert found(tmp_path, *events) == ([], [])


def test_one_process_that_deletes_and_writes_a_file_again_only_writes_it(tmp_path: Path) -> None:
    events = [change("srv-1", "01T08:00", "/srv/a", "Created", "a"), change("srv-1", "01T08:00:01", "/srv/a", "Deleted"),
              change("srv-1", "01T08:00:02", "/srv/a", "Created", "a")]
    assert found(tmp_path, *events) == ([], [])


def test_the_empty_file_never_comes_back(tmp_path: Path) -> None:
    events = [change("srv-1", f"01T08:0{at}", "/srv/lock", "Modified", content, FileSize=size)
              for at, (content, size) in enumerate((("", 0), ("pid 4", 5), ("", 0)))]
    assert found(tmp_path, *events) == ([], [])


def test_a_program_with_a_content_for_minutes_and_no_past_is_told_as_that(tmp_path: Path) -> None:
    classes, said = found(tmp_path, change("srv-1", "12T01:40", PASSWD, "Modified", "evil", **CP),
                          change("srv-1", "12T01:46", PASSWD, "Modified", "good", by="/usr/bin/cp", account="root", pid=6))
    assert (classes, said) == ([], [("medium", "short-lived content",
        "On srv-1 /usr/bin/passwd had for 6 minutes only, from 2026-10-12 01:40:00, a content that was on no other host, "
        "by cp as "
        "root; at 2026-10-12 01:46:00 cp as root gave it another, which stayed: what it held before is not known, and it "
        "may have been put back.")])


@pytest.mark.parametrize("actor", [DPKG, CP | {"pid": 5}], ids=["package manager", "one process"])
def test_a_package_manager_or_one_process_that_writes_twice_is_not_worth_a_word(tmp_path: Path, actor: dict) -> None:
    events = [change("srv-1", "12T01:40", PASSWD, "Modified", "half", **actor),
              change("srv-1", "12T01:41", PASSWD, "Modified", "whole", **actor)]
    assert found(tmp_path, *events) == ([], [])


def test_the_order_of_ingest_changes_nothing_and_a_second_run_gives_the_same_rows(tmp_path: Path) -> None:
    from fimforensics.analyze import analyze
    first = [change("srv-1", f"0{at + 1}T08:00", PASSWD, "Modified", "aba"[at], **CP) for at in range(3)]
    second = [change("srv-2", f"0{at + 1}T08:00", PASSWD, "Modified", "aca"[at], **CP) for at in range(3)]
    told = []
    for name, sources in (("one", (first, second)), ("two", (second, first))):
        (tmp_path / name).mkdir()
        case = made(tmp_path / name, *sources, analyses=("versions", "reversions"))
        told.append(rows(case, "SELECT r.class, r.sentence, r.dwell_seconds, h.key FROM reversions r JOIN files f ON f.id "
        "= r.file_id "
                               "JOIN hosts h ON h.id = f.host_id ORDER BY r.id") + rows(case, SAID))
        before = rows(case, "SELECT * FROM reversions") + rows(case, "SELECT * FROM findings")
        analyze(case, ("reversions",))
        assert rows(case, "SELECT * FROM reversions") + rows(case, "SELECT * FROM findings") == before
    assert told[0] == told[1] and len(told[0]) == 4
