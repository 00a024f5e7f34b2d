"""Every fact that a second program found in the recordings is given by a command of the product, as it prints it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.recorded import DATASETS, UAC, told


def summary(case: Path, section: str, *more: object) -> list[dict]:
    """The rows of one section of the summary."""
    rows = told("summary", case, "--only", section, *more, "--json")
    assert all(row.pop("section") == section for row in rows)
    return rows


def event(case: Path, *filters: object) -> dict:
    """The first event that fits."""
    return told("events", case, *filters, "--limit", 1, "--json")[0]


def milliseconds(time: str) -> str:
    """A time as the facts have it; the recordings have no finer ones."""
    assert time[23:] == "0000Z"
    return time[:23] + "Z"


def of(found: dict, *names: str) -> list:
    """These cells of an event."""
    return [milliseconds(found[name]) if name == "time" else found[name] for name in names]


def created_then_deleted(case: Path) -> int:
    return {row["fate"]: row["files"] for row in summary(case, "fates")}["created and later deleted"]


def user_sid(case: Path) -> str:
    found = re.search(r"S-1-5-21-[0-9-]+", event(case, "--path", "*CurrentVersion\\Run\\Updater")["path"])
    assert found is not None
    return found[0]


def purple_cache(case: Path) -> list:
    time, account, path = of(event(case, "--process", "PurpleSharp.exe", "--change", "Deleted"), "time", "account", "path")
    return [time, account.rpartition("\\")[2], path]


COMMANDS: dict[str, Callable[[Path], object]] = {
    "rows": lambda case: told("info", case, "--json")[0]["events"],
    "first": lambda case: milliseconds(told("info", case, "--json")[0]["first"]),
    "last": lambda case: milliseconds(told("info", case, "--json")[0]["last"]),
    "hosts": lambda case: told("info", case, "--json")[0]["hosts"],
    "change_by_host": lambda case: {f"{row['host']}|{row['change']}": row["events"] for row in summary(case, "changes")},
    "top_process": lambda case: next(list(row.values())[:2] for row in summary(case, "processes", "--limit", 1)),
    "distinct_files": lambda case: {row["kind"]: row["things"] for row in summary(case, "totals")}["file"],
    "created_then_deleted": created_then_deleted,
    "run_value": lambda case: of(event(case, "--path", "*CurrentVersion\\Run\\Updater"), "time", "computer", "process", "data"),
    "staged_script": lambda case: of(event(case, "--path", "*Windows\\CurrentVersion\\Debug"), "time", "process", "data"),
    "run_sid": user_sid,
    "delegate": lambda case: of(event(case, "--path", "*ms-settings*\\DelegateExecute"), "time", "computer", "process"),
    "default_cmd": lambda case: of(event(case, "--path", "*ms-settings\\Shell\\Open\\command\\(Default)"), "time", "data"),
    "cleanup": lambda case: len(told("events", case, "--change", "RegistryKeyDeleted", "--path", "ms-settings", "--json")),
    "webshell": lambda case: of(event(case, "--path", "*.aspx"), "time", "computer", "process", "path"),
    "purple_cache": purple_cache,
    "user_agent": lambda case: len(told("events", case, "--process", "powershell.exe", "--path", "*\\User Agent", "--json")),
}


@pytest.mark.parametrize(
    ("dataset", "names"),
    [*((name, (f"{name}.ndjson.gz",)) for name in DATASETS), (DATASETS[0], UAC)],
    ids=[*DATASETS, f"{DATASETS[0]} in six shapes"],
)
def test_every_fact_is_given_by_a_command(shelf, recordings, dataset, names) -> None:
    facts = [fact for fact in json.loads((recordings / "answers.json").read_text("utf-8")) if fact["dataset"] == dataset]
    case = shelf.case(*names)
    assert len(facts) >= 9
    assert {fact["id"]: COMMANDS[fact["id"].partition("/")[2]](case) for fact in facts} == {
        fact["id"]: fact["answer"] for fact in facts}


def test_every_command_gives_a_fact(recordings) -> None:
    facts = json.loads((recordings / "answers.json").read_text("utf-8"))
    assert {fact["id"].partition("/")[2] for fact in facts} == set(COMMANDS)
    assert {fact["dataset"] for fact in facts} == set(DATASETS)
