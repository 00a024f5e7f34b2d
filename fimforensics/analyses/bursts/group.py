"""A content (or, where hashes are missing, a new name) that came into several folders within minutes of each other."""

from __future__ import annotations

TOGETHER = 2  # minutes that may pass between two folders that get it
FOLDERS = 5  # as many get it before it is told


class Group:
    """The events of a group: `begin` and `end` are minutes, `first` and `last` events; paths by id, folders by hash."""

    __slots__ = ("begin", "content", "end", "events", "first", "folders", "last", "path", "paths")

    def __init__(self, content: int | None, begin: int, first: int, path: int, folder: int) -> None:
        self.content, self.begin, self.end, self.first, self.last, self.path = content, begin, begin, first, first, path
        self.events, self.paths, self.folders = 1, {path}, {folder}

    def grow(self, path: int, folder: int, now: int, event: int) -> None:
        """One more event."""
        self.events += 1
        self.end, self.last = now, event
        self.paths.add(path)
        self.folders.add(folder)
