"""Findings for a page of them: how many there are by severity and rule, some of them in order, and all that they name by id."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from fimforensics.queries.findings import SEVERITIES
from fimforensics.queries.remembered import remembered

ABOUT = ("file", "registry_value", "process", "account", "content")
LOOKED_AT = 2_000  # events of a process or account whose findings are looked for
_LISTED = """
    SELECT f.id, f.severity, f.rule, f.analysis, f.version, f.technique, f.sentence, f.first, f.last, f.events,
      f.host_id, h.name, f.file_id, p.path, f.registry_value_id, r.path, f.process_id, n.name, f.account_id, a.name,
      f.content_id, coalesce(k.sha256, k.sha1, k.md5)
    FROM findings f LEFT JOIN hosts h ON h.id = f.host_id LEFT JOIN files p ON p.id = f.file_id
    LEFT JOIN registry_values r ON r.id = f.registry_value_id LEFT JOIN processes n ON n.id = f.process_id
    LEFT JOIN accounts a ON a.id = f.account_id LEFT JOIN contents k ON k.id = f.content_id WHERE f.id IN ({marks})"""


@dataclass(frozen=True)
class Chosen:
    """Which findings: those for which all holds that is told; `about` is one of ABOUT and a number."""

    severity: str | None = None
    rule: str | None = None
    host: int | None = None
    about: tuple[str, int] | None = None


@dataclass(frozen=True)
class Listed:
    """One finding, with the ids and names of all that it names."""

    id: int
    severity: str
    rule: str
    analysis: str
    version: int
    technique: str | None
    sentence: str
    first: str
    last: str
    events: int
    host_id: int | None
    host: str | None
    file_id: int | None
    file: str | None
    registry_value_id: int | None
    registry_value: str | None
    process_id: int | None
    process: str | None
    account_id: int | None
    account: str | None
    content_id: int | None
    hash: str | None


def counted(connection: sqlite3.Connection, chosen: Chosen) -> dict[tuple[str, str], int]:
    """How many findings there are by severity and rule, on this host and about this thing; of all severities and rules."""
    if chosen.host is None and chosen.about is None:
        return remembered(connection, "findings by severity and rule", lambda again: _counted(again, Chosen()))
    return _counted(connection, Chosen(host=chosen.host, about=chosen.about))


def _counted(connection: sqlite3.Connection, chosen: Chosen) -> dict[tuple[str, str], int]:
    condition, values = _condition(chosen)
    return {(severity, rule): count for severity, rule, count in connection.execute(
        f"SELECT f.severity, f.rule, count(*) FROM findings f WHERE {condition} GROUP BY 1, 2 ORDER BY 1, 2", values)}


def listed(connection: sqlite3.Connection, chosen: Chosen, by_severity: dict[str, int], most: int, skip: int = 0) -> list[Listed]:
    """At most so many of the chosen findings after so many others: the gravest first, then in order of time.

    `by_severity` is how many of the chosen there are of each: so no more are put in order than those of one severity.
    """
    found: list[int] = []
    for severity in SEVERITIES:
        there = by_severity.get(severity, 0)
        if skip < there and len(found) < most:
            condition, values = _condition(Chosen(severity, chosen.rule, chosen.host, chosen.about))
            found += [number for (number,) in connection.execute(
                f"SELECT f.id FROM findings f WHERE {condition} ORDER BY f.first, f.rule, f.sentence, f.id LIMIT ? OFFSET ?",
                (*values, most - len(found), skip))]
        skip = max(0, skip - there)
    return of_numbers(connection, found)


def of_numbers(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Listed]:
    """The findings of these numbers: the gravest first, then in order of time."""
    rows = connection.execute(_LISTED.format(marks=", ".join("?" * len(numbers))), tuple(numbers))
    return sorted((Listed(*row) for row in rows),
                  key=lambda one: (SEVERITIES.index(one.severity), one.first, one.rule, one.sentence, one.id))


def of_actor(connection: sqlite3.Connection, column: str, number: int, most: int = 20) -> tuple[list[Listed], bool]:
    """Findings about a process or account (`process_id`, `account_id`) or on its first LOOKED_AT events; are there more?"""
    rank = " ".join(f"WHEN '{severity}' THEN {at}" for at, severity in enumerate(SEVERITIES))
    found = [one for (one,) in connection.execute(
        f"SELECT f.id FROM findings f WHERE f.id IN (SELECT id FROM findings WHERE {column} = ?1 UNION SELECT x.finding_id "
        f"FROM (SELECT id FROM events WHERE {column} = ?1 LIMIT {LOOKED_AT}) e CROSS JOIN finding_events x ON x.event_id = e.id) "
        f"ORDER BY CASE f.severity {rank} END, f.first, f.rule, f.sentence, f.id LIMIT ?2", (number, most + 1))]
    return of_numbers(connection, found[:most]), len(found) > most


def _condition(chosen: Chosen) -> tuple[str, list[object]]:
    parts: list[tuple[str, object]] = [
        (column, value) for column, value in (("severity", chosen.severity), ("rule", chosen.rule), ("host_id", chosen.host))
        if value is not None]
    if chosen.about is not None and chosen.about[0] in ABOUT:
        parts.append((f"{chosen.about[0]}_id", chosen.about[1]))
    return " AND ".join(f"f.{column} = ?" for column, _ in parts) or "1", [value for _, value in parts]
