"""Commands that compute and count: analyze (what the analyses say of a case) and summary (how much of what happened where)."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from fimforensics import analyze as analyzing
from fimforensics import case as cases
from fimforensics.analyses import ANALYSES
from fimforensics.cli.common import CASE, CSV, JSON, NUMBER, counted, named, not_both, opened, show_csv, show_json, table, words
from fimforensics.cli.events import SPAN
from fimforensics.errors import Misuse
from fimforensics.evidence import custody
from fimforensics.queries import freshness, questions
from fimforensics.queries.findings import counts
from fimforensics.queries.moments import moment

SHOWN = 20  # rows of a section that `summary` prints for people unless told otherwise


class Bar:
    """A line on the terminal with the analysis that runs, and how far it is; remembers which came to their end."""

    def __init__(self) -> None:
        self.active = sys.stderr.isatty()
        self.done: list[str] = []
        self._shown, self._label = 0.0, ""

    def __call__(self, label: str, done: int, size: int) -> None:
        if done >= size > 0 and label not in self.done:
            self.done.append(label)
        now = time.monotonic()
        if not self.active or (label == self._label and now - self._shown < 0.2):
            return
        self._shown, self._label = now, label
        share = f"{min(done / size, 1):4.0%}" if size else ""
        click.echo(f"\r\x1b[Kanalysing: {label}  {share}", nl=False, err=True)

    def end(self) -> None:
        """Clears the line."""
        if self.active and self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def due(connection: sqlite3.Connection) -> list[str]:
    """The analyses that never ran on this case or are older than its evidence, in their order."""
    states = freshness.states(connection)
    return [analysis.name for analysis in ANALYSES if states.get(analysis.name) != "fresh"]


def bring_up(case: Path, quiet: bool = False) -> None:
    """Leaves a case analysed whose evidence has changed; nothing is done where all is fresh, or an ingest is unfinished.

    One line says how many findings there are now, unless `quiet`.
    """
    with opened(case) as connection:
        names = due(connection)
        if connection.execute("SELECT 1 FROM snapshots WHERE state = 'unfinished'").fetchone():
            return
    if not names:
        return
    _run(case, names)
    if not quiet:
        with opened(case) as connection:
            found = counts(connection)
        told = ", ".join(f"{number:,} {severity}" for severity, number in found.items() if number)
        click.echo(f"Analysed: {counted(sum(found.values()), 'finding')}" + (
            f" ({told}): fimforensics findings {named(case)}" if told else ""))


def _run(case: Path, names: Sequence[str]) -> list[analyzing.Done]:
    bar = Bar()
    try:
        return analyzing.analyze(case, names, bar)
    finally:
        bar.end()


@click.command()
@CASE
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--list", "listed", is_flag=True,
              help="Run nothing; tell which analyses there are, what they fill, and whether it is fresh, stale, or never ran.")
@JSON
def analyze(case: Path, names: tuple[str, ...], listed: bool, as_json: bool) -> None:
    """Runs the analyses over a case: all, or the named ones and those they need; what they said before is replaced.

    What they say is interpretation: it changes nothing of the evidence, and can be thrown away and made again at will. An entry
    in the custody log tells that they ran.
    """
    if listed:
        if names:
            raise Misuse("--list goes without names")
        _list(case, as_json)
        return
    analyzing.chosen(names)  # Misuse before anything is opened
    bar = Bar()
    try:
        done = analyzing.analyze(case, names, bar)
    except BaseException as error:
        bar.end()
        if bar.done:  # what came to its end stays, so the log tells of it
            _log(case, names, f"stopped ({type(error).__name__}) after: {', '.join(bar.done)}")
        raise
    bar.end()
    findings = sum(one.findings for one in done)
    _log(case, names, f"{', '.join(one.name for one in done) or 'nothing'}: {findings} findings")
    if as_json:
        show_json({"name": one.name, "rows": one.rows, "findings": one.findings} for one in done)
        return
    rows = [(one.name, told, one.rows.get(told, ""), one.findings) for one in done for told in one.rows or ("",)]
    for line in table(("analysis", "table", "rows", "findings"), _once(rows)):
        click.echo(line)
    told = f": fimforensics findings {named(case)}" if findings else ""
    click.echo(f"{counted(len(done), 'analysis', 'analyses')} done, {counted(findings, 'finding')}{told}")


def _once(rows: Sequence[tuple]) -> Iterator[tuple]:
    """The rows with an analysis's name and its findings only in its first."""
    last = None
    for name, told, number, findings in rows:
        yield ("", told, number, "") if name == last else (name, told, number, findings)
        last = name


