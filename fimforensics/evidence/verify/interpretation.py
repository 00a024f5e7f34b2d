"""What analyses, counts and full text say, computed again in the scratch and held against the case."""

from __future__ import annotations

from collections.abc import Sequence

from fimforensics import sql
from fimforensics.analyses import ANALYSES
from fimforensics.derived import NAME as COUNTS
from fimforensics.evidence.verify import compare, expected
from fimforensics.evidence.verify.report import Difference, Report

_TABLES = frozenset(["findings", "finding_events", "event_counts", *(table for one in ANALYSES for table in one.tables)])


def is_one(table: str) -> bool:
    """Is it a table of interpretation?"""
    return table in _TABLES or "_fts" in table


def check(derived: expected.Expected, tables: Sequence[str], report: Report, where: compare.Where) -> None:
    """Counts, full text and analyses, computed again; what was computed on older evidence cannot be, and is told."""
    db = derived.db
    digest = sql.cell(db, "SELECT evidence_digest FROM given.case_info")
    ran = dict(sql.rows(db, "SELECT name, evidence_digest FROM given.analyses"))
    fresh = {name for name, on in ran.items() if on == digest}
    stale = set(ran) - fresh
    different = [Difference("interpretation", "no analysis of this name is known", "analyses", str(name), "name")
                 for name in ran if name not in {COUNTS, *(one.name for one in ANALYSES)}]
    derived.interpret({one.name for one in ANALYSES if one.name in fresh})
    unsure = {table for one in ANALYSES if one.name in stale for table in (*one.tables, "findings", "finding_events")}
    unsure |= {name for name in tables if "_fts" in name or name == "event_counts"} if COUNTS not in fresh else set()
    held = [name for name in tables if is_one(name) and name not in unsure]
    never = {table for one in ANALYSES if one.name not in ran for table in one.tables}
    for table in held:
        shape = compare.shape(db, table)
        if table in never:
            count = sql.cell(db, f'SELECT count(*) FROM given."{table}"')
            different += [Difference("interpretation", "no analysis filled it, and it has rows", table)] if count else []
        else:
            different += compare.differences(db, shape, "interpretation", where)
    report.check("interpretation", f"{len(held)} tables of counts, full text and {len(fresh - {COUNTS})} analyses, "
                                   "computed again", different)
    if unsure:
        report.unchecked.append("what is stale, and cannot be computed again as it was: " + ", ".join(sorted(map(str, stale))))
