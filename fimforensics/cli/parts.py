"""Commands for those who may see some of a case: derive makes a part of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from fimforensics import case as cases
from fimforensics import working
from fimforensics.cli.common import CASE, JSON, PATH, counted, named, new_file, opened, show_json, words
from fimforensics.cli.events import FILTERS, filter_of
from fimforensics.cli.ingest import Bar
from fimforensics.errors import Misuse, Problem
from fimforensics.parts import alter, check
from fimforensics.parts import derive as deriving
from fimforensics.parts import prove as proving
from fimforensics.parts.whole import refuse_part
from fimforensics.queries.events import find
from fimforensics.queries.parts import redactions
from fimforensics.text import visible


@click.command()
@CASE
@click.argument("new", type=PATH)
@FILTERS
@click.option("--events", "only", multiple=True, metavar="ID,…",
              help="Only these events, by number or event key, commas between.")
@click.option("--redact", multiple=True, metavar="COLUMN=CODE:BASIS",
              help="Take this column out of every event kept, under this code and on this legal basis; several times if need be.")
@click.option("--pseudonyms", type=PATH, metavar="KEYFILE",
              help="Replace names by pseudonyms made with the key in this file, which is made if it is not there; keep it apart.")
@click.option("--pseudonym", multiple=True, metavar="COLUMN",
              help="With --pseudonyms: the columns that hold names; without it, those of accounts, domains and SIDs.")
@click.option("--accept-remains", is_flag=True,
              help="Make the part even if text that was taken out of a column stands elsewhere.")
@click.option("--case-key", type=PATH, help="Use the secret in this file instead of CASE.key.")
@click.option("--purpose", help="What the part is for.")
@click.option("--authority", help="By whose order or on what legal ground it is handed out.")
@click.option("--note", help="A note that goes with the part.")
@JSON
def derive(case: Path, new: Path, only: tuple[str, ...], redact: tuple[str, ...], pseudonyms: Path | None,
           pseudonym: tuple[str, ...], accept_remains: bool, case_key: Path | None, purpose: str | None, authority: str | None,
           note: str | None, as_json: bool, **filters: Any) -> None:
    """Makes a part of a case: the events that fit, with their records, proven against the root of the whole.

    A part is a case: it can be looked at, served, analysed, sealed and verified, but nothing is added to it. Nothing else of the
    whole is in it, but how much was withheld. A redacted event keeps its place; only with the whole at hand can it be proven.
    """
    if pseudonym and pseudonyms is None:
        raise Misuse("--pseudonym goes with --pseudonyms", hint="Name a file for the key: --pseudonyms FILE")
    rules = tuple(alter.redaction(words(said) or "") for said in redact)
    columns = tuple(dict.fromkeys(map(alter.known, pseudonym))) or (alter.ACCOUNTS if pseudonyms else ())
    if doubled := {one.column for one in rules} & set(columns) or len({one.column for one in rules}) < len(rules):
        raise Misuse(f"a column is named twice{': ' + ', '.join(sorted(doubled)) if isinstance(doubled, set) else ''}")
    with opened(case) as connection:
        refuse_part(connection, case)
        wanted = filter_of(connection, filters)
        ids = frozenset(find(connection, name.strip()) for said in only for name in said.split(",")) if only else None
    made = alter.Alterations(rules, columns, pseudonym_key(pseudonyms) if pseudonyms else b"")
    order = deriving.Order(wanted, ids, made, accept_remains, words(purpose), words(authority), words(note))
    bar = Bar()
    try:
        counts = deriving.derive(case, new, order, cases.read_key(case_key or cases.key_file(case)), bar)
    finally:
        bar.end()
    if as_json:
        show_json([{"case": str(case), "part": str(new), **asdict(counts)}])
    else:
        for line in _told(case, new):
            click.echo(line)
    _note(case, new, purpose, asdict(counts))


def _note(case: Path, new: Path, purpose: str | None, counts: dict[str, int]) -> None:
    """An entry in the whole's custody; where it cannot be written, that is told and the part stands."""
    try:
        working.note(case, "derive", {"part": new.name, **counts}, "a part was made", words(purpose))
    except Problem as problem:
        told = visible(problem.line())
        click.echo(f"fimforensics: the part is made, but not noted in the custody of the whole: {told}", err=True)


def pseudonym_key(path: Path) -> bytes:
    """The key in this file, which is made where it is not there; only its owner may read it."""
    if not path.exists():
        key = secrets.token_bytes(32)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(key.hex() + "\n")
        except OSError as error:
            raise Problem(f"cannot be written ({error.strerror})", where=str(path),
                          hint="Name a file in a folder that is there") from None
        return key
    return cases.read_key(path)


def _told(case: Path, new: Path) -> Iterator[str]:
    """What a part is, out of the part itself."""
    with opened(new) as connection:
        told = check.about(connection)
        rules = list(redactions(connection))
        near = connection.execute("SELECT s.source FROM part_snapshots p JOIN snapshots s ON s.id = p.snapshot_id "
                                  "WHERE p.altered AND p.records - p.kept + p.altered <= 3").fetchall()
    assert told is not None
    yield f"{visible(str(new))}: a part of {visible(str(case))}"
    yield f"  kept {counted(told.kept_events, 'event')}, withheld {counted(told.withheld_events, 'event')}"
    yield (f"  kept {counted(told.kept_records, 'record')}, {told.altered_records:,} of them altered, withheld "
           f"{counted(told.withheld_records, 'record')}")
    for rule in rules:
        where = "names in other text" if rule["column_name"] == "*" else visible(rule["column_name"])
        yield (f"  {where}: {rule['how']} in {counted(rule['records'], 'record')}"
               + (f" ({visible(rule['code'])}: {visible(rule['basis'])})" if rule["code"] else ""))
    yield f"  root of the whole: {told.parent_root} over {told.parent_records:,} leaves"
    if not told.sealed:
        yield "  the whole is not sealed: no signature says that this root is right"
    for (source,) in near:
        yield (f"  beware: nearly all of {visible(source)} is in the part; whoever knows the rest can test guesses of what "
               "was taken out against the SHA-256 of the file")
    yield f"  verify it: fimforensics verify {named(new)}"


@click.command()
@CASE
@click.argument("event")
@click.option("--output", "-o", type=PATH, help="Write to this file, which must not exist; else to standard output.")
@click.option("--case-key", type=PATH, help="Use the secret in this file instead of CASE.key.")
def prove(case: Path, event: str, output: Path | None, case_key: Path | None) -> None:
    """Writes one event as a small file that proves itself: its records, their way to the root, and the signed statement.

    fimforensics verify FILE checks it, without the case.
    """
    with opened(case) as connection:
        refuse_part(connection, case)
    data = proving.prove(case, event, cases.read_key(case_key or cases.key_file(case)))
    if output is None:
        click.echo(data, nl=False)
        return
    with new_file(output) as stream:
        stream.write(data)
    click.echo(f"{visible(str(output))}: {len(data):,} bytes. Check it anywhere: fimforensics verify {named(output)}")


COMMANDS = (derive, prove)
