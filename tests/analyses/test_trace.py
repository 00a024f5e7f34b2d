"""Traces over small cases: what led to a thing, what it led to, in time, through versions, contents and renames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from building import change, made, value

from fimforensics import case as cases
from fimforensics.queries import entities
from fimforensics.queries.neighbours import neighbours
from fimforensics.queries.trace import trace
from fimforensics.queries.trace_start import standing_event, told

TOOL, RUN = "C:\\Temp\\tool.exe", "HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
ANALYSES = ("versions", "relations", "spread")


def steps(case: Path, name: str, **options: Any) -> set[tuple[str, str, str, str]]:
    """The trace as (time of day, subject, relation, object); processes without their time of creation."""
    with cases.reading(case) as db:
        found = trace(db, entities.resolve(db, name), **options)
        names = {key: "content" if key[0] == "content" else name.partition("@")[0] for key, name in found.names.items()}
        return {(step.move.time[11:19], names[step.move.subject], step.move.relation, names[step.move.object])
                for step in found.steps}


def dropped(folder: Path) -> Path:
    """A server process drops a tool on srv-1, the tool runs and sets a Run value; later the tool's file is another one."""
    return made(folder, [
        change("srv-1", "08:00", TOOL, "Created", "tool", by="C:\\Windows\\w3wp.exe", account="IIS\\web", pid=11, started="07:00",
               RequestSourceIP="198.51.100.7", RequestAccountName="guest"),
        value("srv-1", "08:10", RUN, "Updater", "tool", by=TOOL, account="IIS\\web", pid=12, started="08:05"),
        change("srv-1", "09:00", TOOL, "Modified", "other", by="C:\\Windows\\update.exe", account="CONTOSO\\ann", pid=13),
    ], analyses=ANALYSES)


def test_back_goes_through_the_process_to_who_wrote_its_file_and_on_whose_behalf(tmp_path: Path) -> None:
    assert steps(dropped(tmp_path), "srv-1:" + RUN + "\\Updater", forward=False) == {
        ("08:10:00", "srv-1:tool.exe[12]", "set", f"srv-1:{RUN}\\Updater"),
        ("08:05:00", "IIS\\web", "ran", "srv-1:tool.exe[12]"),
        ("08:05:00", f"srv-1:{TOOL}", "became", "srv-1:tool.exe[12]"),
        ("08:00:00", "srv-1:w3wp.exe[11]", "created", f"srv-1:{TOOL}"),
        ("07:00:00", "IIS\\web", "ran", "srv-1:w3wp.exe[11]"),
        ("08:00:00", "198.51.100.7", "acted through", "srv-1:w3wp.exe[11]"),
        ("08:00:00", "guest", "acted through", "srv-1:w3wp.exe[11]"),
    }  # and not update.exe, which wrote the file after it ran


def test_forward_ends_with_the_life_of_the_version(tmp_path: Path) -> None:
    case = dropped(tmp_path)
    assert steps(case, "srv-1:w3wp.exe[11]", back=False) == {
        ("08:00:00", "srv-1:w3wp.exe[11]", "created", f"srv-1:{TOOL}"),
        ("08:05:00", f"srv-1:{TOOL}", "became", "srv-1:tool.exe[12]"),
        ("08:10:00", "srv-1:tool.exe[12]", "set", f"srv-1:{RUN}\\Updater"),
    }
    assert steps(case, "srv-1:update.exe[13]", back=False) == {("09:00:00", "srv-1:update.exe[13]", "modified", f"srv-1:{TOOL}")}


