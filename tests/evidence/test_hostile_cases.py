"""Whatever a case file is made to be, no command hangs, swells, writes, or falls over: one line, exit code 1, or an answer.

Each command runs in a child of this process that has a limit on its processor time and memory; what the child used is the
kernel's own account.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hostile import HOSTILE

from fimforensics import serve  # loaded once, for all children
from fimforensics.cli import main

SECONDS, MEMORY = 2.0, 256 << 20
VERIFY = ("verify", "c.db")
COMMANDS = [
    ("info", "c.db"),
    ("events", "c.db"),
    ("show", "c.db", "1", "--raw"),
    ("show", "c.db", "2"),
    ("original", "c.db", "1"),
    ("custody", "c.db"),
    ("snapshots", "c.db"),
    VERIFY,
    ("findings", "c.db"),
    ("serve", "c.db", "--once", "--port", "0"),
]
assert serve.run


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case out of lines, a table, and lines in gzip; with a reject."""
    folder = tmp_path_factory.mktemp("good")
    rows = [
        {
            "TimeGenerated": f"2026-09-01T10:00:{at:02}Z",
            "Computer": f"web{at % 3}",
            "MonitoredEntityType": "File",
            "ChangeType": "Created",
            "FileName": f"f{at}",
            "FilePath": f"/etc/f{at}",
            "Site": {"a": at},
            "Type": "MDCFileIntegrityMonitoringEvents",
        }
        for at in range(40)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "a.jsonl").write_text(lines + '{"TimeGenerated":"2026-09-01T10:00:00Z","Computer":"a","Computer":"b"}\n')
    (folder / "b.csv").write_text(
        "TimeGenerated [UTC],Computer,FilePath,ChangeType\n"
        + "".join(f"2026-09-02T10:00:{at:02}Z,app{at},/srv/{at},Modified\n" for at in range(9))
    )
    (folder / "c.jsonl.gz").write_bytes(gzip.compress(lines.replace("web", "db").encode()))
    (folder / "more.jsonl").write_text(lines.replace("web", "x"))
    code, _, _, _ = child(folder, ["ingest", "c.db", "a.jsonl", "b.csv", "c.jsonl.gz"], limits=False)
    assert code == 0
    return folder


def child(folder: Path, words: list[str] | tuple[str, ...], limits: bool = True) -> tuple[int, str, float, int]:
    """Exit code, messages, seconds of processor and bytes of memory of a command that runs in a child of this process."""
    sys.stdout.flush()
    sys.stderr.flush()
    number = os.fork()
    if number == 0:
        _run(folder, words, limits)
    _, status, used = os.wait4(number, 0)
    told = (folder / "told").read_text("utf-8", "replace")
    (folder / "told").unlink()
    (folder / "out").unlink()
    return os.waitstatus_to_exitcode(status), told, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def _run(folder: Path, words: list[str] | tuple[str, ...], limits: bool) -> None:
    code = 70
    try:
        os.chdir(folder)
        for number, name in ((1, "out"), (2, "told")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.stdin = open(os.devnull)  # noqa: SIM115 - till the end
        sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8") for number in (1, 2))
        if limits:
            held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()  # by all tests before this one
            resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
            resource.setrlimit(resource.RLIMIT_AS, (held + (2 << 30), held + (2 << 30)))
            signal.alarm(300)  # what waits for nothing ends too
        main(list(words), prog_name="fimforensics")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # a traceback, which the test finds
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


USUAL: dict[tuple[str, ...], float] = {}


def usual(good: Path, words: tuple[str, ...]) -> float:
    """How long the command takes with the good case, on this machine as it is now."""
    if words not in USUAL:
        USUAL[words] = child(good, words)[2]
    return USUAL[words]


def lying(folder: Path) -> dict[str, tuple]:
    """Everything that lies there: kind, size, time of change, and the bytes of files."""
    found = {}
    for path in sorted(folder.iterdir()):
        told = path.lstat()
        small = path.is_file() and not path.is_symlink() and told.st_size < 1 << 30
        found[path.name] = (told.st_mode, told.st_size, told.st_mtime_ns, sha256(path.read_bytes()).hexdigest() if small else "")
    return found


@pytest.fixture
def made(good: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder with one hostile case in it."""
    for name in ("c.db", "c.db.key", "more.jsonl"):
        shutil.copyfile(good / name, tmp_path / name)
    HOSTILE[request.param](tmp_path / "c.db")
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children of this process are made by fork")
@pytest.mark.parametrize("made", list(HOSTILE), indirect=True)
def test_no_hostile_case_hangs_swells_writes_or_falls_over(made: Path, good: Path) -> None:
    """All commands with FIMFORENSICS_HOSTILE set; else verify and two that every run draws anew, fewer where the door refuses."""
    before, base, refused = lying(made), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, False
    drawn = COMMANDS[1:] if os.environ.get("FIMFORENSICS_HOSTILE") else [VERIFY, *random.sample(COMMANDS[1:], 2)]
    for words in (COMMANDS[0], *drawn):
        if refused and words != drawn[0] and not os.environ.get("FIMFORENSICS_HOSTILE"):
            continue
        code, told, seconds, memory = child(made, words)
        assert code in (0, 1) and "Traceback" not in told, (words, code, told[-1500:])
        assert seconds < max(SECONDS, 3 * usual(good, words)), (words, seconds, told)
        assert memory < max(MEMORY, base + (64 << 20)), (words, memory, told)
        lines = told.splitlines()
        assert code == 0 or words[0] == "verify" or (lines and all(line.startswith(("fimforensics: ", "GET ")) for line in lines))
        assert lying(made) == before, words
        refused = refused or code == 1


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 100
