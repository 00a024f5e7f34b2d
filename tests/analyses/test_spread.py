"""Spread: on which hosts a content is, in which order, at once or in a chain; what is worth a finding, and what is not."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

from fimforensics.analyze import analyze
from fimforensics.arrivals import EMPTY, Arrival, judge
from fimforensics.case import reading
from fimforensics.ingest import Options, ingest
from fimforensics.model import Reading
from fimforensics.queries.derived_digest import derived_digests
from tests.analyses.building import change, digest, made, rows

SSHD, HELPER, DPKG, ROOT = "/usr/sbin/sshd", "/opt/pool/pool-helper", "/usr/bin/dpkg", "NT\\root"
FLEET = [change(f"srv-{number}", f"{number:02d}:00", "/var/log/x.log") for number in range(1, 9)]
SPREAD = ("SELECT k.sha256, s.hosts, s.files, s.mode, s.median_gap_seconds, h.name, substr(s.first, 12, 5), "
          "substr(s.last, 12, 5) FROM content_spread s JOIN contents k ON k.id = s.content_id "
          "JOIN hosts h ON h.id = s.first_host_id ORDER BY s.first")
FOUND = "SELECT severity, sentence, events FROM findings WHERE rule = 'spread in a chain'"


def chain(content: str, path: str = SSHD, by: str = "/usr/bin/install", times: tuple[str, ...] = ("10:00", "10:14", "10:31"),
          **more: object) -> list[dict]:
    """One content on srv-1, srv-2, … at these times."""
    return [change(f"srv-{number}", time, path, content=content, by=by, account=ROOT, **more)
            for number, time in enumerate(times, 1)]


def test_host_by_host_is_a_chain(tmp_path: Path) -> None:
    case = made(tmp_path, FLEET + chain("evil") + [change("srv-1", "12:00", "/tmp/copy", content="evil"),
                                                  change("srv-2", "10:20", SSHD, content="evil")], analyses=("spread",))
    assert rows(case, SPREAD) == [(digest("evil"), 3, 4, "in a chain", 930.0, "srv-1", "10:00", "12:00")]
    assert rows(case, FOUND) == [(
        "medium", f"/usr/sbin/sshd ({digest('evil')[:8]}…) came to 3 of 8 hosts one after another in 31 minutes: srv-1 at "
        "2026-10-12 10:00:00, srv-2 14 minutes later, srv-3 17 minutes later; brought by /usr/bin/install as NT\\root.", 3)]


@pytest.mark.parametrize(("told", "mode"), [
    (chain("one", times=("10:00",)), None),  # one host
    (chain("patch", by=DPKG), "at once"),  # a package manager
    (chain("many", times=("10:00", "10:07", "10:20", "11:00", "11:45")), "at once"),  # more than half of the fleet
    (chain("loop", times=("10:00", "10:00:40", "10:01:30")), "at once"),  # never more than a minute between two
    (chain("steps", times=("10:00", "10:04", "10:08:01")), "at once"),  # a schedule's even steps
    (chain("late", times=("10:00", "20T10:00")), None),  # too far apart to belong together
    ([change(f"srv-{number}", time, SSHD, content="look", by=None, account=None)
      for number, time in enumerate(("03:12", "04:12", "05:12"), 1)], None),  # nobody is named
    (chain("note", path="/srv/data/readme.txt"), "in a chain"),  # nothing that runs: a chain, but no finding
    (chain("", path="/usr/bin/empty", FileSha256=EMPTY[0]), None),  # the empty file links nothing
])
def test_what_is_no_finding(tmp_path: Path, told: list[dict], mode: str | None) -> None:
    case = made(tmp_path, FLEET + told, analyses=("spread",))
    assert rows(case, "SELECT mode FROM content_spread") == [(mode,)]
    assert rows(case, FOUND) == []


def test_contents_that_tell_other_hashes(tmp_path: Path) -> None:
    """Equal SHA-1 and no SHA-256 on one side is one content; rows of contents that are one have equal rows here."""
    sha1, md5 = "a" * 40, "b" * 32
    case = made(tmp_path, [
        change("srv-1", "10:00", SSHD, content="x", FileSha1=sha1), change("srv-2", "11:00", SSHD, FileSha1=sha1),
        change("srv-3", "12:00", SSHD, FileSha1=sha1, FileMd5=md5), change("srv-4", "13:00", SSHD, FileMd5="c" * 32)],
        analyses=("spread",))
    assert rows(case, "SELECT k.sha256, k.sha1, k.md5, s.hosts, s.files, substr(s.first, 12, 5), s.first_event_id = "
                      "min(s.first_event_id) OVER (PARTITION BY s.hosts) FROM content_spread s JOIN contents k "
                      "ON k.id = s.content_id ORDER BY k.sha256 DESC, k.sha1 DESC, k.md5") == [
        (digest("x"), sha1, None, 3, 3, "10:00", 1), (None, sha1, None, 3, 3, "10:00", 1), (None, sha1, md5, 3, 3, "10:00", 1),
        (None, None, "c" * 32, 1, 1, "13:00", 1)]


def test_nothing_is_one_content_through_a_third(tmp_path: Path) -> None:
    """A SHA-256 alone and an MD5 alone both count with the row that has the two, never with each other; as `spread` tells."""
    md5, other = "b" * 32, "d" * 40
    told = [change("srv-1", "10:00", SSHD, content="x"), change("srv-2", "10:20", SSHD, content="x", FileMd5=md5),
            change("srv-3", "10:50", SSHD, FileMd5=md5), change("srv-4", "11:40", SSHD, FileSha1=other, FileMd5=md5), *FLEET]
    expected = {(digest("x"), None, None): 2, (digest("x"), None, md5): 4, (None, None, md5): 3, (None, other, md5): 3}
    for number, events in enumerate((told, told[::-1])):
        (folder := tmp_path / str(number)).mkdir()
        case = made(folder, events, analyses=("spread",))
        found = rows(case, "SELECT k.sha256, k.sha1, k.md5, s.hosts FROM content_spread s JOIN contents k ON k.id = s.content_id")
        assert {row[:3]: row[3] for row in found} == expected
        assert rows(case, "SELECT count(*), sum(events) FROM findings WHERE rule = 'spread in a chain'") == [(1, 4)]


def test_odd_times_and_deletes(tmp_path: Path) -> None:
    """1601 counts for nothing; a Deleted with a hash shows that a host had it, not when it came or by whom."""
    case = made(tmp_path, [*FLEET, *chain("x", times=("10:00",)),
                           change("srv-2", "11:00", SSHD, "Deleted", "x", by="/usr/bin/rm"),
                           change("srv-3", "1601-01-01T00:00:00", SSHD, content="x")], analyses=("spread",))
    assert rows(case, SPREAD) == [(digest("x"), 2, 2, None, 3600.0, "srv-1", "10:00", "11:00")]


def test_order_of_ingest_does_not_matter(tmp_path: Path) -> None:
    told = FLEET + chain("evil") + chain("patch", by=DPKG) + [change("srv-4", "10:00", "/bin/a", content="evil")]
    digests = []
    for number, (one, two) in enumerate(((told[:10], told[10:]), (told[:9:-1], told[9::-1]))):
        (folder := tmp_path / str(number)).mkdir()
        with reading(made(folder, one, two, analyses=("spread",))) as connection:
            digests.append({name: value for name, value in derived_digests(connection).items()
                            if name in ("content_spread", "findings", "finding_events")})
    assert digests[0] == digests[1]


def test_the_hand_over_the_network_counts_more_than_haste() -> None:
    near = [Arrival(0, "scp"), Arrival(90, "sftp-server", "bob"), Arrival(200, "scp")]
    assert judge(near, 8).mode == "in a chain"
    assert judge([Arrival(0, "cp"), Arrival(90, "cp"), Arrival(200, "mv")], 8).mode == "at once"
    assert judge([Arrival(0, "system"), Arrival(90, "system", remote=True)], 8).why == (
        "2 of 8 hosts had it one after another in 2 minutes; to 1 of the later it came over the network by a copy or a remote "
        "session.")


def test_the_recorded_fleet(tmp_path: Path) -> None:
    """Incident d, one binary over three hosts in 31 minutes, and nothing of patches and deployments."""
    folder = Path(os.environ.get("FIMFORENSICS_RECORDINGS", "")) / "fleet"
    if "FIMFORENSICS_RECORDINGS" not in os.environ or not folder.is_dir():
        pytest.skip("FIMFORENSICS_RECORDINGS names no folder with the recorded fleet")
    with gzip.open(folder / "labels.csv.gz", "rt") as lines:
        labels = {(row["computer"], row["time_generated"]): row["label"] for row in csv.DictReader(lines)}
    ingest(tmp_path / "case.db", [folder / "events.ndjson.gz"], Options(reading=Reading(None, None)))
    analyze(tmp_path / "case.db", ("spread",))
    found = rows(tmp_path / "case.db", "SELECT f.id, h.name, e.time FROM findings f JOIN finding_events x ON x.finding_id = f.id "
                                       "JOIN events e ON e.id = x.event_id JOIN hosts h ON h.id = e.host_id "
                                       "WHERE f.rule = 'spread in a chain' ORDER BY e.time")
    assert [labels[host, time] for _, host, time in found] == ["incident:d"] * 3
    assert len({finding for finding, _, _ in found}) == 1


@pytest.mark.parametrize(("program", "mode"), [("/usr/bin/dpkg", "at once"), ("dpkg", "at once"), ("/tmp/dpkg", "in a chain")])
def test_a_name_makes_a_deployment_only_where_not_anybody_can_leave_files(program: str, mode: str) -> None:
    assert judge([Arrival(seconds, program, "root") for seconds in (0.0, 900.0, 2_500.0)], 8).mode == mode
