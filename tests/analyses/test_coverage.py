"""Coverage: days, silences against a host's own rhythm, observations, and what was changed unseen."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import stories
from building import KEY, change, made, rows, value

from fimforensics import case as cases
from fimforensics.analyses.coverage import ANALYSIS
from fimforensics.analyses.coverage.silences import span
from fimforensics.analyze import analyze
from fimforensics.ingest import Options, ingest
from fimforensics.model import Reading
from fimforensics.queries import coverage as queries

START = datetime(2026, 10, 1)
HOUR, DAY = 3600, 86_400


def at(seconds: float) -> str:
    """A time so many seconds after the first of October."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def beat(host: str, times: list[float], **more: object) -> list[dict]:
    """An event of the host at each of these times."""
    return [change(host, at(time), "/etc/app/state", "Modified", f"{host} {time}", **more) for time in times]  # type: ignore[arg-type]


def every(step: float, until: float, gaps: tuple[tuple[float, float], ...] = ()) -> list[float]:
    """Times at this step, but for those inside the gaps."""
    return [number * step for number in range(int(until / step) + 1)
            if not any(begin < number * step < end for begin, end in gaps)]


def silences(case: Path) -> list[tuple]:
    return rows(case, "SELECT h.name, s.kind, s.since, s.until, s.fleet_events FROM silences s JOIN hosts h ON h.id = s.host_id "
                      "ORDER BY s.id")


def told(case: Path) -> list[str]:
    found = rows(case, "SELECT sentence FROM findings WHERE rule = 'change under silence' ORDER BY id")
    return [sentence for (sentence,) in found]


def test_days(tmp_path: Path) -> None:
    case = made(tmp_path, beat("srv-1", [0, 10, 7200, DAY + 60.5]) + beat("srv-2", [5 * DAY], by=None)
                + [change("srv-2", "9999-12-31T00:00:00", "/x")], analyses=("coverage",))
    assert rows(case, "SELECT h.name, c.day, c.events, c.first, c.last, c.longest_gap_seconds, c.observations FROM coverage c "
                      "JOIN hosts h ON h.id = c.host_id ORDER BY h.key, c.day") == [
        ("srv-1", "2026-10-01", 3, "2026-10-01T00:00:00.0000000Z", "2026-10-01T02:00:00.0000000Z", 7190.0, 0),
        ("srv-1", "2026-10-02", 1, "2026-10-02T00:01:00.5000000Z", "2026-10-02T00:01:00.5000000Z", 79260.5, 0),
        ("srv-2", "2026-10-06", 1, "2026-10-06T00:00:00.0000000Z", "2026-10-06T00:00:00.0000000Z", 0.0, 1)]
    assert silences(case) == told(case) == []


def test_a_silence_is_told_with_what_the_fleet_sent(tmp_path: Path) -> None:
    web = beat("web05", every(1200, 4 * DAY, ((DAY, DAY + 49 * HOUR),)))
    case = made(tmp_path, web + beat("web01", every(7200, 4 * DAY)) + beat("web02", [0, DAY, 4 * DAY]), analyses=("coverage",))
    assert silences(case) == [("web05", "silent", "2026-10-02T00:00:00.0000000Z", "2026-10-04T01:00:00.0000000Z", 24)]
    assert rows(case, "SELECT s.usual_gap_seconds, l.time, n.time, sentence FROM silences s JOIN events l ON l.id = "
                      "last_event_id "
                      "JOIN events n ON n.id = next_event_id") == [
        (1200.0, "2026-10-02T00:00:00.0000000Z", "2026-10-04T01:00:00.0000000Z",
         "web05 reported nothing from 2026-10-02 00:00:00 to 2026-10-04 01:00:00 (49 hours); it usually reports at least "
         "every 20 "
         "minutes, and 1 of 2 other hosts sent 24 events meanwhile.")]


NIGHTS = tuple((day * DAY + 18 * HOUR, (day + 1) * DAY + 8 * HOUR) for day in range(40))
WEEKENDS = tuple((day * DAY + 18 * HOUR, (day + 3) * DAY + 8 * HOUR) for day in (1, 8, 15, 22, 29, 36))
RHYTHMS = {
    "daily": every(DAY, 30 * DAY),
    "daily, one missed": [time for time in every(DAY, 30 * DAY) if time != 7 * DAY],
    "nights": every(1200, 12 * DAY, NIGHTS),
    "nights and weekends": every(1200, 21 * DAY, (*NIGHTS, *WEEKENDS)),
    "two weekends": every(1200, 12 * DAY, (*NIGHTS, *WEEKENDS)),
    "one burst": [0, 1, 2, 3, 4, 5, 6, 7 * DAY],
    "too few": [0, 12 * HOUR, 20 * DAY],
}


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_a_rhythm_is_no_silence(tmp_path: Path, rhythm: str) -> None:
    times = RHYTHMS[rhythm]
    case = made(tmp_path, beat("srv-1", times) + beat("srv-2", every(5 * HOUR, times[-1])), analyses=("coverage",))
    assert silences(case) == []


