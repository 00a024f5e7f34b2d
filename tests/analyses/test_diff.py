"""What differs between two times, hosts and cases, row by row; what is unknown says why, and is never same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from building import change, made, value
from comparing import ALIVE, alive, moment, silence
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics import case as cases
from fimforensics.queries import diff
from fimforensics.queries.reporting import END, hosts
from fimforensics.queries.state import Content, State, states

A, B, C, D = (f"C:\\{name}.txt" for name in "abcd")
RUN = "HKEY_LOCAL_MACHINE\\Software\\Run"
MD5 = {"x": "11" * 16, "y": "22" * 16}


def lines(found: Iterator[diff.Difference]) -> list[str]:
    """`host path class | reason`, without the file that only shows that a host reports."""
    return [f"{one.host} {one.path.rpartition(chr(92))[2]} {one.verdict}" + (f" | {one.reason}" if one.reason else "")
            for one in found if one.path != ALIVE]


def between(case: Path, since: str, until: str) -> list[diff.Difference]:
    """What became of everything on all hosts."""
    with cases.reading(case) as db:
        return [one for host in hosts(db) for one in diff.times(db, host, moment(since), moment(until))]


def hosts_apart(case: Path, at: str = END) -> list[diff.Difference]:
    """What differs between the two hosts of the case."""
    with cases.reading(case) as db:
        pair = hosts(db)
        one, other = (states(db, host, moment(at)) for host in pair)
        return list(diff.sides(one, other, pair[1].name, [f"on {host.name}" for host in pair], events=True))


def cases_apart(one: Path, other: Path, at: str = END) -> list[diff.Difference]:
    """What differs between two cases."""
    with cases.reading(one) as db, cases.reading(other) as there:
        return list(diff.cases(db, there, ("one", "other"), moment(at)))


def test_between_two_times(tmp_path: Path) -> None:
    case = made(tmp_path, [
        *alive("srv-1", "07:00", "08:00", "12:00"), change("srv-1", "07:30", A, "Modified", "1"),
        change("srv-1", "07:30", B, "Modified", "1"), change("srv-1", "10:00", B, "Modified", "2"),
        change("srv-1", "10:00", C, "Created", "1"),
        change("srv-1", "07:30", D, "Created", "1"), change("srv-1", "10:00", D, "Deleted"),
        change("srv-1", "07:30", "C:\\e", "Created", "1"), change("srv-1", "10:00", "C:\\e", "Modified", "2"),
        change("srv-1", "11:00", "C:\\e", "Modified", "1"), change("srv-1", "10:00", "C:\\f", "Created", "1"),
        change("srv-1", "11:00", "C:\\f", "Deleted"), change("srv-1", "10:00", "C:\\g", "Modified", "1"),
        value("srv-1", "07:30", RUN, "Up", "one"), value("srv-1", "10:00", RUN, "Up", "two")], analyses=("versions",))
    found = between(case, "08:00", "12:00")
    assert lines(iter(found)) == [
        "srv-1 a.txt same", "srv-1 b.txt changed", "srv-1 c.txt added", "srv-1 d.txt gone",
        "srv-1 e same | changed in between, the same again at the end",
        "srv-1 f same | changed in between, gone again at the end",
        "srv-1 g unknown | first event later, at 2026-10-12 10:00:00: what was there before is unknown", "srv-1 Up changed"]
    with cases.reading(case) as db:
        when = dict(db.execute("SELECT id, substr(time, 12, 5) FROM events"))
    assert {one.path: ([when[event] for event in one.events], one.changes) for one in found if one.path != ALIVE} == {
        A: ([], 0), B: (["10:00"], 1), C: (["10:00"], 1), D: (["10:00"], 1), "C:\\e": (["10:00", "11:00"], 2),
        "C:\\f": (["10:00", "11:00"], 2), "C:\\g": (["10:00"], 1), RUN + "\\Up": (["10:00"], 1)}


def test_changes_without_hash_between_two_times_are_unknown(tmp_path: Path) -> None:
    case = made(tmp_path, [
        *alive("srv-1", "07:00", "12:00"), change("srv-1", "07:30", A, "Modified"), change("srv-1", "07:30", B, "Modified"),
        change("srv-1", "10:00", B, "Modified"), change("srv-1", "07:30", C, "Modified", "1"),
        change("srv-1", "10:00", C, "Modified"), change("srv-1", "07:30", D, "Modified", FileSize=5),
        change("srv-1", "10:00", D, "Modified", FileSize=6),
        change("srv-1", "07:30", "C:\\e", "Modified", FileSize=5), change("srv-1", "10:00", "C:\\e", "Modified", FileSize=5)],
        analyses=("versions",))
    unknown = "unknown | nothing tells whether the contents are equal"
    assert lines(iter(between(case, "08:00", "12:00"))) == [
        "srv-1 a.txt same", f"srv-1 b.txt {unknown}", f"srv-1 c.txt {unknown}", "srv-1 d.txt changed", f"srv-1 e {unknown}"]


def test_nothing_is_the_same_over_a_silence(tmp_path: Path) -> None:
    case = made(tmp_path, [
        *alive("srv-1", "07:00", "08:00", "12:00", "13:00"), change("srv-1", "07:30", A, "Modified", "1"),
        change("srv-1", "07:30", B, "Modified", "1"), change("srv-1", "12:30", B, "Modified", "1"),
        change("srv-1", "07:30", C, "Modified", "1"), change("srv-1", "12:30", C, "Modified", "2")], analyses=("versions",))
    silence(case, "srv-1", "08:00", "12:00")
    silent = "unknown | srv-1 was silent from 2026-10-12 08:00:00 to 2026-10-12 12:00:00"
    assert lines(iter(between(case, "07:45", "13:00"))) == [f"srv-1 a.txt {silent}", "srv-1 b.txt same", "srv-1 c.txt changed"]
    assert lines(iter(between(case, "09:00", "11:00"))) == [f"srv-1 {name}.txt {silent}" for name in "abc"]
    assert lines(iter(between(case, "12:00", "12:20"))) == [f"srv-1 {name}.txt same" for name in "abc"]
    assert lines(iter(between(case, "07:10", "07:20"))) == [
        f"srv-1 {name}.txt unknown | first event later, at 2026-10-12 07:30:00: what was there before is unknown"
        for name in "abc"]


def test_a_host_in_one_of_two_snapshots_is_unknown(tmp_path: Path) -> None:
    first = [change(host, time, path, "Modified", "1") for host in ("srv-1", "srv-2")
             for time, path in (("12T08:00", A), ("12T09:00", B))]
    second = [change("srv-1", "20T08:00", B, "Modified", "1"), change("srv-1", "20T09:00", ALIVE, "Modified", "1")]
    case = made(tmp_path, first, second, analyses=("versions",))
    assert lines(iter(between(case, "12T09:00", "20T09:00"))) == [
        "srv-1 a.txt same", "srv-1 b.txt same", "srv-2 a.txt unknown | no event of srv-2 after 2026-10-12 09:00:00",
        "srv-2 b.txt unknown | no event of srv-2 after 2026-10-12 09:00:00"]
    assert Counter(one.verdict for one in between(case, "13T09:00", "19T09:00") if one.path != ALIVE) == {"unknown": 4}


def test_between_two_hosts(tmp_path: Path) -> None:
    def both(path: str, mine: str | None, its: str | None, what: str = "Modified") -> list[dict]:
        return [change("srv-1", "08:00", path, what, mine), change("srv-2", "09:00", path.upper(), what, its)]
    case = made(tmp_path, [
        *both(A, "1", "1"), *both(B, "1", "2"), *both(C, None, None), *both(D, "1", None),
        change("srv-1", "08:00", "C:\\e", "Created", "1"),
        *both("C:\\f", "1", "1"), change("srv-1", "10:00", "C:\\f", "Deleted"), *both("C:\\g", "1", "1"),
        change("srv-2", "10:00", "C:\\G", "Deleted"), change("srv-1", "08:00", "/h", "Modified", "1"),
        change("srv-2", "08:00", "/H", "Modified", "1"), change("srv-1", "08:00", "/i", "Modified", "x", FileMd5=MD5["x"]),
        change("srv-2", "08:00", "/i", "Modified", None, FileMd5=MD5["x"]),
        change("srv-1", "08:00", "/j", "Modified", "1", FileMd5=MD5["x"]),
        change("srv-2", "08:00", "/j", "Modified", None, FileMd5=MD5["y"]), change("srv-1", "08:00", "/k", "Modified", "1"),
        change("srv-2", "08:00", "/k", "Modified", None, FileMd5=MD5["y"]), value("srv-1", "08:00", RUN, "Up", "one"),
        value("srv-2", "08:00", RUN.replace("HKEY_LOCAL_MACHINE", "HKLM"), "UP", "one")], analyses=("versions",))
    nothing = "nothing tells whether the contents are equal"
    assert lines(iter(hosts_apart(case))) == [
        "srv-2 /H unknown | no event of it on srv-1", "srv-2 /h unknown | no event of it on srv-2", "srv-2 /i same",
        "srv-2 /j changed", f"srv-2 /k unknown | {nothing}", "srv-2 a.txt same", "srv-2 b.txt changed",
        f"srv-2 c.txt unknown | {nothing}", f"srv-2 d.txt unknown | {nothing}", "srv-2 e unknown | no event of it on srv-2",
        "srv-2 f added", "srv-2 g gone", "srv-2 Up same"]
    assert len(hosts_apart(case)[5].events) == 2
    at_eight = {one.path: (one.verdict, one.reason) for one in hosts_apart(case, "08:30")}
    assert at_eight[A] == ("unknown", "first event later, at 2026-10-12 09:00:00: what was there before is unknown")


def test_between_two_hosts_nothing_is_the_same_over_a_silence(tmp_path: Path) -> None:
    case = made(tmp_path, [*alive("srv-1", "07:00", "12:00"), *alive("srv-2", "07:00", "12:00"),
                           *[change(host, "08:00", A, "Modified", "1") for host in ("srv-1", "srv-2")]], analyses=("versions",))
    assert lines(iter(hosts_apart(case))) == ["srv-2 a.txt same"]
    silence(case, "srv-2", "09:00", "11:00")
    assert lines(iter(hosts_apart(case))) == [
        "srv-2 a.txt unknown | srv-2 was silent from 2026-10-12 09:00:00 to 2026-10-12 11:00:00"]


def test_between_two_cases(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one = made(tmp_path / "1", [change("srv-1", "08:00", A, "Modified", "1"), change("srv-1", "08:00", B, "Modified", "1"),
                                change("srv-1", "08:00", C, "Modified", "1"), change("srv-1", "08:00", D, "Modified"),
                                change("srv-2", "08:00", A, "Modified", "1")], analyses=("versions",))
    other = made(tmp_path / "2", [change("srv-0", "13T08:00", A, "Modified", "1"),
                                  change("SRV-1", "13T08:00", A, "Modified", "1"),
                                  change("SRV-1", "13T08:00", B, "Modified", "2"),
                                  change("SRV-1", "13T09:00", D, "Modified")],
                 analyses=("versions",))
    assert lines(iter(cases_apart(one, other))) == [
        "srv-0 a.txt unknown | host srv-0 is only in other", "srv-1 a.txt same", "srv-1 b.txt changed",
        "srv-1 c.txt unknown | no event of it in other", "srv-1 d.txt unknown | nothing tells whether the contents are equal",
        "srv-2 a.txt unknown | host srv-2 is only in one"]
    assert {one.verdict for one in cases_apart(one, other, "13T08:00")} == {"unknown", "changed"}


@pytest.mark.parametrize(("mine", "its", "same"), [
    (Content(sha256="1"), Content(sha256="1", size=3), True), (Content(sha256="1", md5="2"), Content(sha256="1", md5="3"), False),
    (Content(sha256="1"), Content(sha1="1"), None), (Content(size=3), Content(size=3), None),
    (Content(size=3), Content(size=4), False),
    (Content(), Content(), None),
])
def test_files_are_equal_where_a_hash_of_one_kind_says_so(mine: Content, its: Content, same: bool | None) -> None:
    assert diff.equal(_present("file", mine), _present("file", its)) is same
    assert diff.equal(_present("file", its), _present("file", mine)) is same


@pytest.mark.parametrize(("mine", "its", "same"), [
    (Content(data="1"), Content(data="1", type="REG_SZ"), True),
    (Content(data="1", type="REG_DWORD"), Content(data="1", type="REG_SZ"), False),
    (Content(data=""), Content(data=""), True), (Content(data=""), Content(), None),
    (Content(data="1"), Content(data="2"), False),
])
def test_registry_values_are_equal_by_data_and_type(mine: Content, its: Content, same: bool | None) -> None:
    assert diff.equal(_present("registry value", mine), _present("registry value", its)) is same


def _present(kind: str, content: Content) -> State:
    return State("srv-1", kind, A, A, None, 1, "present", "hash", content, None, None, None, None, None, "", None)


EVENTS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["srv-1", "srv-2"]), st.sampled_from([A, B, "/c"]),
                               st.sampled_from(["Created", "Modified", "Deleted", "Renamed"]),
                               st.sampled_from(["1", "2", None]), st.sampled_from([A, B, "/c"])), min_size=1, max_size=8)
MIRROR = {"added": "gone", "gone": "added"}


@settings(max_examples=25)
@given(EVENTS, st.tuples(st.integers(-1, 6), st.integers(-1, 6)).map(sorted))
def test_laws(drawn: list[tuple], asked: list[int]) -> None:
    events = [change(host, f"08:{minute:02}", path, what, content, was=was if what == "Renamed" else None)
              for minute, host, path, what, content, was in drawn]
    events += [change(host, time, ALIVE, "Modified", "1") for host in ("srv-1", "srv-2") for time in ("07:00", "09:00")]
    since, until = (f"08:{minute:02}" if minute >= 0 else "07:59" for minute in asked)
    with TemporaryDirectory() as folder:
        case = made(Path(folder), events, analyses=("versions",))
        assert {one.verdict for one in between(case, since, since)} <= {"same", "unknown"}
        found = between(case, since, until)
        with cases.reading(case) as db:
            known = sum(1 for host in hosts(db) for _ in states(db, host, END))
            one, other = ([list(states(db, host, moment(until))) for host in hosts(db)])
        assert len(found) == known
        for row in found:
            assert row.before is not None and row.after is not None
            if row.verdict == "same":
                assert (row.before.state, row.before.content) == (row.after.state, row.after.content)
            assert (row.verdict == "unknown") == (row.why is not None)
        there, back = ({row.path: row.verdict for row in diff.sides(iter(left), iter(right), "", ["", ""], events=True)}
                       for left, right in ((one, other), (other, one)))
        assert {path: MIRROR.get(verdict, verdict) for path, verdict in there.items()} == back
