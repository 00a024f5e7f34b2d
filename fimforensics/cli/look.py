"""Commands that show what a case holds: info, snapshots, events, show, rejects, custody."""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from fimforensics.cli.common import CASE, JSON, NUMBER, PATH, add_options, counted, new_file, opened, show_json, table, words
from fimforensics.errors import Misuse
from fimforensics.evidence import custody as custody_log
from fimforensics.evidence import raw
from fimforensics.model import Reading
from fimforensics.queries import case as queries
from fimforensics.queries import digest as digests
from fimforensics.queries import event as event_query
from fimforensics.queries import events as event_queries
from fimforensics.text import csv_safe, visible
from fimforensics.times import canonical

LONGEST = 20_000  # bytes of a text to look for; SQLite's LIKE takes 50,000, and each may need an escape
SHOWN = 200  # events that `events` prints for people unless told otherwise


@click.command()
@CASE
@JSON
@click.option("--digest", is_flag=True,
              help="Add the logical digests and the root of leaves: equal cases have equal ones. Looks at every row.")
def info(case: Path, as_json: bool, digest: bool) -> None:
    """Tells what a case is: sources, hosts, time span, what may be missing."""
    with opened(case) as connection:
        found = queries.info(connection)
        if digest:
            found |= digests.digests(connection)
    if as_json:
        show_json([found])
        return
    for line in _told(found, visible(str(case))):
        click.echo(line)
    if digest:
        for name in ("root", "events_digest", "case_digest"):
            click.echo(f"  {name.replace('_', ' ')}: {found[name]}")


def _told(found: dict, case: str) -> Iterator[str]:
    """What `queries.case.info` found, line by line."""
    examiner = f", examined by {visible(found['examiner'])}" if found["examiner"] else ""
    yield f"Case {visible(found['case_number'] or found['case_id'])}{examiner}"
    yield (f"  {counted(found['events'], 'event')} from {counted(found['records'], 'record')} of "
           f"{counted(found['snapshots'], 'snapshot')}: {found['known']:,} told of an event known already, "
           f"{counted(found['rejects'], 'reject')}")
    if found["first"]:
        yield f"  from {found['first']} to {found['last']} (UTC)"
    yield "  " + ", ".join(counted(count, visible(kind) + " event") for kind, count in found["kinds"].items())
    yield (f"  {counted(len(found['hosts']), 'host')}, {counted(found['files'], 'file')}, "
           f"{counted(found['registry_values'], 'registry value')}, {counted(found['processes'], 'process', 'processes')}, "
           f"{counted(found['accounts'], 'account')}, {counted(found['contents'], 'content')}")
    if found["truncated"]:
        yield f"  {counted(found['truncated'], 'snapshot')} may be truncated: fimforensics snapshots {case}"
    if found["unfinished"]:
        yield f"  unfinished: {visible(found['unfinished'])} (run its ingest again, or ingest --abandon)"
    yield from (f"  stale: {name}" for name in found["stale"])
    yield from ("  " + line for line in table(("host", "events"), found["hosts"].items()))


@click.command()
@CASE
@JSON
def snapshots(case: Path, as_json: bool) -> None:
    """Lists the snapshots: every source as it came, with its hash, shape, counts and whether it may be truncated."""
    with opened(case) as connection:
        found = list(queries.snapshots(connection))
    if as_json:
        show_json(found)
        return
    head = ("id", "source", "shape", "table", "records", "new", "known", "rejects", "sha256", "may be truncated")
    rows = [(row["id"], row["source"], row["shape"], row["table"], row["records"], row["events"], row["known"], row["rejects"],
             (row["sha256"] or "")[:16], row["truncated"] or ("unfinished" if row["state"] == "unfinished" else ""))
            for row in found]
    for line in table(head, rows):
        click.echo(line)


FILTERS = add_options([
    click.option("--host", help="Part of a host's name."),
    click.option("--kind", type=click.Choice(["file", "registry"]), help="Files or registry values only."),
    click.option("--change", help="What happened: Created, Modified, RegistryValueSet, …"),
    click.option("--path", help="Part of a file's path, or of a registry key and value name."),
    click.option("--process", help="Part of a process's image file name."),
    click.option("--account", help="Part of an account's name."),
    click.option("--hash", "hash_", metavar="HEX", help="A content's SHA-256, SHA-1 or MD5."),
    click.option("--since", metavar="TIME", help="From this time on (UTC, or with an offset)."),
    click.option("--until", metavar="TIME", help="Before this time (UTC, or with an offset)."),
    click.option("--snapshot", type=NUMBER, help="Only events that this snapshot reports."),
])


@click.command()
@CASE
@FILTERS
@click.option("--limit", type=NUMBER, help=f"How many at the most; without --json and --csv {SHOWN}.")
@click.option("--csv", "as_csv", is_flag=True,
              help="Print CSV that is safe in a spreadsheet: a ' goes before what could be a formula.")
@JSON
def events(case: Path, host: str | None, kind: str | None, change: str | None, path: str | None, process: str | None,
           account: str | None, hash_: str | None, since: str | None, until: str | None, snapshot: int | None, limit: int | None,
           as_csv: bool, as_json: bool) -> None:
    """Lists events in order of time: all, or those that fit every filter."""
    texts = {"host": host, "kind": kind, "change": change, "path": path, "process": process, "account": account, "hash": hash_}
    if as_csv and as_json:
        raise Misuse("--csv and --json exclude each other")
    said = {name: words(text) for name, text in texts.items()}
    if any(len((text or "").encode()) > LONGEST for text in said.values()):
        raise Misuse(f"a text to look for is over {LONGEST:,} bytes", hint="Part of it is enough")
    wanted = event_queries.Filter(**said, since=_time("--since", since), until=_time("--until", until), snapshot=snapshot)
    with opened(case) as connection:
        if as_json:
            show_json(event_queries.events(connection, wanted, limit))
        elif as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(event_queries.COLUMNS)
            for row in event_queries.events(connection, wanted, limit):
                writer.writerow(["" if cell is None else csv_safe(visible(str(cell))) for cell in row.values()])
        else:
            _print(event_queries.events(connection, wanted, None), limit or SHOWN)