@pytest.mark.parametrize("rhythm", ["daily", "nights", "nights and weekends"])
def test_a_break_of_each_rhythm_is_a_silence(tmp_path: Path, rhythm: str) -> None:
    begin, end = (3 * DAY, 9 * DAY) if rhythm != "nights and weekends" else (3 * DAY, 12 * DAY)
    times = [time for time in RHYTHMS[rhythm] if not begin < time < end]
    case = made(tmp_path, beat("srv-1", times) + beat("srv-2", every(5 * HOUR, times[-1])), analyses=("coverage",))
    assert [(host, kind) for host, kind, *_ in silences(case)] == [("srv-1", "silent")]


def test_hosts_without_rhythm_are_seldom_called_silent(tmp_path: Path) -> None:
    chance, events = random.Random(7), []
    for host in range(40):
        time = 0.0
        for _ in range(chance.randrange(10, 60)):
            time += chance.expovariate(1 / (12 * HOUR))
            events += beat(f"srv-{host:02}", [round(time, 3)])
    case = made(tmp_path, events, analyses=("coverage",))
    assert len([one for one in silences(case) if one[1] == "silent"]) <= 1


def test_a_host_that_begins_late_or_ends_early(tmp_path: Path) -> None:
    case = made(tmp_path, beat("srv-1", every(HOUR, 9 * DAY)) + beat("srv-2", every(HOUR, 9 * DAY))
                + beat("new-1", [5 * DAY + time for time in every(HOUR, 4 * DAY)]) + beat("old-1", every(HOUR, 3 * DAY)),
                analyses=("coverage",))
    assert [sentence for (sentence,) in rows(case, "SELECT sentence FROM silences ORDER BY id")] == [
        "new-1 reported nothing before 2026-10-06 00:00:00, 5 days after half of the other hosts had begun; it usually "
        "reports at "
        "least every 60 minutes, and 3 of 3 other hosts sent 310 events meanwhile.",
        "old-1 reported nothing after 2026-10-04 00:00:00, 6 days before half of the other hosts ended (2026-10-10 00:00:00); it "
        "usually reports at least every 60 minutes, and 3 of 3 other hosts sent 382 events meanwhile."]


def test_an_end_after_a_known_cut_over_is_named(tmp_path: Path) -> None:
    def hourly(host: str, days: int) -> list[dict]:
        return [change(host, (datetime(2026, 3, 20) + timedelta(hours=hour)).isoformat(), "/etc/a", "Modified", f"{host}{hour}")
                for hour in range(24 * days)]
    case = made(tmp_path, hourly("srv-1", 20) + hourly("srv-2", 20) + hourly("old-1", 6), analyses=("coverage",))
    (sentence,), = rows(case, "SELECT sentence FROM silences")
    assert sentence.endswith("; that is within 6 weeks after the floor of March 2026 below which Windows agents send nothing "
                             "(10.8799).")


def test_a_silence_of_the_whole_fleet_and_of_a_lone_host(tmp_path: Path) -> None:
    gap = ((DAY, 4 * DAY),)
    case = made(tmp_path, beat("srv-1", every(HOUR, 6 * DAY, gap)) + beat("srv-2", every(HOUR, 6 * DAY, gap)),
                analyses=("coverage",))
    assert [(host, kind, fleet) for host, kind, _, _, fleet in silences(case)] == [("srv-1", "fleet silent", 0),
                                                                                   ("srv-2", "fleet silent", 0)]
    (tmp_path / "alone").mkdir()
    alone = made(tmp_path / "alone", beat("srv-1", every(HOUR, 6 * DAY, gap)), analyses=("coverage",))
    assert rows(alone, "SELECT kind, sentence FROM silences") == [
        ("silent", "srv-1 reported nothing from 2026-10-02 00:00:00 to 2026-10-05 00:00:00 (72 hours); it usually reports at "
                   "least "
                   "every 60 minutes; there is no other host to compare with.")]


QUIET = every(HOUR, 6 * DAY, ((2 * DAY, 4 * DAY),))
BEFORE, AFTER = "2026-10-02T12:00:00", "2026-10-05T12:00:00"
SILENT = "srv-1 was silent from 2026-10-03 00:00:00 to 2026-10-05 00:00:00; "
TOOL, RUN = "/usr/bin/tool", "HKLM\\SOFTWARE\\Contoso"


