"""Opt-in: a collect from a real workspace, for whoever has one.

FIMFORENSICS_LIVE_WORKSPACE=ID runs it, with the account of `az login` or as FIMFORENSICS_LIVE_AUTH says; the table may be named
by FIMFORENSICS_LIVE_TABLE, the cloud by FIMFORENSICS_LIVE_CLOUD, the time by FIMFORENSICS_LIVE_SINCE and FIMFORENSICS_LIVE_UNTIL.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from tests.live.rounds import proofs, whole

WORDS = ("WORKSPACE", "AUTH", "TABLE", "CLOUD", "SINCE", "UNTIL")
SAID = {word.lower(): os.environ[f"FIMFORENSICS_LIVE_{word}"] for word in WORDS if os.environ.get(f"FIMFORENSICS_LIVE_{word}")}


@pytest.mark.skipif("workspace" not in SAID, reason="FIMFORENSICS_LIVE_WORKSPACE names no workspace to collect from")
def test_a_real_workspace_is_collected_whole_and_collected_again(tmp_path: Path) -> None:
    case = tmp_path / "case.db"
    words = [part for word, value in SAID.items() if word not in ("since", "until") for part in (f"--{word}", value)]
    span = [part for word in ("since", "until") if word in SAID for part in (f"--{word}", SAID[word])]
    first = CliRunner().invoke(main, ["collect", str(case), *words, *span])
    assert first.exit_code == 0, first.output
    again = CliRunner().invoke(main, ["collect", str(case), *words, "--new"])
    assert again.exit_code == 0, again.output
    assert whole(proofs(case))
    assert CliRunner().invoke(main, ["verify", str(case)]).exit_code == 0
