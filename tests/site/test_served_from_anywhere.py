"""A case is served from wherever it lies, whatever it is called; what cannot be served is one line. Nothing is touched."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Browser  # type: ignore[import-not-found]
from noting import EVENTS, Writer  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.cli import main
from fimforensics.serve import Ways
from tests.analyses.building import change, made

NAMES = ("case #1?.db", "50%.db", "a case with spaces.db", "\U0001f50e кейс 案件.db", "a;b'c\"d&e=f.db",
         "%2e%2e%2fx.db", "-rf.db", "no ending")
KINDS = ("", "/-/findings", "/-/coverage", "/-/trace?of=file%231", "/-/explore", "/-/compare", "/-/evidence", "/-/search?q=srv",
         "/events", "/events/1", "/hosts/1", "/files/1", "/registry_values/1", "/contents/1", "/processes/1", "/accounts/1",
         "/snapshots/1", "/events_flat", "/MDCFileIntegrityMonitoringEvents", "/registry_changes", "/events.csv", "/page.json",
         "/events/1/page.json", "/-/findings/page.json")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small case of everything."""
    return made(tmp_path_factory.mktemp("case"), EVENTS, analyses=())


def state(folder: Path) -> dict[str, str]:
    """Every file under a folder with its SHA-256."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def every_kind_opens(paths: list[Path]) -> None:
    """All pages of all these cases, side by side."""
    site = Browser(paths)
    try:
        for name in [one for one in site.served.databases if one != "_internal"]:
            for kind in KINDS:
                assert site.get(str(site.served.urls.database(name)) + kind).status_code == 200, (name, kind)
        assert site.get("/").status_code == 200
    finally:
        serve.close(site.served)


def test_every_kind_of_page_opens_whatever_the_file_is_called(case: Path, tmp_path: Path) -> None:
    names = [name for name in NAMES if os.name == "posix" or not set(name) & set('?"')]
    paths = [Path(shutil.copy(case, tmp_path / name)) for name in names]
    before = state(tmp_path)
    every_kind_opens(paths)
    assert state(tmp_path) == before


@pytest.mark.parametrize("name", NAMES[:4])
def test_notes_lie_beside_a_case_of_any_name(case: Path, tmp_path: Path, name: str) -> None:
    if os.name != "posix" and "?" in name:
        pytest.skip("no such file name on Windows")
    path = Path(shutil.copy(case, tmp_path / name))
    ann = Writer([path], Ways(notes=True, owner="ann"))
    assert ann.say("star").status_code == 303
    serve.close(ann.served)
    assert sorted(found.name for found in tmp_path.iterdir()) == sorted([name, name + ".notes.db"])


def test_a_read_only_folder_is_no_hindrance(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = Path(shutil.copy(case, folder / "case.db"))
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        every_kind_opens([path])
        result = CliRunner().invoke(main, ["serve", str(path), "--notes", "--once", "--port", "0"], catch_exceptions=False)
        if os.geteuid() != 0:  # root may write anywhere
            assert (result.exit_code, result.stderr.count("\n")) == (1, 1) and "notes cannot be kept there" in result.stderr
    finally:
        folder.chmod(0o755)


@contextlib.contextmanager
def read_only_media(folder: Path) -> Iterator[Path]:
    """The folder as a medium that nobody can write to."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount")
    steps = (["mount", "-t", "tmpfs", "tmpfs", str(folder)],)
    for step in steps:
        if shutil.which(step[0]) is None or subprocess.run(step, capture_output=True, check=False).returncode:
            pytest.skip("this machine lets nobody mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_read_only_media_is_no_hindrance(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    with read_only_media(folder):
        path = Path(shutil.copy(case, folder / "case.db"))
        ann = Writer([path], Ways(notes=True, owner="ann"))
        ann.say("comment", "written before")
        serve.close(ann.served)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        before = state(folder)
        every_kind_opens([path])
        reader = Writer([path], Ways(notes=True, owner="ann"))
        page = reader.get("/case/hosts/1").text
        assert "written before" in page and "Nothing can be added" in page and "may only be read" in page
        serve.close(reader.served)
        assert state(folder) == before


def served(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["serve", *map(str, words), "--once", "--port", "0"], catch_exceptions=False)
    return result.exit_code, result.stderr


def change_file(path: Path, *statements: str) -> Path:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


def test_what_cannot_be_served_is_one_clear_line(case: Path, tmp_path: Path) -> None:
    def copy(name: str) -> Path:
        return Path(shutil.copy(case, tmp_path / name))
    wal = change_file(copy("wal.db"), "PRAGMA journal_mode = WAL")
    side = copy("side.db")
    side.with_name("side.db-wal").write_bytes(b"x" * 100)
    newer = change_file(copy("newer.db"), "PRAGMA user_version = 99")
    cut = copy("cut.db")
    cut.write_bytes(case.read_bytes()[:case.stat().st_size // 2])
    head = copy("head.db")
    head.write_bytes(b"SQLite format 3\0" + b"\xff" * 2000)
    unfinished = tmp_path / "unfinished.db"
    shutil.copy(case, tmp_path / "unfinished.db.partial")
    stopped = copy("stopped.db")
    stopped.with_name("stopped.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"x" * 600)
    before = state(tmp_path)
    for path, said in ((wal, "WAL"), (side, "WAL"), (newer, "format 99"), (cut, "cut short"), (head, "case"),
                       (unfinished, "its first ingest is not done"), (stopped, "a writer is at work on it"),
                       (tmp_path / "none.db", "there is no such case"), (tmp_path, "a folder")):
        code, told = served(path)
        assert (code, told.count("\n"), said in told, str(path) in told) == (1, 1, True, True), told
        assert served(case, path)[0] == 1
    assert state(tmp_path) == before


def test_damage_in_the_middle_is_told_where_it_shows(case: Path, tmp_path: Path) -> None:
    """Served as far as it goes: a page that needs a damaged part says so, the others are as ever, and nothing else is written."""
    path = Path(shutil.copy(case, tmp_path / "case.db"))
    data = bytearray(path.read_bytes())
    with sqlite3.connect(path) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'custody_log'").fetchone()[0]
    connection.close()
    data[(page - 1) * 4096:page * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    code, told = served(path)
    assert (code, told.count("\n"), "damaged" in told) == (1, 1, True), told


def test_an_unfinished_later_ingest_is_served_with_a_word(case: Path, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    path = made(tmp_path / "x", EVENTS, [change("late", "11:00", "/l", "Created", "l")], analyses=None)
    change_file(path, "UPDATE snapshots SET state = 'unfinished', resume = '{\"marks\": {}}' WHERE id = 2",
                "UPDATE case_info SET events_end = (SELECT max(id) FROM events)")
    site = Browser([path])
    assert "An ingest was not finished" in site.get("/").text
    assert len(site.get("/case/events.json?_shape=array").json()) == len(EVENTS)
    serve.close(site.served)
