"""Mermaid, for pages in Markdown; best for the result of a trace, since it draws no more than some hundred edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fimforensics.exports.contract import Export, edge_label, label

if TYPE_CHECKING:  # it takes long to load, and is only needed where a graph is made
    import networkx as nx

# Everything that Mermaid, Markdown or HTML could read as more than text, as Mermaid's own entities.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:_/$+-×")


def write(graph: nx.MultiDiGraph) -> Iterator[str]:
    """The graph's lines."""
    yield "flowchart LR\n"
    numbers = {node: f"n{at}" for at, node in enumerate(graph)}
    for node, number in numbers.items():
        yield f'  {number}["{_text(label(graph, node))}"]\n'
    for one, other, data in graph.edges(data=True):
        yield f'  {numbers[one]} -->|"{_text(edge_label(data))}"| {numbers[other]}\n'


def _text(text: str) -> str:
    return "".join(char if char in _PLAIN or ord(char) > 0xA0 else f"#{ord(char)};" for char in text)


EXPORT = Export("mermaid", "Mermaid, for pages in Markdown", "mmd", write)
