"""The seal: what it states and leaves, that nothing writes to a sealed case, and that a grown copy is proven to have grown."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fimforensics.cli import main
from fimforensics.evidence import beside, sshsig, statement, tree

KEY = "00" * 31 + "01"
LINE = {"Computer": "web01", "MonitoredEntityType": "File", "ChangeType": "Modified", "FilePath": "/etc/hosts",
        "Type": "MDCFileIntegrityMonitoringEvents"}


def run(*arguments: object, code: int = 0, **environment: str) -> Result:
    done = CliRunner().invoke(main, list(map(str, arguments)), env=environment)
    assert done.exit_code == code, (done.output, done.exception)
    return done


def ingest(case: Path, *hours: int) -> None:
    source = case.parent / f"{hours[0]}.jsonl"
    source.write_text("".join(json.dumps(LINE | {"TimeGenerated": f"2026-07-16T{hour:02}:00:00Z"}) + "\n" for hour in hours))
    (case.parent / "case.key").write_text(KEY)
    run("ingest", case, source, "--case-key", case.parent / "case.key", "--case-number", "C-1")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    ingest(tmp_path / "c.db", 1, 2, 3)
    run("key", "new", "--out", tmp_path / "sealer", FIMFORENSICS_PASSPHRASE="")
    return tmp_path / "c.db"


def test_a_seal_states_what_is_in_the_case(case: Path) -> None:
    told = json.loads(run("seal", case, "--key", case.parent / "sealer", "--note", "to court", "--json").output)
    found, data = statement.read(beside.seal_file(case))
    assert told["statement_sha256"] == sha256(data).hexdigest()
    assert found["file"] == {"name": "c.db", "size": case.stat().st_size, "sha256": sha256(case.read_bytes()).hexdigest()}
    assert found["tree"]["leaves"] == 3 and found["snapshots"][0]["root"] == found["tree"]["root"] == told["root"]
    assert sshsig.check(beside.signature_file(case).read_text(), data).fingerprint == told["signer"] == found["sealed"]["signer"]
    assert found["case"]["case_number"] == "C-1" and found["sealed"]["note"] == "to court"
    assert os.name != "posix" or stat.S_IMODE(case.stat().st_mode) == 0o444
    db = sqlite3.connect(case)
    assert db.execute("SELECT action, hash FROM custody_log ORDER BY id DESC").fetchone() == ("seal", found["custody"]["head"])
    assert {name: one["rows"] for name, one in found["digests"]["tables"].items() if "_fts" not in name} == {
        name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in
        db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '*_fts*'")}


def test_nothing_writes_to_a_sealed_case(case: Path) -> None:
    run("seal", case)
    before = case.read_bytes()
    for words in (("ingest", case, case.parent / "1.jsonl"), ("analyze", case), ("replay", case, "--timezone", "UTC"),
                  ("ingest", case, "--abandon")):
        done = run(*words, code=1)
        assert "it is sealed, and a sealed case is never written again. Make a working copy: fimforensics copy" in done.output
    assert "it is sealed already" in run("seal", case, code=1).output
    assert case.read_bytes() == before


def test_a_second_signature_and_one_that_comes_late(case: Path) -> None:
    run("seal", case)
    assert not beside.signature_file(case).exists()
    run("key", "new", "--out", case.parent / "other", FIMFORENSICS_PASSPHRASE="secret")
    run("seal", case, "--add-signature", "--key", case.parent / "sealer")
    run("seal", case, "--add-signature", "--key", case.parent / "other", FIMFORENSICS_PASSPHRASE="secret")
    data = beside.seal_file(case).read_bytes()
    assert len({sshsig.check(path.read_text(), data) for path in beside.signature_files(case)}) == 2
    assert "has signed it already" in run("seal", case, "--add-signature", "--key", case.parent / "sealer", code=1).output
    assert "needs a key" in run("seal", case, "--add-signature", code=2).output


def test_a_copy_that_grew_is_proven_to_have_grown(case: Path) -> None:
    grown = case.with_name("grown.db")
    shutil.copy(case, grown)
    shutil.copy(case.with_name("c.db.key"), grown.with_name("grown.db.key"))
    run("seal", case, "--key", case.parent / "sealer")
    ingest(grown, 4, 5)
    run("seal", grown, "--parent", case)
    parent = statement.read(beside.seal_file(grown))[0]["parent"]
    whole = statement.read(beside.seal_file(grown))[0]["tree"]
    assert tree.consistent(3, 5, bytes.fromhex(parent["statement"]["tree"]["root"]), bytes.fromhex(whole["root"]),
                           [bytes.fromhex(one) for one in parent["consistency"]])
    data = statement.canonical(parent["statement"])
    assert sha256(data).hexdigest() == parent["sha256"] and sshsig.check(parent["signatures"][0], data)
    other = case.with_name("other.db")
    ingest(other, 7, 8, 9, 10)
    assert "did not grow from it" in run("seal", other, "--parent", case, code=1).output
    assert not beside.seal_file(other).exists()


def test_a_statement_that_was_touched_is_none(case: Path) -> None:
    run("seal", case)
    path = beside.seal_file(case)
    data = path.read_bytes()
    for changed in (data + b" ", data.replace(b'"version":1', b'"version":2'), b"{}", b"[" * 10_000, b"\xff", b"",
                    data.replace(b'"tree"', b'"tre3"')):
        path.write_bytes(changed)
        with pytest.raises(statement.Problem):
            statement.read(path)
