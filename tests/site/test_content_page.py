"""The page of a content: its way over the hosts, who brought it, what it became; and the empty file, which links nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from conftest import HOSTILE, Browser, opened  # type: ignore[import-not-found]

from fimforensics.queries import holders
from tests.analyses.building import change, digest, made, rows

TOOL = "/usr/local/bin/tool"


def words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2])))


def chain() -> list[dict[str, Any]]:
    """A tool that is copied from host to host, runs on the first, and is renamed and deleted there."""
    copied: dict[str, Any] = {"by": "/usr/sbin/sshd", "account": "root", "pid": 5}
    runs: dict[str, Any] = {"by": TOOL, "account": "root", "pid": 77, "started": "08:05", "InitProcImageSha256": digest("tool")}
    return [change("web-1", "08:00", TOOL, "Created", "tool", FileSize=1234, **copied),
            change("web-1", "08:06", "/etc/passwd", "Modified", "p", **runs),
            change("web-2", "09:00", TOOL, "Created", "tool", RequestAccountName="eve", RequestSourceIP="10.0.0.9", **copied),
            change("web-3", "11:00", TOOL, "Created", "tool", **copied), change("web-3", "12:00", TOOL, "Deleted", **copied),
            change("web-4", "07:00", TOOL, "Created", "mine", **copied),
            change("web-5", "13:00", "/tmp/gone", "Deleted", "tool", by="/usr/bin/rm", account="root", pid=6)]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("content"), chain())


@pytest.fixture(scope="module")
def site(case: Path) -> Iterator[Browser]:
    yield from opened(case)


def content(case: Path, word: str) -> int:
    return int(rows(case, "SELECT id FROM contents WHERE sha256 = ?", (digest(word),))[0][0])


def test_the_twin_of_a_content(site: Browser, case: Path) -> None:
    told = site.get(f"/case/contents/{content(case, 'tool')}/page.json").json()
    assert told["headline"] == "In 4 files on 4 hosts, first on web-1 at 2026-10-12 08:00:00, by sshd, as root."
    assert (told["sha256"], told["sizes"], told["empty"], told["bounded"], told["warnings"]) == (
        digest("tool"), [1234], False, None, [])
    assert told["rarity"] == "4 of 5 hosts have this content, first in /usr/local/bin."
    assert [(one["host"], one["gap"], one["path"], one["change"], one["held"], one["until"]) for one in told["stops"]] == [
        ("web-1", None, TOOL, "Created", True, None), ("web-2", "60 minutes", TOOL, "Created", True, None),
        ("web-3", "2 hours", TOOL, "Created", True, "2026-10-12T12:00:00.0000000Z"),
        ("web-5", "2 hours", "/tmp/gone", "Deleted", False, "2026-10-12T13:00:00.0000000Z")]
    assert told["others"] == ["web-4"]
    assert [(one["host"], one["path"], *(one[end] and one[end][11:16] for end in ("since", "until")), one["versions"])
            for one in told["files"]] == [("web-1", TOOL, "08:00", None, 1), ("web-2", TOOL, "09:00", None, 1),
                                          ("web-3", TOOL, "11:00", "12:00", 1), ("web-5", "/tmp/gone", None, "13:00", 0)]
    assert [(one["host"], one["process"], one["pid"], one["path"], one["basis"]) for one in told["became"]] == [
        ("web-1", "tool", 77, TOOL, "hash and path")]
    assert told["mode"] is not None and told["why"]


def test_the_page_says_it_with_links(site: Browser, case: Path) -> None:
    its = content(case, "tool")
    page = site.get(f"/case/contents/{its}").text
    told = words(page)
    assert f"<code>{digest('tool')}</code>" in page and "1,234 bytes" in told and "seen only when it was deleted" in told
    assert "In 4 files on 4 hosts" in told and "never told this content: web-4" in told
    assert page.count("<circle") == 4 and page.count('<svg class="lanes"') == 1
    for link in (f"/case/-/trace?of=content%23{its}&amp;direction=both", f"/case/events?content_id={its}", "/case/hosts/",
                 "/case/files/", "/case/processes/", "/case/accounts/"):
        assert f'href="{link}' in page, link
    pictures = [re.findall(r'<svg class="lanes".*?</svg>', one, re.S) for one in (page, site.get(f"/case/contents/{its}").text)]
    assert pictures[0] == pictures[1] and site.get("/case/contents/9999").status_code == 404


def test_a_request_over_the_network_is_told(site: Browser, case: Path) -> None:
    told = site.get(f"/case/contents/{content(case, 'tool')}/page.json").json()
    asked = [(one["host"], one["request_account"], one["request_ip"]) for one in told["stops"] if one["request_ip"]]
    assert asked == rows(case, "SELECT h.name, a.name, r.ip FROM events e JOIN requests r ON r.id = e.request_id JOIN hosts h "
                               "ON h.id = e.host_id LEFT JOIN accounts a ON a.id = r.account_id")


def test_the_empty_file_says_that_it_links_nothing(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"FileSha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "FileSize": 0}
    case = made(tmp_path, [change(host, "08:00", "/tmp/x", "Created", **empty) for host in ("srv-1", "srv-2")])
    for browser in opened(case):
        told = browser.get("/case/contents/1/page.json").json()
        assert (told["empty"], told["mode"], told["became"]) == (True, None, [])
        page = browser.get("/case/contents/1").text
        assert "This is the empty file. It links nothing" in words(page) and "<svg" not in page


def test_what_lies_everywhere_is_counted_and_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "MOST_EVENTS", 3)
    case = made(tmp_path, [change(f"srv-{at}", "08:00", "/opt/x", "Created", "a") for at in range(5)])
    for browser in opened(case):
        told = browser.get("/case/contents/1/page.json").json()
        assert (told["stops"], told["files"], told["hosts_in_all"]) == ([], [], 5)
        assert told["headline"] == "On 5 hosts and in 5 files since 2026-10-12 08:00:00."
        page = words(browser.get("/case/contents/1").text)
        assert "Not everything is listed here: more than 3 events have this content" in page and "5 of 5 hosts" in page


def test_without_analyses(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "08:00", "/opt/x", "Created", "a")], analyses=None)
    for browser in opened(case):
        page = words(browser.get("/case/contents/1").text)
        assert "Not run on this case, so that this page lacks what they would tell: versions, spread, relations." in page
        assert "On 1 host, first on srv-1 at 2026-10-12 08:00:00, by svc.exe, as CONTOSO\\ann." in page
        assert "No file is known to have had it." in page


def test_hostile_evidence_is_inert(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "08:00", f"/tmp/{at} {word}", "Created", "a", by=f"/bin/{word}", account=f"D\\{word}")
                           for at, word in enumerate(HOSTILE)])
    for browser in opened(case):
        page = browser.get("/case/contents/1").text.partition("<main")[2]
        assert not re.search(r"<(script|img|b|svg/onload)\b|href=\"(javascript|https?:)", page)
        assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", page) is None
