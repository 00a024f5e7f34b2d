"""Commands that show events: events (many, by filters) and show (one, with all that is known of it)."""

from __future__ import annotations

import dataclasses
import itertools
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from fimforensics.analyses import ANALYSES
from fimforensics.cli.common import (
    CASE,
    CSV,
    JSON,
    NUMBER,
    PATH,
    add_options,
    counted,
    new_file,
    not_both,
    opened,
    show_csv,
    show_json,
    table,
    words,
)
from fimforensics.errors import Misuse, Problem
from fimforensics.evidence import raw
from fimforensics.queries import event as event_query
from fimforensics.queries import events as event_queries
from fimforensics.queries import freshness, parts, surroundings
from fimforensics.queries.moments import moment
from fimforensics.queries.unfound import unfound
from fimforensics.text import visible

LONGEST = 20_000  # bytes of a text to look for; SQLite's LIKE takes 50,000, and each may need an escape
_WIDE = 200  # letters of either end of a long text
SHOWN = 200  # events that `events` prints for people unless told otherwise

SPAN = add_options([
    click.option("--since", metavar="TIME", help="From this time on (UTC, or with an offset; -14d before the newest event)."),
    click.option("--until", metavar="TIME", help="Before this time (UTC, or with an offset; -6h before the newest event)."),
])
FILTERS = add_options([
    click.option("--host", help="Part of a host's name; with * or ? in it the whole of it."),
    click.option("--kind", type=click.Choice(["file", "registry"]), help="Files or registry values only."),
    click.option("--change", help="What happened: Created, Modified, RegistryValueSet, …"),
    click.option("--path", help="Part of a file's path, or of a registry key and value name; with * or ? in it the whole of it."),
    click.option("--process", help="Part of the image's name or path of a process; with * or ? in it the whole of it."),
    click.option("--account", help="Part of an account's name or SID; with * or ? in it the whole of it."),
    click.option("--hash", "hash_", metavar="HEX", help="A content's SHA-256, SHA-1 or MD5, or the first 8 figures or more."),
    click.option("--subscription", metavar="ID", help="Only machines of this Azure subscription."),
    SPAN,
    click.option("--snapshot", type=NUMBER, help="Only events that this snapshot reports."),
    click.option("--finding", metavar="RULE|ID", help="Only events on which findings of this rule, or this finding, stand."),
])


@click.command()
@CASE
@FILTERS
@click.option("--order", type=click.Choice(list(event_queries.ORDERS)), default="time", show_default=True,
              help="By time, newest first, or by host and path.")
@click.option("--limit", type=NUMBER, help=f"How many at the most; without --json and --csv {SHOWN}.")
@CSV
@JSON
def events(case: Path, order: str, limit: int | None, as_csv: bool, as_json: bool, **filters: Any) -> None:
    """Lists events in order of time: all, or those that fit every filter."""
    not_both(as_csv, as_json)
    with opened(case) as connection:
        wanted = filter_of(connection, filters)
        if as_json:
            show_json(event_queries.events(connection, wanted, limit, order))
        elif as_csv:
            show_csv(event_queries.COLUMNS, (row.values() for row in event_queries.events(connection, wanted, limit, order)))
        else:
            _print(event_queries.events(connection, wanted, None, order), limit or SHOWN)
        for told in unfound(connection, wanted):
            click.echo(f"fimforensics: {visible(told)}", err=True)


def filter_of(connection: sqlite3.Connection, filters: dict[str, Any]) -> event_queries.Filter:
    """The filter of what was said on the command line; its texts as a case keeps such text."""
    said: dict[str, Any] = {name.rstrip("_"): words(value) if isinstance(value, str) else value
                            for name, value in filters.items()}
    if any(len((text or "").encode()) > LONGEST for text in said.values() if not isinstance(text, int)):
        raise Misuse(f"a text to look for is over {LONGEST:,} bytes", hint="Part of it is enough")
    for name in ("since", "until"):
        if said[name] is not None:
            said[name] = moment(connection, said[name], f"--{name}")
    if said["since"] and said["until"] and said["since"] >= said["until"]:
        raise Misuse(f"--since ({said['since']}) is not before --until ({said['until']})")
    if said["finding"] is not None:
        _check_finding(connection, said["finding"])
    return event_queries.Filter(**said)


def _check_finding(connection: sqlite3.Connection, named: str) -> None:
    """Problem where no finding or rule has this name: that nothing stands on it would be no answer."""
    if named.isascii() and named.isdigit():
        if len(named) > 18 or not connection.execute("SELECT 1 FROM findings WHERE id = ?", (int(named),)).fetchone():
            raise Problem(f"there is no finding {named} in this case")
        return
    owners = {rule.name: analysis.name for analysis in ANALYSES for rule in analysis.rules}
    if named not in owners:
        raise Misuse(f"there is no rule '{named}'", hint="There are: " + ", ".join(sorted(owners)))
    for warning in freshness.need(connection, owners[named]):
        click.echo(f"fimforensics: {warning}", err=True)


def _short(value: Any) -> Any:
    """A text of which no more is kept than a table shows: a name may be long, and stand in every row."""
    return f"{value[:_WIDE]}…{value[-_WIDE:]}" if isinstance(value, str) and len(value) > 3 * _WIDE else value


def _print(found: Iterable[dict], limit: int) -> None:
    rows = [{name: _short(value) for name, value in row.items()} for row in itertools.islice(found, min(limit + 1, sys.maxsize))]
    data = any(row["data"] is not None for row in rows[:limit])
    cells = [(row["id"], row["time"][:23] + "Z", row["computer"], row["change"],
              row["path"] if row["value"] is None else f"{row['path']}\\{row['value']}", *([row["data"]] if data else []),
              row["process"], row["account"]) for row in rows[:limit]]
    head = ("id", "time (UTC)", "host", "change", "path", *(["data"] if data else []), "process", "account")
    for line in table(head, cells, widest=80):
        click.echo(line)
    if not rows:
        click.echo("No event fits.", err=True)
    if len(rows) > limit:
        click.echo("… and more; --limit shows them, --json and --csv all", err=True)


