"""Commands of custody: custody (the log, and entries by hand), transfer, and copy, which begins a working copy."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from fimforensics import working
from fimforensics.cli.common import CASE, JSON, PATH, add_options, counted, named, opened, show_json, table, words
from fimforensics.errors import Misuse
from fimforensics.evidence import after, beside
from fimforensics.evidence import custody as custody_log
from fimforensics.queries import case as queries
from fimforensics.text import visible

PURPOSE = click.option("--purpose", help="Why.")
ABOUT = add_options([
    PURPOSE,
    click.option("--authority", help="By whose order or on what legal ground."),
    click.option("--place", help="Where it happened."),
    click.option("--by", "person", help="The person who did it, where the account's name does not tell."),
    click.option("--changes", help="What could not be left unchanged, and why."),
    click.option("--note", help="What else should be known."),
])


@click.command()
@CASE
@click.argument("what", required=False, type=click.Choice(["add"]))
@click.option("--action", help="With add: what was done to the case, in a word or two (seized, stored, handed out, examined).")
@ABOUT
@JSON
def custody(case: Path, what: str | None, as_json: bool, **about: str | None) -> None:
    """Shows the custody log: everything that was done to the case, and whether its chain is whole. With add: one entry more.

    An entry goes into the case; once the case is sealed, into CASE.custody.jsonl beside it, chained to the seal.
    """
    said = {name: words(value) for name, value in about.items()}
    if what == "add":
        if not said["action"]:
            raise Misuse("an entry needs --action", hint="fimforensics custody CASE add --action stored --place 'locker 7'")
        _add(case, "custody", said, f"{said['action']}", as_json)
        return
    if any(said.values()):
        raise Misuse("options of an entry go with the word add", hint="fimforensics custody CASE add --action …")
    _show(case, as_json)


@click.command()
@CASE
@click.option("--to", required=True, metavar="NAME", help="Who received it.")
@click.option("--from", "from_", metavar="NAME", help="Who handed it over, where that is not you.")
@click.option("--method", required=True, help="How: by hand, courier, upload, …")
@click.option("--seal-number", help="Number of the bag, box or seal it travelled in.")
@ABOUT
@JSON
def transfer(case: Path, as_json: bool, **about: str | None) -> None:
    """Notes that the case, or a copy of it, was handed to somebody: to whom, how, why, and by what authority."""
    said = {name.rstrip("_"): words(value) for name, value in about.items()}
    _add(case, "transfer", said, f"handed to {said['to']} ({said['method']})", as_json)


def _add(case: Path, action: str, said: dict[str, Any], result: str, as_json: bool) -> None:
    purpose = said.pop("purpose")
    where = working.note(case, action, said, result, purpose)
    if as_json:
        show_json([{"case": str(case), "action": action, "file": where, "purpose": purpose, **said}])
        return
    click.echo(f"Noted in {visible(where)}.")


def _show(case: Path, as_json: bool) -> None:
    with opened(case) as connection:
        found = list(queries.custody(connection))
        broken, untold = custody_log.broken(connection), queries.untold(connection)
    wrong = [] if broken is None else [f"entry {broken} does not follow from the one before: the log was changed"]
    wrong += [f"no entry tells of snapshot {number}: the log was cut" for number in untold]
    later: list[dict] = []
    if beside.seal_file(case).exists():
        told = after.check(case)
        wrong, later = wrong + told, [] if told else after.entries(case)
    if as_json:
        show_json([*found, *later])
    else:
        rows = [(row.get("id", ""), row["time"], row["actor"], row["machine"], row["action"], _said(row["arguments"]),
                 row["result"]) for row in [*found, *later]]
        for line in table(("id", "time (UTC)", "by", "on", "did", "with", "result"), rows, widest=70):
            click.echo(line)
    for line in wrong:
        click.echo(f"fimforensics: {visible(line)}", err=True)
    if wrong:
        sys.exit(1)
    if not as_json:
        beyond = (f", that of {counted(len(later), 'entry', 'entries')} after the seal too; the last hash is {later[-1]['hash']}"
                  if later else "")
        click.echo(f"The chain of {counted(len(found), 'entry', 'entries')} is whole{beyond}.")


def _said(arguments: str) -> str:
    """What was said with an action, without what was not."""
    told = json.loads(arguments)
    return ", ".join(f"{name} {value}" for name, value in told.items() if value is not None) if isinstance(told, dict) else ""


@click.command("copy")
@CASE
@click.argument("new", type=PATH)
@PURPOSE
@JSON
def copy_command(case: Path, new: Path, purpose: str | None, as_json: bool) -> None:
    """Makes a working copy of a sealed case: the same case, open again, whose custody log names the sealed one.

    The key that salts leaves is copied along, where it lies beside the case. After adding to the copy, seal it with --parent.
    """
    copied = working.copy(case, new, words(purpose))
    if as_json:
        show_json([{"case": str(new), "parent": str(case), "parent_root": copied.root, "parent_file_sha256": copied.file_sha256,
                    "parent_statement_sha256": copied.statement_sha256, "key": str(copied.key) if copied.key else None}])
        return
    click.echo(f"{visible(str(new))}: a working copy of {visible(str(case))}, sealed with root {copied.root}")
    if copied.key:
        click.echo(f"  {visible(copied.key.name)} was copied along: it is needed to take in further sources")
    else:
        click.echo(f"  {visible(case.name)}.key does not lie beside the case: to take in further sources, bring it as "
                   f"{visible(new.name)}.key, or name it with --case-key")
    click.echo(f"  when you are done: fimforensics seal {named(new)} --parent {named(case)}")


COMMANDS = (custody, transfer, copy_command)
