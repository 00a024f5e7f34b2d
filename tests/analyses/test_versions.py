"""Versions of files: every row of small lives, as one line of text each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.analyses.building import change, digest, made, rows

WORDS = {digest(word): word for word in "ABCD"}
SQL = """
    SELECT f.path, v.chain_id, v.basis, k.sha256, k.sha1, k.md5, v.size, v.since, v.until, v.before, v.differs,
      p.since || ' ' || pf.path, v.events, b.time, l.time, e.time
    FROM file_versions v JOIN files f ON f.id = v.file_id LEFT JOIN contents k ON k.id = v.content_id
    LEFT JOIN file_versions p ON p.id = v.previous_id LEFT JOIN files pf ON pf.id = p.file_id
    JOIN events b ON b.id = v.begun_by JOIN events l ON l.id = v.last_event_id LEFT JOIN events e ON e.id = v.ended_by
    ORDER BY f.host_id, f.key, v.id"""
A = "C:\\a.txt"
B = "C:\\b.txt"
C = "C:\\c.txt"


def lives(folder: Path, *events: dict[str, Any]) -> list[str]:
    """The rows by file: `place chain basis content size since-until before differs <previous xEvents`, empty parts left out."""
    found, chains = [], {}
    for (path, chain, basis, sha256, sha1, md5, size, since, until, before, differs, previous, count, begun, last,
         ended) in rows(made(folder, list(events), analyses=("versions",)), SQL):
        assert begun == since and ended == until and last >= begun
        name = f"#{chains.setdefault(chain, len(chains) + 1)}"
        content = WORDS.get(sha256, sha256) or (sha1 or md5 or "")[:2]
        parts = [path[3:4] if path.startswith("C:\\") else path, name, basis, content, "" if size is None else f"{size}b",
                 f"{_clock(since)}-{_clock(until) if until else ''}", before and f"before {before}",
                 differs and f"differs {differs}", previous and f"<{_clock(previous.split(' ')[0])}{previous.split(' ')[1][3:4]}",
                 f"x{count}" if count > 1 else ""]
        found.append(" ".join(part for part in parts if part))
    return found


def _clock(time: str) -> str:
    return time[11:16]


def at(time: str, what: str, content: str | None = None, path: str = A, **more: Any) -> dict[str, Any]:
    """An event of a file on the one host of these tests."""
    return change("srv-1", time, path, what, content, **more)


@pytest.mark.parametrize(("events", "expected"), [
    ([at("08:00", "Created", "A"), at("09:00", "Modified", "B"), at("10:00", "Deleted")],
     ["a #1 hash A 08:00-09:00 before absent", "a #1 hash B 09:00-10:00 differs yes <08:00a", "a #1 deleted 10:00- <09:00a"]),
    ([at("08:00", "Modified", "A")], ["a #1 hash A 08:00- before unknown"]),
    ([at("08:00", "Deleted")], ["a #1 deleted 08:00- before unknown"]),
    ([at("08:00", "Deleted", "A"), at("09:00", "Deleted")], ["a #1 deleted 08:00- before unknown x2"]),
    ([at("08:00", "Created", "A"), at("09:00", "Modified", "A"), at("09:30", "Created", "A")],
     ["a #1 hash A 08:00- before absent x3"]),
    ([at("08:00", "Created", "A"), at("09:00", "Deleted"), at("10:00", "Created", "A")],
     ["a #1 hash A 08:00-09:00 before absent", "a #1 deleted 09:00-10:00 <08:00a", "a #1 hash A 10:00- differs no <08:00a"]),
    ([at("08:00", "Created", "A"), at("09:00", "Deleted"), at("10:00", "Modified", "B")],
     ["a #1 hash A 08:00-09:00 before absent", "a #1 deleted 09:00-10:00 <08:00a", "a #1 hash B 10:00- differs yes <08:00a"]),
    ([at("08:00", "Deleted"), at("09:00", "Modified", "A")],
     ["a #1 deleted 08:00-09:00 before unknown", "a #1 hash A 09:00-"]),
    ([at("08:00", "Modified", "A"), at("09:00", "Modified", "B"), at("10:00", "Modified", "A")],
     ["a #1 hash A 08:00-09:00 before unknown", "a #1 hash B 09:00-10:00 differs yes <08:00a",
      "a #1 hash A 10:00- differs yes <09:00a"]),
])
def test_contents_follow_each_other(tmp_path: Path, events: list[dict], expected: list[str]) -> None:
    assert lives(tmp_path, *events) == expected


@pytest.mark.parametrize(("events", "expected"), [
    # a run of unknown contents is one row
    ([at("08:00", "Created"), at("09:00", "Modified"), at("10:00", "Modified")], ["a #1 event only 08:00- before absent x3"]),
    ([at("08:00", "Modified", "A"), at("09:00", "Modified"), at("10:00", "Modified"), at("11:00", "Modified", "A")],
     ["a #1 hash A 08:00-09:00 before unknown", "a #1 event only 09:00-11:00 differs unknown <08:00a x2",
      "a #1 hash A 11:00- differs unknown <09:00a"]),
    # a size tells contents apart, and says nothing where it is the same
    ([at("08:00", "Modified", FileSize=5), at("09:00", "Modified", FileSize=5), at("10:00", "Modified", FileSize=6)],
     ["a #1 size 5b 08:00-10:00 before unknown x2", "a #1 size 6b 10:00- differs yes <08:00a"]),
    ([at("08:00", "Modified", "A", FileSize=5), at("09:00", "Modified", FileSize=5), at("10:00", "Modified")],
     ["a #1 hash A 5b 08:00-09:00 before unknown", "a #1 size 5b 09:00-10:00 differs unknown <08:00a",
      "a #1 event only 10:00- differs unknown <09:00a"]),
    ([at("08:00", "Modified", "A", FileSize=5), at("09:00", "Modified", FileSize=0)],
     ["a #1 hash A 5b 08:00-09:00 before unknown", "a #1 size 0b 09:00- differs yes <08:00a"]),
    # a word that is not known tells of some change, not of which
    ([at("08:00", "Modified", "A", FileSize=5), at("09:00", "Scanned"), at("10:00", "Scanned", FileSize=5),
      at("11:00", "Scanned", "B")],
     ["a #1 hash A 5b 08:00-09:00 before unknown", "a #1 event only 09:00-10:00 differs unknown <08:00a",
      "a #1 size 5b 10:00-11:00 differs unknown <09:00a", "a #1 hash B 11:00- differs unknown <10:00a"]),
    ([at("08:00", "Modified", "A"), at("09:00", "Scanned", "A")], ["a #1 hash A 08:00- before unknown x2"]),
    # a Deleted row's own hash makes no version: the file was gone
    ([at("08:00", "Modified", "A"), at("09:00", "Deleted", "B")],
     ["a #1 hash A 08:00-09:00 before unknown", "a #1 deleted 09:00- <08:00a"]),
])
def test_what_is_not_known_is_said_so(tmp_path: Path, events: list[dict], expected: list[str]) -> None:
    assert lives(tmp_path, *events) == expected


SHA1, MD5 = {"FileSha1": "1" * 40}, {"FileMd5": "5" * 32}


@pytest.mark.parametrize(("first", "then", "expected"), [
    (SHA1, SHA1, ["a #1 hash 11 08:00- before unknown x2"]),
    (SHA1, SHA1 | {"FileMd5": "5" * 32}, ["a #1 hash 11 08:00- before unknown x2"]),
    (SHA1, {"FileSha1": "2" * 40}, ["a #1 hash 11 08:00-09:00 before unknown", "a #1 hash 22 09:00- differs yes <08:00a"]),
    (SHA1 | MD5, {"FileSha1": "1" * 40, "FileMd5": "6" * 32},
     ["a #1 hash 11 08:00-09:00 before unknown", "a #1 hash 11 09:00- differs yes <08:00a"]),
    (SHA1, MD5, ["a #1 hash 11 08:00-09:00 before unknown", "a #1 hash 55 09:00- differs unknown <08:00a"]),
    (SHA1 | {"FileSize": 1}, MD5 | {"FileSize": 2},
     ["a #1 hash 11 1b 08:00-09:00 before unknown", "a #1 hash 55 2b 09:00- differs yes <08:00a"]),
    (SHA1 | {"FileSize": 1}, SHA1, ["a #1 hash 11 1b 08:00- before unknown x2"]),
])
def test_contents_are_compared_by_what_both_have(tmp_path: Path, first: dict, then: dict, expected: list[str]) -> None:
    assert lives(tmp_path, at("08:00", "Modified", **first), at("09:00", "Modified", **then)) == expected


@pytest.mark.parametrize(("events", "expected"), [
    # the chain goes on under the new path, its content with it
    ([at("08:00", "Created", "A"), at("09:00", "Renamed", path=B, was=A), at("10:00", "Modified", "B", B)],
     ["a #1 hash A 08:00-09:00 before absent", "a #2 moved away 09:00-", "b #1 hash A 09:00-10:00 differs no <08:00a",
      "b #1 hash B 10:00- differs yes <09:00b"]),
    # …unless the event tells another
    ([at("08:00", "Created", "A"), at("09:00", "Renamed", "B", B, was=A)],
     ["a #1 hash A 08:00-09:00 before absent", "a #2 moved away 09:00-", "b #1 hash B 09:00- differs yes <08:00a"]),
    ([at("08:00", "Created", "A", FileSize=4), at("09:00", "Renamed", path=B, was=A, FileSize=5)],
     ["a #1 hash A 4b 08:00-09:00 before absent", "a #2 moved away 09:00-", "b #1 size 5b 09:00- differs yes <08:00a"]),
    # an unknown content moves as the unknown one it is
    ([at("08:00", "Created"), at("09:00", "Renamed", path=B, was=A)],
     ["a #1 event only 08:00-09:00 before absent", "a #2 moved away 09:00-", "b #1 event only 09:00- differs no <08:00a"]),
    # a chain of renames
    ([at("08:00", "Created", "A"), at("09:00", "Renamed", path=B, was=A), at("10:00", "Renamed", path=C, was=B)],
     ["a #1 hash A 08:00-09:00 before absent", "a #2 moved away 09:00-", "b #1 hash A 09:00-10:00 differs no <08:00a",
      "b #3 moved away 10:00-", "c #1 hash A 10:00- differs no <09:00b"]),
    # over a file: that one is over for good
    ([at("08:00", "Created", "A"), at("08:30", "Created", "B", B), at("09:00", "Renamed", path=B, was=A),
      at("10:00", "Created", "C")],
     ["a #1 hash A 08:00-09:00 before absent", "a #2 moved away 09:00-10:00", "a #2 hash C 10:00-",
      "b #3 hash B 08:30-09:00 before absent", "b #1 hash A 09:00- differs no <08:00a"]),
    # there and back
    ([at("08:00", "Created", "A"), at("09:00", "Renamed", path=B, was=A), at("10:00", "Renamed", path=A, was=B)],
     ["a #1 hash A 08:00-09:00 before absent", "a #2 moved away 09:00-10:00", "a #1 hash A 10:00- differs no <09:00b",
      "b #1 hash A 09:00-10:00 differs no <08:00a", "b #3 moved away 10:00-"]),
    # two change places by way of a third
    ([at("08:00", "Created", "A"), at("08:30", "Created", "B", B), at("09:00", "Renamed", path=C, was=A),
      at("09:01", "Renamed", path=A, was=B), at("09:02", "Renamed", path=B, was=C)],
     ["a #1 hash A 08:00-09:00 before absent", "a #2 moved away 09:00-09:01", "a #3 hash B 09:01- differs no <08:30b",
      "b #3 hash B 08:30-09:01 before absent", "b #4 moved away 09:01-09:02", "b #1 hash A 09:02- differs no <09:00c",
      "c #1 hash A 09:00-09:02 differs no <08:00a", "c #5 moved away 09:02-"]),
])
def test_renames_carry_the_chain_on(tmp_path: Path, events: list[dict], expected: list[str]) -> None:
    assert lives(tmp_path, *events) == expected


@pytest.mark.parametrize(("events", "expected"), [
    # from a path that no event knows
    ([at("09:00", "Renamed", "A", was=B)], ["a #1 hash A 09:00- before unknown"]),
    ([at("09:00", "Renamed", "A")], ["a #1 hash A 09:00- before unknown"]),
    ([at("08:00", "Modified", "A"), at("09:00", "Renamed", "A", was=B), at("10:00", "Renamed", "A", was=B)],
     ["a #1 hash A 08:00-09:00 before unknown", "a #2 hash A 09:00-10:00 before unknown", "a #3 hash A 10:00- before unknown"]),
    # from one of which something is known only later
    ([at("09:00", "Renamed", "A", was=B), at("10:00", "Created", "B", B)],
     ["a #1 hash A 09:00- before unknown", "b #2 moved away 09:00-10:00 before unknown", "b #2 hash B 10:00-"]),
    # from where it was gone: it had come back unseen
    ([at("08:00", "Created", "A"), at("08:30", "Deleted"), at("09:00", "Renamed", "A", B, was=A)],
     ["a #1 hash A 08:00-08:30 before absent", "a #1 deleted 08:30-09:00 <08:00a", "a #2 moved away 09:00-",
      "b #1 hash A 09:00- differs no <08:00a"]),
    ([at("08:00", "Created", "A"), at("08:30", "Deleted"), at("09:00", "Renamed", path=B, was=A)],
     ["a #1 hash A 08:00-08:30 before absent", "a #1 deleted 08:30-09:00 <08:00a", "a #2 moved away 09:00-",
      "b #1 event only 09:00- differs unknown <08:00a"]),
    # to itself in other letters
    ([at("08:00", "Created", "A"), at("09:00", "Renamed", path="c:\\A.TXT", was=A)], ["a #1 hash A 08:00- before absent x2"]),
    # the same row twice in one source
    ([at("08:00", "Created", "A"), at("09:00", "Renamed", path=B, was=A), at("09:00", "Renamed", path=B, was=A)],
     ["a #1 hash A 08:00-09:00 before absent", "a #2 moved away 09:00- x2", "b #1 hash A 09:00- differs no <08:00a x2"]),
])
def test_renames_out_of_the_unknown(tmp_path: Path, events: list[dict], expected: list[str]) -> None:
    assert lives(tmp_path, *events) == expected


def test_each_host_lives_for_itself_and_the_actor_is_who_began_the_row(tmp_path: Path) -> None:
    case = made(tmp_path, [
        change("srv-2", "08:00", A, "Created", "A", by="setup.exe"), change("srv-1", "09:00", A, "Modified", "A"),
        change("srv-1", "10:00", A, "Modified", "A", by="x.exe"), change("srv-2", "11:00", A, "Deleted", by=None)], analyses=None)
    from fimforensics.analyze import Done, analyze
    seen: list[tuple] = []
    assert analyze(case, ["versions"], lambda *told: seen.append(told)) == [
        Done("versions", {"file_versions": 3, "registry_versions": 0}, 0)]
    assert seen[-1] == ("versions", 1, 1)
    assert rows(case, "SELECT h.name, v.basis, p.name, a.name, v.events FROM file_versions v JOIN files f ON f.id = v.file_id "
                      "JOIN hosts h ON h.id = f.host_id LEFT JOIN processes p ON p.id = v.process_id "
                      "LEFT JOIN accounts a ON a.id = v.account_id ORDER BY 1, v.since") == [
        ("srv-1", "hash", "svc.exe", "CONTOSO\\ann", 2), ("srv-2", "hash", "setup.exe", "CONTOSO\\ann", 1),
        ("srv-2", "deleted", None, None, 1)]


def test_events_at_one_moment_go_by_their_keys(tmp_path: Path) -> None:
    """The order of rows in a source decides nothing."""
    one, other = at("08:00", "Modified", "A"), at("08:00", "Modified", "B")
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    first = lives(tmp_path / "one", one, other)
    assert first == lives(tmp_path / "other", other, one)
    assert [line.split(" ")[4:] for line in first] == [
        ["08:00-08:00", "before", "unknown"], ["08:00-", "differs", "yes", "<08:00a"]]


def test_linux_paths_keep_their_letters(tmp_path: Path) -> None:
    assert lives(tmp_path, at("08:00", "Modified", "A", "/etc/X"), at("09:00", "Renamed", path="/etc/x", was="/etc/X")) == [
        "/etc/X #1 hash A 08:00-09:00 before unknown", "/etc/X #2 moved away 09:00-",
        "/etc/x #1 hash A 09:00- differs no <08:00c"]
