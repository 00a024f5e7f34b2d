"""Commands for time stamps that are carried over the air gap: timestamp query, timestamp attach."""

from __future__ import annotations

from pathlib import Path

import click

from fimforensics.cli.common import CASE, JSON, PATH, named, show_json
from fimforensics.evidence import beside, stamps
from fimforensics.text import visible


@click.group()
def timestamp() -> None:
    """RFC 3161 time stamps: proof, by an authority, that a sealed case existed at a time."""


@timestamp.command()
@CASE
@JSON
def query(case: Path, as_json: bool) -> None:
    """Writes CASE.tsq: the query over the statement, to be carried to an authority. It holds a hash, nothing of the case."""
    path = stamps.query(case)
    if as_json:
        show_json([{"case": str(case), "query": str(path)}])
        return
    click.echo(f"Wrote {visible(str(path))}")
    click.echo("Send it to a time stamp authority from a machine that has a network, for example:")
    click.echo(f"  curl -H 'Content-Type: application/timestamp-query' --data-binary @{named(path)} -o ANSWER.tsr AUTHORITY")
    click.echo(f"Then bring the answer back: fimforensics timestamp attach {named(case)} ANSWER.tsr")


@timestamp.command()
@CASE
@click.argument("answer", type=PATH)
@JSON
def attach(case: Path, answer: Path, as_json: bool) -> None:
    """Lays the authority's answer beside the case as CASE.tsr, once it fits the statement and the query."""
    stamp = stamps.attach(case, answer)
    line = stamps.command(named(beside.stamp_file(case)), named(beside.seal_file(case)))
    if as_json:
        show_json([{"case": str(case), "time": stamp.time, "serial": stamp.serial, "policy": stamp.policy, "check": line}])
        return
    click.echo(f"Stamped {stamp.time} (serial {stamp.serial}, policy {visible(stamp.policy)}): "
               f"{visible(str(beside.stamp_file(case)))}")
    click.echo("Whether to trust the authority is yours to say; with its certificates, check:")
    click.echo(f"  {line}")


COMMANDS = (timestamp,)
