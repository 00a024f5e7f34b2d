"""What every file and value held at a time, as one line of text each, and the law that a state is what the events add up to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from building import change, digest, made, rows, value
from comparing import moment, silence
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics import case as cases
from fimforensics.queries.reporting import END, Host, hosts, quiet
from fimforensics.queries.state import REGISTRY, State, states

WORDS = {digest(word): word for word in ("A", "B", "C")}
A, B, C = "C:\\a.txt", "C:\\b.txt", "C:\\c.txt"
RUN = "HKEY_LOCAL_MACHINE\\Software\\Run"


def told(case: Path, at: str, **more: Any) -> list[str]:
    """Every state: `host path state content since | how | doubt`."""
    with cases.reading(case) as db:
        return [line(one) for host in hosts(db) for one in states(db, host, moment(at), **more)]


def line(one: State) -> str:
    """A state as text; contents as the words they were made from."""
    held = one.content
    content = WORDS.get(held.sha256, held.sha256) or held.data or ("" if held.size is None else f"{held.size}b")
    parts = [one.host, one.path.rpartition("\\")[2], one.state, content, one.since[11:16] if one.since else "", "|", one.how]
    return " ".join(part for part in parts if part) + (f" | {one.doubt}" if one.doubt else "")


def at(time: str, what: str, content: str | None = None, path: str = A, **more: Any) -> dict[str, Any]:
    """An event of a file on srv-1."""
    return change("srv-1", time, path, what, content, **more)


LIFE = [at("08:00", "Created", "A"), at("09:00", "Modified", "B"), at("10:00", "Modified"), at("11:00", "Deleted"),
        at("08:30", "Modified", "C", B), at("10:30", "Renamed", None, C, was=B),
        at("12:00", "Modified", None, "C:\\d", FileSize=5)]


@pytest.mark.parametrize(("time", "expected"), [
    ("08:00", ["a.txt present A 08:00 | hash seen at 2026-10-12 08:00:00",
               "b.txt unknown | first event later, at 2026-10-12 08:30:00: what was there before is unknown",
               "c.txt unknown | first event later, at 2026-10-12 10:30:00: what was there before is unknown",
               "d unknown | first event later, at 2026-10-12 12:00:00: what was there before is unknown"]),
    ("10:00", ["a.txt present 10:00 | change seen at 2026-10-12 10:00:00, content unknown",
               "b.txt present C 08:30 | hash seen at 2026-10-12 08:30:00",
               "c.txt unknown | first event later, at 2026-10-12 10:30:00: what was there before is unknown",
               "d unknown | first event later, at 2026-10-12 12:00:00: what was there before is unknown"]),
    (END, ["a.txt absent 11:00 | deleted at 2026-10-12 11:00:00",
           "b.txt absent 10:30 | moved away by a rename at 2026-10-12 10:30:00",
           "c.txt present C 10:30 | content carried along by a rename at 2026-10-12 10:30:00",
           "d present 5b 12:00 | size seen at 2026-10-12 12:00:00, no hash"]),
])
def test_each_state_says_how_it_is_known(tmp_path: Path, time: str, expected: list[str]) -> None:
    assert told(made(tmp_path, LIFE, analyses=("versions",)), time) == [f"srv-1 {one}" for one in expected]


def test_before_a_creation_a_file_is_absent_while_its_host_reported(tmp_path: Path) -> None:
    case = made(tmp_path, [at("08:00", "Modified", "A"), at("10:00", "Created", "B", B)], analyses=("versions",))
    assert told(case, "09:00", glob="*b.txt") == ["srv-1 b.txt absent | created later, at 2026-10-12 10:00:00"]
    assert told(case, "07:00", glob="*b.txt") == [
        "srv-1 b.txt absent | created later, at 2026-10-12 10:00:00 | no event of srv-1 before 2026-10-12 08:00:00"]


def test_a_first_deletion_tells_nothing_of_the_time_before(tmp_path: Path) -> None:
    case = made(tmp_path, [at("07:00", "Modified", "A", B), at("08:00", "Deleted")], analyses=("versions",))
    assert told(case, "07:30", glob=A) == [
        "srv-1 a.txt unknown | first event later, deleted at 2026-10-12 08:00:00: what was there before is unknown"]


def test_what_is_seen_again_counts_from_the_last_time_it_was_seen(tmp_path: Path) -> None:
    case = made(tmp_path, [at(f"{hour:02}:00", "Modified", "A") for hour in (8, 9, 10, 11)], analyses=("versions",))
    assert [told(case, time) for time in ("08:30", "10:30", END)] == [
        [f"srv-1 a.txt present A 08:00 | hash seen at 2026-10-12 {seen}:00:00"] for seen in ("08", "10", "11")]


def test_the_end_of_a_host_and_its_silences_leave_doubts(tmp_path: Path) -> None:
    case = made(tmp_path, [at("08:00", "Modified", "A"), at("12:00", "Modified", "B", B),
                           change("srv-2", "14:00", A, "Created", "A")], analyses=("versions",))
    silence(case, "srv-1", "09:00", "11:00")
    known = "srv-1 a.txt present A 08:00 | hash seen at 2026-10-12 08:00:00"
    assert [told(case, time, glob=A)[0] for time in ("08:59", "10:00", "12:00", "14:00")] == [
        known, *[f"{known} | srv-1 was silent from 2026-10-12 09:00:00 to 2026-10-12 11:00:00"] * 2,
        f"{known} | no event of srv-1 after 2026-10-12 12:00:00"]
    assert told(case, "11:30", glob=B) == ["srv-1 b.txt unknown | first event later, at 2026-10-12 12:00:00: what was there "
                                           "before is unknown"]
    assert told(case, "07:00", glob=A)[1] == ("srv-2 a.txt absent | created later, at 2026-10-12 14:00:00 | no event of srv-2 "
                                              "before 2026-10-12 14:00:00")


def test_registry_values_tell_data_and_unseen_changes(tmp_path: Path) -> None:
    case = made(tmp_path, [value("srv-1", "08:00", RUN, "Up", "one"), value("srv-1", "10:00", RUN, "Up", "three", old="two"),
                           value("srv-1", "11:00", RUN, "Up", None, "RegistryValueDeleted"),
                           value("srv-1", "09:00", RUN, "Old", "new", old="was")], analyses=("versions",))
    unseen = "Up unknown 08:00 | inferred: changed unseen between 2026-10-12 08:00:00 and 2026-10-12 10:00:00"
    assert told(case, "08:30", kind=REGISTRY) == [
        "srv-1 Old unknown | inferred: its data were first reported as the old data at 2026-10-12 09:00:00, since when it had "
        "them is unknown", f"srv-1 {unseen}"]
    assert told(case, "10:00", glob="HKLM\\software\\run\\*") == [
        "srv-1 Old present new 09:00 | data seen at 2026-10-12 09:00:00",
        "srv-1 Up present three 10:00 | data seen at 2026-10-12 10:00:00"]
    assert told(case, END, glob="*\\up") == ["srv-1 Up absent 11:00 | deleted at 2026-10-12 11:00:00"]


def test_old_data_that_is_set_again_is_known_from_then_on(tmp_path: Path) -> None:
    case = made(tmp_path, [value("srv-1", "09:00", RUN, "Up", "same", old="same"),
                           value("srv-1", "10:00", RUN, "Up", "same", old="same")], analyses=("versions",))
    assert [told(case, time)[0].split(" | ")[0] for time in ("08:00", "09:00", "09:30", END)] == [
        "srv-1 Up unknown", *["srv-1 Up present same"] * 3]


@pytest.mark.parametrize(("glob", "fits"), [
    ("*", 3), ("C:\\DATA\\*", 1), ("*.DLL", 1), ("c:/data/x.dll", 1), ("/etc/*", 1), ("/ETC/*", 0), ("*x", 1), ("*nothing*", 0),
])
def test_patterns_fit_windows_paths_in_any_case(tmp_path: Path, glob: str, fits: int) -> None:
    case = made(tmp_path, [at("08:00", "Created", "A", "C:\\Data\\X.dll"), at("08:00", "Created", "A", "/etc/x"),
                           value("srv-1", "08:00", RUN, "Up", "one")], analyses=("versions",))
    assert len(told(case, END, glob=glob)) == fits


def test_a_host_reports_as_long_as_it_usually_is_quiet() -> None:
    days = [f"2026-10-{day}T08:00:00.0000000Z" for day in (12, 14, 16, 20)]
    host = Host(1, "name:srv-1", "srv-1", days[0], days[2], 86_400.0, ((days[0], days[1]),))
    assert [host.gap(*pair) for pair in (
        (days[1], days[2]), (days[2], "2026-10-17T08:00:00.0000000Z"), (days[1], END), (days[2], days[3]), (days[3], END),
        (days[0], days[0]), (days[0], days[1]))] == [
        None, None, None, *["no event of srv-1 after 2026-10-16 08:00:00"] * 2, None,
        "srv-1 was silent from 2026-10-12 08:00:00 to 2026-10-14 08:00:00"]
    assert Host(1, "name:srv-1", "srv-1", None, None).gap(days[0], END) == "no event of srv-1 has a usable time"


def test_a_time_with_no_event_around_is_not_quiet_but_unknown(tmp_path: Path) -> None:
    case = made(tmp_path, [at("12T08:00", "Modified", "A"), at("20T08:00", "Modified", "B")], analyses=("versions",))
    with cases.reading(case) as db:
        [host] = hosts(db)
        spans = [("13T08:00", "19T08:00"), ("12T08:00", "19T08:00"), ("12T08:00", "20T08:00")]
        assert [quiet(db, host, *map(moment, span)) for span in spans] == [
            "no event of srv-1 between 2026-10-12 08:00:00 and 2026-10-20 08:00:00", None, None]


def test_times_that_no_clock_had_are_no_measure(tmp_path: Path) -> None:
    case = made(tmp_path, [at("08:00", "Created", "A"), at("09:00", "Modified", "B", TimeGenerated="9999-12-31T00:00:00Z"),
                           at("09:00", "Created", "B", B, TimeGenerated="1601-01-01T00:00:00Z")], analyses=("versions",))
    assert told(case, "08:30") == [
        "srv-1 a.txt present A 08:00 | hash seen at 2026-10-12 08:00:00 | no event of srv-1 after 2026-10-12 08:00:00",
        "srv-1 b.txt present B 00:00 | hash seen at 1601-01-01 00:00:00 | no event of srv-1 before 2026-10-12 08:00:00"]


EVENTS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([A, B, "/c"]), st.sampled_from(
    ["Created", "Modified", "Deleted"]), st.sampled_from(["A", "B", None])), min_size=1, max_size=8)
PLAIN = """SELECT f.path, e.time, c.change, k.sha256 FROM events e JOIN files f ON f.id = e.file_id
    JOIN changes c ON c.id = e.change_id LEFT JOIN contents k ON k.id = e.content_id ORDER BY e.time, e.match_key, e.ordinal"""


@settings(max_examples=25)
@given(EVENTS)
def test_a_state_is_what_the_events_up_to_then_add_up_to(drawn: list[tuple[int, str, str, str | None]]) -> None:
    events = [at(f"08:0{minute}", what, content if what != "Deleted" else None, path) for minute, path, what, content in drawn]
    with TemporaryDirectory() as folder:
        case = made(Path(folder), events, analyses=("versions",))
        plain = rows(case, PLAIN)
        with cases.reading(case) as db:
            for time in sorted({f"08:0{minute}{second}" for minute, *_ in drawn for second in ("", ":30")} | {"07:59"}):
                found = {one.path: (one.state, one.content.sha256)
                         for host in hosts(db) for one in states(db, host, moment(time))}
                assert found == replayed(plain, moment(time)), time


def replayed(plain: Iterable[tuple], time: str) -> dict[str, tuple]:
    """What the files held, told by going through the events one by one."""
    held: dict[str, tuple] = {}
    for path, when, what, content in plain:
        if when <= time:
            held[path] = ("absent", None) if what == "Deleted" else ("present", content)
        else:
            held.setdefault(path, ("absent" if what == "Created" else "unknown", None))
    return held


MOVES = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([A, B, C]), st.sampled_from(
    ["Created", "Modified", "Deleted", "Renamed"]), st.sampled_from(["A", "B", None]), st.sampled_from([A, B, C])),
    min_size=1, max_size=8)
COVERING = """SELECT f.path, v.state, k.sha256 FROM file_versions v JOIN files f ON f.id = v.file_id
    LEFT JOIN contents k ON k.id = v.content_id WHERE v.since <= ?1 AND (v.until IS NULL OR v.until > ?1) ORDER BY f.path"""


@settings(max_examples=25)
@given(MOVES)
def test_a_state_is_the_one_period_that_covers_the_time(drawn: list[tuple[int, str, str, str | None, str]]) -> None:
    events = [at(f"08:0{minute}", what, content, path, was=was if what == "Renamed" else None)
              for minute, path, what, content, was in drawn]
    with TemporaryDirectory() as folder:
        case = made(Path(folder), events, analyses=("versions",))
        with cases.reading(case) as db:
            for time in sorted({f"08:0{minute}" for minute, *_ in drawn} | {"07:59", "09:00"}):
                found = [(one.path, one.state, one.content.sha256) for host in hosts(db)
                         for one in states(db, host, moment(time)) if one.version is not None]
                assert found == db.execute(COVERING, (moment(time),)).fetchall()
            present = {one.path for host in hosts(db) for one in states(db, host, END) if one.state == "present"}
            assert present == {path for path, in db.execute(
                "SELECT path FROM files f JOIN file_versions v ON v.file_id = f.id WHERE until IS NULL AND state = 'present'")}


def test_data_that_a_rename_of_the_key_took_along_were_not_seen_there(tmp_path: Path) -> None:
    """Also where they were known only as the old data of an event; from the rename on nothing about them is unseen."""
    new = "HKEY_LOCAL_MACHINE\\Software\\New"
    case = made(tmp_path, [value("srv-1", "06:00", RUN, "Up", "one", old="one"), value("srv-1", "07:00", new, "Up", "one"),
                           value("srv-1", "08:00", new, "Up", "two"),
                           value("srv-1", "09:00", new, None, None, "RegistryKeyRenamed", OldValueFullRegistryKey=RUN)])
    assert told(case, "10:00", glob="*\\new\\up") == [
        "srv-1 Up present one 09:00 | content carried along by a rename at 2026-10-12 09:00:00"]
    assert rows(case, "SELECT dwell_seconds, substr(since, 12, 5), substr(until, 12, 5), sentence LIKE '%no event tells%' "
                      "FROM reversions") == [(3600.0, "08:00", "09:00", 0)]
