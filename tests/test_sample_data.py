"""The sample data is what its generator makes, is small, and holds what its answers say, counted here a second time.

The count uses the standard library only and knows nothing of how the generator or the program reads these shapes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from fimforensics.model import COLUMNS

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data"
SHAPES = ("portal/query_data.csv", "rest/answer.json", "export", "az/full.json.gz")
LIVE = [name for name in COLUMNS if not name.startswith("_")]
MATCH = """TimeGenerated AzureResourceId Computer MonitoredEntityType ChangeType FileName FilePath OriginalFileName
OriginalFilePath FileSha256 FileSha1 FileMd5 FileSize RegistryKey NewValueName NewValueType NewValueData OldValueName OldValueType
OldValueData OldValueFullRegistryKey InitiatingProcessId InitiatingProcessCreationTime InitiatingProcessImageFilePath
InitiatingProcessAccountSid InitiatingProcessAccountDomainName InitiatingProcessAccountName RequestAccountSid
RequestAccountDomain RequestAccountName RequestSource RequestSourceIP RequestSourcePort""".split()


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts}


def _made(folder: Path, **environment: str) -> dict[str, bytes]:
    command = [sys.executable, "-B", str(SAMPLE / "make_sample_data.py"), str(folder)]
    subprocess.run(command, check=True, env={**os.environ, **environment}, cwd=folder.parent)
    return _files(folder)


def _iso(text: str) -> str:
    """The portal's US time as ISO text with three digits."""
    if not text:
        return ""
    day, clock, half = text.replace(",", "").split(" ")
    return datetime.strptime(f"{day} {clock}000 {half}", "%m/%d/%Y %I:%M:%S.%f %p").isoformat(timespec="milliseconds")


def _key(row: dict[str, object], none: str = "") -> tuple[str, ...]:
    values = ("" if row.get(name) in (None, none) else str(row[name]) for name in LIVE)
    return tuple(value[:23] if COLUMNS[name] == "datetime" else value for name, value in zip(LIVE, values, strict=True))


def _portal() -> list[tuple[str, ...]]:
    text = (SAMPLE / SHAPES[0]).read_bytes().decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == [f"{name} [UTC]" if COLUMNS[name] == "datetime" else name for name in LIVE]
    return [tuple(_iso(value) if COLUMNS[name] == "datetime" else value for name, value in zip(LIVE, row, strict=True))
            for row in rows]


def _rest() -> list[dict[str, object]]:
    (table,) = json.loads((SAMPLE / SHAPES[1]).read_bytes())["tables"]
    assert {column["name"]: column["type"] for column in table["columns"]} == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in table["rows"]]


def _export() -> list[dict[str, object]]:
    return [json.loads(line) for path in sorted((SAMPLE / "export").rglob("*.json")) for line in path.read_bytes().splitlines()]


def _az() -> list[dict[str, object]]:
    return list(json.loads(gzip.decompress((SAMPLE / SHAPES[3]).read_bytes())))


@pytest.fixture(scope="module")
def answers() -> dict:
    return json.loads((SAMPLE / "answers.json").read_bytes())


@pytest.fixture(scope="module")
def counted() -> dict[str, Counter]:
    once = {str(record["_ItemId"]): record for record in _export()}
    return {SHAPES[0]: Counter(_portal()), SHAPES[1]: Counter(map(_key, _rest())),
            SHAPES[2]: Counter(map(_key, once.values())), SHAPES[3]: Counter(_key(row, "None") for row in _az())}


@pytest.fixture(scope="module")
def union(counted: dict[str, Counter]) -> Counter:
    keys = {key for counts in counted.values() for key in counts}
    return Counter({key: max(counts.get(key, 0) for counts in counted.values()) for key in keys})


@pytest.fixture(scope="module")
def events(union: Counter) -> list[dict[str, str]]:
    return [dict(zip(LIVE, key, strict=True)) for key in sorted(union, key=lambda key: key[1]) for _ in range(union[key])]


