"""The page of a file and of a registry value: what it was, when, by whom, where else, and what is not known of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import TypeVar

from markupsafe import Markup

from fimforensics import arrivals
from fimforensics.queries import life, neighbours
from fimforensics.queries.entities import Entity
from fimforensics.queries.findings_listed import of_actor
from fimforensics.queries.history import HASHES, history
from fimforensics.queries.life import Beside, Elsewhere, Subject
from fimforensics.site import lanes_svg, life_words
from fimforensics.site.lanes import MOST_PERIODS, Lanes, lanes
from fimforensics.site.parts import FindingLine, line, warnings
from fimforensics.site.twins import Asked

ROWS, HOSTS, BESIDE, EVENTS, OPINIONS = 50, 50, 20, 20, 50
DATA = 4_000  # characters of data that the page has; the event has all
_RAN_ON = ("versions", "reversions")


@dataclass(frozen=True)
class Life:
    """All that the page draws. `versions` is one page of at most ROWS of the `laid` newest ones, in order of time."""

    subject: Subject
    warnings: tuple[str, ...]
    headline: str
    lanes: Lanes
    in_all: int
    laid: int
    page: int  # 1 has the newest
    pages: int
    versions: list[dict]
    reversions: list[dict]
    reversions_in_all: int
    findings: tuple[FindingLine, ...]
    findings_more: bool
    hosts: list[Elsewhere]
    hosts_in_all: int
    same: list[Beside]
    same_more: bool
    current: dict | None  # the version that is still so and whose content is known
    empty: bool  # it is the empty file, which links nothing
    values: list[Beside]
    values_in_all: int
    near: list[dict]
    near_event: int | None
    events: list[dict]

    def drawing(self) -> Markup:
        """The lanes as SVG."""
        many = len(self.lanes.periods)
        return lanes_svg.draw(self.lanes, f"Lanes of {self.subject.path}: {many:,} period{'s' * (many != 1)} from left to right, "
                                          "each in the lane of its content; the tables below have the same facts")


def ask_file(connection: sqlite3.Connection, asked: Asked) -> Life | None:
    """The page of the file of this number."""
    return _ask(connection, asked, "file")


def ask_value(connection: sqlite3.Connection, asked: Asked) -> Life | None:
    """The page of the registry value, or key, of this number."""
    return _ask(connection, asked, "registry value")


def _ask(connection: sqlite3.Connection, asked: Asked, kind: str) -> Life | None:
    whose = life.subject(connection, kind, asked.number)
    if whose is None:
        return None
    word = "content" if kind == "file" else "data"
    told = history(connection, Entity(kind, whose.id, whose.path), MOST_PERIODS, newest=True)
    life.linked(connection, kind, whose.host_id, told.versions)
    drawn = lanes(told.versions, told.in_all, whose.host_last, word)
    headline = life_words.headline(told.versions, drawn, told.in_all, word)
    _worded(told.versions, drawn, word)
    opinions, more = of_actor(connection, kind.replace(" ", "_") + "_id", whose.id, OPINIONS)
    for one in told.reversions:  # what a finding says in the same words need not be said twice
        one["told"] = any(finding.sentence.startswith(one["sentence"]) for finding in opinions)
    pages = max(1, -(-len(told.versions) // ROWS))
    page = asked.whole("page", 1, 1, pages)
    end = len(told.versions) - ROWS * (page - 1)
    last = told.versions[-1] if told.versions else None
    current = last if last and last["state"] == "present" and last["lane"] else None
    events = life.newest_events(connection, whose, EVENTS)
    near = next((one["begun_by"] for one in reversed(told.versions) if one["begun_by"]), events[0]["id"] if events else None)
    hosts, hosts_in_all = life.elsewhere(connection, whose, HOSTS)
    empty = bool(current and kind == "file" and (
        any(current[hash_] in arrivals.EMPTY for hash_ in HASHES) or current["size"] == 0))
    same, same_more = life.same_elsewhere(connection, whose.id, current["content_id"], BESIDE) \
        if current and current["content_id"] and not empty else ([], False)
    values, values_in_all = life.other_values(connection, whose, BESIDE) if kind == "registry value" else ([], 0)
    return Life(
        subject=whose, warnings=warnings(connection, *_RAN_ON), headline=headline, lanes=drawn, in_all=told.in_all,
        laid=len(told.versions), page=page, pages=pages, versions=told.versions[max(0, end - ROWS):end],
        reversions=told.reversions[:OPINIONS], reversions_in_all=len(told.reversions), findings=tuple(map(line, opinions)),
        findings_more=more, hosts=[_cut(one) for one in hosts], hosts_in_all=hosts_in_all, same=same, same_more=same_more,
        current=current, empty=empty, values=[_cut(one) for one in values], values_in_all=values_in_all,
        near=_near(connection, near, whose.host) if near else [], near_event=near, events=events)


def _worded(versions: list[dict], drawn: Lanes, word: str) -> None:
    """Adds to each version its lane and what is said of it in words, and cuts long data."""
    letters = {one.version: drawn.lanes[one.lane].letter for one in drawn.periods}
    for one in versions:
        one["lane"], one["notes"] = letters.get(one["version"], ""), list(life_words.notes(one, word))
        one["lasted"], one["how"] = life_words.lasted(one), life_words.BASES.get(one["basis"], one["basis"])
        if one.get("data") is not None:
            one["data_length"], one["data"] = len(one["data"]), one["data"][:DATA]


_Held = TypeVar("_Held", Elsewhere, Beside)


def _cut(one: _Held) -> _Held:
    return replace(one, data=one.data[:DATA]) if one.data else one


def _near(connection: sqlite3.Connection, event: int, host: str) -> list[dict]:
    """The events nearest to one, with the ids of all they name."""
    near = neighbours.neighbours(connection, event)
    ids, here = life.ids_of(connection, [one.event for one in near]), f"{host}:"
    return [{"event": one.event, "time": one.time, "change": one.change, "kind": one.kind, "name": one.name.removeprefix(here),
             "process": one.process and one.process.removeprefix(here), "account": one.account, "why": one.why,
             "seconds": one.seconds, **ids[one.event]}
            for one in near]
