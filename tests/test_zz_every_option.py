"""Completeness, checked last: every option of every command was called by some test."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from fimforensics.cli import main

HERE = Path(__file__).parent


def test_every_option_of_every_command_was_used(request: pytest.FixtureRequest, used: set[tuple[str, str]]) -> None:
    run = {item.path for item in request.session.items}
    if set(HERE.rglob("test_*.py")) - run or request.config.getoption("keyword"):
        pytest.skip("only some of the tests were run")
    assert isinstance(main, click.Group)
    missing = [(name, parameter.opts) for name, command in main.commands.items() for parameter in command.params
               if isinstance(parameter, click.Option) and not any((name, option) in used for option in parameter.opts)]
    assert missing == [], str(missing)
