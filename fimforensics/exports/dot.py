"""DOT, for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fimforensics.exports.contract import Export, edge_label, label

if TYPE_CHECKING:  # it takes long to load, and is only needed where a graph is made
    import networkx as nx

_SHAPES = {"account": "house", "process": "ellipse", "file": "box", "registry value": "component", "content": "hexagon",
           "address": "diamond"}


def write(graph: nx.MultiDiGraph) -> Iterator[str]:
    """The graph's lines."""
    yield "digraph case {\n  rankdir=LR;\n"
    for node, data in graph.nodes(data=True):
        bold = ", penwidth=3" if data["start"] else ""
        yield f"  {_quoted(node)} [label={_quoted(label(graph, node))}, shape={_SHAPES[data['kind']]}{bold}];\n"
    for one, other, data in graph.edges(data=True):
        told = f"{edge_label(data)}\n{data['first']}"
        yield f"  {_quoted(one)} -> {_quoted(other)} [label={_quoted(told)}];\n"
    yield "}\n"


def _quoted(text: str) -> str:
    """A text that Graphviz shows as it is: its escapes (\\N, \\l) and entities (&lt;) mean nothing in it."""
    lines = text.split("\n")
    return '"' + "\\n".join(line.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'


EXPORT = Export("dot", "DOT, for Graphviz", "dot", write)
