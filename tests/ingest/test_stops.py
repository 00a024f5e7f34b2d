"""Stopped at any moment, then gone on with: killed, interrupted, out of room, taken back. Small sibling of `make bench-kill`."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw
import psutil
import pytest
from click.testing import CliRunner

from benchmarks import kill
from benchmarks.generate import write
from fimforensics import ingest as ingesting
from fimforensics import snapshot, store
from fimforensics.case import open_read
from fimforensics.cli import main

LARGE, LARGER = 4_000, 16_000  # events: 11 MB, which a process of its own reads where nothing is compiled; time for Ctrl-C else
KEY = "5e" * 32


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two sources that overlap, the large one before; and one that is cut short of the large one."""
    folder = tmp_path_factory.mktemp("sources")
    write(folder / "large.jsonl", LARGE, 7)
    write(folder / "larger.jsonl", LARGER, 9)
    write(folder / "fresh.jsonl", 300, 8)
    with (folder / "large.jsonl").open("rb") as large, (folder / "small.jsonl").open("wb") as small:
        small.writelines(line for number, line in enumerate(large) if number % 100 == 0)
        small.write((folder / "fresh.jsonl").read_bytes())
    (folder / "key").write_text(KEY)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: Path) -> None:
    """An empty folder with links to the sources and the key."""
    monkeypatch.chdir(tmp_path)
    for path in sources.iterdir():
        (tmp_path / path.name).symlink_to(path)


