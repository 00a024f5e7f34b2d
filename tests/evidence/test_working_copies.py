"""Working copies of sealed cases, and custody before and after the seal."""

from __future__ import annotations

import json
import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.cli import main
from fimforensics.evidence import after

ROW = {
    "Computer": "web01",
    "MonitoredEntityType": "File",
    "ChangeType": "Modified",
    "FilePath": "/etc/hosts",
    "Type": "MDCFileIntegrityMonitoringEvents",
}


def cli(*arguments: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sealed `c.db`, and a source more."""
    monkeypatch.chdir(tmp_path)
    for name, hours in (("one", range(5)), ("two", range(5, 9))):
        Path(f"{name}.jsonl").write_text(
            "".join(json.dumps(ROW | {"TimeGenerated": f"2026-07-16T{hour:02}:00:00Z"}) + "\n" for hour in hours)
        )
    assert cli("ingest", "c.db", "one.jsonl")[0] == 0
    assert cli(
        "custody",
        "c.db",
        "add",
        "--action",
        "seized",
        "--place",
        "server room",
        "--by",
        "E. Xaminer",
        "--authority",
        "warrant 7",
        "--purpose",
        "incident 12",
        "--changes",
        "none",
        "--note",
        "n",
    )[:2] == (0, "Noted in c.db.\n")
    assert cli("seal", "c.db")[0] == 0


def log(case: str) -> list[dict]:
    """The entries of custody, in order."""
    return [json.loads(line) for line in cli("custody", case, "--json")[1].splitlines()]


def test_a_sealed_case_refuses_every_write_with_the_way_on() -> None:
    before = {path: path.read_bytes() for path in Path().iterdir()}
    told = "it is sealed, and a sealed case is never written again. Make a working copy: fimforensics copy CASE NEW"
    told = f"fimforensics: c.db: {told}\n"
    for words in (("ingest", "c.db", "two.jsonl"), ("analyze", "c.db"), ("replay", "c.db")):
        assert cli(*words)[::2] == (1, told), words
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_a_working_copy_names_its_parent_and_grows_provably() -> None:
    told = json.loads(cli("copy", "c.db", "w.db", "--purpose", "more to add", "--json")[1])
    seal = Path("c.db.seal.json").read_bytes()
    entry = log("w.db")[-1]
    said = json.loads(entry["arguments"])
    assert (entry["action"], entry["purpose"]) == ("copy", "more to add")
    assert said == {
        "parent": "c.db",
        "parent_leaves": 5,
        "parent_root": json.loads(seal)["tree"]["root"],
        "parent_statement_sha256": sha256(seal).hexdigest(),
        "parent_file_sha256": sha256(Path("c.db").read_bytes()).hexdigest(),
    }
    assert told["parent_root"] == said["parent_root"] and Path("w.db.key").read_bytes() == Path("c.db.key").read_bytes()
    assert os.name != "posix" or stat.S_IMODE(Path("w.db.key").stat().st_mode) == 0o600
    assert cli("ingest", "w.db", "two.jsonl")[0] == 0
    code, out, _ = cli("seal", "w.db", "--parent", "c.db")
    assert code == 0 and "its 5 leaves are the beginning" in out


def test_without_its_key_a_copy_says_what_it_needs() -> None:
    Path("c.db.key").unlink()
    out = cli("copy", "c.db", "w.db")[1]
    assert "bring it as w.db.key" in out and not Path("w.db.key").exists()
    assert "Bring it beside the case" in cli("ingest", "w.db", "two.jsonl")[2]


def test_what_cannot_be_copied() -> None:
    assert "it is there already" in cli("copy", "c.db", "one.jsonl")[2]
    assert cli("copy", "c.db", "w.db")[0] == 0
    assert "it is not sealed" in cli("copy", "w.db", "x.db")[2]
    Path("c.db").chmod(0o644)
    with Path("c.db").open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last[0] ^ 1]))
    assert "the file is not the one that was sealed" in cli("copy", "c.db", "x.db")[2]
    assert sorted(path.name for path in Path().glob("x.db*")) == []


def test_custody_goes_on_beside_a_sealed_case() -> None:
    before = Path("c.db").read_bytes()
    assert (
        cli(
            "transfer",
            "c.db",
            "--json",
            "--to",
            "Court 3",
            "--from",
            "Lab",
            "--method",
            "courier",
            "--seal-number",
            "B-77",
            "--purpose",
            "hearing",
            "--authority",
            "order 5",
            "--place",
            "gate",
            "--by",
            "E.",
            "--changes",
            "-",
            "--note",
            "n",
        )[0]
        == 0
    )
    assert json.loads(cli("custody", "c.db", "add", "--action", "stored", "--json")[1])["file"] == "c.db.custody.jsonl"
    assert Path("c.db").read_bytes() == before
    entries = log("c.db")
    assert [entry["action"] for entry in entries] == ["ingest", "custody", "seal", "transfer", "custody"]
    assert entries[3]["previous"] == sha256(Path("c.db.seal.json").read_bytes()).hexdigest()
    assert json.loads(entries[3]["arguments"])["seal_number"] == "B-77"
    last = cli("custody", "c.db")[1].splitlines()[-1]
    assert (
        last == f"The chain of 3 entries is whole, that of 2 entries after the seal too; the last hash is {entries[4]['hash']}."
    )


def edits() -> dict[str, tuple]:
    """How a log of three lines is changed, and which line is named."""
    return {
        "a word": (lambda lines: [lines[0], lines[1].replace(b"stored", b"sold"), lines[2]], 2),
        "the first is gone": (lambda lines: lines[1:], 1),
        "one in the middle is gone": (lambda lines: [lines[0], lines[2]], 2),
        "two are swapped": (lambda lines: [lines[0], lines[2], lines[1]], 2),
        "the end is cut": (lambda lines: [*lines[:2], lines[2][:50]], 3),
        "the last line feed is cut": (lambda lines: [*lines[:2], lines[2][:-1]], 3),
        "a line doubled": (lambda lines: [*lines, lines[2]], 4),
        "another spelling": (lambda lines: [lines[0].replace(b'","', b'", "', 1), *lines[1:]], 1),
        "rubbish": (lambda lines: [*lines, b"\xff{\n"], 4),
        "a cell more": (lambda lines: [lines[0][:-2] + b',"x":1}\n', *lines[1:]], 1),
    }


@pytest.mark.parametrize("kind", edits())
def test_a_changed_log_is_named_by_line(kind: str) -> None:
    for action in ("stored", "stored", "moved"):
        assert cli("custody", "c.db", "add", "--action", action)[0] == 0
    change, line = edits()[kind]
    path = Path("c.db.custody.jsonl")
    assert after.check(Path("c.db")) == []
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    code, _, err = cli("custody", "c.db")
    assert code == 1 and f"c.db.custody.jsonl, line {line}: " in err
    assert cli("custody", "c.db", "add", "--action", "more")[0] == 1


def test_a_log_of_another_seal_is_foreign() -> None:
    assert cli("custody", "c.db", "add", "--action", "stored")[0] == 0
    assert cli("copy", "c.db", "w.db")[0] == cli("seal", "w.db")[0] == 0
    Path("c.db.custody.jsonl").rename("w.db.custody.jsonl")
    assert "w.db.custody.jsonl, line 1: it belongs to another seal" in cli("custody", "w.db")[2]


def test_wrong_use() -> None:
    assert cli("custody", "c.db", "add")[0] == 2 and cli("custody", "c.db", "--action", "x")[0] == 2
    assert cli("transfer", "c.db", "--to", "x")[0] == 2
