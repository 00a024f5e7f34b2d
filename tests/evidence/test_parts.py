"""Parts of a case: proven without the whole, redacted with it; what was taken out is nowhere in the file."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zstandard
from parts_case import ALTERED, PEOPLE, SECRET, change, cli, here, made, places, report

assert here and made  # fixtures


def test_a_part_is_proven_without_the_whole(here: Path) -> None:
    code, out, err = cli(
        "derive",
        "w.db",
        "p.db",
        "--host",
        "ws-0",
        "--since",
        "2026-09-02",
        "--purpose",
        "for A",
        "--authority",
        "B",
        "--note",
        "N",
        "--json",
    )
    told = json.loads(out)
    assert (code, err, told["altered_records"]) == (0, "", 0)
    assert told["kept_events"] == len(cli("events", "w.db", "--host", "ws-0", "--since", "2026-09-02", "--json")[1].splitlines())
    for path in here.glob("w.db*"):
        path.unlink()
    found = report("p.db")
    assert (found["whole"], found["differences"]) == (True, [])
    assert found["part"]["signers"][0].startswith("SHA256:") and found["part"]["sealed"]
    assert found["part"]["withheld_events"] == told["withheld_events"] > 0


def test_events_of_a_part_are_those_of_the_whole(here: Path) -> None:
    assert cli("derive", "w.db", "p.db", "--path", "users")[0] == 0
    assert cli("events", "p.db", "--json")[1] == cli("events", "w.db", "--path", "users", "--json")[1] != ""
    number = json.loads(cli("events", "p.db", "--json")[1].splitlines()[3])["id"]
    assert cli("show", "p.db", number, "--raw") == cli("show", "w.db", number, "--raw")


@pytest.mark.parametrize("filters", [
    ("--kind", "registry"), ("--change", "Modified"), ("--process", "tool"), ("--account", "zwolinski"), ("--hash", f"{1:064x}"),
    ("--until", "2026-09-03"), ("--snapshot", "1"), ("--subscription", "none-such"), ("--finding", "none-such")])
def test_every_filter_of_events_makes_a_part_of_them(here: Path, filters: tuple[str, str]) -> None:
    whole = cli("events", "w.db", *filters, "--json", "--limit", "100")[1].splitlines()
    wanted = [json.loads(line)["event_key"] for line in whole]
    code, _, err = cli("derive", "w.db", "p.db", *filters)
    assert (code == 0) == bool(wanted), err
    if wanted:
        told = cli("events", "p.db", "--json", "--limit", "100")[1].splitlines()
        assert [json.loads(line)["event_key"] for line in told] == wanted and cli("verify", "p.db")[0] == 0


def packed(path: Path) -> Iterator[bytes]:
    """The file's bytes, and what is packed in it: every page as it lies there, free ones too, and every frame unpacked."""
    data = path.read_bytes()
    yield data
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA freelist_count").fetchone() == (0,)
        for table in ("originals", "member_cache"):
            for (cell,) in db.execute(f"SELECT data FROM {table}"):
                yield zstandard.ZstdDecompressor().decompressobj().decompress(cell)


def test_what_was_taken_out_is_nowhere_in_the_file(here: Path) -> None:
    assert cli("derive", "w.db", "p.db", *ALTERED)[::2] == (0, "")
    told = [SECRET, *PEOPLE, "opened by", "Okonkwo", "S-1-5-21-9-9-9"]
    for data in packed(here / "p.db"):
        low = data.lower()
        for text in told:
            for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
                assert text.encode(encoding).lower() not in low and text.lower().encode(encoding) not in low, text
            assert json.dumps(text)[1:-1].encode().lower() not in low
    assert any(SECRET.encode() in data for data in packed(here / "w.db"))  # it can be found at all


def test_text_that_stands_elsewhere_stops_the_part(here: Path) -> None:
    code, _, err = cli("derive", "w.db", "p.db", "--redact", "InitiatingProcessAccountName=P:GDPR 6")
    assert code == 1 and "text that was to be taken out still stands in other cells: " in err and "paths.path" in err
    assert not list(here.glob("p.db*"))
    assert cli("derive", "w.db", "p.db", "--redact", "InitiatingProcessAccountName=P:GDPR 6", "--accept-remains")[0] == 0


def test_pseudonyms_join_and_system_names_stay(here: Path) -> None:
    assert cli("derive", "w.db", "p.db", *ALTERED)[0] == 0
    assert oct((here / "names.key").stat().st_mode)[-3:] == "600"
    whole, part = ([json.loads(line) for line in cli("events", case, "--json")[1].splitlines()] for case in ("w.db", "p.db"))
    joined = {row["id"]: row for row in whole}
    pairs = {(joined[row["id"]]["account"], row["account"]) for row in part}
    assert len({one.lower() for one, _ in pairs if one}) == len({other for _, other in pairs if other})
    accounts = {row["account"] for row in part if row["account"]}
    assert any(name.endswith("\\SYSTEM") for name in accounts) and any("account-" in name for name in accounts)
    folders = {row["path"].split("\\")[2] for row in part if (row["path"] or "").startswith("C:\\Users")}
    assert folders <= {name.split("\\")[-1] for name in accounts}  # the name in a path is the same pseudonym
    assert cli("derive", "w.db", "q.db", *ALTERED)[0] == 0
    assert cli("events", "q.db", "--json")[1] == cli("events", "p.db", "--json")[1]  # the same key, the same names
    assert cli("derive", "w.db", "r.db", "--pseudonyms", "other.key", "--pseudonym", "InitiatingProcessAccountName")[0] == 0
    assert cli("events", "r.db", "--json")[1] != cli("events", "p.db", "--json")[1]


