"""What differs between two times, two hosts, or this case and another that is served: counts, reasons, the first rows.

A large case is compared in part, which the page says, with the command that compares all of it.
"""

from __future__ import annotations

import shlex
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

from fimforensics.errors import Misuse, Problem
from fimforensics.queries import compare, entities, freshness, reporting
from fimforensics.queries.compare import Compared
from fimforensics.queries.diff import Difference
from fimforensics.queries.moments import moment, newest
from fimforensics.queries.reporting import END, Host, told
from fimforensics.queries.state import ABSENT, FILE, REGISTRY, UNKNOWN, State
from fimforensics.site.beside import opened
from fimforensics.site.twins import Asked
from fimforensics.text import storable

KINDS = {"": None, "file": FILE, "registry": REGISTRY}
OFFERED = 300  # hosts in the forms' lists
LONGEST = 1_000  # letters of a pattern
EVENTS = 3  # linked in a row
_NAMES = ("from", "to", "host", "against", "at", "case", "path", "kind", "all")


@dataclass(frozen=True)
class Side:
    """A thing on one side: its page, what it held in a short text (a hash, data, `absent`, `?`), how that is known."""

    table: str
    id: int
    text: str
    is_hash: bool
    since: str | None
    how: str
    doubt: str | None


@dataclass(frozen=True)
class Row:
    """One file or registry value; `verdict` is its class, `touched` where it is unknown though events are known."""

    verdict: str
    touched: bool
    host: str
    host_id: int | None  # None where this case has not exactly one host of this name
    kind: str
    path: str
    before: Side | None
    after: Side | None
    reason: str | None
    events: tuple[int, ...]
    more_events: int


@dataclass(frozen=True)
class ComparePage:
    """What was asked, and the answer; `mode` is times, hosts or cases, '' where nothing is asked yet."""

    asked: dict[str, str]
    mode: str
    hosts: tuple[str, ...]
    more_hosts: int
    others: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    title: str = ""
    names: tuple[str, str] = ("before", "after")
    other: str | None = None  # the database of the right side, where that is another case
    counts: dict[str, int] | None = None
    whys: dict[str, int] | None = None
    again: int = 0
    rows: tuple[Row, ...] = ()
    listed: int = 0
    part: str | None = None
    command: str = ""


def ask(connection: sqlite3.Connection, asked: Asked) -> ComparePage:
    """The answer to an address; Misuse where it asks for several comparisons at once."""
    said = {name: storable(asked.one(name))[0].strip() for name in _NAMES}
    names = [name for (name,) in connection.execute("SELECT name FROM hosts ORDER BY name, key")]
    modes = [mode for mode, name in (("times", "from"), ("hosts", "against"), ("cases", "case")) if said[name]]
    page = ComparePage(said, modes[0] if modes else "", tuple(names[:OFFERED]), max(len(names) - OFFERED, 0),
                       tuple(name for name in asked.cases if name != asked.name))
    if not modes:
        return page
    _check(said, modes, asked)
    warnings = freshness.need(connection, "versions")
    if "coverage" not in freshness.states(connection):
        warnings.append("the analysis 'coverage' never ran: silences between a host's events are not known; "
                        "run: fimforensics analyze CASE")
    page = replace(page, warnings=tuple(warnings), command=_command(asked, said))
    return {"times": _times, "hosts": _hosts, "cases": _cases}[page.mode](connection, asked, page)


def _check(said: dict[str, str], modes: list[str], asked: Asked) -> None:
    if len(modes) > 1 or (said["to"] and not said["from"]):
        raise Misuse("one comparison at a time", hint="Two times, two hosts or two cases")
    if said["against"] and not said["host"]:
        raise Misuse("a second host without a first", hint="Name both")
    if said["case"] and (said["case"] not in asked.cases or said["case"] == asked.name):
        raise Misuse(f"no other case {said['case']!r} is served here", hint="Serve both: fimforensics serve CASE OTHER")
    if said["kind"] not in KINDS or len(said["path"]) > LONGEST:
        raise Misuse(f"kind is file or registry, and a pattern has at most {LONGEST:,} letters")


