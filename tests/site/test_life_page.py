"""The pages of a file and of a registry value: the whole twin of a small life, and what the page makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from conftest import HOSTILE, Browser, opened  # type: ignore[import-not-found]

from tests.analyses.building import change, digest, made, rows, value

PATH = "C:\\Windows\\System32\\x.dll"
RUN = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2])))


def life() -> list[dict[str, Any]]:
    """A file that is changed, deleted, put back; the same path on two hosts; two values of a key."""
    return [
        change("srv-1", "08:00", PATH, "Modified", "good", FileSize=10),
        change("srv-1", "09:00", PATH, "Modified", "evil", by="C:\\Temp\\evil.exe", account="CONTOSO\\eve", pid=9),
        change("srv-1", "10:00", PATH, "Deleted", by="C:\\Temp\\evil.exe", account="CONTOSO\\eve", pid=9),
        change("srv-1", "11:00", PATH, "Created", "good", by="C:\\Temp\\evil.exe", account="CONTOSO\\eve", pid=9),
        change("srv-1", "11:00:30", "C:\\Temp\\log.txt", "Deleted", by="C:\\Temp\\evil.exe", account="CONTOSO\\eve", pid=9),
        change("srv-2", "08:30", PATH, "Modified", "good"), change("srv-3", "08:40", PATH, "Modified", "other"),
        change("srv-2", "12:00", "C:\\Temp\\copy.dll", "Created", "good"),
        change("srv-1", "12:00", "C:\\Temp\\a.tmp", "Created", "t"), change("srv-1", "12:01", "C:\\Temp\\a.txt", "Renamed",
                                                                           was="C:\\Temp\\a.tmp"),
        value("srv-1", "08:00", RUN, "Updater", "a.exe", NewValueType="REG_SZ"),
        value("srv-1", "09:00", RUN, "Updater", "b" * 5_000, old="unseen.exe", NewValueType="REG_SZ"),
        value("srv-1", "08:00", RUN, "Other", ""), value("srv-2", "08:00", RUN, "Updater", "a.exe", NewValueType="REG_SZ"),
    ]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("life"), life())


@pytest.fixture(scope="module")
def site(case: Path) -> Iterator[Browser]:
    yield from opened(case)


def number(case: Path, host: str, path: str, table: str = "files") -> int:
    return int(rows(case, f"SELECT x.id FROM {table} x JOIN hosts h ON h.id = x.host_id WHERE h.name = ? AND x.path = ?",
                    (host, path))[0][0])


def test_the_twin_of_a_file(site: Browser, case: Path) -> None:
    file = number(case, "srv-1", PATH)
    told = site.get(f"/case/files/{file}/page.json").json()
    assert told["headline"] == (
        "2 contents in 4 versions since 2026-10-12 08:00:00; an earlier one came back once. Last known: this content since "
        "2026-10-12 11:00:00, by evil.exe[9], as CONTOSO\\eve. Not known: what was there before 2026-10-12 08:00:00.")
    assert [(one["lane"], one["state"], one["how"], one["lasted"], one["process"], one["notes"]) for one in told["versions"]] == [
        ("A", "present", "a hash was told", "60 minutes", "svc.exe", ["content before not known"]),
        ("B", "present", "a hash was told", "60 minutes", "evil.exe", []),
        ("", "absent", "deleted", "60 minutes", "evil.exe", ["gone for 60 minutes"]),
        ("A", "present", "a hash was told", "still so", "evil.exe", [])]
    assert [(one["letter"], one["kind"], one["hash"], one["periods"], one["returns"]) for one in told["lanes"]["lanes"]] == [
        ("A", "known", digest("good"), 2, 1), ("B", "known", digest("evil"), 1, 0), ("", "unknown", None, 0, 0),
        ("", "absent", None, 1, 0)]
    assert [(one["host"], one["verdict"], one["hash"]) for one in told["hosts"]] == [
        ("srv-2", "same", digest("good")), ("srv-3", "other", digest("other"))]
    assert [(one["host"], one["path"]) for one in told["same"]] == [("srv-2", PATH), ("srv-2", "C:\\Temp\\copy.dll")]
    assert [(one["name"], one["process"], one["why"]) for one in told["near"]] == [
        ("C:\\Temp\\log.txt", "evil.exe[9]@2026-10-12T00:00:00", "same process")]
    assert [one["change"] for one in told["events"]] == ["Created", "Deleted", "Modified", "Modified"]
    assert (told["in_all"], told["laid"], told["page"], told["pages"], told["warnings"], told["empty"]) == (4, 4, 1, 1, [], False)
    assert [one["class"] for one in told["reversions"]] == ["put back"]


def test_the_page_of_a_file_says_it_with_links(site: Browser, case: Path) -> None:
    file = number(case, "srv-1", PATH)
    page = site.get(f"/case/files/{file}").text
    told = words(page)
    assert "2 contents in 4 versions since 2026-10-12 08:00:00" in told and "put back: away 2026-10-12 09:00:00, back" in told
    assert page.count("<svg class=\"lanes\"") == 1 and 'class="back"' in page and 'fill="url(#hatch)"' in page
    content, = rows(case, "SELECT content_id FROM events WHERE file_id = ? AND content_id IS NOT NULL LIMIT 1", (file,))[0]
    other = number(case, "srv-3", PATH)
    for link in (f"/case/-/trace?of=file%23{file}&amp;direction=both", "/case/-/compare?host=srv-1", f"/case/contents/{content}",
                 f"/case/events?file_id={file}", "/case/hosts/", "/case/processes/", "/case/accounts/", f"/case/files/{other}"):
        assert f'href="{link}' in page, link
    assert " style=" not in page
    pictures = [re.findall(r'<svg class="lanes".*?</svg>', one, re.S) for one in (page, site.get(f"/case/files/{file}").text)]
    assert pictures[0] == pictures[1] and len(pictures[0]) == 1


def test_renames_lead_from_and_to(site: Browser, case: Path) -> None:
    old, new = number(case, "srv-1", "C:\\Temp\\a.tmp"), number(case, "srv-1", "C:\\Temp\\a.txt")
    assert f'went to <a href="/case/files/{new}"><bdi>C:\\Temp\\a.txt</bdi></a>' in site.get(f"/case/files/{old}").text
    assert f'renamed from <a href="/case/files/{old}"><bdi>C:\\Temp\\a.tmp</bdi></a>' in site.get(f"/case/files/{new}").text
    assert "Last known: renamed away at 2026-10-12 12:01:00, by svc.exe[7], as CONTOSO\\ann." in words(
        site.get(f"/case/files/{old}").text)


def test_the_twin_and_page_of_a_registry_value(site: Browser, case: Path) -> None:
    its = number(case, "srv-1", f"{RUN}\\Updater", "registry_values")
    told = site.get(f"/case/registry_values/{its}/page.json").json()
    assert [(one["lane"], one["data"][:10], one["data_length"], one["how"], one["process"]) for one in told["versions"]] == [
        ("A", "a.exe", 5, "the data were told", "svc.exe"), ("B", "unseen.exe", 10, "the next event told it as old data", None),
        ("C", "bbbbbbbbbb", 5_000, "the data were told", "svc.exe")]
    assert len(told["versions"][2]["data"]) == 4_000
    assert told["headline"].endswith("what was there before 2026-10-12 08:00:00; who changed it unseen once.")
    assert [(one["host"], one["verdict"], one["data"]) for one in told["hosts"]] == [("srv-2", "other", "a.exe")]
    assert [(one["path"], one["name"], one["data"]) for one in told["values"]] == [(f"{RUN}\\Other", "Other", "")]
    page = site.get(f"/case/registry_values/{its}").text
    assert "<details><summary>" in page and "5,000 characters" in page and "The event has all of it." in page
    assert "set unseen in this time" in words(page) and f"/case/-/trace?of=value%23{its}" in page


def test_a_long_life_comes_in_pages(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", f"{8 + at // 60:02}:{at % 60:02}", PATH, "Modified", f"c{at}") for at in range(120)])
    for browser in opened(case):
        newest, oldest = (browser.get(f"/case/files/1/page.json?page={page}").json() for page in (1, 99))
        assert [len(one["versions"]) for one in (newest, oldest)] == [50, 20] and oldest["page"] == 3
        assert oldest["versions"][0]["since"] == "2026-10-12T08:00:00.0000000Z" and newest["versions"][-1]["lasted"] == "still so"
        assert newest["lanes"]["joined"] == 80 and "80 more contents share one lane" in browser.get("/case/files/1").text
        assert "Earlier ones" in browser.get("/case/files/1").text and "20 of 120 versions, page 3" in words(
            browser.get("/case/files/1?page=3").text)


def test_the_empty_file_links_nothing(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"FileSha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "FileSize": 0}
    case = made(tmp_path, [change(host, "08:00", "/tmp/x", "Created", **empty) for host in ("srv-1", "srv-2")])
    for browser in opened(case):
        told = browser.get("/case/files/1/page.json").json()
        assert (told["empty"], told["same"]) == (True, [])
        assert "It is the empty file, which links nothing." in words(browser.get("/case/files/1").text)


def test_without_analyses_and_without_versions(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "08:00", "/tmp/x", "Created", "a")], analyses=None)
    for browser in opened(case):
        with_none = words(browser.get("/case/files/1").text)
        assert browser.get("/case/files/77").status_code == 404 and browser.get("/case/files/77/page.json").status_code == 404
    assert "Not run on this case, so that this page lacks what they would tell: versions, reversions." in with_none
    assert "No version of it is known" in with_none and "does not mean that it never changed" in with_none
    assert "1 event" in with_none and "These are all." in with_none


def test_hostile_evidence_is_inert(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "08:00", f"/tmp/{at} {word}", "Created", "a", by=f"/bin/{word}", account=f"D\\{word}")
                           for at, word in enumerate(HOSTILE)]
                + [value("srv-1", "09:00", RUN, word, word, by=word) for word in HOSTILE])
    for browser in opened(case):
        for table in ("files", "registry_values"):
            for (one,) in rows(case, f"SELECT id FROM {table}"):
                answer = browser.get(f"/case/{table}/{one}")
                assert answer.status_code == 200 and HIDDEN.search(answer.text) is None
                page = answer.text.partition("<main")[2]
                assert not re.search(r"<(script|img|b|svg/onload)\b|href=\"(javascript|https?:)", page)
                assert browser.get(f"/case/{table}/{one}/page.json").content.isascii()
