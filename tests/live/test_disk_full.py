"""A disk that is full at any moment of a collect: one line, and afterwards the same command goes on to the exact end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.clients import hour
from tests.live.rounds import DRIVER, command
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import Limits, Workspace
from tests.live.world import difference, held_by_case, held_by_server

pytest.importorskip("resource", reason="only Unix can limit the size of a process's files")
FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
del sys.argv[1]
"""


@pytest.mark.parametrize("room", [0, 60_000, 400_000])
def test_a_full_disk_is_one_line_and_nothing_is_lost(store: Store, serve: Callable[..., LogServer], tmp_path: Path,
                                                     room: int) -> None:
    """No file may grow beyond `room` bytes: the ledger's, an answer's, the window's or the case's, as it comes."""
    store.add([hour(number % 24, Computer=f"srv-{number}", OldValueData="x" * 200) for number in range(400)])
    server, case = serve(Workspace(store, Limits(rows=100, requests=10_000))), tmp_path / "case.db"
    words = command(server, case, "--margin", "0")
    full = subprocess.run([sys.executable, "-c", FULL + DRIVER, str(room), *words[3:]], env=server.environment(),
                          capture_output=True, text=True, check=False)
    told = full.stderr.strip()
    assert (full.returncode, told.count("\n"), full.stdout) == (1, 0, ""), told
    assert told.startswith("fimforensics: ") and "Traceback" not in told
    again = subprocess.run(words, env=server.environment(), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "complete: 400 rows of 400" in again.stdout
    assert not difference(held_by_server(store), held_by_case(case))
