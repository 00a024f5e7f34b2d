"""Nothing secret leaves by a log: every logger at its most verbose, without any filter of ours, holds no token and no row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from tests.live import tokens
from tests.live.clients import hour
from tests.live.faults import Faults
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import WORKSPACE, Workspace

ROW = "only-in-a-row"


@pytest.mark.parametrize("auth", ["env", "cli"])
def test_no_log_holds_a_token_or_a_row(store: Store, serve: Callable[..., LogServer], tmp_path: Path,
                                       monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, auth: str) -> None:
    from fimforensics.live import service

    monkeypatch.setattr(service, "FIRST_PAUSE", 0.01)
    store.add([hour(number, FilePath=f"/etc/{ROW}-{number}", FileName=f"{ROW}-{number}") for number in range(24)])
    workspace = Workspace(store, faults=Faults(0.4, ("5xx", "cut body", "empty 200", "partial with rows", "401 once", "204",
                                                     "connection dropped"), seed=11))
    server = serve(workspace)
    given: list[str] = []
    mint = tokens.mint
    monkeypatch.setattr(tokens, "mint", lambda *words, **named: given.append(mint(*words, **named)) or given[-1])
    for name in [name for name in logging.root.manager.loggerDict]:
        logging.getLogger(name).setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        result = CliRunner().invoke(main, [
            "collect", str(tmp_path / "case.db"), "--workspace", WORKSPACE, "--endpoint", server.url, "--ca", str(server.ca),
            "--auth", auth, "--margin", "0", "--no-analyze"], env=server.environment())
    assert result.exit_code == 0, result.output
    text = caplog.text + "".join(str(vars(record)) for record in caplog.records) + result.output
    assert "urllib3" in text and len(caplog.records) > 10, "the libraries did log"
    assert (auth == "cli") or given
    assert not [token for token in given if token in text or token.split(".")[2] in text]
    assert "eyJ" not in text and ROW not in text and tokens.SECRET not in text
