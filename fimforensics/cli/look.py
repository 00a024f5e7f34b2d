"""Commands that show what a case holds: info, snapshots, rejects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from fimforensics.analyses import ANALYSES
from fimforensics.cli.common import CASE, JSON, NUMBER, counted, json_line, named, opened, show_json, table
from fimforensics.errors import Problem
from fimforensics.evidence import state
from fimforensics.queries import case as queries
from fimforensics.queries import digest as digests
from fimforensics.queries import parts, pulls
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
        found["part"] = parts.part(connection)
        sealed = state.of(case)
        found["seal"] = asdict(sealed) if sealed else None
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


def _seal(seal: dict | None) -> str:
    """Is it sealed, by whom and when."""
    if seal is None:
        return "not sealed"
    if seal["problem"]:
        return f"its seal does not hold together: {visible(seal['problem'])}"
    signed = " and ".join(seal["signers"])
    stamped = f", time stamp of {seal['stamped']}" if seal["stamped"] else ""
    how = f"signed with {signed}" if signed else "not signed"
    return f"sealed {visible(seal['time'])} by {visible(seal['by'])}, {how}{stamped} (not verified here: fimforensics verify)"


def _told(found: dict, case: str) -> Iterator[str]:
    """What `queries.case.info` found, line by line."""
    examiner = f", examined by {visible(found['examiner'])}" if found["examiner"] else ""
    yield f"Case {visible(found['case_number'] or found['case_id'])}{examiner}"
    if part := found["part"]:
        withheld, altered = counted(part["withheld_records"], "record"), counted(part["altered_records"], "record")
        yield (f"  This is a part of case {visible(part['parent_case_id'])}: {counted(part['withheld_events'], 'event')} and "
               f"{withheld} are withheld, {altered} altered")
    yield f"  {_seal(found['seal'])}"
    yield (f"  {counted(found['events'], 'event')} from {counted(found['records'], 'record')} of "
           f"{counted(found['snapshots'], 'snapshot')}: {found['known']:,} told of an event known already, "
           f"{counted(found['rejects'], 'reject')}")
    if found["first"]:
        yield f"  from {found['first']} to {found['last']} (UTC)"
    yield "  " + ", ".join(counted(count, visible(kind) + " event") for kind, count in found["kinds"].items())
    yield (f"  {counted(len(found['hosts']), 'host')}, {counted(found['files'], 'file')}, "
           f"{counted(found['registry_values'], 'registry value')}, {counted(found['processes'], 'process', 'processes')}, "
           f"{counted(found['accounts'], 'account')}, {counted(found['contents'], 'content')}")
    if found["live"]:
        yield (f"  {counted(found['live'], 'snapshot')} collected live, {found['live_complete']:,} of them proved complete: "
               f"fimforensics snapshots {case} N")
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
@click.argument("number", type=NUMBER, required=False, metavar="[N]")
@JSON
def snapshots(case: Path, number: int | None, as_json: bool) -> None:
    """Lists the snapshots: every source as it came, with its hash, shape, counts and whether it may be truncated.

    With the number N of one, all that is known of it. For one that was collected live that is also what proves it complete:
    every answer of the service with its query, the service's count, its bytes and their SHA-256.
    """
    with opened(case) as connection:
        found = [row for row in queries.snapshots(connection) if number in (None, row["id"])]
        pull = None if number is None else pulls.told(connection, number)
    if number is not None and not found:
        raise Problem(f"there is no snapshot {number} in it", where=str(case), hint="fimforensics snapshots CASE lists them")
    if as_json:
        show_json([{**row, "pull": pull} for row in found] if number is not None else found)
        return
    lines = _listed(found) if number is None else _one(found[0], pull, case)
    for line in lines:
        click.echo(line)


def _listed(found: list[dict]) -> Iterator[str]:
    head = ("id", "source", "shape", "table", "records", "new", "known", "rejects", "sha256", "may be truncated")
    rows = [(row["id"], row["source"], row["shape"], row["table"], row["records"], row["events"], row["known"], row["rejects"],
             (row["sha256"] or "")[:16], row["truncated"] or ("unfinished" if row["state"] == "unfinished" else ""))
            for row in found]
    yield from table(head, rows)


def _one(row: dict, pull: dict | None, case: Path) -> Iterator[str]:
    """All of one snapshot; a list as JSON, what is not known left out."""
    for name, value in row.items():
        if value not in (None, [], ""):
            said = value if isinstance(value, str) else json_line(value)
            yield f"{name.replace('_', ' ')}: {visible(said)}"
    if pull is None:
        return
    yield ""
    yield from pulls.lines(pull)
    yield ""
    head = ("slice", "rows", "counted", "offset", "bytes", "sha256", "requests", "cuts", "on the way")
    yield from table(head, [(at, one["rows"], one["expected"], one["offset"], one["length"], one["sha256"], one["requests"],
                             one["cuts"], one["reason"] or ", ".join(f"{kind} {n}×" for kind, n in one["faults"].items()))
                            for at, one in enumerate(pull["slices"], 1)], widest=64)
    first = pull["slices"][0]["query"] if pull["slices"] else ""
    yield f"the query of slice 1 (all of them: fimforensics snapshots {named(case)} {row['id']} --json):"
    yield from ("  " + visible(line) for line in first.split("\n"))


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


COMMANDS = (info, snapshots, rejects)
