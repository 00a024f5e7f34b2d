"""Commands that ask when: bursts (many changes at once, and what they hit) and coverage (which host was reporting when)."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import click

from fimforensics.cli.common import CASE, CSV, JSON, NUMBER, counted, not_both, opened, show_csv, show_json, table, words
from fimforensics.cli.events import SPAN
from fimforensics.queries import bursts as burst_queries
from fimforensics.queries import coverage as coverage_queries
from fimforensics.queries.freshness import need
from fimforensics.queries.moments import moment
from fimforensics.text import visible

SCANS = 3  # observations of a host that are shown, the newest
LONGEST_STRIP = 120  # days of a strip that are shown, the last ones
HOST = click.option("--host", help="Part of a host's name.")
_BURST = tuple(field.name for field in dataclasses.fields(burst_queries.Burst))
_FILE = tuple(field.name for field in dataclasses.fields(burst_queries.HitFile))
_HOST = ("host", "first", "last", "events", "days", "days_with_events", "days_outside_snapshots", "longest_gap_seconds",
         "observations", "verdict", "strip")


@click.command()
@CASE
@HOST
@click.option("--files", type=NUMBER, metavar="ID", help="Of this burst: every file it hit, with its last good content.")
@CSV
@JSON
def bursts(case: Path, host: str | None, files: int | None, as_csv: bool, as_json: bool) -> None:
    """Lists bursts: minutes in which far more files changed than is usual for the host, and one content in many folders.

    With --files: what a burst hit, under the path that each file had before, and the hash of the content it had then, as far as
    that is known: `hash` (it had this when the burst began), `earlier hash` (it had this before, and was changed since by an
    event that tells no content), `new` (it was not there), `unknown`.
    """
    not_both(as_csv, as_json)
    with opened(case) as connection:
        _warn(need(connection, "bursts", *(("versions",) if files is not None else ())))
        if files is not None:
            _files(connection, files, as_csv, as_json)
            return
        found = burst_queries.bursts(connection, words(host))
    if as_json:
        show_json(dataclasses.asdict(one) for one in found)
    elif as_csv:
        show_csv(_BURST, (dataclasses.astuple(one) for one in found))
    else:
        rows = [(one.id, one.since[:19] + "Z", one.kind, one.first_event_id, one.sentence) for one in found]
        for line in table(("id", "first (UTC)", "kind", "first event", "what"), rows, widest=400):
            click.echo(line)
        if not rows:
            click.echo("No burst.", err=True)


def _files(connection: sqlite3.Connection, burst: int, as_csv: bool, as_json: bool) -> None:
    found = burst_queries.hit_files(connection, burst)
    if as_json:
        show_json(dataclasses.asdict(one) for one in found)
        return
    if as_csv:
        show_csv(_FILE, (dataclasses.astuple(one) for one in found))
        return
    rows = [(one.path, one.changes, one.now, one.basis, (one.last_good or "")[:16], _clock(one.last_seen),
             _clock(one.first), one.process, one.account) for one in found]
    head = ("file", "changes", "now", "known by", "last good", "last seen (UTC)", "first hit (UTC)", "process", "account")
    for line in table(head, rows, widest=80):
        click.echo(line)
    known = sum(row[3] in ("hash", "earlier hash") for row in rows)
    new = sum(row[3] == burst_queries.NEW for row in rows)
    click.echo(f"{counted(len(rows), 'file')}: of {known:,} a content from before is known, {new:,} were not there before, of "
               f"{len(rows) - known - new:,} nothing is known.")


@click.command()
@CASE
@HOST
@SPAN
@CSV
@JSON
def coverage(case: Path, host: str | None, since: str | None, until: str | None, as_csv: bool, as_json: bool) -> None:
    """Shows which host was reporting when: days with events, silences, and hosts that never reported in the time asked about.

    The strip has one sign a day: · nothing, ▁ to █ by the number of events, ? a day that no snapshot reaches. No event is not
    no change: a silent host may have been changed unseen.
    """
    not_both(as_csv, as_json)
    with opened(case) as connection:
        begin, end = (None if text is None else moment(connection, text, option)
                      for text, option in ((since, "--since"), (until, "--until")))
        found = coverage_queries.coverage(connection, words(host), begin, end)
    _warn(found.warnings)
    if as_json:
        show_json({"since": found.since, "until": found.until, **dataclasses.asdict(one)} for one in found.hosts)
    elif as_csv:
        show_csv(_HOST, ([getattr(one, name) for name in _HOST] for one in found.hosts))
    else:
        _print(found)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        click.echo(f"fimforensics: {warning}", err=True)


def _clock(time: str | None) -> str | None:
    return None if time is None else f"{time[:10]} {time[11:19]}"


def _print(found: coverage_queries.Coverage) -> None:
    if not found.hosts:
        click.echo("No host, or no time, to tell of.", err=True)
        return
    click.echo(f"From {_clock(found.since)} to {_clock(found.until)} (UTC)")
    never = [one.host for one in found.hosts if not one.events]
    if never:
        click.echo(f"Never reported in this time: {visible(', '.join(never))}")
    for window in found.windows:
        if window.truncated:
            click.echo(f"Snapshot {window.id} ({_clock(window.first)} to {_clock(window.last)}) may be truncated: "
                       f"{visible(window.truncated)}")
    rows = [(one.host, _clock(one.first), _clock(one.last), f"{one.days_with_events:,} of {one.days:,}",
             f"{one.longest_gap_seconds / 3600:,.1f} h", one.verdict, _strip(one.strip)) for one in found.hosts]
    head = ("host", "first (UTC)", "last (UTC)", "days", "longest gap", "verdict", "day by day")
    for line in table(head, rows, LONGEST_STRIP + 1):
        click.echo(line)
    for one in found.hosts:
        for silence in one.silences:
            cut = f" Snapshot {', '.join(map(str, silence.truncated))}, which may be truncated, reaches into it." \
                if silence.truncated else ""
            click.echo(f"  {visible(silence.sentence)}{cut}")
        for scan in one.scans[-SCANS:]:
            since = f"at some time since {_clock(scan.since)}" if scan.since else "at some time before"
            click.echo(f"  {visible(one.host)}: {counted(scan.rows, 'observation')} at {_clock(scan.seen)}, changed {since}")


def _strip(signs: str) -> str:
    return signs if len(signs) <= LONGEST_STRIP else "…" + signs[-LONGEST_STRIP:]


COMMANDS = (bursts, coverage)
