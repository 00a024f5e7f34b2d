"""One slice, pulled until its rows equal what the service counts for it, or cut, or given up with the reason.

A count that comes with the plan is checked first; where rows differ from it, the service is asked for this slice's count, and
only rows that equal a count of their own time are taken as whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fimforensics.errors import Problem
from fimforensics.live import kql
from fimforensics.live.failures import GO_ON
from fimforensics.live.kql import Asked, Slice, Window
from fimforensics.live.ledger import Entry, sync_folder
from fimforensics.live.plan import Aim, Planner
from fimforensics.live.service import Body, Effort, Service, TooMuch

DIFFERS = 4  # times that rows may differ from their count before the slice is cut, or given up
CUTS = 1  # how often a slice is cut because its rows stay other than counted


@dataclass(frozen=True)
class Outcome:
    """What became of a slice: its body and count, or the smaller slices that stand for it."""

    entry: Entry
    effort: Effort
    query: str = ""
    body: Body | None = None
    expected: int = 0
    parts: list[Slice] = field(default_factory=list)
    short: str | None = None


@dataclass(frozen=True)
class Fetcher:
    """What all slices of a pull share."""

    service: Service
    asked: Asked
    windows: dict[int, Window]
    folder: Path
    aim: Aim
    searching: bool = False
    more: Callable[[int], None] = lambda _: None  # told of bytes as they come

    def fetch(self, entry: Entry) -> Outcome:
        """Pulls one slice."""
        effort, part, window = Effort(), entry.part, self.windows[entry.within]
        planner = Planner(self.service, self.asked, window, self.aim, effort, self.searching)
        query = kql.rows(self.asked, window, part)
        if part.rows > 1 and not self.aim.fits(part.rows, part.size) and len(parts := planner.cut(part)) > 1:
            return Outcome(entry, effort, parts=parts)
        path = self.folder / f"slice-{entry.id:06d}.json"
        try:
            return self._until_whole(entry, planner, query, path)
        except TooMuch as much:
            self.aim.lower(part, much.rows)
            parts = planner.cut(replace(part, rows=max(part.rows, 2)), halve=True)
            if len(parts) > 1:
                return Outcome(entry, effort, parts=parts)
            try:
                body = self._pull(query, part, path, effort, partial=True)
            except TooMuch as never:
                raise Problem(f"the service gives no answer to a slice that cannot be cut ({never.why})",
                              where=self.service.endpoint, hint=GO_ON) from None
            told = f"an answer cannot hold it ({much.why})"
            return Outcome(entry, effort, query, body, planner.count(part)["Rows"], short=told)

    def _until_whole(self, entry: Entry, planner: Planner, query: str, path: Path) -> Outcome:
        """The slice's rows, as many as the service counts; TooMuch where an answer cannot hold them."""
        part, effort = entry.part, planner.effort
        expected, told = planner.count(part)["Rows"] if self.searching else part.rows, ""
        for _ in range(DIFFERS):
            body = self._pull(query, part, path, effort)
            twice = len(body.ids) - len(set(body.ids))
            if body.rows != expected:
                expected = planner.count(part)["Rows"]
            if body.rows == expected and not twice:
                self.aim.learn(part, body.rows, body.size)
                return Outcome(entry, effort, query, body, expected)
            told = f"{twice} rows came twice" if twice else f"{body.rows} rows came, {expected} are counted"
            kind = "rows twice" if twice else "rows missing" if body.rows < expected else "rows not counted"
            effort.faults[kind] += 1
        parts = planner.cut(replace(part, rows=max(expected, 2)), halve=True) if entry.depth < CUTS and expected > 1 else []
        if len(parts) > 1:
            return Outcome(entry, effort, parts=parts)
        return Outcome(entry, effort, query, body, expected, short=f"{told}, {DIFFERS} times in a row")

    def _pull(self, query: str, part: Slice, path: Path, effort: Effort, partial: bool = False) -> Body:
        """The answer under its name, synced: first the bytes, then the name, then the folder."""
        new = path.with_suffix(".new")
        with new.open("w+b") as stream:
            span = kql.timespan(self.asked, part) if self.searching else None
            body = self.service.pull(query, stream, effort, span, partial)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(new, path)
        sync_folder(self.folder)
        self.more(body.size)
        return replace(body, path=path)
