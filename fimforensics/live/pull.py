"""One window: frozen, planned, pulled by several workers, counted at the end, and recounted by the next.

The main thread alone writes the ledger; workers only ask and write answers to disk. Ctrl-C ends the workers and leaves the
ledger as it is: the next pull goes on with what is open.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby

from fimforensics.errors import Problem
from fimforensics.evidence import custody
from fimforensics.live import kql
from fimforensics.live.fetch import Fetcher, Outcome
from fimforensics.live.gate import Gate
from fimforensics.live.instants import SECOND, STEPS, ticks
from fimforensics.live.kql import Asked, Slice, Window
from fimforensics.live.ledger import Entry, Ledger
from fimforensics.live.plan import Aim, Planner, fixed
from fimforensics.live.recount import differing, once
from fimforensics.live.service import Effort, Service
from fimforensics.live.workers import Workers

PLANS = 4  # plans made until one agrees with the count
LATE = 7 * STEPS["1d"]  # how long after its end a window may still get rows that show late
ROUNDS = 4  # times that a window is counted at the end, and pulled again where it differs
OTHER_IDS = "the service gives other ids to the same rows"  # what no second pull can make good


@dataclass
class State:
    """How far a pull is, for whoever watches."""

    doing: str = ""
    rows: int = 0
    expected: int = 0
    bytes: int = 0
    slices: int = 0
    all_slices: int = 0
    waiting_for: str = ""


@dataclass(frozen=True)
class Settings:
    """How the pull is made."""

    concurrency: int = 4
    margin: int = 300  # seconds that the window ends before the service's now
    searching: bool = False
    more: bool = False  # after a window that was left undone, another one
    fixed: int = STEPS["1d"]  # the length of slices where every look is paid for


class Pull:
    """What one table of one scope is pulled with."""

    def __init__(self, service: Service, asked: Asked, ledger: Ledger, settings: Settings,
                 watch: Callable[[State], None]) -> None:
        self.service, self.asked, self.ledger, self.settings, self._watch = service, asked, ledger, settings, watch
        self.aim, self.state = Aim(), State()
        self.gate: Gate = service.gate

    def _planner(self, window: Window) -> Planner:
        return Planner(self.service, self.asked, window, self.aim, Effort(), self.settings.searching)

    def told(self, doing: str = "") -> None:
        """Tells whoever watches."""
        self.state.doing = doing or self.state.doing
        self.state.waiting_for = self.gate.waiting_for
        self._watch(self.state)

    def cut_at(self) -> int:
        """Where a window ends now: the service's own time, less the margin."""
        found = self.service.ask(kql.NOW, Effort())
        if not found or not isinstance(found[0].get("ServerNow"), str):
            raise Problem("the service does not tell its time", where=self.service.endpoint)
        return ticks(found[0]["ServerNow"]) - self.settings.margin * SECOND

    def begin(self, upper: int) -> int | None:
        """A new window up to `upper`, planned; None where the last one ends later."""
        before = self.ledger.windows()
        lower = before[-1]["upper"] if before else None
        if lower is not None and upper <= lower:
            return None
        window = Window(lower, upper)
        self.told("planning")
        planner = self._planner(window)
        rows, slices = self.plan(planner)
        return self.ledger.begin(window, custody.now(), rows, slices, planner.effort)

    def plan(self, planner: Planner) -> tuple[int, list[Slice]]:
        """How many rows there are, and slices for them; made anew until both agree, for a plan may lack what is there."""
        if self.settings.searching:
            return 0, fixed(self.asked, self.settings.fixed)
        for _ in range(PLANS):
            found = planner.count(Slice())
            if not found["Rows"]:
                return 0, [Slice()]
            slices = planner.whole(ticks(found["First"]), ticks(found["Last"]))
            if sum(part.rows for part in slices) == found["Rows"]:
                break
            planner.effort.faults["plan differs"] += 1
        return found["Rows"], slices  # if they never agreed: slices tile all the same, and the end is counted

    def again(self, number: int) -> None:
        """Recounts all earlier windows; slices that hold more rows now are asked for again in window `number`."""
        earlier = [row for row in self.ledger.windows() if row["id"] < number]
        if not earlier or self.settings.searching:
            return
        self.told("recounting what was collected before")
        held = {row["id"]: self.ledger.held(row["id"]) for row in earlier}
        have = sum(entry.got for entries in held.values() for entry in entries)
        planner, more, lacking = self._planner(Window(None, earlier[-1]["upper"])), [], self._lacking(earlier)
        told = {"windows": len(earlier), "held": have, "counted": planner.count(Slice())["Rows"], "more": 0, "gone": 0}
        for row in earlier:
            lately = row["upper"] > earlier[-1]["upper"] - LATE or row["id"] in lacking
            if not lately and told["counted"] == have:
                continue
            within = replace(planner, window=Window(row["lower"], row["upper"]))
            for entry, rows in differing(within, held[row["id"]], each=lately):
                told["more" if rows > entry.got else "gone"] += abs(rows - entry.got)
                if rows > entry.got:
                    more.append((entry, rows))
        self.ledger.again(number, more, told | ({"incomplete": lacking} if lacking else {}))
        self.ledger.spent(number, planner.effort)

    @staticmethod
    def _lacking(earlier: list[dict]) -> list[int]:
        """The windows that are incomplete for want of rows, and that no complete pull has counted again since."""
        found: list[int] = []
        for row in earlier:
            if row["reason"] is None and row["recounted"]:
                again = json.loads(row["recounted"]).get("incomplete", [])
                found = [number for number in found if number not in again]
            elif row["reason"] is not None and OTHER_IDS not in row["reason"]:
                found.append(row["id"])
        return found

    def run(self, number: int) -> None:
        """Pulls what is open of a window, and counts at the end; the window is then `pulled`, with a reason if incomplete."""
        row = next(one for one in self.ledger.windows() if one["id"] == number)
        windows = {one["id"]: Window(one["lower"], one["upper"]) for one in self.ledger.windows()}
        fetcher = Fetcher(self.service, self.asked, windows, self.ledger.folder, self.aim, self.settings.searching, self._came)
        planner = self._planner(windows[number])
        self.state.expected = row["expected"] + sum(one.part.rows for one in self.ledger.entries(number, "open") if one.again)
        reason = None
        for attempt in range(ROUNDS):
            self._all(number, fetcher)
            reason = self._counted(number, planner, last=attempt == ROUNDS - 1)
            if not self.ledger.entries(number, "open"):
                break
        self.ledger.spent(number, planner.effort)
        told = "; ".join(filter(None, (reason, self._short(number)))) or None
        self.ledger.mark(number, state="pulled", reason=told, finished=custody.now())

    def _counted(self, number: int, planner: Planner, last: bool) -> str | None:
        """Counts the whole window; slices that differ are opened again, or are the reason why it is incomplete."""
        self.told("counting")
        own = [entry for entry in self.ledger.entries(number, "done", "short") if entry.within == number]
        got, lacking = sum(entry.got for entry in own), []
        for _ in range(ROUNDS):  # a row that shows between two counts makes them differ, and no slice
            counted = planner.count(Slice())["Rows"] if not self.settings.searching else sum(entry.expected for entry in own)
            self.ledger.mark(number, expected=counted)
            self.state.expected = counted
            if counted == got:
                return self._twice(own)
            found = differing(planner, sorted(own, key=lambda one: (one.part.low or 0, one.id)), each=counted < got)
            if (lacking := [(entry, rows) for entry, rows in found if rows > entry.got]) or counted < got:
                break
        if not lacking and counted < got:
            return self._twice(own)  # retention took rows after they came; what came whole is kept
        if last or all(entry.state == "short" for entry, _ in lacking):
            return "; ".join(filter(None, (f"{counted} rows are counted, {got} came", self._twice(own))))
        for entry, rows in lacking:
            if entry.state == "done":
                self.ledger.reopen(entry, rows)
        return None

    def _twice(self, own: list[Entry]) -> str | None:
        """Rows in two slices of the same time: then ids or their hashes do not stay the same from query to query."""
        for _, group in groupby(own, key=lambda one: (one.part.low, one.part.high)):
            if len(held := list(group)) > 1 and (twice := once([(one, self.ledger.ids(one.id)) for one in held])):
                return f"{twice} rows came in two slices: {OTHER_IDS} from query to query"
        return None

    def _short(self, number: int) -> str | None:
        """Why slices of the window are not whole; what no second pull can make good, first."""
        short = sorted(self.ledger.entries(number, "short"), key=lambda one: OTHER_IDS not in (one.reason or ""))
        if not short:
            return None
        return f"{len(short)} {'slice is' if len(short) == 1 else 'slices are'} not whole, the first: {short[0].reason}"

    def _came(self, size: int) -> None:
        self.state.bytes += size

    def _all(self, number: int, fetcher: Fetcher) -> None:
        """Pulls every open slice, several at once; each is in the ledger as soon as it is on disk."""
        todo = self.ledger.entries(number, "open")[::-1]
        there = self.ledger.entries(number, "done", "short")
        self.state.rows, self.state.slices = sum(one.got for one in there), len(there)
        workers: Workers[Entry, Outcome] = Workers(fetcher.fetch, self.settings.concurrency)
        try:
            while todo or workers.busy:
                while todo and workers.busy < self.settings.concurrency:
                    workers.give(todo.pop())
                if (found := workers.done(0.25)) is not None:
                    todo += self._took(found)[::-1]
                self.state.all_slices = self.state.slices + len(todo) + workers.busy
                self.told("pulling")
        except BaseException:
            self.gate.stop.set()
            self._keep(workers)
            raise
        finally:
            workers.end()

    def _took(self, outcome: Outcome) -> list[Entry]:
        """Writes down what became of a slice; the slices that now stand for it."""
        entry = outcome.entry
        if outcome.body is None:
            known = {one.id for one in self.ledger.entries(entry.window, "open")}
            self.ledger.cut(entry, outcome.parts, outcome.effort)
            return [one for one in self.ledger.entries(entry.window, "open") if one.id not in known]
        short = outcome.short
        if entry.again is not None and short is None:
            short = self._strange(entry.again, outcome)
        self.ledger.taken(entry, outcome.query, outcome.body, outcome.expected, outcome.effort, short)
        self.state.rows += outcome.body.rows
        self.state.slices += 1
        return []

    def _strange(self, old: int, outcome: Outcome) -> str | None:
        """Does a slice pulled again hold none of the rows that it held before, by their ids?"""
        before, now = self.ledger.ids(old), set(outcome.body.ids) if outcome.body else set()
        if len(before) < 16 or not now:
            return None
        kept = sum(before[at:at + 8] in now for at in range(0, len(before), 8))
        if outcome.entry.depth or kept * 16 >= len(before):
            return None
        return f"{OTHER_IDS} than before: what is new cannot be told from what is known"

    def _keep(self, workers: Workers[Entry, Outcome]) -> None:
        """What came whole before the end is written down; nobody waits for the rest."""
        for found in workers.whole():
            self._took(found)
