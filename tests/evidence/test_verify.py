"""Verify: whole cases are whole wherever they lie, what was changed is named, a forger's own seal passes for nobody else's."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import small_case
from benchmarks.small_case import run
from fimforensics import blocks, interner, segments, stretches, swift
from fimforensics.evidence import beside
from fimforensics.evidence.verify import Options, expected, verify

Change = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed case, never touched."""
    return small_case.sealed(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def case(made: Path, tmp_path: Path) -> Path:
    """A copy of it with all that lies beside it, which may be changed."""
    shutil.copytree(made.parent, tmp_path, dirs_exist_ok=True)
    (tmp_path / made.name).chmod(0o644)
    return tmp_path / made.name


def change(case: Path, *statements: str) -> None:
    db = sqlite3.connect(case)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def fingerprint(case: Path) -> str:
    return json.loads(run("key", "show", case.parent / "sealer", "--json").output)["fingerprint"]


def named(case: Path, **options: object) -> set[tuple]:
    """Table, row and column of all that differs inside the database."""
    report = verify(case, Options(**options))  # type: ignore[arg-type]
    return {(one.table, one.row, one.column) for one in report.differences if one.table}


def test_a_case_is_whole_sealed_or_not_moved_or_on_media_that_cannot_be_written(case: Path) -> None:
    told = json.loads(run("verify", case, "--key", fingerprint(case), "--json").output)
    assert told["whole"] and not told["not_checked"] and len(told["checked"]) == 10
    root = told["root"]
    spaced = " ".join(root[at:at + 4].upper() for at in range(0, 64, 4))
    assert "signed by SHA256:" in run("verify", case, "--root", spaced).output
    far = case.parent / "far"
    far.mkdir()
    shutil.copy(case, far / "moved.db")
    for path in far.iterdir():
        path.chmod(0o444)
    far.chmod(0o555)
    output = run("verify", far / "moved.db").output
    far.chmod(0o755)
    assert "Not checked: file and signature: the case is not sealed" in output
    assert "leaves against records: that takes the case key" in output
    assert [path.name for path in far.iterdir()] == ["moved.db"]
    assert "it is another case's key" in run("verify", case, "--case-key", beside_key(case), code=1).output


def beside_key(case: Path) -> Path:
    path = case.parent / "other.key"
    path.write_text("11" * 32)
    return path


def test_fast_leaves_out_the_originals_and_says_so(case: Path) -> None:
    change(case, "UPDATE originals SET data = zeroblob(9) WHERE rowid = 1")
    for file in (beside.seal_file(case), beside.signature_file(case)):
        file.unlink()
    assert "Not checked: records and interpretation: --fast" in run("verify", case, "--fast").output
    assert "table originals, row 1, column data" in run("verify", case, code=1).output


@pytest.mark.parametrize(("statement", "place"), [
    ("UPDATE events SET file_size = 11 WHERE id = 1", ("events", 1, "file_size")),
    ("UPDATE events SET time = substr(time, 1, 26) || '8Z' WHERE id = 3", ("events", 3, "time")),
    ("UPDATE contents SET size = size + 0.5 WHERE id = 1", ("contents", 1, "size")),
    ("UPDATE paths SET path = CAST(path AS BLOB) WHERE id = 1", ("paths", 1, "path")),
    ("UPDATE paths SET path = CAST(x'ff41' AS TEXT) WHERE id = 1", ("paths", 1, "path")),
    ("DELETE FROM occurrences WHERE seq = 2", ("occurrences", 2, None)),
    ("UPDATE occurrences SET event_id = 4 WHERE seq = 3", ("occurrences", 3, "event_id")),
    ("INSERT INTO accounts VALUES (99, 'mallory', NULL, NULL, 'mallory')", ("accounts", 99, None)),
    ("UPDATE rejects SET reason = 'none' WHERE seq = 13", ("rejects", 13, "reason")),
    ("UPDATE members SET header = header || ' ' WHERE id = 2", ("members", 2, "header")),
    ("UPDATE snapshots SET rejects = 0 WHERE id = 2", ("snapshots", 2, "rejects")),
    ("UPDATE snapshots SET note = NULL WHERE id = 1", ("snapshots", 1, "note")),
    ("UPDATE snapshots SET sha1 = upper(sha1) WHERE id = 1", ("snapshots", 1, "sha1")),
    ("UPDATE case_info SET examiner = 'else' WHERE id = 1", ("case_info", 1, "examiner")),
    ("UPDATE custody_log SET actor = 'else' WHERE id = 2", ("custody_log", 2, "actor")),
    ("DELETE FROM custody_log WHERE id = 3", ("custody_log", 3, None)),
    ("UPDATE analyses SET finished = '2026' WHERE name = 'versions'", ("analyses", None, "finished")),
    ("UPDATE leaves SET hashes = zeroblob(32) || substr(hashes, 33) WHERE first_seq = 1", ("leaves", 1, "hashes")),
    ("UPDATE findings SET severity = 'info' WHERE rowid = (SELECT min(rowid) FROM findings)", ("findings", None, "severity")),
    ("UPDATE event_counts SET events = 9 WHERE events = 1", ("event_counts", None, "events")),
    ("UPDATE paths_fts_data SET block = x'00' WHERE id = 1", ("paths_fts_data", 1, "block")),
    ("UPDATE member_cache SET data = x'28b52ffd' WHERE rowid = 1", ("member_cache", 1, "data")),
])
def test_what_was_changed_is_named(case: Path, statement: str, place: tuple) -> None:
    change(case, statement)
    found = named(case)
    assert any(place[0] == one and place[1] in (None, row) and place[2] in (None, column) for one, row, column in found), found
    assert {table for table, _, _ in found} == {place[0]}


@pytest.mark.parametrize(("statement", "place"), [
    ("DELETE FROM leaves WHERE first_seq = (SELECT max(first_seq) FROM leaves)", ("leaves", 20, None)),
    ("INSERT INTO leaves VALUES (21, zeroblob(32))", ("leaves", 21, None)),
    ("UPDATE rejects SET replayed_as = NULL WHERE replayed_as IS NOT NULL", ("rejects", 19, "replayed_as")),
    ("DELETE FROM occurrences WHERE seq = 20", ("occurrences", 20, None)),
    ("DELETE FROM members WHERE id = 6", ("members", 6, None)),
    ("UPDATE members SET header = header || char(0) || 'x' WHERE id = 6", ("members", 6, "header")),
    ("DELETE FROM originals WHERE snapshot_id = 3", ("originals", "3, 0", None)),
    ("UPDATE member_cache SET rowid = 322 WHERE rowid = 1", ("member_cache", 322, "rowid")),
])
def test_what_the_rest_hangs_on_is_named_though_no_seal_is_left(case: Path, statement: str, place: tuple) -> None:
    for file in (beside.seal_file(case), beside.signature_file(case)):
        file.unlink()
    assert verify(case, Options()).whole
    change(case, statement)
    assert place in named(case)


def test_what_little_is_remembered_while_reading_again_changes_nothing(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((blocks, "CACHE"), (stretches, "CACHE"), (segments, "PROCESSES"), (segments, "SMALL"), (swift, "MOST")):
        monkeypatch.setattr(module, name, 4)
    monkeypatch.setattr(interner, "slots", lambda *_: 16)
    monkeypatch.setattr(expected._Again, "portion", 3)
    assert verify(case, Options()).whole


def test_bytes_of_the_source_are_named(case: Path) -> None:
    change(case, "UPDATE events SET file_size = 11 WHERE id = 5")
    line = next(line for line in run("verify", case, code=1).output.splitlines() if "records: table events" in line)
    assert line.endswith("row 5, column file_size, snapshot 1, bytes 3139 to 3512: it is 11, the originals give 1")
    assert json.loads((case.parent / "first.jsonl").read_bytes()[3139:3512])["FileSize"] == 1


def test_a_file_that_is_no_case_any_more(case: Path) -> None:
    for statement in ("CREATE TRIGGER t AFTER INSERT ON events BEGIN SELECT 1; END", "DROP VIEW events_flat",
                      "CREATE TABLE more (x)", "DROP INDEX events_host"):
        copy = case.with_name("copy.db")
        shutil.copy(case, copy)
        change(copy, statement)
        output = run("verify", copy, code=1).output
        assert "schema: its schema is not that of a case" in output and "Not checked: everything inside" in output


def test_a_schema_that_is_no_text(case: Path) -> None:
    text = b"CREATE VIEW events_flat AS S"
    case.write_bytes(case.read_bytes().replace(text + b"ELECT", text + b"\xcc\xcc\xcc\xccT"))
    assert "DIFFERS schema" in run("verify", case, code=1).output


def test_a_forger_with_a_key_of_his_own(case: Path, made: Path) -> None:
    """He changes a row and makes everything anew that can be made without the sealer's key."""
    right = fingerprint(made)
    for file in (beside.seal_file(case), beside.signature_file(case)):
        file.unlink()
    run("key", "new", "--out", case.parent / "forger", FIMFORENSICS_PASSPHRASE="")
    change(case, "UPDATE events SET file_size = 11 WHERE id = 5", "DELETE FROM custody_log WHERE action = 'seal'")
    run("seal", case, "--key", case.parent / "forger")
    assert named(case) == {("events", 5, "file_size")}
    told = run("verify", case, "--key", right, code=1).output
    assert f"not signed by the pinned key {right}" in told
    # a whole case of his own, from a source of his own: nothing in it is wrong, but whose it is
    other = case.parent / "other"
    other.mkdir()
    forged = small_case.make(other)
    run("seal", forged, "--key", case.parent / "forger")
    output = run("verify", forged).output
    assert "no key was pinned, so trust rests on this fingerprint" in output
    assert "NOT whole: 1 difference" in run("verify", forged, "--key", right, code=1).output


def test_a_signature_that_was_taken_away_or_changed(case: Path) -> None:
    signature = beside.signature_file(case)
    armoured = signature.read_text()
    signature.write_text(armoured.replace("A", "B", 3))
    assert "case.db.sig" in run("verify", case, "--fast", code=1).output
    signature.unlink()
    assert "that signature is missing" in run("verify", case, "--fast", code=1).output
    signature.write_text(armoured)
    beside.seal_file(case).write_text(beside.seal_file(case).read_text().replace("sealed", "SEALED", 1))
    assert "case.db.seal.json: it is no statement of a seal, or was changed" in run("verify", case, "--fast", code=1).output


def test_wrong_use_and_what_is_no_case(case: Path) -> None:
    assert "is no fingerprint" in run("verify", case, "--key", "SHA256:short", code=2).output
    assert "64 hexadecimal figures" in run("verify", case, "--root", "12", code=2).output
    assert "there is no such case" in run("verify", case.parent / "none.db", code=1).output
    assert "the root is" in run("verify", case, "--fast", "--root", "0" * 64, code=1).output
    assert "not a case" in run("verify", case.parent / "part.csv", code=1).output
    for words, code, told in ((("--case-key", beside_key(case)), 1, "it is another case's key. Name the right one"),
                              (("--case-key", case), 1, "it is not a case's key"),
                              (("--parent", case.parent / "none.db"), 1, "there is no such case"),
                              (("--parent", case), 2, "--parent goes with a part, and this case is none")):
        output = run("verify", case, *words, code=code).output
        assert told in output and output.count("\n") == 1 and "DIFFERS" not in output
