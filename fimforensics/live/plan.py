"""A window cut into slices that tile it: no instant lies between two of them, and none in both.

Steps of time are counted by the service and put together until an answer would be full; what is still too much is cut finer,
down to a millisecond, and then by the hash of the rows' ids. A step that an answer of the plan leaves out is still inside a
slice; so a plan can be wrong, and only costs another cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from fimforensics.errors import Problem
from fimforensics.live import kql
from fimforensics.live.failures import GO_ON
from fimforensics.live.instants import STEPS, ticks
from fimforensics.live.kql import Asked, Slice, Window
from fimforensics.live.service import Effort, Service, TooMuch

ROWS, BYTES = 35_000, 40_000_000  # what a slice aims at
COUNTS = 5  # times that the service may fail to count in a row
MOST_BINS = 1_500  # in an answer of the plan, as far as that can be known before
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
          127, 251, 509, 1021, 2039, 4093, 8191, 16381)


@dataclass
class Aim:
    """How much a slice may hold; it learns from the service's answers, and never unlearns what it saw pass."""

    rows: int = ROWS
    size: int = BYTES
    swelling: float = 1.5  # bytes of JSON for a byte of the service's estimate
    passed: int = 0  # rows of the largest whole answer

    def fits(self, rows: int, size: int) -> bool:
        """Would an answer of that much be welcome?"""
        return rows <= self.rows and size * self.swelling <= self.size

    def learn(self, part: Slice, rows: int, size: int) -> None:
        """A whole answer came."""
        self.passed = max(self.passed, rows)
        if part.size > 100_000:
            real = size / part.size
            self.swelling = max(real, 0.8 * self.swelling + 0.2 * real)

    def lower(self, asked: Slice, came: int) -> None:
        """An answer to this was cut after `came` rows (0: none came): aim lower from now on, if rows can be the reason."""
        wanted = came * 9 // 10 if came else asked.rows // 2
        if asked.rows > self.passed:
            self.rows = max(1, self.passed, min(self.rows, wanted))

    def half(self, part: Slice) -> Aim:
        """The aim for a part that was too much as it was."""
        size = int(part.size * self.swelling) // 2
        return Aim(max(1, min(self.rows, -(-part.rows // 2))), min(self.size, size) if size else self.size, self.swelling)


@dataclass
class Bin:
    """A step of time, or a remainder of hashes, with what lies in it."""

    at: int
    rows: int
    size: int


@dataclass
class Planner:
    """Asks the service where rows lie."""

    service: Service
    asked: Asked
    window: Window
    aim: Aim
    effort: Effort = field(default_factory=Effort)
    searching: bool = False  # the `/search` form, which wants the time beside the query

    def count(self, part: Slice) -> dict[str, Any]:
        """Rows, First and Last of a part, as the service counts now; Problem where it cannot."""
        why = "no count came"
        for _ in range(COUNTS):
            try:
                found = self._ask(kql.count(self.asked, self.window, part), part)
            except TooMuch as much:
                why = much.why
                continue
            if found:
                return found[0]
        raise Problem(f"the service cannot count the rows, {COUNTS} times in a row ({why})", where=self.service.endpoint,
                      hint=GO_ON)

    def _ask(self, query: str, part: Slice) -> list[dict[str, Any]]:
        return self.service.ask(query, self.effort, kql.timespan(self.asked, part) if self.searching else None)

    def whole(self, first: int, last: int) -> list[Slice]:
        """Slices for everything between all times, whose rows lie from `first` to `last`."""
        step = "1h" if (last - first) // STEPS["1h"] < MOST_BINS else "1d"
        everything = Slice()
        return tiles(everything, self._bins(everything, step, first, last), self.aim)

    def cut(self, part: Slice, halve: bool = False) -> list[Slice]:
        """The part in smaller ones that tile it, at least two if `halve`; itself alone where no cut is left."""
        aim = self.aim.half(part) if halve else self.aim
        if not part.parts:
            for step, length in STEPS.items():
                if part.low is not None and part.high is not None and part.high - part.low <= length:
                    continue
                if step == "1d" and (part.low is None or part.high is None or part.high - part.low < MOST_BINS * STEPS["1h"]):
                    continue
                try:
                    found = tiles(part, self._bins(part, step, part.low, part.high), aim)
                except TooMuch:  # not even two steps can be counted: hashes part it all the same
                    break
                if len(found) > 1:
                    return found
        return self._hashed(part, aim)

    def _bins(self, part: Slice, step: str, first: int | None, last: int | None) -> list[Bin]:
        """What lies in each step of a part; asked in two halves where one answer cannot hold them."""
        try:
            found = self._ask(kql.bins(self.asked, self.window, part, step), part)
        except TooMuch:
            length = STEPS[step]
            if first is None or last is None:  # a window's first or last slice, open at that end
                held = self.count(part)
                first = first if first is not None else ticks(held["First"]) if held["First"] else None
                last = last if last is not None else ticks(held["Last"]) + 1 if held["Last"] else None
            if first is None or last is None or last - first <= 2 * length:
                raise
            middle = (first + last) // 2 // length * length
            return [one for half, low, high in (
                (replace(part, high=middle), first, middle), (replace(part, low=middle), middle, last))
                for one in self._bins(half, step, low, high)]
        return sorted((Bin(ticks(row["Bin"]), int(row["Rows"]), int(row["Bytes"] or 0)) for row in found if row["Bin"]),
                      key=lambda one: one.at)

    def _hashed(self, part: Slice, aim: Aim) -> list[Slice]:
        """The part by what the hashes of ids leave; by another modulus than those before, so that each cut is a new one."""
        wanted = max(2, -(-part.rows * 5 // (4 * aim.rows)), int(part.size * aim.swelling * 1.25 / aim.size) + 1)
        used = {modulus for modulus, _ in part.parts}
        if len(used) >= 4:
            return [part]
        modulus = next((prime for prime in PRIMES if prime >= wanted and prime not in used), PRIMES[-1])
        try:
            found = self._ask(kql.remainders(self.asked, self.window, part, modulus), part)
        except TooMuch:
            return [part]
        held = {int(row["Part"]): row for row in found if row["Part"] is not None}
        if len(held) < 2:
            return [part]
        nothing = {"Rows": 0, "Bytes": 0}
        return [replace(part, parts=(*part.parts, (modulus, rest)), rows=int(held.get(rest, nothing)["Rows"]),
                        size=int(held.get(rest, nothing)["Bytes"] or 0)) for rest in range(modulus)]


def tiles(part: Slice, bins: Iterable[Bin], aim: Aim) -> list[Slice]:
    """Neighbouring steps put together while they fit: slices from the part's own low bound to its own high one."""
    found: list[Slice] = []
    low, rows, size = part.low, 0, 0
    for one in bins:
        if rows and not aim.fits(rows + one.rows, size + one.size):
            found.append(Slice(low, one.at, part.parts, rows, size))
            low, rows, size = one.at, 0, 0
        rows, size = rows + one.rows, size + one.size
    return [*found, Slice(low, part.high, part.parts, rows, size)]


def fixed(asked: Asked, length: int) -> list[Slice]:
    """Slices of one length each over the asked span, for plans where every look at the data is paid for."""
    assert asked.since is not None and asked.until is not None
    edges = [*range(asked.since, asked.until, length), asked.until]
    return [Slice(low, high) for low, high in pairwise(edges)]
