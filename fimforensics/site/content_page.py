"""The page of a content: where it lies and lay, in which order it came there, who brought it, and what it became."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from markupsafe import Markup

from fimforensics import arrivals, paths
from fimforensics.queries import life
from fimforensics.queries.holders import Holders, holders
from fimforensics.site import spread_svg
from fimforensics.site.parts import FindingLine, line, warnings
from fimforensics.site.spread_svg import Arrived
from fimforensics.site.twins import Asked

HOSTS = 50
_RAN_ON = ("versions", "spread", "relations")


@dataclass(frozen=True)
class Stop:
    """One host on the way of the content, with the hands that brought it there and the ids of all that is named."""

    host: str
    host_id: int
    time: str
    gap: str | None  # since the host before, as people say it
    path: str | None
    file_id: int | None
    change: str
    event: int
    process: str | None
    process_id: int | None
    pid: int | None
    account: str | None
    account_id: int | None
    request_account: str | None
    request_ip: str | None
    until: str | None
    held: bool  # is it known how long it stayed?
    files: int


@dataclass(frozen=True)
class Content:
    """All that the page draws."""

    id: int
    same: tuple[int, ...]
    sha256: str | None
    sha1: str | None
    md5: str | None
    sizes: tuple[int, ...]
    empty: bool
    warnings: tuple[str, ...]
    headline: str
    mode: str | None
    why: str | None
    rarity: str | None
    bounded: str | None
    first: str | None
    first_host: str | None
    first_host_id: int | None
    first_event: int | None
    hosts_in_all: int
    stops: tuple[Stop, ...]
    others: list[str]
    others_more: int
    files: list[dict]
    files_in_all: int
    became: list[dict]
    became_more: bool
    findings: tuple[FindingLine, ...]
    findings_more: bool

    def drawing(self) -> Markup:
        """The spread over the hosts as SVG."""
        shown = [Arrived(one.host, one.time, one.until, one.held) for one in self.stops]
        many = min(len(shown), spread_svg.MOST_HOSTS)
        return spread_svg.draw(shown, f"The first {many} hosts that had the content, in order of arrival from top to bottom, "
                                      "time from left to right; the table below has the same facts")


def ask(connection: sqlite3.Connection, asked: Asked) -> Content | None:
    """The page of the content of this number."""
    found = holders(connection, asked.number)
    if found is None:
        return None
    stops, whole, summed = _stops(connection, found), found.spread, found.summed or {}
    first_event = stops[0].event if stops else summed.get("first_event_id")
    ids = life.ids_of(connection, [first_event]).get(first_event, {}) if first_event else {}
    first_id = ids.get("host_id")
    name = connection.execute("SELECT name FROM hosts WHERE id = ?", (first_id,)).fetchone() if first_id else None
    hosts = whole.hosts if whole else summed.get("hosts", 0)
    others = whole.others if whole else []
    return Content(
        found.id, found.same, found.sha256, found.sha1, found.md5, found.sizes, found.empty, warnings(connection, *_RAN_ON),
        _headline(found, hosts), whole.mode if whole else summed.get("mode"), whole.why if whole else None, found.rarity,
        found.bounded, stops[0].time if stops else summed.get("first"), name and name[0], first_id, first_event, hosts, stops,
        others[:HOSTS], max(0, len(others) - HOSTS), found.files, found.files_in_all, found.became, found.became_more,
        tuple(map(line, found.findings)), found.findings_more)


def _stops(connection: sqlite3.Connection, found: Holders) -> tuple[Stop, ...]:
    told = found.spread.stops[:HOSTS] if found.spread else []
    ids = life.ids_of(connection, [one.event for one in told])
    made = []
    for one in told:
        of = ids[one.event]
        held = found.held.get(of["host_id"], {"since": None, "until": None, "files": 0})
        gap = None if one.gap_seconds is None else arrivals.lasting(one.gap_seconds)
        made.append(Stop(one.host, of["host_id"], one.time, gap, one.path, of["file_id"], one.change, one.event, one.process,
                         of["process_id"], one.pid, one.account, of["account_id"], one.request_account, one.request_ip,
                         held["until"], held["since"] is not None, held["files"]))
    return tuple(made)


def _headline(found: Holders, hosts: int) -> str:
    """What is known in one line."""
    if found.empty:
        return "This is the empty file. It links nothing: that two files are empty says nothing of what they have in common."
    if found.bounded and found.summed:
        return f"On {_many(hosts, 'host')} and in {_many(found.summed['files'], 'file')} since {_time(found.summed['first'])}."
    if not found.files and not hosts:
        return "No event of this case tells of a file with this content at a time that can be true."
    first = next((one["since"] for one in found.files if one["since"]), None)
    stop = found.spread.stops[0] if found.spread and found.spread.stops else None
    begin = f"In {_many(found.files_in_all, 'file')} on {_many(hosts, 'host')}" if found.files else f"On {_many(hosts, 'host')}"
    if stop is None:
        return begin + (f", first at {_time(first)}." if first else ", of which only the deletion was seen.")
    program = paths.last_segment(stop.process) if stop.process else None
    return f"{begin}, first on {stop.host} at {_time(stop.time)}{f', by {program}' if program else ''}" + (
        f", as {stop.account}." if stop.account else ".")


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _time(time: str) -> str:
    return time[:19].replace("T", " ")