def cli(*arguments: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages; what is no message of ours is an error of the test."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def ingested(case: str, *names: object) -> tuple[int, str]:
    """Ingests sources under the common key: exit code and messages."""
    return cli("ingest", case, *names, "--case-key", "key")[::2]


def digests(case: str) -> dict:
    """What makes two cases equal, the counts, and whether something is unfinished."""
    found = json.loads(cli("info", case, "--json", "--digest")[1])
    return {name: found[name] for name in ("root", "case_digest", "events", "records", "unfinished")}


def expected(*names: str) -> dict:
    """The digests of a case that took the sources undisturbed."""
    for name in names:
        assert ingested("undisturbed.db", name) == (0, "")
    found = digests("undisturbed.db")
    for path in Path().glob("undisturbed.db*"):
        path.unlink()
    return found


def files(case: str) -> list[str]:
    """What lies beside a case, with it."""
    return sorted(path.name for path in Path().glob(f"{case}*"))


@contextmanager
def stopping_after(rows: int, how: BaseException, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within, commits come every 100 records, and the writer meets `how` after so many."""
    told, take = [0], store.Writer.rows

    def rows_or_stop(self: store.Writer, member: int, message: tuple) -> None:
        told[0] += len(message[6]) // 32
        if told[0] > rows:
            raise how
        take(self, member, message)

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "COMMIT", 100)
        patch.setattr(store.Writer, "rows", rows_or_stop)
        patch.setattr(ingesting.Options, "batch", 50)
        patch.setattr(ingesting.Options.__init__, "__defaults__", (*ingesting.Options.__init__.__defaults__[:-1], 50))
        yield


def stopped(case: str, source: str, monkeypatch: pytest.MonkeyPatch, how: BaseException | None = None) -> tuple[int, str]:
    """An ingest that stops in the middle, after two commits."""
    with stopping_after(220, how or KeyboardInterrupt(), monkeypatch):
        return ingested(case, source)


LINE = "fimforensics: stopped; the same command again goes on where it stopped\n"


def test_killed_at_six_moments_the_same_command_gives_the_same_case(tmp_path: Path) -> None:
    counts, wrong = kill.run(6, 4_000, 11)
    assert wrong == []
    assert sum(times for told, times in counts.items() if told[2] == "killed") == 6
    assert {told[0] for told in counts} >= {"first", "later"}


def test_a_stopped_ingest_goes_on_from_its_last_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = expected("small.jsonl")
    assert stopped("c.db", "small.jsonl", monkeypatch) == (130, LINE)
    assert files("c.db") == ["c.db.key", "c.db.partial"]
    with closing(apsw.Connection("c.db.partial", flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        state, resume = connection.execute("SELECT state, resume FROM snapshots").fetchone()
        assert (state, json.loads(resume)["records"]) == ("unfinished", 200)
    hint = "Run the same ingest command again; it goes on"
    assert cli("info", "c.db") == (1, "", f"fimforensics: c.db: its first ingest is not done. {hint}\n")
    assert ingested("c.db", "small.jsonl") == (0, "")
    assert (digests("c.db"), files("c.db")) == (whole, ["c.db", "c.db.key"])


def test_rows_of_an_unfinished_snapshot_are_nowhere_to_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ingested("c.db", "large.jsonl") == (0, "")
    shown = [cli("events", "c.db", "--json"), cli("show", "c.db", "1"), cli("events", "c.db", "--snapshot", 2)]
    before = json.loads(cli("info", "c.db", "--json")[1])
    assert stopped("c.db", "small.jsonl", monkeypatch) == (130, LINE)
    assert json.loads(cli("info", "c.db", "--json")[1]) == before | {"unfinished": "small.jsonl"}
    assert [cli("events", "c.db", "--json"), cli("show", "c.db", "1"), cli("events", "c.db", "--snapshot", 2)] == shown


def test_only_the_same_bytes_read_the_same_way_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile("small.jsonl", "mine.jsonl")
    assert stopped("c.db", "mine.jsonl", monkeypatch) == (130, LINE)
    hint = "Run the first command again with the file as it was, or: fimforensics ingest CASE --abandon\n"
    told = "the ingest of mine.jsonl is not done, and this is another source (or it changed meanwhile)"
    assert ingested("c.db", "large.jsonl") == (1, f"fimforensics: large.jsonl: {told}. {hint}")
    data = Path("mine.jsonl").read_bytes()
    for changed in (data.replace(b"srv-", b"SRV-", 1), data[:1_000]):
        Path("mine.jsonl").write_bytes(changed)
        assert ingested("c.db", "mine.jsonl") == (1, f"fimforensics: mine.jsonl: {told}. {hint}")
    Path("mine.jsonl").write_bytes(data)
    assert cli("ingest", "c.db", "mine.jsonl", "--case-key", "key", "--timezone", "Europe/Berlin")[::2] == (
        1, "fimforensics: mine.jsonl: the ingest of mine.jsonl is not done, and was begun with another reading of its times "
           '({"timezone": null, "date_order": null}). Run the first command again, or: fimforensics ingest CASE --abandon\n')
    assert ingested("c.db", "mine.jsonl") == (0, "")


def test_abandoning_a_first_ingest_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stopped("c.db", "small.jsonl", monkeypatch) == (130, LINE)
    assert cli("ingest", "c.db", "--abandon") == (0, "The ingest of small.jsonl was taken back.\n", "")
    assert files("c.db") == []
    assert cli("ingest", "c.db", "--abandon") == (
        1, "", "fimforensics: c.db: there is no such case. Name the case whose ingest was stopped\n")


def test_abandoning_a_later_ingest_gives_the_case_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ingested("c.db", "large.jsonl") == (0, "")
    before = digests("c.db")
    events = cli("events", "c.db", "--json")
    assert stopped("c.db", "small.jsonl", monkeypatch) == (130, LINE)
    assert digests("c.db") != before
    assert cli("ingest", "c.db", "--abandon") == (0, "The ingest of small.jsonl was taken back.\n", "")
    assert (digests("c.db"), cli("events", "c.db", "--json")) == (before, events)
    assert cli("ingest", "c.db", "--abandon") == (0, "Nothing was unfinished.\n", "")
    log = [json.loads(line) for line in cli("custody", "c.db", "--json")[1].splitlines()]
    assert [(entry["action"], entry["result"]) for entry in log][1:] == [("abandon", "taken back")]
    whole = expected("large.jsonl", "small.jsonl")
    assert ingested("c.db", "small.jsonl") == (0, "")
    assert digests("c.db") == whole


@pytest.mark.parametrize("error", [apsw.FullError("database or disk is full"), apsw.IOError("disk I/O error")])
@pytest.mark.parametrize("later", [False, True])
def test_a_failing_write_is_one_line_and_goes_on(error: apsw.Error, later: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = ["large.jsonl", "small.jsonl"] if later else ["small.jsonl"]
    whole = expected(*sources)
    if later:
        assert ingested("c.db", "large.jsonl") == (0, "")
    name = "c.db" if later else "c.db.partial"
    hint = "Make room or see to the disk, then run the same command again: it goes on where it stopped"
    assert stopped("c.db", "small.jsonl", monkeypatch, error) == (1, f"fimforensics: {name}: writing failed ({error}). {hint}\n")
    assert ingested("c.db", "small.jsonl") == (0, "")
    assert digests("c.db") == whole


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, of so many bytes; skips where none can be had."""
    folder.mkdir()
    if os.name != "posix" or not shutil.which("mount") or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("free", [50, 300, 1_500, 4_000, 6_000])
def test_a_full_disk_is_one_line_and_goes_on(free: int, tmp_path: Path) -> None:
    whole = expected("large.jsonl")
    with small_disk(tmp_path / "disk", "24m") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes((24 << 20) - free * 1024))
        code, told = ingested(str(disk / "c.db"), "large.jsonl")
        assert (code, told.count("\n"), told.startswith(f"fimforensics: {disk / 'c.db'}")) == (1, 1, True)
        assert "full" in told or "No space" in told
        ballast.unlink()
        assert ingested(str(disk / "c.db"), "large.jsonl") == (0, "")
        assert digests(str(disk / "c.db")) == whole


def test_a_folder_that_cannot_be_written_is_told_and_nothing_changes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24m") as disk:
        assert ingested(str(disk / "c.db"), "small.jsonl") == (0, "")
        before = digests(str(disk / "c.db"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        hint = "See that its folder and itself can be written, and that there is room"
        code, told = ingested(str(disk / "c.db"), "large.jsonl")
        assert (code, told.count("\n")) == (1, 1) and told.endswith(f". {hint}\n"), told
        assert ingested(str(disk / "new.db"), "large.jsonl") == (
            1, f"fimforensics: {disk / 'new.db.partial'}: cannot be written (Read-only file system). "
               "Name a case in a folder that is there, can be written, and has room\n")
        assert digests(str(disk / "c.db")) == before


def test_a_case_is_begun_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop while the empty case is made leaves nothing in the way of the same command, with a key of its own."""
    replace, stops = os.replace, iter((1, 0, 1))

    def stop(source: str, target: str) -> None:
        if next(stops, 0):
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", stop)
    for _ in range(2):
        assert cli("ingest", "c.db", "small.jsonl")[::2] == (130, LINE)
    assert cli("ingest", "c.db", "small.jsonl")[::2] == (0, "")
    assert files("c.db") == ["c.db", "c.db.key"]
    with closing(open_read(Path("c.db"))) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone()[0] == digests("c.db")["events"] > 0


def _listens() -> None:
    """Ctrl-C is heard even where the tests themselves run in the background, which a shell makes deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def begun(case: str, source: str, pure: str) -> subprocess.Popen[str]:
    """The command in a group of its own, after it began to write, and where Python alone reads (`pure`) to read beside."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fimforensics", "ingest", case, source, "--case-key", "key"], text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_listens, env=os.environ | {"FIMFORENSICS_PURE": pure})
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None and not (
            _children(process.pid) if pure else Path(f"{case}.partial-journal").exists()):
        time.sleep(0.005)
    return process


def _children(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


@pytest.mark.parametrize("pure", ["", "1"])
def test_ctrl_c_at_any_moment_is_one_line_and_goes_on(pure: str) -> None:
    source = "large.jsonl" if pure else "larger.jsonl"
    whole, chance = expected(source), random.Random(3)
    for _ in range(4):
        process = begun("c.db", source, pure)
        time.sleep(chance.uniform(0, 0.4 if pure else 0.15))
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the group
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (130, "", LINE)
    assert ingested("c.db", source) == (0, "")
    assert digests("c.db") == whole


def test_nobody_reads_on_when_the_writer_is_killed() -> None:
    process = begun("c.db", "large.jsonl", "1")
    orphans = _children(process.pid)
    process.kill()
    process.communicate(timeout=60)
    assert orphans and psutil.wait_procs(orphans, timeout=20)[1] == []
