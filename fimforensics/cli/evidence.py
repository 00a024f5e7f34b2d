"""Commands that give back what came in: original."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import click

from fimforensics import case as cases
from fimforensics.cli.common import CASE, NUMBER, PATH, new_file, opened
from fimforensics.errors import Misuse, Problem
from fimforensics.evidence import raw


@click.command()
@CASE
@click.argument("snapshot", type=NUMBER)
@click.option("--output", "-o", type=PATH, help="Write to this file, which must not exist; else to standard output.")
def original(case: Path, snapshot: int, output: Path | None) -> None:
    """Gives back the source of a snapshot byte for byte, and checks it against its hash."""
    with opened(case) as connection:
        row = connection.execute("SELECT sha256, state FROM snapshots WHERE id = ?", (snapshot,)).fetchone()
        if row is None:
            raise Problem(f"there is no snapshot {snapshot} in this case", hint="fimforensics snapshots CASE lists them")
        cases.refuse_part(connection, case)
        if output is None and sys.stdout.isatty():
            raise Misuse("an original does not belong on a terminal", hint="Say --output FILE, or send it on with > or |")
        hashed = sha256()
        stream = new_file(output) if output else sys.stdout.buffer
        for piece in raw.original(connection, snapshot):
            hashed.update(piece)
            stream.write(piece)
        stream.flush()
        if output:
            stream.close()
        if row[0] != hashed.hexdigest():
            raise Problem(f"the bytes of snapshot {snapshot} do not have the hash of its source", where=str(case),
                          hint="It is unfinished, or the case was changed" if row[1] == "unfinished" else "The case was changed")


COMMANDS = (original,)
