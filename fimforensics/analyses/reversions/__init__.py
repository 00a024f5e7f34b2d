"""Reversions: a file or registry value has an earlier content again; who brought it back, how widely, how soon.

Read off the versions at each path (a rename over a file ends its chain, yet the old content may come back to the path) and of
each value. A content put back by hand within minutes hides a change from whoever compares only today's hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import apsw

from fimforensics.analyses.contract import Analysis, Finding, Progress
from fimforensics.analyses.reversions.brief import brief
from fimforensics.analyses.reversions.classed import Case, cases, findings
from fimforensics.analyses.reversions.returns import Return, Version, returns
from fimforensics.queries.rules import rules_of

RULES = rules_of("reversions")
_FILES = """
    SELECT v.file_id, v.state = 'absent', k.sha256, k.sha1, k.md5, v.content_id, v.since, v.begun_by, v.process_id, v.account_id,
        coalesce(k.size, v.size) = 0
    FROM file_versions v NOT INDEXED LEFT JOIN contents k ON k.id = v.content_id
    WHERE v.file_id IN (SELECT file_id FROM file_versions GROUP BY file_id HAVING count(*) > 2) ORDER BY v.file_id, v.id"""
_VALUES = """
    SELECT v.registry_value_id, v.state = 'absent',
        CASE v.basis WHEN 'data' THEN e.new_data || char(10) || coalesce(r.new_type, '')
            WHEN 'inferred from old value' THEN e.old_data || char(10) || coalesce(r.old_type, '') END,
        coalesce(v.since, e.time), coalesce(v.begun_by, v.data_event_id), v.process_id, v.account_id,
        v.begun_by IS NULL, e.time
    FROM registry_versions v NOT INDEXED LEFT JOIN events e ON e.id = v.data_event_id
    LEFT JOIN registry_reports r ON r.id = e.registry_report_id
    WHERE v.registry_value_id IN (SELECT registry_value_id FROM registry_versions GROUP BY 1 HAVING count(*) > 2)
    ORDER BY v.registry_value_id, v.id"""


def _run(db: apsw.Connection, progress: Progress) -> Iterable[Finding]:
    """Fills `reversions`; the findings come from its rows."""
    for kind in ("file_id", "registry_value_id"):
        db.execute(f"CREATE TEMP TABLE returned_{kind} (id INTEGER PRIMARY KEY, entity INTEGER, content_id INTEGER, "
                   "away_by INTEGER, back_by INTEGER, since TEXT, until TEXT, dwell REAL, returns INTEGER, flapping INTEGER, "
                   "away_process INTEGER, away_account INTEGER, process INTEGER, account INTEGER, gap INTEGER, "
                   "between_id INTEGER, data TEXT, hosts INTEGER, files INTEGER, origin INTEGER, "
                   "away_unseen INTEGER, unseen INTEGER)")
    _keep(db, "file_id", _file_versions(db))
    progress("reversions", 1, 3)
    _keep(db, "registry_value_id", _value_versions(db))
    progress("reversions", 2, 3)
    told = list(findings(_written(db)))
    for kind in ("file_id", "registry_value_id"):
        db.execute(f"DROP TABLE temp.returned_{kind}")
    return [*told, *brief(db)]


def _written(db: apsw.Connection) -> Iterator[Case]:
    """The cases, each written to the table as it goes by."""
    writer = db.cursor()
    for at, case in enumerate(cases(db), 1):
        writer.execute(f"INSERT INTO reversions VALUES ({', '.join('?' * 18)})", (at, *case.row()))
        yield case


def _file_versions(db: apsw.Connection) -> Iterator[Version]:
    for entity, absent, sha256, sha1, md5, content, time, event, process, account, empty in db.execute(_FILES):
        yield Version(entity, absent, (sha256, sha1, md5), content, time, event, process, account, empty)


def _value_versions(db: apsw.Connection) -> Iterator[Version]:
    for entity, absent, data, time, event, process, account, unseen, known in db.execute(_VALUES):
        if event is not None and time is not None:
            yield Version(entity, bool(absent), (data,), None, time, event, process, account, False, bool(unseen),
                          known if unseen else "")


def _keep(db: apsw.Connection, kind: str, versions: Iterable[Version]) -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        for number, one in enumerate(returns(versions), 1):
            yield _row(number, one)
    db.cursor().executemany(f"INSERT INTO temp.returned_{kind} VALUES ({', '.join('?' * 22)})", rows())


def _row(number: int, one: Return) -> tuple[object, ...]:
    away, back = one.away, one.back
    data = back.hashes[0] if back.content is None else None
    return (number, back.entity, back.content, away.event, back.event, away.time, back.known or back.time, one.dwell, one.count,
            one.flapping, away.process, away.account, back.process, back.account, away.absent, away.content, data, 1, 1,
            one.origin.process, away.unseen, back.unseen)


ANALYSIS = Analysis("reversions", "Contents that came back", ("reversions",), ("versions",), _run, RULES)
