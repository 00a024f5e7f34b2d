"""Notes on the pages: written by plain forms, shown beside what they are about, found, listed, and never in the case."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from noting import EVENTS, THINGS, Writer, number_of  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.serve import Ways
from tests.analyses.building import made


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with a row of everything that has notes."""
    return made(tmp_path_factory.mktemp("case"), EVENTS, analyses=("versions", "reversions", "persistence", "actors"))


@pytest.fixture
def ann(case: Path, tmp_path: Path) -> Iterator[Writer]:
    """Ann, who may write."""
    writer = Writer([case], Ways(notes=True, notes_file=tmp_path / "n.db", owner="ann"))
    yield writer
    serve.close(writer.served)


def test_everything_takes_notes_and_shows_them(ann: Writer, case: Path) -> None:
    before = hashlib.sha256(case.read_bytes()).hexdigest()
    for table in THINGS:
        noted_and_shown(ann, table, number_of(table, case))
    assert hashlib.sha256(case.read_bytes()).hexdigest() == before


def noted_and_shown(ann: Writer, table: str, number: int) -> None:
    """One thing gets a note of each kind; its page, its twin and its table tell of it."""
    for do, said in (("star", ""), ("tag", "c2 server"), ("comment", "look <b>\u202ehere"), ("disposition", "malicious")):
        answer = ann.say(do, said, table, number, next=f"/case/{table}/{number}?x=1")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/case/{table}/{number}?x=1#notes"), answer.text
    page = ann.get(f"/case/{table}/{number}").text
    assert 'id="notes"' in page and "look &lt;b&gt;\\u202ehere" in page and "malicious (ann); starred by ann; c2 server" in page
    twin = ann.get(f"/case/{table}/{number}/page.json").json()["notes"]
    assert [said["text"] for said in twin["comments"]] == ["look <b>\u202ehere"] and twin["dispositions"][0]["actor"] == "ann"
    rows = ann.get(f"/case/{table}").text
    assert rows.count('class="noted malicious"') >= 1


def test_other_pages_mark_what_has_notes(ann: Writer) -> None:
    ann.say("tag", "odd", "hosts", 1)
    for path in ("/case/events", "/case/events/1", "/case/-/findings", "/case/files/1"):
        assert "Notes: odd" in ann.get(path).text, path


def test_nothing_is_said_of_other_tables_and_rows(ann: Writer) -> None:
    for table, number in (("snapshots", 1), ("case_info", 1), ("hosts", 99), ("hosts", ""), ("hosts", "x"), ("hosts", "1" * 30),
                          ("sqlite_master", 1), ("hosts", "-1"), ("hosts", "\u0661")):
        answer = ann.say("star", "", table, number)
        assert (answer.status_code, "Nothing was written" in answer.text) == (400, True), (table, number)
    assert ann.served.desk.cases["case"].book.lines == []
    assert 'id="notes"' not in ann.get("/case/snapshots/1").text


def test_a_comment_is_taken_back_by_who_wrote_it_and_stays_on_record(ann: Writer, case: Path) -> None:
    ann.say("comment", "a slip")
    book = ann.served.desk.cases["case"].book
    assert ann.say("retract", target=book.lines[0].entry).status_code == 303
    assert ann.say("retract", target=book.lines[0].entry).status_code == 400
    assert ann.say("retract", target=book.lines[1].entry).status_code == 400
    assert ann.say("retract", target="nonsense").status_code == 400
    page = ann.get("/case/hosts/1").text
    assert "took this back" in page and "a slip" in page and [line.said.action for line in book.lines] == ["comment", "retract"]
    other = Writer([case], Ways(notes=True, notes_file=book.path, owner="bob"))
    ann.say("comment", "meant")
    answer = other.say("retract", target=book.lines[2].entry)
    assert (answer.status_code, "ann, who alone can take it back" in answer.text) == (400, True)
    serve.close(other.served)


def test_a_star_is_one_button(ann: Writer) -> None:
    ann.say("star")
    page = ann.get("/case/hosts/1").text
    target = page.split('name="target" value="')[1].split('"')[0]
    assert "Take your star away" in page
    ann.say("retract", target=target)
    assert "☆ Star" in ann.get("/case/hosts/1").text and ann.get("/case/hosts").text.count('class="noted') == 0


def test_the_list_is_narrowed_and_exported(ann: Writer) -> None:
    ann.say("tag", "=c2", "hosts", 1)
    ann.say("comment", "seen in the proxy log", "files", 1)
    ann.say("disposition", "benign", "events", 1)
    assert [line["told"]["kind"] for line in ann.get("/case/-/notes/page.json").json()["lines"]] == ["event", "file", "host"]
    for query, kinds in (("kind=file", ["file"]), ("tag=%3Dc2", ["host"]), ("disposition=benign", ["event"]), ("by=bob", []),
                         ("q=proxy+LOG", ["file"]), ("q=nothing", []), ("state=comments", ["file"]), ("page=7", None)):
        found = ann.get(f"/case/-/notes/page.json?{query}").json()
        assert kinds is None or [line["told"]["kind"] for line in found["lines"]] == kinds, query
        assert ann.get(f"/case/-/notes?{query}").status_code == 200
    rows = list(csv.DictReader(io.StringIO(ann.get("/case/-/notes.csv").text)))
    assert [(row["actor"], row["action"], row["value"]) for row in rows] == [
        ("ann", "tag", "'=c2"), ("ann", "comment", "seen in the proxy log"), ("ann", "disposition", "benign")]


