"""The page of an account: where and through what it acted, what that changed, and what was asked for in its name."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from fimforensics.queries import of_account as queries
from fimforensics.queries import of_process
from fimforensics.queries.findings_listed import of_actor
from fimforensics.queries.of_account import Asking, Ran
from fimforensics.queries.rules import WITH_RULES
from fimforensics.site.parts import FindingLine, line, warnings
from fimforensics.site.process_page import MOST, MOST_FOLDERS, Folder, Shown, folders, shown
from fimforensics.site.twins import Asked

NEEDED = tuple(dict.fromkeys(("relations", "rarity", *WITH_RULES)))
MOST_SENTENCES = 8


@dataclass(frozen=True)
class OnHost:
    """What the account did on one host."""

    host_id: int
    host: str
    processes: int
    events: int
    first: str
    last: str


@dataclass(frozen=True)
class Program:
    """A program that the account used; `known` is how many hosts know that it does."""

    name: str
    image: str
    hosts: int
    processes: int
    events: int
    known: int | None


@dataclass(frozen=True)
class AccountPage:
    """All that the page says; where `cut`, it looked at the account's newest processes only."""

    account: dict
    first: str | None
    last: str | None
    cut: bool
    processes_in_all: int
    hosts_in_all: int
    hosts: tuple[OnHost, ...]
    programs_in_all: int
    programs: tuple[Program, ...]
    processes: tuple[Ran, ...]
    looked_at: int  # processes whose changes are told: those of findings, then the busiest
    ways: dict[str, int]
    folders_in_all: int
    folders: tuple[Folder, ...]
    things_in_all: int
    things: tuple[Shown, ...]
    requests: tuple[Asking, ...]
    more_requests: bool
    acted: tuple[Ran, ...]
    more_acted: bool
    rare: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    more_findings: bool
    warnings: tuple[str, ...]


def ask(connection: sqlite3.Connection, asked: Asked) -> AccountPage | None:
    """The account of this number; None where there is none."""
    number = asked.number
    one = queries.account(connection, number)
    if one is None:
        return None
    ran, cut = queries.ran(connection, number)
    known = queries.rare(connection, one, ran)
    asking, more_requests = queries.requests(connection, number)
    acted, more_acted = queries.acted_through(connection, number)
    found, more = of_actor(connection, "account_id", number)
    suspect = {one.process_id for one in found}
    looked_at = sorted(ran, key=lambda one: (one.process_id not in suspect, -one.events))[:queries.LOOKED_AT]
    subjects = [("account", number), *(("process", one.process_id) for one in looked_at)]
    things, ways, _ = of_process.changed(connection, subjects, 40)
    by_folder = folders(things)
    hosts, programs = on_hosts(ran), used(ran, {program: count for program, (count, _) in known.items()})
    return AccountPage(
        one, queries.first_seen(connection, number), _last(ran, acted, things), cut,
        len(ran), len(hosts), hosts[:MOST], len(programs), programs[:MOST], tuple(ran[:MOST]), len(looked_at), ways,
        len(by_folder), by_folder[:MOST_FOLDERS], len(things), shown(things, set(), {one.file_id for one in found})[:20],
        tuple(asking), more_requests, tuple(acted), more_acted,
        tuple(text for _, text in sorted(known.values())[:MOST_SENTENCES]), tuple(line(one) for one in found), more,
        warnings(connection, *NEEDED))


def _last(ran: Sequence[Ran], acted: Sequence[Ran], things: Sequence[of_process.Changed]) -> str | None:
    return max([*(one.last for one in (*ran, *acted)), *(one.last for one in things)], default=None)


def on_hosts(ran: Sequence[Ran]) -> tuple[OnHost, ...]:
    """The hosts on which the processes ran, by name."""
    found: dict[int, list[Ran]] = {}
    for process in ran:
        found.setdefault(process.host_id, []).append(process)
    told = [OnHost(number, there[0].host, len(there), sum(one.events for one in there), min(one.first for one in there),
                   max(one.last for one in there)) for number, there in found.items()]
    return tuple(sorted(told, key=lambda one: one.host))


def used(ran: Sequence[Ran], known: dict[str, int]) -> tuple[Program, ...]:
    """The programs of the processes, those that fewest hosts know of the account first."""
    found: dict[str, list[Ran]] = {}
    for process in ran:
        found.setdefault(process.program, []).append(process)
    told = [Program(there[0].process, program, len({one.host_id for one in there}), len(there),
                    sum(one.events for one in there), known.get(program)) for program, there in found.items()]
    return tuple(sorted(told, key=lambda one: (one.known is None, one.known, one.events, one.image)))
