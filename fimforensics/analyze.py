"""Runs the analyses over a case: each in one transaction, replacing what it said before, and remembering on what evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from fimforensics import case as cases
from fimforensics import sql
from fimforensics.analyses import ANALYSES, Analysis, Progress
from fimforensics.analyses.contract import emptied, keep
from fimforensics.errors import Misuse, Problem
from fimforensics.evidence import custody


@dataclass(frozen=True)
class Done:
    """What an analysis left: rows in each of its tables, and findings."""

    name: str
    rows: dict[str, int]
    findings: int


def chosen(names: Sequence[str]) -> list[Analysis]:
    """The analyses of these names and those they need, in their order; all, when none is named."""
    known = {analysis.name: analysis for analysis in ANALYSES}
    for name in names:
        if name not in known:
            raise Misuse(f"there is no analysis {name!r}", hint="There are: " + ", ".join(known))
    return [analysis for analysis in ANALYSES if not names or analysis.name in names]


def analyze(case: Path, names: Sequence[str] = (), progress: Progress = lambda *_: None) -> list[Done]:
    """Runs the named analyses (all, when none is named) and those they need that are stale; what each of them left."""
    wanted = chosen(names)
    cases.check_header(case)
    with cases.change(case) as db:
        if db.execute("SELECT 1 FROM snapshots WHERE state = 'unfinished'").fetchone():
            raise Problem("an ingest into it is not done", where=str(case),
                          hint="Run the same ingest command again, or: fimforensics ingest CASE --abandon")
        digest = sql.cell(db, "SELECT evidence_digest FROM case_info")
        fresh = {name for (name,) in db.execute("SELECT name FROM analyses WHERE evidence_digest = ?", (digest,))}
        due = {analysis.name for analysis in wanted}
        for analysis in reversed(ANALYSES):
            if analysis.name in due:
                due |= set(analysis.needs) - fresh
        return [run_one(db, number, analysis, digest, progress) for number, analysis in enumerate(ANALYSES, 1)
                if analysis.name in due]


def run_one(db: apsw.Connection, number: int, analysis: Analysis, digest: str, progress: Progress) -> Done:
    """Runs one analysis, the `number`-th of the shelf."""
    db.execute("BEGIN IMMEDIATE")
    progress(analysis.name, 0, 1)
    with emptied(db, analysis.tables):
        found = analysis.run(db, progress)
    findings = keep(db, analysis, number, found)
    db.execute("INSERT OR REPLACE INTO analyses VALUES (?, ?, ?, ?)", (analysis.name, digest, custody.now(), custody.tool()))
    rows = {table: sql.cell(db, f'SELECT count(*) FROM "{table}"') for table in analysis.tables}
    db.execute("COMMIT")
    progress(analysis.name, 1, 1)
    return Done(analysis.name, rows, findings)
