"""docs/case-format.md is enough to read and check a case: the reader made from it (`case_reader`) agrees with a real one.

The case is made by the command, out of the page's worked example and four files that meet in it: equal records, a retry by
`_ItemId`, finer and fuller tellings of the same event, a source that lacks columns, a compressed one with odd text, and rejects.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from case_reader import (
    BITS,
    COLUMNS,
    EXTRA,
    FLAGS,
    FORMS,
    PAGE,
    Record,
    best,
    between,
    compact,
    digest,
    leaf,
    leaf_bytes,
    records,
    root,
    row_hash,
    settled,
    shown,
)

ROOT = Path(__file__).parent.parent
LINES = between("```json\n", "```").encode()
EXAMPLE = dict(line.split(": ", 1) for line in between("```text\n", "\n```").splitlines())

VM: dict[str, Any] = {"AzureResourceId": "/subscriptions/s/virtualMachines/VM1", "Computer": "VM1",
                      "Type": "MDCFileIntegrityMonitoringEvents"}
FILE = VM | {"TimeGenerated": "2026-07-17T08:00:00.123Z", "MonitoredEntityType": "Files", "ChangeType": "Added",
             "FileName": "a.txt", "FilePath": "C:\\Data", "FileSha256": "AB" * 32, "FileSize": 10, "InitiatingProcessId": 77}
VALUE = VM | {"TimeGenerated": "2026-07-17T09:00:00Z", "MonitoredEntityType": "Registry", "ChangeType": "RegistryValueSet",
              "RegistryKey": "HKEY_LOCAL_MACHINE\\Software\\x", "NewValueName": "", "NewValueData": "", "FileName": ""}
ODD = VM | {"TimeGenerated": "1601-01-01T00:00:00Z", "MonitoredEntityType": "File", "ChangeType": "Vanished",
            "FileName": "nul\0.txt", "Acls": {"b": [1, 2], "a": None}, "Inode": 7, "Sure": True, "Void": None}
TOLD = [FILE, FILE | {"_ItemId": "i-1"}, FILE | {"_ItemId": "i-1", "TimeGenerated": "2026-07-17T08:00:00.1239Z"}, VALUE]
FINER = [FILE | {"TimeGenerated": "2026-07-17 08:00:00.1234567", "FilePath": "C:\\Data\\a.txt", "FileType": "two\r\nlines"},
         VALUE]
PART = ["TimeGenerated", "Computer", "MonitoredEntityType", "ChangeType", "FilePath", "FileName"]


class Case(NamedTuple):
    """The case under test, its secret, and what the reader and the program say of it."""

    path: Path
    key: bytes
    db: sqlite3.Connection
    found: list[Record]
    info: dict[str, Any]


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[dict]) -> None:
    """A portal's file: the zone stands behind the name of the time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([name + " [UTC]" if name == "TimeGenerated" else name for name in columns])
    writer.writerows([row.get(name) for name in columns] for row in rows)
    path.write_text("\ufeff" + text.getvalue(), encoding="utf-8", newline="")


