"""Commands that tell what was there at a time, and what differs between times, hosts and cases: state, diff."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from fimforensics.cli import common
from fimforensics.cli.common import CASE, JSON, NUMBER, PATH, opened
from fimforensics.errors import Misuse, Problem
from fimforensics.queries import diff as differences
from fimforensics.queries import freshness
from fimforensics.queries.entities import resolve
from fimforensics.queries.moments import moment, newest
from fimforensics.queries.reporting import END, Host, hosts, told
from fimforensics.queries.state import ABSENT, FILE, PRESENT, REGISTRY, UNKNOWN, State, states
from fimforensics.text import visible

SHOWN = 200  # rows printed for people unless told otherwise
LONGEST = 20_000  # bytes of a pattern
KINDS = {"file": FILE, "registry": REGISTRY}
TOUCHED = "unknown, with events"  # what is unknown, yet had events in between, is worth a look before the rest
ORDER = ("changed", "added", "gone", TOUCHED, "unknown", "same")
STATE_COLUMNS = ("host", "kind", "path", "state", "basis", "sha256", "sha1", "md5", "size", "data", "type", "since", "until",
                 "seen", "event", "how", "doubt")
DIFF_COLUMNS = ("class", "host", "kind", "path", "why", "reason", "changes", "events",
                *(f"{side}_{name}" for side in ("from", "to") for name in STATE_COLUMNS[3:]))
NARROWED = common.add_options([
    click.option("--path", metavar="TEXT", help="Part of a path, of a registry key and value name; with * or ? in it the whole."),
    click.option("--kind", type=click.Choice(list(KINDS)), help="Files or registry values only."),
    click.option("--limit", type=NUMBER, help=f"How many rows at the most; without --json and --csv {SHOWN}."),
    click.option("--csv", "as_csv", is_flag=True, help="Print CSV that is safe in a spreadsheet."), JSON,
])


@click.command()
@CASE
@click.option("--at", metavar="TIME", help="The time asked about. Without it: as each host was last heard of.")
@click.option("--host", help="One host only.")
@NARROWED
def state(case: Path, at: str | None, host: str | None, path: str | None, kind: str | None, limit: int | None, as_csv: bool,
          as_json: bool) -> None:
    """Tells what every known file and registry value held at a time, and how that is known.

    Unknown is what no event tells; a doubt says that the host was not reporting in between, so that it may have changed unseen.
    """
    common.not_both(as_csv, as_json)
    glob = _glob(path)
    with opened(case) as connection:
        _freshness(connection, case)
        time = moment(connection, at, "--at") if at else END
        found = chain.from_iterable(states(connection, one, time, kind and KINDS[kind], glob)
                                    for one in hosts(connection, _only(connection, host)))
        rows = (_told_state(one) for one in found)
        if as_json:
            common.show_json(islice(rows, limit))
        elif as_csv:
            common.show_csv(STATE_COLUMNS, (row.values() for row in islice(rows, limit)))
        else:
            _show_states(found, f"State of {visible(str(case))} {_at(time)}", limit or SHOWN)


def _told_state(one: State) -> dict[str, Any]:
    """A state with STATE_COLUMNS."""
    flat = vars(one) | vars(one.content)
    return {name: flat[name] for name in STATE_COLUMNS}


def _show_states(found: Iterable[State], title: str, limit: int) -> None:
    counts: Counter[str] = Counter()
    first: list[State] = []
    doubted = 0
    for one in found:
        counts[one.state] += 1
        doubted += one.doubt is not None
        if len(first) < limit:
            first.append(one)
    click.echo(f"{title}:")
    click.echo("  " + ", ".join(f"{counts[name]:,} {name}" for name in (PRESENT, ABSENT, UNKNOWN)) + (
        f"; {doubted:,} of them in doubt: the host was not reporting in between" if doubted else ""))
    for line in common.table(("host", "path", "content", "since", "event", "how that is known"),
                      [(one.host, one.path, _content(one), one.since and told(one.since), one.event,
                        one.how + (f"; {one.doubt}" if one.doubt else "")) for one in first], widest=110):
        click.echo(line)
    if counts.total() > limit:
        click.echo("… and more; --limit shows them, --json and --csv all", err=True)


@click.command()
@CASE
@click.option("--from", "since", metavar="TIME", help="What changed from this time on.")
@click.option("--to", "until", metavar="TIME", help="Up to this time; without it, up to the newest event.")
@click.option("--host", "names", multiple=True, help="Only this host; given twice, or with --against: compare the two.")
@click.option("--against", help="The host to compare with.")
@click.option("--case", "other", type=PATH, help="The case to compare with, host by host.")
@click.option("--at", metavar="TIME", help="With two hosts or cases: the time asked about. Without: as last heard of.")
@click.option("--all", "everything", is_flag=True, help="Also list what is the same.")
@click.option("--summary", is_flag=True, help="Only the counts.")
@NARROWED
def diff(case: Path, since: str | None, until: str | None, names: tuple[str, ...], against: str | None, other: Path | None,
         at: str | None, everything: bool, summary: bool, path: str | None, kind: str | None, limit: int | None, as_csv: bool,
         as_json: bool) -> None:
    """Tells what differs between two times, two hosts or two cases: changed, added, gone, same or unknown.

    Same is said only where both sides tell the same content, or no event was seen while the host was reporting. Where a file was
    never reported, has no hash, or its host was silent, the answer is unknown, with the reason. Added is what the first side is
    known not to have.
    """
    common.not_both(as_csv, as_json)
    pair = (*names, against) if against else names
    two_hosts = len(pair) == 2
    if (since is not None) + two_hosts + (other is not None) != 1 or len(pair) > 2 or (against and not names):
        raise Misuse("diff compares two times, two hosts or two cases",
                     hint="Say --from TIME [--to TIME], or --host A --against B, or --case OTHER")
    if (until is not None and since is None) or (at is not None and since is not None):
        raise Misuse("--to goes with --from, --at with two hosts or cases")
    narrow = (kind and KINDS[kind], _glob(path))
    with ExitStack() as stack:
        connection = stack.enter_context(opened(case))
        _freshness(connection, case)
        if since is not None:
            head, found = _times(connection, since, until, names, narrow)
        elif other is None:
            head, found = _hosts(connection, pair, at, narrow)
        else:
            there = stack.enter_context(opened(other))
            _freshness(there, other)
            head, found = _cases(connection, there, (str(case), str(other)), at, names, narrow)
        _show(str(case), head, found, everything, summary, limit, as_csv, as_json)


Narrow = tuple[str | None, str | None]
Found = tuple[dict[str, Any], Iterator[differences.Difference]]


def _times(connection: sqlite3.Connection, since: str, until: str | None, names: tuple[str, ...], narrow: Narrow) -> Found:
    begun = moment(connection, since, "--from")
    ended = moment(connection, until, "--to") if until else newest(connection)
    if ended is None:
        raise Problem("the case has no event")
    if ended < begun:
        raise Misuse("--to is before --from", hint="Name the earlier time first")
    only = hosts(connection, _only(connection, names[0] if names else None))
    return {"from": {"at": begun}, "to": {"at": ended}}, chain.from_iterable(
        differences.times(connection, host, begun, ended, *narrow) for host in only)


def _hosts(connection: sqlite3.Connection, names: tuple[str, ...], at: str | None, narrow: Narrow) -> Found:
    time = moment(connection, at, "--at") if at else END
    pair = [_one_host(connection, name) for name in names]
    head = {side: {"host": host.name, "at": at and time} for side, host in zip(("from", "to"), pair, strict=True)}
    one, other = (states(connection, host, time, *narrow) for host in pair)
    return head, differences.sides(one, other, pair[1].name, [f"on {host.name}" for host in pair], events=True)


def _cases(connection: sqlite3.Connection, there: sqlite3.Connection, cases: tuple[str, str], at: str | None,
           names: tuple[str, ...], narrow: Narrow) -> Found:
    time = moment(connection, at, "--at") if at else END
    only = _key(connection, there, names[0]) if names else None
    head = {side: {"case": name, "at": at and time} for side, name in zip(("from", "to"), cases, strict=True)}
    return head, differences.cases(connection, there, cases, time, only, *narrow)


def _key(connection: sqlite3.Connection, there: sqlite3.Connection, name: str) -> str:
    """The key of a host that either case knows."""
    try:
        return _one_host(connection, name).key
    except Problem:
        return _one_host(there, name).key


def _one_host(connection: sqlite3.Connection, name: str) -> Host:
    found = hosts(connection, _only(connection, name))
    if not found:
        raise Problem(f"the host {name} has no event in this case")
    return found[0]


def _only(connection: sqlite3.Connection, name: str | None) -> list[int] | None:
    return None if name is None else [resolve(connection, name, kinds=("host",)).id]


def _glob(text: str | None) -> str | None:
    if len((text or "").encode(errors="replace")) > LONGEST:
        raise Misuse(f"a text to look for is over {LONGEST:,} bytes", hint="Part of it is enough")
    return common.words(text)


def _freshness(connection: sqlite3.Connection, case: Path) -> None:
    """Warns of what is stale or lacking; Problem without versions."""
    told = freshness.need(connection, "versions")
    told += freshness.need(connection, "coverage") if "coverage" in freshness.states(connection) else [
        "the analysis 'coverage' never ran: silences between a host's events are not known; run: fimforensics analyze CASE"]
    for warning in told:
        click.echo(f"fimforensics: {visible(str(case))}: {warning}", err=True)


def _show(case: str, head: dict[str, Any], found: Iterable[differences.Difference], everything: bool, summary: bool,
          limit: int | None, as_csv: bool, as_json: bool) -> None:
    """Counts first, then rows class by class; what is to be printed waits on disk meanwhile, so that memory stays flat."""
    most = limit if limit is not None else None if as_json or as_csv else SHOWN
    with ExitStack() as stack:
        kept = {name: stack.enter_context(tempfile.SpooledTemporaryFile(1 << 20, "w+", encoding="utf-8", newline="\n"))
                for name in ORDER if not summary and (name != "same" or everything)}
        counts, whys, written = Counter[str](), Counter[str](), Counter[str]()
        for one in found:
            counts[one.verdict] += 1
            whys[one.why or "" if one.verdict != "same" else "again" if one.reason else ""] += 1
            name = TOUCHED if one.verdict == "unknown" and one.changes else one.verdict
            if name in kept and (most is None or written[name] < most):
                kept[name].write(common.json_line(_told(one)) + "\n")
            written[name] += 1
        lines = islice(_back(kept.values()), most)
        head |= {"counts": {name: counts[name] for name in differences.CLASSES}, "same_but_changed_between": whys.pop("again", 0),
                 "unknown": {why: number for why, number in sorted(whys.items()) if why}}
        if as_json:
            for line in chain([common.json_line(head) + "\n"], lines):
                click.echo(line, nl=False)
        elif as_csv:
            common.show_csv(DIFF_COLUMNS, (_flat(json.loads(line)) for line in lines))
        else:
            _print(case, head, [json.loads(line) for line in lines])
            if not summary and sum(written[name] for name in kept) > (most or 0):
                click.echo("… and more; --limit shows them, --json and --csv all", err=True)


def _back(kept: Iterable[Any]) -> Iterator[str]:
    for stream in kept:
        stream.seek(0)
        yield from stream


def _told(one: differences.Difference) -> dict[str, Any]:
    """A difference for JSON; a side is null where nothing is known of it there."""
    sides = {name: side and dict(islice(_told_state(side).items(), 3, None))  # without host, kind, path
             for name, side in (("from", one.before), ("to", one.after))}
    return {"class": one.verdict, "host": one.host, "kind": one.kind, "path": one.path, **sides, "why": one.why,
            "reason": one.reason, "changes": one.changes, "events": list(one.events)}


def _flat(row: dict) -> list[object]:
    sides = [(row[side] or {}).get(name) for side in ("from", "to") for name in STATE_COLUMNS[3:]]
    return [*(row[name] for name in DIFF_COLUMNS[:7]), " ".join(map(str, row["events"])), *sides]


def _print(case: str, head: dict[str, Any], rows: list[dict]) -> None:
    one, other = head["from"], head["to"]
    if "host" in one or "case" in one:
        name = "host" if "host" in one else "case"
        title = f"From {visible(one[name])} to {visible(other[name])}, {_at(one['at'] or END)}"
    else:
        title = f"{visible(case)} from {told(one['at'])} to {told(other['at'])}"
    again = head["same_but_changed_between"]
    click.echo(f"{title}:")
    click.echo("  " + ", ".join(f"{number:,} {name}" for name, number in head["counts"].items())
               + (f" ({again:,} of them changed in between)" if again else ""))
    if head["unknown"]:
        click.echo("  unknown because: " + ", ".join(f"{why} {number:,}" for why, number in head["unknown"].items()))
    if rows:
        cells = [(row["class"], row["host"], row["path"], _side(row["from"]), _side(row["to"]),
                  " ".join(map(str, row["events"][:3])) + (" …" if row["changes"] > 3 else ""),
                  row["reason"] or (row["to"] or {}).get("how")) for row in rows]
        for line in common.table(("", "host", "path", "from", "to", "events", "why"), cells, widest=110):
            click.echo(line)


def _at(time: str) -> str:
    return "as each host was last heard of" if time == END else f"at {told(time)}"


def _content(one: State) -> str:
    return _side(_told_state(one))


def _side(one: dict | None) -> str:
    """A side in one short cell."""
    if one is None or one["state"] == UNKNOWN:
        return "?"
    if one["state"] == ABSENT:
        return "absent"
    for name in ("sha256", "sha1", "md5"):
        if one[name]:
            return one[name][:16]
    if one["data"] is not None:
        return one["data"] if len(one["data"]) <= 40 else one["data"][:39] + "…"
    return common.counted(one["size"], "byte") if one["size"] is not None else "content unknown"


COMMANDS = (state, diff)
