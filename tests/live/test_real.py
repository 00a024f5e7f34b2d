"""The real thing, for whoever has a workspace: opt-in by FIMFORENSICS_LIVE_WORKSPACE (its id), signed in by `az login`."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main

WORKSPACE = os.environ.get("FIMFORENSICS_LIVE_WORKSPACE")


@pytest.mark.skipif(not WORKSPACE, reason="FIMFORENSICS_LIVE_WORKSPACE names no workspace")
def test_the_last_hour_of_a_real_workspace(tmp_path: Path) -> None:
    case, since = str(tmp_path / "case.db"), datetime.now(UTC) - timedelta(hours=1)
    words = ["collect", case, "--workspace", str(WORKSPACE), "--since", since.strftime("%Y-%m-%dT%H:%M:%SZ"), "--no-analyze"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "complete:" in result.output
    assert CliRunner().invoke(main, ["verify", case]).exit_code == 0
