"""Commands over the graph: trace (what led to it, what it led to), path (from one thing to another), graph (for other tools)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from fimforensics import graph as graphs
from fimforensics.cli import trace_text
from fimforensics.cli.common import CASE, JSON, NUMBER, PATH, counted, new_file, opened, show_json, words
from fimforensics.errors import Misuse, Problem
from fimforensics.exports import EXPORTS
from fimforensics.queries import entities, freshness
from fimforensics.queries import neighbours as near
from fimforensics.queries import trace as traces
from fimforensics.queries import trace_path as paths
from fimforensics.queries import trace_start as starts
from fimforensics.queries.trace_json import path_records, records
from fimforensics.text import visible

KINDS = ("event", "file", "registry value", "process", "account", "content", "address")
NEEDS = ("versions", "relations")
MOST_STEPS = 10_000  # of one trace


def warned(connection: sqlite3.Connection) -> list[str]:
    """Says on standard error which of the analyses that a trace reads are stale."""
    told = freshness.need(connection, *NEEDS)
    for line in told:
        click.echo(f"fimforensics: {line}", err=True)
    return told


@click.command()
@CASE
@click.argument("entity")
@click.option("--back", "direction", flag_value="back", help="Only what led to it.")
@click.option("--forward", "direction", flag_value="forward", help="Only what it led to.")
@click.option("--both", "direction", flag_value="both", default="both", help="Both; so it is when nothing is said.")
@click.option("--depth", type=click.IntRange(1, 50), default=traces.DEPTH, show_default=True, help="Steps away from the start.")
@click.option("--limit", type=click.IntRange(1, MOST_STEPS), default=traces.LIMIT, show_default=True, help="Steps to show.")
@JSON
def trace(case: Path, entity: str, direction: str, depth: int, limit: int, as_json: bool) -> None:
    """Follows what led to an event, file, registry value, process, account, hash or address, and what it led to.

    Never against time. The most telling steps come first: what is rare, what has few neighbours, what is near in time.
    """
    with opened(case) as connection:
        warnings = warned(connection)
        begin = traceable(connection, entity)
        found = traces.trace(connection, begin, back=direction != "forward", forward=direction != "back", depth=depth,
                             limit=limit)
        event = starts.standing_event(connection, begin)
        start = starts.told(connection, event) if event is not None else {}
        around = near.neighbours(connection, event) if event is not None else []
        if as_json:
            show_json(records(connection, found, start, around, warnings))
            return
        _print(trace_text.lines(found, start, around, direction, depth))


def traceable(connection: sqlite3.Connection, entity: str) -> entities.Entity:
    """The thing that a text names; Misuse where it is a host, on which everything is."""
    said = words(entity) or ""
    try:
        return entities.resolve(connection, said, KINDS)
    except Problem as problem:
        try:
            host = entities.resolve(connection, said, ("host",))
        except Problem:
            raise problem from None
        raise Misuse(f"'{host.name}' is a host, and a host cannot be traced",
                     hint=f"Name something on it: {host.name}:PATH, a process, account, address, hash or event") from None


def _print(lines: Iterator[str] | Sequence[str]) -> None:
    for line in lines:
        click.echo(line)


@click.command()
@CASE
@click.argument("first", metavar="FROM")
@click.argument("last", metavar="TO")
@click.option("--steps", type=click.IntRange(1, 50), default=paths.STEPS, show_default=True, help="At the most so many steps.")
@JSON
def path(case: Path, first: str, last: str, steps: int, as_json: bool) -> None:
    """Finds the shortest way, never against time, on which one thing led to another, in either direction."""
    with opened(case) as connection:
        warnings = warned(connection)
        one, other = (entities.resolve(connection, words(text) or "", KINDS) for text in (first, last))
        if (one.kind, one.id) == (other.kind, other.id):
            raise Misuse(f"both names mean {one.kind} {one.name}")
        found = paths.path(connection, one, other, steps)
        if as_json:
            show_json(path_records(connection, found, steps, warnings))
            return
        _print(trace_text.path_lines(connection, found, steps))


@click.command()
@CASE
@click.option("--format", "form", type=click.Choice([one.name for one in EXPORTS]), required=True,
              help="; ".join(f"{one.name}: {one.title}" for one in EXPORTS))
@click.option("--trace", "entity", multiple=True, metavar="ENTITY", help="Only what a trace from this finds; may be repeated.")
@click.option("--depth", type=click.IntRange(1, 50), help=f"With --trace: steps away from the start. [default: {traces.DEPTH}]")
@click.option("--limit", type=NUMBER, help=f"At the most so many relations (default {graphs.LIMIT:,}), "
                                           f"or with --trace steps of each trace (default {traces.LIMIT}).")
@click.option("--output", type=PATH, help="Write to this file, which must not exist, instead of standard output.")
def graph(case: Path, form: str, entity: tuple[str, ...], depth: int | None, limit: int | None, output: Path | None) -> None:
    """Writes who ran, changed, held and became what as a graph for other tools: the whole case, or what traces find."""
    if depth is not None and not entity:
        raise Misuse("--depth goes with --trace")
    export = next(one for one in EXPORTS if one.name == form)
    with opened(case) as connection:
        warned(connection)
        if entity:
            begin = [entities.resolve(connection, words(text) or "", KINDS) for text in entity]
            most = min(limit or traces.LIMIT, MOST_STEPS)
            found, more = graphs.of_traces(connection, (traces.trace(connection, one, depth=depth or traces.DEPTH, limit=most)
                                                        for one in begin)), False
        else:
            found, more = graphs.of_case(connection, limit or graphs.LIMIT)
        if output is None:
            for piece in export.write(found):
                click.echo(piece, nl=False)
        else:
            with new_file(output) as stream:
                stream.writelines(piece.encode("utf-8") for piece in export.write(found))
            click.echo(f"{counted(len(found), 'node')}, {counted(found.number_of_edges(), 'relation')}: {visible(str(output))}")
    if more:
        click.echo(f"fimforensics: only the first {limit or graphs.LIMIT:,} relations are in it; --limit takes more, "
                   "--trace only what matters", err=True)


COMMANDS = (trace, path, graph)
