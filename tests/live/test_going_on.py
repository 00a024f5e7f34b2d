"""Going on: which windows are counted again slice by slice, and what is said where there is nothing to go on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from fimforensics.cli import main
from fimforensics.live.pull import OTHER_IDS, Pull
from tests.live.clients import hour
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import WORKSPACE, Workspace


def window(number: int, reason: str | None = None, again: str | None = None) -> dict:
    """A window as the ledger tells it, as far as it matters here."""
    return {"id": number, "reason": reason, "recounted": again}


def test_rows_that_changed_their_ids_are_never_called_made_good() -> None:
    wanting, doubtful = window(1, "9 rows are counted, 8 came"), window(2, f"2 rows came in two slices: {OTHER_IDS}")
    assert Pull._lacking([wanting, doubtful]) == [1]
    assert Pull._lacking([wanting, window(3, "1 slice is not whole", '{"more": 1, "incomplete": [1]}')]) == [1, 3]
    assert Pull._lacking([wanting, window(2), window(3, None, '{"more": 1}')]) == [1]
    assert Pull._lacking([wanting, window(3, None, '{"more": 1, "incomplete": [1]}')]) == []


def test_without_its_ledger_all_can_be_pulled_again(store: Store, serve: Callable[..., LogServer], tmp_path: Path) -> None:
    store.add([hour(number) for number in range(20)])
    server = serve(Workspace(store))
    words = ["collect", str(tmp_path / "case.db"), "--workspace", WORKSPACE, "--endpoint", server.url, "--ca", str(server.ca),
             "--margin", "0", "--no-analyze"]
    assert CliRunner().invoke(main, words, env=server.environment()).exit_code == 0
    (tmp_path / "case.db.collect").rename(tmp_path / "gone")
    lost = CliRunner().invoke(main, [*words, "--new"], env=server.environment())
    assert (lost.exit_code, lost.output.count("\n")) == (1, 1)
    assert "case.db.collect: the ledger of what was collected" in lost.output and "leave --new out" in lost.output
    assert "0 new events, 20 known" in CliRunner().invoke(main, words, env=server.environment()).output