def test_the_search_box_finds_notes(ann: Writer) -> None:
    ann.say("comment", "beacons to the northpole", "files", 1)
    found = ann.get("/case/-/search/page.json?q=northpole").json()["found"][0]["groups"]
    assert [(group["name"], [hit["table"] for hit in group["hits"]]) for group in found] == [("notes", ["files"])]
    assert "In notes" in ann.get("/case/-/search?q=northpole").text


def test_without_notes_nothing_of_them_is_there(case: Path) -> None:
    from conftest import Browser  # type: ignore[import-not-found]
    plain = Browser([case])
    assert plain.request("POST", "/case/-/notes", data={"do": "star"}).status_code == 405
    assert {plain.get(f"/case/-/notes{end}").status_code for end in ("", ".csv", "/page.json")} <= {400, 404}
    page = plain.get("/case/hosts/1")
    assert "notes" not in page.text.lower().replace("note\"", "") and "set-cookie" not in page.headers
    assert not case.with_name("case.db.notes.db").exists()
    serve.close(plain.served)


def test_forms_that_are_not_ours_are_refused(ann: Writer) -> None:
    token, jar = ann.token(), dict(ann.jar)
    fields = {"do": "star", "table": "hosts", "number": "1", "next": "/"}

    def status(data: object = None, cookie: dict[str, str] | None = None, path: str = "/case/-/notes", **headers: str) -> int:
        ann.jar = dict(jar if cookie is None else cookie)
        content = data if isinstance(data, bytes) else None
        kind = {"content-type": "application/x-www-form-urlencoded"} if content is not None else {}
        return ann.request("POST", path, data=None if content is not None else data, content=content,
                           headers={**kind, **{name.replace("_", "-"): told for name, told in headers.items()}}).status_code
    good = {**fields, "token": token}
    assert status(fields) == 403
    assert status({**fields, "token": token[:-1] + "x"}) == status({**fields, "token": "é"}) == 403
    assert status(good, {}) == 403  # no cookie: another site, or a program
    assert status(good, {next(iter(jar)): "A" * 43}) == 403  # another visitor's token
    assert status(good, {next(iter(jar)): "short"}) == status(good, {"other": "x"}) == 403
    assert status(good, origin="http://evil.example") == status(good, origin="http://127.0.0.1:1") == 403
    assert status(good, sec_fetch_site="cross-site") == status(good, sec_fetch_site="same-site") == 403
    assert status(good, host="evil.example") == 421
    assert status(good, content_type="application/json") == status(good, content_type="multipart/form-data") == 415
    assert status(good, content_type="text/plain") == 415
    assert status(good, authorization="Bearer x", content_type="application/json") == 415
    assert status(b"\xff\xfe") == status(b"%ff=1") == status(b"&".join(b"a%d=1" % n for n in range(50))) == 400
    assert status(b"x" * (256 * 1024 + 1)) == 413
    assert [status(good, path=path) for path in ("/case/-/notes/", "/case/-/notes.csv", "/-/notes", "/case/hosts/1", "/",
                                                 "/case/-/notes/page.json", "//case/-/notes")] == [405] * 7
    assert status(good, path="/other/-/notes") == status(good, path="/_internal/-/notes") == 405
    assert [ann.request(method, "/case/-/notes", headers={}).status_code for method in ("PUT", "DELETE", "PATCH", "OPTIONS")] == [
        405, 405, 405, 204]
    assert ann.served.desk.cases["case"].book.lines == []
    assert status(good, {"bad": '{"a": [1', "x y": "\x01", **jar}) == 303  # others' cookies, before ours
    assert status(good, origin="null", sec_fetch_site="same-origin") == status(good, origin="http://127.0.0.1:8001") == 303


def test_the_way_back_stays_here(ann: Writer) -> None:
    for place in ("//evil.example/", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nset-cookie: x", "",
                  "/" + "x" * 5000):
        answer = ann.say("star", next=place)
        assert (answer.status_code, answer.headers["location"]) == (303, "/#notes"), place


def test_answers_to_forms_are_as_inert_as_pages(ann: Writer) -> None:
    for answer in (ann.say("star"), ann.say("comment", ""), ann.request("POST", "/case/-/notes")):
        assert "default-src 'none'" in answer.headers["content-security-policy"] and answer.headers["cache-control"] == "no-store"
    ann.jar = {}
    told = ann.get("/case/hosts/1").headers["set-cookie"]
    assert "HttpOnly" in told and "SameSite=Lax" in told and "Path=/" in told


def test_hostile_words_are_shown_and_do_nothing(ann: Writer, words: list[str]) -> None:
    for word in words:
        if word.strip():
            assert ann.say("comment", word, "files", 1).status_code == 303
            assert ann.say("tag", word[:60], "files", 1).status_code == 303
    for path in ("/case/files/1", "/case/-/notes", "/case/files", "/case/-/search?q=script"):
        page = ann.get(path).text
        assert "<script>alert" not in page and "<img src=x" not in page and "\u202e" not in page and "\x1b" not in page, path
    cells = [cell for row in csv.reader(io.StringIO(ann.get("/case/-/notes.csv").text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
