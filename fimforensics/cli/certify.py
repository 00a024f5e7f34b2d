"""The command that writes the certificate of a case: certify."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fimforensics.cli.common import CASE, PATH, new_file
from fimforensics.cli.verify import fingerprint_of
from fimforensics.text import visible


@click.command()
@CASE
@click.option("--output", "-o", required=True, type=PATH, help="The HTML file to write, which must not exist.")
@click.option("--key", "fingerprint", help="The fingerprint (SHA256:…) of the key that must have signed the seal.")
@click.option("--fast", is_flag=True, help="Check without deriving everything again from the originals; the page says so.")
@click.option("--case-key", type=PATH, help="The case's key, where it does not lie beside it: checks the leaves too.")
def certify(case: Path, output: Path, fingerprint: str | None, fast: bool, case_key: Path | None) -> None:
    """Verifies a case and writes the page that a qualified person may sign: the copy (part A) and the process (part B).

    Facts are filled in, with hashes at acquisition and now; opinion and declaration stay blank. Ends with 1 where the case is
    not whole; the page is written all the same, and says what differs. A browser prints it to paper or PDF.
    """
    from fimforensics import certify as certifying  # templates take long to load, and other commands go without

    page, whole = certifying.certify(case, fast=fast, fingerprint=fingerprint_of(fingerprint), case_key=case_key)
    with new_file(output) as stream:
        stream.write(page.encode("utf-8", "backslashreplace"))
    click.echo(f"{visible(str(output))}: open it in a browser and print it")
    if not whole:
        click.echo("fimforensics: the case is not whole; the page says what differs", err=True)
        sys.exit(1)


COMMANDS = (certify,)
