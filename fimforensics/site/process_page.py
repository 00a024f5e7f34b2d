"""The page of a process: what it was, where it came from, what it changed and what came of that."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fimforensics import places
from fimforensics.queries import of_process as queries
from fimforensics.queries.findings_listed import of_actor
from fimforensics.queries.of_process import Acted, Became, Changed, Origin
from fimforensics.queries.rules import WITH_RULES
from fimforensics.site.parts import FindingLine, line, warnings
from fimforensics.site.strip import Strip, strip
from fimforensics.site.twins import Asked

MOST = 50  # things in a list
MOST_FOLDERS = 15
NEEDED = tuple(dict.fromkeys(("versions", "relations", "rarity", *WITH_RULES)))


@dataclass(frozen=True)
class Folder:
    """A folder or key in which things were changed, and in which ways how many."""

    name: str
    things: int
    ways: tuple[tuple[str, int], ...]
    system: bool


@dataclass(frozen=True)
class Shown:
    """A changed thing in a list, and why it stands so far up."""

    thing: Changed
    why: tuple[str, ...]


@dataclass(frozen=True)
class ProcessPage:
    """All that the page says."""

    process: dict
    reports: tuple[dict, ...]
    reports_in_all: int
    images: tuple[dict, ...]
    extras: dict[str, list[str]]
    origins: tuple[Origin, ...]
    acted: tuple[Acted, ...]
    ways: dict[str, int]
    cut: bool  # some changed things were left out of what follows
    things_in_all: int
    things: tuple[Shown, ...]
    folders_in_all: int
    folders: tuple[Folder, ...]
    became: tuple[Became, ...]
    rare: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    more_findings: bool
    strip: Strip | None
    more_events: bool
    warnings: tuple[str, ...]


def ask(connection: sqlite3.Connection, asked: Asked) -> ProcessPage | None:
    """The process of this number; None where there is none."""
    one = queries.process(connection, asked.number)
    if one is None:
        return None
    reports, in_all = queries.reports(connection, asked.number)
    things, ways, cut = queries.changed(connection, [("process", asked.number)])
    later = queries.became(connection, asked.number, things)
    found, more = of_actor(connection, "process_id", asked.number)
    times, more_events = queries.times(connection, asked.number)
    by_folder = folders(things)
    return ProcessPage(
        one, tuple(reports), in_all,
        tuple(queries.images(connection, (report["image_id"] for report in reports if report["image_id"] is not None))),
        queries.extras(connection, asked.number), tuple(queries.origins(connection, asked.number)),
        tuple(queries.acted(connection, asked.number)), ways, cut, len(things),
        shown(things, {one.file_id for one in later}, {one.file_id for one in found}), len(by_folder), by_folder[:MOST_FOLDERS],
        tuple(later), tuple(queries.rare(connection, queries.image_of(one), things, _people(connection, one, reports))),
        tuple(line(one) for one in found), more, strip(times), more_events, warnings(connection, *NEEDED))


def shown(things: Sequence[Changed], ran: set[int], found: set[int | None]) -> tuple[Shown, ...]:
    """The things that tell most, of the same the newest first."""
    told = []
    for thing in things:
        file = thing.kind == "file"
        why = [text for text, holds in (
            ("ran as a process", file and thing.id in ran), ("has a finding", file and thing.id in found),
            ("program or script" if file else "system setting", queries.is_telling(thing))) if holds]
        told.append(Shown(thing, tuple(why)))
    told.sort(key=lambda one: (one.thing.name, one.thing.host))
    told.sort(key=lambda one: one.thing.last, reverse=True)
    told.sort(key=lambda one: ("ran as a process" not in one.why, "has a finding" not in one.why,
                             not {"program or script", "system setting"} & set(one.why)))
    return tuple(told[:MOST])


def folders(things: Sequence[Changed]) -> tuple[Folder, ...]:
    """The folders and keys of the things: those of the system first, then those with most."""
    counted: dict[str, Counter[str]] = {}
    in_all = Counter[str]()
    for thing in things:
        folder = queries.folder_of(thing)
        in_all[folder] += 1
        counted.setdefault(folder, Counter()).update(thing.how)
    found = [Folder(name, in_all[name], tuple((way, ways[way]) for way in queries.CHANGES if ways[way]), places.is_system(name))
             for name, ways in counted.items()]
    return tuple(sorted(found, key=lambda one: (not one.system, -one.things, one.name)))


def _people(connection: sqlite3.Connection, one: dict, reports: Sequence[dict]) -> list[str]:
    """The accounts that ran the process, as the analysis of rarity calls them."""
    numbers = {report["account_id"] for report in reports if report["account_id"] is not None}
    hosts = {places.short(one["host"])}
    return [places.person(name, domain, account, hosts) for number in sorted(numbers) for name, domain, account
            in connection.execute("SELECT name, domain, account FROM accounts WHERE id = ?", (number,))]
