"""docs/verify.py comes to the same verdict on parts and proofs as the program, whole and changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from parts_case import change, cli, here, made

assert here and made  # fixtures

SECOND = Path(__file__).parents[2] / "docs" / "verify.py"


def second(path: str) -> tuple[int, str]:
    """Exit code and output of the second verifier."""
    done = subprocess.run([sys.executable, "-I", str(SECOND), path], capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout


EDITS = {
    "nothing": "SELECT 1",
    "a leaf": "UPDATE leaves SET hashes = zeroblob(length(hashes))",
    "the proof": "UPDATE part_proof SET hashes = substr(hashes, 33)",
    "the root": "UPDATE part SET parent_root = '" + "0" * 64 + "'",
    "the statement": "UPDATE part_statement SET text = replace(text, 'w.db', 'x.db')",
    "a custody entry": "UPDATE custody_log SET result = 'nothing happened'",
}


@pytest.mark.parametrize("kind", EDITS)
def test_both_say_the_same_of_a_part(here: Path, kind: str) -> None:
    assert cli("derive", "w.db", "p.db", "--host", "ws-1", "--redact", "NewValueData=A:B", "--accept-remains")[0] == 0
    change(EDITS[kind])
    code, out = second("p.db")
    assert code == cli("verify", "p.db")[0] == (kind != "nothing"), out
    assert "altered records: only the whole can prove them" in out or "cannot be read" in out


@pytest.mark.parametrize("change_it", [None, "root", "leaves", "case"])
def test_both_say_the_same_of_a_proof(here: Path, change_it: str | None) -> None:
    assert cli("prove", "w.db", 4, "-o", "e.json")[0] == 0
    found = json.loads(Path("e.json").read_text())
    if change_it:
        found[change_it] = {"root": "0" * 64, "leaves": 3, "case": found["case"] | {"case_id": "x"}}[change_it]
    Path("e.json").write_text(json.dumps(found))
    code, out = second("e.json")
    assert code == cli("verify", "e.json")[0] == (change_it is not None), out
