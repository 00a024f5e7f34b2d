"""`events` with all its filters and orders, and `show` with what stands around an event, on small cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimforensics.analyses import ANALYSES
from fimforensics.cli import main
from tests.analyses.building import change, digest, made, rows, value

RUN = "HKEY_LOCAL_MACHINE\\Software\\Run"
ONE = "/subscriptions/AAAA/resourceGroups/web/providers/x/y/srv-1"
ROWS = [
    change("srv-1", "08:00", "C:\\Web\\a.aspx", "Created", "one", by="C:\\Windows\\w3wp.exe", AzureResourceId=ONE),
    change("srv-1", "08:10", "C:\\Web\\a.aspx", "Modified", "two", account="CONTOSO\\bob", pid=8, AzureResourceId=ONE),
    change("srv-1", "08:20", "C:\\Web\\a.aspx", "Modified", "two", AzureResourceId=ONE),
    change("srv-1", "08:30", "C:\\Web\\a.aspx", "Deleted", AzureResourceId=ONE),
    value("srv-2", "09:00", RUN, "Up", "a.exe", InitiatingProcessAccountSid="S-1-5-21-7"),
    value("srv-2", "09:10", "HKLM\\Software\\Run", "Up", "b.exe", old="a.exe"),
    change("srv-10", "10:00", "/etc/what?/100%", "Modified"),
]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("events"), ROWS, analyses=None)


def cli(*words: object) -> tuple[int, str, str]:
    """The command's exit code, output and messages."""
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def told(*words: object) -> list[dict]:
    code, out, err = cli(*words, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def minutes(case: Path, *filters: object) -> list[str]:
    return [row["time"][11:16] for row in told("events", case, *filters)]


WEB, REGISTRY = ["08:00", "08:10", "08:20", "08:30"], ["09:00", "09:10"]


@pytest.mark.parametrize(("filters", "expected"), [
    (("--host", "srv-1"), [*WEB, "10:00"]), (("--host", "srv-?"), [*WEB, *REGISTRY]), (("--host", "S*1"), WEB),
    (("--path", "*.ASPX"), WEB), (("--path", "c:\\web\\*"), WEB), (("--path", "*web"), []), (("--path", "web"), WEB),
    (("--path", "C:\\Web\\?.aspx"), WEB), (("--path", "100%"), ["10:00"]), (("--path", "what?"), []),
    (("--path", "*what?/*"), ["10:00"]),
    (("--path", "HKLM\\software\\run"), REGISTRY), (("--path", "HKEY_LOCAL_MACHINE\\Software"), REGISTRY),
    (("--path", "hklm:\\*\\up"), REGISTRY), (("--path", "\\REGISTRY\\MACHINE\\Software\\*"), REGISTRY),
    (("--path", "Run\\Up"), REGISTRY), (("--path", "HKCU\\Software"), []),
    (("--process", "w3wp"), ["08:00"]), (("--process", "windows\\w3"), ["08:00"]), (("--process", "s*.exe"),
                                                                                   [*WEB[1:], *REGISTRY, "10:00"]),
    (("--account", "bob"), ["08:10"]), (("--account", "*\\b?b"), ["08:10"]), (("--account", "S-1-5-21-7"), ["09:00"]),
    (("--hash", str(digest("two"))[:8].upper()), ["08:10", "08:20"]), (("--hash", digest("one")), ["08:00"]),
    (("--hash", str(digest("one"))[:32]), []), (("--hash", str(digest("one"))[:33]), ["08:00"]),
    (("--since", "-1h"), ["09:00", "09:10", "10:00"]), (("--since", "-2h", "--until", "-90m"), ["08:00", "08:10", "08:20"]),
    (("--subscription", "aaaa"), WEB),
    (("--order", "newest", "--limit", 2), ["10:00", "09:10"]),
    (("--order", "path", "--kind", "file"), [*WEB, "10:00"]), (("--order", "path", "--path", "HKLM"), REGISTRY)])
def test_filters(case: Path, filters: tuple, expected: list[str]) -> None:
    assert minutes(case, *filters) == expected


@pytest.mark.parametrize(("words", "code", "line"), [
    (("--hash", "none"), 2, "'none' is no hash. Write hexadecimal figures, 8 at least"),
    (("--hash", "abcdef1"), 2, "abcdef1 is too little of a hash. Write 8 figures at least"),
    (("--finding", "12"), 1, "there is no finding 12 in this case"),
    (("--finding", "9" * 30), 1, f"there is no finding {'9' * 30} in this case"),
    (("--since", "-1y"), 2, "--since: not a time: '-1y'. Write it as 2026-09-30, 2026-09-30T02:14:00Z, or -14d, -6h, -30m before "
                            "the newest event")])
def test_wrong_use(case: Path, words: tuple[str, ...], code: int, line: str) -> None:
    assert cli("events", case, *words) == (code, "", f"fimforensics: {line}\n")


def test_a_span_that_ends_before_it_begins_is_no_span(case: Path) -> None:
    code, out, err = cli("events", case, "--since", "-1h", "--until", "-2h")
    assert (code, out) == (2, "") and " is not before --until (" in err


def test_what_was_done_on_behalf_of_an_account_is_found_by_it(tmp_path: Path) -> None:
    found = made(tmp_path, [change("srv-1", "08:00", "C:\\a", account="CONTOSO\\ann", RequestAccountName="carol"),
                            change("srv-1", "09:00", "C:\\b", account="CONTOSO\\carol"),
                            change("srv-1", "10:00", "C:\\c", account="CONTOSO\\ann")], analyses=None)
    paths = [json.loads(line)["path"] for line in cli("events", found, "--account", "carol", "--json")[1].splitlines()]
    assert paths == ["C:\\a", "C:\\b"]


def test_a_rule_must_be_one(case: Path) -> None:
    code, out, err = cli("events", case, "--finding", "magic")
    assert (code, out) == (2, "") and err.startswith("fimforensics: there is no rule 'magic'. There are: ")
    rule = next(rule.name for analysis in ANALYSES for rule in analysis.rules)
    code, out, err = cli("events", case, "--finding", rule)
    assert (code, out) == (1, "") and "has not been run on this case. Run: fimforensics analyze CASE" in err


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("analysed"), ROWS, analyses=("versions",))


