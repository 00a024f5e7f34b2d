"""Notes survive: later ingests, rebuilds, other states of a case, other cases' notes, files that are damaged or locked."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from conftest import insert  # type: ignore[import-not-found]
from noting import EVENTS, THINGS, Writer, number_of  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.analyze import analyze
from fimforensics.errors import Misuse, Problem
from fimforensics.ingest import Options, ingest
from fimforensics.model import Reading
from fimforensics.notes.book import Book
from fimforensics.replay import rebuild
from fimforensics.serve import Ways
from tests.analyses.building import change, made


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with a row of everything that has notes."""
    return made(tmp_path_factory.mktemp("case"), EVENTS, analyses=("versions", "persistence"))


def test_notes_survive_a_later_ingest_and_a_rebuild(tmp_path: Path) -> None:
    case = made(tmp_path, EVENTS, analyses=("versions", "persistence"))
    ann = Writer([case], Ways(notes=True, owner="ann"))
    things = [(table, number_of(table, case)) for table in THINGS]
    for table, number in things:
        ann.say("tag", f"on {table}", table, number)
    names = {told.kind: told.name for told in ann.served.desk.cases["case"].told.values()}
    serve.close(ann.served)
    earlier = tmp_path / "more.jsonl"
    earlier.write_text(json.dumps(change("aaa", "01:00", "/a", "Created", "z")) + "\n", encoding="utf-8")
    ingest(case, [earlier], Options(reading=Reading(None, None)))
    new = tmp_path / "new.db"
    rebuild(case, new, None, lambda *told: None)
    analyze(new, ("versions", "persistence"))
    shutil.copy(tmp_path / "case.db.notes.db", tmp_path / "new.db.notes.db")
    for path, said in ((case, "the case has other evidence than when the last one was written"),
                       (new, "they were begun on the case that this one was derived from")):
        again = Writer([path], Ways(notes=True, owner="ann"))
        noted = again.served.desk.cases["case"]
        assert said in noted.summary and len(noted.numbers) == len(THINGS), noted.summary
        for (kind, _), number in noted.numbers.items():
            table = {"registry value": "registry_values", "process": "processes"}.get(kind, f"{kind}s")
            assert f"on {table}" in again.get(f"/case/{table}/{number}").text
            assert noted.told[next(key for key in noted.told if key[0] == kind)].name == names[kind]
        assert again.say("star").status_code == 303
        serve.close(again.served)


def test_what_the_case_lacks_is_kept_and_listed(tmp_path: Path, case: Path) -> None:
    small = made(tmp_path, EVENTS[:1], analyses=("versions",))
    old = tmp_path / "old.db"
    shutil.copy(small, old)
    (tmp_path / "more.jsonl").write_text(json.dumps(change("srv-9", "10:00", "/new", "Created", "n")) + "\n", encoding="utf-8")
    ingest(small, [tmp_path / "more.jsonl"], Options(reading=Reading(None, None)))
    ann = Writer([small], Ways(notes=True, notes_file=tmp_path / "n.db", owner="ann"))
    ann.say("comment", "new here", "hosts", 2)
    serve.close(ann.served)
    before = Writer([old], Ways(notes=True, notes_file=tmp_path / "n.db", owner="ann"))
    assert "1 of the things is not in this case: kept, and listed with the notes" in before.served.desk.cases["case"].summary
    assert "new here" in before.get("/case/-/notes").text and "not in this case: it was when this was written" in before.get(
        "/case/-/notes?state=missing").text
    assert before.get("/case/hosts").text.count('class="noted') == 0
    serve.close(before.served)


def test_notes_of_another_case_are_refused_in_one_line(tmp_path: Path, case: Path) -> None:
    other = made(tmp_path, EVENTS[:1], analyses=None)
    ann = Writer([other], Ways(notes=True, notes_file=tmp_path / "n.db", owner="ann"))
    ann.say("star")
    serve.close(ann.served)
    before = (tmp_path / "n.db").read_bytes()
    with pytest.raises(Problem) as refused:
        serve.build([case], Ways(notes=True, notes_file=tmp_path / "n.db"))
    assert "these are the notes of another case" in refused.value.line() and "\n" not in refused.value.line()
    for wrong in (case, tmp_path / "missing" / "n.db", tmp_path):
        with pytest.raises((Problem, Misuse)) as refused:
            serve.build([case], Ways(notes=True, notes_file=wrong))
        assert "\n" not in refused.value.line()
    assert (tmp_path / "n.db").read_bytes() == before


def test_notes_of_the_whole_are_those_of_a_part_too(tmp_path: Path, case: Path) -> None:
    part = Path(shutil.copy(case, tmp_path / "part.db"))
    ann = Writer([case], Ways(notes=True, notes_file=tmp_path / "n.db", owner="ann"))
    ann.say("star")
    serve.close(ann.served)
    with sqlite3.connect(part) as connection:
        whole = connection.execute("SELECT case_id FROM case_info").fetchone()[0]
        connection.execute("UPDATE case_info SET case_id = 'another'")
        insert(connection, "part", parent_case_id=whole)
    connection.close()
    noted = Writer([part], Ways(notes=True, notes_file=tmp_path / "n.db", owner="ann"))
    assert "begun on the case that this one was derived from" in noted.served.desk.cases["case"].summary
    serve.close(noted.served)


def test_notes_that_cannot_be_written_are_shown_without_forms(tmp_path: Path, case: Path) -> None:
    ann = Writer([case], Ways(notes=True, notes_file=tmp_path / "n.db", owner="ann"))
    ann.say("comment", "before")
    token = ann.token()
    path = tmp_path / "n.db"
    path.chmod(0o444)
    locked = Writer([case], Ways(notes=True, notes_file=path, owner="ann"))
    page = locked.get("/case/hosts/1").text
    assert "Nothing can be added" in page and "before" in page and 'method="post"' not in page
    locked.jar = ann.jar
    assert locked.request("POST", "/case/-/notes", data={"token": token, "do": "star", "table": "hosts", "number": "1"}
                          ).status_code == 403  # the other server's token
    path.chmod(0o644)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER entries_are_never_changed")
        connection.execute("UPDATE entries SET value = 'after'")
    connection.close()
    answer = ann.say("star")  # the running server finds out, too
    assert answer.status_code in (303, 409)
    tampered = Writer([case], Ways(notes=True, notes_file=path, owner="ann"))
    page = tampered.get("/case/-/notes").text
    assert "it was tampered with" in page and "after" in page
    for writer in (ann, locked, tampered):
        serve.close(writer.served)


def test_each_of_several_cases_has_its_own_notes(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    one, two = made(tmp_path, EVENTS[:1], analyses=None), made(tmp_path / "b", EVENTS[1:], analyses=None)
    ann = Writer([one, two], Ways(notes=True, owner="ann"))
    assert ann.say("tag", "here", to="/case-2/-/notes").status_code == 303
    assert [len(noted.book.lines) for noted in ann.served.desk.cases.values()] == [0, 1]
    assert Book(tmp_path / "b" / "case.db.notes.db").lines[0].said.value == "here"
    assert "Notes: here" in ann.get("/case-2/hosts").text and "Notes: here" not in ann.get("/case/hosts").text
    serve.close(ann.served)
    turned = Writer([two, one], Ways(notes=True, notes_file=tmp_path / "b" / "case.db.notes.db", owner="ann"))
    assert [len(noted.book.lines) for noted in turned.served.desk.cases.values()] == [1, 0]
    serve.close(turned.served)
