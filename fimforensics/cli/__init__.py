"""The command line: each command opens a case, calls one function and prints what it gives.

Here alone errors become messages: one line on standard error, exit code 1 for what is wrong with the input or the case, 2 for
wrong use, 130 for Ctrl-C. Nothing that came out of a source reaches the terminal but as visible, inert text.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from fimforensics import __version__
from fimforensics import case as cases
from fimforensics.cli import (
    analyze,
    certify,
    collect,
    compare,
    coverage,
    custody,
    events,
    evidence,
    findings,
    history,
    ingest,
    look,
    notes,
    parts,
    seal,
    site,
    spread,
    timestamp,
    trace,
    verify,
)
from fimforensics.cli.common import blamed
from fimforensics.errors import Misuse, Problem
from fimforensics.native import native
from fimforensics.text import visible


class _Group(click.Group):
    """Commands in the order of work, and errors as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, complete_var: str | None = None,
             standalone_mode: bool = True, **named: Any) -> Any:
        """Click's own, with what it says of wrong words made visible: a shell's pattern may have put names of files there."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **named)
        try:
            sys.exit(super().main(args, prog_name, complete_var, standalone_mode=False, **named) or 0)
        except click.UsageError as error:
            if not isinstance(error, click.exceptions.NoArgsIsHelpError):  # which is help in several lines
                # "final", yet nothing else keeps the error's kind
                error.message = visible(error.message or "")  # type: ignore[misc]
            error.show()
            sys.exit(error.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # what fails only at Python's own end could not be told any more
        except Problem as problem:
            click.echo(f"fimforensics: {visible(problem.line())}", err=True)
            sys.exit(2 if isinstance(problem, Misuse) else 1)
        except KeyboardInterrupt:
            click.echo("fimforensics: stopped; the same command again goes on where it stopped", err=True)
            sys.exit(130)
        except BrokenPipeError:
            _end_output()  # the reader has had enough
            sys.exit(0)
        except cases.FAULTS:
            found = blamed(ctx)
            if found is None:
                raise
            click.echo(f"fimforensics: {visible(found.line())}", err=True)
            sys.exit(1)
        except OSError as error:
            _end_output()
            where = visible(str(error.filename or "output"))
            told = f"{where}: cannot be read or written ({error.strerror or error}). See that there is room, and try again"
            click.echo(f"fimforensics: {told}", err=True)
            sys.exit(1)


def _end_output() -> None:
    """Sends what is still to be printed nowhere; Python would try again at its end, and complain."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # standard output is no file, as in tests
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - open to the end


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(f"{__version__} ({'compiled' if native else 'pure Python'})", prog_name="fimforensics")
def main() -> None:
    """Offline forensic analysis of Microsoft Defender for Cloud's file integrity monitoring events.

    A case is one SQLite file that holds the exports as they came, the events in them, and a log of all that was done.
    """


for _family in (ingest, collect, analyze, look, events, history, compare, coverage, findings,
                custody, parts, certify,
                evidence, seal, timestamp, verify, site, notes,
                spread, trace):
    for _command in _family.COMMANDS:
        main.add_command(_command)
