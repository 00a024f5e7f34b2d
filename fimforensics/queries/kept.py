"""What the case keeps as evidence and whether it is whole as far as one look tells: originals, rejects, custody, analyses."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from fimforensics.evidence import custody
from fimforensics.queries import freshness
from fimforensics.queries.of_process import rows
from fimforensics.queries.rules import ANALYSES

MOST_CHECKED = 5_000  # entries of the custody log whose chain is followed while a page is waited for


@dataclass(frozen=True)
class Snapshot:
    """One acquisition. `original`: `whole` as long as the source was, else `partly` there, or `missing`."""

    id: int
    source: str
    state: str
    acquired: str
    size: int | None
    sha256: str | None
    shape: str | None
    table: str | None
    records: int
    new_events: int
    known_events: int
    rejects: int
    truncated: str | None
    partial_columns: bool
    original: str
    proved: bool  # it was collected live, and its proof says complete


@dataclass(frozen=True)
class Custody:
    """The log: how many entries, the last of them, and its chain: `whole`, `broken` at an entry, or `unchecked`."""

    entries: int
    chain: str
    broken_at: int | None
    last: tuple[dict, ...]
    untold: tuple[int, ...]  # snapshots that no entry tells of


@dataclass(frozen=True)
class Analysis:
    """One analysis: `fresh`, `stale`, or `never run`; when it ran, by which program."""

    name: str
    state: str
    finished: str | None
    tool: str | None


def snapshots(connection: sqlite3.Connection, most: int = 50) -> list[Snapshot]:
    """The acquisitions in order, those first of which something must be said."""
    found = connection.execute(
        "SELECT id, source, state, acquired, size, sha256, shape, source_table, records, new_events, known_events, rejects, "
        "truncated, partial_columns, EXISTS (SELECT 1 FROM pulls p WHERE p.snapshot_id = s.id AND p.complete) FROM snapshots s "
        "ORDER BY state = 'finished', truncated IS NULL, partial_columns = 0, rejects = 0, id LIMIT ?", (most,)).fetchall()
    return [Snapshot(*[*row[:13], bool(row[13]), _original(connection, row[0], row[4]), bool(row[14])]) for row in found]


def _original(connection: sqlite3.Connection, snapshot: int, size: int | None) -> str:
    """By the last piece: pieces follow each other, so that its end is how much there is."""
    row = connection.execute("SELECT offset + length FROM originals WHERE snapshot_id = ? ORDER BY offset DESC LIMIT 1",
                             (snapshot,)).fetchone()
    if row is None:
        return "whole" if size == 0 else "missing"
    return "whole" if size is None or row[0] == size else "partly"


def log(connection: sqlite3.Connection, most: int = 50) -> Custody:
    """The custody log's last entries in order, and its chain."""
    entries = connection.execute("SELECT count(*) FROM custody_log").fetchone()[0]
    broken = custody.broken(connection) if entries <= MOST_CHECKED else None
    chain = "unchecked" if entries > MOST_CHECKED else "whole" if broken is None else "broken"
    last = rows(connection, "SELECT id, time, local_offset, actor, machine, action, arguments, purpose, object, result, tool, "
                            "hash FROM custody_log ORDER BY id DESC LIMIT ?", (most,))
    return Custody(entries, chain, broken, tuple(reversed(last)), tuple(_untold(connection)))


def _untold(connection: sqlite3.Connection) -> list[int]:
    """Finished snapshots that no entry tells of; an entry whose arguments are no JSON tells of none."""
    return [number for (number,) in connection.execute(
        "SELECT id FROM snapshots WHERE state = 'finished' AND id NOT IN (SELECT coalesce(json_extract(arguments, '$.snapshot'), "
        "0) FROM custody_log WHERE action = 'ingest' AND json_valid(arguments)) ORDER BY 1 LIMIT 50")]


def analyses(connection: sqlite3.Connection) -> list[Analysis]:
    """All analyses there are, then what else was computed."""
    states = freshness.states(connection)
    ran = {name: (finished, tool) for name, finished, tool in connection.execute("SELECT name, finished, tool FROM analyses")}
    names = [*ANALYSES, *sorted(set(ran) - set(ANALYSES))]
    return [Analysis(name, states.get(name, "never run"), *ran.get(name, (None, None))) for name in names]
