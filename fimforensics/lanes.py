"""The quick ways that a member's records may go: for lines a lane of Python and its compiled twin, for rows only the twin.

Each is learned from a record that went the ordinary way, and learned anew when many in a row did not fit.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from fimforensics.rows import ITEM, Builder
from fimforensics.segments import Lane, learn
from fimforensics.swift import swift
from fimforensics.task import Task

LAYOUTS = 8  # how many layouts are learned at the most, and after how many records that fit none
STRANGE = 64


class Lanes:
    """The lanes of one member."""

    def __init__(self, native: ModuleType | None, task: Task, member: int) -> None:
        self._native, self._task, self._member = native, task, member
        self.lane: Lane | None = None
        self.swift: Any = None  # its compiled twin
        self.row: tuple[str, ...] | None = None  # the columns of records that are arrays of cells
        self.strange = 0  # records since the last layout that did not fit
        self._layouts = 0

    def learn(self, values: dict[str, object], told: str | None, builder: Builder) -> None:
        """Takes this record's layout for that of those to come, when the one that was known does not fit them."""
        self.strange += 1
        if self._layouts >= LAYOUTS or (self._layouts and self.strange < STRANGE):
            return
        self._layouts, self.strange = self._layouts + 1, 0
        if self.row is None:
            self.lane = learn(values, told, builder)
        elif self.row[-1] == ITEM:
            values = {name: value for name, value in values.items() if name != ITEM}
        twin, task = learn(values, told, builder), self._task  # lanes number what they see, each for itself
        self.swift = (swift(self._native, twin, task.case_key, task.snapshot, self._member, self.row)
                      if self._native is not None and twin is not None else None)