def _log(case: Path, names: Sequence[str], result: str) -> None:
    """One entry a command. It touches neither the evidence digest nor the logical digests: those are of evidence alone."""
    with cases.change(case) as db:
        db.execute("BEGIN IMMEDIATE")
        custody.add(db, "analyze", {"analyses": list(names)}, result)
        db.execute("COMMIT")


def _list(case: Path, as_json: bool) -> None:
    with opened(case) as connection:
        states = freshness.states(connection)
        finished = dict(connection.execute("SELECT name, finished FROM analyses"))
        findings = dict(connection.execute("SELECT analysis, count(*) FROM findings GROUP BY 1"))
    rows = [{"name": one.name, "state": states.get(one.name, "never"), "finished": finished.get(one.name),
             "findings": findings.get(one.name, 0), "fills": list(one.tables), "needs": list(one.needs),
             "rules": [rule.name for rule in one.rules], "title": one.title} for one in ANALYSES]
    if as_json:
        show_json(rows)
        return
    for line in table(("analysis", "state", "finished (UTC)", "findings", "fills", "what it computes"),
                      [(row["name"], row["state"], (row["finished"] or "")[:19], row["findings"], ", ".join(row["fills"]),
                        row["title"]) for row in rows], widest=100):
        click.echo(line)


@click.command()
@CASE
@click.option("--only", multiple=True, type=click.Choice(list(questions.SECTIONS)), metavar="SECTION",
              help="Only this section; may be said more than once. There are: " + ", ".join(questions.SECTIONS) + ".")
@SPAN
@click.option("--host", help="Part of a host's name; with * or ? in it the whole of it.")
@click.option("--subscription", metavar="ID", help="Only machines of this Azure subscription.")
@click.option("--limit", type=NUMBER, help=f"Rows of each section at the most; without --json and --csv {SHOWN}.")
@CSV
@JSON
def summary(case: Path, only: tuple[str, ...], since: str | None, until: str | None, host: str | None, subscription: str | None,
            limit: int | None, as_csv: bool, as_json: bool) -> None:
    """Counts what happened: the questions that Microsoft's own documents ask of these events, one section each."""
    not_both(as_csv, as_json)
    if as_csv and len(only) != 1:
        raise Misuse("--csv prints one section", hint="Name it: --only hosts")
    with opened(case) as connection:
        scope = questions.scope(connection, since and moment(connection, since, "--since"),
                                until and moment(connection, until, "--until"), words(host), words(subscription))
        for name in only or questions.SECTIONS:
            section = questions.SECTIONS[name]
            whole = (as_json or as_csv) and (only or name not in questions.LONG)
            rows = section.rows(connection, scope, limit if whole else (limit or SHOWN) + (not as_json))
            if as_json:
                show_json({"section": name, **dict(zip(section.columns, row, strict=True))} for row in rows)
            elif as_csv:
                show_csv(section.columns, rows)
            else:
                _show(name, section, list(rows), limit or SHOWN)


def _show(name: str, section: questions.Section, rows: list[tuple], limit: int) -> None:
    click.echo(f"{name}: {section.title}" + ("" if rows else ": nothing is told of it"))
    if not rows:
        return
    for line in table([column.replace("_", " ") for column in section.columns], rows[:limit]):
        click.echo("  " + line)
    if len(rows) > limit:
        click.echo(f"  … and more: --only {name} with --limit, --json or --csv")


COMMANDS = (analyze, summary)
