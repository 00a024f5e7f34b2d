"""What an analysis is, and what all of them lean on.

An analysis has a name, tables that are its own, and a function that fills them from evidence and from the tables of analyses
before it. It never keeps what it said before: its tables and findings are emptied, and the function runs in one transaction.
What it writes depends on events alone, never on their numbers or on the order of ingest: order by time, match key, ordinal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import apsw

from fimforensics import sql
from fimforensics.queries.rules import Rule

Progress = Callable[[str, int, int], None]  # the analysis, how much is done, of how much

EVENTS_END = "(SELECT events_end FROM case_info)"  # events with smaller ids are finished; no other may be looked at
# One round over many events goes in the order of the evidence file, sorted by SQLite on disk; "NOT INDEXED" after the table's
# name keeps it from jumping through the file by an index.
IN_TIME = "e.time, e.match_key, e.ordinal"
SLOT = 10_000_000  # findings of the n-th analysis are numbered from n * SLOT on


@dataclass(frozen=True)
class Finding:
    """What a rule says, in one plain sentence, and the ids of the events it stands on, in order of time."""

    rule: str
    sentence: str
    events: tuple[int, ...]
    severity: str | None = None  # the rule's, when None
    host_id: int | None = None
    file_id: int | None = None
    registry_value_id: int | None = None
    process_id: int | None = None
    account_id: int | None = None
    content_id: int | None = None


@dataclass(frozen=True)
class Analysis:
    """One member of the shelf: `run` fills `tables` and gives its findings, best ordered by time; `needs` run before it."""

    name: str
    title: str
    tables: tuple[str, ...]
    needs: tuple[str, ...]
    run: Callable[[apsw.Connection, Progress], Iterable[Finding]]
    rules: tuple[Rule, ...] = ()


@contextlib.contextmanager
def emptied(db: apsw.Connection, tables: Iterable[str]) -> Iterator[None]:
    """The tables without rows and without indexes; the indexes, as the schema has them, are made again at the end."""
    indexes: list[tuple[str, str]] = []
    for table in tables:
        indexes += sql.rows(db, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL "
                                "ORDER BY rowid", (table,))
        db.execute(f'DELETE FROM "{table}"')
    for name, _ in indexes:
        db.execute(f'DROP INDEX "{name}"')
    yield
    with sql.sorting(db):
        for _, ddl in indexes:
            db.execute(ddl)


def keep(db: apsw.Connection, analysis: Analysis, number: int, found: Iterable[Finding]) -> int:
    """Replaces the findings of this analysis, the `number`-th of the shelf; gives how many there are.

    A finding's first and last are the times of its events. Their order is that in which the analysis gives them.
    """
    begin, rules, at = number * SLOT, {rule.name: rule for rule in analysis.rules}, 0
    # by name and by number: an older program's shelf may have numbered it, or another, otherwise
    old = "SELECT id FROM findings WHERE analysis = ?1 OR (id >= ?2 AND id < ?3)"
    for table, column in (("finding_events", "finding_id"), ("findings", "id")):
        db.execute(f"DELETE FROM {table} WHERE {column} IN ({old})", (analysis.name, begin, begin + SLOT))
    for at, one in enumerate(found, 1):
        rule, events = rules[one.rule], list(dict.fromkeys(one.events))
        span = sql.rows(db, "SELECT min(time), max(time) FROM events WHERE id IN (?, ?)", (events[0], events[-1]))[0]
        db.execute("INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   (begin + at, analysis.name, rule.name, rule.version, one.severity or rule.severity, one.sentence,
                    rule.technique, one.host_id, one.file_id, one.registry_value_id, one.process_id, one.account_id,
                    one.content_id, *span, len(events)))
        db.cursor().executemany("INSERT INTO finding_events VALUES (?, ?)", ((begin + at, event) for event in events))
    return at
