"""A few threads that work on whatever is handed to them; the program's end does not wait for them.

Python's own pool joins its threads when the program ends: after Ctrl-C that would be as long as the service takes to answer.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Workers(Generic[A, B]):
    """Hands things to `work` in several threads; `busy` are on their way, `done` gives what came of one."""

    def __init__(self, work: Callable[[A], B], number: int) -> None:
        self._work, self.busy = work, 0
        self._todo: queue.SimpleQueue[A | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[B | None, BaseException | None]] = queue.SimpleQueue()
        self._number = number
        for _ in range(number):
            threading.Thread(target=self._run, daemon=True).start()

    def give(self, thing: A) -> None:
        """One more thing to do."""
        self.busy += 1
        self._todo.put(thing)

    def done(self, wait: float) -> B | None:
        """What came of one, None where nothing did in these seconds; what it raised is raised here."""
        try:
            found, error = self._done.get(timeout=wait)
        except queue.Empty:
            return None
        self.busy -= 1
        if error is not None:
            raise error
        return found

    def whole(self) -> list[B]:
        """What came well of things and was not asked for yet."""
        found = []
        while not self._done.empty():
            one, error = self._done.get()
            if error is None and one is not None:
                found.append(one)
        return found

    def end(self) -> None:
        """No more work: threads end when they are through with what they have."""
        for _ in range(self._number):
            self._todo.put(None)

    def _run(self) -> None:
        while (thing := self._todo.get()) is not None:
            try:
                self._done.put((self._work(thing), None))
            except BaseException as error:
                self._done.put((None, error))
