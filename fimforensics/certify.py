"""The certificate of a case: what a person may declare before a court, facts filled in, everything personal left blank.

Part A is about the copy (US Federal Rule of Evidence 902(14)): hashes of every source when it was taken and now. Part B is about
the process (902(13)): the program, what it did, how that was checked. Opinion and declaration are for a qualified person to
write and sign; whether anything is evidence is for a court to say.
"""

from __future__ import annotations

import io
import json
import platform
import sqlite3
from dataclasses import dataclass
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import Any

import apsw
import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fimforensics import case as cases
from fimforensics.evidence import after, beside, custody, raw, statement, tree
from fimforensics.evidence.verify import LAYERS, Options, Report, verify
from fimforensics.parts import check as parts
from fimforensics.queries import case as queries
from fimforensics.queries import parts as of_parts
from fimforensics.text import visible

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Certificate:
    """All that the page says."""

    made: str
    tool: str
    info: dict[str, Any]
    file: dict[str, Any]
    root: str
    leaves: int
    seal: dict[str, Any] | None
    statement_sha256: str | None
    signers: list[str]
    sources: list[dict[str, Any]]
    part: dict[str, Any] | None
    redactions: list[dict[str, Any]]
    report: Report
    log: list[dict[str, Any]]
    later: list[dict[str, Any]]


def certify(case: Path, *, fast: bool = False, fingerprint: str | None = None, case_key: Path | None = None) -> tuple[str, bool]:
    """The page as HTML, and whether the case is whole; verifies the case first (`fast`: without deriving it again)."""
    report = verify(case, Options(fast=fast, fingerprint=fingerprint, case_key=case_key))
    with cases.reading(case) as connection:
        found = _certificate(case, connection, report)
    return render(found, case), report.whole


def _certificate(case: Path, connection: sqlite3.Connection, report: Report) -> Certificate:
    leaves = statement.all_leaves(connection)
    sealed = beside.seal_file(case).exists()
    told = statement.read(beside.seal_file(case))[0] if sealed else None
    part = of_parts.part(connection)
    return Certificate(
        made=custody.now(), tool=custody.tool(), info=queries.info(connection), file=statement.file_facts(case),
        root=tree.root(leaves).hex(), leaves=len(leaves), seal=told["sealed"] if told else None,
        statement_sha256=after.anchor(case) if sealed else None, signers=list(report.facts.get("signers", ())),
        sources=list(_sources(connection, part is not None)), part=part, redactions=list(of_parts.redactions(connection)),
        report=report, log=list(queries.custody(connection)),
        later=after.entries(case) if sealed and not after.check(case) else [])


def _sources(connection: sqlite3.Connection, is_part: bool) -> list[dict[str, Any]]:
    """Every source with its hashes when it was taken, and as they are of the bytes that the case gives back now."""
    found = []
    for row in queries.snapshots(connection):
        now = None
        if not is_part:
            hashes = sha256(), sha1(usedforsecurity=False), md5(usedforsecurity=False)
            for piece in raw.original(connection, row["id"]):
                for one in hashes:
                    one.update(piece)
            now = [one.hexdigest() for one in hashes]
        then = [row["sha256"], row["sha1"], row["md5"]]
        found.append({**row, "then": then, "now": now, "same": now == then if now else None})
    return found


def groups(figures: str) -> list[str]:
    """Hexadecimal figures in groups of four, as they are read out."""
    return [figures[at:at + 4] for at in range(0, len(figures), 4)]


def qr(text: str) -> str:
    """A QR code as SVG to stand within a page."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=3, border=2, xmldecl=False, svgns=True, nl=False, omitsize=False)
    return out.getvalue().decode()


def render(found: Certificate, case: Path) -> str:
    """The page."""
    page = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True)
    page.filters["visible"] = lambda value: "" if value is None else visible(str(value))
    page.filters["when"] = lambda time: visible(str(time))[:19].replace("T", " ")
    page.filters["said"] = _said
    return page.get_template("certificate.html").render(
        c=found, case=case.name, groups=groups(found.root), qr=qr(found.root), layers=_layers(found.report),
        versions=f"SQLite {apsw.sqlite_lib_version()}, {platform.platform()}", entries=len(found.log) + len(found.later),
        head=(found.later or found.log or [{"hash": ""}])[-1]["hash"], about=parts.About)


def _said(arguments: str) -> str:
    """What was said with an entry of custody."""
    told = json.loads(arguments)
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in told.items() if value is not None)


def _layers(report: Report) -> list[tuple[str, str, int]]:
    """What was checked, how, and how many differences came of it."""
    return [(layer, "; ".join(report.checked.get(layer, ["not to the end"])), len(report.of(layer))) for layer in LAYERS
            if layer in report.checked or report.of(layer)]