def test_an_altered_event_says_so(here: Path) -> None:
    assert cli("derive", "w.db", "p.db", *ALTERED)[0] == 0
    number = next(row["id"] for row in map(json.loads, cli("events", "w.db", "--json")[1].splitlines()) if row["data"] == SECRET)
    out = cli("show", "p.db", number)[1]
    assert "[redacted B6]" in out and "Altered copy: NewValueData redacted (B6: § 96 StPO)" in out
    assert "was altered, so its bytes are not in this part" in cli("show", "p.db", number, "--raw")[2]
    told = [json.loads(line) for line in cli("custody", "p.db", "--json")[1].splitlines()]
    assert [entry["action"] for entry in told] == ["derive"]
    assert [entry["action"] for entry in map(json.loads, cli("custody", "w.db", "--json")[1].splitlines())][-1] == "derive"
    assert "This is a part" in cli("info", "p.db")[1] and json.loads(cli("info", "p.db", "--json")[1])["part"]["altered_records"]


def test_the_whole_proves_what_was_altered(here: Path) -> None:
    assert cli("derive", "w.db", "p.db", *ALTERED)[0] == 0
    alone, beside, keyed = (
        report("p.db"),
        report("p.db", "--parent", "w.db"),
        report("p.db", "--parent", "w.db", "--pseudonyms", "names.key"),
    )
    assert [one["whole"] for one in (alone, beside, keyed)] == [True, True, True]
    assert any("altered records: only with the whole" in line for line in alone["not_checked"])
    assert not any("altered records" in line for line in [*beside["not_checked"], *keyed["not_checked"]])
    change("UPDATE events SET new_data = '[redacted B7]' WHERE new_data IS NOT NULL")
    assert places(report("p.db", "--parent", "w.db")) >= {("events", "NewValueData")}


def test_random_parts_are_proven(here: Path) -> None:
    chance = random.Random(5)
    numbers = [json.loads(line)["id"] for line in cli("events", "w.db", "--json")[1].splitlines()]
    for size in (1, 2, 9, len(numbers)):
        only = ",".join(map(str, sorted(chance.sample(numbers, size))))
        Path("p.db").unlink(missing_ok=True)
        assert cli("derive", "w.db", "p.db", "--events", only)[::2] == (0, "")
        found = report("p.db", "--parent", "w.db")
        assert (found["whole"], found["part"]["kept_events"]) == (True, size), found["differences"]


def test_a_part_is_a_case(here: Path) -> None:
    assert cli("derive", "w.db", "p.db", "--host", "ws-1", *ALTERED)[0] == 0
    assert cli("serve", "p.db", "--once", "--port", 0)[::2] == (0, "")
    assert cli("analyze", "p.db")[0] == cli("transfer", "p.db", "--to", "A", "--method", "mail")[0] == cli("seal", "p.db")[0] == 0
    found = report("p.db", "--parent", "w.db", "--pseudonyms", "names.key")
    assert (found["whole"], found["differences"]) == (True, [])
    told = "it is a part of another case: it holds no whole source, and takes none"
    assert cli("copy", "p.db", "q.db")[0] == 0
    for words in (("ingest", "q.db", "a.jsonl"), ("replay", "q.db"), ("rebuild", "q.db", "n.db"), ("original", "q.db", 1)):
        assert cli(*words)[0] == 1 and told in cli(*words)[2], words
    assert "it is a part itself" in cli("derive", "q.db", "n.db")[2]


def test_wrong_use_and_wrong_cases(here: Path) -> None:
    assert "no event fits" in cli("derive", "w.db", "p.db", "--host", "nobody")[2]
    for words in (
        ["--redact", "FileName"],
        ["--redact", "Nonsense=A:B"],
        ["--redact", "TimeGenerated=A:B"],
        ["--pseudonym", "Computer"],
        ["--redact", "Computer=A:B", "--redact", "Computer=C:D"],
    ):
        assert cli("derive", "w.db", "p.db", *words)[0] == 2, words
    assert "it is there already" in cli("derive", "w.db", "a.jsonl")[2]
    assert cli("verify", "w.db", "--pseudonyms", "names.key")[0] == 2
    Path("other.key").write_text("11" * 32)
    assert "another case's" in cli("derive", "w.db", "p.db", "--case-key", "other.key")[2]
    Path("w.db").chmod(0o644)
    with closing(sqlite3.connect("w.db")) as db, db:
        db.execute("UPDATE occurrences SET offset = offset + 1 WHERE seq = 3")
    assert "it is not what was sealed" in cli("derive", "w.db", "p.db")[2]
    Path("w.db.seal.json").unlink()
    assert "Run: fimforensics verify CASE" in cli("derive", "w.db", "p.db")[2]
    assert not list(here.glob("p.db*"))
