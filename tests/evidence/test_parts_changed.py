"""Whatever is changed in a part by somebody who knows SQLite is found without the whole, and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from parts_case import change, cli, here, made, places, report

assert here and made  # fixtures

EDITS = {
    "a time": (
        "UPDATE events SET time = '2026-09-01T00:00:00.0000000Z' WHERE id = (SELECT max(id) FROM events)",
        ("events", "time"),
    ),
    "an account": ("UPDATE accounts SET account = 'eve' WHERE id = 1", ("accounts", "account")),
    "a host": ("UPDATE hosts SET name = 'srv' WHERE id = 1", ("hosts", "name")),
    "a salt": (
        "UPDATE part_records SET salt = randomblob(16) WHERE seq = (SELECT min(seq) FROM part_records)",
        ("occurrences", None),
    ),
    "an offset": (
        "UPDATE occurrences SET offset = offset + 1 WHERE seq = (SELECT min(seq) FROM occurrences)",
        ("occurrences", None),
    ),
    "a record hidden as altered": (
        "UPDATE part_records SET salt = NULL, altered = '[1]' WHERE seq = (SELECT min(seq) FROM part_records)",
        ("part", "altered_records"),
    ),
    "a leaf": ("UPDATE leaves SET hashes = zeroblob(length(hashes))", ("part_proof", None)),
    "the proof": ("UPDATE part_proof SET hashes = substr(hashes, 33)", ("part_proof", None)),
    "the proof longer": ("UPDATE part_proof SET hashes = CAST(hashes || zeroblob(32) AS BLOB)", ("part_proof", None)),
    "the root": ("UPDATE part SET parent_root = '" + "0" * 64 + "'", ("part", "parent_root")),
    "how many": ("UPDATE part SET withheld_records = 0", ("part", "withheld_records")),
    "how many events": ("UPDATE part SET kept_events = 1", ("part", "kept_events")),
    "the statement": ("UPDATE part_statement SET text = replace(text, 'w.db', 'x.db')", ("part", "signature")),
    "no statement of ours": ("UPDATE part_statement SET text = '{}'", ("part_statement", None)),
    "an event gone": ("DELETE FROM events WHERE id = (SELECT min(id) FROM events)", ("part", "kept_events")),
    "a record gone": ("DELETE FROM occurrences WHERE seq = (SELECT min(seq) FROM occurrences)", ("part_records", None)),
    "a snapshot's count": ("UPDATE part_snapshots SET kept = kept + 1 WHERE snapshot_id = 1", ("part_snapshots", "kept")),
    "a redaction's count": (
        "INSERT INTO redactions VALUES (1, 'Computer', 'redacted', 'A', 'B', 7, 'me', 'now')",
        ("redactions", "records"),
    ),
    "a member's number that no place can have": (
        "UPDATE part_records SET member = 1 << 62 WHERE salt IS NOT NULL",
        ("part_records", "member"),
    ),
    "the statement's rows": ("UPDATE part_statement SET id = 17", ("part_statement", "id")),
    "the proof's rows": ("UPDATE part_proof SET id = 17", ("part_proof", "id")),
    "the statement gone": ("DELETE FROM part_statement", ("part_statement", None)),
    "a row that no part has": ("INSERT INTO unsettled VALUES (4)", ("unsettled", None)),
    "bytes": ("UPDATE originals SET data = x'00'", ("occurrences", None)),
    "a key": ("UPDATE events SET match_key = randomblob(32) WHERE id = (SELECT min(id) FROM events)", ("events", "match_key")),
}


@pytest.mark.parametrize("kind", EDITS)
def test_what_is_changed_in_a_part_is_named(here: Path, kind: str) -> None:
    assert cli("derive", "w.db", "p.db", "--host", "ws-1")[0] == 0
    assert report("p.db")["differences"] == []
    statement, place = EDITS[kind]
    change(statement)
    found = report("p.db")
    assert not found["whole"] and place in places(found), places(found)