def quiet(*more: dict) -> list[dict]:
    """A host that is silent for two days and another that is not, with some more events."""
    state = [change("srv-1", at(time), "/var/state", "Modified", f"{time}", by="/usr/sbin/appd")
             for time in QUIET if time != 4 * DAY]
    return [*state, *beat("srv-2", every(HOUR, 6 * DAY)), change("srv-1", at(4 * DAY), "/var/other", "Modified", "o"), *more]


UNSEEN = {
    "first event": ([change("srv-1", BEFORE, TOOL, "Modified", "one"),
                     change("srv-1", at(4 * DAY + 60), TOOL, "Modified", "two")],
                    [f"{TOOL} was given other content by svc.exe (CONTOSO\\ann) at 2026-10-05 00:01:00, right after."]),
    "copy": ([change("srv-1", BEFORE, TOOL, "Modified", "one"), change("srv-1", AFTER, TOOL + ".prev", "Created", "two")],
             [f"{TOOL} then had other content than when it was last seen (2026-10-02 12:00:00), as the copy of it shows that was "
              f"kept as {TOOL}.prev at 2026-10-05 12:00:00; nothing tells of the change."]),
    "rename": ([change("srv-1", BEFORE, TOOL, "Modified", "one"),
                change("srv-1", AFTER, TOOL + "2", "Renamed", "two", was=TOOL)],
               [f"{TOOL}2 had other content when it came there from {TOOL} at 2026-10-05 12:00:00 than when it was last seen "
                "(2026-10-02 12:00:00); nothing tells of the change."]),
    "registry": ([value("srv-1", BEFORE, RUN, "a", "1"), value("srv-1", AFTER, RUN, "a", "3", old="2")],
                 [f"{RUN}\\a then had other data than when it was last seen (2026-10-02 12:00:00), as the change of 2026-10-05 "
                  "12:00:00 shows; nothing tells of the change."]),
    "scan": ([change("srv-1", BEFORE, TOOL, "Modified", "one", by=None),
              change("srv-1", AFTER, TOOL, "Modified", "two", by=None)],
             [f"{TOOL} was found with other content when the host was next looked at, 2026-10-05 12:00:00."]),
    # and what betrays nothing
    "same copy": ([change("srv-1", BEFORE, TOOL, "Modified", "one"),
                   change("srv-1", AFTER, TOOL + ".prev", "Created", "one")], []),
    "change seen": ([change("srv-1", BEFORE, TOOL, "Modified", "one"), change("srv-1", AFTER, TOOL, "Modified", "two"),
                     change("srv-1", "2026-10-05T13:00:00", TOOL + ".bak", "Created", "two")], []),
    "later change": ([change("srv-1", BEFORE, TOOL, "Modified", "one"), change("srv-1", AFTER, TOOL, "Modified", "two")], []),
    "patch on several hosts": ([change(host, time, TOOL, "Modified", content, by="/usr/bin/dpkg", account="root")
                                for host in ("srv-1", "srv-2")
                                for time, content in ((BEFORE, "one"), (at(4 * DAY + 60), "two"))], []),
    "copy without a silence": ([change("srv-2", BEFORE, TOOL, "Modified", "one"),
                                change("srv-2", AFTER, TOOL + ".prev", "Created", "two")], []),
}


@pytest.mark.parametrize("kind", UNSEEN)
def test_changes_under_a_silence(tmp_path: Path, kind: str) -> None:
    more, expected = UNSEEN[kind]
    case = made(tmp_path, quiet(*more), analyses=("coverage",))
    assert told(case) == [SILENT + sentence for sentence in expected]


def test_many_changes_after_one_silence_are_one_finding(tmp_path: Path) -> None:
    more = [change("srv-1", time, f"{TOOL}{number}", "Modified", f"{content} {number}")
            for number in range(6) for time, content in ((BEFORE, "one"), (at(4 * DAY + 60 + number), "two"))]
    case = made(tmp_path, quiet(*more), analyses=("coverage",))
    assert told(case) == [SILENT[:-2] + f", and 6 changes came to light after it: the first is that {TOOL}0 was given other "
                                        f"content "
                          "by svc.exe (CONTOSO\\ann) at 2026-10-05 00:01:00, right after."]
    assert rows(case, "SELECT events, severity, technique FROM findings WHERE rule = 'change under silence'") == [
        (6, "medium", "T1562.001")]


def test_the_quarterly_review(tmp_path: Path) -> None:
    case = made(tmp_path, *stories.review(), analyses=("coverage",))
    assert told(case) == ["pay-2 was silent from 2026-10-02 13:00:00 to 2026-10-06 00:30:00; /usr/local/sbin/settle was given "
                          "other "
                          "content by cp (root) at 2026-10-06 00:30:00, right after."]


