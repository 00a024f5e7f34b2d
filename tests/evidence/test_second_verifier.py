"""docs/verify.py, which shares no code with the program, comes to the same verdict on cases that are whole and broken."""

from __future__ import annotations

import ast
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import small_case
from benchmarks.small_case import run
from fimforensics.cli import main
from fimforensics.evidence import beside

SECOND = Path(__file__).parents[2] / "docs" / "verify.py"
pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None or shutil.which("zstd") is None,
                                reason="needs ssh-keygen and zstd")

SEALED = {
    "whole": "",
    "a cell": "UPDATE events SET file_size = 11 WHERE id = 5",
    "a cell of another type": "UPDATE paths SET path = CAST(path AS BLOB) WHERE id = 1",
    "no UTF-8": "UPDATE paths SET path = CAST(x'ff41' AS TEXT) WHERE id = 1",
    "a label": "UPDATE hosts SET name = 'x' WHERE id = 1",
    "a row gone": "DELETE FROM rejects WHERE seq = 13",
    "a row more": "INSERT INTO accounts VALUES (99, 'm', NULL, NULL, 'm')",
    "an original": "UPDATE originals SET data = x'28b52ffd' WHERE snapshot_id = 2",
    "a leaf": "UPDATE leaves SET hashes = zeroblob(32) || substr(hashes, 33) WHERE first_seq = 1",
    "a note": "UPDATE snapshots SET note = 'other' WHERE id = 1",
    "the examiner": "UPDATE case_info SET examiner = 'other'",
    "an entry": "UPDATE custody_log SET actor = 'other' WHERE id = 2",
    "an entry gone": "DELETE FROM custody_log WHERE id = (SELECT max(id) FROM custody_log)",
    "a finding": "UPDATE findings SET sentence = 'nothing happened'",
    "full text": "UPDATE paths_fts_data SET block = x'00' WHERE id = 1",
    "a view": "DROP VIEW events_flat",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON events BEGIN SELECT 1; END",
    "a reference": "UPDATE events SET host_id = 77 WHERE id = 3",
}
UNSEALED = {
    "whole": "",
    "a cell": "UPDATE events SET file_size = 11 WHERE id = 5",
    "an original": "UPDATE originals SET data = x'28b52ffd' WHERE snapshot_id = 2",
    "an entry": "UPDATE custody_log SET actor = 'other' WHERE id = 2",
    "a leaf": "UPDATE leaves SET hashes = CAST(substr(hashes, 1, 160) || zeroblob(32) || substr(hashes, 193) AS BLOB) "
              "WHERE first_seq = 1",
    "a hash": "UPDATE snapshots SET md5 = upper(md5) WHERE id = 1",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_case.sealed(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def case(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made.parent, tmp_path, dirs_exist_ok=True)
    (tmp_path / made.name).chmod(0o644)
    return tmp_path / made.name


def second(case: Path, *more: str) -> tuple[int, str]:
    line = [sys.executable, str(SECOND), str(case), "--case-key", str(case.with_name(case.name + ".key")), *more]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout


def verdict(case: Path, *more: str) -> int:
    """The program's exit code."""
    return CliRunner().invoke(main, ["verify", str(case), *more]).exit_code


def change(case: Path, statement: str) -> None:
    db = sqlite3.connect(case)
    db.execute(statement)
    db.commit()
    db.close()


@pytest.mark.parametrize("told", SEALED)
def test_sealed_cases(case: Path, told: str) -> None:
    if SEALED[told]:
        change(case, SEALED[told])
    assert (second(case)[0], verdict(case)) == ((0, 0) if told == "whole" else (1, 1))


@pytest.mark.parametrize("told", UNSEALED)
def test_cases_without_a_seal(case: Path, told: str) -> None:
    for path in (beside.seal_file(case), beside.signature_file(case)):
        path.unlink()
    if UNSEALED[told]:
        change(case, UNSEALED[told])
    assert (second(case)[0], verdict(case)) == ((0, 0) if told == "whole" else (1, 1))


def test_signatures_and_keys(case: Path) -> None:
    right = run("key", "show", case.parent / "sealer", "--json").output.split('"fingerprint": "')[1].split('"')[0]
    wrong = "SHA256:" + "A" * 43
    assert [(second(case, "--key", key)[0], verdict(case, "--key", key)) for key in (right, wrong)] == [(0, 0), (1, 1)]
    signature = beside.signature_file(case)
    armoured = signature.read_text()
    signature.write_text(armoured.replace("A", "B", 4))
    assert (second(case)[0], verdict(case)) == (1, 1)
    signature.unlink()
    assert (second(case)[0], verdict(case)) == (1, 1)
    signature.write_text(armoured)
    data = bytearray(case.read_bytes())
    data[100_000] ^= 1
    case.write_bytes(data)
    assert (second(case)[0], verdict(case)) == (1, 1)


def test_it_imports_nothing_of_ours_and_says_what_it_did_not_check(case: Path) -> None:
    names = {alias.name.split(".")[0] for node in ast.walk(ast.parse(SECOND.read_text())) if isinstance(node, ast.Import)
             for alias in node.names}
    names |= {(node.module or "").split(".")[0] for node in ast.walk(ast.parse(SECOND.read_text()))
              if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names) | {"compression"}
    assert "not checked: 13 of 20 records" in second(case)[1]
