"""What `collect` shows: a line with how far it is, what a plan says, and what became of a window."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from fimforensics.cli.common import counted, json_line, named, opened, show_json
from fimforensics.live.instants import iso
from fimforensics.queries import pulls as queries
from fimforensics.text import visible

WIDTH, BAR = 160, 20


class Watch:
    """A line on the terminal with how far the pull is, and what it waits for."""

    def __init__(self) -> None:
        self._shown = 0.0
        self.active = sys.stderr.isatty()

    def __call__(self, state: Any) -> None:
        now = time.monotonic()
        if not self.active or now - self._shown < 0.2:
            return
        self._shown = now
        click.echo(f"\r\x1b[K{line(state)[:WIDTH]}", nl=False, err=True)

    def end(self) -> None:
        """Clears the line."""
        if self.active and self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._shown = 0.0


def line(state: Any) -> str:
    """How far a pull is, in one line."""
    said = state.doing
    if state.expected or state.rows:
        full = round(BAR * min(state.rows / state.expected, 1)) if state.expected else BAR
        said = (f"[{'#' * full}{'.' * (BAR - full)}] {state.rows:,} of {state.expected:,} rows, {state.bytes / 1e6:,.1f} MB, "
                f"{state.slices:,} of {state.all_slices:,} slices, {state.doing}")
    return f"{said}; waiting for {visible(state.waiting_for)}" if state.waiting_for else said


def planned(found: Any, as_json: bool) -> Iterator[str]:
    """What would be pulled."""
    if as_json:
        yield json_line({"table": found.asked.table, "ingested_before": iso(found.cut), "rows": found.rows, "bytes": found.size,
                         "slices": found.slices, "requests": found.requests, "seconds": found.seconds, "scans": found.scans})
        return
    yield f"{found.asked.table}: rows that came in before {iso(found.cut)} (the service's time)"
    if found.rows is None:
        yield f"  {counted(found.slices, 'slice')}; how many rows they hold is not asked, for that would be billed too"
        yield (f"  the span would be scanned and billed {found.scans} times, to count and to pull; more where an answer cannot "
               "hold a slice")
        return
    yield (f"  {counted(found.rows, 'row')}, about {found.size / 1e6:,.1f} MB of answers, {counted(found.slices, 'slice')}, "
           f"{counted(found.requests, 'request')}, about {found.seconds:,.0f} s; on this plan queries are not billed")


def told(case: Path, found: Any, as_json: bool) -> None:
    """What became of one window."""
    if found.window is None:
        if not as_json:
            click.echo(f"{found.asked.table}: nothing can be new yet, the last window ends at the service's now")
        return
    with opened(case) as connection:
        rows = [row for one in found.taken if one.snapshot is not None and (row := queries.told(connection, one.snapshot))]
    if as_json:
        show_json(rows)
    else:
        for row in rows:
            for text in queries.lines(row):
                click.echo(text)
            click.echo(f"  every slice with its query and count: fimforensics snapshots {named(case)} {row['snapshot']}")
    if found.window["reason"]:
        why = visible(found.window["reason"])
        click.echo(f"fimforensics: {found.asked.table}: incomplete, and stored as such: {why}. The same command again recounts, "
                   "and takes what is missing", err=True)