def test_ingest_order_and_running_again_change_nothing(tmp_path: Path) -> None:
    parts = [quiet(*UNSEEN["copy"][0]), beat("srv-3", every(HOUR, 3 * DAY))]
    seen = []
    for name, order in (("one", parts), ("two", parts[::-1])):
        (tmp_path / name).mkdir()
        case = made(tmp_path / name, *order, analyses=("coverage",))
        seen.append([silences(case), told(case), rows(
            case, "SELECT h.name, c.day, c.events, c.first, c.last, c.longest_gap_seconds FROM coverage c "
                  "JOIN hosts h ON h.id = c.host_id ORDER BY 1, 2")])
    assert seen[0] == seen[1] and len(seen[0][0]) == 2


def test_days_outside_snapshots_and_cut_snapshots(tmp_path: Path) -> None:
    case = made(tmp_path, beat("srv-1", [0, 600, DAY]), beat("srv-1", [5 * DAY, 6 * DAY]) + beat("srv-2", [6 * DAY]),
                analyses=("coverage",))
    with cases.reading(case) as connection:
        found = queries.coverage(connection)
        asked = queries.coverage(connection, since="2026-10-06T00:00:00.0000000Z", until="2026-10-07T00:00:00.0000000Z")
        cut = queries.coverage(connection, "SRV-1", "2026-10-01T00:05:00.0000000Z", "2026-10-02T00:00:00.0000000Z")
    assert [(one.host, one.strip, one.days_outside_snapshots, one.events, one.verdict) for one in found.hosts] == [
        ("srv-1", "█▄???▄▄", 3, 5, "too few events to tell"), ("srv-2", "··???·█", 3, 1, "too few events to tell")]
    assert [(one.host, one.events, one.verdict) for one in asked.hosts] == [
        ("srv-2", 0, "never reported in this time"), ("srv-1", 1, "too few events to tell")]
    assert [(one.events, one.first, one.days) for one in cut.hosts] == [(1, "2026-10-01T00:10:00.0000000Z", 1)]


def test_observations_have_an_interval(tmp_path: Path) -> None:
    scans = [time + second for time in every(DAY, 3 * DAY) for second in (0, 20)]
    agent = [change("srv-2", at(time), "/etc/x", "Modified", by=None) for time in every(2 * HOUR, 3 * DAY)]
    case = made(tmp_path, beat("vm-1", scans, by=None) + agent, analyses=("coverage",))
    with cases.reading(case) as connection:
        one, other = queries.coverage(connection, since=at(DAY + 5) + "0Z").hosts
    assert (other.host, other.observations, one.host, one.observations) == ("vm-1", 5, "srv-2", 0)
    assert other.scans[-1] == queries.Scan("2026-10-04T00:00:00.0000000Z", "2026-10-03T00:00:00.0000000Z", 2)
    assert other.verdict == "looked at now and then only"


def test_words() -> None:
    assert [span(length) for length in (1, 1200, 3600, 49 * HOUR, 5 * DAY)] == [
        "1 second", "20 minutes", "60 minutes", "49 hours", "5 days"]
    assert ANALYSIS.needs == ("versions",)


@pytest.mark.parametrize("name", ["events.ndjson.gz", "events_linux_sensor_variant.ndjson.gz"])
def test_the_recorded_fleet(tmp_path: Path, recordings: Path, name: str) -> None:
    """One host was silent for two days, and a tool of its changed meanwhile; patches are waves, and no alarm."""
    case = tmp_path / "fleet.db"
    ingest(case, [recordings / "fleet" / name], Options(reading=Reading(None, None), case_key=KEY))
    analyze(case, ("bursts", "coverage"))
    web05 = "i-0c3f5a9d71b2e8640"
    assert silences(case) == [(web05, "silent", "2026-11-06T04:15:04.2115570Z", "2026-11-09T03:26:14.0705697Z", 69)]
    assert told(case) == [
        f"{web05} was silent from 2026-11-06 04:15:04 to 2026-11-09 03:26:14; /usr/local/bin/appctl then had other content than "
        "when it was last seen (2026-10-30 19:00:03), as the copy of it shows that was kept as /usr/local/bin/appctl.prev at "
        "2026-11-10 09:16:02; nothing tells of the change."]
    assert rows(case, "SELECT count(*), (SELECT count(*) FROM findings WHERE rule = 'burst') FROM bursts") == [(40, 0)]


def test_the_sample_data(tmp_path: Path) -> None:
    """Its one silent host is found, and no other is called so."""
    case, sample = tmp_path / "sample.db", Path(__file__).parent.parent.parent / "sample_data"
    ingest(case, [sample / "az" / "full.json.gz"], Options(reading=Reading(None, None), case_key=KEY))
    analyze(case, ("coverage",))
    silent = json.loads((sample / "answers.json").read_text(encoding="utf-8"))["silent"]
    assert [one[:4] for one in silences(case)] == [(silent["host"], "silent", silent["last_before"], silent["first_after"])]
