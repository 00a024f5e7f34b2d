"""Commands that ask where else: spread (one content, path or value over the fleet) and rare (what few hosts know)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import click

from fimforensics import arrivals
from fimforensics.cli.common import CASE, CSV, JSON, NUMBER, counted, not_both, opened, show_csv, show_json, table, words
from fimforensics.queries import rarity
from fimforensics.queries import spread as spreads
from fimforensics.queries.freshness import need
from fimforensics.queries.moments import moment
from fimforensics.text import visible

SHOWN = 50  # pairs and hosts that are printed for people unless told otherwise
_STOP = ("host", "time", "gap_seconds", "change", "path", "content", "data", "process", "pid", "account", "request_account",
         "request_ip", "differs", "event")
_RARE = ("kind", "subject", "object", "hosts", "of", "events", "first", "last", "host", "first_event", "sentence")


def _fields(value: object, names: Sequence[str]) -> dict:
    return {name: getattr(value, name) for name in names}


@click.command()
@CASE
@click.argument("thing", metavar="HASH|PATH|VALUE")
@CSV
@JSON
def spread(case: Path, thing: str, as_csv: bool, as_json: bool) -> None:
    """Shows where else a content, a path or a registry value is: every host in order of arrival.

    A content is named by the first 8 or more figures of a hash; a path is looked for on every host; a registry value is written
    KEY\\NAME. Each host is shown with the time, the gap to the host before, and the process and account that brought it. Above
    stands whether it came at once, as deployments do, or in a chain, and why.
    """
    not_both(as_csv, as_json)
    with opened(case) as connection:
        found = spreads.spread(connection, words(thing) or "")
    if as_json:
        show_json([{**_fields(found, ("kind", "name", "hosts", "fleet", "mode", "why", "median_gap_seconds")),
                    "stops": [_fields(stop, _STOP) for stop in found.stops], "others": found.others}])
    elif as_csv:
        show_csv(_STOP, (_fields(stop, _STOP).values() for stop in found.stops))
    else:
        _print(found)


def _print(found: spreads.Spread) -> None:
    click.echo(f"{found.kind.capitalize()} {visible(found.name)}: {found.hosts:,} of {counted(found.fleet, 'host')}"
               f"{', ' + found.mode if found.mode else ''}")
    click.echo(f"  {visible(found.why)}")
    what = "path" if found.kind == "content" else "data" if found.kind == "registry value" else "content"
    rows = [(stop.host, stop.time[:23] + "Z", "" if stop.gap_seconds is None else arrivals.lasting(stop.gap_seconds), stop.change,
             _told(stop, what), _process(stop), _who(stop)) for stop in found.stops]
    for line in table(("host", "first (UTC)", "after", "change", what, "process", "account"), rows):
        click.echo(line)
    others = sum(bool(stop.differs) for stop in found.stops)
    if others:
        click.echo(f"{counted(others, 'host')} had other {what} there than the first.")
    if found.others:
        more = f" and {len(found.others) - SHOWN:,} more" if len(found.others) > SHOWN else ""
        click.echo(f"The path is also on {counted(len(found.others), 'host')} that never told this content: "
                   f"{visible(', '.join(found.others[:SHOWN]))}{more}")


def _told(stop: spreads.Stop, what: str) -> str | None:
    if what == "path":
        return stop.path
    told = stop.data if what == "data" else stop.content and stop.content[:16]
    return "(unknown)" if told is None else f"{told} (another)" if stop.differs else told


def _process(stop: spreads.Stop) -> str | None:
    return stop.process if stop.pid is None or stop.process is None else f"{stop.process}[{stop.pid}]"


def _who(stop: spreads.Stop) -> str:
    asked = " ".join(part for part in (stop.request_account, stop.request_ip) if part)
    return (stop.account or "") + (f" for {asked}" if asked else "")


@click.command()
@CASE
@click.option("--kind", type=click.Choice([*rarity.KINDS, rarity.CONTENT]), help="Pairs of one kind only, or contents.")
@click.option("--host", help="Part of a host's name: what was first seen there.")
@click.option("--since", metavar="TIME", help="What was first seen from this time on; -14d counts back from the newest event.")
@click.option("--limit", type=NUMBER, help=f"How many at the most; without --json and --csv {SHOWN}.")
@CSV
@JSON
def rare(case: Path, kind: str | None, host: str | None, since: str | None, limit: int | None, as_csv: bool,
         as_json: bool) -> None:
    """Lists what few hosts know: which program writes in which folder, which account uses which program, which files lie where.

    The rarest come first: by hosts, then events, then when it was first seen. With --kind content: contents that one host alone
    has, in folders of the system.
    """
    not_both(as_csv, as_json)
    with opened(case) as connection:
        for warning in need(connection, "spread" if kind == rarity.CONTENT else "rarity"):
            click.echo(f"fimforensics: {warning}", err=True)
        asked = None if since is None else moment(connection, since, "--since")
        found = rarity.rare(connection, kind, words(host), asked, limit if as_json or as_csv else (limit or SHOWN) + 1)
        if as_json:
            show_json(_fields(one, _RARE) for one in found)
        elif as_csv:
            show_csv(_RARE, (_fields(one, _RARE).values() for one in found))
        else:
            _list(list(itertools.islice(found, (limit or SHOWN) + 1)), limit or SHOWN)


def _list(found: list[rarity.Rare], limit: int) -> None:
    for line in table(("hosts", "events", "host", "event", "what"), (
            (f"{one.hosts:,} of {one.of:,}", one.events, one.host, one.first_event, one.sentence) for one in found[:limit]), 160):
        click.echo(line)
    if not found:
        click.echo("Nothing fits.", err=True)
    if len(found) > limit:
        click.echo("… and more; --limit shows them, --json and --csv all", err=True)


COMMANDS = (spread, rare)
