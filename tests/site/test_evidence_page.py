"""The evidence: originals, rejects, the custody log and its chain, analyses, and the commands that check them."""

from __future__ import annotations

import re
import sqlite3
from html import unescape
from pathlib import Path

from conftest import Browser, empty_case, opened  # type: ignore[import-not-found]

from benchmarks import small_case
from tests.analyses.building import change, made


def words(page: str) -> str:
    """The page's text, white space folded."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2])))


def changed(case: Path, sql: str) -> None:
    """Does to the case what nobody should."""
    with sqlite3.connect(case) as connection:
        connection.execute(sql)
    connection.close()


def test_a_whole_case(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv", "08:00", "/a/b", content="x")], [change("srv", "09:00", "/a/c", content="y")])
    for browser in opened(case):
        told = browser.get("/case/-/evidence/page.json").json()
        assert [(one["source"].rpartition("/")[2], one["original"], one["records"], one["new_events"], one["rejects"])
                for one in told["snapshots"]] == [("source-0.jsonl", "whole", 1, 1, 0), ("source-1.jsonl", "whole", 1, 1, 0)]
        log = told["custody"]
        assert (log["entries"], log["chain"], log["broken_at"], log["untold"]) == (2, "whole", None, [])
        assert [(one["id"], one["action"]) for one in log["last"]] == [(1, "ingest"), (2, "ingest")]
        assert {one["state"] for one in told["analyses"]} == {"fresh"} and told["file"] == "case.db"
        page = words(browser.get("/case/-/evidence").text)
        assert "2 entries, chain whole" in page and "Every record that was read became an event." in page
        for command in ('fimforensics custody "case.db"', 'fimforensics original "case.db" 1 --output FILE',
                        'fimforensics info "case.db" --digest', 'sha256sum "case.db"', 'fimforensics rebuild "case.db" NEW.db'):
            assert command in page
        assert 'href="/case/custody_log/1"' in browser.get("/case/-/evidence").text


def test_the_seal_is_told(tmp_path: Path) -> None:
    case = small_case.sealed(tmp_path)
    for browser in opened(case):
        told = browser.get("/case/-/evidence/page.json").json()["seal"]
        assert browser.get("/case/page.json").json()["seal"] == told and "sealed 2" in words(browser.get("/case").text)
        page = words(browser.get("/case/-/evidence").text)
        assert told["signers"][0].startswith("SHA256:") and told["note"] == "sealed" and told["problem"] is None
        assert f"signed with {told['signers'][0]}" in page and 'fimforensics verify "case.db" --key FINGERPRINT' in page
    case.with_name("case.db.sig").unlink()
    for browser in opened(case):
        assert "The seal does not hold together: the signature of SHA256:" in words(browser.get("/case/-/evidence").text)
        assert "does not hold together" in words(browser.get("/case").text)


def test_what_was_tampered_with_is_said(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv", "08:00", "/a/b", content="x")], [change("srv", "09:00", "/a/c", content="y")],
                analyses=("versions",))
    changed(case, "UPDATE custody_log SET actor = 'nobody' WHERE id = 2")
    changed(case, "DELETE FROM originals WHERE snapshot_id = 1")
    changed(case, "UPDATE originals SET length = length - 1 WHERE snapshot_id = 2")
    changed(case, "INSERT INTO snapshots (id, set_id, source, state, acquired, size, reading, truncated, tool, first_seq) "
                  "SELECT 3, set_id, 'planted', state, acquired, size, reading, 'cut', tool, first_seq FROM snapshots "
                  "WHERE id = 1")
    for browser in opened(case):
        told = browser.get("/case/-/evidence/page.json").json()
        assert [(one["id"], one["original"]) for one in told["snapshots"]] == [(3, "missing"), (1, "missing"), (2, "partly")]
        assert (told["custody"]["chain"], told["custody"]["broken_at"], told["custody"]["untold"]) == ("broken", 2, [3])
        assert {one["name"]: one["state"] for one in told["analyses"]}["actors"] == "never run"
        page = words(browser.get("/case/-/evidence").text)
        assert "The custody log is broken at entry 2:" in page and "chain broken" in page and "only a part" in page
        assert "Probably not the whole: planted. cut" in page and "No entry of the custody log tells of" in page


def test_an_empty_case(tmp_path: Path) -> None:
    for browser in opened(empty_case(tmp_path / "case.db")):
        page = words(browser.get("/case/-/evidence").text)
        assert "Nothing was taken in yet." in page and "The log has no entry." in page and "never run" in page


def test_rejects_have_their_reasons(normal: Browser) -> None:
    told = normal.get("/case/-/evidence/page.json").json()
    assert told["rejects_in_all"] == 3
    assert [(one["source"], one["reason"], one["records"]) for one in told["rejects"]] == [
        ("alpha", "alpha", 1), ("beta", "beta", 1), ("gamma", "gamma", 1)]
    assert 'href="/case/rejects?snapshot_id=1"' in normal.get("/case/-/evidence").text


def test_the_menu_leads_to_pages_of_the_case(normal: Browser) -> None:
    page = normal.get("/case/-/evidence").text
    for name in ("findings", "coverage", "evidence"):
        assert f'href="/case/-/{name}"' in page, name
    assert '<a href="/case/-/evidence" aria-current="page">Evidence</a>' in page


def test_hostile_evidence_is_inert(hostile: Browser) -> None:
    page = hostile.get("/case/-/evidence").text
    assert "<script>alert" not in page and "<img src=x" not in page and not re.search("[\x00-\x08\x0b-\x1f\u202e\u2066]", page)
