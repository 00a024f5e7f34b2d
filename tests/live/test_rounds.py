"""Whatever happens on the way, the case holds exactly what the server holds, and the proof says so; small rounds of two seeds."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.clients import hour
from tests.live.faults import LIES
from tests.live.rounds import Plan, command, play, proofs
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import Limits, Workspace
from tests.live.world import Difference, Size, build

SMALL = Size(2_000, 300)
LIMIT = Limits(rows=400, bytes=400_000, requests=4_000)


@pytest.fixture(scope="module")
def world() -> Iterator[Store]:
    store = build(SMALL)
    yield store
    store.connection.close()


@pytest.mark.parametrize("seed", [2, 8])
def test_killed_at_random_the_case_holds_exactly_the_servers_rows(world: Store, tmp_path: Path, seed: int) -> None:
    """The command is killed at random, a fifth of the queries fails, some rows come late, 300 are the same in one instant."""
    found = play(Plan(SMALL, seed, kills=3, storing=2, often=0.2, limits=LIMIT), world, tmp_path)
    assert (found.difference, found.case, found.complete) == (Difference(0, 0, {}), 2_000, True)
    assert found.kills >= 1 and len(found.faults) >= 4 and found.late > 20, "the round was no easy one"
    assert found.first[1] and 0 < found.first[0] < 2_000


def test_of_a_liar_nothing_is_stored_as_complete_that_is_not(world: Store, tmp_path: Path) -> None:
    """Bins that a plan leaves out and rows that an answer leaves out are found by counts, and made good.

    Who lies four times in a row about the same rows is not believed, and the case says incomplete; then another round is played.
    """
    for seed in range(3, 7):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = play(Plan(SMALL, seed, kills=0, often=0.05, lies=LIES, lie_often=0.3, limits=LIMIT), world, folder)
        assert found.faults[LIES[0]] and found.faults[LIES[1]]
        assert found.complete or any("ncomplete" in told for told in found.told), found.told
        if found.complete:
            assert not found.difference
            return
    pytest.fail("made good in none of four rounds")


def test_of_a_liar_who_never_tells_the_truth_the_case_says_incomplete(store: Store, tmp_path: Path) -> None:
    store.add([hour(number % 24, Computer=f"srv-{number}") for number in range(40)])
    found = play(Plan(Size(40, 0), 4, kills=0, often=0.0, lies=(LIES[1],), lie_often=1.0), store, tmp_path, runs=0)
    ((rows, complete, reason, _),) = proofs(tmp_path / "case.db")
    assert rows < 40 and not complete and reason and "rows" in reason
    assert found.difference is not None and found.difference.missing and not found.difference.twice
    assert "ncomplete" in found.told[-1]


def test_a_slice_that_the_service_never_answers_is_one_line_and_can_be_gone_on_with(store: Store, tmp_path: Path) -> None:
    """Two rows in one instant, and a service for which more than one row takes too long."""
    store.add([hour(1, Computer=f"srv-{number}") for number in range(2)])
    workspace = Workspace(store, Limits(slow_rows=1))
    with LogServer(workspace, folder=tmp_path) as server:
        words = command(server, tmp_path / "case.db", "--margin", "0")
        failed = subprocess.run(words, env=server.environment(), capture_output=True, text=True, check=False)
        assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (1, "", 1), failed.stderr
        assert "a slice that cannot be cut (504" in failed.stderr and "goes on where it stopped" in failed.stderr
        workspace.limits = Limits()
        again = subprocess.run(words, env=server.environment(), capture_output=True, text=True, check=False)
        assert again.returncode == 0 and "complete: 2 rows of 2" in again.stdout
