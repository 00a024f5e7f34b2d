"""Commands that write a case from sources: ingest, replay, rebuild."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from fimforensics import case as cases
from fimforensics import ingest as ingesting
from fimforensics import replay as replaying
from fimforensics.cli.analyze import bring_up
from fimforensics.cli.common import CASE, JSON, PATH, add_options, counted, named, opened, show_json, words
from fimforensics.errors import Misuse
from fimforensics.model import Reading
from fimforensics.queries import case as queries
from fimforensics.text import visible
from fimforensics.times import check_zone

READING = add_options([
    click.option("--timezone", metavar="ZONE", help="The zone of times that tell none: an IANA name, UTC, or +02:00."),
    click.option("--date-order", type=click.Choice(["dmy", "mdy"]),
                 help="Day or month first, where nothing in the source proves it."),
])
NO_ANALYZE = click.option("--no-analyze", is_flag=True, help="Leave out the analyses (indexes and counts are always made).")
FEW = 3  # files of one folder that are told one by one
_COUNTS = ("records", "events", "known", "rejects")


class Bar:
    """A line on the terminal with how far a source is, how fast it goes, and how long it will take."""

    def __init__(self) -> None:
        self._shown, self._label, self._began, self._from = 0.0, "", 0.0, 0
        self.active = sys.stderr.isatty()

    def __call__(self, label: str, done: int, size: int, records: int) -> None:
        now = time.monotonic()
        if label != self._label:
            self._label, self._began, self._from = label, now, done
        if not self.active or now - self._shown < 0.2:
            return
        self._shown = now
        spent = now - self._began
        rate = (done - self._from) / spent if spent > 0.5 else 0
        left = f", {max(size - done, 0) / rate:,.0f} s left" if rate else ""
        share = min(done / size, 1) if size else 1
        told = f"{visible(label)[-40:]}  {share:4.0%}  {records:,} records, {rate / 1e6:,.0f} MB/s{left}"
        click.echo(f"\r\x1b[K{told}", nl=False, err=True)

    def end(self) -> None:
        """Clears the line."""
        if self.active and self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


@click.command()
@CASE
@click.argument("sources", nargs=-1, type=PATH, metavar="SOURCE…")
@READING
@click.option("--parts", is_flag=True, help="The sources are parts of one export: equal rows in two of them are two events.")
@click.option("--expect-sha256", metavar="HEX", help="Take the file only if this is its SHA-256.")
@click.option("--case-number", help="The number of the case, kept with the snapshot.")
@click.option("--examiner", help="Who examines, kept with the snapshot.")
@click.option("--note", help="Where the source came from, or whatever should be known of it.")
@click.option("--case-key", type=PATH, help="Use the secret in this file instead of CASE.key.")
@NO_ANALYZE
@click.option("--abandon", is_flag=True, help="Take back an ingest that was stopped and is not to be gone on with.")
@JSON
def ingest(case: Path, sources: tuple[Path, ...], timezone: str | None, date_order: str | None, parts: bool,
           expect_sha256: str | None, case_number: str | None, examiner: str | None, note: str | None, case_key: Path | None,
           no_analyze: bool, abandon: bool, as_json: bool) -> None:
    """Takes exports into a case, which is made when there is none.

    A source is a file or a folder tree, in any shape in which events leave Azure; it is recognised by what is in it. The original
    goes into the case byte for byte. What is there already is not taken twice. A stopped ingest goes on with the same command.
    At the end the case is analysed, unless all that the analyses say is fresh.
    """
    if abandon:
        if sources:
            raise Misuse("--abandon goes without sources")
        name = ingesting.abandon(case)
        click.echo(f"The ingest of {visible(name)} was taken back." if name else "Nothing was unfinished.")
        return
    if not sources:
        raise Misuse("no source is named", hint="fimforensics ingest CASE SOURCE…")
    if timezone:
        check_zone(timezone)
    options = ingesting.Options(
        reading=Reading(timezone, date_order), parts=parts, expect_sha256=expect_sha256, case_number=words(case_number),
        examiner=words(examiner), note=words(note), case_key=cases.read_key(case_key) if case_key else None)
    bar = Bar()
    try:
        taken = ingesting.ingest(case, list(sources), options, bar)
    finally:
        bar.end()
    wrong = _report(case, taken, as_json)
    if not no_analyze and any(one.snapshot is not None for one in taken):
        bring_up(case, quiet=as_json)  # what was taken is in the case by now, and stays there whatever comes of this
    if wrong:
        sys.exit(1)


def _report(case: Path, taken: list[ingesting.Taken], as_json: bool) -> bool:
    """Tells what became of each source; was one refused, or nothing in it an event?"""
    refused = [one for one in taken if one.refused is not None]
    rows: list[tuple[ingesting.Taken, dict]] = []
    if len(refused) < len(taken):
        with opened(case) as connection:
            known = {row["id"]: row for row in queries.snapshots(connection)}
        rows = [(one, known[one.snapshot]) for one in taken if one.snapshot is not None]
        if as_json:
            show_json({**row, "already": one.already} for one, row in rows)
        else:
            for line in _lines(rows):
                click.echo(line)
    for one in refused:
        click.echo(f"fimforensics: {visible(one.refused or '')}", err=True)
    lost = [row for one, row in rows if not one.already and 0 < row["records"] == row["rejects"]]
    for row in lost:
        told = f"{visible(row['source'])}: none of its {counted(row['records'], 'record')} could become an event"
        why = f"fimforensics rejects {named(case)} --snapshot {row['id']}"
        click.echo(f"fimforensics: {told}. See why: {why}", err=True)
    return bool(refused or lost)


def _lines(rows: list[tuple[ingesting.Taken, dict]]) -> Iterator[str]:
    """A line for every source; the files of a folder tree together, when they are many."""
    for _, held in itertools.groupby(rows, key=lambda pair: _tree(pair[1])):
        files = list(held)
        if len(files) <= FEW:
            yield from (_told(one, row) for one, row in files)
            continue
        total = {name: sum(row[name] for one, row in files if not one.already) for name in _COUNTS}
        there = sum(one.already for one, _ in files)
        first, last = files[0][1], files[-1][1]
        yield (f"{visible(first['source'].partition('/')[0])}/: {counted(len(files), 'file')}, "
               f"snapshots {first['id']} to {last['id']}, {_counts(total)}"
               + (f"; {there:,} of the files were already there" if there else ""))
        cut = dict.fromkeys(row["truncated"] for _, row in files if row["truncated"])
        yield from (f"  may be truncated: {visible(told)}" for told in cut)


def _tree(row: dict) -> str | int:
    """What files of one folder tree have in common, and no other file has: the folder's name, else the snapshot's number."""
    folder, slash, _ = row["source"].partition("/")
    return folder if slash else row["id"]


def _counts(row: dict) -> str:
    return (f"{counted(row['records'], 'record')}: {counted(row['events'], 'new event')}, {row['known']:,} known, "
            f"{counted(row['rejects'], 'reject')}")


def _told(one: ingesting.Taken, row: dict) -> str:
    name = visible(row["source"])
    if one.already:
        again = f"to read it otherwise: fimforensics rebuild CASE NEW --reread {row['id']} …"
        return f"{name}: already there (snapshot {row['id']})" + (
            f"\n  it was read with {one.read_as}; {again}" if one.read_as else "")
    told = f"{name}: snapshot {row['id']}, {row['shape']}, {_counts(row)}"
    if row["truncated"]:
        told += f"\n  may be truncated: {visible(row['truncated'])}"
    if row["partial_columns"]:
        missing = row["columns_missing"] or []
        lacking = visible(", ".join(missing[:6])) + (", …" if len(missing) > 6 else "")
        told += f"\n  lacks columns that tell events apart ({lacking}): its events stay apart from those of other sources"
    if not row["records"]:
        told += "\n  it holds no row: an empty answer is not the same as no changes"
    return told


@click.command()
@CASE
@READING
@NO_ANALYZE
def replay(case: Path, timezone: str | None, date_order: str | None, no_analyze: bool) -> None:
    """Tries every reject again, with a newer program or with what is now known of its times; then the case is analysed."""
    if timezone:
        check_zone(timezone)
    tried, now_events = replaying.replay(case, Reading(timezone, date_order))
    click.echo(f"{counted(tried, 'reject')} tried again, {counted(now_events, 'event')} found.")
    if now_events and not no_analyze:
        bring_up(case)


@click.command()
@CASE
@click.argument("new", type=PATH)
@click.option("--case-key", type=PATH, help="Use the secret in this file for the new case.")
@click.option("--reread", type=int, multiple=True, metavar="SNAPSHOT",
              help="Read this snapshot's times anew, as --timezone and --date-order say.")
@READING
@NO_ANALYZE
def rebuild(case: Path, new: Path, case_key: Path | None, reread: tuple[int, ...], timezone: str | None,
            date_order: str | None, no_analyze: bool) -> None:
    """Derives a case anew from the originals in another: the way to a new format, a check of the old, and a second reading.

    A source that was taken with the wrong --timezone or --date-order is put right so: the old case stays as the record of that.
    """
    if bool(reread) != bool(timezone or date_order):
        raise Misuse("--reread goes with --timezone or --date-order",
                     hint="fimforensics rebuild CASE NEW --reread 7 --date-order mdy")
    if timezone:
        check_zone(timezone)
    bar = Bar()
    try:
        number = replaying.rebuild(case, new, cases.read_key(case_key) if case_key else None, bar,
                                   dict.fromkeys(reread, Reading(timezone, date_order)))
    finally:
        bar.end()
    click.echo(f"{visible(str(new))}: {counted(number, 'snapshot')} taken from {visible(str(case))}")
    if not no_analyze:
        bring_up(new)


COMMANDS = (ingest, replay, rebuild)
