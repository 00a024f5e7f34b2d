"""`notes`: what people said of a case, offline; merged, exported, and what is wrong with a file."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics import case as cases
from fimforensics.cli import main
from fimforensics.notes import binding
from fimforensics.notes.book import Book
from fimforensics.notes.entry import new
from fimforensics.queries import subjects
from tests.analyses.building import change, made

EVENTS = [change("srv-1", "08:00", "/etc/cron.d/job", "Created", "job", by="/usr/bin/vim", account="root")]


def run(*words: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, ["notes", *map(str, words)], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case of one event."""
    return made(tmp_path, EVENTS, analyses=None)


def noted(case: Path, path: Path | None, *said: tuple[str, str, str | None], kind: str = "file") -> Book:
    """Notes on thing number 1 of a kind."""
    with cases.reading(case) as connection:
        about = binding.of_case(connection, case)
        at = about.at(kind, subjects.key_of(connection, kind, 1) or "", subjects.name_of(connection, kind, 1))
        book = binding.opened(about, path, None, make=True)
    book.append([(new(at, *one), None) for one in said])
    return book


def test_what_is_said_is_listed_for_people_and_for_programs(case: Path) -> None:
    book = noted(case, None, ("ann", "star", None), ("ann", "disposition", "malicious"), ("ann", "comment", "a \x1b[31m=1+1\nb"),
                 ("ann", "tag", "=c2"))
    code, out, err = run(case)
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == ["4 entries on 1 thing by ann", "★ srv-1:/etc/cron.d/job  (file 1)", "    malicious (ann)"]
    assert "a \\x1b[31m=1+1\\nb" in out and f"head of the chain: {book.head}" in out
    lines = [json.loads(line) for line in run(case, "--json")[1].splitlines()]
    assert [(line["action"], line["value"], line["number"], line["taken_back"]) for line in lines][2] == (
        "comment", "a \x1b[31m=1+1\nb", 1, False)
    rows = list(csv.DictReader(io.StringIO(run(case, "--csv")[1])))
    assert [row["value"] for row in rows] == ["", "malicious", "a \\x1b[31m=1+1\\nb", "'=c2"]


def test_notes_are_narrowed(case: Path) -> None:
    noted(case, None, ("ann", "tag", "c2"), ("ann", "disposition", "benign"))
    noted(case, None, ("bob", "comment", "mine"), kind="host")
    for words, kinds in ((("--kind", "host"), {"host"}), (("--by", "ann"), {"file"}), (("--tag", "c2"), {"file"}),
                         (("--disposition", "benign"), {"file"}), (("--tag", "none"), set())):
        assert {json.loads(line)["kind"] for line in run(case, "--json", *words)[1].splitlines()} == kinds


def test_two_peoples_notes_become_one(case: Path, tmp_path: Path) -> None:
    noted(case, None, ("ann", "disposition", "benign"))
    bob = noted(case, tmp_path / "bob.db", ("bob", "disposition", "malicious"), ("bob", "comment", "look"))
    code, out, err = run(case, "--merge", bob.path)
    assert (code, err) == (0, f"{bob.path}: 2 entries added, 0 there already\n")
    assert out.splitlines()[0] == "3 entries on 1 thing by ann, bob; people differ on 1 of them"
    assert "people differ: benign (ann), malicious (bob)" in out
    assert run(case, "--merge", bob.path)[2] == f"{bob.path}: 0 entries added, 2 there already\n"
    assert len(Book(bob.path).lines) == 2


def test_merging_into_nothing_makes_a_file(case: Path, tmp_path: Path) -> None:
    bob = noted(case, tmp_path / "bob.db", ("bob", "star", None))
    assert run(case, "--notes", tmp_path / "both.db", "--merge", bob.path)[0] == 0
    assert [line.said.actor for line in Book(tmp_path / "both.db").lines] == ["bob"]


def test_what_is_wrong_is_one_line_after_all_that_is_left(case: Path, tmp_path: Path) -> None:
    book = noted(case, None, ("ann", "comment", "true"), ("ann", "comment", "more"))
    with sqlite3.connect(book.path) as connection:
        connection.execute("DROP TRIGGER entries_are_never_changed")
        connection.execute("UPDATE entries SET value = 'false' WHERE id = 1")
    connection.close()
    before = book.path.read_bytes()
    code, out, err = run(case)
    assert (code, err.count("\n"), "it was tampered with" in err) == (1, 1, True)
    assert "false" in out and "more" in out
    other = noted(case, tmp_path / "bob.db", ("bob", "star", None))
    for words in ((), ("--merge", other.path)):
        assert run(case, *words)[0] == 1
    assert run(case, "--notes", other.path, "--merge", book.path)[0] == 1
    assert book.path.read_bytes() == before and len(Book(other.path).lines) == 1


def test_what_cannot_be_is_one_line(case: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = made(tmp_path / "other", EVENTS, analyses=None)
    theirs = noted(other, None, ("eve", "star", None))
    (tmp_path / "text").write_text("x" * 300)
    shutil.copy(theirs.path, tmp_path / "theirs.db")
    for words, code in ((("--notes", theirs.path), 1), (("--merge", theirs.path), 1), (("--notes", tmp_path / "text"), 1),
                        ((), 1), (("--merge", tmp_path / "none"), 1), (("--notes", case), 2), (("--json", "--csv"), 2),
                        (("--notes", tmp_path / "no" / "n.db", "--merge", theirs.path), 1)):
        found = run(case, *words)
        (tmp_path / "case.db.notes.db").unlink(missing_ok=True)
        assert (found[0], found[2].count("\n")) == (code, 1), (words, found)
    assert theirs.path.read_bytes() == (tmp_path / "theirs.db").read_bytes()
