"""The pages of a process, an account and an event: one story told from each of them, and what they say where nothing is known."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from conftest import Browser, opened  # type: ignore[import-not-found]

from fimforensics.case import reading
from fimforensics.site.database import PAGED
from fimforensics.site.shelf import ROWS
from fimforensics.site.strip import Lane, Strip, strip
from tests.analyses.building import change, digest, made, rows

HELPER, SSHD, LOG = "/usr/local/lib/php/helper", "/usr/sbin/sshd", "/var/log/x.log"


def words(page: str) -> str:
    """The page's text, white space folded."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2])))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PHP writes a helper; it runs as root and replaces sshd, which runs later; someone over the network asked for a log."""
    php: dict[str, Any] = {"by": "/usr/sbin/php-fpm", "account": "www-data", "pid": 20}
    helper: dict[str, Any] = {"by": HELPER, "account": "root", "pid": 31, "started": "08:05",
                              "InitProcImageSha256": digest("tool"), "InitiatingProcessCommandLine": "helper --quiet"}
    sshd: dict[str, Any] = {"by": SSHD, "account": "root", "pid": 40, "started": "08:20", "InitProcImageSha256": digest("bad")}
    return made(tmp_path_factory.mktemp("actors"), [
        change("web", "07:00", SSHD, content="good", by="/usr/bin/dpkg", account="root", pid=5),
        change("web", "08:00", HELPER, "Created", "tool", **php),
        change("web", "08:06", SSHD, content="bad", **helper), change("web", "08:07", LOG, "Deleted", **helper),
        change("web", "08:21", "/etc/hosts", content="h", RequestAccountName="ann", RequestSourceIP="10.0.0.9",
               RequestSourcePort="4444", RequestSource="SMB", **sshd)])


@pytest.fixture(scope="module")
def site(case: Path) -> Iterator[Browser]:
    """A browser on it."""
    yield from opened(case)


def number(case: Path, table: str, condition: str) -> int:
    """The id of the one row for which the condition holds."""
    (found,), = rows(case, f"SELECT id FROM {table} WHERE {condition}")
    return int(found)


def test_a_process_tells_where_it_came_from_and_what_came_of_it(site: Browser, case: Path) -> None:
    helper, php, sshd = (number(case, "processes", f"pid = {pid}") for pid in (31, 20, 40))
    told = site.get(f"/case/processes/{helper}/page.json").json()
    assert {key: told["process"][key] for key in ("name", "pid", "created", "host", "weak")} == {
        "name": "helper", "pid": 31, "created": "2026-10-12T08:05:00.000Z", "host": "web", "weak": False}
    origin, = told["origins"]
    assert {name: origin[name] for name in ("file", "how", "process_id", "account", "basis")} == {
        "file": HELPER, "how": "Created", "process_id": php, "account": "www-data", "basis": "hash and path"}
    assert [(one["thing"]["name"], one["thing"]["how"], one["why"]) for one in told["things"]] == [
        (SSHD, ["modified"], ["ran as a process", "has a finding", "program or script"]), (LOG, ["deleted"], ["has a finding"])]
    assert [(one["name"], one["things"], one["ways"], one["system"]) for one in told["folders"]] == [
        ("/usr/sbin", 1, [["modified", 1]], True), ("/var/log", 1, [["deleted", 1]], False)]
    assert [(one["file"], one["process_id"]) for one in told["became"]] == [(SSHD, sshd)]
    assert told["ways"] == {"modified": 1, "deleted": 1}
    assert told["extras"] == {"InitiatingProcessCommandLine": ["helper --quiet"]}
    assert [lane["change"] for lane in told["strip"]["lanes"]] == ["Modified", "Deleted"] and told["warnings"] == []
    assert "1 of 1 hosts knows /usr/local/lib/php/helper to write in /usr/sbin, first seen 2026-10-12 08:06:00." in told["rare"]
    assert [one["rule"] for one in told["findings"]].count("became process") == 2


