"""The command `history`: every version of a file or registry value, or every file that had a content."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from fimforensics.cli.common import CASE, CSV, JSON, NUMBER, counted, not_both, opened, show_csv, show_json, table, words
from fimforensics.queries import entities, freshness
from fimforensics.queries import history as histories
from fimforensics.queries.history import History
from fimforensics.text import visible

SHOWN = 100  # versions that are printed for people unless told otherwise
DATA = 40  # letters of registry data that a line shows
FIGURES = 16  # of a hash


@click.command()
@CASE
@click.argument("entity")
@click.option("--limit", type=NUMBER, help=f"How many at the most; without --json and --csv {SHOWN}.")
@click.option("--newest", is_flag=True, help="Where there are more, show the last ones instead of the first.")
@CSV
@JSON
def history(case: Path, entity: str, limit: int | None, newest: bool, as_csv: bool, as_json: bool) -> None:
    """Tells every version of a file or registry value: since when, until when, by whom, and what is not known.

    ENTITY is a file (SRV-1:C:\\Windows\\x.dll), a registry value (SRV-1:HKLM\\...\\Run\\Updater), the number of an event that
    happened to one, or the beginning of a content's hash: then it lists every file that had this content.
    """
    not_both(as_csv, as_json)
    with opened(case) as connection:
        marks = [analysis for analysis in freshness.states(connection) if analysis == "reversions"]  # only marked when present
        for line in freshness.need(connection, "versions", *marks):
            click.echo(f"fimforensics: {line}", err=True)
        named = entities.resolve(connection, words(entity) or "", histories.KINDS)
        most = limit if limit is not None or as_json or as_csv else SHOWN
        found = histories.history(connection, named, most, newest)
    if as_json:
        show_json(_object(found, version) for version in found.versions)
    elif as_csv:
        columns = list(_object(found, found.versions[0])) if found.versions else ["entity"]
        show_csv(columns, ([_csv(cell) for cell in _object(found, version).values()] for version in found.versions))
    else:
        for line in _lines(found, newest):
            click.echo(line)


def _object(found: History, version: dict) -> dict:
    """A version as JSON has it, with what stands on it told in full."""
    told = {"kind": found.entity.kind, "entity": found.entity.name, **version}
    if found.entity.kind != "content":
        told["reversions"] = [one for one in found.reversions if one["id"] in version["reversions"]]
        told["findings"] = [one for one in found.findings if one["id"] in version["findings"]]
    return told


def _csv(cell: object) -> object:
    return "; ".join(one["sentence"] for one in cell) if isinstance(cell, list) else cell


def _lines(found: History, newest: bool) -> Iterator[str]:
    whose = found.entity
    if whose.kind == "content":
        yield f"content {visible(whose.name)}: {counted(found.in_all, 'file')} had it"
        rows = [_holder(row) for row in found.versions]
        head: tuple[str, ...] = ("since (UTC)", "until", "host", "path", "versions", "change", "process", "account")
    else:
        yield f"{whose.kind} {visible(whose.name)}: {counted(found.in_all, 'version')}"
        rows = [_version(found, row) for row in found.versions]
        head = ("since (UTC)", "until", "content" if whose.kind == "file" else "data", "change", "process", "account")
    if not found.versions:
        yield "  no event of this case tells of one"
        return
    more = found.in_all - len(found.versions)
    if more and newest:
        yield f"… {more:,} before these (see --limit)"
    title, *lines = table(head, rows, widest=64)
    yield title
    for line, row in zip(lines, found.versions, strict=True):
        yield line
        if whose.kind != "content" and (notes := "; ".join(_notes(found, row))):
            yield "    " + visible(notes)
    if more and not newest:
        yield f"… and {more:,} more (see --limit, --newest)"
    for one in found.reversions:
        yield f"reversion ({visible(one['class'])}): {visible(one['sentence'])}"
    for one in found.findings:
        yield f"finding {one['id']} ({visible(one['severity'])}, {visible(one['rule'])}): {visible(one['sentence'])}"


def _holder(row: dict) -> tuple:
    change = row["change"] if row["versions"] else "seen only when it was deleted"
    since = _time(row["since"]) if row["since"] else "unknown"
    return since, _until(row), row["host"], row["path"], row["versions"], change, _process(row), row["account"]


def _version(found: History, row: dict) -> tuple:
    since = _time(row["since"]) if row["since"] else "unknown"
    what = _data(row) if found.entity.kind == "registry value" else _content(row)
    return since, _until(row), what, row["change"], _process(row), row["account"]


def _time(time: str) -> str:
    return time[:19].replace("T", " ") + ("" if time[20:27].strip("0") == "" else "." + time[20:23])


def _until(row: dict) -> str:
    return _time(row["until"]) if row["until"] else "still so"


def _process(row: dict) -> str:
    return "" if row["process"] is None else row["process"] + ("" if row["pid"] is None else f"[{row['pid']}]")


def _content(row: dict) -> str:
    size = "" if row["size"] is None else f", {counted(row['size'], 'byte')}"
    if row["state"] == "absent":
        return "gone (moved away)" if row["basis"] == "moved away" else "gone (deleted)"
    for kind, sign in (("sha256", ""), ("sha1", "SHA-1 "), ("md5", "MD5 ")):
        if row[kind]:
            return f"{sign}{row[kind][:FIGURES]}{size}"
    return ("created" if row["change"] == "Created" else "changed" if row["change"] == "Modified" else "there") + (
        f", content unknown{size}")


def _data(row: dict) -> str:
    if row["state"] == "absent":
        return "gone (its key was deleted)" if row["basis"] == "key deleted" else f"gone ({row['basis']})"
    if row["data"] is None:
        return "there (no data told)" if (row["change"] or "").startswith("RegistryKey") else "set, data unknown"
    text = "(empty)" if row["data"] == "" else visible(row["data"])
    kind = f" ({visible(row['type'])})" if row["type"] else ""
    return (text if len(text) <= DATA else text[:DATA - 1] + "…") + kind


def _notes(found: History, row: dict) -> Iterator[str]:
    """What the columns cannot tell, in words that are not visible() yet."""
    word = "content" if found.entity.kind == "file" else "data"
    if row["since"] is None:
        yield "since when is unknown"
    elif row["first"] and row["before"] != "absent":
        yield f"{word} before unknown"
    if row["first"] and row["before"] == "absent":
        yield "not there before"
    if row["came_from"]:
        yield f"renamed from {_short(row['came_from'])}" + (", over what was here" if row["over"] else "")
    if row["went_to"]:
        yield f"went to {_short(row['went_to'])}"
    if row["basis"] == "inferred from old value" and row["begun_by"] is None:
        yield "told by the next event as the old data" + ("; set unseen in this time" if row["since"] else "")
    if row["here"] == "same":
        yield f"the same {word} as was here before"
    if row["here"] == "unknown" and row["change"]:
        yield f"whether the {word} changed is unknown"
    if row["state"] == "absent" and row["until"] and row["since"]:
        yield "gap of " + _span(row["since"], row["until"])
    if row.get("deleted_hash"):
        yield f"deleted with content {row['deleted_hash'][:FIGURES]}"
    if row["until"] and row["ended_by"] is None:
        yield "changed unseen after this"
    if row["events"] > 1:
        yield f"{row['events']:,} events, the last {_time(row['last_seen'])}"
    for one in found.reversions:
        if row["begun_by"] == one["back_by"]:
            yield f"reversion: {one['class']}"
    yield from (f"finding {number}" for number in row["findings"])


def _short(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:24]}…{path[-55:]}"


def _span(since: str, until: str) -> str:
    """How long, in its largest unit: `26 hours`, `90 minutes`."""
    seconds = (datetime.fromisoformat(until[:19]) - datetime.fromisoformat(since[:19])).total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return counted(int(seconds // size), unit)
    return counted(int(seconds), "second") if seconds >= 1 else "less than a second"


COMMANDS = (history,)
