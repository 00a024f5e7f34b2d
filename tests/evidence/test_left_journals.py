"""What a writer leaves that was killed while it wrote or right after: the next command reads past it, or plays it back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import small_case
from benchmarks.small_case import run
from fimforensics import case as cases
from fimforensics.queries.digest import digests


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return small_case.make(tmp_path)


def left(case: Path) -> Path:
    return case.with_name(case.name + "-journal")


def told(case: Path) -> dict[str, str]:
    with cases.reading(case) as connection:
        return digests(connection)


def taken(case: Path, folder: Path) -> Path:
    """Case, key and journal as they lie now, which is how a kill leaves them."""
    folder.mkdir()
    for path in case.parent.glob("case.db*"):
        shutil.copyfile(path, folder / path.name)
    return folder / case.name


def in_the_middle(case: Path, folder: Path) -> Path:
    """Killed with half of a transaction in the file."""
    with closing(sqlite3.connect(case, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE events SET file_size = 7")
        db.execute("UPDATE paths SET path = path || 'x'")
        db.execute("UPDATE occurrences SET length = length + 1")
        stopped = taken(case, folder)
        db.execute("ROLLBACK")
    assert stopped.read_bytes() != case.read_bytes() and left(stopped).read_bytes()[:1] == b"\xd9"
    return stopped


def just_done(case: Path, folder: Path) -> Path:
    """Killed after a commit: the journal is there, and zeros at its beginning say that it is done."""
    with cases.change(case) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE case_info SET note = 'changed for ' || ?", (folder.name,))
        db.execute("COMMIT")
        stopped = taken(case, folder)
    assert left(stopped).read_bytes()[:8] == bytes(8)
    return stopped


def test_in_the_middle_readers_say_so_and_a_seal_goes_on_from_the_last_commit(case: Path, tmp_path: Path) -> None:
    stopped, before = in_the_middle(case, tmp_path / "killed"), told(case)
    for words in (("info",), ("verify",), ("events",)):
        output = run(*words[:1], stopped, *words[1:], code=1).output
        assert "stopped in the middle. Run the same command again (ingest, replay, analyze, seal)" in output
    assert left(stopped).exists()
    run("seal", stopped)
    assert told(stopped) == before and not left(stopped).exists()
    assert "whole" in run("verify", stopped).output


def test_after_a_commit_nothing_is_in_the_way(case: Path, tmp_path: Path) -> None:
    stopped = just_done(case, tmp_path / "killed")
    assert "changed" in run("info", stopped, "--json").output and left(stopped).exists()
    run("ingest", stopped, case.parent / "first.jsonl", "--no-analyze")  # which is in it: there is nothing to write
    assert not left(stopped).exists()
    other = just_done(case, tmp_path / "other")
    run("seal", other)
    assert not left(other).exists() and "whole" in run("verify", other).output
