"""The commands that serve cases to a browser, and say who may look."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fimforensics.cli.common import PATH
from fimforensics.errors import Misuse
from fimforensics.passwords import put
from fimforensics.text import visible


@click.command()
@click.argument("cases", nargs=-1, required=True, type=PATH, metavar="CASE…")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True,
              help="The port on this machine; 0 takes any that is free.")
@click.option("--notes", "notes", is_flag=False, flag_value="", metavar="[FILE]",
              help="Keep notes (stars, tags, comments, dispositions) in a file beside each case, CASE.notes.db, or in FILE. "
                   "Without FILE it goes after the cases.")
@click.option("--shared", is_flag=True, help="Let people log in, and show nothing to others. Free SQL is off.")
@click.option("--password-file", "passwords", type=PATH, help="Who may log in; made by fimforensics password.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
              help="Where to listen; with --shared it may be an address that other machines reach.")
@click.option("--certificate", type=PATH, help="With --shared: encrypt, with this certificate (PEM).")
@click.option("--certificate-key", type=PATH, help="The certificate's key (PEM).")
@click.option("--open", "open_browser", is_flag=True, help="Open the first page in the browser.")
@click.option("--once", is_flag=True, help="Serve, fetch the first page once, say what came, and end.")
def serve(cases: tuple[Path, ...], port: int, notes: str | None, shared: bool, passwords: Path | None, host: str,
          certificate: Path | None, certificate_key: Path | None, open_browser: bool, once: bool) -> None:
    """Serves cases read-only to a browser on this machine: nothing in them can be changed, nothing leaves the machine.

    With --notes what people think of what they see is kept, in a file of its own; with --shared several people may look, each
    under a name of his own.
    """
    if shared != (passwords is not None):
        raise Misuse("--shared and --password-file belong together", hint="fimforensics password FILE NAME makes the file")
    if (certificate is None) != (certificate_key is None) or (certificate and not shared):
        raise Misuse("--certificate and --certificate-key belong together, and to --shared")
    from fimforensics import serve as serving  # Datasette takes long to load, and every other command goes without

    ways = serving.Ways(notes is not None, Path(notes) if notes else None, passwords,
                        certificate=(certificate, certificate_key) if certificate and certificate_key else None)
    sys.exit(serving.run(list(cases), ways, host=host, port=port, once=once, open_browser=open_browser,
                         say=lambda text: click.echo(visible(text))))


@click.command()
@click.argument("file", type=PATH)
@click.argument("name")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@click.option("--remove", is_flag=True, help="Take the name out.")
def password(file: Path, name: str, from_stdin: bool, remove: bool) -> None:
    """Gives NAME a password in FILE, so that he may log in where a case is shared: fimforensics serve CASE --shared.

    The file keeps a hash (scrypt), never the password, and is made if it is not there. A running server knows it from its next
    start.
    """
    if remove and from_stdin:
        raise Misuse("--remove and --stdin exclude each other")
    if remove:
        secret = None
    elif from_stdin:
        secret = sys.stdin.readline().rstrip("\r\n")
    else:
        secret = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    known = put(file, name, secret)
    told = "taken out" if remove else "a new password" if known else "added"
    click.echo(f"{visible(str(file))}: {visible(name)}: {told}")


COMMANDS = (serve, password)