def shown(case: Path, minute: str) -> dict:
    """What `show` tells of the event of that minute."""
    (number,), = rows(case, "SELECT id FROM events WHERE substr(time, 12, 5) = ?", (minute,))
    return told("show", case, number)[0]


def version(number: int | None, since: str, until: str | None, **more: object) -> dict:
    whole = [None if text is None else f"2026-10-12T{text}:00.0000000Z" for text in (since, until)]
    return {"number": number, "since": whole[0], "until": whole[1], **more}


def brief(told: dict | None) -> dict | None:
    return None if told is None else {name: told[name] for name in ("number", "since", "until", "basis", "events")}


ONE_ = version(1, "08:00", "08:10", basis="hash", events=1)
TWO_ = version(2, "08:10", "08:30", basis="hash", events=2)
GONE = version(None, "08:30", None, basis="deleted", events=1)


@pytest.mark.parametrize(("minute", "role", "now", "before", "after", "differs", "first"), [
    ("08:00", "begins", ONE_, None, TWO_, None, "absent"), ("08:10", "begins", TWO_, ONE_, GONE, "yes", None),
    ("08:20", "within", TWO_, ONE_, GONE, "yes", None), ("08:30", "begins", GONE, TWO_, None, None, None)])
def test_the_place_in_the_chain(analysed: Path, minute, role, now, before, after, differs, first) -> None:
    place, = shown(analysed, minute)["chain"]
    assert (place["kind"], place["entity"], place["versions"]) == ("file", "srv-1:C:\\Web\\a.aspx", 2)
    assert (place["role"], place["differs"], place["content_before"]) == (role, differs, first)
    assert [brief(place[name]) for name in ("version", "before", "after")] == [now, before, after]
    hashes = {1: digest("one"), 2: digest("two"), None: None}
    assert place["version"]["hash"] == hashes[now["number"]]


