"""The command that collects live from Log Analytics."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from fimforensics import case as cases
from fimforensics.cli.analyze import bring_up
from fimforensics.cli.collect_text import Watch, planned, told
from fimforensics.cli.common import CASE, JSON, PATH, add_options, words
from fimforensics.cli.ingest import NO_ANALYZE, Bar
from fimforensics.errors import Misuse, Problem
from fimforensics.ingest import Options
from fimforensics.live.clouds import CLOUDS
from fimforensics.live.instants import ticks
from fimforensics.live.kql import Asked
from fimforensics.live.signin import WAYS
from fimforensics.model import MDC
from fimforensics.text import visible

_TOKEN = re.compile(r"eyJ[\w-]{8,}(\.[\w-]*){1,4}|(?<=Bearer )\S+")
PLANS = ("analytics", "basic", "auxiliary")
WHAT = add_options([
    click.option("--workspace", metavar="ID", help="The workspace's id: the GUID on its overview page."),
    click.option("--resource", metavar="PATH", help="Instead of a workspace, what one resource logged: /subscriptions/…"),
    click.option("--table", "tables", multiple=True, metavar="NAME", default=(MDC,), show_default=True,
                 help="A table, or a search job's (…_SRCH) or restored (…_RST) one. Several times: several tables."),
    click.option("--since", metavar="TIME", help="Events from this time on (UTC, or with an offset); else all that are kept."),
    click.option("--until", metavar="TIME", help="Events before this time."),
    click.option("--new", is_flag=True, help="Go on with what was collected before: what came in since, and what showed late."),
    click.option("--computer", "computers", multiple=True, metavar="NAME",
                 help="Only this machine, as the table names it. Several times: one of these."),
    click.option("--path-prefix", "paths", multiple=True, metavar="PATH",
                 help="Only files and registry keys whose path begins so, whatever its case. Several times: one of these."),
    click.option("--change", "changes", multiple=True, metavar="KIND",
                 help="Only this kind of change, as the table names it. Several times: one of these."),
])
WHERE = add_options([
    click.option("--cloud", type=click.Choice(list(CLOUDS)), default="public", show_default=True,
                 help="Where to sign in, and where queries go."),
    click.option("--endpoint", metavar="URL", help="Send queries here (private link, proxy); the token stays one for the cloud."),
    click.option("--auth", type=click.Choice(WAYS), default="cli", show_default=True,
                 help="How to sign in; cli is the account of az login."),
    click.option("--ca", type=PATH, metavar="FILE", help="Trust the CA certificates in this file (PEM) and no others."),
    click.option("--table-plan", "plan", type=click.Choice(PLANS), default="analytics", show_default=True,
                 help="The table's plan; on the last two every query is billed by what it scans."),
])
HOW = add_options([
    click.option("--plan", "only_plan", is_flag=True, help="Show what would be pulled, and pull nothing."),
    click.option("--concurrency", type=click.IntRange(1, 5),
                 help="Queries at once (4; 2 on the Basic and Auxiliary plans). The service allows a user 5, and 2 there."),
    click.option("--margin", type=click.IntRange(0, 86_400), default=300, show_default=True, metavar="SECONDS",
                 help="How long before the service's now the window ends; what came in later is for the next time."),
    click.option("--log", type=PATH, metavar="FILE", help="Write what the libraries do to this file: no token, no row."),
    click.option("--case-number", help="The number of the case, kept with the snapshot."),
    click.option("--examiner", help="Who examines, kept with the snapshot."),
    click.option("--note", help="Whatever should be known of it, kept with the snapshot."),
    click.option("--case-key", type=PATH, help="Use the secret in this file instead of CASE.key."),
])


@click.command()
@CASE
@WHAT
@WHERE
@HOW
@NO_ANALYZE
@JSON
def collect(case: Path, new: bool, only_plan: bool, log: Path | None, no_analyze: bool, as_json: bool, **said: Any) -> None:
    """Collects events from Log Analytics into a case, with a proof that they are all.

    What came in until now is frozen, pulled in slices and counted; the answers' bytes become the original. The same command
    again goes on where it was stopped, or takes what came in since. What could not be proved complete says so everywhere.
    """
    from fimforensics.live import collect as live

    place = _place(said)
    searching = place.plan != "analytics"
    settings = live.Settings(said["concurrency"] or (2 if searching else 4), said["margin"], searching, new)
    asked = list(_asked(case, place, new, said))
    _log_to(log)
    if only_plan:
        for one in asked:
            for line in planned(live.preview(place, one, settings), as_json):
                click.echo(line)
        return
    options = Options(case_number=words(said["case_number"]), examiner=words(said["examiner"]), note=words(said["note"]),
                      case_key=cases.read_key(said["case_key"]) if said["case_key"] else None)
    live.ready(case, options)
    grown, incomplete = _run(case, place, asked, settings, options, as_json)
    if grown and not no_analyze:
        bring_up(case, quiet=as_json)
    if incomplete:
        sys.exit(1)


def _place(said: dict[str, Any]) -> Any:
    from fimforensics.live import collect as live

    if (said["workspace"] is None) == (said["resource"] is None):
        raise Misuse("name a workspace with --workspace, or a resource with --resource")
    if said["resource"] is not None and not said["resource"].startswith("/"):
        raise Misuse(f"--resource: {said['resource']!r} is no resource's id", hint="It begins with /subscriptions/")
    scope = said["workspace"].lower() if said["workspace"] is not None else said["resource"].rstrip("/")
    return live.Place(scope, CLOUDS[said["cloud"]], said["endpoint"], said["auth"], said["ca"], said["plan"],
                      lambda url, code: click.echo(f"Open {visible(url)} and enter the code {visible(code)}", err=True))


def _asked(case: Path, place: Any, new: bool, said: dict[str, Any]) -> Iterator[Asked]:
    """What is asked of each table; with --new, what was asked of it before."""
    from fimforensics.live import collect as live

    if new and (said["since"] or said["until"]):
        raise Misuse("--new goes without --since and --until: it goes on with the spans that were collected before")
    for table in dict.fromkeys(said["tables"]):
        one = Asked(table, _moment(said["since"], "--since"), _moment(said["until"], "--until"), said["computers"], said["paths"],
                    said["changes"])
        found = live.earlier(case, place, one) if new else [one]
        for asked in found or [one]:
            live.check(place, asked)
        if not found:
            raise live.nothing_before(case, place, one)
        yield from found


def _run(case: Path, place: Any, asked: list[Asked], settings: Any, options: Options, as_json: bool) -> tuple[bool, bool]:
    """Collects each table and tells what came of it; did the case grow, and was anything incomplete?"""
    from fimforensics.live import collect as live

    watch, bar, grown, incomplete = Watch(), Bar(), False, False
    for one in asked:
        steps = live.collect(case, place, one, settings, options, watch, bar)
        while True:
            try:
                found = next(steps, None)
            finally:
                watch.end()
                bar.end()
            if found is None:
                break
            grown = grown or any(not taken.already for taken in found.taken)
            incomplete = incomplete or bool(found.window and found.window["reason"])
            told(case, found, as_json)
    return grown, incomplete


def _moment(text: str | None, option: str) -> int | None:
    """The instant that an option names."""
    if text is None:
        return None
    whole = text.removesuffix(" UTC")
    try:
        return ticks(whole + "T00:00:00" if len(whole) == 10 else whole)
    except (ValueError, Misuse):
        raise Misuse(f"{option}: not a time: {text!r}", hint="Write it as 2026-09-30 or 2026-09-30T02:14:00Z") from None


class _NoToken(logging.Filter):
    """Libraries keep tokens out of their logs; should one ever slip, this takes it out."""

    def filter(self, record: logging.LogRecord) -> bool:
        """The record goes on, its text without what looks like a token."""
        record.msg, record.args = _TOKEN.sub("(token)", record.getMessage()), ()
        return True


def _log_to(path: Path | None) -> None:
    """Everything that any library logs goes to a new file, at its most verbose; without one, nowhere."""
    if path is None:
        logging.getLogger().addHandler(logging.NullHandler())  # else warnings would go to the terminal
        return
    try:
        handler = logging.FileHandler(path, mode="x", encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot be written ({error.strerror})", where=str(path),
                      hint="Name a new file in a folder that is there") from None
    handler.addFilter(_NoToken())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)


COMMANDS = (collect,)
