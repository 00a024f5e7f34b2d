"""metadata.yml says something of everything, and every question it offers has an answer."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Browser, add_event, add_source, empty_case, insert, opened  # type: ignore[import-not-found]

from fimforensics import schema
from fimforensics.site.questions import SHOWN
from fimforensics.site.settings import site_folder
from fimforensics.site.tables import GROUPINGS, OPENING, foreign_keys

TOLD: dict[str, Any] = yaml.safe_load((site_folder() / "metadata.yml").read_text(encoding="utf-8"))
CASE = TOLD["databases"]["case"]
LABELS = {
    "hosts": "name",
    "changes": "change",
    "files": "path",
    "registry_values": "path",
    "contents": "sha256",
    "processes": "name",
    "accounts": "name",
    "paths": "path",
    "requests": "ip",
    "snapshots": "source",
}
HIDDEN = {"event_keys", "leaves", "originals", "member_cache", "unsettled", "relabelled", "digest_salt",
          "part_statement", "part_proof", "part_records"}


def columns() -> dict[str, list[str]]:
    """Every table and view of a case (full-text tables left out) with its columns in order."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema.ddl())
    names = [
        name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
    ]
    found = {
        name: [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
        for name in names
        if "_fts" not in name and not name.startswith("sqlite_")
    }
    connection.close()
    return found


def test_every_table_and_view_is_described_and_no_other() -> None:
    assert sorted(CASE["tables"]) == sorted(columns())
    assert {name: sorted(table["columns"]) for name, table in CASE["tables"].items()} == {
        name: sorted(found) for name, found in columns().items()
    }
    short = [
        f"{name}.{column}"
        for name, table in CASE["tables"].items()
        for column, told in {**table["columns"], "description": table["description"]}.items()
        if len(told) < 8 or not told.endswith(".")
    ]
    assert short == []
    assert [name for name, table in CASE["tables"].items() if not table.get("title") or not table.get("about")] == []


def test_labels_sorts_units_and_groupings_name_columns() -> None:
    known = columns()
    assert {name: table["label_column"] for name, table in CASE["tables"].items() if name in LABELS} == LABELS
    for name, table in CASE["tables"].items():
        named = {table.get("label_column"), table.get("sort"), *table.get("sortable_columns", []), *table.get("units", {})} - {
            None
        }
        assert named <= set(known[name]), name
        if "sort" in table:
            assert table["sort"] in table["sortable_columns"], name
    for chosen in (OPENING, GROUPINGS):
        assert {name: set(found) - set(known[name]) for name, found in chosen.items()} == {name: set() for name in chosen}
    assert CASE["tables"]["events"]["sort"] == "time" and len(OPENING["events"]) + 1 == 10
    assert {name for name, table in CASE["tables"].items() if table.get("hidden")} == HIDDEN


def test_foreign_keys_are_known() -> None:
    assert foreign_keys()["events", "host_id"] == "hosts"
    assert set(foreign_keys().values()) <= set(columns())


def moved(path: Path) -> Path:
    """A case that has something to say to each question."""
    connection = sqlite3.connect(empty_case(path))
    at = add_source(connection, "export.jsonl")
    things = [
        ("C:\\Windows\\System32\\drivers\\etc\\hosts", "2026-05-01", False),
        ("the same file again", "2026-05-20", False),
        ("C:\\Windows\\System32\\drivers\\evil.sys", "2026-05-03", False),
        ("/etc/cron.d/x", "2026-05-04", False),
        ("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\KnownDLLs", "2026-05-15", True),
        ("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Evil", "2026-05-16", True),
        ("HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run", "2026-05-17", True),
    ]
    for word, day, registry in things:
        add_event(connection, word, f"{day}T10:00:00.1234567Z", at, registry)
    connection.execute("UPDATE events SET file_id = 1, host_id = 1 WHERE id = 2")
    connection.execute("UPDATE event_counts SET host_id = 1 WHERE host_id = 2")
    odd = add_event(connection, "never", "9999-12-31T23:59:59.9999999Z", at)
    connection.execute("UPDATE case_info SET events_end = ?", (odd + 1,))
    unfinished = add_source(connection, "second.jsonl", "unfinished")
    add_event(connection, "nobody's", "2026-05-21T10:00:00.0000000Z", unfinished)
    connection.execute("DELETE FROM event_counts WHERE day = '2026-05-21'")
    insert(connection, "rejects", snapshot_id=1, member_id=1, reason="not a time")
    connection.commit()
    connection.close()
    return path


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return next(opened(moved(tmp_path_factory.mktemp("questions") / "case.db")))


# rows that each question must find in that case; 14 and 7 days end with 20 May
EXPECTED = {
    "changes_by_machine_and_type": 5,
    "registry_changes": 3,
    "one_machine": 3,
    "totals_of_the_last_7_days": 1,
    "changes_per_machine": 5,
    "hosts_file_content": 2,
    "drivers_folder": 3,
    "known_dlls": 1,
    "services": 1,
    "autostart": 2,
    "latest_state": 2,
    "who_changed_most": 8,
    "where_else": 1,
    "last_seen": 6,
}


def test_every_question_is_tried() -> None:
    assert list(EXPECTED) == list(CASE["queries"])
    assert [name for name, query in CASE["queries"].items() if not query["title"] or not query["description"].endswith(".")] == []


@pytest.mark.parametrize("name", EXPECTED)
def test_questions(questions: Browser, name: str) -> None:
    rows = questions.get("/case/contents.json?_shape=array&_sort=id").json()
    digest = rows[3]["sha256"]
    answer = questions.get(
        f"/case/{name}.json", params={"host": "c:\\windows", "hash": f" {digest.upper()} ", "_shape": "objects"}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()["rows"]
    assert len(found) == EXPECTED[name], found
    assert "nobody's" not in answer.text
    page = questions.get(f"/case/{name}", params={"host": "", "hash": ""})
    assert page.status_code == 200 and CASE["queries"][name]["title"].replace("'", "&#39;") in page.text


def test_totals_count_to_the_hour(questions: Browser) -> None:
    found = questions.get("/case/totals_of_the_last_7_days.json?_shape=objects").json()["rows"]
    assert found == [{"events": 5, "files": 2, "registry_values": 3, "hosts": 5}]


def test_hosts_file_tells_both_contents(questions: Browser) -> None:
    found = questions.get("/case/hosts_file_content.json?_shape=objects").json()["rows"]
    first = questions.get("/case/contents/1.json?_shape=objects").json()["rows"][0]["sha256"]
    assert [(row["time"][:10], row["former_hash"]) for row in found] == [("2026-05-01", None), ("2026-05-20", first)]


def test_descriptions_are_shown(questions: Browser) -> None:
    page = questions.get("/case/files").text
    assert "What the columns mean" in page and re.search(r"<code>key</code></dt><dd>The path in the one spelling", page)


def test_a_question_waits_for_what_it_needs(questions: Browser) -> None:
    waiting = [name for name, query in CASE["queries"].items() if query.get("needs")]
    assert waiting == ["one_machine", "latest_state", "where_else"]
    for name in waiting:
        page = questions.get(f"/case/{name}").text
        assert "Nothing is asked yet: give" in page and "0 rows" not in page and "<table" not in page
        assert set(CASE["queries"][name]["needs"]) <= set(CASE["queries"][name]["params"])
    assert "Nothing is asked yet" not in questions.get("/case/latest_state?host=nobody").text


def test_no_question_is_cut_without_a_word() -> None:
    for name, query in CASE["queries"].items():
        limits = re.findall(r"LIMIT (\d+)\s*\Z", query["sql"])
        assert limits in ([], [str(SHOWN + 1)]), name


def test_descriptions_are_plain_text() -> None:
    told = [text for table in CASE["tables"].values() for text in (table["description"], *table["columns"].values())]
    assert [text for text in [*told, *(query["description"] for query in CASE["queries"].values())] if "`" in text] == []


@pytest.mark.parametrize("name", ["registry_changes", "one_machine", "services", "autostart", "known_dlls"])
def test_questions_quote_keys_and_values_as_recorded(tmp_path: Path, name: str) -> None:
    path = empty_case(tmp_path / "case.db")
    connection = sqlite3.connect(path)
    at = add_source(connection, "export.jsonl")
    keys = {
        "services": "SYSTEM\\CurrentControlSet\\Services\\Evil",
        "known_dlls": "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\KnownDLLs",
    }
    key = "HKEY_LOCAL_MACHINE\\" + keys.get(name, "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run")
    add_event(connection, key, "2026-05-17T10:00:00.0000000Z", at, True)
    connection.execute("UPDATE registry_values SET path = path || '\\UpDater', key = lower(key), name = 'updater'")
    connection.execute("UPDATE registry_reports SET new_name = 'UpDater'")
    connection.execute("UPDATE hosts SET name = 'Web-01'")
    connection.execute("UPDATE case_info SET events_end = 2")
    connection.commit()
    connection.close()
    found = next(opened(path)).get(f"/case/{name}.json?_shape=objects&host=web-01").json()["rows"]
    assert [(row.get("key", row.get("path")), row["value"]) for row in found] == [(key, "UpDater")]
