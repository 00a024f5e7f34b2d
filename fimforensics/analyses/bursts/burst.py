"""A burst as it is known when its events have been looked at."""

from __future__ import annotations

from dataclasses import dataclass

CHANGES, SAME_CONTENT, SAME_NAME = "changes", "same content in many folders", "same new name in many folders"


@dataclass(frozen=True)
class Burst:
    """One row of bursts, and what its sentence and its finding need."""

    host: int
    host_key: str
    kind: str
    since: str
    until: str
    events: int
    paths: int
    folders: int
    renames: int
    new_endings: int
    new_contents: int
    usual: float
    history: str | None  # whose: None for the host's own
    content: int | None
    process: int | None
    account: int | None
    first: int
    last: int
    name: str  # of the file that lies in many folders; else ''
    program: str  # of the top process; '' where no event names one
    person: str  # the top account
    share: float  # of the events, by programs of that name
    installed: float  # of the events, by package managers and installers
    marked: int  # files that got a new ending
    ending: str  # the one that most of them got
    existing: int  # paths that were changed, renamed or deleted, not created
    sketch: tuple[int, ...]  # of the paths: equal for equal sets of them
    sample: tuple[int, ...]  # its first events, and the last

    @property
    def note(self) -> bool:
        """Is it one content or name in many folders?"""
        return self.kind != CHANGES

    @property
    def order(self) -> tuple:
        """Natural order: host, time, kind."""
        return (self.host_key, self.since, self.kind, self.until, self.name, self.paths, self.events)

    def row(self) -> tuple:
        """The cells of the table between id and sentence."""
        return (self.host, self.kind, self.since, self.until, self.events, self.paths, self.folders, self.renames,
                self.new_endings, self.new_contents, self.usual, self.content, self.process, self.account, self.first, self.last)
