"""Faults of a server, drawn from a seed: what may happen to an answer on its way, and what a server may keep to itself.

Request by request the next fault is drawn, so the same seed gives the same faults in the same order of requests. A **fault**
is open: whoever looks at status, body and error can notice it. A **lie** is a whole answer with less in it than there is: only
counts can notice that.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field

FAULTS = ("429 with Retry-After", "429 without", "5xx", "504", "read timeout", "cut body", "empty 200", "partial with rows",
          "partial without rows", "401 once", "connection dropped", "204")
LIES = ("a bin dropped from the plan", "rows dropped from a 200")


@dataclass
class Faults:
    """How often which fault comes; `often` is a share of all queries, from 0 to 1."""

    often: float = 0.0
    kinds: tuple[str, ...] = FAULTS
    lies: tuple[str, ...] = ()
    lie_often: float = 0.0
    seed: int = 0
    most: int = 1_000_000  # faults altogether
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        unknown = set(self.kinds) - set(FAULTS) | set(self.lies) - set(LIES)
        if unknown:
            raise ValueError(f"no such fault: {sorted(unknown)}")
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()

    def draw(self) -> str | None:
        """What happens to the next query, or None."""
        with self._lock:
            if not self.kinds or self.counts.total() >= self.most or self._random.random() >= self.often:
                return None
            return self._counted(self._random.choice(self.kinds))

    def lie(self, columns: list[str], rows: list[str]) -> list[str]:
        """The rows that a liar shows: a plan (a column `Bin` or a time without an id) loses a bin, rows lose some."""
        with self._lock:
            plan = "_ItemId" not in columns and len(rows) > 1
            kind = LIES[0] if plan else LIES[1]
            if kind not in self.lies or not rows or len(columns) < 2 or self._random.random() >= self.lie_often:
                return rows
            if not plan and len(rows) == 1 and "_ItemId" not in columns:
                return rows  # a count
            self._counted(kind)
            lost = {self._random.randrange(len(rows)) for _ in range(1 if plan else self._random.randint(1, 5))}
            return [row for number, row in enumerate(rows) if number not in lost]

    def number(self, low: int, high: int) -> int:
        """A number from low to high."""
        with self._lock:
            return self._random.randint(low, high)

    def _counted(self, kind: str) -> str:
        self.counts[kind] += 1
        return kind
