"""Findings: what the analyses say should be looked at, the worst first, and the events each stands on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fimforensics.errors import Problem

SEVERITIES = ("high", "medium", "low", "info")
COLUMNS = ("id", "severity", "first", "last", "host", "analysis", "rule", "version", "technique", "sentence", "events", "file",
           "registry_value", "process", "account", "sha256")
EVENT_COLUMNS = ("id", "time", "computer", "change", "path", "value", "data", "sha256", "process", "pid", "account")
_RANK = "CASE f.severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END"
_SELECT = """SELECT f.id, f.severity, f.first, f.last, h.name, f.analysis, f.rule, f.version, f.technique, f.sentence, f.events,
    p.path, r.path, n.name, a.name, coalesce(k.sha256, k.sha1, k.md5)
    FROM findings f LEFT JOIN hosts h ON h.id = f.host_id LEFT JOIN files p ON p.id = f.file_id
    LEFT JOIN registry_values r ON r.id = f.registry_value_id LEFT JOIN processes n ON n.id = f.process_id
    LEFT JOIN accounts a ON a.id = f.account_id LEFT JOIN contents k ON k.id = f.content_id"""


@dataclass(frozen=True)
class Wanted:
    """Which findings: every part that is told must hold; `host` and `rule` are found anywhere, in any case."""

    severities: Sequence[str] = ()
    rule: str | None = None
    host: str | None = None
    since: str | None = None


def counts(connection: sqlite3.Connection, wanted: Wanted | None = None) -> dict[str, int]:
    """How many findings of each severity there are, the worst first; 0 where there is none."""
    condition, values = _condition(wanted or Wanted())
    found = dict(connection.execute(f"SELECT f.severity, count(*) FROM findings f WHERE {condition} GROUP BY 1", values))
    return {severity: found.get(severity, 0) for severity in SEVERITIES}


def by_rule(connection: sqlite3.Connection) -> dict[str, int]:
    """How many findings each rule has."""
    return dict(connection.execute("SELECT rule, count(*) FROM findings GROUP BY rule ORDER BY rule"))


def findings(connection: sqlite3.Connection, wanted: Wanted | None = None, limit: int | None = None) -> Iterator[dict]:
    """The findings as dicts with COLUMNS, the worst first, then in order of time."""
    condition, values = _condition(wanted or Wanted())
    cursor = connection.execute(f"{_SELECT} WHERE {condition} ORDER BY {_RANK}, f.first, h.key, f.rule, f.sentence, f.id"
                                + (f" LIMIT {limit}" if limit is not None else ""), values)
    return (dict(zip(COLUMNS, row, strict=True)) for row in cursor)


def finding(connection: sqlite3.Connection, number: int) -> dict:
    """One finding with COLUMNS, Problem where there is none of this number."""
    row = connection.execute(f"{_SELECT} WHERE f.id = ?", (number,)).fetchone()
    if row is None:
        raise Problem(f"there is no finding {number} in this case", hint="Findings are numbered anew by every run of analyze")
    return dict(zip(COLUMNS, row, strict=True))


def events_of(connection: sqlite3.Connection, number: int, limit: int | None = None) -> Iterator[dict]:
    """The events that a finding stands on, in order of time, as dicts with EVENT_COLUMNS."""
    cursor = connection.execute("""
        SELECT e.id, e.time, h.name, c.change, coalesce(p.path, r.key), coalesce(r.new_name, r.old_name), e.new_data, k.sha256,
            coalesce(i.file_name, g.name, n.name), g.pid, a.name
        FROM finding_events x JOIN events e ON e.id = x.event_id JOIN hosts h ON h.id = e.host_id
        JOIN changes c ON c.id = e.change_id LEFT JOIN paths p ON p.id = e.path_id
        LEFT JOIN registry_reports r ON r.id = e.registry_report_id LEFT JOIN contents k ON k.id = e.content_id
        LEFT JOIN process_reports g ON g.id = e.process_report_id LEFT JOIN processes n ON n.id = e.process_id
        LEFT JOIN images i ON i.id = g.image_id LEFT JOIN accounts a ON a.id = e.account_id
        WHERE x.finding_id = ? ORDER BY e.time, e.match_key, e.ordinal""" + (f" LIMIT {limit}" if limit is not None else ""),
                                (number,))
    return (dict(zip(EVENT_COLUMNS, row, strict=True)) for row in cursor)


def _condition(wanted: Wanted) -> tuple[str, list[object]]:
    conditions: list[str] = ["1"]
    values: list[object] = []
    if wanted.severities:
        conditions.append(f"f.severity IN ({', '.join('?' * len(wanted.severities))})")
        values += wanted.severities
    for text, condition in ((wanted.rule, "instr(lower(f.rule), lower(?))"), (wanted.since, "f.last >= ?"),
                            (wanted.host, "f.host_id IN (SELECT id FROM hosts WHERE instr(lower(name), lower(?)))")):
        if text is not None:
            conditions.append(condition)
            values.append(text)
    return " AND ".join(conditions), values