def command(*arguments: object) -> list[dict]:
    """What the program prints as JSON."""
    line = [sys.executable, "-m", "fimforensics", *map(str, arguments), "--json"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("format")
    path, key = folder / "a.case", folder / "given.key"
    key.write_text(EXAMPLE["case_key"])
    (folder / "example.jsonl").write_bytes(LINES)
    (folder / "told.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TOLD))
    write_csv(folder / "whole.csv", COLUMNS, FINER)
    write_csv(folder / "part.csv", PART, [FILE, FILE])
    (folder / "odd.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in (ODD, VM, ODD)).encode()))
    command("ingest", path, folder / "example.jsonl", "--case-key", key)
    taken = command("ingest", path, *(folder / name for name in ("told.jsonl", "whole.csv", "part.csv", "odd.gz")))
    counts = [(row["records"], row["events"], row["known"], row["rejects"]) for row in taken]
    assert counts == [(4, 3, 1, 0), (2, 0, 2, 0), (2, 2, 0, 0), (3, 2, 0, 1)]
    db = sqlite3.connect(path)
    secret = bytes.fromhex((folder / "a.case.key").read_text())
    return Case(path, secret, db, records(db), command("info", path, "--digest")[0])


def test_every_leaf_and_the_root(case: Case) -> None:
    leaves = [leaf(case.key, record) for record in case.found]
    assert [record.seq for record in case.found] == list(range(1, 15))
    blocks = case.db.execute("SELECT first_seq, hashes FROM leaves ORDER BY first_seq").fetchall()
    assert b"".join(hashes for _, hashes in blocks) == b"".join(leaves)
    assert all(hashes[:32] == leaves[first - 1] for first, hashes in blocks)
    assert case.info["root"] == root(leaves).hex()


def test_which_record_tells_of_which_event(case: Case) -> None:
    stored = case.db.execute("""SELECT e.match_key, e.ordinal, group_concat(o.seq) FROM events e
        JOIN occurrences o ON o.event_id = e.id GROUP BY e.id""")
    found = {(key, ordinal): sorted(map(int, seqs.split(","))) for key, ordinal, seqs in stored}
    events = settled(case.found)
    assert found == {event: sorted(record.seq for record in told) for event, told in events.items()}
    assert sorted(found.values()) == [[1], [2], [4, 8], [5, 6], [7, 9], [10], [11], [12], [14]]
    assert {row["event_key"] for row in command("events", case.path)} == {f"{key.hex()}-{ordinal}" for key, ordinal in events}


def test_the_view_shows_the_best_of_every_event(case: Case) -> None:
    rows = [shown(best(told)) for told in settled(case.found).values()]
    view = case.db.execute("SELECT * FROM MDCFileIntegrityMonitoringEvents")
    assert [column[0] for column in view.description] == COLUMNS
    assert Counter(map(compact, view)) == Counter(map(compact, rows))


def test_forms_extra_flags_and_checks(case: Case) -> None:
    expected = {}
    for (key, ordinal), told in settled(case.found).items():
        row = best(told)
        forms = row[FORMS] << 53 | sum(1 << BITS[name] for name, cell in zip(COLUMNS, row, strict=False) if cell == "")
        extra = compact(row[EXTRA]).decode() if row[EXTRA] else None
        prefix, check = (int.from_bytes(data[:8], "big", signed=True) for data in (key, sha256(compact(row)).digest()))
        expected[key, ordinal] = forms, extra, row[FLAGS], prefix, check
    stored = case.db.execute("""SELECT e.match_key, e.ordinal, e.forms, e.extra, e.flags, k.prefix, k.row_check
        FROM events e JOIN event_keys k ON k.event_id = e.id AND k.ordinal = e.ordinal""")
    assert {(key, ordinal): tuple(cells) for key, ordinal, *cells in stored} == expected


def test_custody_chain(case: Case) -> None:
    previous, actions = "0" * 64, []
    for *cells, hashed in case.db.execute("""SELECT time, local_offset, actor, machine, action, arguments, purpose, object,
            result, tool, previous, hash FROM custody_log ORDER BY id"""):
        assert (cells[-1], sha256(compact(cells)).hexdigest()) == (previous, hashed)
        previous = hashed
        actions.append(cells[4])
    assert actions == ["ingest"] * 5


def test_evidence_digest(case: Case) -> None:
    state = ""
    for number, hashed in case.db.execute("SELECT id, sha256 FROM snapshots ORDER BY id"):
        leaves = b"".join(leaf(case.key, record) for record in case.found if record.snapshot == number)
        state = sha256(f"{state}\n{hashed}\n{sha256(leaves).hexdigest()}".encode()).hexdigest()
    assert state == case.info["evidence_digest"]


def events_list(case: Case) -> Iterable[list]:
    """The rows behind `events_digest`."""
    for (key, ordinal), told in sorted(settled(case.found).items()):
        row = best(told)
        things = case.db.execute("""SELECT h.key, h.name, f.key, f.path, v.key, v.name, v.path, p.pid, p.created, p.image_key,
              p.name, p.weak, a.name FROM events e JOIN hosts h ON h.id = e.host_id LEFT JOIN files f ON f.id = e.file_id
            LEFT JOIN registry_values v ON v.id = e.registry_value_id LEFT JOIN processes p ON p.id = e.process_id
            LEFT JOIN accounts a ON a.id = e.account_id WHERE e.match_key = ? AND e.ordinal = ?""", (key, ordinal)).fetchone()
        extra = compact(row[EXTRA]).decode() if row[EXTRA] else None
        yield [key.hex(), ordinal, *shown(row), row[FORMS], extra, row[FLAGS], *things]


def test_logical_digests(case: Case) -> None:
    begin = "SELECT s.sha256, s.source"
    joins = "JOIN members m ON m.id = x.member_id JOIN snapshots s ON s.id = m.snapshot_id"
    of_set = "(SELECT group_concat(sha256, ' ') FROM (SELECT sha256 FROM snapshots t WHERE t.set_id = s.set_id ORDER BY 1))"
    queries = [
        f"""{begin}, {of_set}, size, sha1, md5, shape, source_table, reading, columns_found, columns_missing, columns_unknown,
            partial_columns, first_time, last_time, records, rejects, truncated FROM snapshots s ORDER BY 1, 2""",
        f"""{begin}, x.name, x.shape, x.source_table, cached, header FROM members x JOIN snapshots s ON s.id = x.snapshot_id
            ORDER BY 1, 2, 3, 7""",
        f"{begin}, m.name, kind, offset, length FROM preambles x {joins} ORDER BY 1, 2, 3, 5",
        f"""{begin}, m.name, offset, length, item_id, lower(hex(match_key)), row_check FROM occurrences x {joins}
            JOIN events e ON e.id = x.event_id JOIN event_keys k ON k.event_id = e.id ORDER BY 1, 2, 3, 4, 5""",
        f"{begin}, m.name, x.record, offset, length, reason FROM rejects x {joins} ORDER BY 1, 2, 3, 4, 5"]
    events = digest(events_list(case))
    assert case.info["events_digest"] == events
    parts = [events, *(digest(case.db.execute(query)) for query in queries)]
    assert case.info["case_digest"] == sha256("\n".join(parts).encode()).hexdigest()


def test_stamps_and_key(case: Case) -> None:
    head = case.path.read_bytes()[:100]
    numbers = [int.from_bytes(head[at:at + 4], "big") for at in (68, 60)]
    assert re.findall(r"`application_id` is (\d+).*?`user_version` is (\d+)", PAGE) == [tuple(map(str, numbers))]
    checked = sha256(b"fimforensics case key\0" + case.key).hexdigest()[:32]
    assert case.db.execute("SELECT key_check FROM case_info").fetchall() == [(checked,)]


def test_every_table_and_column_is_on_the_page(case: Case) -> None:
    listed = [(name, kind) for schema, name, kind, *_ in case.db.execute("PRAGMA table_list") if schema == "main"]
    names = [name for name, kind in listed if kind == "table" and not name.startswith("sqlite_")]
    real = {name: [(column, kind) for _, column, kind, *_ in case.db.execute(f"PRAGMA table_info({name})")] for name in names}
    parts = re.split(r"^### `(\w+)`$", PAGE.partition("## Tables\n")[2], flags=re.M)[1:]
    written = {name: re.findall(r"^\| `(\w+)` \| ([A-Z]+) \|", part.partition("\n#")[0], re.M)
               for name, part in zip(parts[::2], parts[1::2], strict=True)}
    assert written == real
    assert {name for name, kind in listed if kind == "view"} == set(re.findall(r"`(\w+)` has", between("### Views", "\n## ")))
    flat = [name for _, name, *_ in case.db.execute("PRAGMA table_info(events_flat)")]
    assert flat == re.findall(r"`(\w+)`", between("its columns are ", ".\n"))
    full_text = re.findall(r"`(\w+)`", between("FTS5 tables over ", ", named"))
    assert {name for name, kind in listed if kind == "virtual"} == {name + "_fts" for name in full_text}
    assert len(COLUMNS) == 65 and sorted(BITS.values()) == list(range(53)) and set(BITS) < set(COLUMNS)


def test_the_worked_example_is_true(case: Case, tmp_path: Path) -> None:
    computed = {"case_key": case.key.hex(), "source_sha256": sha256(LINES).hexdigest()}
    for record in case.found[:3]:
        data = leaf_bytes(case.key, record)
        cells = {"locator": f"{record.offset} {len(record.raw)}", "raw_hash": sha256(record.raw).hexdigest(),
                 "row_hash": row_hash(record).hex(), "salt": data[41:57].hex(), "leaf_bytes": data.hex(),
                 "leaf": leaf(case.key, record).hex()}
        if record.row and record.key:
            matched = EXAMPLE[f"match{record.seq}"]
            assert sha256(matched.encode()).digest() == record.key and len(json.loads(matched)) == 31
            cells |= {"row": compact(record.row).decode(), "match": matched, "match_key": record.key.hex()}
        computed |= {f"{name}{record.seq}": value for name, value in cells.items()}
    (tmp_path / "example.jsonl").write_bytes(LINES)
    (tmp_path / "given.key").write_text(EXAMPLE["case_key"])
    command("ingest", tmp_path / "b.case", tmp_path / "example.jsonl", "--case-key", tmp_path / "given.key")
    info = command("info", tmp_path / "b.case", "--digest")[0]
    assert computed | {name: info[name] for name in ("root", "evidence_digest", "events_digest")} == EXAMPLE
