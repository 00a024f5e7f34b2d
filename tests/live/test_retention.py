"""Retention takes rows away at the old end while others show late: neither hides the other, and what came is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from fimforensics.model import MDC
from tests.live.clients import hour
from tests.live.rounds import proofs
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import WORKSPACE, Limits, Workspace
from tests.live.world import held_by_case

Collect = Callable[..., Any]


@pytest.fixture
def collect(tmp_path: Path) -> Collect:
    def run(server: LogServer, *words: str) -> Any:
        return CliRunner().invoke(main, [
            "collect", str(tmp_path / "case.db"), "--workspace", WORKSPACE, "--endpoint", server.url, "--ca", str(server.ca),
            "--margin", "0", "--no-analyze", *words], env=server.environment())
    return run


def retire(store: Store, before: int) -> None:
    """Rows before that hour are no more."""
    store.connection.execute(f"DELETE FROM \"{MDC}\" WHERE \"TimeGenerated\" < TIMESTAMP_NS '2026-11-02 {before:02d}:00:00'")


def test_as_many_rows_gone_as_came_late(store: Store, serve: Callable[..., LogServer], collect: Collect, tmp_path: Path) -> None:
    """The sum of all rows stays the same; counted by itself each time tells."""
    store.add([hour(number) for number in range(20)])
    workspace = Workspace(store, Limits(rows=6))
    server = serve(workspace)
    assert "complete: 20 rows of 20" in collect(server).output
    retire(store, 3)
    store.add([hour(15, Computer=f"late-{number}") for number in range(3)])  # came in before the window's end, show only now
    workspace.ahead = 60.0
    result = collect(server, "--new")
    assert result.exit_code == 0, result.output
    assert {key: proofs(tmp_path / "case.db")[-1][3][key] for key in ("held", "counted", "more", "gone")} == {
        "held": 20, "counted": 20, "more": 3, "gone": 3}
    assert held_by_case(tmp_path / "case.db").total() == 23


def test_rows_that_go_while_they_are_pulled_are_kept(store: Store, serve: Callable[..., LogServer], collect: Collect,
                                                     tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were counted and came; that the service counts fewer at the end takes nothing away."""
    from fimforensics.live.pull import Pull

    store.add([hour(number) for number in range(20)])
    counted = Pull._counted

    def later(self: Pull, *words: Any, **named: Any) -> Any:
        retire(store, 3)
        return counted(self, *words, **named)

    monkeypatch.setattr(Pull, "_counted", later)
    result = collect(serve(Workspace(store, Limits(rows=6))))
    assert result.exit_code == 0, result.output
    assert held_by_case(tmp_path / "case.db").total() == 20 and proofs(tmp_path / "case.db")[0][:2] == (20, True)