def _print(found: Iterable[dict], limit: int) -> None:
    rows = list(itertools.islice(found, min(limit + 1, sys.maxsize)))
    cells = [(row["id"], row["time"][:23] + "Z", row["computer"], row["change"],
              row["path"] if row["value"] is None else f"{row['path']}\\{row['value']}", row["process"], row["account"])
             for row in rows[:limit]]
    for line in table(("id", "time (UTC)", "host", "change", "path", "process", "account"), cells, widest=80):
        click.echo(line)
    if not rows:
        click.echo("No event fits.", err=True)
    if len(rows) > limit:
        click.echo("… and more; --limit shows them, --json and --csv all", err=True)


def _time(option: str, text: str | None) -> str | None:
    if text is None:
        return None
    whole = text + "T00:00:00" if len(text) == 10 else text + ":00" if len(text) == 16 else text
    try:
        return canonical(whole, None, Reading("UTC", None))
    except ValueError as error:
        raise Misuse(f"{option}: {error}", hint="Write it as 2026-09-30 or 2026-09-30T02:14:00Z") from None


@click.command()
@CASE
@click.argument("event")
@click.option("--raw", "as_raw", is_flag=True, help="Print only the raw record of each occurrence, made visible.")
@click.option("--output", type=PATH, help="With --raw: write the first record's very bytes to this file, which must not exist.")
@JSON
def show(case: Path, event: str, as_raw: bool, output: Path | None, as_json: bool) -> None:
    """Shows one event, named by its number or its event key: every column, and where each record of it lies."""
    if output and not as_raw:
        raise Misuse("--output goes with --raw")
    with opened(case) as connection:
        found = event_query.event(connection, event_queries.find(connection, event), most=1_000)
        assert found is not None
        if output:
            with new_file(output) as stream:
                stream.write(raw.raw_record(connection, found.occurrences[0].seq))
            return
        if as_raw:
            for one in found.occurrences:
                click.echo(visible(raw.raw_record(connection, one.seq).decode("utf-8", "surrogateescape")))
            return
        if as_json:
            show_json([{"id": found.id, "flat": found.flat, "columns": dict(found.columns),
                        "occurrences": [vars_of(one) for one in found.occurrences]}])
            return
    _show(found)


def vars_of(value: object) -> dict:
    """A dataclass's fields, for JSON."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]


def _show(found: event_query.Event) -> None:
    click.echo(f"Event {found.id}  {found.flat['event_key']}")
    width = max((len(name) for name, _ in found.columns), default=0)
    for name, value in found.columns:
        click.echo(f"  {name.ljust(width)}  {visible(str(value))}")
    for name in ("extra", "flags"):
        if found.flat.get(name):
            click.echo(f"  {name.ljust(width)}  {visible(str(found.flat[name]))}")
    click.echo(f"Reported by {counted(found.occurrences_in_all, 'record')}:")
    for one in found.occurrences:
        member = f" {one.member}" if getattr(one, "member", "") else ""
        click.echo(f"  record {one.seq}: snapshot {one.snapshot_id}, {visible(one.source)}{visible(member)}, "
                   f"offset {one.offset}, length {one.length}")


@click.command()
@CASE
@click.option("--snapshot", type=NUMBER, help="Only those of this snapshot.")
@JSON
def rejects(case: Path, snapshot: int | None, as_json: bool) -> None:
    """Lists the records that could not become events, and why."""
    with opened(case) as connection:
        found = list(queries.rejects(connection, snapshot))
    if as_json:
        show_json(found)
        return
    rows = [(row["seq"], row["source"] + (f" ({row['member']})" if row["member"] else ""), row["record"], row["offset"],
             row["length"], row["reason"] + (f" (now record {row['replayed_as']})" if row["replayed_as"] is not None else ""))
            for row in found]
    for line in table(("seq", "source", "record", "offset", "length", "reason"), rows, widest=100):
        click.echo(line)


@click.command()
@CASE
@JSON
def custody(case: Path, as_json: bool) -> None:
    """Shows the custody log: everything that was done to the case, and whether its chain is whole."""
    with opened(case) as connection:
        found = list(queries.custody(connection))
        broken = custody_log.broken(connection)
        untold = queries.untold(connection)
    if as_json:
        show_json(found)
    else:
        rows = [(row["id"], row["time"], row["actor"], row["machine"], row["action"], row["arguments"], row["result"])
                for row in found]
        for line in table(("id", "time (UTC)", "by", "on", "did", "with", "result"), rows, widest=70):
            click.echo(line)
    if broken is not None:
        click.echo(f"fimforensics: entry {broken} does not follow from the one before: the log was changed", err=True)
    for number in untold:
        click.echo(f"fimforensics: no entry tells of snapshot {number}: the log was cut", err=True)
    if broken is not None or untold:
        sys.exit(1)
    if not as_json:
        click.echo(f"The chain of {counted(len(found), 'entry', 'entries')} is whole.")


COMMANDS = (info, snapshots, events, show, rejects, custody)
