"""The proof of one event: a small file that verifies alone, and no other; and the certificate of a case."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from parts_case import PEOPLE, cli, here, made

assert here and made  # fixtures


def proven(event: object = 4) -> dict:
    """The proof of an event of the whole, written to `e.json`."""
    Path("e.json").unlink(missing_ok=True)
    code, out, err = cli("prove", "w.db", event, "-o", "e.json")
    assert (code, err) == (0, "") and "Check it anywhere: fimforensics verify e.json" in out
    return json.loads(Path("e.json").read_text())


def test_a_proof_stands_alone(here: Path) -> None:
    found = proven()
    seal = Path("w.db.seal.json").read_text()
    for path in here.glob("w.db*"):
        path.unlink()
    told = json.loads(cli("verify", "e.json", "--json")[1])
    assert (told["whole"], told["differences"], told["root"]) == (True, [], json.loads(seal)["tree"]["root"])
    assert found["statement"] == seal and len(told["signers"]) == 1
    assert cli("verify", "e.json", "--key", told["signers"][0], "--root", told["root"])[0] == 0
    assert cli("verify", "e.json", "--key", "SHA256:" + "A" * 43)[0] == cli("verify", "e.json", "--root", "0" * 64)[0] == 1
    assert "whether that is the sealer's key, ask the sealer" in cli("verify", "e.json")[1]


def test_a_proof_has_the_record_and_the_row(here: Path) -> None:
    by_key = json.loads(cli("events", "w.db", "--json")[1].splitlines()[5])["event_key"]
    found = proven(by_key)
    assert found["event"]["key"] == by_key
    raw = cli("show", "w.db", by_key, "--raw")[1].splitlines()
    assert [base64.b64decode(one["raw"]).decode() for one in found["records"]] == raw
    assert cli("prove", "w.db", by_key)[1].startswith("{")
    assert cli("prove", "w.db", "99999")[0] == 1 and cli("prove", "w.db", "nonsense")[0] == 2
    Path("key").write_text("22" * 32)
    assert "another case's" in cli("prove", "w.db", by_key, "--case-key", "key")[2]


def changes() -> dict[str, Callable[[dict], object]]:
    """What is done to a proof."""
    def first(name: str, value: object) -> Callable[[dict], object]:
        return lambda found: found["records"][0].__setitem__(name, value)

    other = base64.b64encode(b'{"TimeGenerated":"2026-09-01T10:00:00Z"}').decode()
    return {
        "bytes": first("raw", other),
        "row": lambda found: first("row", found["records"][0]["row"].replace("ws-", "wx-"))(found),
        "place": first("offset", 7), "seq": first("seq", 2), "salt": first("salt", "00" * 16), "member": first("member", 1),
        "no way": first("path", []), "way cut": lambda found: found["records"][0]["path"].pop(),
        "way turned": lambda found: found["records"][0]["path"].reverse(),
        "root": lambda found: found.__setitem__("root", "0" * 64),
        "size": lambda found: found.__setitem__("leaves", found["leaves"] + 1),
        "no record": lambda found: found["records"].clear(),
        "statement": lambda found: found.__setitem__("statement", found["statement"].replace("w.db", "v.db")),
        "case": lambda found: found["case"].__setitem__("case_id", "x"),
        "key": lambda found: found["event"].__setitem__("key", "0" * 64 + "-0"),
        "columns": lambda found: found["records"][0]["header"].__setitem__("none", not found["records"][0]["header"]["none"]) or
        found["records"][0].__setitem__("raw", other),
    }  # fmt: skip


@pytest.mark.parametrize("kind", changes())
def test_a_changed_proof_is_none(here: Path, kind: str) -> None:
    found = proven()
    changes()[kind](found)
    Path("e.json").write_text(json.dumps(found))
    code, out, _ = cli("verify", "e.json")
    assert code == 1 and "DIFFERS" in out, out


def test_rubbish_is_no_proof_and_no_traceback(here: Path) -> None:
    text, chance = json.dumps(proven()), random.Random(1)
    rubbish = ["{", "{}", '{"proof": "fimforensics event proof", "version": 1}', "{" * 10_000, text[:-50]]
    for _ in range(150):
        at, length = chance.randrange(1, len(text)), chance.randrange(1, 9)
        rubbish.append(text[:at] + "".join(chance.choice('0af"{}[],:\\nul') for _ in range(length)) + text[at + length:])
    for one in rubbish:
        Path("r.json").write_text(one)
        code, _, err = cli("verify", "r.json")
        assert code in (0, 1) and (err == "" or err.startswith("fimforensics: r.json: ")), (code, err)


class Page(HTMLParser):
    """The text of a page, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_certificate_has_the_facts_and_leaves_the_rest_blank(here: Path) -> None:
    assert cli("transfer", "w.db", "--to", "Court <b>3</b>", "--method", "courier", "--seal-number", "B-77")[0] == 0
    root = json.loads(Path("w.db.seal.json").read_text())["tree"]["root"]
    signer = json.loads(cli("verify", "w.db", "--json")[1])["signers"][0]
    assert cli("certify", "w.db", "-o", "c.html", "--key", signer, "--case-key", "w.db.key")[::2] == (0, "")
    text = Path("c.html").read_text()
    page = Page()
    page.feed(text)
    told = re.sub(r"\s+", " ", page.text)
    assert all(root[at:at + 4] in text for at in range(0, 64, 4)) and "svg" in page.tags and signer in told
    assert "Part A. The copy" in told and "902(14)" in told and "Part B. The process" in told and "902(13)" in told
    assert told.count("same now") == 12 and "DIFFERS" not in told and "Court <b>3</b>" in told
    assert "dmissib" not in text and "b" not in page.tags and not re.search(r"(src|href)=", text)
    assert "The program has no opinion and declares nothing" in told and text.count('class="blank"') == 6
    assert "File exists" in cli("certify", "w.db", "-o", "c.html")[2]


def test_the_certificate_of_a_broken_case_and_of_a_part_say_so(here: Path) -> None:
    assert cli("derive", "w.db", "p.db", "--path", PEOPLE[0], "--redact", "extra.Note=P1:GDPR", "--accept-remains")[0] == 0
    assert cli("certify", "p.db", "-o", "p.html", "--fast")[0] == 0
    told = Path("p.html").read_text()
    assert "Part of another case" in told and "extra.Note" in told and "It is not sealed." in told
    Path("w.db").chmod(0o644)
    with Path("w.db").open("ab") as stream:
        stream.write(b"x" * 4096)
    assert cli("certify", "w.db", "-o", "w.html")[0] == 1
