"""The page of the evidence: what was taken in, what could not become events, who did what to the case, and how to check it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from fimforensics.evidence import state
from fimforensics.queries import kept
from fimforensics.queries.summary import Facts, RejectCount, facts, reject_reasons
from fimforensics.site.twins import Asked

MOST = 50
MOST_REASONS = 20


@dataclass(frozen=True)
class EvidencePage:
    """All that the page says; `file` is the case's own, for the commands."""

    file: str
    facts: Facts
    snapshots: tuple[kept.Snapshot, ...]
    rejects_in_all: int
    rejects: tuple[RejectCount, ...]
    custody: kept.Custody
    seal: state.State | None  # None: not sealed
    analyses: tuple[kept.Analysis, ...]


def ask(connection: sqlite3.Connection, asked: Asked) -> EvidencePage:
    """The case's evidence in one look; what looks at every row is told as a command instead."""
    in_all = connection.execute("SELECT coalesce(sum(rejects), 0) FROM snapshots").fetchone()[0]
    return EvidencePage(
        Path(asked.cases.get(asked.name, asked.name)).name, facts(connection), tuple(kept.snapshots(connection, MOST)), in_all,
        tuple(reject_reasons(connection, MOST_REASONS)), kept.log(connection, MOST),
        state.of(Path(asked.cases.get(asked.name, asked.name))),
        tuple(kept.analyses(connection)))