def test_the_place_of_a_value(analysed: Path) -> None:
    place, = shown(analysed, "09:10")["chain"]
    assert (place["kind"], place["role"], place["versions"], place["differs"]) == ("registry value", "begins", 2, "yes")
    assert [place[name]["data"] for name in ("before", "version")] == ["a.exe", "b.exe"]


def test_the_chain_in_words(analysed: Path) -> None:
    number = shown(analysed, "08:20")["id"]
    out = cli("show", analysed, number)[1]
    one, two = (str(digest(word))[:16] for word in ("one", "two"))
    assert f"""\
It falls into version 2 of 2 of srv-1:C:\\Web\\a.aspx; it differs from the one before
          version  state    content                  from                     until
  before  1        present  {one} (hash)  2026-10-12T08:00:00.000  2026-10-12T08:10:00.000
  this    2        present  {two} (hash)  2026-10-12T08:10:00.000  2026-10-12T08:30:00.000
  after            absent   (deleted)                2026-10-12T08:30:00.000  the end
""" in out


def test_neighbours(case: Path) -> None:
    found = [(one["same"], one["where"], one["time"][11:16]) for one in shown(case, "08:20")["neighbours"]]
    assert found == [("file", "before", "08:10"), ("file", "after", "08:30"), ("process", "after", "08:30"),
                     ("host", "before", "08:10"), ("host", "after", "08:30")]
    assert [(one["same"], one["id"]) for one in shown(case, "10:00")["neighbours"]] == []


def test_neighbours_where_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a busy process not all events are put in order; what is told is the same."""
    many = made(tmp_path, [change("srv-1", f"08:{at:02}:00", f"C:\\{at % 3}") for at in range(40)], analyses=None)
    whole = [shown(many, f"08:{at:02}")["neighbours"] for at in range(40)]
    monkeypatch.setattr("fimforensics.queries.surroundings.MOST_SORTED", 5)
    assert [shown(many, f"08:{at:02}")["neighbours"] for at in range(40)] == whole
    assert [one["time"][14:16] for one in whole[20]] == ["17", "23", "19", "21", "19", "21"]


def test_what_was_never_analysed_says_so(case: Path) -> None:
    found = shown(case, "08:00")
    assert (found["chain"], found["findings"], found["stale"]) == (None, None, [])
    assert "Its versions are not known: run fimforensics analyze on the case.\n" in cli("show", case, found["id"])[1]


def test_findings_of_an_event(tmp_path: Path) -> None:
    path = "C:\\inetpub\\wwwroot\\shell.aspx"
    case = made(tmp_path, [change("srv-1", "08:00", path, "Created", "shell", by="C:\\Windows\\System32\\inetsrv\\w3wp.exe")])
    found = shown(case, "08:00")
    assert {tuple(one) for one in found["findings"]} == {("id", "rule", "severity", "sentence", "technique")}
    for one in found["findings"]:
        for named in (one["id"], one["rule"]):
            assert found["id"] in [row["id"] for row in told("events", case, "--finding", named)]
    assert f"({found['findings'][0]['rule']}, finding {found['findings'][0]['id']})" in cli("show", case, found["id"])[1]
    made(tmp_path, [change("srv-1", "08:00", path, "Created", "shell", by="C:\\Windows\\System32\\inetsrv\\w3wp.exe")],
         [change("srv-1", "09:00", "C:\\b")], analyses=None)
    assert shown(case, "08:00")["stale"] == [analysis.name for analysis in ANALYSES]
    code, _, err = cli("events", case, "--finding", found["findings"][0]["rule"])
    assert code == 0 and "is stale: the case has grown since" in err