def test_the_process_page_links_all_it_names(site: Browser, case: Path) -> None:
    helper, php, sshd = (number(case, "processes", f"pid = {pid}") for pid in (31, 20, 40))
    page = site.get(f"/case/processes/{helper}").text
    for table, one in (("processes", php), ("processes", sshd), ("files", number(case, "files", f"path = '{SSHD}'")),
                       ("accounts", number(case, "accounts", "name = 'root'")), ("hosts", 1),
                       ("contents", number(case, "contents", f"sha256 = '{digest('tool')}'"))):
        assert f'href="/case/{table}/{one}"' in page, table
    assert f'href="/case/-/trace?of=process%23{helper}"' in page and "<svg" in page and "helper --quiet" in words(page)
    again = site.get(f"/case/processes/{helper}").text
    assert page.partition("</main>")[0] == again.partition("</main>")[0]  # the foot tells how long it took


def test_a_process_of_the_network_names_who_asked(site: Browser, case: Path) -> None:
    told = site.get(f"/case/processes/{number(case, 'processes', 'pid = 40')}/page.json").json()
    assert [(one["kind"], one["name"], one["events"]) for one in told["acted"]] == [
        ("account", "ann", 1), ("address", "10.0.0.9", 1)]
    dpkg = words(site.get(f"/case/processes/{number(case, 'processes', 'pid = 5')}").text)
    assert "No event of this case tells that its image was written before it started" in dpkg


def test_an_account_tells_hosts_programs_and_requests(site: Browser, case: Path) -> None:
    root = site.get(f"/case/accounts/{number(case, 'accounts', 'name = ' + repr('root'))}/page.json").json()
    assert (root["first"][11:16], root["last"][11:16], root["processes_in_all"], root["cut"]) == ("07:00", "08:21", 3, False)
    assert [(one["host"], one["processes"], one["events"]) for one in root["hosts"]] == [("web", 3, 4)]
    assert {one["image"]: (one["events"], one["known"]) for one in root["programs"]} == {
        HELPER: (2, 1), SSHD: (1, 1), "/usr/bin/dpkg": (1, 1)}
    assert root["ways"] == {"modified": 3, "deleted": 1}
    assert [one["process"] for one in root["processes"]] == ["sshd", "helper", "dpkg"]
    assert [(one["thing"]["name"], one["why"]) for one in root["things"]][:2] == [
        (SSHD, ["has a finding", "program or script"]), ("/etc/hosts", ["has a finding"])]
    ann = site.get(f"/case/accounts/{number(case, 'accounts', 'name = ' + repr('ann'))}/page.json").json()
    assert ann["requests"] == [{"ip": "10.0.0.9", "source": "SMB", "ports": 1}]
    assert [one["process"] for one in ann["acted"]] == ["sshd"] and ann["processes"] == []
    page = site.get(f"/case/accounts/{ann['account']['id']}").text
    assert "10.0.0.9" in words(page) and "Processes that acted in its name" in words(page)


def test_an_event_stands_among_versions_findings_and_neighbours(site: Browser, case: Path) -> None:
    event = number(case, "events", "process_id = (SELECT id FROM processes WHERE pid = 31) AND file_id = "
                                   f"(SELECT id FROM files WHERE path = '{SSHD}')")
    told = site.get(f"/case/events/{event}/page.json").json()
    place, = told["places"]
    assert place["thing"] == {"kind": "file", "table": "files", "id": number(case, "files", f"path = '{SSHD}'"), "name": SSHD}
    chain = place["place"]
    assert (chain["role"], chain["version"]["number"], chain["versions"], chain["differs"]) == ("begins", 2, 2, "yes")
    assert (chain["before"]["hash"], chain["version"]["hash"]) == (digest("good"), digest("bad"))
    assert "became process" in {one["rule"] for one in told["findings"]} and told["requester"] is None
    assert [(one["time"][11:16], one["change"]) for one in told["around"]] == [
        ("07:00", "Modified"), ("08:00", "Created"), ("08:06", "Modified"), ("08:07", "Deleted"), ("08:21", "Modified")]
    page = site.get(f"/case/events/{event}").text
    assert "It begins version 2 of 2 of /usr/sbin/sshd; it differs from the one before." in words(page)
    for part in (f"/case/-/trace?of=event%23{event}", "/case/hosts/1", f"/case/events/{told['around'][1]['id']}",
                 f"/case/events/{event}/page.json"):
        assert f'href="{part}"' in page, part