def test_made_again_it_is_the_same(tmp_path: Path) -> None:
    first = _made(tmp_path / "first", PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C")
    assert first == _made(tmp_path / "second", PYTHONHASHSEED="2", TZ="America/Lima", PYTHONUTF8="1")
    kept = {path: data for path, data in _files(SAMPLE).items()
            if not path.endswith((".py", ".md")) and path != ".gitattributes"}
    plain = [{path: gzip.decompress(data) if path.endswith(".gz") else data for path, data in made.items()}
             for made in (first, kept)]  # another build of zlib may pack the same content into other bytes
    assert plain[0] == plain[1]
    assert first[SHAPES[3]][:8] == kept[SHAPES[3]][:8] == b"\x1f\x8b\x08" + bytes(5)  # no file name, no time


def test_it_is_small() -> None:
    files = _files(SAMPLE)
    assert sum(map(len, files.values())) <= 1_000_000
    assert sum(path.startswith("export/") for path in files) <= 40
    assert max(map(len, files)) <= 200  # below the limit of 260 for a whole path that some systems have


def test_no_two_events_differ_only_where_a_shape_or_the_match_key_loses_it(union: Counter) -> None:
    full = {tuple(sorted(row.items())) for row in _az()}
    assert len(full) == len({_key(row, "None") for row in _az()})
    assert len(union) == len({tuple(key[LIVE.index(name)] for name in MATCH) for key in union})


def test_events_and_sources(answers: dict, counted: dict[str, Counter], union: Counter) -> None:
    assert (answers["events"], answers["distinct_events"]) == (union.total(), len(union))
    assert answers["rows_equal_to_another"] == sum(count for count in union.values() if count > 1)
    assert 0.02 <= answers["rows_equal_to_another"] / answers["events"] <= 0.04
    for name in SHAPES:
        others = {key: max(counted[other][key] for other in SHAPES if other != name) for key in union}
        told = answers["sources"][name]
        assert told["events"] == counted[name].total()
        assert told["only_here"] == sum(max(0, count - others[key]) for key, count in counted[name].items())
        times = [key[LIVE.index("TimeGenerated")] for key in counted[name]]
        assert [told["first"][:23], told["last"][:23]] == [min(times), max(times)]
    records = {SHAPES[0]: len(_portal()), SHAPES[1]: len(_rest()), SHAPES[2]: len(_export()), SHAPES[3]: len(_az())}
    assert records == {name: answers["sources"][name]["records"] for name in SHAPES}
    assert records["export"] == counted["export"].total() + 1  # one line was delivered twice
    assert all(max(counts.values()) > 1 for counts in counted.values())  # equal rows stand in every source
    assert all({counts[key] for counts in counted.values() if key in counts} == {count} for key, count in union.items())


def test_hosts_kinds_and_silence(answers: dict, events: list[dict[str, str]]) -> None:
    assert answers["hosts"] == Counter(event["Computer"] for event in events)
    assert len(answers["hosts"]) == 12
    assert answers["kinds"] == Counter(f"{event['MonitoredEntityType']} {event['ChangeType']}" for event in events)
    assert [answers["first"][:23], answers["last"][:23]] == [events[0]["TimeGenerated"], events[-1]["TimeGenerated"]]
    assert {event["Computer"] for event in events if not event["InitiatingProcessName"]} == {answers["agentless_host"]}
    assert all(not event["InitiatingProcessId"] for event in events if event["Computer"] == answers["agentless_host"])
    gaps = []
    for host in answers["hosts"]:
        times = [event["TimeGenerated"] for event in events if event["Computer"] == host]
        gaps += [(datetime.fromisoformat(b) - datetime.fromisoformat(a), host, a, b) for a, b in pairwise(times)]
    longest, second = sorted(gaps, reverse=True)[:2]
    silent = answers["silent"]
    assert longest[1:] == (silent["host"], silent["last_before"][:23], silent["first_after"][:23])
    assert longest[0] > timedelta(days=2) > timedelta(days=1, hours=8) > second[0]


def test_the_incident(answers: dict, events: list[dict[str, str]]) -> None:
    told = answers["incident"]
    sshd = [event for event in events if event["FilePath"] + event["FileName"] == "/usr/sbin/sshd"]
    bad = [event for event in sshd if event["FileSha256"] == told["trojan_sha256"]]
    assert [[event["Computer"], event["TimeGenerated"]] for event in bad] == _places(told["trojan_hosts"])
    assert [event["Computer"] for event in bad] == ["web01", "i-0b7e41c9d2f3a8650", "bld01"]
    first, last = (datetime.fromisoformat(bad[at]["TimeGenerated"]) for at in (0, -1))
    assert last - first < timedelta(minutes=31)
    assert {event["InitProcImageSha256"] for event in bad} == {told["helper_sha256"]}
    written = [event for event in events if event["FileSha256"] == told["helper_sha256"]]
    assert [[event["Computer"], event["TimeGenerated"]] for event in written] == _places(told["helper_written"])
    assert written[0]["InitiatingProcessAccountName"] == "www-data" and bad[0]["InitiatingProcessAccountName"] == "root"
    chain = [event["FileSha256"] for event in sshd if event["Computer"] == "i-0b7e41c9d2f3a8650" and event["FileSha256"]]
    assert chain[-3:] == [told["original_sha256"], told["trojan_sha256"], told["original_sha256"]]
    assert sshd[-1]["TimeGenerated"] == told["put_back"][0]["time"][:23]
    gone = [event["FilePath"] + event["FileName"] for event in events
            if event["ChangeType"] == "Deleted" and event["FilePath"] == "/var/log/"]
    assert gone == [entry["path"] for entry in told["logs_deleted"]]
    wrote = Counter(event["Computer"] for event in events if event["InitProcImageSha256"] == told["trojan_sha256"])
    assert wrote == told["false_sshd_wrote"]


def test_the_run_value(answers: dict, events: list[dict[str, str]]) -> None:
    told, program = answers["incident"]["run_value"], answers["incident"]["run_program"]
    value = [event for event in events if told["name"] in (event["NewValueName"], event["OldValueName"])]
    assert [(event["Computer"], event["TimeGenerated"], event["ChangeType"]) for event in value] == [
        ("fs01", told["set"][:23], "RegistryValueSet"), ("fs01", told["removed"][:23], "RegistryValueDeleted")]
    assert value[0]["NewValueData"] == value[1]["OldValueData"] == told["data"]
    assert value[0]["InitProcImageSha256"] == program["sha256"]
    (dropped,) = [event for event in events if event["FileSha256"] == program["sha256"]]
    assert (dropped["RequestSource"], dropped["RequestSourceIP"]) == ("SMB", "10.20.3.14")


def test_traps_of_the_shapes_are_there() -> None:
    raw = (SAMPLE / SHAPES[0]).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfTenantId,") and raw.endswith(b"\r\n")
    assert b'"reports\nscans\ndrop"' in raw and '"Übersicht, week 40.xlsx"'.encode() in raw
    assert any(row[LIVE.index("TimeGenerated")][8:10] > "12" for row in _portal())  # proves month before day
    assert {row["InitiatingProcessId"] for row in _az() if row["Computer"] == "db01"} == {"None"}
    assert sum(path.name == "PT05M_1.json" for path in (SAMPLE / "export").rglob("*.json")) == 1
    assert not any(value in ("", None) for record in _export() for value in record.values())


def _places(told: list[dict[str, str]]) -> list[list[str]]:
    return [[entry["host"], entry["time"][:23]] for entry in told]
