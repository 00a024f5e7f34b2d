"""A part of a case verified: records against the root of the whole, the star against the records, analyses against the star.

The originals of a part are not whole, so nothing is ingested again; the star is written from the records that are as they were,
and from the rows of altered ones as they stand. These only the whole can prove.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apsw

from fimforensics import case as cases
from fimforensics import sql
from fimforensics.evidence.verify import compare, expected, interpretation
from fimforensics.evidence.verify.report import MOST, Difference, Report
from fimforensics.parts import check as parts
from fimforensics.parts.derive import recount
from fimforensics.settle import relabel

_STAR = ("events", "event_keys", "hosts", "machine_reports", "changes", "accounts", "paths", "files", "contents", "images",
         "processes", "process_reports", "requests", "registry_values", "registry_reports")
# As they stand: only the whole, or the part's own seal, can prove what they say.
_TAKEN = ("snapshots", "members", "preambles", "rejects", "occurrences")
_EMPTY = ("rejects", "unsettled", "relabelled", "pulls", "slices")


def check(case: Path, connection: Any, report: Report, where: compare.Where, *, parent: Path | None, pseudonyms: bytes | None,
          recompute: bool) -> None:
    """All of it; `parent` is the whole, `pseudonyms` the key of its names."""
    about = parts.about(connection)
    assert about is not None
    report.facts["part"] = {**about._asdict(), "signers": []}
    report.check("part", f"{about.kept_records - about.altered_records:,} records as they were, each by place, bytes, row and "
                         "salt, against the root of the whole; counts; the statement of the whole",
                 _told(parts.proofs(connection)))
    if report.whole:
        report.facts["part"]["signers"] = list(parts.signers(connection))
    with expected.scratch(case, None) as derived:
        _fill(derived.db, connection)
        with compare.bounded(derived.db):
            report.check("records", f"{len(_STAR) + 1} tables of events and entities, written again from the records, every cell",
                         _compared(derived.db, where))
        if recompute:
            interpretation.check(derived, _tables(derived.db), report, where)
    _whole(connection, about, report, parent, pseudonyms)


def _told(found: Iterable[parts.Wrong]) -> Iterator[Difference]:
    return (Difference("part", one.what, one.table, one.row, one.column) for one in found)


def _tables(db: apsw.Connection) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql NOT LIKE "
                                           "'CREATE VIRTUAL%' ORDER BY name") if interpretation.is_one(name)]


def _fill(db: apsw.Connection, part: Any) -> None:
    """The star and what it stands on, into the scratch."""
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO main.case_info SELECT * FROM given.case_info")
    for table in _TAKEN:
        db.execute(f"INSERT INTO main.{table} SELECT * FROM given.{table}")
    parts.write_again(db, part)
    relabel(db)
    recount(db)
    db.execute("COMMIT")


def _compared(db: apsw.Connection, where: compare.Where) -> Iterator[Difference]:
    for table in (*_STAR, "snapshots"):
        yield from compare.differences(db, compare.shape(db, table), "records", where)
    for table in _EMPTY:
        yield from (Difference("records", "a part has no such row", table, row) for (row,) in
                    sql.rows(db, f"SELECT rowid FROM given.{table} ORDER BY 1 LIMIT {MOST}"))


def _whole(connection: Any, about: parts.About, report: Report, parent: Path | None, pseudonyms: bytes | None) -> None:
    """Altered records, where the whole is at hand; what is not proven is told."""
    if parent is not None:
        with cases.reading(parent) as whole:
            report.check("part", f"{about.altered_records:,} altered records, read in {parent.name} and altered again",
                         _told(parts.against(connection, whole, pseudonyms)))
        report.unchecked.append(f"{parent.name} itself: fimforensics verify {parent.name}")
    elif about.altered_records:
        report.unchecked.append(f"{about.altered_records:,} altered records: only with the whole at hand (--parent CASE)")
    report.unchecked.append(f"completeness: a part proves that its records are of the whole, not that all that matter are in it "
                            f"({about.withheld_events:,} events are withheld)")
    by = " and ".join(report.facts["part"]["signers"])
    report.trust.append(f"the root of the whole is {about.parent_root}, " + (
        f"signed by {by}" if by else "sealed without a signature" if about.sealed else "which no seal states"))
