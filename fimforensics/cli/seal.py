"""Commands that close a case: seal, and the keys that sign: key new, key show."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from fimforensics import seal as sealing
from fimforensics.cli.common import CASE, JSON, PATH, named, show_json, words
from fimforensics.errors import Misuse, Problem
from fimforensics.evidence import beside, keys, sshsig
from fimforensics.text import visible

PASSPHRASE = "FIMFORENSICS_PASSPHRASE"
KEY = click.option("--key", type=PATH, help="The private key to sign with (of fimforensics key new, or of ssh-keygen).")


def asked(prompt: str = "Passphrase of the key", confirm: bool = False) -> bytes:
    """The passphrase, out of the environment or asked for; never an argument, which others on the machine can see."""
    told = os.environ.get(PASSPHRASE)
    if told is not None:
        return os.fsencode(told)
    if not sys.stdin.isatty():
        raise Misuse("the key asks for a passphrase, and there is nobody to ask", hint=f"Set {PASSPHRASE}")
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, default="" if confirm else None,
                            show_default=False, err=True)).encode()


@click.command()
@CASE
@KEY
@click.option("--note", help="Why it is sealed, in your words; stands in the statement and in the custody log.")
@click.option("--parent", type=PATH, help="The sealed case that this one was copied from: proves that it only grew.")
@click.option("--add-signature", is_flag=True, help="Sign a case once more that is sealed already, with another key.")
@JSON
def seal(case: Path, key: Path | None, note: str | None, parent: Path | None, add_signature: bool, as_json: bool) -> None:
    """Closes a case: states and signs what is in it, and makes its file read-only.

    Writes CASE.seal.json (the statement) and CASE.sig (its signature, which stock ssh-keygen checks) beside it.
    """
    if add_signature:
        _add(case, key, as_json)
        return
    with click.progressbar(length=0, label="Sealing", file=sys.stderr, show_eta=False, hidden=not sys.stderr.isatty()) as bar:
        done = sealing.seal(case, keys.load(key, asked) if key else None, words(note), parent, lambda _: bar.update(0))
    told = done.statement
    if as_json:
        show_json([{"case": str(case), "root": told["tree"]["root"], "leaves": told["tree"]["leaves"],
                    "file_sha256": told["file"]["sha256"], "statement_sha256": done.sha256, "sealed": told["sealed"]["time"],
                    "signer": done.signer.fingerprint if done.signer else None,
                    "parent": told["parent"]["sha256"] if told["parent"] else None}])
        return
    click.echo(f"Sealed {visible(str(case))}, from now on read-only")
    click.echo(f"  root: {told['tree']['root']} over {told['tree']['leaves']:,} leaves")
    click.echo(f"  file: SHA-256 {told['file']['sha256']}, {told['file']['size']:,} bytes")
    click.echo(f"  statement: {visible(beside.seal_file(case).name)}, SHA-256 {done.sha256}")
    if parent:
        click.echo(f"  grown from {visible(str(parent))}: its {told['parent']['statement']['tree']['leaves']:,} leaves are the "
                   f"beginning, proven by {len(told['parent']['consistency'])} hashes")
    if done.signer:
        _signed(case, beside.signature_file(case), done.signer)
    else:
        click.echo(f"  not signed: note the root elsewhere, or sign: fimforensics seal {named(case)} --add-signature --key FILE")


def _add(case: Path, key: Path | None, as_json: bool) -> None:
    if key is None:
        raise Misuse("--add-signature needs a key", hint="Name it: --key FILE")
    try:
        path, who = sealing.add_signature(case, keys.load(key, asked))
    except FileExistsError as there:
        raise Problem("this key has signed it already", where=str(there.args[0]), hint="Sign with another key") from None
    if as_json:
        show_json([{"case": str(case), "signature": str(path), "signer": who.fingerprint}])
        return
    click.echo(f"Signed {visible(str(beside.seal_file(case)))}")
    _signed(case, path, who)


def _signed(case: Path, path: Path, who: sshsig.Signer) -> None:
    click.echo(f"  signed: {visible(path.name)}, with the key {who.fingerprint}")
    click.echo("To check the signature without this program, put this line in a file ALLOWED:")
    click.echo(f"  {sshsig.allowed(who)}")
    click.echo(f"and run: ssh-keygen -Y verify -f ALLOWED -I {sshsig.PRINCIPAL} -n {sshsig.NAMESPACE} "
               f"-s {named(path)} < {named(beside.seal_file(case))}")


@click.group()
def key() -> None:
    """Keys that sign seals: made once, kept apart from the cases."""


@key.command("new")
@click.option("--out", required=True, type=PATH, help="The new file, which only you may read.")
@JSON
def key_new(out: Path, as_json: bool) -> None:
    """Makes an Ed25519 key in OpenSSH's format. Its passphrase is asked for, or taken from FIMFORENSICS_PASSPHRASE."""
    if out.exists():
        raise Problem("it is there already", where=str(out), hint="Name a new file; a key is never overwritten")
    passphrase = asked("Passphrase of the new key (empty for none)", confirm=True) if _can_ask() else b""
    who = keys.make(out, passphrase)
    if as_json:
        show_json([{"key": str(out), "fingerprint": who.fingerprint, "public": who.public, "passphrase": bool(passphrase)}])
        return
    click.echo(f"Made {visible(str(out))}{'' if passphrase else ', without a passphrase'}")
    _show(who)


def _can_ask() -> bool:
    return PASSPHRASE in os.environ or sys.stdin.isatty()


@key.command("show")
@click.argument("file", type=PATH)
@JSON
def key_show(file: Path, as_json: bool) -> None:
    """Shows a key's fingerprint, and the line by which others allow it."""
    who = sshsig.signer(keys.load(file, asked).public_key())
    if as_json:
        show_json([{"key": str(file), "fingerprint": who.fingerprint, "public": who.public}])
        return
    _show(who)


def _show(who: sshsig.Signer) -> None:
    click.echo(f"  fingerprint: {who.fingerprint}")
    click.echo(f"  public key:  {who.public}")
    click.echo("Give the fingerprint to whoever is to check your seals, over another channel than the case.")


COMMANDS = (seal, key)
