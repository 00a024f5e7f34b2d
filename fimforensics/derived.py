"""What is only ever computed from evidence and costs a look at all of it: indexes, full text, counts. Rebuilt at will."""

from __future__ import annotations

import apsw

from fimforensics import schema, sql
from fimforensics.evidence import custody
from fimforensics.tables import SYSTEM_COLUMNS, TABLES

NAME = "counts and full text"
KNOWN_COLUMNS = frozenset(SYSTEM_COLUMNS).union(*(table.columns for table in TABLES))
_FULL_TEXT = ("paths_fts", "registry_values_fts", "accounts_fts", "images_fts", "hosts_fts")


def refresh(db: apsw.Connection, indexes: bool = True) -> None:
    """Brings indexes (if they are wanted), full text and counts up to the evidence, where they are older."""
    digest = sql.cell(db, "SELECT evidence_digest FROM case_info")
    if db.execute("SELECT 1 FROM analyses WHERE name = ? AND evidence_digest = ?", (NAME, digest)).fetchone():
        return
    if db.execute("SELECT 1 FROM snapshots WHERE state = 'unfinished'").fetchone():
        return
    db.execute("BEGIN IMMEDIATE")
    if indexes:
        with sql.sorting(db):
            db.execute(schema.late())
    for table in _FULL_TEXT:
        db.execute(f"INSERT INTO {table}({table}) VALUES ('rebuild')")
    db.execute("DELETE FROM event_counts")
    with sql.sorting(db):  # one look at all events in their order, then a sort; by an index each event would be looked for
        db.execute("INSERT INTO event_counts SELECT host_id, change_id, substr(time, 1, 10), count(*) FROM events NOT INDEXED "
                   "GROUP BY 1, 2, 3")
    db.execute("DELETE FROM analyses WHERE name = ?", (NAME,))
    db.execute("INSERT INTO analyses VALUES (?, ?, ?, ?)", (NAME, digest, custody.now(), custody.tool()))
    db.execute("COMMIT")
