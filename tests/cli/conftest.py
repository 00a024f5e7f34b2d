"""Remembers which options of which commands the tests of this folder have called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from click.testing import CliRunner, Result

USED: set[tuple[str, str]] = set()  # (command, option)


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
