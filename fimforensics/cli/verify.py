"""The command that checks a case: verify."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from fimforensics import case as cases
from fimforensics.cli.common import CASE, JSON, PATH, counted, show_json
from fimforensics.errors import Misuse
from fimforensics.evidence.verify import LAYERS, Options, Report
from fimforensics.evidence.verify import verify as check
from fimforensics.parts import prove as proving
from fimforensics.text import visible

_SHOWN = 40  # differences; --json gives all


@click.command()
@CASE
@click.option("--key", "fingerprint", help="The fingerprint (SHA256:…) of the key that must have signed the seal.")
@click.option("--root", help="The root that the case must have, as it was noted or read out elsewhere.")
@click.option("--fast", is_flag=True, help="Leave out deriving everything again from the originals.")
@click.option("--case-key", type=PATH, help="The case's key, where it does not lie beside it: checks the leaves too.")
@click.option("--parent", type=PATH, help="Of a part: the whole case, which proves altered records too.")
@click.option("--pseudonyms", type=PATH, help="With --parent: the key of a part's pseudonyms.")
@JSON
def verify(case: Path, fingerprint: str | None, root: str | None, fast: bool, case_key: Path | None, parent: Path | None,
           pseudonyms: Path | None, as_json: bool) -> None:
    """Checks a case: is it the file that was sealed, and does everything in it follow from its originals?

    Instead of a case, a file of fimforensics prove can be checked.

    Says what differs (table, row, column, bytes of the source), and plainly what was not checked. Ends with 0 where all is
    whole, 1 where something differs, 2 for wrong use.
    """
    if proving.is_proof(case):
        _proof(case, fingerprint_of(fingerprint), _root(root), as_json)
        return
    if pseudonyms and not parent:
        raise Misuse("--pseudonyms goes with --parent")
    names = cases.read_key(pseudonyms) if pseudonyms else None
    options = Options(fingerprint_of(fingerprint), _root(root), fast, case_key, parent, names)
    bar = _Bar()
    try:
        report = check(case, options, bar.show)
    finally:
        bar.close()
    if as_json:
        show_json([{"case": str(case), **report.as_object()}])
    else:
        _show(case, report)
    if not report.whole:
        sys.exit(1)


def _proof(path: Path, fingerprint: str | None, root: str | None, as_json: bool) -> None:
    """Checks the proof of one event."""
    found = proving.check(path)
    wrong = list(found.wrong)
    if root is not None and root != found.root:
        wrong.append(f"the root is {found.root}, not {root}")
    if fingerprint is not None and fingerprint not in found.signers:
        wrong.append(f"the key {fingerprint} has not signed the seal")
    if as_json:
        show_json([{"proof": str(path), "whole": not wrong, "event": found.event, "records": found.records, "root": found.root,
                    "leaves": found.leaves, "sealed": found.sealed, "signers": found.signers, "differences": wrong}])
    else:
        click.echo(f"Event {visible(found.event)}: {counted(found.records, 'record')} in a tree of {found.leaves:,} leaves")
        click.echo(f"Root: {visible(found.root)}")
        for line in wrong:
            click.echo(f"  DIFFERS: {visible(line)}")
        if not found.sealed:
            click.echo("Trust: the case was not sealed; compare the root with one noted elsewhere")
        elif not found.signers:
            click.echo("Trust: the seal is not signed; compare the root with one noted elsewhere")
        for one in found.signers:
            click.echo(f"Trust: signed by {one}" + ("" if fingerprint else "; whether that is the sealer's key, ask the sealer"))
        click.echo(f"{visible(str(path))} is {'NOT ' if wrong else ''}whole.")
    if wrong:
        sys.exit(1)


def fingerprint_of(told: str | None) -> str | None:
    """The fingerprint of a key as it was said; Misuse for what is none."""
    if told is not None and not re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", told):
        raise Misuse(f"{told!r} is no fingerprint of a key", hint="It looks like SHA256:… with 43 letters, as key show prints it")
    return told


def _root(told: str | None) -> str | None:
    if told is None:
        return None
    found = re.sub(r"[\s:-]", "", told).lower()
    if not re.fullmatch("[0-9a-f]{64}", found):
        raise Misuse("a root has 64 hexadecimal figures", hint="Groups and blanks between them do not matter")
    return found


class _Bar:
    """How far it is, on a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._label = ""

    def show(self, label: str, done: int, of: int) -> None:
        """What is checked now, and how much of it is done."""
        if not sys.stderr.isatty():
            return
        if label != self._label:
            self.close()
            self._label = label
            self._bar = click.progressbar(length=max(of, 1), label=visible(label)[:40], file=sys.stderr)
        if self._bar is not None:
            self._bar.update(min(done, of) - self._bar.pos)

    def close(self) -> None:
        """Ends the line."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None


def _show(case: Path, report: Report) -> None:
    for layer in LAYERS:
        different = report.of(layer)
        if layer not in report.checked and not different:
            continue
        told = "; ".join(report.checked.get(layer, ["not to the end"]))
        click.echo(f"{'whole' if not different else 'DIFFERS':8}{layer}: {visible(told)}")
    for one in report.differences[:_SHOWN]:
        click.echo(f"  {one.layer}: {visible(one.line())}")
    if len(report.differences) > _SHOWN:
        click.echo(f"  and {counted(len(report.differences) - _SHOWN, 'difference')} more; --json tells all")
    for line in report.unchecked:
        click.echo(f"Not checked: {visible(line)}")
    for line in report.trust:
        click.echo(f"Trust: {visible(line)}")
    if "root" in report.facts:
        click.echo(f"Root: {report.facts['root']} over {counted(report.facts['leaves'], 'leaf', 'leaves')}")
    if report.whole:
        click.echo(f"{visible(str(case))} is whole, as far as it was checked.")
    else:
        click.echo(f"{visible(str(case))} is NOT whole: {counted(len(report.differences), 'difference')}.")


COMMANDS = (verify,)
