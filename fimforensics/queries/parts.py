"""What a part of a case says of itself: what was done to it, and to which of its events."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator


def part(connection: sqlite3.Connection) -> dict | None:
    """The part's own row as a dict, without the statement's text; None where the case is no part."""
    cursor = connection.execute(
        "SELECT derived, parent_case_id, parent_root, parent_records, parent_file_sha256, "
        "statement_sha256 IS NOT NULL AS sealed, signature IS NOT NULL AS signed, chosen, kept_events, withheld_events, "
        "kept_records, withheld_records, altered_records FROM part")
    row = cursor.fetchone()
    if row is None:
        return None
    found = dict(zip((name for name, *_ in cursor.description), row, strict=True))
    return found | {"sealed": bool(found["sealed"]), "signed": bool(found["signed"]), "chosen": json.loads(found["chosen"])}


def redactions(connection: sqlite3.Connection) -> Iterator[dict]:
    """What was done to which column, how often, by whom and on what ground, in order."""
    cursor = connection.execute("SELECT id, column_name, how, code, basis, records, actor, time FROM redactions ORDER BY id")
    names = [name for name, *_ in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def altered(connection: sqlite3.Connection, event: int) -> list[dict]:
    """What was done to an event: the redactions that changed any of its records; of an event that is as it was, none."""
    marks = [number for (told,) in connection.execute(
        "SELECT p.altered FROM occurrences o JOIN part_records p ON p.seq = o.seq WHERE o.event_id = ? AND p.altered IS NOT NULL",
        (event,)) for number in json.loads(told)]
    return [row for row in redactions(connection) if row["id"] in marks]