def _times(connection: sqlite3.Connection, asked: Asked, page: ComparePage) -> ComparePage:
    said = page.asked
    since = moment(connection, said["from"], "from")
    until = moment(connection, said["to"], "to") if said["to"] else newest(connection)
    if until is None:
        raise Problem("the case has no event")
    if until < since:
        raise Misuse("“to” is before “from”", hint="Name the earlier time first")
    only = [_host(connection, said["host"])] if said["host"] else reporting.hosts(connection)
    found = compare.times(connection, only, since, until, KINDS[said["kind"]], said["path"] or None, bool(said["all"]))
    on = f" on {only[0].name}" if said["host"] else ""
    page = replace(page, title=f"From {told(since)} to {told(until)} UTC{on}", names=(told(since), told(until)))
    return _answered(connection, page, found)


def _hosts(connection: sqlite3.Connection, asked: Asked, page: ComparePage) -> ComparePage:
    said = page.asked
    pair = [_host(connection, said[name]) for name in ("host", "against")]
    if pair[0].id == pair[1].id:
        raise Misuse(f"both names mean the host {pair[0].name}")
    at = moment(connection, said["at"], "at") if said["at"] else END
    found = compare.hosts(connection, pair, at, KINDS[said["kind"]], said["path"] or None, bool(said["all"]))
    page = replace(page, title=f"From {pair[0].name} to {pair[1].name}, {_at(at)}", names=(pair[0].name, pair[1].name))
    return _answered(connection, page, found)


def _cases(connection: sqlite3.Connection, asked: Asked, page: ComparePage) -> ComparePage:
    said = page.asked
    at = moment(connection, said["at"], "at") if said["at"] else END
    names = (asked.name, said["case"])
    with opened(asked.cases[said["case"]]) as there:
        freshness.need(there, "versions")
        only = None
        if said["host"]:
            try:
                only = _host(connection, said["host"]).key
            except Problem:
                only = _host(there, said["host"]).key
        found = compare.cases(connection, there, names, at, only, KINDS[said["kind"]], said["path"] or None, bool(said["all"]))
    page = replace(page, title=f"From {names[0]} to {names[1]}, {_at(at)}", names=names, other=said["case"])
    return _answered(connection, page, found)


def _answered(connection: sqlite3.Connection, page: ComparePage, found: Compared) -> ComparePage:
    upto = f", hosts by name up to {found.upto}" if found.upto and not page.asked["host"] else ""
    part = None if found.whole else (
        f"Only a part was looked at: {found.looked:,} of {found.things:,} files and registry values{upto}. Name a host or a "
        "pattern of paths, or let the command compare all")
    numbers: dict[str, int | None] = {}
    for number, name in connection.execute("SELECT id, name FROM hosts"):
        numbers[name] = None if name in numbers else number
    return replace(page, counts=found.counts, whys=found.whys, again=found.again, listed=found.listed, part=part,
                   rows=tuple(_row(one, numbers.get(one.host)) for one in found.rows))


def _row(one: Difference, host: int | None) -> Row:
    reason = one.reason or (one.after.how if one.after is not None and one.verdict != "same" else None)
    return Row(one.verdict, one.verdict == "unknown" and one.changes > 0, one.host, host, one.kind, one.path, _side(one.before),
               _side(one.after), reason, one.events[:EVENTS], max(one.changes - EVENTS, 0))


def _side(state: State | None) -> Side | None:
    if state is None:
        return None
    held = state.content
    digest = held.sha256 or held.sha1 or held.md5
    text = ("?" if state.state == UNKNOWN else "absent" if state.state == ABSENT else digest if digest else
            held.data if held.data is not None else "?" if held.size is None else f"{held.size:,} bytes")
    return Side("files" if state.kind == FILE else "registry_values", state.id, text, text == digest, state.since, state.how,
                state.doubt)


def _host(connection: sqlite3.Connection, name: str) -> Host:
    found = reporting.hosts(connection, [entities.resolve(connection, name, kinds=("host",)).id])
    if not found:
        raise Problem(f"the host {name} has no event in this case")
    return found[0]


def _at(time: str) -> str:
    return "as each host was last heard of" if time == END else f"at {told(time)} UTC"


def _command(asked: Asked, said: dict[str, str]) -> str:
    """The command that compares the same without bounds."""
    words = ["fimforensics", "diff", Path(asked.cases[asked.name]).name]
    for name in ("from", "to", "host", "against", "at", "path", "kind"):
        words += [f"--{name}", said[name]] if said[name] else []
    words += ["--case", Path(asked.cases[said["case"]]).name] if said["case"] else []
    return shlex.join([*words, "--all"] if said["all"] else words)