@click.command()
@CASE
@click.argument("event")
@click.option("--raw", "as_raw", is_flag=True, help="Print only the raw record of each occurrence, made visible.")
@click.option("--output", type=PATH, help="With --raw: write the first record's very bytes to this file, which must not exist.")
@JSON
def show(case: Path, event: str, as_raw: bool, output: Path | None, as_json: bool) -> None:
    """Shows one event, named by its number or its event key.

    Every column, where each record of it lies, its place among the versions of its file or value, the findings it bears, and
    the events before and after it: of the same file or value, of the same process, on the same host.
    """
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
        around = _around(connection, found.id)
        altered = parts.altered(connection, found.id)
    if as_json:
        show_json([{"id": found.id, "flat": found.flat, "columns": dict(found.columns),
                    "occurrences": [vars_of(one) for one in found.occurrences], "altered": altered, **around}])
        return
    for line in itertools.chain(_told(found), _told_altered(altered), _told_around(around)):
        click.echo(line)


def vars_of(value: object) -> dict:
    """A dataclass's fields, for JSON."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]


def _around(connection: sqlite3.Connection, event: int) -> dict[str, Any]:
    """What stands around the event; `chain` is None where versions were never computed, `findings` where nothing was."""
    ran = freshness.states(connection)
    analysed = [analysis.name for analysis in ANALYSES if analysis.name in ran]
    return {"chain": [dataclasses.asdict(one) for one in surroundings.places(connection, event)] if "versions" in ran else None,
            "findings": surroundings.findings(connection, event) if analysed else None,
            "neighbours": surroundings.neighbours(connection, event),
            "stale": [name for name in analysed if ran[name] == "stale"]}


def _told(found: event_query.Event) -> Iterator[str]:
    yield f"Event {found.id}  {found.flat['event_key']}"
    width = max((len(name) for name, _ in found.columns), default=0)
    for name, value in found.columns:
        yield f"  {name.ljust(width)}  {visible(str(value))}"
    for name in ("extra", "flags"):
        if found.flat.get(name):
            yield f"  {name.ljust(width)}  {visible(str(found.flat[name]))}"
    yield f"Reported by {counted(found.occurrences_in_all, 'record')}:"
    for one in found.occurrences:
        member = f" {one.member}" if getattr(one, "member", "") else ""
        yield (f"  record {one.seq}: snapshot {one.snapshot_id}, {visible(one.source)}{visible(member)}, "
               f"offset {one.offset}, length {one.length}")


def _told_altered(altered: list[dict]) -> Iterator[str]:
    """What was done to an event of a part, in one line."""
    told = []
    for one in altered:
        where = "names in other text" if one["column_name"] == "*" else one["column_name"]
        why = f" ({one['code']}: {one['basis']})" if one["code"] else ""
        told.append(f"{where} redacted{why}" if one["how"] == "redacted" else f"{where} with pseudonyms")
    if told:
        yield f"Altered copy: {visible('; '.join(told))}. Only with the whole case can it be proven."


def _told_around(around: dict[str, Any]) -> Iterator[str]:
    if around["chain"] is None:
        yield "Its versions are not known: run fimforensics analyze on the case."
    for place in around["chain"] or ():
        yield from _told_place(place)
    if around["findings"]:
        yield "Findings:"
        for one in around["findings"]:
            yield f"  {one['severity']}: {visible(one['sentence'])} ({one['rule']}, finding {one['id']})"
    if around["stale"]:
        yield f"The case has grown since it was analysed; stale: {', '.join(around['stale'])}."
    if around["neighbours"]:
        yield "Before and after:"
        head = ("", "of the same", "id", "time (UTC)", "change", "what", "process", "account")
        cells = [(one["where"], one["same"], one["id"], one["time"][:23] + "Z", one["change"], _what(one), one["process"],
                  one["account"]) for one in around["neighbours"]]
        yield from ("  " + line for line in table(head, cells))


def _what(row: dict[str, Any]) -> str | None:
    return row["path"] if row["value"] is None else f"{row['path']}\\{row['value']}"


def _told_place(place: dict[str, Any]) -> Iterator[str]:
    version, role = place["version"], place["role"]
    name = f"version {version['number']} of {place['versions']}" if version["number"] else f"an absence ({version['basis']})"
    first = {"unknown": "; what was before is not known", "absent": "; there was none before"}
    differs = {"yes": "; it differs from the one before", "no": "; it is the same as the one before",
               "unknown": "; whether it differs from the one before is not known"}
    yield (f"It {'begins' if role == 'begins' else 'falls into'} {name} of {visible(place['entity'])}"
           + first.get(place["content_before"] or "", differs.get(place["differs"] or "", "")))
    told: Sequence[tuple[str, dict | None]] = (("before", place["before"]), ("this", version), ("after", place["after"]))
    yield from ("  " + line for line in table(("", "version", "state", "content", "from", "until"), [
        (where, one["number"], one["state"], _content(one), (one["since"] or "unknown")[:23],
         one["until"][:23] if one["until"] else "the end") for where, one in told if one is not None]))


def _content(version: dict[str, Any]) -> str:
    """A version's content as far as it is known, and how."""
    known = version["hash"][:16] if version["hash"] else version["data"] if version["data"] is not None else ""
    if version["basis"] == "size":
        known = f"{version['size']:,} bytes"
    return f"{known} ({version['basis']})".strip()


COMMANDS = (events, show)
