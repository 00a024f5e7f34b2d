"""Commands that show what a case holds: info, snapshots, rejects, custody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from fimforensics.analyses import ANALYSES
from fimforensics.cli.common import CASE, JSON, NUMBER, counted, opened, show_json, table
from fimforensics.evidence import custody as custody_log
from fimforensics.queries import case as queries
from fimforensics.queries import digest as digests
from fimforensics.queries.freshness import states
from fimforensics.text import visible


@click.command()
@CASE
@JSON
@click.option("--digest", is_flag=True,
              help="Add the logical digests and the root of leaves: equal cases have equal ones. Looks at every row.")
def info(case: Path, as_json: bool, digest: bool) -> None:
    """Tells what a case is: sources, hosts, time span, what may be missing."""
    with opened(case) as connection:
        found = queries.info(connection)
        ran = states(connection)
        found["not_analysed"] = [analysis.name for analysis in ANALYSES if analysis.name not in ran]
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
    if found["not_analysed"]:
        yield f"  not analysed: {', '.join(found['not_analysed'])} (run: fimforensics analyze {case})"
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


COMMANDS = (info, snapshots, rejects, custody)
