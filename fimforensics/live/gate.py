"""One gate for all workers: when the service says "too many requests", nobody knocks before the time is over."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime

LONGEST = 600.0  # seconds that one wait lasts at the most


class Stopped(Exception):
    """The pull ends: nobody waits any more."""


class Gate:
    """Workers wait here, together; what they wait for is told to whoever asks."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.waiting_for = ""
        self._lock, self._until, self._refused = threading.Lock(), 0.0, 0

    def shut(self, seconds: float | None, why: str) -> None:
        """Shut for these seconds; without a number, longer each time in a row."""
        with self._lock:
            self._refused += 1
            wait = min(seconds if seconds is not None else 0.5 * 2 ** min(self._refused, 12), LONGEST)
            self._until = max(self._until, time.monotonic() + wait)
            self.waiting_for = why

    def passed(self) -> None:
        """A request went through."""
        with self._lock:
            self._refused = 0
            self.waiting_for = ""

    def wait(self, seconds: float = 0.0) -> None:
        """Waits these seconds, and until the gate is open; Stopped when the pull ends meanwhile."""
        until = time.monotonic() + seconds
        while True:
            with self._lock:
                left = max(until, self._until) - time.monotonic()
            if self.stop.is_set():
                raise Stopped
            if left <= 0:
                return
            self.stop.wait(min(left, 1.0))


def seconds(header: str | None, now: float) -> float | None:
    """What a Retry-After says, in seconds from now (a time of this machine's clock); None where it says nothing."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (TypeError, ValueError):
        return None
