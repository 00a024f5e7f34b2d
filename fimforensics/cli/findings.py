"""The command that lists what the analyses say should be looked at, tells one of it with its events, or all their rules."""

from __future__ import annotations

import sqlite3
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from fimforensics.analyses import ANALYSES
from fimforensics.cli.common import CASE, JSON, NUMBER, counted, not_both, opened, show_csv, show_json, table, words
from fimforensics.errors import Misuse
from fimforensics.queries import findings as queries
from fimforensics.queries import freshness
from fimforensics.queries.moments import moment
from fimforensics.text import visible

SHOWN = 30  # events of one finding that are printed for people
WIDTH = 110
RULE_COLUMNS = ("analysis", "rule", "version", "severity", "technique", "meaning", "innocent", "findings")
SILENCE = "That nothing was found does not prove that nothing happened: see also fimforensics coverage CASE."


@click.command()
@CASE
@click.argument("finding", required=False, type=NUMBER)
@click.option("--severity", "severities", multiple=True, type=click.Choice(queries.SEVERITIES),
              help="Only those of this severity; may be given more than once.")
@click.option("--rule", help="Part of a rule's name.")
@click.option("--host", help="Part of a host's name.")
@click.option("--since", metavar="TIME", help="Only those with an event from this time on (or -14d before the newest event).")
@click.option("--rules", "list_rules", is_flag=True, help="List every rule: what it looks for, and what may cause it innocently.")
@click.option("--limit", type=NUMBER, help="How many at the most.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV that is safe in a spreadsheet.")
@JSON
def findings(case: Path, finding: int | None, severities: tuple[str, ...], rule: str | None, host: str | None, since: str | None,
             list_rules: bool, limit: int | None, as_csv: bool, as_json: bool) -> None:
    """Lists what should be looked at, the worst first; with a FINDING's number, that one with its events.

    A finding is an opinion and no evidence: it says what was seen and on which events it stands.
    """
    not_both(as_csv, as_json)
    narrowed = bool(severities or rule or host or since)
    if (finding is not None) + list_rules + narrowed > 1:
        raise Misuse("the number of a finding, --rules and a choice of findings exclude each other")
    with opened(case) as connection:
        warnings = _warnings(connection, must=not list_rules)
        if list_rules:
            _show_rules(list(_rules(connection)), as_csv, as_json)
        elif finding is not None:
            _show_one(connection, finding, as_csv, as_json)
        else:
            moved = None if since is None else moment(connection, words(since) or "", "--since")
            wanted = queries.Wanted(severities, words(rule), words(host), moved)
            _show_all(connection, wanted, limit, as_csv, as_json)
    for line in warnings:
        click.echo(f"fimforensics: {line}", err=True)


def _warnings(connection: sqlite3.Connection, must: bool) -> list[str]:
    """What is stale and what never ran; Problem where a list is asked for and nothing that has rules ever ran."""
    ran = freshness.states(connection)
    named = [analysis.name for analysis in ANALYSES if analysis.rules]
    if must and not set(named) & set(ran):
        freshness.need(connection, *named)
    missing = [name for name in named if name not in ran]
    told = freshness.need(connection, *(name for name in named if name in ran))
    return told + ([f"not run on this case, so that their rules say nothing: {', '.join(missing)}"] if missing and must else [])


def _rules(connection: sqlite3.Connection) -> Iterator[dict]:
    found = queries.by_rule(connection)
    for analysis in ANALYSES:
        for rule in analysis.rules:
            yield {"analysis": analysis.name, "rule": rule.name, "version": rule.version, "severity": rule.severity,
                   "technique": rule.technique, "meaning": rule.meaning, "innocent": rule.innocent,
                   "findings": found.get(rule.name, 0)}


def _show_rules(rules: list[dict], as_csv: bool, as_json: bool) -> None:
    if as_json:
        show_json(rules)
    elif as_csv:
        show_csv(RULE_COLUMNS, (rule.values() for rule in rules))
    else:
        for rule in rules:
            technique = f", {rule['technique']}" if rule["technique"] else ""
            click.echo(f"{rule['rule']} ({rule['analysis']}, {rule['severity']}{technique}): "
                       f"{counted(rule['findings'], 'finding')}")
            _say(rule["meaning"])
            _say(f"May be innocent: {rule['innocent']}")


def _show_all(connection: sqlite3.Connection, wanted: queries.Wanted, limit: int | None, as_csv: bool, as_json: bool) -> None:
    found = queries.findings(connection, wanted, limit)
    if as_json:
        show_json(found)
    elif as_csv:
        show_csv(queries.COLUMNS, (row.values() for row in found))
    else:
        _print(queries.counts(connection, wanted), found, connection)


def _print(counts: dict[str, int], found: Iterable[dict], connection: sqlite3.Connection) -> None:
    total = sum(counts.values())
    if not total:
        names = [rule["rule"] for rule in _rules(connection)]
        click.echo("No finding. Looked for:")
        _say(", ".join(names))
        _say(SILENCE)
        return
    click.echo(f"{counted(total, 'finding')}: " + ", ".join(f"{count:,} {severity}" for severity, count in counts.items()))
    for row in found:
        host = f"  {visible(row['host'])}" if row["host"] else ""
        click.echo(f"{row['id']}  {row['severity']}  {row['first'][:19].replace('T', ' ')}{host}  {row['rule']}")
        _say(row["sentence"])


def _show_one(connection: sqlite3.Connection, number: int, as_csv: bool, as_json: bool) -> None:
    found = queries.finding(connection, number)
    rule = next((one for one in _rules(connection) if one["rule"] == found["rule"]), {})
    if as_json:
        show_json([found | {"meaning": rule.get("meaning"), "innocent": rule.get("innocent"),
                            "listed": list(queries.events_of(connection, number))}])
        return
    events = list(queries.events_of(connection, number, None if as_csv else SHOWN))
    if as_csv:
        show_csv(queries.EVENT_COLUMNS, (event.values() for event in events))
        return
    technique = f", {found['technique']}" if found["technique"] else ""
    click.echo(f"Finding {number}: {found['rule']} ({found['analysis']}, version {found['version']}), "
               f"{found['severity']}{technique}")
    _say(found["sentence"])
    if rule:
        _say(f"The rule: {rule['meaning']}")
        _say(f"May be innocent: {rule['innocent']}")
    for name in ("host", "file", "registry_value", "process", "account", "sha256"):
        if found[name]:
            click.echo(f"  {name.replace('_', ' ')}: {visible(found[name])}")
    click.echo(f"It stands on {counted(found['events'], 'event')}:")
    rows = [(event["id"], event["time"][:23] + "Z", event["change"], "\\".join(filter(None, (event["path"], event["value"]))),
             event["process"], event["account"]) for event in events]
    for line in table(("id", "time (UTC)", "change", "path", "process", "account"), rows, widest=80):
        click.echo("  " + line)
    if found["events"] > len(events):
        click.echo("  … and more; --json and --csv show all")


def _say(text: str) -> None:
    """A sentence, indented and wrapped; nothing of it is left out."""
    for line in textwrap.wrap(visible(text), WIDTH - 6, break_on_hyphens=False):
        click.echo("      " + line)


COMMANDS = (findings,)