def test_content_leads_over_hosts_in_order_of_time(tmp_path: Path) -> None:
    case = made(tmp_path, [change(f"srv-{number}", f"{8 + number:02}:00", "/opt/x", "Created", "x", by="/bin/cp", pid=number,
                                  account=f"srv-{number}\\root", started=None) for number in (1, 2, 3)], analyses=ANALYSES)
    assert steps(case, "srv-2:/opt/x", forward=False) == {
        ("10:00:00", "srv-2:cp[2]", "created", "srv-2:/opt/x"), ("10:00:00", "srv-2\\root", "ran", "srv-2:cp[2]"),
        ("10:00:00", "srv-2:/opt/x", "had", "content"), ("09:00:00", "srv-1:/opt/x", "had", "content"),
        ("09:00:00", "srv-1:cp[1]", "created", "srv-1:/opt/x"), ("09:00:00", "srv-1\\root", "ran", "srv-1:cp[1]"),
    }
    assert steps(case, "srv-2:/opt/x", back=False) == {
        ("10:00:00", "srv-2:/opt/x", "had", "content"), ("11:00:00", "srv-3:/opt/x", "had", "content")}


def test_a_rename_carries_the_trace_to_the_old_path(tmp_path: Path) -> None:
    case = made(tmp_path, [
        change("srv-1", "08:00", "/tmp/a", "Created", "x", by="/bin/curl", pid=1, started=None, account=None),
        change("srv-1", "08:30", "/opt/b", "Renamed", "x", by="/bin/mv", pid=2, started=None, account=None, was="/tmp/a"),
    ], analyses=ANALYSES)
    back = {("08:30:00", "srv-1:mv[2]", "renamed", "srv-1:/opt/b"), ("08:30:00", "srv-1:/tmp/a", "renamed to", "srv-1:/opt/b"),
            ("08:00:00", "srv-1:curl[1]", "created", "srv-1:/tmp/a")}
    assert steps(case, "srv-1:/opt/b", forward=False) == back
    assert steps(case, "srv-1:curl[1]", back=False) == {
        ("08:00:00", "srv-1:curl[1]", "created", "srv-1:/tmp/a"), ("08:30:00", "srv-1:/tmp/a", "renamed to", "srv-1:/opt/b")}


def test_between_first_and_last_the_actual_event_counts(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", time, "/etc/a", content=None, by="/bin/vi", pid=1, started=None, account=None)
                           for time in ("08:00", "09:00", "10:00")], analyses=ANALYSES)
    with cases.reading(case) as db:
        middle = db.execute("SELECT id FROM events WHERE time LIKE '%T09%'").fetchone()[0]
        found = trace(db, entities.resolve(db, str(middle)), forward=False)
        assert [(step.move.time[11:16], step.move.event, step.move.events) for step in found.steps] == [("09:00", middle, 3)]


def test_what_is_cut_is_counted_and_the_nearest_is_shown(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", f"08:{number:02}", f"/d/{number}", "Created", by="/bin/tar", pid=1, started=None,
                                  account=None) for number in range(30)], analyses=ANALYSES)
    with cases.reading(case) as db:
        found = trace(db, entities.resolve(db, "srv-1:tar[1]"), back=False, limit=5)
        assert len(found.steps) == 5
        assert [(cut.after, cut.relation, cut.shown, cut.of) for cut in found.cuts] == [(0, "created", 5, 30)]
        last = db.execute("SELECT id FROM events ORDER BY time DESC LIMIT 1").fetchone()[0]
        assert [one.name for one in neighbours(db, last)] == ["srv-1:/d/27", "srv-1:/d/28"]


def test_the_start_tells_actor_time_and_request(tmp_path: Path) -> None:
    with cases.reading(dropped(tmp_path)) as db:
        event = standing_event(db, entities.resolve(db, "srv-1:w3wp.exe[11]"))
        assert event is not None
        found = told(db, event)
    assert {name: found[name] for name in ("host", "change", "path", "image", "pid", "account", "request_account",
                                           "request_address")} == {
        "host": "srv-1", "change": "Created", "path": TOOL, "image": "C:\\Windows\\w3wp.exe", "pid": 11, "account": "IIS\\web",
        "request_account": "guest", "request_address": "198.51.100.7"}


def test_nothing_led_to_an_account(tmp_path: Path) -> None:
    assert steps(dropped(tmp_path), "CONTOSO\\ann", forward=False) == set()


