"""Is what the analyses said still true of the evidence? What never ran cannot answer; what is older than the evidence says so."""

from __future__ import annotations

import sqlite3

from fimforensics.errors import Problem


def states(connection: sqlite3.Connection) -> dict[str, str]:
    """Every analysis that ran, by name: `fresh`, or `stale` where the case has other evidence than it had then."""
    return dict(connection.execute("SELECT a.name, CASE WHEN a.evidence_digest = c.evidence_digest THEN 'fresh' ELSE 'stale' END "
                                   "FROM analyses a, case_info c ORDER BY 1"))


def need(connection: sqlite3.Connection, *names: str) -> list[str]:
    """A plain warning for each of these analyses that is stale; Problem where one of them never ran."""
    found = states(connection)
    for name in names:
        if name not in found:
            raise Problem(f"the analysis {name!r} has not been run on this case", hint="Run: fimforensics analyze CASE")
    return [f"the analysis {name!r} is stale: the case has grown since; run: fimforensics analyze CASE"
            for name in names if found[name] == "stale"]