def test_a_requester_of_an_event_is_a_link(site: Browser, case: Path) -> None:
    event = number(case, "events", "request_id IN (SELECT id FROM requests WHERE ip IS NOT NULL)")
    page = site.get(f"/case/events/{event}").text
    assert "requested from 10.0.0.9 in the name of ann" in words(page)
    assert f'href="/case/accounts/{number(case, "accounts", "name = " + repr("ann"))}"' in page


def test_without_analyses_the_pages_say_what_they_lack(tmp_path: Path) -> None:
    for browser in opened(made(tmp_path, [change("srv", "08:00", "/a/b", content="x", started=None)], analyses=None)):
        for address in ("/case/processes/1", "/case/accounts/1", "/case/events/1"):
            told = words(browser.get(address).text)
            assert "Not run on this case, so that this page lacks what they would tell:" in told, address
            assert "fimforensics analyze CASE brings it up to date." in told
        assert "Weakly identified" in words(browser.get("/case/processes/1").text)
        for address in ("/case/processes/2", "/case/accounts/9", "/case/events/2/page.json"):
            assert browser.get(address).status_code == 404


def test_older_than_the_evidence_is_said(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv", "08:00", "/a/b", content="x")])
    made(tmp_path, [change("srv", "08:00", "/a/b", content="x")], [change("srv", "09:00", "/a/c", content="y")], analyses=None)
    for browser in opened(case):
        assert "Older than the evidence" in words(browser.get("/case/processes/1").text)


def test_a_strip_is_cut_into_slots() -> None:
    times = [("2026-10-12T08:00:00.0000000Z", "Created"), ("2026-10-12T08:00:00.0000000Z", "Created"),
             ("2026-10-12T09:00:00.0000000Z", "Deleted"), ("9999-12-31T23:59:59.9999999Z", "Deleted")]
    assert strip(times) == Strip(times[0][0], times[2][0], 160, (
        Lane("Created", 2, times[0][0], times[0][0], ((0, 20.0, 2),)),
        Lane("Deleted", 1, times[2][0], times[2][0], ((159, 14.14, 1),))), 1)
    assert strip(times[3:]) is None
    one = strip(times[:1])
    assert one is not None and one.lanes[0].bars == ((80, 20.0, 1),)


def test_pages_of_ours_count_no_mentions_elsewhere(site: Browser, case: Path) -> None:
    assert {"events", *ROWS} == PAGED
    found = asyncio.run(site.served.databases["case"].get_all_foreign_keys())
    assert found["events"]["incoming"] == [] and len(found["events"]["outgoing"]) > 5 and found["images"]["incoming"] != []
    assert "in process_reports" in words(site.get("/case/images/1").text)


def test_processes_are_read_without_looking_at_all_events(case: Path) -> None:
    with reading(case) as connection:
        plan = " ".join(row[3] for row in connection.execute(
            "EXPLAIN QUERY PLAN SELECT object_id FROM relations WHERE subject_kind = 'process' AND subject_id = 1 "
            "AND relation = 'modified' ORDER BY first DESC LIMIT 5"))
    assert "relations_subject" in plan and "SCAN" not in plan and "TEMP" not in plan


def test_an_event_that_changes_nothing_falls_into_a_version(tmp_path: Path) -> None:
    again = made(tmp_path, [change("web", "07:00", SSHD, content="good"), change("web", "07:30", SSHD, content="good"),
                            change("web", "08:00", SSHD, content="bad")])
    for site in opened(again):
        event = number(again, "events", "time LIKE '%T07:30%'")
        assert site.get(f"/case/events/{event}").status_code == 200
        (place,) = site.get(f"/case/events/{event}/page.json").json()["places"]
        assert (place["place"]["role"], place["place"]["version"]["number"], place["place"]["versions"]) == ("within", 1, 2)
