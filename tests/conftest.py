"""What every test may lean on: the folder of real recordings, and Hypothesis without a clock (shared machines are slow)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("quiet", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "quiet")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder that FIMFORENSICS_RECORDINGS names; skips where it names none, fails where what it names is not there."""
    named = os.environ.get("FIMFORENSICS_RECORDINGS")
    if not named:
        pytest.skip("FIMFORENSICS_RECORDINGS names no folder of recordings")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"FIMFORENSICS_RECORDINGS names {named}, which is no folder")
    return folder