def served(folder: Path) -> Path:
    """One process of a file server writes two files, each for another address, and the first for that one again."""
    common: dict[str, Any] = {"by": "C:\\Windows\\ntoskrnl.exe", "pid": 4, "account": None, "started": "07:00"}
    return made(folder, [
        change("srv-1", "08:00", "D:\\a.txt", "Created", "a", RequestSourceIP="198.51.100.1", **common),
        change("srv-1", "09:00", "D:\\b.txt", "Created", "b", RequestSourceIP="198.51.100.2", **common),
        change("srv-1", "10:00", "D:\\a.txt", "Modified", "c", RequestSourceIP="198.51.100.1", **common),
        change("srv-1", "11:00", "D:\\c.txt", "Created", "d", **common)], analyses=ANALYSES)


def test_who_asked_is_joined_with_what_was_done_for_that_one_only(tmp_path: Path) -> None:
    case = served(tmp_path)
    assert steps(case, "198.51.100.1", back=False) == {
        ("08:00:00", "198.51.100.1", "acted through", "srv-1:ntoskrnl.exe[4]"),
        ("08:00:00", "srv-1:ntoskrnl.exe[4]", "created", "srv-1:D:\\a.txt"),
        ("10:00:00", "srv-1:ntoskrnl.exe[4]", "modified", "srv-1:D:\\a.txt")}
    assert steps(case, "srv-1:D:\\b.txt", forward=False) == {
        ("09:00:00", "srv-1:ntoskrnl.exe[4]", "created", "srv-1:D:\\b.txt"),
        ("09:00:00", "198.51.100.2", "acted through", "srv-1:ntoskrnl.exe[4]")}
    assert steps(case, "srv-1:D:\\c.txt", forward=False) == {
        ("11:00:00", "srv-1:ntoskrnl.exe[4]", "created", "srv-1:D:\\c.txt")}


def test_a_process_does_not_begin_after_what_it_did(tmp_path: Path) -> None:
    case = made(tmp_path, [
        change("srv-1", "08:00", "/a", by="/bin/x", pid=1, started="08:30", account=None),
        change("srv-1", "09:00", "/b", by="/bin/x", pid=1, started="08:30", account="srv-1\\ann")], analyses=ANALYSES)
    assert steps(case, "srv-1:/b", forward=False) == {
        ("09:00:00", "srv-1:x[1]", "modified", "srv-1:/b"), ("09:00:00", "srv-1\\ann", "ran", "srv-1:x[1]")}


def test_a_file_that_got_the_content_often_does_not_hide_how_many_others_have_it(tmp_path: Path) -> None:
    came = [("/a", "x"), ("/a", "y"), ("/a", "x"), ("/a", "z"), ("/a", "x"), ("/b", "x"), ("/c", "x")]
    case = made(tmp_path, [change("srv-1", f"08:0{minute}", path, "Modified", word, by=None, account=None)
                           for minute, (path, word) in enumerate(came)], analyses=ANALYSES)
    with cases.reading(case) as db:
        found = trace(db, entities.resolve(db, "srv-1:/a"), back=False)
        seen = [(step.move.time[11:16], found.names[step.move.subject], step.score.fan)
                for step in found.steps if step.depth == 2]
    assert seen == [("08:05", "srv-1:/b", 2), ("08:06", "srv-1:/c", 2)]


def test_created_files_and_values_are_cut_together(tmp_path: Path) -> None:
    run = RUN.replace("Software", "SOFTWARE")
    case = made(tmp_path, [
        *(change("srv-1", f"08:0{number}", f"C:\\Temp\\{number}", "Created", by=TOOL, pid=1, account=None)
          for number in range(4)),
        *(value("srv-1", f"09:0{number}", f"{run}\\{number}", None, None, "RegistryKeyCreated", by=TOOL, pid=1, account=None)
          for number in range(3))], analyses=ANALYSES)
    with cases.reading(case) as db:
        found = trace(db, entities.resolve(db, "srv-1:tool.exe[1]"), back=False, limit=5)
    assert [(cut.relation, cut.shown, cut.of) for cut in found.cuts] == [("created", 5, 7)]
