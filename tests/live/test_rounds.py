"""Whatever happens on the way, the case holds exactly what the server holds, and the proof says so; small rounds of two seeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import hour  # type: ignore[import-not-found]

from tests.live.faults import LIES
from tests.live.rounds import Plan, play, proofs
from tests.live.store import Store
from tests.live.workspace import Limits
from tests.live.world import Difference, Size, build

SMALL = Size(2_000, 300)
LIMIT = Limits(rows=400, bytes=400_000, requests=4_000)


@pytest.fixture(scope="module")
def world() -> Iterator[Store]:
    store = build(SMALL)
    yield store
    store.connection.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_the_case_holds_exactly_the_servers_rows(world: Store, tmp_path: Path, seed: int) -> None:
    """The command is killed at random, a fifth of the queries fails, some rows come late, 300 are the same in one instant."""
    found = play(Plan(SMALL, seed, kills=3, often=0.2, limits=LIMIT), world, tmp_path)
    assert (found.difference, found.case, found.complete) == (Difference(0, 0, {}), 2_000, True)
    assert found.kills >= 1 and len(found.faults) >= 4 and found.late > 20, "the round was no easy one"
    assert found.first[1] and 0 < found.first[0] < 2_000


def test_of_a_liar_nothing_is_stored_as_complete_that_is_not(world: Store, tmp_path: Path) -> None:
    """Bins that a plan leaves out and rows that an answer leaves out are found by counts, and made good."""
    found = play(Plan(SMALL, 3, kills=0, often=0.05, lies=LIES, lie_often=0.3, limits=LIMIT), world, tmp_path)
    assert found.faults[LIES[0]] and found.faults[LIES[1]]
    assert not found.difference and found.complete


def test_of_a_liar_who_never_tells_the_truth_the_case_says_incomplete(store: Store, tmp_path: Path) -> None:
    store.add([hour(number % 24, Computer=f"srv-{number}") for number in range(40)])
    found = play(Plan(Size(40, 0), 4, kills=0, often=0.0, lies=(LIES[1],), lie_often=1.0), store, tmp_path, runs=0)
    ((rows, complete, reason, _),) = proofs(tmp_path / "case.db")
    assert rows < 40 and not complete and reason and "rows" in reason
    assert found.difference is not None and found.difference.missing and not found.difference.twice
    assert "ncomplete" in found.told[-1]
