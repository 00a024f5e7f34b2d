"""Where things stand in the picture of a trace: columns by distance from the start, what led to it left, what came of it right.

A thing stands on the row of the first that it leads to, so that chains are straight lines; further ones follow below. Nothing
is left to chance or to the order of a dict: the same trace is the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fimforensics.site.trace_page import Line, Thing, TracePage

DRAWN = 120


@dataclass(frozen=True)
class Node:
    """A thing in the picture; `number` is its step's, 0 the start; `again` the step at which the same is followed already."""

    number: int
    thing: Thing
    column: int
    row: int
    time: str | None
    fits: bool
    again: int | None = None


@dataclass(frozen=True)
class Edge:
    """From the node of what led to that of what came of it; `number` is the step's."""

    number: int
    before: int
    after: int
    relation: str
    time: str
    fits: bool


@dataclass(frozen=True)
class Picture:
    """Nodes and edges, and how many columns and rows there are."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    columns: int
    rows: int


def layout(page: TracePage) -> Picture:
    """The picture of what a page tells, of its first DRAWN things; the page must have a start."""
    assert page.start is not None
    first = {line.number for line in sorted(page.steps, key=lambda line: line.number)[:DRAWN - 1]}
    drawn = [line for line in page.steps if line.number in first]  # what a step follows has a smaller number
    middle = max((line.depth for line in drawn if line.direction == "back"), default=0)
    rows = {number: row for way in ("back", "forward")
            for number, row in _rows([line for line in drawn if line.direction == way]).items()}
    nodes = [Node(0, page.start, middle, 0, None, True)] + [
        Node(line.number, line.thing, middle + (-line.depth if line.direction == "back" else line.depth), rows[line.number],
             line.time, line.fits, line.again) for line in drawn]
    return Picture(tuple(nodes), tuple(_edge(line) for line in drawn), max(node.column for node in nodes) + 1,
                   max(node.row for node in nodes) + 1)


def _rows(lines: Sequence[Line]) -> dict[int, int]:
    """The rows of steps that come in order, each right after what it follows: the first of a thing's steps on its own row."""
    rows: dict[int, int] = {}
    followed: set[int] = set()
    lowest = 0
    for line in lines:
        if line.follows in followed:
            lowest += 1
        rows[line.number] = lowest if line.follows in followed else rows.get(line.follows, 0)
        followed.add(line.follows)
    return rows


def _edge(line: Line) -> Edge:
    before, after = (line.number, line.follows) if line.direction == "back" else (line.follows, line.number)
    return Edge(line.number, before, after, line.relation, line.time, line.fits)
