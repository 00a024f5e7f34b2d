"""A notes file is only added to; whatever is done to it is told, and nothing in it is lost by being told."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics.errors import Misuse, Problem
from fimforensics.notes import book as books
from fimforensics.notes.book import Book
from fimforensics.notes.entry import DISPOSITIONS, At, Entry, new
from fimforensics.notes.merge import merge
from fimforensics.notes.told import Told, told

AT = At("case-1", "digest", None, "file", '["web01","/etc/x"]', "web01:/etc/x")


def made(path: Path, *said: tuple[str, str, str | None]) -> Book:
    """A file with these entries: who, what, and the words."""
    books.create(path, "case-1", "2026-17")
    book = Book(path)
    book.append([(new(AT, *one), None) for one in said])
    return book


def come_to(book: Book) -> Told:
    """What the file says of its one subject."""
    (only,) = told((line.entry, line.said) for line in book.lines).values()
    return only


def spoilt(path: Path, *statements: str) -> Book:
    """The file after somebody took its triggers away and did these."""
    with sqlite3.connect(path, isolation_level=None) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for line in books._DDL.split("CREATE TRIGGER ")[1:]:
            connection.execute("CREATE TRIGGER " + line)
    connection.close()
    return Book(path)


THREE = (("ann", "star", None), ("ann", "comment", "first"), ("bob", "tag", "c2"))


def test_what_is_said_is_there_again(tmp_path: Path) -> None:
    made(tmp_path / "n.db", *THREE)
    again = Book(tmp_path / "n.db")
    assert [(line.id, line.said.actor, line.said.action, line.said.value) for line in again.lines] == [
        (1, "ann", "star", None), (2, "ann", "comment", "first"), (3, "bob", "tag", "c2")]
    assert (again.trouble, again.locked, again.case_ids) == (None, None, {"case-1"})


@pytest.mark.parametrize("statement", [
    "UPDATE entries SET value = 'x'", "DELETE FROM entries", "REPLACE INTO entries SELECT * FROM entries WHERE id = 2",
    "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE id = 3", "UPDATE notes_info SET case_id = 'y'",
    "DELETE FROM notes_info", "UPDATE entries SET id = 9 WHERE id = 3"])
def test_the_file_itself_refuses_to_forget(tmp_path: Path, statement: str) -> None:
    made(tmp_path / "n.db", *THREE)
    with sqlite3.connect(tmp_path / "n.db") as connection, pytest.raises(sqlite3.DatabaseError, match="only added to"):
        connection.execute(statement)
    connection.close()
    assert Book(tmp_path / "n.db").trouble is None


@pytest.mark.parametrize(("statement", "said"), [
    ("UPDATE entries SET value = 'second' WHERE id = 2", "entry 2 does not say what it said when it was written"),
    ("UPDATE entries SET actor = 'bob' WHERE id = 1", "entry 1 does not say what it said"),
    ("UPDATE entries SET merged = 'x' WHERE id = 2", "entry 2 does not follow from the one before it"),
    ("UPDATE notes_info SET case_id = 'case-2'", "entry 1 does not follow"),
    ("DELETE FROM entries WHERE id = 2", "entry 3 does not follow"),
    ("DELETE FROM entries WHERE id = 3", "of 3 entries 2 are left"),
    ("DELETE FROM entries", "of 3 entries 0 are left"),
    ("UPDATE entries SET value = x'00' WHERE id = 2", "it is damaged"),
    ("CREATE VIEW v AS SELECT 1", "its schema is not that of notes (look at v)"),
])
def test_tampering_is_told_and_nothing_is_written_any_more(tmp_path: Path, statement: str, said: str) -> None:
    made(tmp_path / "n.db", *THREE)
    book = spoilt(tmp_path / "n.db", statement)
    assert book.trouble is not None and said in book.trouble and "\n" not in book.trouble
    before = hashlib.sha256(book.path.read_bytes()).hexdigest()
    with pytest.raises(Problem):
        book.append([(new(AT, "ann", "star"), None)])
    assert hashlib.sha256(book.path.read_bytes()).hexdigest() == before


def test_triggers_taken_away_are_told(tmp_path: Path) -> None:
    book = made(tmp_path / "n.db", *THREE)
    with sqlite3.connect(book.path) as connection:
        connection.execute("DROP TRIGGER entries_are_never_changed")
    connection.close()
    assert "look at entries_are_never_changed" in (Book(book.path).trouble or "")


def test_a_file_that_is_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    book = made(tmp_path / "n.db", *THREE, *[("ann", "comment", "x" * 3000)] * 40)
    whole = book.path.read_bytes()
    book.path.write_bytes(whole[:len(whole) // 2])
    cut = Book(book.path)
    assert "cut off" in (cut.trouble or "") and 0 < len(cut.lines) < len(book.lines)
    assert book.path.read_bytes() == whole[:len(whole) // 2]
    book.path.write_bytes(whole[:80])
    with pytest.raises(Problem):
        Book(book.path)


def test_what_is_no_notes_file_is_refused(tmp_path: Path) -> None:
    for name, data in (("text.db", b"hello" * 40), ("empty.db", b"")):
        (tmp_path / name).write_bytes(data)
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    made(tmp_path / "new.db")
    with sqlite3.connect(tmp_path / "new.db") as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    for name in ("text.db", "empty.db", "other.db", "new.db", "none.db"):
        with pytest.raises(Problem) as refused:
            Book(tmp_path / name)
        assert "\n" not in refused.value.line()


def test_a_file_that_may_only_be_read_is_shown_and_not_written(tmp_path: Path) -> None:
    book = made(tmp_path / "n.db", *THREE)
    os.chmod(book.path, 0o444)
    locked = Book(book.path)
    assert (len(locked.lines), locked.trouble) == (3, None) and "may only be read" in (locked.locked or "")
    with pytest.raises(Problem):
        locked.append([(new(AT, "ann", "star"), None)])


def test_two_programs_write_to_one_file(tmp_path: Path) -> None:
    one = made(tmp_path / "n.db", *THREE)
    other = Book(one.path)
    one.append([(new(AT, "ann", "tag", "a"), None)])
    other.append([(new(AT, "bob", "tag", "b"), None)])
    one.append([(new(AT, "ann", "tag", "c"), None)])
    assert other.refresh() and not other.refresh()
    assert [line.said.value for line in one.lines] == [line.said.value for line in other.lines] == [
        None, "first", "c2", "a", "b", "c"]
    assert (one.trouble, other.trouble, Book(one.path).trouble) == (None, None, None)


def test_merging_loses_nothing_and_merging_again_adds_nothing(tmp_path: Path) -> None:
    ann = made(tmp_path / "a.db", ("ann", "disposition", "benign"), ("ann", "comment", "a patch"))
    bob = made(tmp_path / "b.db", ("bob", "disposition", "malicious"), ("bob", "tag", "c2"))
    assert (merge(ann, bob), merge(ann, bob), merge(bob, ann)) == ((2, 0), (0, 2), (2, 2))
    assert come_to(ann) == come_to(bob)
    one = come_to(ann)
    assert one.conflict and [(said.actor, said.text) for said in one.dispositions] == [("ann", "benign"), ("bob", "malicious")]
    assert (Book(ann.path).trouble, Book(bob.path).trouble) == (None, None)
    assert '"entry": 1' in (ann.lines[2].merged or "")


def test_a_retraction_finds_its_entry_after_a_merge(tmp_path: Path) -> None:
    ann = made(tmp_path / "a.db", ("ann", "comment", "wrong"))
    shutil.copy(ann.path, tmp_path / "b.db")
    bob = Book(tmp_path / "b.db")
    bob.append([(new(AT, "bob", "retract", None, ann.lines[0].entry), None)])  # not his to take back
    ann.append([(new(AT, "ann", "retract", None, ann.lines[0].entry), None)])
    assert come_to(bob).comments[0].retracted is None
    merge(bob, ann)
    (comment,) = come_to(bob).comments
    assert (comment.text, (comment.retracted or ("",))[0]) == ("wrong", "ann")
    assert not come_to(bob).standing


def test_notes_that_are_not_whole_are_not_merged(tmp_path: Path) -> None:
    ann, bob = made(tmp_path / "a.db", *THREE), made(tmp_path / "b.db", *THREE)
    with pytest.raises(Problem):
        merge(ann, spoilt(bob.path, "DELETE FROM entries WHERE id = 3"))
    assert len(Book(ann.path).lines) == 3


@pytest.mark.parametrize(("action", "value"), [
    ("comment", ""), ("comment", " \n "), ("comment", "x" * 10_001), ("tag", ""), ("tag", "x" * 61), ("disposition", "evil"),
    ("disposition", ""), ("shout", "x"), ("retract", None)])
def test_what_is_no_note_is_not_written(action: str, value: str | None) -> None:
    with pytest.raises(Misuse):
        new(AT, "ann", action, value)


def test_nobody_writes_no_note() -> None:
    for actor in ("", "  ", "x" * 101):
        with pytest.raises(Misuse):
            new(AT, actor, "star")


def test_a_later_opinion_replaces_only_ones_own(tmp_path: Path) -> None:
    book = made(tmp_path / "n.db", ("ann", "disposition", "malicious"), ("bob", "disposition", "malicious"),
                ("ann", "disposition", "benign"))
    one = come_to(book)
    assert {said.actor: said.text for said in one.dispositions} == {"ann": "benign", "bob": "malicious"}
    assert [(said.actor, said.text) for said in one.earlier] == [("ann", "malicious")]


def test_an_entry_is_of_the_very_text(tmp_path: Path) -> None:
    text = "<b>\x1b[31m\u202e\u2028 a\r\nb"
    book = made(tmp_path / "n.db", ("ann", "comment", text), ("ann", "tag", " two  words\t"))
    assert [line.said.value for line in Book(book.path).lines] == [text.replace("\r\n", "\n"), "two words"]


SAID = st.lists(st.tuples(st.sampled_from(["ann", "bob", "eve"]), st.one_of(
    st.tuples(st.just("star"), st.none()), st.tuples(st.just("tag"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("comment"), st.text(min_size=1, max_size=8).filter(lambda text: text.strip("\x00") .strip() != "")),
    st.tuples(st.just("disposition"), st.sampled_from(DISPOSITIONS)))), max_size=12)


@given(SAID, st.data())
@settings(max_examples=25)
def test_the_order_of_entries_in_a_file_does_not_matter(said: list, data: st.DataObject) -> None:
    """So merged files say the same, whoever merged whose into whose."""
    entries: list[Entry] = [new(AT, actor, *what) for actor, what in said]
    taken = data.draw(st.lists(st.sampled_from(entries), max_size=4, unique=True)) if entries else []
    entries += [new(AT, entry.actor, "retract", None, entry.hash) for entry in taken]
    pairs = [(entry.hash, entry) for entry in entries]
    mixed = data.draw(st.permutations(pairs))
    assert told(pairs) == told(mixed)
    everything = [one for subject in told(pairs).values() for one in (
        *subject.tags, *subject.comments, *subject.dispositions, *subject.earlier, *subject.retracted)]
    assert {one.entry for one in everything} >= {hashed for hashed, entry in pairs if entry.action not in ("star", "retract")}
