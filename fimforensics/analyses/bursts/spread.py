"""The same content, or the same new name, in one folder after another within minutes, on one host.

Nearly every content comes into one folder only. So what is known of it is a cell in each of a few arrays; a group is made of it
when it comes into a second folder before the minutes are over.
"""

from __future__ import annotations

from array import array

from fimforensics.analyses.bursts.group import FOLDERS, TOGETHER, Group

MOST_NAMES = 100_000  # names of files without content that are remembered at a time


class Spread:
    """`begin` a host, tell it where contents and names come, `end` it."""

    def __init__(self, contents: int) -> None:
        self._host, self._minute, self._path, self._first = (array("q", bytes(8 * contents)) for _ in range(4))
        self._folder = array("q", bytes(8 * contents))
        self._serial = 0

    def begin(self) -> None:
        """The next host."""
        self._serial += 1
        self._open: dict[int, Group] = {}  # by content
        self._names: dict[int, Group] = {}
        self._closed: list[Group] = []

    def content(self, content: int, path: int, folder: int, now: int, event: int) -> None:
        """The content came to this path."""
        if self._host[content] == self._serial and now - self._minute[content] <= TOGETHER:
            group = self._open.get(content)
            if group is not None:
                group.grow(path, folder, now, event)
            elif folder != self._folder[content]:
                group = self._open[content] = Group(content, self._minute[content], self._first[content], self._path[content],
                                                    self._folder[content])
                group.grow(path, folder, now, event)
            else:
                return  # the same folder again: the minutes count from its first event
        else:
            self._close(self._open.pop(content, None))
            self._host[content], self._path[content] = self._serial, path
            self._first[content], self._folder[content] = event, folder
        self._minute[content] = now

    def name(self, name: int, path: int, folder: int, now: int, event: int) -> None:
        """A file of this name, without content, is new at this path."""
        group = self._names.get(name)
        if group is not None and now - group.end <= TOGETHER:
            group.grow(path, folder, now, event)
            return
        self._close(group)
        if len(self._names) >= MOST_NAMES:
            self._forget(now)
        self._names[name] = Group(None, now, event, path, folder)

    def _forget(self, now: int) -> None:
        """Makes room: what is over, or was in one folder only, is closed; all, if that leaves too much to do it again soon."""
        for name, group in list(self._names.items()):
            if now - group.end > TOGETHER or len(group.folders) == 1:
                self._close(self._names.pop(name))
        if len(self._names) > MOST_NAMES // 2:
            for group in self._names.values():
                self._close(group)
            self._names = {}

    def _close(self, group: Group | None) -> None:
        if group is not None and len(group.folders) >= FOLDERS:
            self._closed.append(group)

    def end(self) -> list[Group]:
        """The host's groups."""
        for group in (*self._open.values(), *self._names.values()):
            self._close(group)
        return self._closed
