"""What every test may lean on: the folder of real recordings, Hypothesis without a clock, and which options were called."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
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


USED: set[tuple[str, str]] = set()  # (command, option) that tests have called


@pytest.fixture(scope="session", autouse=True)
def remembered() -> Iterator[None]:
    """Every call of a command by a test goes through here."""
    invoke = CliRunner.invoke

    def noted(self: CliRunner, cli: Any, args: Sequence[str] = (), **named: Any) -> Result:
        words = list(args or ())
        USED.update((words[0], word.partition("=")[0]) for word in words[1:])
        return invoke(self, cli, args, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CliRunner, "invoke", noted)
        yield


@pytest.fixture
def used() -> set[tuple[str, str]]:
    """What was called up to now."""
    return USED
