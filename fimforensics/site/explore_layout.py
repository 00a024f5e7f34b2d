"""Where things stand in the explorer's picture: columns by what led to what, rows by the order in which they were found.

Each thing stands on the row of the one that it was found from, or below its earlier siblings and all that came of them; no two
share a place. Opening one more thing moves others down, never to another column. A thing that somebody put at a place stands
there. Nothing is left to chance, so that the same address is the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fimforensics.queries.trace_steps import Key
from fimforensics.site.explore_page import ExplorePage, More, Node

WIDE, HIGH, ACROSS, BETWEEN, EDGE = 204, 46, 136, 16, 14
ELBOW = 12  # where lines to several things part


@dataclass(frozen=True)
class Box:
    """A thing, or what more an expanded one has, at its upper left corner; `moved` where somebody put it there."""

    item: Node | More
    of: Key  # the thing, or the one that has more
    x: int
    y: int
    moved: bool = False


@dataclass(frozen=True)
class Picture:
    """All boxes in the order in which they were found, and how large the picture is."""

    boxes: tuple[Box, ...]
    width: int
    height: int

    def at(self) -> dict[Key, Box]:
        """The boxes of things."""
        return {box.of: box for box in self.boxes if isinstance(box.item, Node)}


@dataclass
class _Grid:
    """Which places are taken, and who hangs on whom."""

    below: dict[Key, list[Node]]
    taken: dict[int, set[int]] = field(default_factory=dict)
    places: list[tuple[Node | More, Key, int, int]] = field(default_factory=list)

    def put(self, item: Node | More, of: Key, column: int, wanted: int) -> int:
        """The first free row of the column from the wanted one on."""
        taken = self.taken.setdefault(column, set())
        while wanted in taken:
            wanted += 1
        taken.add(wanted)
        self.places.append((item, of, column, wanted))
        return wanted

    def place(self, node: Node, wanted: int) -> int:
        """A thing with all that hangs on it; gives its lowest row."""
        row = self.put(node, node.key, node.column, wanted)
        lowest = {True: row - 1, False: row - 1}
        for child in self.below.get(node.key, ()):
            right = child.column > node.column
            lowest[right] = max(lowest[right], self.place(child, lowest[right] + 1))
        for more in node.more:
            right = more.out or (more.relation == "had" and node.thing.kind == "content")
            lowest[right] = self.put(more, node.key, node.column + (1 if right else -1), lowest[right] + 1)
        return max(row, *lowest.values())


def layout(page: ExplorePage) -> Picture:
    """The places of everything in the picture."""
    below: dict[Key, list[Node]] = {}
    for node in page.nodes:
        if node.parent is not None:
            below.setdefault(node.parent, []).append(node)
    grid, row = _Grid(below), 0
    for node in page.nodes:
        if node.parent is None:
            row = grid.place(node, row) + 1
    return _drawn(grid.places)


def _drawn(places: Sequence[tuple[Node | More, Key, int, int]]) -> Picture:
    first = min((column for _, _, column, _ in places), default=0)
    boxes = []
    for item, of, column, row in places:
        x, y = EDGE + (column - first) * (WIDE + ACROSS), EDGE + row * (HIGH + BETWEEN)
        moved = isinstance(item, Node) and item.place is not None
        if isinstance(item, Node) and item.place is not None:
            x, y = item.place
        boxes.append(Box(item, of, x, y, moved))
    return Picture(tuple(boxes), max((box.x for box in boxes), default=0) + WIDE + EDGE,
                   max((box.y for box in boxes), default=0) + HIGH + EDGE)
