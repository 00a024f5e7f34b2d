"""Paths over small cases: the shortest way in time, the other direction, and the two ways in which there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from building import change, made

from fimforensics import case as cases
from fimforensics.queries import entities
from fimforensics.queries.trace_path import path

Told = list[tuple[str, str, str, str]]


def case_of_two_hosts(folder: Path) -> Path:
    """ann's cp puts a tool on srv-1; it is copied to srv-2, runs there, and writes a file; bob edits another file."""
    return made(folder, [
        change("srv-1", "08:00", "/opt/tool", "Created", "tool", by="/bin/cp", pid=1, account="srv-1\\ann", started="07:59"),
        change("srv-1", "08:20", "/opt/tool", "Modified", "tool", by="/bin/touch", pid=2, account="srv-1\\ann", started=None),
        change("srv-2", "08:10", "/opt/tool", "Created", "tool", by="/bin/scp", pid=3, account="srv-2\\ann", started=None),
        change("srv-2", "08:30", "/etc/cron.d/x", "Created", "x", by="/opt/tool", pid=4, account="srv-2\\root", started="08:29"),
        change("srv-2", "08:40", "/opt/tool", "Modified", "new", by="/bin/vi", pid=5, account="srv-2\\bob", started=None),
    ], analyses=("versions", "relations"))


def told(case: Path, one: str, other: str, steps: int = 8) -> tuple[bool, bool, Told]:
    """Whether it goes the other way round, whether only time forbids it, and the steps."""
    with cases.reading(case) as db:
        found = path(db, entities.resolve(db, one), entities.resolve(db, other), steps)
        names = {key: "content" if key[0] == "content" else entities.name(db, *key).partition("@")[0]
                 for move in found.steps for key in (move.subject, move.object)}
        assert not found.bounded
        return found.swapped, found.against_time, [
            (move.time[11:16], names[move.subject], move.relation, names[move.object]) for move in found.steps]


WAY = [("07:59", "srv-1\\ann", "ran", "srv-1:cp[1]"), ("08:00", "srv-1:cp[1]", "created", "srv-1:/opt/tool"),
       ("08:00", "srv-1:/opt/tool", "had", "content"), ("08:10", "srv-2:/opt/tool", "had", "content"),
       ("08:29", "srv-2:/opt/tool", "became", "srv-2:tool[4]"), ("08:30", "srv-2:tool[4]", "created", "srv-2:/etc/cron.d/x")]


def test_the_way_goes_through_content_and_process(tmp_path: Path) -> None:
    assert told(case_of_two_hosts(tmp_path), "srv-1\\ann", "srv-2:/etc/cron.d/x") == (False, False, WAY)


def test_the_other_way_round_is_said_so(tmp_path: Path) -> None:
    assert told(case_of_two_hosts(tmp_path), "srv-2:/etc/cron.d/x", "srv-1\\ann") == (True, False, WAY)


def test_too_far_is_no_way(tmp_path: Path) -> None:
    assert told(case_of_two_hosts(tmp_path), "srv-1\\ann", "srv-2:/etc/cron.d/x", 5) == (False, False, [])


def test_who_wrote_the_file_afterwards_is_connected_against_time_only(tmp_path: Path) -> None:
    assert told(case_of_two_hosts(tmp_path), "srv-2\\bob", "srv-2:/etc/cron.d/x") == (False, True, [])


def test_the_second_half_is_as_early_as_can_be(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", time, "/etc/a", by="/bin/vi", pid=1, started="07:00") for time in
                           ("08:00", "09:00", "10:00")], analyses=("versions", "relations"))
    assert told(case, "CONTOSO\\ann", "srv-1:/etc/a") == (False, False, [
        ("07:00", "CONTOSO\\ann", "ran", "srv-1:vi[1]"), ("08:00", "srv-1:vi[1]", "modified", "srv-1:/etc/a")])


def test_strangers_have_no_way(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "08:00", "/a", by="/bin/x", pid=1, account="srv-1\\ann"),
                           change("srv-2", "08:00", "/b", by="/bin/y", pid=2, account="srv-2\\bob")],
                analyses=("versions", "relations"))
    assert told(case, "srv-1\\ann", "srv-2\\bob") == (False, False, [])


def test_an_address_did_not_lead_to_what_was_done_for_another(tmp_path: Path) -> None:
    common: dict[str, Any] = {"by": "C:\\Windows\\ntoskrnl.exe", "pid": 4, "account": None, "started": "07:00"}
    case = made(tmp_path, [change("srv-1", f"{8 + number:02}:00", f"D:\\{name}", "Created", name,
                                  RequestSourceIP=f"198.51.100.{ip}", **common)
                           for number, (name, ip) in enumerate([("a", 1), ("b", 2), ("c", 1)])],
                analyses=("versions", "relations"))
    assert told(case, "198.51.100.1", "srv-1:D:\\b") == (False, False, [])
    assert told(case, "198.51.100.1", "srv-1:D:\\c") == (False, False, [
        ("10:00", "198.51.100.1", "acted through", "srv-1:ntoskrnl.exe[4]"),
        ("10:00", "srv-1:ntoskrnl.exe[4]", "created", "srv-1:D:\\c")])
