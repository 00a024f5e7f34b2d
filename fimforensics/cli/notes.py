"""The commands for notes on a case: they are listed, checked and merged here, and written in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import click

from fimforensics.cli.common import CASE, CSV, JSON, PATH, counted, not_both, opened, show_csv, show_json, words
from fimforensics.errors import Problem
from fimforensics.notes import binding
from fimforensics.notes.book import Book
from fimforensics.notes.entry import DISPOSITIONS, KINDS
from fimforensics.notes.merge import merge
from fimforensics.notes.told import Key, Told
from fimforensics.text import visible

COLUMNS = ("id", "time", "actor", "machine", "action", "kind", "number", "name", "value", "target", "taken_back", "case_id",
           "evidence_digest", "seal", "subject", "entry", "merged", "previous", "hash", "tool", "local_offset", "nonce")


class Notes(NamedTuple):
    """A file's notes beside the case: what they come to, and which rows they are about."""

    book: Book
    told: dict[Key, Told]
    numbers: dict[Key, int]


@click.command()
@CASE
@click.option("--notes", "path", type=PATH, help="The notes file; CASE.notes.db when not told.")
@click.option("--merge", "others", type=PATH, multiple=True,
              help="Add what another person's notes file has, and tell what that came to. May be given more than once.")
@click.option("--kind", type=click.Choice(KINDS), help="Only those on things of this kind.")
@click.option("--by", help="Only those of this person.")
@click.option("--tag", help="Only those on things with this tag.")
@click.option("--disposition", type=click.Choice(DISPOSITIONS), help="Only those on things that somebody holds for this.")
@CSV
@JSON
def notes(case: Path, path: Path | None, others: tuple[Path, ...], kind: str | None, by: str | None, tag: str | None,
          disposition: str | None, as_csv: bool, as_json: bool) -> None:
    """Lists the notes on a case, thing by thing; with --json or --csv every entry, what was taken back too.

    Notes are written in the browser, by fimforensics serve CASE --notes. What is wrong with the file is said on standard error,
    with exit code 1, after all that could be read of it.
    """
    not_both(as_csv, as_json)
    with opened(case) as connection:
        about = binding.of_case(connection, case)
        book = binding.opened(about, path, None, make=bool(others))
        for other in others:
            _merge(book, other, about)
        told = binding.entries(book)
        found = Notes(book, told, binding.numbers(connection, told))
        chosen = {key: one for key, one in told.items() if _wanted(one, kind, words(by), words(tag), disposition)}
        if as_json:
            show_json(_entries(found, chosen))
        elif as_csv:
            show_csv(COLUMNS, ([row[name] for name in COLUMNS] for row in _entries(found, chosen)))
        else:
            for line in _lines(found, chosen, binding.summary(book, about, told, found.numbers)):
                click.echo(line)
    if book.trouble:
        raise Problem(book.trouble, where=str(book.path), hint="Nothing was changed. Use another copy of it")


def _merge(book: Book, path: Path, about: binding.Case) -> None:
    if not path.exists():
        raise Problem("there are no notes", where=str(path))
    other = Book(path)
    binding.check(other, about)
    added, known = merge(book, other)
    click.echo(f"{visible(str(path))}: {counted(added, 'entry', 'entries')} added, {known:,} there already", err=True)


def _wanted(one: Told, kind: str | None, by: str | None, tag: str | None, disposition: str | None) -> bool:
    said = [*one.stars, *one.tags, *one.comments, *one.dispositions, *one.earlier, *one.retracted]
    return (kind in (None, one.kind) and (by is None or by in {each.actor for each in said})
            and (tag is None or tag in one.tag_names)
            and (disposition is None or disposition in {each.text for each in one.dispositions}))


def _entries(found: Notes, chosen: dict[Key, Told]) -> Iterator[dict]:
    """Every entry on the chosen things, in the order of the file."""
    taken = {said.entry for one in found.told.values() for said in (*one.retracted, *one.comments) if said.retracted}
    for line in found.book.lines:
        key = (line.said.kind, line.said.subject)
        if key in chosen:
            yield {"id": line.id, "entry": line.entry, **asdict(line.said), "number": found.numbers.get(key),
                   "taken_back": line.entry in taken, "merged": line.merged, "previous": line.previous, "hash": line.hash}


def _lines(found: Notes, chosen: dict[Key, Told], summary: str) -> Iterator[str]:
    yield visible(summary)
    for key, one in chosen.items():
        number = found.numbers.get(key)
        where = f"{one.kind} {number}" if number is not None else f"{one.kind}, not in this case"
        yield f"{'★ ' if one.stars else ''}{visible(one.name)}  ({where})"
        if one.dispositions:
            yield ("    " + ("people differ: " if one.conflict else "")
                   + ", ".join(f"{said.text} ({visible(said.actor)})" for said in one.dispositions))
        if one.tag_names:
            yield f"    tags: {visible(', '.join(one.tag_names))}"
        for said in one.comments:
            if not said.retracted:
                yield f"    {said.time[:16].replace('T', ' ')} {visible(said.actor)}: {visible(said.text)}"
    if found.book.head:
        yield f"head of the chain: {found.book.head}"


COMMANDS = (notes,)
